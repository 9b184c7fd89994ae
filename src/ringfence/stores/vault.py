"""The keys of subjects: a key a month, wrapped by the operator's key, in a file apart from the journal (DESIGN 8).

To erase a person is to destroy their keys: what was sealed with them is noise from then on, in every copy of the
journal. So the file of the keys never goes where the journal's backups go.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import apsw

from ..core.errors import JournalError
from ..proof.keys import sync_folder
from .file import explain, faults
from .rows import DAMAGED_TODO

ID_BYTES, KEY_BYTES, NONCE_BYTES = 8, 32, 12
_CACHED = 4096  # locks, each of some subjects in some month; made again when forgotten
_BUSY_MS = 10_000

# No write-ahead log, and deleted content is overwritten: an erased key is in no file beside this one afterwards.
_SETTINGS = (
    "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF"
)
_CREATE = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS keys(
    id BLOB PRIMARY KEY, subject TEXT NOT NULL, month TEXT NOT NULL, wrapped BLOB, gone INTEGER) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_subject ON keys(subject, month);
CREATE TABLE IF NOT EXISTS aliases(subject TEXT PRIMARY KEY, alias TEXT NOT NULL UNIQUE) STRICT, WITHOUT ROWID;
COMMIT;
"""


class Sealed(JournalError):
    """A body that cannot be opened: its key was `destroyed`, or is not here."""

    def __init__(self, what: str, *, todo: str = "", destroyed: bool = False) -> None:
        super().__init__(what, todo=todo)
        self.destroyed = destroyed


