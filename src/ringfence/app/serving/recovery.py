"""Runs that nobody drives: of a process that died or stopped, answered in the meantime, or not answered in time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import RingfenceError
from ringfence.core.values import Principal
from ringfence.stores.hold import Held
from ringfence.stores.log import Log, RunSummary

from .. import asked
from ..ids import now_ms
from .pool import Change
from .reading import Reading

if TYPE_CHECKING:
    from .service import Service

SERVED: Final = "served"  # in a first record's `meta`: a server began the run, and a server goes on with it
EVERY_S: Final = 1.0
QUIET_MS: Final = 1_500  # since its last record: whoever answers a run at a terminal goes on with it at once
_log = logging.getLogger("ringfence")


class Recovery:
    """Takes up runs that are open and in nobody's hands: at the start, and then within seconds.

    A run is taken up if a server began it, if the process that drove it died, or if a person has answered it. One that
    somebody interrupted at a terminal, or forked there, waits for them. Another process that does the same is no harm:
    the kernel's lock says who was first. What finds no room in the pool is taken up when there is some.
    """

    def __init__(self, service: Service, reading: Reading) -> None:
        self._service = service
        self._reading = reading
        self._task: asyncio.Task[None] | None = None
        self._given_up: set[str] = set()
        self._backlog: list[tuple[str, Principal]] = []
        self._news = asyncio.Event()
        service.pool.observers.append(self._changed)

    async def start(self) -> None:
        """Take up what there is, and go on looking. Called again, as when the process before us has ended, look now."""
        await self._look(quiet_ms=0)
        self._take_up()
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="recovery")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def soon(self) -> None:
        """Something is there to be taken up."""
        self._news.set()

    def give_up(self, run: str) -> None:
        """Leave a run to people, as long as this process lives."""
        self._given_up.add(run)

    def _changed(self, change: Change) -> None:
        if self._backlog and change.kind in ("ended", "left"):
            self._news.set()

    async def _work(self) -> None:
        looked = time.monotonic()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._news.wait()
            self._news.clear()
            try:
                if time.monotonic() - looked >= EVERY_S:
                    await self._look(quiet_ms=QUIET_MS)
                    looked = time.monotonic()
                self._take_up()
            except RingfenceError as error:
                _log.warning("runs that nobody drives cannot be looked for: %s", error.what)

    async def _look(self, *, quiet_ms: int) -> None:
        """Find the runs to be taken up, beside the event loop."""
        ours = frozenset(self._service.jobs)

        def look(log: Log) -> tuple[list[RunSummary], list[tuple[str, Principal]]]:
            found, quiet = log.unfinished(ours), now_ms() - quiet_ms
            still = [one for one in found if one.state == "open" and one.ended <= quiet]
            wanted = ((one.run, self._wanted(log, one)) for one in still if one.run not in self._given_up)
            return found, [(run, who) for run, who in wanted if who is not None]

        unfinished, self._backlog = await self._reading(look)
        self._given_up &= {one.run for one in unfinished} | ours
        await self._expire(unfinished)

    async def _expire(self, unfinished: Sequence[RunSummary]) -> None:
        """Give up the questions that nobody has answered in time: those runs go on as after a no, at the next look."""
        agent = self._service.agent
        if (waits_s := agent.manifest.approvals.waits_s) is None or getattr(agent.journal, "broken", False):
            return
        late = now_ms() - waits_s * 1000
        waiting = [one.run for one in unfinished if one.state == "waiting" and one.ended <= late]
        for run in (run for run in waiting if run not in self._given_up):
            try:
                await asked.renew(agent, run)
                _log.info("the question of run %s has expired", run)
            except Held:  # somebody answers at this very moment
                continue
            except RingfenceError as error:
                _log.warning("the question of run %s cannot be given up: %s", run, error.what)
                self.give_up(run)

    def _take_up(self) -> None:
        """Take up as many as there is room for."""
        service, left = self._service, list[tuple[str, Principal]]()
        if getattr(service.agent.journal, "broken", False):
            return
        for run, who in self._backlog:
            if run in service.jobs:
                continue
            if not service.pool.room(who.subject):
                left.append((run, who))
            elif service.agent.held(run) is not None:
                service.take_up(who, run)
                _log.info("run %s of %s is taken up", run, who.subject)
        self._backlog = left

    def _wanted(self, log: Log, one: RunSummary) -> Principal | None:
        """Whose run it is, if it is to be taken up."""
        died = self._service.agent.held(one.run)
        if died is None:
            return None
        try:
            first, last = log.first(one.run), log.last(one.run)
        except RingfenceError as error:  # what was erased goes on no more
            _log.warning("run %s is not taken up: %s", one.run, error.what)
            self.give_up(one.run)
            return None
        if first is None or last is None or first.body.get("destroys") or first.body.get("plans"):
            self.give_up(one.run)
            return None
        meta = first.body.get("meta")
        if not (died or (isinstance(meta, dict) and meta.get(SERVED)) or _answered(last)):
            return None
        who = first.body["principal"]
        return Principal(who["subject"], frozenset(who["roles"]), who["tenant"])


def _answered(last: Record) -> bool:
    """Whether the last that happened to a run is that a person answered it, or not in time, or settled a call of it."""
    by_hand = "by" in last.view or "settled" in last.view or last.view.get("code") == "expired"
    return last.kind is Kind.APPROVAL or (last.kind in (Kind.DECISION, Kind.OUTCOME) and by_hand)
