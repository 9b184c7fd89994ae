"""Budgets of models: requests, tokens and money of one person in one day, whichever process uses them."""

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
from ringfence.manifest.routing import Budgets, Price
from ringfence.stores.memory import MemoryJournal
from ringfence.stores.rates import SlidingWindow
from ringfence.stores.remote import SocketJournal, SocketLog
from ringfence.stores.spend import DAY_MS, Meters, Spend, Spent, cost
from ringfence.stores.sqlite import SqliteJournal
from ringfence.testing.clock import FakeClock

from .recording import recording

ALICE, BOB = Principal("user:alice"), Principal("user:bob")
CLOUD, SMALL = "model:cloud", "model:small"
PRICE = Price(currency="USD", input=3, output=15)
USAGE = {"prompt": 1000, "completion": 100, "cached": 0}
Journal = MemoryJournal | SqliteJournal


@pytest.fixture
def clock() -> FakeClock:
    made = FakeClock()
    made.advance(DAY_MS - made() % DAY_MS + 1000)  # a second past midnight
    return made


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    made: Journal = MemoryJournal() if request.param == "memory" else SqliteJournal(tmp_path / "journal.db")
    yield made
    made.close()


def asked(clock: FakeClock, run: str, seq: int, sink: str = CLOUD, who: Principal = ALICE) -> Record:
    view = {"sink": sink, "rule": "POL-8", "context": [], "left_out": 0}
    return Record(run, seq, clock(), Kind.INTENT, who.subject, IDENTITY, view, {"prompt": "x"})


def said(clock: FakeClock, run: str, seq: int, of: int, who: Principal = ALICE, **usage: int) -> Record:
    view = {"of": of, "ok": True, "ms": 1, "usage": {**USAGE, **usage}}
    return Record(run, seq, clock(), Kind.OUTCOME, who.subject, IDENTITY, view, {"value": {"text": "x"}})


async def log(journal: Journal | SocketJournal, *records: Record) -> None:
    for record in records:
        journal.append(record)
    await journal.flush()


def spend(clock: FakeClock, journal: Journal | None = None, **budget: float) -> Spend:
    log = None if journal is None else journal.log
    return Spend({CLOUD: Budgets(**budget)}, clock, prices={CLOUD: PRICE}, log=log)  # type: ignore[arg-type]


async def test_requests_tokens_and_money_are_counted_from_the_log(journal: Journal, clock: FakeClock) -> None:
    meter = spend(clock, journal)
    assert meter.spent(ALICE, CLOUD) == Spent()
    await log(journal, asked(clock, "a", 0), said(clock, "a", 1, 0))
    assert meter.spent(ALICE, CLOUD) == Spent(1, 1100, pytest.approx(0.0045))
    await log(journal, asked(clock, "a", 2), said(clock, "a", 3, 2), asked(clock, "a", 4))
    assert meter.spent(ALICE, CLOUD) == Spent(3, 2200, pytest.approx(0.009))
    assert spend(clock, journal).spent(ALICE, CLOUD) == meter.spent(ALICE, CLOUD)  # another process


async def test_each_principal_and_each_tier_has_its_own(journal: Journal, clock: FakeClock) -> None:
    await log(
        journal, asked(clock, "a", 0), said(clock, "a", 1, 0), asked(clock, "a", 2, SMALL), said(clock, "a", 3, 2)
    )
    meter = spend(clock, journal)
    assert meter.spent(ALICE, SMALL) == Spent(1, 1100, 0.0)
    assert meter.spent(ALICE, CLOUD).requests == 1
    assert meter.spent(BOB, CLOUD) == Spent()


async def test_a_new_day_begins_at_nothing(journal: Journal, clock: FakeClock) -> None:
    meter = spend(clock, journal, requests_per_day=1)
    await log(journal, asked(clock, "a", 0), said(clock, "a", 1, 0))
    assert meter.refuses(ALICE, CLOUD) == "1 of 1 requests a day are used; more from 00:00 UTC on"
    clock.advance(DAY_MS - 2000)
    assert meter.refuses(ALICE, CLOUD)
    clock.advance(1000)
    assert meter.refuses(ALICE, CLOUD) == ""
    assert meter.spent(ALICE, CLOUD) == Spent()
    assert spend(clock, journal).spent(ALICE, CLOUD) == Spent()


