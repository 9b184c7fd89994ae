"""The file of accounts: its tables, and two connections to it, one that changes it and one that reads."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from ringfence.core.errors import JournalError

FORMAT = 1
_APPLICATION = 0x52464143  # "RFAC", in the file's header
_BUSY_MS, _PAUSE_S = 10_000, 0.01
_TODO = "restore accounts.db from a copy, or move it aside: the next start makes a new one, with a new password"

# FULL: a session that was ended, or a key that was revoked, is so after a power cut too.
_SETTINGS = """
PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;
PRAGMA foreign_keys = ON;
"""
_CREATE = """
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS people(
    name TEXT PRIMARY KEY COLLATE NOCASE, hash TEXT NOT NULL, roles TEXT NOT NULL, teams TEXT NOT NULL,
    tenant TEXT NOT NULL, kind TEXT NOT NULL, disabled INTEGER NOT NULL,
    created INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions(
    digest BLOB PRIMARY KEY, ident TEXT NOT NULL UNIQUE, name TEXT NOT NULL COLLATE NOCASE, provider TEXT NOT NULL,
    roles TEXT NOT NULL, tenant TEXT NOT NULL, created INTEGER NOT NULL, used INTEGER NOT NULL, ends INTEGER NOT NULL,
    address TEXT NOT NULL, agent TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_of ON sessions(name);
CREATE TABLE IF NOT EXISTS hints(
    digest BLOB PRIMARY KEY REFERENCES sessions(digest) ON DELETE CASCADE, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys(
    ident TEXT PRIMARY KEY, digest BLOB NOT NULL, name TEXT NOT NULL COLLATE NOCASE, purpose TEXT NOT NULL,
    scopes TEXT NOT NULL, created INTEGER NOT NULL, ends INTEGER NOT NULL, used INTEGER NOT NULL,
    revoked INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempts(
    who TEXT PRIMARY KEY COLLATE NOCASE, count INTEGER NOT NULL, last INTEGER NOT NULL,
    until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS attempts_at ON attempts(last);
"""


def _set(db: apsw.Connection) -> None:
    """Its settings: who turns a new file to WAL at the same moment as somebody else is told that it is locked, at once.

    https://www.sqlite.org/wal.html, 9
    """
    until = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            db.execute(_SETTINGS).fetchall()
            return
        except apsw.BusyError:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE_S)


class File:
    """Two connections, each under a lock, for apsw's belong to one thread at a time: whoever reads never waits for a
    disk that makes a change durable. Errors of SQLite are JournalErrors.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._guard, self._reading = threading.Lock(), threading.Lock()
        self._changing = 0  # the thread that is in a transaction, which sees what it has changed
        _prepare(path)
        with self._faults():
            self._db = apsw.Connection(str(path))
            try:
                self._db.set_busy_timeout(_BUSY_MS)
                _set(self._db)
                self._make()
                self._reader = apsw.Connection(str(path))
                self._reader.set_busy_timeout(_BUSY_MS)
                self._reader.execute("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF").fetchall()
            except BaseException:
                self._db.close(True)
                raise

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """What a query gives; of tens of microseconds, for no writer keeps a reader waiting."""
        if self._changing == threading.get_ident():
            return self._db.execute(sql, values).fetchall()
        with self._reading, self._faults():
            return self._reader.execute(sql, values).fetchall()

    @contextmanager
    def changing(self) -> Iterator[apsw.Connection]:
        """A transaction that nobody comes between, durable at its end; undone if an error leaves it."""
        with self._guard, self._faults():
            self._db.execute("BEGIN IMMEDIATE")
            self._changing = threading.get_ident()
            try:
                yield self._db
                self._db.execute("COMMIT")
            finally:
                self._changing = 0
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def secret(self) -> bytes:
        """32 random bytes of this server, made the first time."""
        with self.changing() as db:
            db.execute("INSERT OR IGNORE INTO meta VALUES('secret', ?)", (secrets.token_bytes(32),))
            value: bytes = db.execute("SELECT value FROM meta WHERE name = 'secret'").get
        return value

    def close(self) -> None:
        """Let go of the file."""
        with self._guard, self._reading:
            self._reader.close(True)
            self._db.close(True)

    def _make(self) -> None:
        """What is not there yet, in one transaction: another process may be opening the same new file."""
        self._db.execute("BEGIN IMMEDIATE")
        self._known()
        self._db.execute(_CREATE + "COMMIT").fetchall()

    def _known(self) -> None:
        application, version = self._db.pragma("application_id"), self._db.pragma("user_version")
        if (application, version) == (_APPLICATION, FORMAT):
            return
        if application or version or self._db.execute("SELECT count(*) FROM sqlite_schema").get:
            what = f"{self.path} is no file of accounts that this version knows (format {version}, not {FORMAT})"
            raise JournalError(what, todo=_TODO)
        self._db.execute(f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {FORMAT}").fetchall()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except apsw.Error as error:
            raise JournalError(f"the accounts in {self.path} cannot be used: {error}", todo=_TODO) from error


def _prepare(path: Path) -> None:
    """The folder (0700) and the file (0600), so that SQLite's own files beside it get the same mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise JournalError(
            f"the accounts in {path} cannot be written: {error.strerror}", todo=f"make {path.parent} writable for you"
        ) from error
