"""A run at work in this process: it takes its place, is begun or taken up, and is driven until something stops it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from ringfence.core.chain import Kind
from ringfence.core.errors import InternalError, JournalError, RingfenceError
from ringfence.core.turn import State
from ringfence.core.values import JSON
from ringfence.engine import ledger
from ringfence.engine.result import Result, result_of
from ringfence.stores.hold import Held

from ..agent import Agent, Begun
from ..stream import listening
from ..traces import at_work
from .feed import Feed
from .pool import Closing, Place

_log = logging.getLogger("ringfence")
STOP_S = 15.0  # for which an effect that is under way is waited for
_ENDING_S = 30.0  # to put the end of a run on record that was stopped


@dataclass(eq=False)
class Job:
    """A run that this process has in its hands, from the queue until it ends, waits for a person or is stopped.

    agent  acts for the run's own principal
    run_s  seconds that it may be at work
    result what it has come to, when it is over; fault what stopped it, if something did
    """

    agent: Agent
    run: str
    place: Place
    run_s: float
    feed: Feed
    gone: Callable[[Job], None]  # is told when this process has nothing more to do with it
    result: Result | None = None
    fault: RingfenceError | None = None
    begun: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    task: asyncio.Task[None] | None = None
    _ending: tuple[str, str] | None = None  # why it is to end for good, and who said so
    _next: Agent | None = None  # whom it goes on with: the manifest was read anew
    _driven: bool = False

    @property
    def who(self) -> str:
        """The subject of its principal."""
        return self.agent.principal.subject

    @property
    def opening(self) -> bool:
        """Whether its first record was made, and is not known to be durable yet."""
        return self.feed.first is not None and not self.begun.done()

    def begin(self, begin: Callable[[], Awaitable[Begun]], *, asks: Callable[[], bool]) -> None:
        """Open the run, which is durable when `begun` is done, and drive it when its turn has come.

        asks  whether a model is asked before it can be opened: that is work too, and waits for a slot
        """

        async def work() -> None:
            with listening(self.feed.put), self.agent.holding(self.run):
                if self.place.started is None and asks():
                    await self.place.turn()
                opened = await begin()
                await self.agent.journal.flush()
                self.begun.set_result(None)
                await self._work(lambda: self.agent.drive(opened, progress=self.feed.say))

        self._start(work)

    def take_up(self) -> None:
        """Go on with a run that is on record."""

        async def work() -> None:
            with listening(self.feed.put), self.agent.holding(self.run):
                await self.agent.journal.flush()  # what was on its way when it was stopped is part of it
                self.begun.set_result(None)
                await self._work(lambda: self.agent.resume(self.run, progress=self.feed.say))

        self._start(work)

    async def move(self, agent: Agent) -> None:
        """Go on with another agent, made from a manifest that was read anew: what is decided from then on, it decides.

        A run at work is moved between its effects: none is torn, and a model that is being asked is asked again.
        """
        self._next = agent
        await self.feed.quiet(self.agent.house.effects)
        if self._next is agent and self._driven and self.task is not None:  # else it moves when its turn comes
            self.task.cancel()

    async def pause(self, wait_s: float = STOP_S) -> None:
        """Stop it between its effects; one that takes longer than `wait_s` is torn, and the run parked for a person.

        What is being put on record first is let finish: else whoever sent it would send again what goes on anyway.
        """
        if self.opening:
            await asyncio.wait([self.begun], timeout=wait_s)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self.feed.quiet(self.agent.house.effects)
        await self.stop()

    async def stop(self) -> None:
        """Interrupt it, and return when it is; what it has recorded is kept, and it can be resumed."""
        if self.task is not None and not self.task.done():
            self.task.cancel()
            await asyncio.wait([self.task])

    async def cancel(self, why: str, by: str, *, wait_s: float = STOP_S) -> None:
        """Stop it for good: its end is on record when this returns, if that can be. The queue is no reason to wait.

        An effect that is under way is waited for: nobody would know whether it was done. Raises Held if it goes on for
        longer than `wait_s`.
        """
        try:
            async with asyncio.timeout(wait_s):
                await self.feed.quiet(self.agent.house.effects)
        except TimeoutError:
            what = f"run {self.run} is in the middle of a call that has effects"
            raise Held(what, todo="ask again in a while: it is stopped when the call has answered") from None
        self._ending = why, by  # nothing else has had a turn since it was seen to be quiet
        await self.stop()

    async def over(self) -> None:
        """Return when this process has nothing more to do with it."""
        if self.task is not None and not self.task.done():
            await asyncio.wait([self.task])

    def _start(self, work: Callable[[], Awaitable[None]]) -> None:
        async def moving() -> None:
            try:
                await work()
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if self._next is None or self._ending is not None or task is None or task.cancelling() > 1:
                    raise
                if self.place.gone:  # it was sent out of the queue, and not moved
                    raise
                task.uncancel()
                with listening(self.feed.put):
                    await self._go_on()

        async def guarded() -> None:
            try:
                await moving()
            except asyncio.CancelledError:
                if self._ending is None or not self._recorded:
                    raise
                asyncio.current_task().uncancel()  # type: ignore[union-attr]
                await self._fail(self._ending[0], by=self._ending[1], status="cancelled")
            except (Held, Closing) as error:  # it goes on in another process: one was faster, or one comes after us
                self.fault = error
            except RingfenceError as error:
                self.fault = error
                _log.warning("run %s stopped: %s", self.run, error.what)
                if not isinstance(error, JournalError):  # else nothing can be put on record
                    await self._fail(f"it stopped: {error.what}")
            except Exception as error:
                self.fault = InternalError(repr(error))
                _log.error("run %s stopped", self.run, exc_info=error)
                await self._fail("it stopped: something went wrong in our own code")

        self.begun.add_done_callback(_seen)
        self.task = asyncio.create_task(guarded(), name=f"run {self.run}")
        self.task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        """However it ended, even before its first step: its slot is free, and nobody waits for it any more."""
        self.place.leave()
        if not self.begun.done():
            self.begun.set_exception(self.fault or self._unbegun())
        self.feed.end()
        self.gone(self)

    def _unbegun(self) -> JournalError:
        if self.feed.first is None:
            return JournalError("the run was stopped before it began", todo="send it again")
        what = f"run {self.run} was stopped while it was put on record"
        return JournalError(what, todo="look for it in `GET /v1/runs` before you send it again: it may go on")

    async def _go_on(self) -> None:
        """With the agent that it was moved to."""
        assert self._next is not None
        was, self.agent, self._next = self.agent, self._next, None
        with self.agent.holding(self.run):
            await self.agent.journal.flush()
            await _renewed(self.agent, self.run, was)
            await self.agent.journal.flush()  # what is read again has to be all there is
            await self._work(lambda: self.agent.resume(self.run, progress=self.feed.say))

    async def _work(self, drive: Callable[[], Awaitable[Result]]) -> None:
        await self.place.turn()
        if self._next is not None:  # it was moved while it waited
            await self._go_on()
            return
        self._driven = True
        try:
            async with asyncio.timeout(self.run_s) as limit:
                self.result = await drive()
        except TimeoutError:
            if not limit.expired():
                raise
            why = f"stopped after {self.run_s:g} s at work, the limit for one run (server.limits.run_s)"
            self.result = await ended(self.agent, self.run, why)
        finally:
            self._driven = False

    @property
    def _recorded(self) -> bool:
        """Whether its first record is durable."""
        return self.begun.done() and not self.begun.cancelled() and self.begun.exception() is None

    async def _fail(self, why: str, *, by: str = "", status: str = "failed") -> None:
        """Let a run that was stopped end, for to resume it would meet the same fault."""
        if not self._recorded:
            return
        try:
            with listening(self.feed.put), self.agent.holding(self.run):
                async with asyncio.timeout(_ENDING_S):
                    self.result = await ended(self.agent, self.run, why, by=by, status=status)
        except (RingfenceError, TimeoutError) as worse:
            _log.error("run %s could not be ended: %s", self.run, worse)


async def ended(agent: Agent, run: str, why: str, *, status: str = "failed", by: str = "") -> Result:
    """End a run that nobody drives, or park it where a call of it may have been done; what it has come to.

    Raises JournalError.
    """
    await agent.journal.flush()
    engine, turn = await agent.open(), await agent.folded(run)
    with at_work(turn):
        if turn.state is not State.DONE and not ledger.park(agent._policed(), turn, why):
            return await engine.cancel(turn, why, by=by, status=status)
        await agent.journal.flush()
    return result_of(turn)


async def _renewed(agent: Agent, run: str, was: Agent) -> None:
    """Put on a run's record that it goes on under another policy than before."""
    gate, turn, before = agent._policed(), await agent.folded(run), was._policed().policy.digest
    if gate.policy.digest != before and turn.state is not State.DONE:
        with at_work(turn):
            view: dict[str, JSON] = {"policy": gate.policy.digest, "was": before}
            gate.record(turn, Kind.CHECKPOINT, label=turn.label, view=view, body={})


def _seen(begun: asyncio.Future[None]) -> None:
    """Whoever began it may have gone away: its fault is in the log all the same."""
    with suppress(asyncio.CancelledError):
        begun.exception()