async def test_an_answer_after_midnight_counts_for_the_day_it_came_on(journal: Journal, clock: FakeClock) -> None:
    clock.advance(DAY_MS - 2000)
    await log(journal, asked(clock, "a", 0))
    clock.advance(5000)
    await log(journal, said(clock, "a", 1, 0))
    for meter in (spend(clock, journal), spend(clock, journal)):
        assert meter.spent(ALICE, CLOUD) == Spent(0, 1100, pytest.approx(0.0045))


@pytest.mark.parametrize(
    ("budget", "why"),
    [
        ({"requests_per_day": 2}, "2 of 2 requests a day are used"),
        ({"tokens_per_day": 2000}, "2200 of 2000 tokens a day are used"),
        ({"money_per_day": 0.009}, "0.009 of 0.009 USD a day are used"),
        ({"requests_per_day": 0}, "2 of 0 requests a day are used"),
    ],
)
async def test_what_is_used_up_is_refused_with_the_reason(
    journal: Journal, clock: FakeClock, budget: dict[str, float], why: str
) -> None:
    await log(journal, asked(clock, "a", 0), said(clock, "a", 1, 0), asked(clock, "a", 2), said(clock, "a", 3, 2))
    meter = spend(clock, journal, **budget)
    assert meter.refuses(ALICE, CLOUD) == f"{why}; more from 00:00 UTC on"
    assert not meter.hit(ALICE, CLOUD)
    assert meter.refuses(BOB, CLOUD) == ("" if budget != {"requests_per_day": 0} else meter.refuses(BOB, CLOUD))


async def test_what_is_not_used_up_passes(journal: Journal, clock: FakeClock) -> None:
    await log(journal, asked(clock, "a", 0), said(clock, "a", 1, 0))
    meter = spend(clock, journal, requests_per_day=2, tokens_per_day=1101, money_per_day=0.005)
    assert meter.refuses(ALICE, CLOUD) == ""
    assert meter.hit(ALICE, CLOUD)
    assert not meter.hit(ALICE, CLOUD)


def test_what_is_let_through_counts_before_it_is_on_record(clock: FakeClock) -> None:
    meter = spend(clock, requests_per_day=2)
    assert [meter.hit(ALICE, CLOUD) for _ in range(3)] == [True, True, False]
    assert [meter.hit(BOB, CLOUD), meter.hit(ALICE, SMALL)] == [True, True]
    clock.advance(DAY_MS)
    assert meter.hit(ALICE, CLOUD)


async def test_a_request_counts_once_before_and_after_it_is_on_record(journal: Journal, clock: FakeClock) -> None:
    meter = spend(clock, journal, requests_per_day=3)
    assert meter.hit(ALICE, CLOUD)
    await log(journal, asked(clock, "a", 0))
    assert meter.spent(ALICE, CLOUD).requests == 1
    assert [meter.hit(ALICE, CLOUD) for _ in range(3)] == [True, True, False]


async def test_a_forks_copy_of_a_request_is_none(journal: Journal, clock: FakeClock) -> None:
    records = [asked(clock, "b", 0), said(clock, "b", 1, 0)]
    await log(journal, *(replace(record, view={**record.view, "copied": "a"}) for record in records))
    assert spend(clock, journal).spent(ALICE, CLOUD) == Spent()


async def test_calls_of_tools_and_the_ends_of_runs_are_no_requests(journal: Journal, clock: FakeClock) -> None:
    end = {"status": "done", "usage": USAGE}
    tool = Record("a", 1, clock(), Kind.OUTCOME, ALICE.subject, IDENTITY, {"of": 0, "ok": True, "ms": 1}, {"value": 1})
    last = Record("a", 2, clock(), Kind.FINISHED, ALICE.subject, IDENTITY, end, {"status": "done"})
    await log(journal, asked(clock, "a", 0, "tool:calc"), tool, last)
    assert journal.log.models(0) == ([], 3)
    assert spend(clock, journal).spent(ALICE, "tool:calc") == Spent()


async def test_a_log_that_cannot_be_read_lets_nothing_through(tmp_path: Path, clock: FakeClock) -> None:
    with SqliteJournal(tmp_path / "journal.db") as journal:
        await log(journal, asked(clock, "a", 0))
        journal._writer._db.execute("UPDATE chunks SET heads = x'00'")
        meter = spend(clock, journal, requests_per_day=9)
        assert meter.refuses(ALICE, CLOUD).startswith("what was used of it today cannot be told: ")
        with pytest.raises(JournalError, match="damaged"):
            meter.hit(ALICE, CLOUD)
        assert Spend({}, clock, log=journal.log).hit(ALICE, CLOUD)  # nothing to hold it against


