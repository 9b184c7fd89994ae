"""An agent: runs, their events, and what they ask a human."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ringfence import tracing
from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError, RingfenceError, ToolError
from ringfence.core.gate import Gate
from ringfence.core.grants import TaskGrant
from ringfence.core.ports import Observer
from ringfence.core.turn import State, Turn, fold
from ringfence.core.values import JSON, Principal
from ringfence.engine import branch, ledger, replay
from ringfence.engine.consent import Question
from ringfence.engine.context import Said
from ringfence.engine.ledger import Unsettled
from ringfence.engine.loop import Engine
from ringfence.engine.result import Result
from ringfence.engine.snapshot import resumed
from ringfence.manifest.types import Manifest
from ringfence.stores import hold
from ringfence.telemetry import logs
from ringfence.tracing import Trace

from . import asked, grants, opening, past, summing
from .blots import Blots
from .house import House
from .ids import new_run_id, now_ms
from .knowing.canary import alarm
from .policy import policy_of
from .secrets import secret_values
from .stream import Event, follow, observe
from .traces import Traced, at_work, trace_of


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that nobody drives yet, and what was said before it."""

    turn: Turn
    said: list[Said]


@dataclass
class Agent:
    """An agent made from a manifest. Use `await agent.run(task)`, or `agent.run_sync(task)` outside of async code.

    Closing (`await agent.close()`, or `async with`) makes the journal durable and frees connections.
    """

    manifest: Manifest
    principal: Principal
    journal: Any
    house: House
    durable: bool = True  # the journal is a file that other processes may write to as well
    observers: list[Observer] = field(default_factory=lambda: [tracing.observe, logs.observe, observe, alarm])
    aside: Callable[[Callable[[Any], Any]], Awaitable[Any]] | None = None  # reads the log beside the event loop
    _engine: Engine | None = None
    _gate: Gate | None = None
    _warming: asyncio.Task[None] | None = None
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _notes: dict[str, str] = field(default_factory=dict)  # on snapshots that were not used, by run

    async def run(self, task: str, *, progress: Callable[[str], None] | None = None, **more: Any) -> Result:
        """Do one task and return its result; a run that could not be finished says so in `result.status`.

        `more` is what `begin` takes.
        """
        return await self.drive(await self.begin(task, **more), progress=progress)

    async def begin(
        self,
        task: str,
        *,
        conversation: str = "",
        traceparent: str = "",
        tracestate: str = "",
        about: Sequence[str] = (),
        run: str = "",
        meta: JSON = None,
        earlier: Sequence[str | past.Quoted] | None = None,
    ) -> Begun:
        """Open a run and leave it there; `drive` goes on with it, or after a crash `resume`, if it was made durable.

        `traceparent` and `tracestate` (W3C Trace Context) say where the task comes from; without them a trace begins.
        `about` names whose data it is (patient:4711), as the manifest's `privacy.subject` does for every run.
        `run` is its id if the caller has made one (`new_run_id`), `meta` what its first record keeps for the caller.
        `earlier`: ids of runs, and quoted messages, that it is shown in place of the conversation's newest runs.
        """
        engine = await self.open()
        run, trace, whom = run or new_run_id(now_ms()), trace_of(traceparent, tracestate), self._about(about)
        with tracing.following(run, self.principal.subject, trace):
            before = await summing.before(
                self, self._policed(), engine, conversation=conversation, run=run, trace=trace, earlier=earlier
            )
            said = past.hidden(self.house, run, past.said(before, self._history))
            turn = engine.start(
                task,
                run=run,
                principal=self.principal,
                grant=await self._grant(task, run, past.starts(before), trace, whom),
                conversation=conversation,
                before=past.names(before),
                trace=trace,
                about=whom,
                meta=meta,
            )
        turn.heard = past.heard(turn, before)
        return Begun(turn, said)

    async def drive(self, begun: Begun, *, progress: Callable[[str], None] | None = None) -> Result:
        """Go on with a run that was just begun."""
        with at_work(begun.turn), self.holding(begun.turn.run):
            return await (await self.open()).drive(begun.turn, history=begun.said, progress=progress)

    def acting_for(self, who: Principal) -> Agent:
        """This agent in somebody else's name: all of it is shared, and it has to be open already."""
        return replace(self, principal=who)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What every output of this agent has to say."""
        return (*self.house.warnings(), *self._notes.values())

    @property
    def troubles(self) -> tuple[str, ...]:
        """What kept the newest head of the log from being signed, or from getting where it should be."""
        found: tuple[str, ...] = getattr(self.journal, "troubles", ())
        return found

    def _about(self, given: Sequence[str]) -> list[str]:
        """Whom a run is about from its first record on, by the names that the log has for them."""
        named = given or ((self.manifest.privacy.subject,) if self.manifest.privacy.subject else ())
        return sorted({self.journal.alias(subject) for subject in named})

    def asks_first(self, conversation: str) -> bool:
        """Whether a model may be asked before a run can begin: to plan its grant, or to sum up what was said."""
        return self.manifest.grant.planned or summing.due(self, conversation)

    def holding(self, run: str) -> AbstractContextManager[None]:
        """Be the one process that drives a run."""
        return hold.holding(self._held, run) if self.durable else nullcontext()

    def held(self, run: str) -> bool | None:
        """None if a process has a run in its hands; else whether the last that had died with it."""
        return hold.left(self._held, run) if self.durable else False

    @property
    def _history(self) -> int:
        """Messages of a conversation that a run is shown."""
        return self.manifest.workflow.history

    @property
    def _held(self) -> Path:
        return self.manifest.root / ".ringfence" / "held"

    def _answering(self, run: str) -> AbstractContextManager[None]:
        """Be the one process that answers a run."""
        return hold.answering(self._held, run) if self.durable else nullcontext()

    async def _grant(
        self, task: str, run: str, before: Sequence[Record], trace: Trace, about: Sequence[str]
    ) -> TaskGrant:
        """POL-3: the manifest's grant; where it says so, of its effects only what the user's words alone call for."""
        version = max((started.body["grant"]["version"] for started in before), default=0) + 1
        grant = grants.of_task(self.house, self.manifest, task, version=version)
        if not self.manifest.grant.planned:
            return grant
        who = self.principal
        return await grants.planned(
            grant, task, self._policed(), self.house, self.manifest, run=run, principal=who, trace=trace, about=about
        )

    @property
    def _waits(self) -> bool:
        return self.manifest.workflow.verify == "strict"

    def run_sync(self, task: str, **more: Any) -> Result:
        """`run`, for code that is not async."""

        async def once() -> Result:
            try:
                return await self.run(task, **more)
            finally:
                await self._disconnect()  # connections belong to the event loop, which ends here

        return asyncio.run(once())

    def stream(self, task: str, **more: Any) -> AsyncGenerator[Event | Result, None]:
        """`run` as events while they happen, its `Result` last. Closing the stream interrupts the run."""
        return follow(self.principal, lambda progress: self.run(task, progress=progress, **more), waits=self._waits)

    async def resume(self, run_id: str, *, progress: Callable[[str], None] | None = None) -> Result:
        """Go on with a run that was interrupted; a finished one returns its result again."""
        engine = await self.open()
        run = self.journal.log.find(run_id)
        with self.holding(run):
            turn = await asked.renew(self, run)
            if turn.start.get("destroys"):  # an erasure that was cut off: no model finishes it
                raise JournalError(f"run {run} destroyed contents, or was about to", todo="give its command again")
            if turn.start.get("plans") and turn.state is not State.DONE:  # its task may be a model's words
                raise JournalError(f"run {run} works for another one", todo="resume that one")

            def recalled(log: Any) -> list[Said]:
                said = past.said(past.recall(log, turn), self._history)
                return past.hidden(self.house, run, said, self.journal, log)

            said = await self.beside(recalled)
            with at_work(turn):
                return await engine.drive(turn, history=said, progress=progress)

    async def fork(self, run_id: str, *, at: int, task: str = "") -> str:
        """Begin a new run with records 0 to `at` of another, under `task` where it is given; returns its id.

        `resume` goes on with it: nothing of the copied part is done again, what follows passes the gate as ever.
        Raises JournalError for a run of somebody else, and for a record that nothing can go on from.
        """
        engine, run, who, trace = await self.open(), new_run_id(now_ms()), self.principal, Trace.new()

        def look(log: Any) -> tuple[list[Record], TaskGrant]:
            records = log.read(log.find(run_id))
            branch.check(records, at, who)
            return records[: at + 1], self.turn(records[0].run, log).grant

        records, grant = await self.beside(look)
        about = sorted({*records[0].view.get("subjects", ()), *self._about(())})
        with tracing.following(run, who.subject, trace), self.holding(run):  # nobody takes up the half of it
            if task:
                grant = await self._grant(task, run, records[:1], trace, about)
            await branch.fork(
                engine, self._policed(), records,
                run=run, principal=who, grant=grant, task=task, trace=trace, about=about,
            )  # fmt: skip
            await self.journal.flush()
        return run

    async def replay(self, run_id: str) -> replay.Replay:
        """Decide again, under the manifest as it is, all that a run decided. Asks no model, does and writes nothing."""
        engine, log = await self.open(probe=False), self.journal.log
        turn, records = self.turn(run_id), log.read(log.find(run_id))
        said = past.hidden(self.house, turn.run, past.said(past.recall(log, turn), self._history))
        grant, seen = grants.of_run(self.house, self.manifest, turn), past.numbering(self.house, self.manifest)
        return replay.replay(engine, self._policed(), records, grant=grant, heard=turn.heard, history=said, seen=seen)

    def stream_resume(self, run_id: str) -> AsyncGenerator[Event | Result, None]:
        """`resume`, as events."""
        return follow(self.principal, lambda progress: self.resume(run_id, progress=progress), waits=self._waits)

    def asks(self, run_id: str) -> Question:
        """What a run waits for; raises JournalError if it waits for nobody."""
        return asked.question(self, self.turn(run_id))

    def waiting(self) -> list[Question]:
        """What the runs of this agent wait for, the oldest first."""
        turns = [self.turn(s.run) for s in self.journal.log.unfinished() if s.state == "waiting"]
        return sorted((asked.question(self, turn) for turn in turns), key=lambda question: question.asked)

    async def preview(self, question: Question) -> str:
        """What the call would change, as a unified diff; empty for a tool that cannot say."""
        show = self.house.previews.get(question.action.sink)
        try:
            return await show(question.action.args) if show is not None else ""
        except RingfenceError as error:
            return f"nothing: it would fail ({error.what})"

    async def answer(
        self, run_id: str, yes: bool, *, digest: str = "", endorse: tuple[str, ...] = (), why: str = ""
    ) -> None:
        """Say yes, once, or no to the call that a run waits for; it goes on when it is resumed.

        `digest` (or its beginning) has to be that of the question, where it is given; `endorse` names control arguments
        whose values hold for the rest of the run. Raises JournalError for an answer that cannot count.
        """
        await asked.answer(self, run_id, yes, digest=digest, endorse=endorse, why=why)

    def uncertain(self) -> list[Unsettled]:
        """The calls of which nobody knows whether they were done, the oldest first; none of a run that is under way."""
        gate, found = self._policed(), list[Unsettled]()
        for summary in self.journal.log.unfinished():
            if summary.state in ("open", "uncertain"):
                with suppress(hold.Held), self.holding(summary.run):
                    found += ledger.unsettled(gate, self.turn(summary.run))
        return sorted(found, key=lambda one: one.when)

    async def settle(
        self, run_id: str, done: bool, *, call: int | None = None, result: Any = None, why: str = ""
    ) -> int:
        """Say of a call of which nobody knows whether it was done, that it was, with this `result`, or was not.

        `call` is the seq of its intent, which is returned; the run goes on when it is resumed. Raises JournalError for
        a word that cannot count, and while the run is under way.
        """
        run = self.journal.log.find(run_id)
        with self.holding(run), self._answering(run):
            gate, turn = self._policed(), await self.folded(run)
            with at_work(turn):
                seq = ledger.settle(gate, turn, by=self.principal, done=done, call=call, result=result, why=why)
            await gate.flush()
        return seq

    async def approve(self, run_id: str, *, digest: str = "", endorse: tuple[str, ...] = ()) -> Result:
        """`answer` with yes, and go on with the run."""
        await self.answer(run_id, True, digest=digest, endorse=endorse)
        return await self.resume(run_id)

    async def cancel(self, run_id: str) -> Result:
        """End an interrupted run for good."""
        with self._answering(self.journal.log.find(run_id)):
            turn = await self.folded(run_id)
            if turn.state is State.DONE:
                raise JournalError(f"run {turn.run} has ended already ({turn.end.get('status')})")
            if ledger.unsettled(self._policed(), turn):
                todo = f"say so first: ringfence runs settle {turn.run} --done, or --not-done"
                raise JournalError(f"run {turn.run} has a call of which it is not known whether it was done", todo=todo)
            who, engine = self.principal.subject, await self.open(probe=False)
            with at_work(turn):
                return await engine.cancel(turn, "cancelled by " + who, by=who)

    async def folded(self, run_id: str) -> Turn:
        """`turn`, beside the event loop where somebody reads there: it takes seconds for a long run."""
        turn: Turn = await self.beside(lambda log: self.turn(run_id, log))
        return turn

    async def beside(self, work: Callable[[Any], Any]) -> Any:
        """What `work` returns of the log."""
        return await self.aside(work) if self.aside is not None else work(self.journal.log)

    def turn(self, run_id: str, log: Any = None) -> Turn:
        """The folded state of a run, by its id or an unambiguous beginning of it; `log` in place of its own."""
        log = self.journal.log if log is None else log
        run = log.find(run_id)
        turn, note = resumed(log, run) if hasattr(log, "state") else (fold(log.read(run)), "")
        if note:
            self._notes[run] = note
        turn.heard = past.heard(turn, past.recall(log, turn))
        granted = turn.grant.sinks & (self.house.reads | self.house.effects)  # a manifest may have become narrower
        turn.grant = replace(turn.grant, sinks=granted)
        return turn

    async def close(self) -> None:
        """Make the journal durable and close every connection."""
        await self._disconnect()
        self.journal.close()

    async def _disconnect(self) -> None:
        if self._warming is not None:
            await asyncio.wait([self._warming])
            self._warming = None
        self._opening = asyncio.Lock()  # a lock belongs to its event loop, as all of these do
        await self.house.aclose()

    async def __aenter__(self) -> Agent:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def open(self, *, probe: bool = True) -> Engine:
        """What drives runs; made at the first call, which looks at models and documents (`probe`)."""
        async with self._opening:  # first runs at once share one sandbox, one set of workers, one look at the model
            return self._engine or await self._open(probe)

    async def _open(self, probe: bool) -> Engine:
        await self.house.freshen(probe)
        if probe and self.house.workshop is not None:
            self._warming = asyncio.create_task(self.house.workshop.warm())  # while the model is asked what it has
        engine = await opening.engine_of(self, self._policed(), probe=probe)
        if probe:
            self._engine = engine
        return engine

    def _policed(self) -> Gate:
        """The one gate of this agent."""
        if self._gate is None:
            policy = policy_of(self.manifest, self.house.specs)
            blots = Blots(secret_values(self.manifest))
            sinks = Traced(self.house, self.journal.alias, blots)
            self._gate = Gate(policy, sinks, self.journal, now_ms, self.observers, self.house.meter)
            self.house.note = self._left
            if self.house.meter is not None:
                self.house.meter.log = self.journal.log  # rates hold across processes
        return self._gate

    def _left(self, run: str, attempt: Any) -> None:
        """Put what a tool tried to reach on the record of its run, before a byte of it leaves."""
        turn = self.house.read_more.live.get(run)
        if turn is None or self._gate is None:
            raise ToolError("nothing may leave outside of a run")
        self._gate.record(turn, Kind.CHECKPOINT, label=turn.label, view={"egress": attempt}, body={})