@dataclass(frozen=True, slots=True)
class Lock:
    """What seals the bodies about some subjects of some month: destroying the key of any of them destroys it.

    ids     of the keys that it is made of, in the order of their subjects
    commit  the key of the bodies' commitments
    """

    ids: tuple[bytes, ...]
    commit: bytes = field(repr=False)
    cipher: Any  # AESGCM

    def seal(self, data: bytes, place: bytes) -> bytes:
        """AES-256-GCM (NIST SP 800-38D), a random nonce before it; `place` is authenticated with it."""
        nonce = os.urandom(NONCE_BYTES)
        sealed: bytes = nonce + self.cipher.encrypt(nonce, data, place)
        return sealed

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Inverse of `seal`; raises ValueError for what was not sealed so, or at another place."""
        from cryptography.exceptions import InvalidTag

        try:
            opened: bytes = self.cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
        except InvalidTag:
            raise ValueError("it was not sealed so") from None
        return opened


class Vault:
    """The keys in a folder. For any number of threads and processes at once.

    `operator` gives the operator's key of 32 bytes; without it, the file `operator.key` there holds it. With `write`
    what is not there is made: the folder (0700), the operator's key, the file of keys (0600).
    """

    def __init__(
        self,
        folder: Path,
        *,
        operator: Callable[[], bytes] | None = None,
        write: bool = True,
        vfs: str | None = None,
    ) -> None:
        self.folder = folder
        self._vfs = vfs
        self._operator_of = operator
        self._write = write
        self._guard = threading.RLock()
        self._db: apsw.Connection | None = None
        self._locks: dict[tuple[tuple[str, ...], str], Lock] = {}
        self._opened: dict[tuple[bytes, ...], Lock] = {}
        self._aliases: dict[str, str] = {}
        self._wrapping: Lock | None = None
        self._refused: Sealed | None = None  # why there is no operator's key, for those who ask again at once
        self._version = -1

    @property
    def path(self) -> Path:
        """The file of the keys."""
        return self.folder / "subjects.db"

    def make(self) -> None:
        """Make what is not there: the folder, the operator's key, the file of keys. Raises JournalError."""
        with self._guard:
            self._open()
            self._wrap()

    def lock(self, subjects: tuple[str, ...], month: str) -> Lock:
        """What seals something about these subjects, made on first use."""
        with self._guard:
            if (known := self._locks.get((subjects, month))) is not None:
                return known
            with faults(self.path):
                known = _lock([self._key(subject, month) for subject in sorted(subjects)])
            if len(self._locks) >= _CACHED:
                self._locks.clear()
            self._locks[subjects, month] = known
            return known

    def opened(self, ids: tuple[bytes, ...]) -> Lock:
        """The lock of keys that there are; raises Sealed if one of them was destroyed, or is not here.

        What was sealed with none, anybody could have sealed: JournalError.
        """
        if not ids:
            raise JournalError("a part of the journal is damaged: it was sealed with no key", todo=DAMAGED_TODO)
        with self._guard, faults(self.path):
            known = self._opened.get(ids)
            if known is None:
                known = _lock([(one, self._unwrap(one)) for one in ids])
                if len(self._opened) >= _CACHED:
                    self._opened.clear()
                self._opened[ids] = known
            return known

    def refresh(self) -> None:
        """Forget what was remembered if another process has changed the keys: it may have destroyed some."""
        with self._guard, faults(self.path):
            self._refused = None
            if self._db is None:  # nothing can be remembered
                return
            version = self._db.pragma("data_version")
            if version != self._version:
                self._forget()
                self._version = version

    def alias(self, subject: str) -> str:
        """What headers call a subject that is no principal; it leads back to them only as long as there are keys."""
        with self._guard:
            self.refresh()  # one of somebody who was erased since leads nowhere
            if subject not in self._aliases:
                if self.known(subject) is None:
                    fresh = "subject:" + secrets.token_hex(8)
                    with faults(self.path):
                        self._open().execute("INSERT OR IGNORE INTO aliases VALUES (?, ?)", (subject, fresh))
                self._aliases[subject] = str(self.known(subject))
            return self._aliases[subject]

    def tag(self, text: str) -> str:
        """What stands for a text in an index that anybody may read: the same for the same, by the operator's key."""
        with self._guard:
            return hmac.digest(self._wrap().commit, text.encode(), "sha256").hex()[:32]

    def known(self, subject: str) -> str | None:
        """The alias of a subject, if it has one."""
        with self._guard, faults(self.path):
            alias: str | None = self._open().execute("SELECT alias FROM aliases WHERE subject = ?", (subject,)).get
            return alias

    def ids(self, subject: str) -> frozenset[bytes]:
        """The keys that a subject has, or had."""
        with self._guard, faults(self.path):
            rows = self._open().execute("SELECT id FROM keys WHERE subject = ?", (subject,))
            return frozenset(one for (one,) in rows)

    def destroy(self, now: int, *, subject: str = "", before: str = "") -> int:
        """Destroy the keys of a subject, or of all, of all months or of those `before` one (2026-11); how many.

        A subject's alias has the same fate: without any key, nothing leads from it to them. What remains of a key is
        its id, whose it was and when it was destroyed (`now`, milliseconds since 1970).
        """
        with self._guard, faults(self.path):
            db, where = self._open(), ["wrapped IS NOT NULL"]
            values: list[str] = []
            if subject:
                where, values = [*where, "subject IN (?, ?)"], [subject, self.known(subject) or subject]
            if before:
                where, values = [*where, "month < ?"], [*values, before]
            changes = f"UPDATE keys SET wrapped = NULL, gone = ? WHERE {' AND '.join(where)}"
            with db:
                db.execute(changes, (now, *values))
                count = db.changes()
                if subject and not before:
                    db.execute("DELETE FROM aliases WHERE subject = ?", (subject,))
            self._forget()
            db.execute("VACUUM")  # pages that were laid out anew may hold an older copy of a key
            return count

    def close(self) -> None:
        """Let go of the file."""
        with self._guard:
            self._forget()
            if self._db is not None:
                self._db.close(True)
                self._db = None

    def _forget(self) -> None:
        self._locks.clear()
        self._opened.clear()
        self._aliases.clear()

    def _key(self, subject: str, month: str) -> tuple[bytes, bytes]:
        """The id and the key of a subject for a month."""
        db = self._open()
        row = self._live(subject, month)
        if row is None:
            fresh, key = secrets.token_bytes(ID_BYTES), secrets.token_bytes(KEY_BYTES)
            wrapped = self._wrap().seal(key, fresh)
            db.execute("BEGIN IMMEDIATE")
            try:
                if self._live(subject, month) is None:
                    db.execute("INSERT INTO keys VALUES (?, ?, ?, ?, NULL)", (fresh, subject, month, wrapped))
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            row = self._live(subject, month)
        assert row is not None
        return row[0], self._unwrapped(*row)

    def _live(self, subject: str, month: str) -> tuple[bytes, bytes] | None:
        rows = self._open().execute(
            "SELECT id, wrapped FROM keys WHERE subject = ? AND month = ? AND wrapped IS NOT NULL", (subject, month)
        )
        found: tuple[bytes, bytes] | None = rows.fetchone()
        return found

    def _unwrap(self, one: bytes) -> bytes:
        row = self._open().execute("SELECT wrapped, gone FROM keys WHERE id = ?", (one,)).fetchone()
        if row is None:
            raise Sealed("the key of a record is not here", todo=f"put the keys back that belong here: {self.folder}")
        if row[0] is None:
            raise Sealed("the key of its content was destroyed", destroyed=True)
        return self._unwrapped(one, row[0])

    def _unwrapped(self, one: bytes, wrapped: bytes) -> bytes:
        try:
            return self._wrap().open(wrapped, one)
        except ValueError:
            raise Sealed(f"a key in {self.path} was changed", todo="put the keys back as they were") from None

    def _wrap(self) -> Lock:
        if self._refused is not None:  # a program that hangs is not asked once for each record
            raise Sealed(self._refused.what, todo=self._refused.todo)
        if self._wrapping is None:
            try:
                key = self._operator_of() if self._operator_of is not None else self._own_key()
            except JournalError as error:
                self._refused = Sealed(error.what, todo=error.todo)
                raise self._refused from error
            if len(key) != KEY_BYTES:
                raise JournalError(
                    f"expected an operator's key of {KEY_BYTES} bytes, got {len(key)}", todo="see privacy.key"
                )
            self._wrapping = self._fitting(_lock([(b"", key)]))
        return self._wrapping

    def _fitting(self, wrapping: Lock) -> Lock:
        """The operator's key, if it is the one of the keys that are there: new ones are wrapped by no other."""
        row = self._open().execute("SELECT id, wrapped FROM keys WHERE wrapped IS NOT NULL LIMIT 1").fetchone()
        try:
            if row is not None:
                wrapping.open(row[1], row[0])
        except ValueError:
            self._refused = Sealed(
                f"the keys in {self.path} were wrapped by another operator's key",
                todo=f"put the right key in place: {self.folder / 'operator.key'}, or privacy.key in the manifest",
            )
            raise self._refused from None
        return wrapping

    def _own_key(self) -> bytes:
        """The key in the file beside the keys, made if it is not there and there are no keys that it belongs to."""
        file = self.folder / "operator.key"
        if not file.exists() and self._write:
            if self._open().execute("SELECT count(*) FROM keys").get and not file.exists():  # nor made since
                raise JournalError(f"the operator's key {file} is gone", todo="put it back from where you keep it safe")
            write_secret(file, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        return read_key(file)

    def _open(self) -> apsw.Connection:
        if self._db is None:
            if not self._write and not self.path.is_file():
                raise Sealed(
                    f"there are no keys at {self.path}", todo="without them a log shows its redacted views alone"
                )
            try:
                if self._write:
                    make_folder(self.folder)
                    os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
                db = apsw.Connection(str(self.path), vfs=self._vfs)
                db.set_busy_timeout(_BUSY_MS)
                db.execute(_SETTINGS).fetchall()
                if self._write:
                    db.execute(_CREATE).fetchall()
            except apsw.Error as error:
                raise explain(error, self.path) from error
            except OSError as error:
                raise JournalError(
                    f"the keys in {self.path} cannot be opened: {error.strerror}",
                    todo=f"make {self.folder} a folder that you may write to",
                ) from error
            self._db = db
        return self._db


def _lock(keys: Sequence[tuple[bytes, bytes]]) -> Lock:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    whole = keys[0][1] if len(keys) == 1 else hashlib.sha256(b"".join(key for _, key in keys)).digest()
    seal, commit = (hmac.digest(whole, use, "sha256") for use in (b"seal", b"commit"))
    return Lock(tuple(one for one, _ in keys), commit, AESGCM(seal))


def month_of(time: int) -> str:
    """The month of a time (milliseconds since 1970 UTC), such as 2026-11."""
    return _month(time // 86_400_000)


@lru_cache(maxsize=64)
def _month(day: int) -> str:
    return (datetime(1970, 1, 1) + timedelta(days=day)).strftime("%Y-%m")


def make_folder(folder: Path) -> None:
    """A folder that its owner alone may enter."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_secret(file: Path, data: bytes) -> None:
    """A new file (0600) in a folder (0700), whole and durable when it appears; one that is there is left as it is."""
    make_folder(file.parent)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        with suppress(FileExistsError):  # another process was first: its key counts
            file.hardlink_to(draft)
    finally:
        draft.unlink()
    sync_folder(file.parent)


def read_key(file: Path) -> bytes:
    """32 bytes in base64 from a file that only its owner may read; raises JournalError for anything else."""
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as opened:
            if os.fstat(opened.fileno()).st_mode & 0o077:
                raise JournalError(f"others may read the key {file}", todo=f"chmod 600 {file}, and think of a new key")
            return decoded_key(opened.read(4096), str(file))
    except OSError as error:
        raise Sealed(f"the operator's key {file} cannot be read: {error.strerror}", todo="put it in place") from error


def decoded_key(text: bytes, where: str) -> bytes:
    """32 bytes from base64; raises JournalError, without repeating it, for anything else."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise JournalError(
            f"expected {KEY_BYTES} bytes in base64 from {where}, got something else", todo="see privacy.key"
        )
    return key
