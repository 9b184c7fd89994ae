"""The tasks of runs, each sealed by itself: words in them are found without opening the records of every run.

A row is under the lock of its run's first record, so that whatever destroys that destroys this; nothing here says in
plain what anybody asked for. It is never evidence: what it leads to is read from the record itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import apsw

from ..core.chain import Kind
from .log import RunSummary
from .rows import Entry

if TYPE_CHECKING:
    from .parcels import Parcels
    from .vault import Lock

CREATE = "CREATE TABLE IF NOT EXISTS tasks(idx INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;"
_DEAR = 5  # a record is opened instead of a task for one run in so many, at most
CHARS = 2_000  # a longer task has no row, and is looked for in its record


def there(db: apsw.Connection) -> bool:
    """Whether a journal keeps them: one of an earlier version does from when it is opened for writing."""
    return bool(db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'tasks'").get)


def add(db: apsw.Connection, parcels: Parcels, batch: Sequence[Entry], locks: Sequence[Lock], start: int) -> None:
    """The tasks of the runs that begin in a chunk, whose records have these locks."""
    rows = [
        (start + at, parcels.seal_task(task, locks[at], start + at))
        for at, entry in enumerate(batch)
        if entry.record.seq == 0 and entry.record.kind is Kind.STARTED and (task := task_of(entry)) is not None
    ]
    if rows:
        db.executemany("INSERT OR REPLACE INTO tasks VALUES (?, ?)", rows)


def task_of(entry: Entry) -> str | None:
    """What is looked through; None where the record is."""
    task = entry.record.body.get("task")
    return task.casefold() if isinstance(task, str) and len(task) <= CHARS else None


def destroy(db: apsw.Connection, indices: Collection[int]) -> None:
    """Those of first records whose content is destroyed: an empty one is looked for nowhere else."""
    db.executemany("UPDATE tasks SET sealed = x'' WHERE idx = ?", [(index,) for index in indices])


def rows(db: apsw.Connection, principal: str, before: int, most: int) -> Iterable[Sequence[Any]]:
    """Run, index and sealed task, where there is one, of a principal's newest runs before an index."""
    sealed, joined = ("t.sealed", "LEFT JOIN tasks t USING (idx)") if there(db) else ("NULL", "")
    sql = (
        f"SELECT s.run, idx, {sealed} FROM starts s {joined} WHERE principal = ? AND idx < ? ORDER BY idx DESC LIMIT ?"
    )
    return db.execute(sql, (principal, before, most))


def search(
    rows: Iterable[Sequence[Any]],
    parcels: Parcels,
    summed: Callable[[str], RunSummary],
    words: str,
    has: Callable[[RunSummary], bool],
    limit: int,
    most: int,
) -> tuple[list[RunSummary], int | None]:
    """As `SqliteLog.search`; `summed` reads a run, which is what counts."""
    from .vault import Sealed  # which opens files, as they are made with these tables

    found, wanted, dear = list[RunSummary](), words.casefold(), 0
    for count, (run, place, sealed) in enumerate(rows, 1):
        dear += sealed is None
        task = wanted if sealed is None else parcels.open_task(sealed, place)
        if task is not None and wanted in task:
            with suppress(Sealed):
                one = summed(run)
                found += [one] if wanted in one.task.casefold() and has(one) else []
        if len(found) == limit or count == most or dear * _DEAR >= most:
            return found, place
    return found, None
