"""What channels do for whoever they speak for: begin runs, follow them, answer what they ask. Nobody sees another's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import ExitStack, aclosing, suppress

from ringfence.core.chain import Record
from ringfence.core.errors import JournalError, RingfenceError
from ringfence.core.values import JSON, Principal
from ringfence.engine.consent import Question
from ringfence.engine.result import Result, result_of
from ringfence.stores.log import RunSummary

from ..agent import Agent, Begun
from ..ids import new_run_id, now_ms
from ..past import Quoted
from ..stream import listening
from .feed import Delta, Feed

ADMIN, AUDITOR = "role:admin", "role:auditor"
_log = logging.getLogger("ringfence")


class NotFound(JournalError):
    """There is no such thing, or it is somebody else's: nobody is told which."""


class Service:
    """One open agent, and the runs of many principals.

    A run is on record and durable before `submit` returns: whatever happens then, it is resumed by the next process.
    """

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.feeds: dict[str, Feed] = {}  # of the runs under way here
        self._jobs: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Look at models and documents, before anybody asks. Raises ManifestError, BackendError."""
        await self.agent.open()

    async def close(self) -> None:
        """Stop the runs under way, which the next start resumes."""
        jobs = list(self._jobs.values())
        for job in jobs:
            job.cancel()
        if jobs:
            await asyncio.wait(jobs)

    async def submit(
        self,
        who: Principal,
        task: str,
        *,
        conversation: str = "",
        about: Sequence[str] = (),
        meta: JSON = None,
        traceparent: str = "",
        tracestate: str = "",
        run: str = "",
        earlier: Sequence[str | Quoted] | None = None,
    ) -> str:
        """Begin a run; its id, once it is durable. Raises JournalError, and what `Agent.begin` raises."""
        run = run or new_run_id(now_ms())
        agent, feed = self.agent.acting_for(who), Feed(run)
        begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def work() -> None:
            with ExitStack() as stack:
                stack.enter_context(listening(feed.put))
                stack.enter_context(agent.holding(run))
                try:
                    opened: Begun = await agent.begin(
                        task, conversation=conversation, about=about, run=run, meta=meta,
                        traceparent=traceparent, tracestate=tracestate, earlier=earlier,
                    )  # fmt: skip
                    await agent.journal.flush()
                except BaseException as error:
                    begun.set_exception(error)
                    raise
                begun.set_result(None)
                await agent.drive(opened, progress=feed.say)

        self._start(run, feed, work)
        await asyncio.shield(begun)
        return run

    async def resume(self, who: Principal, run_id: str) -> str:
        """Go on with a run that was interrupted or answered. Raises JournalError as `Agent.resume`."""
        run = self.find(who, run_id)
        if run not in self._jobs:
            agent, feed = self.agent.acting_for(who), Feed(run)

            async def work() -> None:
                with listening(feed.put):
                    await agent.resume(run, progress=feed.say)

            self._start(run, feed, work)
        return run

    def _start(self, run: str, feed: Feed, work: Callable[[], object]) -> None:
        async def guarded() -> None:
            try:
                await work()  # type: ignore[misc]
            except RingfenceError as error:
                _log.warning("run %s stopped: %s", run, error.what)
            finally:
                feed.end()
                self.feeds.pop(run, None)
                self._jobs.pop(run, None)

        self.feeds[run] = feed
        self._jobs[run] = asyncio.create_task(guarded())

    async def events(self, who: Principal, run_id: str, after: int = -1) -> AsyncGenerator[Record | Delta, None]:
        """The records of a run behind seq `after`, and what the model says, until it ends or waits for a person."""
        run = self.find(who, run_id)
        feed = self.feeds.get(run)
        for record in self.agent.journal.log.read(run, after + 1):
            after = record.seq
            yield record
        if feed is not None:
            async with aclosing(feed.follow(after)) as live:
                async for item in live:
                    yield item

    async def result(self, who: Principal, run_id: str) -> Result:
        """What a run has come to, once it ends or waits."""
        run = self.find(who, run_id)
        if (job := self._jobs.get(run)) is not None:
            with suppress(RingfenceError):
                await asyncio.shield(job)
        return result_of(self.agent.turn(run))

    def runs(self, who: Principal, limit: int = 50, *, before: int | None = None) -> list[RunSummary]:
        """The newest runs of a principal."""
        found: list[RunSummary] = []
        while len(found) < limit:
            page = self.agent.journal.log.runs(limit, before=before)
            found += [one for one in page if one.principal == who.subject]
            if len(page) < limit:
                break
            before = page[-1].index
        return found[:limit]

    def find(self, who: Principal, run_id: str) -> str:
        """The id of a run that they may see, by it or its beginning; raises NotFound for any other."""
        log = self.agent.journal.log
        try:
            run: str = log.find(run_id)
            mine = log.read(run)[0].principal == who.subject
        except JournalError:
            mine = False
        if not mine:
            raise NotFound(f"there is no run {run_id}", todo="`GET /v1/runs` lists yours")
        return run

    def waiting(self, who: Principal) -> list[Question]:
        """What they may answer: what their own runs ask, and where the manifest makes them an approver, others'."""
        agent = self.agent
        gate = agent._policed()
        return [asked for asked in agent.waiting() if gate.policy.may_approve(who, agent.turn(asked.run))]

    async def answer(
        self, who: Principal, run_id: str, yes: bool, *, digest: str, endorse: tuple[str, ...] = (), why: str = ""
    ) -> None:
        """Say yes or no to what a run asks; then it goes on. Raises JournalError for an answer that cannot count."""
        asked = next((one for one in self.waiting(who) if one.run == run_id), None)
        if asked is None:
            raise NotFound(f"run {run_id} asks nothing that you may answer", todo="`GET /v1/approvals` lists what does")
        await self.agent.acting_for(who).answer(asked.run, yes, digest=digest, endorse=endorse, why=why)
        owner = self.agent.turn(asked.run).principal
        await self.resume(owner, asked.run)
