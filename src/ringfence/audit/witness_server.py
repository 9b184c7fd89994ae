"""A witness of other hosts' logs: what `ringfence witness serve` answers (C2SP tlog-witness, add-checkpoint).

It signs a head only if it continues the last one that it signed for this log, and what it signed is on disk before the
signature leaves. So a log whose owner turns against it cannot show two pasts, nor go back to one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ringfence.core.chain import EMPTY_ROOT
from ringfence.core.errors import JournalError
from ringfence.proof import merkle
from ringfence.proof import note as notes
from ringfence.proof.keys import sync_folder
from ringfence.proof.note import Checkpoint, NoteError, Signer, Verifier

MAX_BYTES = 65_536  # of a request
_MAX_HASHES = 63  # of a consistency proof (tlog-witness)
_MAX_FORKS = 16  # kept as evidence of one log
_MAX_LOGS = 64  # of one key
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, text and type of an HTTP answer."""

    status: int
    text: str
    type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class Seen:
    """The last head that was signed for a log, as it is kept.

    began  the key of the operator's that its first head was signed with, or the one named in its place since
    key    the one that counts now: that one, or the one that it handed the log over to
    """

    origin: str
    began: str
    key: str
    size: int = 0
    root: str = EMPTY_ROOT.hex()
    note: str = ""


class _Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, text: str, type: str = "text/plain") -> None:
        super().__init__(text)
        self.answer = Answer(status, text + "\n", type)


