"""The index of runs: whose each is, where it begins, whether it has ended. Made from the headers, again if lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import apsw

from ..core.chain import Kind
from . import tasks
from .rows import Chunk, Entry, Squeeze, parse, sound

CREATE = """
CREATE TABLE IF NOT EXISTS starts(
    principal TEXT NOT NULL, idx INTEGER NOT NULL, run TEXT NOT NULL, open INTEGER NOT NULL,
    PRIMARY KEY(principal, idx)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unfinished ON starts(idx) WHERE open;
"""
_ROW = "INSERT INTO starts VALUES (?, ?, ?, ?)"


def there(db: apsw.Connection) -> bool:
    """Whether a journal has the index: one that an earlier version wrote has none until it is opened for writing."""
    return bool(db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'starts'").get)


def ensure(db: apsw.Connection, squeeze: Squeeze) -> None:
    """Make the index of a journal that an earlier version has written, or has written to since."""
    if not tasks.there(db):
        db.execute(tasks.CREATE)
    if there(db) and not _behind(db, squeeze):
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        if not there(db) or _behind(db, squeeze):
            db.execute(f"{CREATE} DELETE FROM starts;").fetchall()
            db.executemany(_ROW, list(_made(db, squeeze)))
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def add(db: apsw.Connection, batch: Sequence[Entry], start: int) -> None:
    """The runs that begin in a chunk."""
    rows = [
        (entry.record.principal, start + at, entry.record.run, 1)
        for at, entry in enumerate(batch)
        if entry.record.seq == 0
    ]
    if rows:
        db.executemany(_ROW, rows)


def end(db: apsw.Connection, batch: Sequence[Entry]) -> None:
    """The runs that have ended with these records."""
    for entry in batch:
        if entry.record.kind is Kind.FINISHED:
            run = entry.record.run
            first = db.execute("SELECT idx FROM places WHERE run = ? AND seq = 0", (run,)).get
            db.execute(
                "UPDATE starts SET open = 0 WHERE open AND idx >= ? AND run = ?"
                " AND idx < ifnull((SELECT min(idx) FROM chunks WHERE idx > ?), 1 << 62)",
                (first, run, first),
            )


def _behind(db: apsw.Connection, squeeze: Squeeze) -> bool:
    """Whether the last run to begin is one that it does not know of."""
    row = db.execute(
        "SELECT * FROM chunks WHERE idx = (SELECT newest FROM chunks ORDER BY idx DESC LIMIT 1)"
    ).fetchone()
    if row is None:
        return False
    chunk = Chunk.of(row)
    begun = [(sound(parse(line))["principal"], chunk.index + at) for at, line in _begin(chunk, squeeze)]
    sql = "SELECT 1 FROM starts WHERE principal = ? AND idx = ?"
    return any(db.execute(sql, one).get is None for one in begun)


def _begin(chunk: Chunk, squeeze: Squeeze) -> Iterator[tuple[int, bytes]]:
    """The headers in a chunk that begin a run, and where."""
    for at, line in enumerate(chunk.lines(squeeze)):
        if b',"seq":0,' in line and sound(parse(line))["seq"] == 0:
            yield at, line


def _made(db: apsw.Connection, squeeze: Squeeze) -> Iterator[tuple[str, int, str, int]]:
    """Every row, from the headers alone."""
    begun: dict[str, tuple[str, int]] = {}
    for row in db.execute("SELECT * FROM chunks ORDER BY idx"):
        chunk = Chunk.of(row)
        for at, line in enumerate(chunk.lines(squeeze)):
            if b',"seq":0,' in line and (head := sound(parse(line)))["seq"] == 0:
                begun[head["run"]] = head["principal"], chunk.index + at
            elif b'"kind":"run.finished"' in line and (head := sound(parse(line)))["kind"] == Kind.FINISHED:
                found = begun.pop(head["run"], None)
                yield from [(*found, head["run"], 0)] if found is not None else ()
    yield from ((*found, run, 1) for run, found in begun.items())
