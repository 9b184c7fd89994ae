"""Sessions: a random token in the browser, its SHA-256 here."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any

from ringfence.core.ports import Clock
from ringfence.core.values import Principal

from .file import File

EACH = 50  # sessions of one account; the one that was used longest ago makes room
SEEN_MS = 60_000  # how exactly the last use is known: a request is not worth a write


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has signed in.

    ident      to name it by; of no use to come in with
    provider   the issuer or proxy that vouches for them; empty: an account with a password, whose roles are looked up
    roles, tenant  what the provider said of them (`role:NAME`); none of an account with a password
    used, ends  milliseconds since 1970; `used` is up to a minute old
    """

    digest: bytes
    ident: str
    name: str
    provider: str
    roles: tuple[str, ...]
    tenant: str
    created: int
    used: int
    ends: int
    address: str
    agent: str

    @property
    def principal(self) -> Principal:
        """Who the provider says they are."""
        return Principal(f"user:{self.name}", frozenset(self.roles), self.tenant)


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


class Sessions:
    """The sessions of a server."""

    def __init__(self, file: File, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    def begin(
        self, name: str, hours: float, *, provider: str = "", roles: tuple[str, ...] = (), tenant: str = "",
        address: str = "", agent: str = "", instead_of: str = "", hashed: str | None = None,
    ) -> str | None:  # fmt: skip
        """A session of its own: the token, which is nowhere else. The one of the token `instead_of` ends.

        `hashed`: the password that was right, as it is kept; if it was changed meanwhile, None comes and no session.
        """
        token, now = secrets.token_urlsafe(32), self._clock()
        with self._file.changing() as db:
            if hashed is not None:
                still = "SELECT 1 FROM people WHERE name = ? AND hash = ? AND disabled = 0"
                if not db.execute(still, (name, hashed)).get:
                    return None
            db.execute("DELETE FROM sessions WHERE ends <= ? OR digest = ?", (now, digest_of(instead_of)))
            db.execute(
                "DELETE FROM sessions WHERE digest IN "
                "(SELECT digest FROM sessions WHERE name = ? ORDER BY used DESC LIMIT -1 OFFSET ?)", (name, EACH - 1),
            )  # fmt: skip
            db.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (digest_of(token), secrets.token_hex(8), name, provider, json.dumps(roles), tenant, now, now,
                 now + int(hours * 3_600_000), address[:64], agent[:200]),
            )  # fmt: skip
        return token

    def find(self, token: str, idle_ms: int) -> Session | None:
        """The session of a token, unless it has ended or nobody used it for so long."""
        return self._live("digest", digest_of(token), idle_ms)

    def known(self, ident: str, idle_ms: int) -> Session | None:
        """`find`, by its id; for whoever has shown its token before."""
        return self._live("ident", ident, idle_ms)

    def _live(self, column: str, value: bytes | str, idle_ms: int) -> Session | None:
        rows = self._file.rows(f"SELECT * FROM sessions WHERE {column} = ?", (value,))
        if not rows:
            return None
        session, now = _session(rows[0]), self._clock()
        return session if now < session.ends and now < session.used + idle_ms else None

    def stale(self, session: Session, idle_ms: int) -> bool:
        """Whether `touch` is due."""
        return self._clock() - session.used >= min(SEEN_MS, idle_ms // 10)

    def touch(self, session: Session) -> None:
        """It is used."""
        with self._file.changing() as db:
            db.execute("UPDATE sessions SET used = ? WHERE digest = ?", (self._clock(), session.digest))

    def of(self, name: str) -> list[Session]:
        """The sessions of somebody, the one that was used last first."""
        now = self._clock()
        rows = self._file.rows("SELECT * FROM sessions WHERE name = ? ORDER BY used DESC, created DESC", (name,))
        return [session for session in map(_session, rows) if now < session.ends]

    def everyone(self) -> list[Session]:
        """The sessions of all, by name; of each the one that was used last first."""
        rows = self._file.rows("SELECT * FROM sessions WHERE ends > ? ORDER BY name, used DESC", (self._clock(),))
        return [_session(row) for row in rows]

    def named(self, ident: str) -> Session | None:
        """The session of an id, if it has not ended."""
        rows = self._file.rows("SELECT * FROM sessions WHERE ident = ? AND ends > ?", (ident, self._clock()))
        return _session(rows[0]) if rows else None

    def end(self, name: str, *, ident: str = "", but: bytes = b"") -> int:
        """End one of somebody's, or without `ident` all but one; how many there were."""
        with self._file.changing() as db:
            db.execute(
                "DELETE FROM sessions WHERE name = ? AND digest <> ? AND (ident = ? OR ? = '')",
                (name, but, ident, ident),
            )
            return db.changes()


def _session(row: tuple[Any, ...]) -> Session:
    digest, ident, name, provider, roles, *rest = row
    return Session(digest, ident, name, provider, tuple(json.loads(roles)), *rest)
