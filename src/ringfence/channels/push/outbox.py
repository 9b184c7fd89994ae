"""What is still to be told: a list beside the journal, made from it, that survives a restart.

It holds no content: which run, which record, which webhook, and how often it was tried. Several processes may share it:
each takes an event for a while, so that one alone tells it. For one thread at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

LEASE_MS = 60_000  # for which an event is in one process's hands; longer than an attempt may take
LOST = 1_000  # events that were given up, of which is kept that they were
_CREATE = """
CREATE TABLE IF NOT EXISTS place(log TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS due(
    id TEXT PRIMARY KEY, hook TEXT NOT NULL, type TEXT NOT NULL, run TEXT NOT NULL, seq INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, at INTEGER NOT NULL, attempt TEXT NOT NULL DEFAULT '',
    lost TEXT NOT NULL DEFAULT '') STRICT;
CREATE INDEX IF NOT EXISTS next ON due(hook, at) WHERE lost = '';
"""


@dataclass(frozen=True, slots=True)
class Due:
    """One event for one webhook.

    id       the same at each attempt
    tries    attempts that were made and failed
    attempt  the run of an attempt that was begun and never heard of again; empty for none
    lost     why it was given up; empty while it was not
    at       of the next attempt, or until when it is in a process's hands
    """

    id: str
    hook: str
    type: str
    run: str
    seq: int
    tries: int = 0
    attempt: str = ""
    lost: str = ""
    at: int = 0


class Outbox:
    """The list. Times are milliseconds since 1970."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._db = apsw.Connection(str(path))
        self._db.set_busy_timeout(5_000)
        self._db.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").fetchall()
        self._db.execute(_CREATE).fetchall()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def __enter__(self) -> Outbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def place(self, log: str, size: int) -> int:
        """How far a log was read; a log that was never read counts as read, so that nobody is told old stories."""
        self._db.execute("INSERT OR IGNORE INTO place VALUES (?, ?)", (log, size))
        return int(self._db.execute("SELECT at FROM place WHERE log = ?", (log,)).get)

    def add(self, log: str, found: Iterable[Due], place: int, now: int) -> None:
        """Take in what is to be told, and how far the log was read: both or neither."""
        rows = [(one.id, one.hook, one.type, one.run, one.seq, now) for one in found]
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany("INSERT OR IGNORE INTO due(id, hook, type, run, seq, at) VALUES (?,?,?,?,?,?)", rows)
            self._db.execute("UPDATE place SET at = max(at, ?) WHERE log = ?", (place, log))
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def take(self, hook: str, now: int, limit: int) -> list[Due]:
        """What is due for a webhook, which is ours for a while."""
        rows: list[Any] = self._db.execute(
            "UPDATE due SET at = ? WHERE id IN (SELECT id FROM due WHERE hook = ? AND lost = '' AND at <= ? "
            "ORDER BY at LIMIT ?) RETURNING id, hook, type, run, seq, tries, attempt",
            (now + LEASE_MS, hook, now, limit),
        ).fetchall()
        return [Due(*row) for row in rows]

    def trying(self, ident: str, attempt: str) -> None:
        """An attempt begins, in a run of this name."""
        self._db.execute("UPDATE due SET attempt = ? WHERE id = ?", (attempt, ident))

    def told(self, ident: str) -> None:
        """It was told: the journal has it."""
        self._db.execute("DELETE FROM due WHERE id = ?", (ident,))

    def later(self, ident: str, at: int) -> None:
        """It failed, and is tried again at `at`."""
        self._db.execute("UPDATE due SET tries = tries + 1, at = ?, attempt = '' WHERE id = ?", (at, ident))

    def release(self, ident: str, now: int) -> None:
        """It is in nobody's hands any more, and was not tried."""
        self._db.execute("UPDATE due SET at = ?, attempt = '' WHERE id = ?", (now, ident))

    def lose(self, ident: str, why: str) -> None:
        """It is given up."""
        self._db.execute("UPDATE due SET tries = tries + 1, lost = ?, attempt = '' WHERE id = ?", (why, ident))
        self._db.execute(
            "DELETE FROM due WHERE lost != '' AND rowid NOT IN "
            "(SELECT rowid FROM due WHERE lost != '' ORDER BY rowid DESC LIMIT ?)",
            (LOST,),
        )

    def again(self, one: Due, now: int) -> None:
        """Tell it now, with all its attempts before it: whether it waits, was given up, or was told and is gone.

        What is in a process's hands is left there.
        """
        self._db.execute(
            "INSERT INTO due(id, hook, type, run, seq, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE "
            "SET lost = '', tries = 0, at = excluded.at WHERE lost != '' OR attempt = ''",
            (one.id, one.hook, one.type, one.run, one.seq, now),
        )

    def pending(self) -> int:
        """How many are still to be told."""
        return int(self._db.execute("SELECT count(*) FROM due WHERE lost = ''").get)

    def listed(self) -> list[Due]:
        """All there is."""
        rows = self._db.execute("SELECT id, hook, type, run, seq, tries, attempt, lost, at FROM due ORDER BY rowid")
        return [Due(*row) for row in rows]
