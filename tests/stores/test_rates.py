"""Rates: so many calls of a tool by one principal in a sliding window, whichever process makes them (POL-7)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError
from ringfence.core.labels import IDENTITY
from ringfence.core.values import Principal
from ringfence.stores.memory import MemoryJournal
from ringfence.stores.rates import SlidingWindow
from ringfence.stores.sqlite import SqliteJournal
from ringfence.testing.clock import FakeClock

ALICE, BOB = Principal("user:alice"), Principal("user:bob")
SEND, FETCH = "tool:send", "tool:fetch"
RATES = {SEND: "2/minute"}
Journal = MemoryJournal | SqliteJournal


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    made: Journal = MemoryJournal() if request.param == "memory" else SqliteJournal(tmp_path / "journal.db")
    yield made
    made.close()


def intent(clock: FakeClock, run: str, seq: int, sink: str = SEND, who: Principal = ALICE) -> Record:
    return Record(run, seq, clock(), Kind.INTENT, who.subject, IDENTITY, {"sink": sink, "rule": "POL-8"}, {"args": {}})


async def log(journal: Journal, *records: Record) -> None:
    for record in records:
        journal.append(record)
    await journal.flush()


def test_a_rate_holds_and_slides_with_the_clock(clock: FakeClock) -> None:
    meter = SlidingWindow(RATES, clock)
    assert meter.hit(ALICE, SEND)
    clock.advance(30_000)
    assert meter.hit(ALICE, SEND)
    assert not meter.hit(ALICE, SEND)
    clock.advance(29_999)
    assert not meter.hit(ALICE, SEND)
    clock.advance(1)  # a minute after the first one
    assert meter.hit(ALICE, SEND)
    assert not meter.hit(ALICE, SEND)
    clock.advance(30_000)  # a minute after the second one
    assert [meter.hit(ALICE, SEND) for _ in range(2)] == [True, False]


def test_what_was_refused_does_not_count(clock: FakeClock) -> None:
    meter = SlidingWindow(RATES, clock)
    assert [meter.hit(ALICE, SEND) for _ in range(50)] == [True, True] + [False] * 48
    clock.advance(60_000)
    assert meter.hit(ALICE, SEND)


def test_each_principal_and_each_tool_has_its_own(clock: FakeClock) -> None:
    meter = SlidingWindow({**RATES, FETCH: "1/10 seconds"}, clock)
    assert [meter.hit(ALICE, SEND) for _ in range(3)] == [True, True, False]
    assert [meter.hit(BOB, SEND) for _ in range(3)] == [True, True, False]
    assert [meter.hit(ALICE, FETCH) for _ in range(2)] == [True, False]
    assert all(meter.hit(ALICE, "tool:free") for _ in range(100))
    clock.advance(10_000)
    assert (meter.hit(ALICE, FETCH), meter.hit(ALICE, SEND)) == (True, False)


async def test_calls_on_record_count_whoever_made_them(journal: Journal, clock: FakeClock) -> None:
    await log(journal, intent(clock, "a", 0), intent(clock, "b", 0, who=BOB), intent(clock, "c", 0, FETCH))
    meter = SlidingWindow(RATES, clock, journal.log)
    assert [meter.hit(ALICE, SEND) for _ in range(2)] == [True, False]
    assert [meter.hit(BOB, SEND) for _ in range(2)] == [True, False]


async def test_a_call_counts_once_before_and_after_it_is_on_record(journal: Journal, clock: FakeClock) -> None:
    meter = SlidingWindow({SEND: "3/minute"}, clock, journal.log)
    assert meter.hit(ALICE, SEND)
    await log(journal, intent(clock, "a", 0))
    assert meter.hit(ALICE, SEND)
    clock.advance(5)
    await log(journal, intent(clock, "a", 1))
    assert [meter.hit(ALICE, SEND) for _ in range(2)] == [True, False]


async def test_calls_made_elsewhere_in_the_middle_of_a_run_count_at_once(journal: Journal, clock: FakeClock) -> None:
    here, there = (SlidingWindow(RATES, clock, journal.log) for _ in range(2))
    assert here.hit(ALICE, SEND)
    await log(journal, intent(clock, "a", 0))
    assert there.hit(ALICE, SEND)
    await log(journal, intent(clock, "b", 0))
    assert (here.hit(ALICE, SEND), there.hit(ALICE, SEND)) == (False, False)
    clock.advance(60_000)
    assert (here.hit(ALICE, SEND), there.hit(ALICE, SEND)) == (True, True)


async def test_a_new_process_looks_no_further_back_than_the_window(journal: Journal, clock: FakeClock) -> None:
    for seq in range(300):
        await log(journal, intent(clock, "old", seq))
    clock.advance(120_000)
    await log(journal, intent(clock, "old", 300), intent(clock, "new", 0))
    found, place = journal.log.intents(clock() - 60_000)
    assert [(r.run, r.seq) for r in found[-2:]] == [("old", 300), ("new", 0)]
    assert (len(found) <= 3, place) == (True, 302)
    assert journal.log.intents(clock() - 60_000, place) == ([], place)
    meter = SlidingWindow({SEND: "3/minute"}, clock, journal.log)
    assert [meter.hit(ALICE, SEND) for _ in range(2)] == [True, False]


async def test_what_else_is_on_record_is_no_call(journal: Journal, clock: FakeClock) -> None:
    refused = Record("a", 0, clock(), Kind.DECISION, ALICE.subject, IDENTITY, {"sink": SEND}, {"kind": "intent"})
    await log(journal, refused, intent(clock, "a", 1))
    found, _ = journal.log.intents(0)
    assert [(r.run, r.seq) for r in found] == [("a", 1)]


async def test_a_log_that_cannot_be_read_allows_nothing(tmp_path: Path, clock: FakeClock) -> None:
    with SqliteJournal(tmp_path / "journal.db") as journal:
        await log(journal, intent(clock, "a", 0))
        journal._writer._db.execute("UPDATE chunks SET heads = x'00'")
        meter = SlidingWindow(RATES, clock, journal.log)
        with pytest.raises(JournalError, match="damaged"):
            meter.hit(ALICE, SEND)


def test_a_rate_holds_across_processes(tmp_path: Path) -> None:
    """Four processes, one after another, as greedy as they can be: two calls in all."""
    code = (
        "import asyncio, sys, time\n"
        "from pathlib import Path\n"
        "from ringfence.core.chain import Kind, Record\n"
        "from ringfence.core.labels import IDENTITY\n"
        "from ringfence.core.values import Principal\n"
        "from ringfence.stores.rates import SlidingWindow\n"
        "from ringfence.stores.sqlite import SqliteJournal\n"
        "who, now = Principal('user:alice'), lambda: time.time_ns() // 1_000_000\n"
        "async def main():\n"
        "    with SqliteJournal(Path(sys.argv[1])) as journal:\n"
        "        meter, made = SlidingWindow({'tool:send': '2/hour'}, now, journal.log), 0\n"
        "        while meter.hit(who, 'tool:send') and made < 9:\n"
        "            view = {'sink': 'tool:send', 'rule': 'POL-8'}\n"
        "            journal.append(Record(sys.argv[2], made, now(), Kind.INTENT, who.subject, IDENTITY, view, {}))\n"
        "            made += 1\n"
        "            if sys.argv[3:]: break\n"
        "        await journal.flush()\n"
        "        print(made)\n"
        "asyncio.run(main())\n"
    )

    def run(*more: str) -> str:
        command = [sys.executable, "-c", code, str(tmp_path / "journal.db"), *more]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    assert [run("run0", "one"), *(run(f"run{n}") for n in range(1, 4))] == ["1\n", "1\n", "0\n", "0\n"]


async def test_a_forks_copy_of_a_call_is_no_call(clock: FakeClock, journal: Journal) -> None:
    made, copy = intent(clock, "a", 0), intent(clock, "b", 0)
    await log(journal, made, replace(copy, view={**copy.view, "copied": "a"}))
    meter = SlidingWindow(RATES, clock, journal.log)
    assert meter.hit(ALICE, SEND)
    assert not meter.hit(ALICE, SEND)
