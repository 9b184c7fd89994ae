"""API keys: `rf_` ID `_` SECRET, where the secret has 256 random bits. The SHA-256 of the whole is here."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.core.errors import ManifestError
from ringfence.core.ports import Clock
from ringfence.manifest.server import SCOPES, Scope

from .file import File

SHAPE = re.compile(r"rf_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
SEEN_MS = 60_000  # how exactly the last use is known
EACH = 100  # keys of an account; of those that have ended the oldest make room
_NEVER = bytes(32)


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key. Times in milliseconds since 1970; 0 of `ends`, `used` and `revoked`: never."""

    ident: str
    name: str
    purpose: str
    scopes: tuple[Scope, ...]
    created: int
    ends: int
    used: int
    revoked: int

    def holds(self, now: int) -> bool:
        """Whether it lets anybody in."""
        return not self.revoked and (not self.ends or now < self.ends)


class Keys:
    """The keys of a server."""

    def __init__(self, file: File, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    def add(
        self, name: str, scopes: Sequence[Scope], *, purpose: str = "", days: float | None = None
    ) -> tuple[str, Key]:
        """A new key of an account: itself, which is nowhere else, and what is known of it. `days` None: no end.

        Raises ManifestError for a scope that there is not, and for more keys than one account has.
        """
        if strange := sorted(set(scopes) - set(SCOPES)):
            raise ManifestError(f"expected scopes of {', '.join(SCOPES)}, got {strange[0]}", todo="leave it out")
        now, ident = self._clock(), secrets.token_hex(6)
        text = f"rf_{ident}_{secrets.token_urlsafe(32)}"
        ends = 0 if days is None else now + int(days * 86_400_000)
        key = Key(ident, name, purpose[:200], tuple(sorted(set(scopes))), now, ends, 0, 0)
        with self._file.changing() as db:
            _room(db, name, now)
            db.execute(
                "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0)",
                (ident, _digest(text), name, key.purpose, json.dumps(key.scopes), now, ends),
            )
        return text, key

    @property
    def now(self) -> int:
        """The time that ends are held against."""
        return self._clock()

    def find(self, text: str) -> Key | None:
        """The key that somebody shows, if it holds. Nothing tells a forged one from an expired or a revoked one."""
        shape = SHAPE.fullmatch(text)
        rows = self._file.rows("SELECT * FROM keys WHERE ident = ?", (shape[1] if shape else "",))
        right = hmac.compare_digest(_digest(text), rows[0][1] if rows else _NEVER)
        key = _key(rows[0]) if rows else None
        return key if right and key is not None and key.holds(self._clock()) else None

    def known(self, ident: str) -> Key | None:
        """A key by its id, if it holds; for whoever has shown it before."""
        rows = self._file.rows("SELECT * FROM keys WHERE ident = ?", (ident,))
        key = _key(rows[0]) if rows else None
        return key if key is not None and key.holds(self._clock()) else None

    def touch(self, key: Key) -> None:
        """It is used."""
        with self._file.changing() as db:
            db.execute("UPDATE keys SET used = ? WHERE ident = ?", (self._clock(), key.ident))

    def stale(self, key: Key) -> bool:
        """Whether `touch` is due."""
        return self._clock() - key.used >= SEEN_MS

    def all(self, name: str = "") -> list[Key]:
        """Every key, or those of an account; revoked and expired ones too, the newest first."""
        rows = self._file.rows("SELECT * FROM keys WHERE name = ? OR ? = '' ORDER BY created DESC, ident", (name, name))
        return [_key(row) for row in rows]

    def revoke(self, ident: str) -> Key:
        """End a key for good; raises ManifestError for none. One that was revoked before stays so."""
        with self._file.changing() as db:
            rows = db.execute("SELECT * FROM keys WHERE ident = ?", (ident,)).fetchall()
            if not rows:
                raise ManifestError(f"there is no key {ident}", todo="`ringfence keys list` shows them")
            db.execute("UPDATE keys SET revoked = ? WHERE ident = ? AND revoked = 0", (self._clock(), ident))
        return _key(rows[0])


def _room(db: Any, name: str, now: int) -> None:
    """Forget the oldest keys of an account that let nobody in any more, if there are too many of all."""
    over = int(db.execute("SELECT count(*) FROM keys WHERE name = ?", (name,)).get) + 1 - EACH
    if over <= 0:
        return
    ended = "SELECT ident FROM keys WHERE name = ? AND (revoked > 0 OR ends BETWEEN 1 AND ?) ORDER BY created LIMIT ?"
    db.execute(f"DELETE FROM keys WHERE ident IN ({ended})", (name, now, over))
    if db.changes() < over:
        raise ManifestError(f"expected at most {EACH} keys of an account, got one more", todo="revoke one first")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def _key(row: tuple[Any, ...]) -> Key:
    ident, _, name, purpose, scopes, *times = row
    return Key(ident, name, purpose, tuple(json.loads(scopes)), *times)
