"""The queue alone: who is next, who is turned away, and what it says of itself."""

from __future__ import annotations

import asyncio

import pytest

from ringfence.app.serving.pool import Change, Closing, Full, Place, Pool
from ringfence.manifest.server import Limits


class Hours:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def pool_of(running: int = 1, each: int = 1, queued: int = 100, queued_each: int = 100) -> Pool:
    limits = Limits(running=running, running_each=each, queued=queued, queued_each=queued_each)
    return Pool(limits, clock=Hours())


def served(pool: Pool, places: list[Place]) -> list[str]:
    """Who is served, one after another, until nobody waits."""
    order: list[str] = []
    while at_work := [place for place in places if place.started is not None]:
        for place in at_work:
            order.append(place.who)
            places.remove(place)
            place.leave()
    return order


def test_whoever_queues_one_run_is_not_behind_whoever_queues_many() -> None:
    pool = pool_of()
    places = [pool.join("greedy") for _ in range(32)] + [pool.join("modest"), pool.join("third")]
    order = served(pool, places)
    assert order[:4] == ["greedy", "modest", "third", "greedy"]  # the first had a free slot
    assert len(order) == 34


def test_two_who_queue_alike_are_served_in_turns() -> None:
    pool = pool_of(running=2, each=2)
    places = [pool.join(who) for who in ("a",) * 10 + ("b",) * 10]
    order = served(pool, places)
    assert abs(order[2:16].count("a") - order[2:16].count("b")) <= 1


def test_a_principal_has_no_more_at_work_than_its_share_and_a_free_slot_goes_to_another() -> None:
    pool = pool_of(running=4, each=2)
    a, b = [pool.join("a") for _ in range(6)], pool.join("b")
    assert [place.started is not None for place in a] == [True, True, False, False, False, False]
    assert b.started is not None
    assert pool.standing().each == {"a": (2, 4), "b": (1, 0)}
    a[0].leave()
    assert a[2].started is not None
    assert pool.standing().each["a"] == (2, 3)


def test_a_full_queue_turns_away_and_says_when_to_come_back() -> None:
    pool = pool_of(running=1, each=1, queued=3, queued_each=2)
    first = pool.join("a")
    pool.clock.now += 8.0  # type: ignore[attr-defined]
    first.leave()  # a run takes eight seconds
    for _ in range(3):
        pool.join("a")
    with pytest.raises(Full, match="you have 2 runs waiting") as full:
        pool.join("a")
    assert full.value.retry_after == 8
    pool.join("b")
    with pytest.raises(Full, match="3 runs are waiting"):
        pool.join("c")
    assert pool.standing().refused == 2


def test_with_no_queue_whoever_finds_no_slot_is_turned_away() -> None:
    pool = pool_of(queued=0, queued_each=0)
    place = pool.join("a")
    with pytest.raises(Full):
        pool.join("b")
    place.leave()
    assert pool.join("b").started is not None


async def test_who_gives_up_in_the_queue_is_skipped_and_leaves_no_trace() -> None:
    pool = pool_of()
    first, second, third = (pool.join(who) for who in "abc")
    waiting = asyncio.create_task(second.__aenter__())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    first.leave()
    assert third.started is not None
    third.leave()
    third.leave()  # twice is once
    assert pool.idle
    assert pool.standing().each == {}


async def test_a_slot_that_comes_while_its_run_is_cancelled_goes_to_the_next() -> None:
    pool = pool_of()
    first, second, third = (pool.join(who) for who in "abc")
    waiting = asyncio.create_task(second.__aenter__())
    await asyncio.sleep(0)
    first.leave()  # the second is woken up ...
    waiting.cancel()  # ... and cancelled before it runs
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert third.started is not None


async def test_a_pool_that_closes_sends_the_queue_away_and_lets_who_works_work() -> None:
    pool = pool_of()
    first, second = pool.join("a"), pool.join("b")
    waiting = asyncio.create_task(second.turn())
    await asyncio.sleep(0)
    pool.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(Closing):
        pool.join("c")
    with pytest.raises(Closing):
        await second.turn()
    assert first.started is not None
    assert pool.standing().running == 1


def test_observers_are_told_each_change_and_one_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    pool, told = pool_of(queued=1), list[Change]()

    def broken(change: Change) -> None:
        raise RuntimeError("no")

    pool.observers += [broken, told.append]
    first, second = pool.join("a"), pool.join("b")
    with pytest.raises(Full):
        pool.join("c")
    pool.clock.now += 2.0  # type: ignore[attr-defined]
    first.leave()
    second.leave()
    assert [(change.kind, change.who, change.seconds) for change in told] == [
        ("started", "a", 0.0), ("queued", "b", 0.0), ("refused", "c", 0.0), ("ended", "a", 2.0), ("started", "b", 2.0),
        ("ended", "b", 0.0),
    ]  # fmt: skip
    assert "observer" in caplog.text


def test_wider_limits_let_who_waits_work_at_once() -> None:
    pool = pool_of()
    places = [pool.join("a") for _ in range(3)]
    pool.change(Limits(running=3, running_each=3))
    assert all(place.started is not None for place in places)


def test_ten_thousand_principals_cost_no_more_each_than_ten() -> None:
    pool = pool_of(running=1, queued=100_000)
    places = [pool.join(f"user:{n}") for n in range(10_000)]
    assert served(pool, [places[0]]) == ["user:0"]
    for place in places[1:]:
        assert place.started is not None
        place.leave()
    assert pool.idle
