"""What every journal does, whatever it keeps its records in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ringfence.core import chain
from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError
from ringfence.core.labels import Label, Trust
from ringfence.core.values import canonical
from ringfence.stores.memory import MemoryJournal
from ringfence.stores.remote import SocketJournal
from ringfence.stores.sqlite import SqliteJournal

from .recording import recording

Journal = MemoryJournal | SqliteJournal | SocketJournal
LABEL = Label(Trust.USER, frozenset({frozenset({"role:ops", "user:alice"})}))


@pytest.fixture(params=["memory", "sqlite", "recorder"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    if request.param == "recorder":
        with recording(tmp_path / "r.sock", tmp_path / "j" / "journal.db"), SocketJournal(tmp_path / "r.sock") as far:
            yield far
        return
    made: Journal = MemoryJournal() if request.param == "memory" else SqliteJournal(tmp_path / "j" / "journal.db")
    yield made
    made.close()


@pytest.fixture
def snapshots(journal: Journal) -> Journal:
    """A journal that keeps snapshots too."""
    if not hasattr(journal, "keep_state"):
        pytest.skip("this journal keeps no snapshots")
    return journal


def record(run: str, seq: int, kind: Kind = Kind.MESSAGE, *, view: Any = None, body: Any = None) -> Record:
    body = body or {"text": f"{run}/{seq}"}
    return Record(run, seq, 1_000 + seq, kind, "user:alice", LABEL, view or {"n": seq}, body)


def run_of(run: str, task: str = "count", *, conversation: str = "", end: bool = True) -> list[Record]:
    body = {"task": task} | ({"conversation": conversation} if conversation else {})
    records = [record(run, 0, Kind.STARTED, body=body), record(run, 1)]
    if end:
        records.append(record(run, 2, Kind.FINISHED, view={"status": "done"}, body={"answer": f"answer of {run}"}))
    return records


async def write(journal: Journal, *runs: list[Record]) -> None:
    for run in runs:
        for each in run:
            journal.append(each)
    await journal.flush()


async def test_a_run_is_read_back_as_it_was_written(journal: Journal) -> None:
    body = {"text": 'lines\n"quoted" \U0001f600', "run": {"run": "a", "seq": 0}}
    odd = record("a", 1, view={"é": [1, None, True, 2.5], "run": "a", "seq": 0, "t": 1}, body=body)
    records = [record("a", 0, Kind.STARTED, body={"task": "t"}), odd, *[record("a", n) for n in range(2, 200)]]
    await write(journal, records)
    assert journal.log.read("a") == records
    assert journal.log.read("b") == []


async def test_the_tail_of_a_run_is_read_from_any_record_on(snapshots: Journal) -> None:
    records = [record("a", 0, Kind.STARTED, body={"task": "t"}), *[record("a", n) for n in range(1, 50)]]
    for at, each in enumerate(records):
        snapshots.append(each)
        snapshots.append(replace(each, run="b"))
        if at % 7 == 0:
            await snapshots.flush()
    await snapshots.flush()
    for start in (0, 1, 6, 7, 8, 49, 50, 51):
        assert snapshots.log.read("a", start) == records[start:]


async def test_the_newest_snapshot_of_a_run_is_kept_until_the_run_has_ended(snapshots: Journal) -> None:
    await write(snapshots, run_of("a", end=False), run_of("b", end=False))
    assert snapshots.log.state("a") is None
    for seq, state in ((2, b"first"), (3, bytes(range(256)) * 4096)):
        snapshots.append(record("a", seq, Kind.CHECKPOINT, view={"state": "1:00"}))
        snapshots.keep_state("a", seq, state)
        await snapshots.flush()
        assert snapshots.log.state("a") == (seq, state)
    assert snapshots.log.state("b") is None
    await write(snapshots, [record("a", 4, Kind.FINISHED, view={"status": "done"})])
    assert snapshots.log.state("a") is None
    assert snapshots.log.verify().problem == ""


async def test_a_body_keeps_the_order_of_its_keys(journal: Journal) -> None:
    body = {"value": {"pattern": "502", "lines": 19, "elsewhere": {"z": 1.5, "a": 2}}, "args": {"path": 1, "k": 2}}
    await write(journal, [record("a", 0, Kind.STARTED, body=body)])
    (read,) = journal.log.read("a")
    assert json.dumps(read.body) == json.dumps(body)
    assert journal.log.verify().problem == ""


async def test_interleaved_runs_are_told_apart(journal: Journal) -> None:
    for seq in range(100):
        for run in ("a", "ab", "b"):
            journal.append(record(run, seq, Kind.STARTED if seq == 0 else Kind.MESSAGE))
        if seq % 7 == 0:
            await journal.flush()
    await journal.flush()
    for run in ("a", "ab", "b"):
        assert journal.log.read(run) == [record(run, n, Kind.STARTED if n == 0 else Kind.MESSAGE) for n in range(100)]
    report = journal.log.verify()
    assert (report.problem, report.records, report.runs) == ("", 300, 3)


async def test_a_flush_with_nothing_to_write_returns(journal: Journal) -> None:
    await journal.flush()
    await write(journal, run_of("a"))
    await journal.flush()


async def test_many_flushes_at_once_all_return(journal: Journal) -> None:
    async def one(name: str) -> None:
        for each in run_of(name):
            journal.append(each)
            await journal.flush()

    await asyncio.gather(*(one(f"run{n}") for n in range(100)))
    assert journal.log.verify().records == 300


async def test_a_cancelled_flush_leaves_the_others_waiting_in_peace(journal: Journal) -> None:
    journal.append(record("a", 0, Kind.STARTED))
    first, second = asyncio.ensure_future(journal.flush()), asyncio.ensure_future(journal.flush())
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert len(journal.log.read("a")) == 1


def test_it_serves_one_event_loop_after_another(journal: Journal) -> None:
    for n in range(3):
        asyncio.run(write(journal, run_of(f"run{n}")))
    assert [each.run for each in journal.log.runs()] == ["run2", "run1", "run0"]


async def test_the_newest_runs_come_first_with_task_state_and_count(journal: Journal) -> None:
    asked = [*run_of("ask", "may I?", end=False), record("ask", 2, Kind.DECISION, view={"verdict": "ask"})]
    failed = [*run_of("bad", end=False), record("bad", 2, Kind.FINISHED, view={"status": "failed"})]
    await write(journal, run_of("one", "first task"), run_of("open", end=False), asked, failed)
    found = journal.log.runs()
    assert [(each.run, each.state, each.records) for each in found] == [
        ("bad", "failed", 3), ("ask", "waiting", 3), ("open", "open", 2), ("one", "done", 3),
    ]  # fmt: skip
    assert (found[3].task, found[3].principal) == ("first task", "user:alice")
    assert (found[3].started, found[3].ended) == (1000, 1002)


async def test_the_list_of_runs_is_cut_and_goes_on_from_where_it_was_cut(journal: Journal) -> None:
    for n in range(30):
        await write(journal, run_of(f"run{n:02}"), run_of(f"twin{n:02}"))
    first = journal.log.runs(limit=7)
    rest = journal.log.runs(limit=100, before=first[-1].index)
    expected = [name for n in reversed(range(30)) for name in (f"twin{n:02}", f"run{n:02}")]
    assert [each.run for each in first + rest] == expected


def of(run: str, principal: str, *, end: bool = True) -> list[Record]:
    return [replace(each, principal=principal) for each in run_of(run, f"task of {run}", end=end)]


async def test_the_runs_of_one_principal_are_listed_without_anybody_elses(journal: Journal) -> None:
    for n in range(12):
        await write(journal, of(f"a{n:02}", "user:alice"), of(f"b{n:02}", "user:bob", end=n % 2 == 0))
    found = journal.log.runs(5, principal="user:bob")
    assert [each.run for each in found] == ["b11", "b10", "b09", "b08", "b07"]
    assert {each.principal for each in found} == {"user:bob"}
    rest = journal.log.runs(100, before=found[-1].index, principal="user:bob")
    assert [each.run for each in rest] == [f"b{n:02}" for n in reversed(range(7))]
    assert [each.run for each in journal.log.runs(100) if each.principal == "user:bob"] == [
        each.run for each in [*found, *rest]
    ]
    assert journal.log.runs(principal="user:carol") == []
    assert journal.log.runs(0, principal="user:bob") == []


async def test_the_runs_without_an_end_are_listed_oldest_first(journal: Journal) -> None:
    await write(journal, run_of("a", end=False), run_of("b"), run_of("c", end=False))
    asked = record("c", 2, Kind.DECISION, view={"verdict": "ask"})
    await write(journal, [asked])
    assert [(each.run, each.state) for each in journal.log.unfinished()] == [("a", "open"), ("c", "waiting")]
    await write(journal, [record("a", 2, Kind.FINISHED, view={"status": "done"})])
    assert [each.run for each in journal.log.unfinished()] == ["c"]
    assert journal.log.verify().problem == ""


async def test_whose_a_run_is_and_its_ends_are_told_by_its_whole_id(journal: Journal) -> None:
    runs = [*of("abc", "user:bob"), *of("ab", "user:alice", end=False)]
    await write(journal, runs)
    assert (journal.log.owner("abc"), journal.log.owner("ab"), journal.log.owner("a")) == (
        "user:bob",
        "user:alice",
        None,
    )
    assert (journal.log.first("abc"), journal.log.first("a")) == (runs[0], None)
    last = journal.log.last("abc")
    assert last is not None
    assert (last.seq, last.kind, last.body) == (2, Kind.FINISHED, {})
    assert journal.log.last("a") is None


async def test_a_run_is_found_by_the_start_of_its_id(journal: Journal) -> None:
    await write(journal, run_of("abc1"), run_of("abc2"), run_of("b"), run_of("bc"))
    assert journal.log.find("abc1") == "abc1"
    assert journal.log.find("b") == "b"  # whole ids win over longer ones
    with pytest.raises(JournalError, match="abc1, abc2"):
        journal.log.find("abc")
    with pytest.raises(JournalError, match="no run starts with 'x'"):
        journal.log.find("x")


async def test_the_window_of_a_conversation_is_its_newest_runs_oldest_first(journal: Journal) -> None:
    for n in range(20):
        await write(journal, run_of(f"a{n}", conversation="one"), run_of(f"b{n}", conversation="two"), run_of(f"c{n}"))
    await write(journal, run_of("last", conversation="one", end=False))
    pairs = journal.log.window("one", 3)
    assert [(start.run, end.body["answer"] if end else None) for start, end in pairs] == [
        ("a18", "answer of a18"), ("a19", "answer of a19"), ("last", None),
    ]  # fmt: skip
    assert journal.log.window("three", 3) == []
    assert journal.log.window("one", 0) == []


async def test_exported_records_hash_to_the_root_of_the_log(journal: Journal) -> None:
    records = run_of("a") + run_of("b")
    await write(journal, records)
    frontier = chain.Frontier()
    for run in ("a", "b"):
        for each in journal.log.export(run):
            content = each.pop("content")
            assert json.loads(json.dumps(content)) == records[each["index"]].body
            frontier.append(chain.leaf(canonical(each)))
    assert frontier.root().hex() == journal.log.verify().root


@pytest.mark.parametrize("seq", [0, 1, 4])
async def test_a_record_out_of_its_turn_is_refused(journal: Journal, seq: int) -> None:
    await write(journal, [record("a", 0, Kind.STARTED), record("a", 1)])
    with pytest.raises(JournalError, match=rf"run a.*record {seq}"):
        await write(journal, [record("a", seq)])
    assert len(journal.log.read("a")) == 2
