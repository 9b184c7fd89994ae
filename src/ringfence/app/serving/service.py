"""What channels do for whoever they speak for: begin runs, follow them, answer what they ask. Nobody sees another's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Final

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError, RingfenceError
from ringfence.core.labels import Label
from ringfence.core.ports import Observer
from ringfence.core.turn import State, Turn
from ringfence.core.values import JSON, Principal
from ringfence.engine.result import Result, result_of
from ringfence.manifest.server import Limits
from ringfence.stores.batches import Broken
from ringfence.stores.hold import Held
from ringfence.stores.log import Log, RunSummary, state_of, summarise

from .. import past
from ..agent import Agent, Begun
from ..ids import new_run_id, now_ms
from ..past import Quoted
from .elsewhere import Elsewhere
from .feed import Delta, Feed
from .job import Job
from .pool import Change, Closing, Full, Pool, Standing
from .reading import Reading
from .recovery import SERVED, Recovery
from .shown import told

ADMIN, AUDITOR = "role:admin", "role:auditor"
_KEPT_S: Final = 2.0  # for which what a run came to is kept at hand, for those who followed it
_log = logging.getLogger("ringfence")


class NotFound(JournalError):
    """There is no such thing, or it is somebody else's: nobody is told which."""


class Service:
    """One open agent, and the runs of many principals.

    A run is on record and durable before `submit` returns: whatever happens then, it is resumed by the next process.

    limits  how much is done at once; those of the manifest's `server` if not given
    pool    who works and who waits; its `observers` are told of every change
    """

    def __init__(self, agent: Agent, *, limits: Limits | None = None) -> None:
        self.agent = agent
        self.pool = Pool(limits or agent.manifest.server.limits)
        self.jobs: dict[str, Job] = {}  # the runs that this process has in its hands
        self._over: dict[str, Job] = {}  # those that ended just now
        self._elsewhere = Elsewhere(lambda: self.log, self._held, lambda run: run in self.jobs)
        self._reading = Reading(agent)
        self._recovery = Recovery(self, self._reading)
        agent.aside = self._reading
        self._closed: asyncio.Task[None] | None = None

    @property
    def log(self) -> Log:
        """The reading side of the journal."""
        found: Log = self.agent.journal.log
        return found

    @property
    def observers(self) -> list[Observer]:
        """Who is told of every record that this process makes, whoever's run it is of: append to it, be quick."""
        return self.agent.observers

    @property
    def queue_observers(self) -> list[Callable[[Change], None]]:
        """Who is told of every change in the queue."""
        return self.pool.observers

    def status(self) -> Standing:
        """How many runs are at work and wait, and whose."""
        return self.pool.standing()

    async def start(self) -> None:
        """Look at models and documents, before anybody asks, and take up the runs that nobody drives.

        Raises ManifestError, BackendError.
        """
        await self.agent.open()
        await self._recovery.start()

    async def close(self, drain_s: float | None = None) -> None:
        """Take nothing in any more, let the runs at work end for `drain_s` (the manifest's, if not given), and
        interrupt the rest. Those, and whatever still waits, are resumed by the next process, or by another one.
        """
        if self._closed is None:
            limit = self.pool.limits.drain_s if drain_s is None else drain_s
            self._closed = asyncio.create_task(self._drain(limit), name="drain")
        await asyncio.shield(self._closed)

    async def _drain(self, drain_s: float) -> None:
        self.pool.close()
        await self._recovery.stop()
        for job in self.jobs.values():  # one that is being put on record ends by itself, when it is
            if job.place.started is None and job.task is not None and not job.opening:
                job.task.cancel()
        tasks = [job.task for job in self.jobs.values() if job.task is not None]
        if tasks and drain_s > 0:
            await asyncio.wait(tasks, timeout=drain_s)
        await asyncio.gather(*(job.pause() for job in list(self.jobs.values())))
        self._elsewhere.close()
        self.agent.aside = None
        self._reading.close()
        with suppress(JournalError):  # its reason is in the log; what is durable is resumed
            await self.agent.journal.flush()

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
        effects: bool = True,
    ) -> str:
        """Begin a run; its id, once it is durable, though it may wait for its turn. Raises Full, Closing, JournalError.

        Where a model is asked before a run can begin (its grant is planned, or a long conversation is summed up), that
        is work within the limits: then this returns when the run has had its turn and has begun. Without `effects` it
        is granted what reads alone. `earlier` is what it is shown instead of its conversation. A conversation's name is
        no room here: who guesses somebody's is shown nothing of theirs, and adds nothing to it.
        """
        if conversation and earlier is None:
            earlier = past.own(self.log, conversation, self.agent.manifest.workflow.history, who)
        run = run or new_run_id(now_ms())
        agent = self.agent.acting_for(who)
        if not effects:
            agent = replace(agent, house=agent.house.reading())
        job = self._job(agent, run)
        marked = {**(meta if isinstance(meta, dict) else {} if meta is None else {"meta": meta}), SERVED: True}

        async def begin() -> Begun:
            return await agent.begin(
                task, conversation=conversation, about=about, run=run, meta=marked,
                traceparent=traceparent, tracestate=tracestate, earlier=earlier,
            )  # fmt: skip

        job.begin(begin, asks=lambda: agent.asks_first(conversation if earlier is None else ""))
        try:
            await asyncio.shield(job.begun)
        except asyncio.CancelledError:
            if job.feed.first is None and job.task is not None:  # nothing is on record: nobody wants it any more
                job.task.cancel()
            raise
        return run

    async def resume(self, who: Principal, run_id: str) -> str:
        """Go on with a run that was interrupted or answered; one that is under way or over is left as it is.

        Raises NotFound, Full, Closing, and JournalError for what cannot be gone on with.
        """
        run = self.find(who, run_id)
        if not self.driven(run):
            first, last = await self._reading(lambda log: (log.first(run), log.last(run)))
            if first.body.get("destroys") or first.body.get("plans"):
                raise JournalError(f"run {run} works for another one", todo="resume that one")
            if last.kind is not Kind.FINISHED and not self.driven(run):  # nobody has taken it up meanwhile
                self.take_up(who, run)
        return run

    async def fork(self, who: Principal, run_id: str, *, at: int, task: str = "") -> str:
        """Begin a new run with records 0 to `at` of another one of theirs, and go on with it; its id.

        Raises NotFound, Full, Closing, and JournalError as `Agent.fork`. What there is no room for is ended again.
        """
        agent = self.agent.acting_for(who)
        new = await agent.fork(self.find(who, run_id), at=at, task=task)
        try:
            self.take_up(who, new)
        except (Full, Closing):
            with agent.holding(new):
                await agent.cancel(new)
            raise
        return new

    def take_up(self, who: Principal, run: str) -> Job:
        """Go on with a run of theirs that nobody drives. Raises Full, Closing."""
        job = self._job(self.agent.acting_for(who), run)
        job.take_up()
        return job

    def _job(self, agent: Agent, run: str) -> Job:
        """A place in the queue for a run. Raises Full, Closing, and JournalError for one that is under way here."""
        if run in self.jobs:
            raise JournalError(f"run {run} is under way already", todo="follow it, or begin one with another id")
        place = self.pool.join(agent.principal.subject)
        job = self.jobs[run] = Job(agent, run, place, self.pool.limits.run_s, Feed(run), self._forget)
        return job

    def job_of(self, run: str) -> Job | None:
        """A run that is under way here, or was a moment ago."""
        return self.jobs.get(run) or self._over.get(run)

    def at_hand(self, run: str) -> RunSummary | None:
        """A run in one line, if it was begun here and need not be looked up. Whose it is, is for the caller to check.

        Its `index` is not known, and its newest records may not be durable yet.
        """
        job = self.job_of(run)
        ends = job.feed.ends if job is not None else None
        return summarise(-1, *ends) if ends is not None and ends[0].seq == 0 else None

    def _forget(self, job: Job) -> None:
        if self.jobs.get(job.run) is job:
            del self.jobs[job.run]
        if job.fault is not None and not isinstance(job.fault, (Held, Broken, Closing)):
            self._recovery.give_up(job.run)  # it would meet the same fault again, until somebody looks
        if isinstance(job.fault, Held) or (job.result is not None and job.result.status in ("waiting", "uncertain")):
            return
        self._over[job.run] = job
        asyncio.get_running_loop().call_later(_KEPT_S, self._let_go, job)

    def _let_go(self, job: Job) -> None:
        if self._over.get(job.run) is job:
            del self._over[job.run]

    async def cancel(self, who: Principal, run_id: str) -> Result:
        """End a run for good, wherever it stands. Raises NotFound, JournalError (Held: another process drives it)."""
        run = self.find(who, run_id)
        if (job := self.jobs.get(run)) is not None:
            await job.cancel(f"cancelled by {who.subject}", who.subject)
            if job.result is not None:
                return await self._told(who, run, job.result, job)
        agent = self.agent.acting_for(who)
        await agent.journal.flush()
        with agent.holding(run):
            self._over.pop(run, None)
            ended = await agent.cancel(run)
        return await self._told(who, run, ended)

    async def events(self, who: Principal, run_id: str, after: int = -1) -> AsyncGenerator[Record | Delta, None]:
        """The records of a run behind seq `after`, and what the model says, until it ends or waits for a person.

        Of a run that another process drives the records come as they become durable, and nothing of the model's text.
        """
        async with aclosing(self.batches(who, run_id, after)) as batches:
            async for batch in batches:
                for item in batch:
                    yield item

    async def batches(
        self, who: Principal, run_id: str, after: int = -1
    ) -> AsyncGenerator[Sequence[Record | Delta], None]:
        """As `events`, all that is there at once."""
        run = self.find(who, run_id)
        while True:
            job = self.job_of(run)
            found: Sequence[Record] = ()
            if (job is None or job.feed.first is None or job.feed.first > after + 1) and (
                found := self.log.read(run, after + 1)
            ):
                after = found[-1].seq
                yield found
            if job is None and self._settled(run, found[-1] if found else None):
                return
            stream = self._elsewhere.batches(run, after) if job is None else job.feed.batches(after)
            async with aclosing(stream) as live:
                async for batch in live:
                    after = max((item.seq for item in batch if isinstance(item, Record)), default=after)
                    yield batch
            if job is not None:
                if isinstance(job.fault, Held):  # another process was faster: it is followed there
                    continue
                return
            if self.job_of(run) is None:  # nobody has it, or it came here and waits for a person already
                await self.agent.journal.flush()
                if found := self.log.read(run, after + 1):
                    yield found
                return

    def _settled(self, run: str, last: Record | None) -> bool:
        """Whether nothing comes by itself any more."""
        last = last or self.log.last(run)
        return last is None or state_of(last) != "open"

    async def result(self, who: Principal, run_id: str) -> Result:
        """What a run has come to, once it ends, waits, or is interrupted."""
        run = self.find(who, run_id)
        job = self.job_of(run)
        if job is not None:
            await job.over()
            if job.result is not None:
                return await self._told(who, run, job.result, job)
        found = await self._told(who, run, result_of(await self.agent.folded(run)), job)
        if found.status != "running" or run in self.jobs or self._held(run):
            return found
        why = job.fault.what if job is not None and job.fault is not None else "it was interrupted, and can be resumed"
        return replace(found, status="interrupted", summary=why)

    async def _told(self, who: Principal, run: str, result: Result, job: Job | None = None) -> Result:
        """Without what they may not read any more: their roles of today count, and not those that it began with."""
        if job is not None and job.feed.first == 0:
            labels: dict[int, Label] = job.feed.labels
        else:
            labels = await self._reading(lambda log: _labels(log, run))
        return told(result, labels, labels[max(labels)], who.member)[0]

    def runs(self, who: Principal, limit: int = 50, *, before: int | None = None) -> list[RunSummary]:
        """The newest runs of a principal."""
        return self.log.runs(limit, before=before, principal=who.subject)

    def find(self, who: Principal, run_id: str) -> str:
        """The id of a run that they may see, by it or its beginning; raises NotFound for any other."""
        job = self.job_of(run_id)
        if job is not None:
            run, owner = run_id, job.who
        else:
            run, owner = "", None
            with suppress(JournalError):
                run = self.log.find(run_id)
                owner = self.log.owner(run)
        if owner != who.subject:
            raise NotFound(f"there is no run {run_id}", todo="`GET /v1/runs` lists yours")
        return run

    def driven(self, run: str) -> bool:
        """Whether some process has a run in its hands."""
        return run in self.jobs or self._held(run)

    def _held(self, run: str) -> bool:
        return self.agent.held(run) is None

    async def answer(
        self, who: Principal, run_id: str, yes: bool, *, digest: str, endorse: tuple[str, ...] = (), why: str = ""
    ) -> None:
        """Say yes or no to what a run asks; then it goes on, as soon as there is room. Raises JournalError for an
        answer that cannot count.
        """
        turn = await self._asked(who, run_id)
        run = turn.run
        await self.agent.acting_for(who).answer(run, yes, digest=digest, endorse=endorse, why=why)
        try:
            await self.resume(turn.principal, run)
        except Full as full:  # the answer counts, and what was answered is taken up when there is room
            _log.info("run %s was answered, and waits: %s", run, full.what)
            self._recovery.soon()

    async def _asked(self, who: Principal, run_id: str) -> Turn:
        """The run that asks something that they may answer; raises NotFound for any other."""
        with suppress(RingfenceError):
            turn = await self.agent.folded(run_id)
            if turn.state is State.WAITING and self.agent._policed().policy.may_approve(who, turn):
                return turn
        raise NotFound(f"run {run_id} asks nothing that you may answer", todo="`GET /v1/approvals` lists what does")


def _labels(log: Log, run: str) -> dict[int, Label]:
    """Of its records, by seq."""
    return {record.seq: record.label for record in log.read(run)}


__all__ = ["ADMIN", "AUDITOR", "Change", "Closing", "Full", "NotFound", "Service", "Standing"]
