"""The index's file: its tables, how it is opened, and what a fault of SQLite means to whoever reads it."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from ..errors import KnowledgeError

FORMAT = 1
BUSY_S = 30.0
_APPLICATION = 0x52464B42  # "RFKB", in the file's header
DAMAGED_TODO = "move its folder aside, then `ringfence kb reindex`; memory comes back from a backup of the folder"

# One row of `head` says where the index stands:
#   change      grows with every commit that changes what is found, so that readers know what they have missed
#   epoch       grows when chunks get new numbers: readers begin anew
#   chunk       the next chunk's number, which is also its row in the vectors' file; document: the next document's
#   generation  of the vectors' file
# A chunk number belongs to one chunk for good (until the next epoch), so that a reader of an older state can never take
# a new chunk's vector or words for an old one's.
_CREATE = """
PRAGMA page_size = 4096;
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS head(
    one INTEGER PRIMARY KEY CHECK (one = 1), change INTEGER NOT NULL, epoch INTEGER NOT NULL, chunk INTEGER NOT NULL,
    document INTEGER NOT NULL, segment INTEGER NOT NULL, generation INTEGER NOT NULL,
    model TEXT NOT NULL, dim INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO head VALUES (1, 0, 0, 0, 1, 1, 1, '', 0);
CREATE TABLE IF NOT EXISTS documents(
    id INTEGER PRIMARY KEY, collection TEXT NOT NULL, path TEXT NOT NULL, readers TEXT NOT NULL, trust TEXT NOT NULL,
    version TEXT NOT NULL, title TEXT NOT NULL, tags TEXT NOT NULL, expires INTEGER NOT NULL, subjects TEXT NOT NULL,
    meta TEXT NOT NULL, characters INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL,
    vectors INTEGER NOT NULL, lengths BLOB NOT NULL, UNIQUE(collection, path)) STRICT;
CREATE TABLE IF NOT EXISTS subjects(
    subject TEXT NOT NULL, document INTEGER NOT NULL, PRIMARY KEY(subject, document)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS texts(
    document INTEGER NOT NULL, part INTEGER NOT NULL, text BLOB NOT NULL, PRIMARY KEY(document, part)) STRICT;
CREATE TABLE IF NOT EXISTS chunks(
    id INTEGER PRIMARY KEY, start INTEGER NOT NULL, "end" INTEGER NOT NULL, page INTEGER NOT NULL, kind TEXT NOT NULL,
    tokens INTEGER NOT NULL, headings TEXT NOT NULL, digest BLOB) STRICT;
CREATE INDEX IF NOT EXISTS digests ON chunks(digest) WHERE digest IS NOT NULL;
CREATE TABLE IF NOT EXISTS segments(
    id INTEGER PRIMARY KEY, low INTEGER NOT NULL, high INTEGER NOT NULL, postings INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS pieces(id INTEGER PRIMARY KEY, postings BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS gone(document INTEGER PRIMARY KEY, change INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS gone_by_change ON gone(change);
CREATE TABLE IF NOT EXISTS dead(first INTEGER PRIMARY KEY, count INTEGER NOT NULL) STRICT;
"""

_SETTINGS = """
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 4000;
PRAGMA journal_size_limit = 67108864;
PRAGMA cache_size = -16384;
PRAGMA mmap_size = 1073741824;
PRAGMA trusted_schema = OFF;
PRAGMA secure_delete = ON;
"""


def connect(path: Path) -> apsw.Connection:
    """A connection to an index whose format is known; the file (0600) and its folder (0700) are made if need be."""
    _prepare(path)
    with faults(path):
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
        try:
            db.set_busy_timeout(int(BUSY_S * 1000))
            db.execute(_SETTINGS).fetchall()  # a cursor stops at each row that a pragma gives
            with reading(db):  # what another process makes meanwhile is seen whole or not at all
                known = _known(db, path)
            if not known:
                _create(db)
        except BaseException:
            db.close(True)
            raise
    return db


@contextmanager
def writing(db: apsw.Connection) -> Iterator[None]:
    """A transaction that no other writer shares; it is there whole or not at all."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        _rollback(db)
        raise


@contextmanager
def reading(db: apsw.Connection) -> Iterator[None]:
    """A transaction that sees one state, whatever is written meanwhile."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        _rollback(db)


@contextmanager
def faults(path: Path) -> Iterator[None]:
    """Faults of SQLite and of the disk, and content that cannot be read, as KnowledgeError."""
    try:
        yield
    except apsw.Error as error:
        raise explain(error, path) from error
    except OSError as error:
        raise KnowledgeError(
            f"the index in {path.parent} cannot be used: {error.strerror or error}",
            todo=f"free some space, or make {path.parent} and the files in it writable; then do it again",
        ) from error
    except (zlib.error, UnicodeDecodeError) as error:
        raise KnowledgeError(f"the index {path} is damaged: {error}", todo=DAMAGED_TODO) from error


def explain(error: apsw.Error, path: Path) -> KnowledgeError:
    """A fault of SQLite in words: what happened and what to do next."""
    match error:
        case apsw.NotADBError():
            return KnowledgeError(f"{path} is not an index: it is no SQLite database", todo=DAMAGED_TODO)
        case apsw.CorruptError() | apsw.FormatError():
            return KnowledgeError(f"the index {path} is damaged: {error}", todo=DAMAGED_TODO)
        case apsw.FullError():
            return KnowledgeError(
                f"the disk with the index {path} is full",
                todo="free some space, then do it again; what was taken in before is whole",
            )
        case apsw.BusyError() | apsw.LockedError():
            return KnowledgeError(
                f"another process has kept the index {path} locked for {BUSY_S:g} s",
                todo="wait until it has finished (`fuser` names the process), then do it again",
            )
        case apsw.ReadOnlyError() | apsw.CantOpenError() | apsw.PermissionsError() | apsw.AuthError():
            return KnowledgeError(
                f"the index {path} cannot be written: {error}",
                todo=f"make {path.parent} and the index's files in it writable, or name another `knowledge.store`",
            )
        case _:
            return KnowledgeError(f"the index {path} failed: {error}", todo="look at the disk, then do it again")


def _prepare(path: Path) -> None:
    """The folder and the file, so that SQLite's own files beside it get the same mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_mode & 0o077:
                os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise KnowledgeError(
            f"the index {path} cannot be written: {error.strerror}",
            todo=f"make {path.parent} a folder that you may write to, or name another `knowledge.store`",
        ) from error


def _known(db: apsw.Connection, path: Path) -> bool:
    """Whether this is an index of a format that we read; False for an empty file."""
    application, version = db.pragma("application_id"), db.pragma("user_version")
    if application == _APPLICATION and version != FORMAT:
        newer = "a newer" if version > FORMAT else "an early"
        raise KnowledgeError(
            f"{path} was written by {newer} version of Ringfence (format {version}; this one knows {FORMAT})",
            todo="use that version, or name another `knowledge.store` and index the documents again",
        )
    if application == _APPLICATION:
        return True
    if application or version or db.execute("SELECT count(*) FROM sqlite_schema").get:
        raise KnowledgeError(f"{path} is a database, but no index of Ringfence", todo="name another `knowledge.store`")
    return False


def _create(db: apsw.Connection) -> None:
    """Make the tables. Two processes may do so at once: the second finds them made."""
    try:
        db.execute(_CREATE).fetchall()
        db.execute(f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {FORMAT}; COMMIT").fetchall()
    except BaseException:
        _rollback(db)
        raise


def _rollback(db: apsw.Connection) -> None:
    """End a transaction, if SQLite has not done so by itself."""
    with suppress(apsw.Error):  # what failed first is what is reported
        if db.in_transaction:
            db.execute("ROLLBACK")
