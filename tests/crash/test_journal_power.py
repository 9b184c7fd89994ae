"""Power loss: what `flush` acknowledged survives, and what is left verifies. A full disk: nothing is acknowledged."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError
from ringfence.core.labels import IDENTITY
from ringfence.stores import open_journal, open_log
from ringfence.stores.sqlite import SqliteJournal

from .vfs import Disk

_names = itertools.count()


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk(f"disk{next(_names)}")
    yield made
    made.unregister()


def record(run: str, seq: int) -> Record:
    kind = Kind.STARTED if seq == 0 else Kind.MESSAGE
    return Record(run, seq, 1_000 + seq, kind, "user:a", IDENTITY, {"n": seq}, {"text": "x" * (seq * 37 % 300)})


async def append(journal: SqliteJournal, run: str, begin: int, end: int) -> None:
    for seq in range(begin, end):
        journal.append(record(run, seq))
        if seq % 3 == 2:
            await journal.flush()
    await journal.flush()


@pytest.mark.parametrize("count", [1, 2, 3, 10, 100, 2000])
def test_what_was_flushed_survives_a_loss_of_power(tmp_path: Path, disk: Disk, count: int) -> None:
    """The last one is long enough for checkpoints of the write-ahead log."""
    with SqliteJournal(tmp_path / "journal.db", vfs=disk.name) as journal:
        asyncio.run(append(journal, "a", 0, count))
        disk.after_power_loss(tmp_path / "later")
    path = tmp_path / "later" / "journal.db"
    with open_log(path) as log:
        assert log.read("a") == [record("a", seq) for seq in range(count)]
        report = log.verify()
    assert (report.problem, report.records) == ("", count)
    with open_journal(path) as again:  # and the run goes on where it stands
        asyncio.run(append(again, "a", count, count + 5))
        assert again.log.verify().records == count + 5


def test_without_the_sync_the_shim_does_lose_what_was_written(tmp_path: Path, disk: Disk) -> None:
    """The test above can fail: the same scene with the sync left out forgets its records."""
    with SqliteJournal(tmp_path / "journal.db", vfs=disk.name) as journal:
        asyncio.run(append(journal, "a", 0, 3))
        journal._writer._db.pragma("synchronous", 0)
        asyncio.run(append(journal, "a", 3, 6))
        disk.after_power_loss(tmp_path / "later")
    with open_log(tmp_path / "later" / "journal.db") as log:
        assert len(log.read("a")) == 3
        assert log.verify().ok


@pytest.mark.parametrize("after", [0, 1, 7])
def test_a_full_disk_fails_every_flush_and_what_was_acknowledged_stays(tmp_path: Path, disk: Disk, after: int) -> None:
    path = tmp_path / "journal.db"
    with SqliteJournal(path, vfs=disk.name) as journal:
        asyncio.run(append(journal, "a", 0, after))
        disk.full = True

        async def two_at_once() -> list[BaseException | None]:
            flushes = [append(journal, "a", after, after + 1), append(journal, "b", 0, 1)]
            return await asyncio.gather(*flushes, return_exceptions=True)

        failed = asyncio.run(two_at_once())
        assert [isinstance(each, JournalError) for each in failed] == [True, True]
        assert "is full" in str(failed[0])
        assert "free some space" in str(failed[0])
        disk.full = False  # too late: a record is missing in between
        with pytest.raises(JournalError, match="is full"):
            journal.append(record("c", 0))
        with pytest.raises(JournalError, match="is full"):
            asyncio.run(journal.flush())
    with open_journal(path) as again:
        assert len(again.log.read("a")) == after
        asyncio.run(append(again, "a", after, after + 1))
        assert again.log.verify().ok


def test_a_disk_that_was_full_from_the_start_is_named(tmp_path: Path, disk: Disk) -> None:
    disk.full = True
    with pytest.raises(JournalError, match="is full"):
        SqliteJournal(tmp_path / "journal.db", vfs=disk.name)


def test_a_failure_that_nobody_waited_for_is_told_when_the_journal_is_closed(tmp_path: Path, disk: Disk) -> None:
    journal = SqliteJournal(tmp_path / "journal.db", vfs=disk.name)
    disk.full = True
    journal.append(record("a", 0))
    with pytest.raises(JournalError, match="is full"):
        journal.close()
    journal.close()
