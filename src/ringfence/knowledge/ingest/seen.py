"""What files looked like when they were last read, so that only those that look otherwise are read again.

A file that was changed within the clock's grain of being read is read again next time: it may have been changed once
more without looking otherwise (as with git's index, "racy" entries).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import apsw

from .walk import Found

_GRAIN_NS = 2_000_000_000  # of the coarsest file systems


class Seen:
    """A cache on disk, beside the index; to lose it costs a look at every file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._db = self._opened(path)

    @staticmethod
    def _opened(path: Path) -> apsw.Connection:
        for last in (False, True):
            try:
                db = apsw.Connection(str(path))
                db.set_busy_timeout(10_000)
                db.pragma("journal_mode", "wal")
                db.execute(
                    "CREATE TABLE IF NOT EXISTS seen(collection TEXT, name TEXT, look TEXT, digest TEXT,"
                    " version TEXT DEFAULT '', why TEXT DEFAULT '', PRIMARY KEY(collection, name)) WITHOUT ROWID"
                )
                path.chmod(0o600)
                return db
            except (apsw.NotADBError, apsw.CorruptError):
                if last:
                    raise
                path.unlink(missing_ok=True)  # only a cache
        raise AssertionError("unreachable")

    def digest(self, collection: str, file: Found) -> str:
        """The SHA-256 of the file's bytes when it looked as it does now, in hex; "" if that is not known."""
        row = self._db.execute(
            "SELECT digest FROM seen WHERE collection = ? AND name = ? AND look = ?",
            (collection, file.name, _look(file.status)),
        ).fetchone()
        return str(row[0]) if row else ""

    def keep(self, collection: str, file: Found, digest: str, *, now_ns: int) -> None:
        """Remember it, unless it changed too shortly before `now_ns` (since 1970) to be told from a later change."""
        newest = max(file.status.st_mtime_ns, file.status.st_ctime_ns)
        if now_ns - newest > _GRAIN_NS:
            self._db.execute(
                "INSERT INTO seen(collection, name, look, digest) VALUES(?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET look = excluded.look, digest = excluded.digest",
                (collection, file.name, _look(file.status), digest),
            )

    def why(self, collection: str, file: Found, version: str) -> str:
        """Why nothing came of this very version of a file; "" if that is not known."""
        row = self._db.execute(
            "SELECT why FROM seen WHERE collection = ? AND name = ? AND version = ?", (collection, file.name, version)
        ).fetchone()
        return str(row[0]) if row else ""

    def skip(self, collection: str, file: Found, version: str, why: str) -> None:
        """Remember why nothing came of it."""
        self._db.execute(
            "INSERT INTO seen VALUES(?, ?, '', '', ?, ?) ON CONFLICT DO UPDATE"
            " SET version = excluded.version, why = excluded.why",
            (collection, file.name, version, why),
        )

    def forget(self, collection: str, names: Iterable[str] | None = None) -> None:
        """Forget files, or all of a collection."""
        if names is None:
            self._db.execute("DELETE FROM seen WHERE collection = ?", (collection,))
            return
        self._db.executemany("DELETE FROM seen WHERE collection = ? AND name = ?", [(collection, n) for n in names])

    def close(self) -> None:
        """Free the file."""
        self._db.close()


def _look(status: os.stat_result) -> str:
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}:{status.st_ino}:{status.st_dev}"
