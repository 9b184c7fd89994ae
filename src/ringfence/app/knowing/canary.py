"""Canaries: made-up codes planted in documents that nobody has a reason to send anywhere. One that leaves is a leak.

Whatever would go out with one in it is denied, by the policy itself, and so on record: an effect, a message to others,
a request to a host, a tool server or a model that is not ours. What stays with the one who asks is let be.

A canary is two letters, twelve digits, two letters (KD-4821-7730-9152-QX), so that text can be searched for anything
of this form quickly, and the store need not hold the canaries themselves: it has a salted hash of each, so that who
reads it learns what to leave out of nothing. They are looked for in whatever case, split by any signs or over several
values, backwards, and in URL, HTML, JSON, hex and base64 encoding, up to three of them inside one another.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import secrets
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import ManifestError
from ringfence.core.policy import Policy
from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Action, Decision, Deny
from ringfence.manifest.types import Manifest

from ..ids import now_ms
from .disguise import plain_forms
from .library import home_of

FILE, CODE = "canaries.json", "canary"
WHY = "it holds a marked value of a document, which may never leave"
_ROUNDS = 200  # of PBKDF2: a guess costs so much more, and text seldom has anything of a canary's form
_SHAPE = re.compile(r"(?=([a-z]{2}[0-9]{12}[a-z]{2}))")
_LETTERS = "".join(c for c in string.ascii_uppercase if c not in "IO")  # which are read as digits
_PLANTED = (".md", ".txt", ".rst", ".log", ".text", ".markdown")
_log = logging.getLogger("ringfence.canary")


@dataclass(frozen=True, slots=True)
class Canary:
    """One that was planted: its id and what is kept of it, never itself. `planted`: milliseconds since 1970."""

    id: str
    hash: str
    planted: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Store:
    """The canaries of a store, in a file for its owner alone.

    Every read and write raises ManifestError for a file that cannot be trusted: then nothing leaves, or starts.
    """

    path: Path

    @classmethod
    def of(cls, manifest: Manifest) -> Store:
        """Beside the index: agents that share documents share their canaries."""
        return cls(home_of(manifest) / FILE)

    def read(self) -> tuple[bytes, list[Canary]]:
        """The salt, and the canaries; none where no file is."""
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return b"", []
        except OSError as fault:
            raise self._broken(f"it cannot be read: {fault.strerror}") from fault
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(handle)
            if found.st_uid not in (os.getuid(), 0) or found.st_mode & 0o022:
                raise self._broken("others may write to it")
            data = file.read()
        try:
            kept = json.loads(data)
            salt = bytes.fromhex(kept["salt"])
            listed = [Canary(**one) for one in kept["canaries"]]
            if len(salt) < 16 or not all(re.fullmatch(r"[0-9a-f]{64}", one.hash) for one in listed):
                raise ValueError("a hash is none")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._broken(f"it is not what was written there: {error}") from None
        return salt, listed

    def plant(self, note: str = "") -> tuple[Canary, str]:
        """A new canary: what is kept of it, and itself, which is not kept and cannot be had again."""
        salt, listed = self.read()
        salt = salt or secrets.token_bytes(16)
        token = _made()
        made = Canary(secrets.token_hex(3), hashed(normal(token), salt), now_ms(), note)
        self._write(salt, [*listed, made])
        return made, token

    def remove(self, name: str) -> Canary:
        """Forget one, by its id; raises ManifestError for one that is not there."""
        salt, listed = self.read()
        gone = [one for one in listed if one.id == name]
        if not gone:
            raise ManifestError(
                f"there is no canary {name!r}", todo=f"there are: {', '.join(one.id for one in listed) or 'none'}"
            )
        self._write(salt, [one for one in listed if one.id != name])
        return gone[0]

    def _write(self, salt: bytes, listed: Iterable[Canary]) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = [{"id": one.id, "hash": one.hash, "planted": one.planted, "note": one.note} for one in listed]
        draft = self.path.with_name(f"{FILE}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as file:
            json.dump({"salt": salt.hex(), "canaries": kept}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)

    def _broken(self, why: str) -> ManifestError:
        todo = f"restore {self.path}, or plant the canaries anew; without them nobody can tell whether one leaves"
        return ManifestError(f"the canaries in {self.path} cannot be used: {why}", todo=todo)


def hashed(text: str, salt: bytes) -> str:
    """What is kept of a canary in its normal form."""
    return hashlib.pbkdf2_hmac("sha256", text.encode(), salt, _ROUNDS).hex()


def normal(text: str) -> str:
    """Letters and digits alone, in small letters."""
    return re.sub(r"[^a-z0-9]", "", text.casefold())


def _made() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(4))
    digits = "".join(secrets.choice(string.digits) for _ in range(12))
    return f"{letters[:2]}-{digits[:4]}-{digits[4:8]}-{digits[8:]}-{letters[2:]}"


@dataclass(slots=True)
class Watch:
    """Knows the canaries of a store as they are now, and whether one is in something.

    What is read anew when the file changes; once there were some, a file that is gone takes none away.
    """

    store: Store
    _mark: tuple[int, ...] | None = None
    _salt: bytes = b""
    _hashes: frozenset[str] = frozenset()
    _checked: dict[str, bool] = field(default_factory=dict)

    def refresh(self) -> None:
        """Raises ManifestError for a file that cannot be trusted."""
        try:
            found = self.store.path.lstat()
            mark = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_mode, found.st_uid)
        except FileNotFoundError:
            if self._hashes:
                raise self.store._broken("it is gone") from None
            return
        except OSError as fault:
            raise self.store._broken(f"it cannot be read: {fault.strerror}") from fault
        if mark != self._mark:
            self._salt, listed = self.store.read()
            self._hashes, self._mark = frozenset(one.hash for one in listed), mark
            self._checked.clear()

    def seen(self, texts: Iterable[str]) -> bool:
        """Whether a canary stands in these texts, which are read one after another too."""
        if not self._hashes:
            return False
        whole = list(texts)
        return any(map(self._is_one, self._candidates("\n".join(whole)))) or (
            len(whole) > 1 and any(map(self._is_one, self._candidates("".join(whole))))
        )

    def _candidates(self, text: str) -> Iterator[str]:
        for form in plain_forms(text):
            for way in (form, form[::-1]):
                yield from _SHAPE.findall(way)

    def _is_one(self, candidate: str) -> bool:
        known = self._checked.get(candidate)
        if known is None:
            known = hashed(candidate, self._salt) in self._hashes
            if len(self._checked) < 10_000:
                self._checked[candidate] = known
        return known


@dataclass(frozen=True, slots=True)
class Guarded(Policy):
    """A policy under which no canary leaves (POL-6). It refuses more than the rules, never less."""

    watch: Watch | None = None

    def decide(self, action: Action, turn: Turn, *, now: int) -> Decision:
        """As the rules have it; but what would leave with a canary in it is denied, whoever says yes to it."""
        decision = Policy.decide(self, action, turn, now=now)
        spec = self.sinks.get(action.sink)
        if isinstance(decision, Deny) or spec is None or spec.stays or self.watch is None:
            return decision
        try:
            self.watch.refresh()
        except ManifestError as error:
            return Deny("POL-6", CODE, f"nothing may leave: {error.what}")
        return Deny("POL-6", CODE, WHY) if self.watch.seen(outgoing(action, turn)) else decision


def outgoing(action: Action, turn: Turn) -> Iterator[str]:
    """The texts that leave with an action. Of a model: its request, and all that a further one may hold."""
    if action.prompt is None and not action.sink.startswith("model:"):
        yield from _values(dict(action.args))
        return
    for message in action.prompt.messages if action.prompt is not None else ():
        yield message.decode("utf-8", "replace")
    if action.prompt is None or not action.prompt.messages:  # asked whether it may be asked at all
        yield str(turn.start.get("task", ""))
        for record, _ in turn.items:
            yield from _values(record.body)


def _values(value: JSON) -> Iterator[str]:
    """The values of something, in their order, and then the names in it: each may be one half of a split canary."""
    yield from _leaves(value)
    yield from _names(value)


def _leaves(value: JSON) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _names(value: JSON) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _names(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _names(item)


def watched(manifest: Manifest) -> Watch:
    """The canaries of a manifest's store; raises ManifestError for a file that cannot be trusted."""
    watch = Watch(Store.of(manifest))
    watch.refresh()
    return watch


def alarm(record: Record) -> None:
    """An observer of records: says loudly, without the value, that a canary was about to leave."""
    view: Mapping[str, Any] = record.view
    if record.kind is Kind.DECISION and view.get("code") == CODE and "copied" not in view:
        _log.error(
            "CANARY: %s was about to get a planted value in run %s (record %s), and was denied",
            view.get("sink"), record.run, record.seq,
        )  # fmt: skip


def append_to(path: Path, token: str) -> None:
    """Put a canary into a text file, on a line of its own at the end; raises ManifestError for other files."""
    if path.suffix.casefold() not in _PLANTED:
        raise ManifestError(
            f"expected a text file ({', '.join(_PLANTED)}) to plant a canary in, got {path.name}",
            todo="leave --into out, and put the code that is printed into the document yourself",
        )
    if not path.is_file():
        raise ManifestError(f"expected a file to plant a canary in, and {path} is none", todo="name one that is there")
    data = path.read_bytes()
    gap = b"" if not data or data.endswith(b"\n") else b"\n"
    with path.open("ab") as file:
        file.write(gap + f"\nInternal account reference: {token}\n".encode())