class WitnessService:
    """Judges checkpoints of the logs whose keys it was given, and remembers the last of each in a folder.

    A key begins the log of its own name, or any log that it is the first to sign and that no other key is named after.
    Thread-safe: one request at a time. `say` gets a line for the operator about each thing that matters.
    """

    def __init__(self, signer: Signer, folder: Path, logs: Sequence[Verifier], say: Callable[[str], None]) -> None:
        self._signer = signer
        self._folder = folder
        self._named = list(dict.fromkeys(logs))
        self._say = say
        self._lock = threading.Lock()
        self._held = _hold(folder)
        try:
            self._seen = {seen.origin: seen for seen in map(_load, sorted(folder.glob("*.json")))}
        except BaseException:
            self.close()
            raise
        for seen in self._seen.values():
            say(f"{seen.origin} has {seen.size} signed records")

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._held)

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer one request."""
        try:
            old, proof, note = _request(body)
            text = notes.unverified(note)
            checkpoint = Checkpoint.parse(text)
        except (NoteError, UnicodeDecodeError) as error:
            return Answer(400, f"{getattr(error, 'what', error)}\n")
        with self._lock:
            try:
                seen = self._judge(checkpoint, note, old, proof)
                line = notes.signature_line(text, self._signer)
                self._keep(seen, notes.add(note, line))
            except _Refused as refused:
                return refused.answer
            except OSError as error:
                self._say(f"what is signed cannot be kept in {self._folder}, so nothing is: {error.strerror or error}")
                return Answer(500, "what is signed cannot be kept here\n")
        return Answer(200, line)

    def checkpoint(self, origin_hash: str) -> str | None:
        """The last head that was signed for the log whose origin has this SHA-256, in hex (for monitors)."""
        for origin, seen in list(self._seen.items()):  # another thread may add one
            if _hex(origin) == origin_hash and seen.note:
                return seen.note
        return None

    def _judge(self, head: Checkpoint, note: str, old: int, proof: Sequence[bytes]) -> Seen:
        """What is to be kept of the log if the head is signed; in the order that tlog-witness tells."""
        seen = self._seen.get(head.origin)
        trusted = self._trusted(head.origin, seen)
        try:
            _, (signed, *_) = notes.opened(note, trusted)
            following = notes.successor(note, trusted)
        except NoteError as error:
            known = seen is not None or any(key.name == head.origin for key in trusted)
            self._say(f"refused a head of {head.origin} over {head.size} records: {error.what}")
            raise _Refused(403 if known else 404, error.what) from None
        if seen is None:
            seen = self._first(head.origin, signed)
        if old > head.size:
            raise _Refused(400, f"the old size {old} is larger than {head.size}, that of the checkpoint")
        if old != seen.size:
            if head.size < seen.size:
                self._say(f"{head.origin} shows {head.size} records, and {seen.size} were signed: was it rolled back?")
            raise _Refused(409, str(seen.size), "text/x.tlog.size")
        if not merkle.consistent(old, head.size, bytes.fromhex(seen.root), head.root, proof):
            self._accuse(seen, head, note)
            raise _Refused(422, f"this does not continue the {seen.size} records that were signed")
        began = seen.began if Verifier.parse(seen.began) in self._named else str(signed)
        if following not in (None, signed):
            self._say(f"{head.origin} was handed over after {head.size} records to {following}")
        return Seen(head.origin, began, str(following or signed), head.size, head.root.hex())

    def _trusted(self, origin: str, seen: Seen | None) -> list[Verifier]:
        """The keys that may sign for a log. One that the operator does not name any more counts for nothing."""
        if seen is not None and Verifier.parse(seen.began) in self._named:
            return [Verifier.parse(seen.key)]
        return [key for key in self._named if key.name == origin] or self._named

    def _first(self, origin: str, signed: Verifier) -> Seen:
        if sum(seen.began == str(signed) for seen in self._seen.values()) >= _MAX_LOGS:
            raise _Refused(403, f"{signed.name} has begun {_MAX_LOGS} logs here, and may begin no more")
        self._say(f"{origin} was never seen here: its first head, signed by {signed}, is taken as it is")
        return Seen(origin, str(signed), str(signed))

    def _accuse(self, seen: Seen, head: Checkpoint, note: str) -> None:
        """A head that a key of the log has signed, and that is no continuation: told, and kept as evidence."""
        if head.size == seen.size:
            self._say(f"FORK: {seen.origin} has signed two pasts of {head.size} records: the second is kept beside")
        else:
            self._say(f"NO CONTINUATION: {seen.origin} shows {head.size} records without a proof from {seen.size}")
        name = f"{_hex(seen.origin)}.{head.size}-{head.root.hex()[:8]}.refused"
        if len(list(self._folder.glob(f"{_hex(seen.origin)}.*.refused"))) < _MAX_FORKS:
            (self._folder / name).write_text(note)

    def _keep(self, seen: Seen, note: str) -> None:
        """Atomic and durable: what was signed is never forgotten."""
        kept = replace(seen, note=note)
        path = self._folder / f"{_hex(seen.origin)}.json"
        temp = path.with_suffix(".new")
        with os.fdopen(os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as out:
            json.dump(asdict(kept), out)
            out.flush()
            os.fsync(out.fileno())
        temp.rename(path)
        sync_folder(self._folder)
        self._seen[seen.origin] = kept


def _load(path: Path) -> Seen:
    """What was signed for a log."""
    try:
        seen = Seen(**json.loads(path.read_text()))
        Verifier.parse(seen.began)
        Verifier.parse(seen.key)
        if path.name != f"{_hex(seen.origin)}.json" or not seen.size >= 0 or len(bytes.fromhex(seen.root)) != 32:
            raise ValueError("it is of another log, or no head")
    except (ValueError, TypeError, AttributeError, OSError, NoteError) as error:
        raise JournalError(
            f"what was signed for a log cannot be read from {path}: {error}",
            todo="restore the folder as it was; a witness that has forgotten what it signed must not go on",
        ) from None
    return seen


def _request(body: bytes) -> tuple[int, list[bytes], str]:
    """Old size, proof and note; raises NoteError."""
    first, empty, note = body.decode().partition("\n\n")
    size, *lines = first.split("\n")
    found, hashes = _OLD.fullmatch(size), [notes.unbase64(line) for line in lines]
    proof = [each for each in hashes if each is not None and len(each) == 32]
    if not empty or found is None or len(proof) != len(lines) or len(proof) > _MAX_HASHES:
        raise NoteError("expected `old N`, at most 63 lines of SHA-256 in base64, an empty line and a checkpoint")
    return int(found[1]), proof, note


def _hold(folder: Path) -> int:
    """Keep a second witness out of the folder."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise JournalError(
            f"{folder} cannot keep what is signed: {error.strerror}", todo="name a folder that you may write to"
        ) from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise JournalError(
            f"another witness is running with {folder}", todo="stop it, or name another folder with --state"
        ) from None
    return fd


def _hex(origin: str) -> str:
    return hashlib.sha256(origin.encode()).hexdigest()
