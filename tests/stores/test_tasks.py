"""Runs are found by words of their task: one's own alone, nothing that was destroyed, and in plain nowhere on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import pytest

from ringfence.app import privacy
from ringfence.app.record import open_log
from ringfence.core.chain import Record
from ringfence.manifest.types import Manifest
from ringfence.stores import open_journal, tasks
from ringfence.stores.reader import SqliteLog
from ringfence.stores.vault import Vault

from .test_erasure import OPERATOR, RULES, fill, made, run_of


def asking(run: str, task: str, who: str = "user:alice", *, days_ago: float = 0) -> list[Record]:
    first, *rest = run_of(run, who, days_ago=days_ago)
    return [replace(first, body={**first.body, "task": task}), *rest]


def found(log: SqliteLog, words: str, who: str = "user:alice", *, most: int = 1000) -> list[str]:
    return [one.run for one in log.search(words, lambda _: True, 50, principal=who, before=None, most=most)[0]]


@contextmanager
def opened(log: SqliteLog) -> Iterator[list[str]]:
    """The runs whose records are opened meanwhile."""
    runs: list[str] = []
    summed = log._summed

    def seen(run: str, principal: str | None = None, **how: bool) -> object:
        runs.append(run)
        return summed(run, principal, **how)

    log._summed = seen  # type: ignore[method-assign, assignment]
    try:
        yield runs
    finally:
        del log._summed


def on_disk(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """What the file itself says, or is made to say."""
    db = apsw.Connection(str(path))
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return made(tmp_path)


def test_words_are_found_whatever_their_case_in_ones_own_tasks_alone_and_no_other_run_is_opened(
    manifest: Manifest,
) -> None:
    fill(
        manifest,
        asking("a", "What does the GROẞE Pumpe need?"),
        asking("b", "write to the warden"),
        asking("c", "die grosse Pumpe again"),
        asking("d", "the grosse Pumpe of somebody else", "user:bob"),
    )
    with open_log(manifest) as log, opened(log) as runs:
        assert found(log, "grosse pumpe") == ["c", "a"]
        assert found(log, "Grosse Pumpe", "user:bob") == ["d"]
        assert found(log, "nothing of it") == []
        assert runs == ["c", "a", "d"]


def test_what_was_erased_or_kept_long_enough_is_found_no_more(tmp_path: Path) -> None:
    manifest = made(tmp_path, RULES % "{days: 10}")
    old, new = asking("old", "the blue pump", days_ago=11), asking("new", "the blue pump")
    fill(manifest, old, new, asking("his", "the blue pump", "user:bob"))
    path = tmp_path / ".ringfence" / "journal.db"
    (piece,) = on_disk(path, "SELECT sealed FROM tasks WHERE idx = 0")[0]
    with open_log(manifest) as log:
        assert found(log, "blue") == ["new", "old"]
    assert privacy.retain(manifest, by=OPERATOR).bodies == 6
    with open_log(manifest) as log:
        assert found(log, "blue") == ["new"]
        assert log.verify().findings == ()
    assert not any(piece[9:] in file.read_bytes() for file in path.parent.glob("journal.db*"))
    with open_log(manifest) as log:  # one that was open before, in another process
        assert found(log, "blue", "user:bob") == ["his"]
        privacy.erase(manifest, "user:bob", by=OPERATOR)
        with opened(log) as runs:
            assert (found(log, "blue", "user:bob"), found(log, "", "user:bob")) == ([], [])
            assert runs == []
        assert found(log, "blue") == ["new"]


def test_no_file_has_a_task_in_plain(manifest: Manifest, tmp_path: Path) -> None:
    fill(manifest, asking("a", "a word like Zwiebelturm"))
    for file in (tmp_path / ".ringfence").glob("journal.db*"):
        assert b"zwiebelturm" not in file.read_bytes().lower()


def test_a_task_that_was_moved_to_another_run_in_the_file_is_opened_for_nobody(
    manifest: Manifest, tmp_path: Path
) -> None:
    fill(manifest, asking("a", "the blue pump"), asking("b", "something else"))
    moved = "UPDATE tasks SET sealed = (SELECT sealed FROM tasks WHERE idx = 0) WHERE idx = 6"
    on_disk(tmp_path / ".ringfence" / "journal.db", moved)
    with open_log(manifest) as log:
        assert found(log, "blue") == ["a"]


def test_long_tasks_and_those_of_a_journal_of_before_are_found_in_their_records_but_not_in_too_many(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.db"
    with open_journal(path) as journal:
        for n in range(30):
            for one in asking(f"r{n:02}", f"{'x' * tasks.CHARS} the blue pump" if n % 2 else "the blue pump"):
                journal.append(one)
        asyncio.run(journal.flush())
        assert len(found(journal.log, "blue pump")) == 30
    on_disk(path, "DROP TABLE tasks")
    with SqliteLog(path) as log:
        assert len(found(log, "blue pump")) == 30
        log.vault = log._parcels.vault = Vault(tmp_path / "gone", write=False)
        assert found(log, "") == []
    with SqliteLog(path) as log, opened(log) as runs:
        page, place = log.search("nothing", lambda _: True, 50, principal="user:alice", before=None, most=50)
        assert (page, len(runs)) == ([], 10)
        assert place is not None
    with open_journal(path) as journal:  # which makes the table again, for what is written from here on
        for one in asking("new", "the blue pump"):
            journal.append(one)
        asyncio.run(journal.flush())
        with opened(journal.log) as runs:
            assert found(journal.log, "the blue pump", most=5) == ["new", "r29"]
