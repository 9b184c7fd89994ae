"""Who may work now, and who waits: bounded queues, in which every principal gets a fair share."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Literal

from ringfence.core.errors import RingfenceError
from ringfence.manifest.server import Limits

RECENT: Final = 256  # waits that a snapshot tells of
_LONGEST_S: Final = 3600  # nobody is told to come back later than that
_UNKNOWN_S: Final = 2.0  # how long a run takes, before one was measured
_WEIGHT: Final = 0.1  # of the newest run in the mean of those before
_log = logging.getLogger("ringfence")


class Full(RingfenceError):
    """There is no room for another run. `retry_after`: seconds after which one has probably become free."""

    def __init__(self, what: str, *, retry_after: int, todo: str = "") -> None:
        super().__init__(what, todo=todo or f"try again in {retry_after} s")
        self.retry_after = retry_after


class Closing(Full):
    """The server takes nothing in any more: it is about to stop."""


@dataclass(frozen=True, slots=True)
class Change:
    """What has just happened in the queue.

    kind     queued, started, ended, left (gave up its place before its turn) or refused (there was no room)
    who      the subject of the principal
    seconds  waited, for started and left; at work, for ended; else 0
    """

    kind: Literal["queued", "started", "ended", "left", "refused"]
    who: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """A snapshot.

    each     running and queued of every principal that has any, by subject
    waits    how long the newest runs to start have waited, in seconds, oldest first
    run_s    how long a run is at work, in seconds: a mean in which the newest count most; None before the first
    refused  runs for which there was no room, since the start
    """

    running: int
    queued: int
    limits: Limits
    each: Mapping[str, tuple[int, int]]
    waits: tuple[float, ...]
    run_s: float | None
    refused: int
    closing: bool


class Place:
    """A run's place in the pool: `async with` waits for its turn, and gives the slot back at the end.

    `leave` gives it up at any time, and may be called more than once.
    """

    def __init__(self, pool: Pool, who: str) -> None:
        self.who = who
        self.since = pool.clock()
        self.started: float | None = None
        self._pool = pool
        self._turn: asyncio.Future[None] | None = None
        self._gone = False

    @property
    def gone(self) -> bool:
        """Whether it was given up."""
        return self._gone

    async def turn(self) -> None:
        """Return when it may work. Raises Closing if it never will."""
        if self._gone:
            raise _closing()
        if self.started is None:
            self._turn = self._turn or asyncio.get_running_loop().create_future()
            await self._turn

    def leave(self) -> None:
        """Give the place up, whether it waits or works."""
        if not self._gone:
            self._gone = True
            self._pool._left(self)
            if self._turn is not None and not self._turn.done():
                self._turn.cancel()

    def _start(self) -> None:
        self.started = self._pool.clock()
        if self._turn is not None and not self._turn.done():
            self._turn.set_result(None)

    async def __aenter__(self) -> Place:
        try:
            await self.turn()
        except BaseException:
            self.leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()


class Pool:
    """Slots for runs, and a queue for each principal.

    A free slot goes to the principal whose turn it is, going round all that wait and have fewer than `running_each`
    at work: whoever queues many runs is served no more often than whoever queues one. For one event loop.

    observers  are told of every change; one that fails is logged, and stops nothing
    """

    def __init__(self, limits: Limits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.clock = clock
        self.observers: list[Callable[[Change], None]] = []
        self.closing = False
        self._queues: dict[str, OrderedDict[Place, None]] = {}
        self._ring: OrderedDict[str, None] = OrderedDict()  # who waits and may have another slot, the next one first
        self._running: Counter[str] = Counter()
        self._busy = self._queued = self._refused = 0
        self._waits: deque[float] = deque(maxlen=RECENT)
        self._mean: float | None = None

    @property
    def idle(self) -> bool:
        """Whether nobody works or waits."""
        return not (self._busy or self._queued)

    def room(self, who: str) -> bool:
        """Whether a run of this principal would be taken in."""
        short = len(self._queues.get(who, ())) < self.limits.queued_each and self._queued < self.limits.queued
        return not self.closing and (short or self._free(who))

    def _free(self, who: str) -> bool:
        limits = self.limits
        return self._busy < limits.running and self._running[who] < limits.running_each and not self._queues.get(who)

    def join(self, who: str) -> Place:
        """Take a place: a slot if one is free, else the end of the queue. Raises Full, or Closing."""
        if self.closing:
            raise _closing()
        if not self.room(who):
            if (own := len(self._queues.get(who, ()))) >= self.limits.queued_each:
                raise self._full(who, f"you have {own} runs waiting, as many as one may have", own=True)
            raise self._full(who, f"{self._queued} runs are waiting, as many as may wait here", own=False)
        place, free = Place(self, who), self._free(who)
        if free:
            self._go(place)
            return place
        self._queues.setdefault(who, OrderedDict())[place] = None
        self._queued += 1
        self._tell("queued", who)
        self._line_up(who)
        return place

    def close(self) -> None:
        """Take nobody in any more, and nobody out of the queue: who waits there is sent away."""
        self.closing = True
        for place in [place for queue in self._queues.values() for place in queue]:
            place.leave()

    def standing(self) -> Standing:
        """How things are."""
        subjects = sorted({*self._queues, *(who for who, count in self._running.items() if count)})
        each = {who: (self._running[who], len(self._queues.get(who, ()))) for who in subjects}
        return Standing(
            self._busy, self._queued, self.limits, each, tuple(self._waits), self._mean, self._refused, self.closing
        )

    def change(self, limits: Limits) -> None:
        """Go on under other limits: who works goes on, who waits keeps the place."""
        self.limits = limits
        for who in self._queues:
            self._line_up(who)
        self._hand_out()

    def _full(self, who: str, what: str, *, own: bool) -> Full:
        """An error that says when a place in the queue becomes free, at the pace of late."""
        self._refused += 1
        self._tell("refused", who)
        active = len({*self._queues, *(+self._running)})
        share = max(1.0, min(self.limits.running_each, self.limits.running / max(1, active)))
        pace = share if own else self.limits.running
        after = (self._mean if self._mean is not None else _UNKNOWN_S) / pace
        return Full(what, retry_after=max(1, min(_LONGEST_S, math.ceil(after))))

    def _line_up(self, who: str) -> None:
        if self._queues.get(who) and self._running[who] < self.limits.running_each and who not in self._ring:
            self._ring[who] = None

    def _hand_out(self) -> None:
        while self._busy < self.limits.running and self._ring:
            who, _ = self._ring.popitem(last=False)
            place, _ = self._queues[who].popitem(last=False)
            self._unqueued(who)
            self._go(place)
            self._line_up(who)

    def _go(self, place: Place) -> None:
        self._busy += 1
        self._running[place.who] += 1
        place._start()
        waited = self.clock() - place.since
        self._waits.append(waited)
        self._tell("started", place.who, waited)

    def _left(self, place: Place) -> None:
        who = place.who
        if place.started is None:
            del self._queues[who][place]
            self._unqueued(who)
            self._tell("left", who, self.clock() - place.since)
            return
        took = self.clock() - place.started
        self._mean = took if self._mean is None else self._mean + _WEIGHT * (took - self._mean)
        self._busy -= 1
        self._running[who] -= 1
        if not self._running[who]:
            del self._running[who]
        self._tell("ended", who, took)
        self._line_up(who)
        if not self.closing:
            self._hand_out()

    def _unqueued(self, who: str) -> None:
        self._queued -= 1
        if not self._queues[who]:
            del self._queues[who]
            self._ring.pop(who, None)

    def _tell(self, kind: Literal["queued", "started", "ended", "left", "refused"], who: str, s: float = 0.0) -> None:
        for observe in self.observers:
            try:
                observe(Change(kind, who, s))
            except Exception:
                with suppress(Exception):
                    _log.exception("an observer of the queue failed")


def _closing() -> Closing:
    return Closing("this server is about to stop, and takes nothing in", retry_after=2)