async def test_only_what_is_new_is_read(journal: Journal, clock: FakeClock) -> None:
    for seq in range(0, 200, 2):
        await log(journal, asked(clock, "a", seq), said(clock, "a", seq + 1, seq))
    found, place = journal.log.models(0)
    assert (len(found), place) == (200, 200)
    assert journal.log.models(0, place) == ([], 200)


async def test_a_recorder_tells_what_its_owner_has_used(tmp_path: Path, clock: FakeClock) -> None:
    socket = tmp_path / "s"
    with recording(socket, tmp_path / "journal.db"), SocketLog(socket) as read:
        journal = SocketJournal(socket)
        await log(journal, asked(clock, "a", 0), said(clock, "a", 1, 0))
        journal.close()
        meter = Spend({CLOUD: Budgets(requests_per_day=1)}, clock, prices={CLOUD: PRICE}, log=read)
        assert meter.spent(ALICE, CLOUD) == Spent(1, 1100, pytest.approx(0.0045))
        assert meter.refuses(ALICE, CLOUD)


def test_what_the_server_had_already_may_cost_less_and_nonsense_costs_nothing() -> None:
    cheap = Price(input=10, output=0, cached=1)
    assert cost({"prompt": 1_000_000, "completion": 5, "cached": 400_000}, cheap) == pytest.approx(6.4)
    assert cost({"prompt": 1_000_000, "cached": 400_000}, Price(input=10, output=0)) == pytest.approx(10)
    assert cost({"prompt": 10, "cached": 10_000_000}, cheap) == pytest.approx(10 / 1e6)
    assert cost({"prompt": -5, "completion": "many", "cached": None}, cheap) == 0
    assert cost(USAGE, None) == 0


def test_meters_let_through_what_each_of_them_lets_through(clock: FakeClock) -> None:
    both = Meters(SlidingWindow({"tool:send": "1/minute"}, clock), spend(clock, requests_per_day=1))
    assert [both.hit(ALICE, "tool:send") for _ in range(2)] == [True, False]
    assert [both.hit(ALICE, CLOUD) for _ in range(2)] == [True, False]
    journal = MemoryJournal()
    both.log = journal
    assert both.log is journal


def test_a_budget_holds_across_processes(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys, time\n"
        "from pathlib import Path\n"
        "from ringfence.core.chain import Kind, Record\n"
        "from ringfence.core.labels import IDENTITY\n"
        "from ringfence.core.values import Principal\n"
        "from ringfence.manifest.routing import Budgets\n"
        "from ringfence.stores.spend import Spend\n"
        "from ringfence.stores.sqlite import SqliteJournal\n"
        "who, now = Principal('user:alice'), lambda: time.time_ns() // 1_000_000\n"
        "async def main():\n"
        "    with SqliteJournal(Path(sys.argv[1])) as journal:\n"
        "        meter, made = Spend({'model:cloud': Budgets(tokens_per_day=2000)}, now, log=journal.log), 0\n"
        "        while meter.hit(who, 'model:cloud') and made < 9:\n"
        "            view = {'sink': 'model:cloud', 'rule': 'POL-8'}\n"
        "            seen = {'of': 2 * made, 'ok': True, 'usage': {'prompt': 900, 'completion': 100, 'cached': 0}}\n"
        "            for n, kind, view in ((0, Kind.INTENT, view), (1, Kind.OUTCOME, seen)):\n"
        "                label = IDENTITY\n"
        "                journal.append(Record(sys.argv[2], 2 * made + n, now(), kind, who.subject, label, view, {}))\n"
        "            await journal.flush()\n"
        "            made += 1\n"
        "            if sys.argv[3:]: break\n"
        "        print(made)\n"
        "asyncio.run(main())\n"
    )

    def run(*more: str) -> str:
        command = [sys.executable, "-c", code, str(tmp_path / "journal.db"), *more]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    assert [run("run0", "one"), *(run(f"run{n}") for n in range(1, 3))] == ["1\n", "1\n", "0\n"]
