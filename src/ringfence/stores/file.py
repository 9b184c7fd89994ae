"""The journal file: its tables, how it is opened, and what a fault of SQLite means to whoever reads it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import apsw

from ..core.errors import JournalError
from . import rows, starts, tasks

FORMAT = 2  # 1 had no sealed bodies; no release wrote it
BUSY_S = 10.0
_APPLICATION = 0x52464A4C  # "RFJL", in the file's header

# Pages of 512 bytes: a commit of a few records rewrites the last page of three trees, and a page is what is written.
_CREATE = (
    """
PRAGMA page_size = 512;
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chunks(
    idx INTEGER PRIMARY KEY, newest INTEGER NOT NULL,
    marks BLOB NOT NULL, heads BLOB NOT NULL, bodies BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS places(
    run TEXT NOT NULL, seq INTEGER NOT NULL, last INTEGER NOT NULL, idx INTEGER NOT NULL,
    PRIMARY KEY(run, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS conversations(
    conversation TEXT NOT NULL, idx INTEGER NOT NULL, run TEXT NOT NULL,
    PRIMARY KEY(conversation, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subjects(
    run TEXT NOT NULL, subject TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(run, subject)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS heads(id INTEGER PRIMARY KEY, size INTEGER NOT NULL, note TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS states(
    run TEXT PRIMARY KEY, seq INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS snapshots(size INTEGER PRIMARY KEY, root BLOB NOT NULL, peaks BLOB NOT NULL) STRICT;
"""
    + starts.CREATE
    + tasks.CREATE
)

_SETTINGS = """
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 4000;
PRAGMA journal_size_limit = 4194304;
PRAGMA trusted_schema = OFF;
PRAGMA secure_delete = ON;
"""


def connect(path: Path, *, write: bool, vfs: str | None = None) -> apsw.Connection:
    """A connection to a journal whose format is known; with `write` the file is made if it is not there."""
    if write:
        _prepare(path)
    elif not path.is_file():
        raise JournalError(f"there is no journal at {path}", todo='it is made by the first `ringfence run "..."`')
    flags, name = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if write else 0), str(path)
    if not write and _immutable(path):
        flags, name = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI, f"file:{quote(name)}?immutable=1"
    with faults(path):
        db = apsw.Connection(name, flags=flags, vfs=vfs)
        try:
            db.set_busy_timeout(int(BUSY_S * 1000))
            db.execute(_SETTINGS).fetchall()  # a cursor stops at each row that a pragma gives
            if write and not _known(db, path):
                _create(db)
            elif not write:
                db.execute("PRAGMA query_only = ON")
            if not _known(db, path):
                raise JournalError(f"{path} holds no journal yet", todo='start a run: `ringfence run "..."`')
        except BaseException:
            db.close(True)
            raise
    return db


def meta(db: apsw.Connection) -> tuple[str, bytes]:
    """The log's id and the dictionary of its chunks; raises JournalError if they are gone."""
    found: dict[object, Any] = {
        row[0]: row[1] for row in db.execute("SELECT name, CAST(value AS BLOB) FROM meta").fetchall()
    }
    try:
        return found["log"].decode("ascii"), found["dictionary"]
    except (KeyError, AttributeError, UnicodeDecodeError) as error:
        raise rows.damaged("the log's own id or its dictionary is gone") from error


def _immutable(path: Path) -> bool:
    """Whether it lies on a disk that is mounted for reading, as auditors get it: nobody writes there, nobody locks."""
    log = path.with_name(path.name + "-wal")
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY) and not (log.exists() and log.stat().st_size)


def _prepare(path: Path) -> None:
    """The folder (0700) and the file (0600), so that SQLite's own files beside it get the same mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_mode & 0o077:
                os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise JournalError(
            f"the journal {path} cannot be written: {error.strerror}",
            todo=f"make {path.parent} a folder that you may write to, or name another one",
        ) from error


def _known(db: apsw.Connection, path: Path) -> bool:
    """Whether this is a journal of a format that we read; False for an empty file."""
    application, version = db.pragma("application_id"), db.pragma("user_version")
    if application == _APPLICATION and version > FORMAT:
        raise JournalError(
            f"{path} was written by a newer version of Ringfence (format {version}; this one knows {FORMAT})",
            todo="upgrade ringfence, or name another journal",
        )
    if application == _APPLICATION and version < FORMAT:
        raise JournalError(
            f"{path} was written by an early version of Ringfence (format {version}; this one knows {FORMAT})",
            todo="keep it and read it with the version that wrote it; move it aside to begin a new journal",
        )
    if application == _APPLICATION:
        return True
    if application or version or db.execute("SELECT count(*) FROM sqlite_schema").get:
        raise JournalError(f"{path} is a database, but no journal of Ringfence", todo="name another file")
    return False


def _create(db: apsw.Connection) -> None:
    """Make the tables. Two processes may do so at once: the second finds them made."""
    log = secrets.token_hex(16)
    try:
        db.execute(_CREATE).fetchall()
        first = (("log", log), ("dictionary", rows.dictionary(log).decode()))
        db.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", first)
        db.execute(f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {FORMAT}; COMMIT")
    except BaseException:
        rollback(db)
        raise


def rollback(db: apsw.Connection) -> None:
    """End a transaction that failed, if SQLite has not done so by itself."""
    try:
        if db.in_transaction:
            db.execute("ROLLBACK")
    except apsw.Error:
        pass  # what failed first is what is reported; an open transaction ends with the connection


@contextmanager
def faults(path: Path) -> Iterator[None]:
    """Faults of SQLite, and text in the file that is none, as JournalError."""
    try:
        yield
    except apsw.Error as error:
        raise explain(error, path) from error
    except UnicodeDecodeError as error:
        raise JournalError(f"the journal {path} is damaged: {error}", todo=rows.DAMAGED_TODO) from error


def explain(error: apsw.Error, path: Path) -> JournalError:
    """A fault of SQLite in words: what happened and what to do next."""
    match error:
        case apsw.NotADBError():
            return JournalError(f"{path} is not a journal: it is no SQLite database", todo=rows.DAMAGED_TODO)
        case apsw.CorruptError() | apsw.FormatError():
            return JournalError(f"the journal {path} is damaged: {error}", todo=rows.DAMAGED_TODO)
        case apsw.FullError():
            return JournalError(
                f"the disk with the journal {path} is full",
                todo="free some space, then `ringfence runs resume ID`; nothing that was acknowledged is lost",
            )
        case apsw.BusyError() | apsw.LockedError():
            return JournalError(
                f"another process has kept the journal {path} locked for {BUSY_S:g} s",
                todo="see who holds it (`fuser` names the process), or name another journal",
            )
        case apsw.ReadOnlyError() | apsw.CantOpenError() | apsw.PermissionsError() | apsw.AuthError():
            return JournalError(
                f"the journal {path} cannot be written: {error}",
                todo=f"make {path.parent} and the journal's files in it writable, or name another journal",
            )
        case apsw.IOError():
            return JournalError(
                f"the disk with the journal {path} failed: {error}",
                todo="look at the system's log and the disk, then `ringfence runs resume ID`",
            )
        case _:
            return JournalError(f"the journal {path} failed: {error}", todo="run `ringfence doctor`")
