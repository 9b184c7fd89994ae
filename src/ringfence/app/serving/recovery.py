"""Runs that nobody drives: those of a process that died or stopped, and those that were answered in the meantime."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import RingfenceError
from ringfence.core.values import Principal
from ringfence.stores.log import RunSummary

from ..ids import now_ms
from .pool import Full

if TYPE_CHECKING:
    from .service import Service

SERVED: Final = "served"  # in a first record's `meta`: a server began the run, and a server goes on with it
EVERY_S: Final = 1.0
FULL_S: Final = 0.1  # where there was no room for all of them
QUIET_MS: Final = 1_500  # since its last record: whoever answers a run at a terminal goes on with it at once
_log = logging.getLogger("ringfence")


class Recovery:
    """Takes up runs that are open and in nobody's hands: at the start, and then within seconds.

    A run is taken up if a server began it, if the process that drove it died, or if a person has answered it. One that
    somebody interrupted at a terminal, or forked there, waits for them. Another process that does the same is no harm:
    the kernel's lock says who was first.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._task: asyncio.Task[None] | None = None
        self._given_up: set[str] = set()
        self._news = asyncio.Event()

    async def start(self) -> None:
        """Take up what there is, and go on looking."""
        more = self._round(quiet_ms=0)
        self._task = asyncio.create_task(self._work(more), name="recovery")

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

    async def _work(self, more: bool) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(FULL_S if more else EVERY_S):
                    await self._news.wait()
            self._news.clear()
            try:
                more = self._round(quiet_ms=QUIET_MS)
            except RingfenceError as error:
                _log.warning("runs that nobody drives cannot be looked for: %s", error.what)
                more = False

    def _round(self, *, quiet_ms: int) -> bool:
        """Take up what can be; whether some had no room."""
        service, full = self._service, False
        unfinished = service.log.unfinished()
        self._given_up &= {one.run for one in unfinished}
        for one in unfinished:
            if one.state != "open" or one.run in service.jobs or one.run in self._given_up:
                continue
            if now_ms() - one.ended < quiet_ms or not service.pool.room:
                full = full or not service.pool.room
                continue
            if (who := self._wanted(one)) is None:
                continue
            try:
                service.take_up(who, one.run)
            except Full:
                full = True
                continue
            _log.info("run %s of %s is taken up", one.run, who.subject)
        return full

    def _wanted(self, one: RunSummary) -> Principal | None:
        """Whose run it is, if it is to be taken up."""
        died = self._service.agent.held(one.run)
        if died is None:
            return None
        try:
            first, last = self._service.log.first(one.run), self._service.log.last(one.run)
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
    """Whether the last that happened to a run is that a person answered it, or said of a call whether it was done."""
    by_hand = "by" in last.view or "settled" in last.view
    return last.kind is Kind.APPROVAL or (last.kind in (Kind.DECISION, Kind.OUTCOME) and by_hand)
