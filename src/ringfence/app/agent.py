"""An agent: runs, their events, and what they ask a human."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError, RingfenceError, ToolError
from ringfence.core.gate import Gate
from ringfence.core.grants import TaskGrant
from ringfence.core.labels import Label, Trust
from ringfence.core.policy import Leaf, Policy, Profile, SinkSpec
from ringfence.core.turn import State, Turn, fold
from ringfence.core.values import Principal, digest
from ringfence.engine import consent, planner
from ringfence.engine.consent import Question
from ringfence.engine.context import Said
from ringfence.engine.course import only_asks
from ringfence.engine.loop import Engine, Settings
from ringfence.engine.result import Result
from ringfence.engine.tier import Tier
from ringfence.manifest.types import Manifest
from ringfence.stores import hold

from .house import REPLY, House

DEFAULT_WINDOW = 4096  # tokens, for a server that does not say
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def new_run_id(now: int) -> str:
    """A ULID-like id: sorts by time, 20 characters, the last 11 random."""
    stamp = "".join(_ALPHABET[(now >> shift) & 31] for shift in range(40, -1, -5))
    return stamp + "".join(secrets.choice(_ALPHABET) for _ in range(11))


def _facts(value: Any) -> Any:
    """All that is decided by, as JSON that is the same in every process: a yes is worth nothing once it has changed."""
    match value:
        case frozenset():
            return sorted(map(_facts, value), key=repr)
        case Mapping():
            return sorted(([key, _facts(item)] for key, item in value.items()), key=repr)
        case list() | tuple():
            return [_facts(item) for item in value]
        case SinkSpec() | Leaf() | Label():
            return [
                _facts(getattr(value, f.name)) for f in fields(value) if f.name not in ("check", "schema", "summary")
            ]
        case _:
            return value


_listener: ContextVar[Callable[[Record], None] | None] = ContextVar("listener", default=None)


def _observe(record: Record) -> None:
    """Hand a record to whoever streams its run: a run's records are made in the context of its task."""
    if (listener := _listener.get()) is not None:
        listener(record)


@dataclass(frozen=True, slots=True)
class Event:
    """What a run is doing: a record of its journal, or text of the model as it streams (`kind` "delta")."""

    kind: str
    run_id: str
    text: str = ""
    record: Record | None = None


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
    _engine: Engine | None = None
    _gate: Gate | None = None
    _warming: asyncio.Task[None] | None = None
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self, task: str, *, conversation: str = "", progress: Callable[[str], None] | None = None) -> Result:
        """Do one task and return its result; a run that could not be finished says so in `result.status`."""
        engine = await self._ready()
        before = self._before(conversation)
        run = new_run_id(now_ms())
        turn = engine.start(
            task,
            run=run,
            principal=self.principal,
            grant=await self._grant(task, run, [started for started, _ in before]),
            conversation=conversation,
            before=[started.run for started, _ in before],
        )
        self._heard(turn, before)
        with self.holding(run):
            return await engine.drive(turn, history=self._said(before), progress=progress)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What every output of this agent has to say."""
        shout = "UNSAFE: nothing confines the tools of this agent (sandbox: unsafe-none)"
        unsafe = self.house.launcher is not None and self.house.launcher.unsafe
        withheld = (
            f"no tool of {server.alias} can be called: {why}"
            if name == "*"
            else f"{server.alias}.{name} is held back: {why}"
            for server in self.house.servers
            for name, why in server.quarantined.items()
        )
        return (*((shout,) if unsafe else ()), *withheld)

    def holding(self, run: str) -> AbstractContextManager[None]:
        """Be the one process that drives a run."""
        return hold.holding(self._held, run) if self.durable else nullcontext()

    @property
    def _held(self) -> Path:
        return self.manifest.root / ".ringfence" / "held"

    def _answering(self, run: str) -> AbstractContextManager[None]:
        """Be the one process that answers a run."""
        return hold.answering(self._held, run) if self.durable else nullcontext()

    async def _grant(self, task: str, run: str, before: Sequence[Record]) -> TaskGrant:
        """POL-3: the manifest's grant; where it says so, of its effects only what the user's words alone call for."""
        house, budgets = self.house, self.house.budgets(self.manifest)
        sinks, effects = house.reads, house.effects
        if self.manifest.grant.effects is None and only_asks(task):
            effects = house.given  # a plain question changes nothing, whatever is read on the way to its answer
        if self.manifest.grant.planned and effects:
            assert self._gate is not None
            candidates = [house.specs[name] for name in sorted(effects)]
            model = f"model:{self.manifest.inference.tiers[0].name}"
            needs = await planner.propose(
                self._gate,
                task,
                run=planner.PREFIX + run,
                principal=self.principal,
                model=model,
                effects=candidates,
                veil=house.veils.get(model),
            )
            effects = frozenset(needs)
            budgets = {**budgets, **{name: min(calls, budgets.get(name, calls)) for name, calls in needs.items()}}
        version = max((started.body["grant"]["version"] for started in before), default=0)
        objects = {f"tool:{name}": list(values) for name, values in self.manifest.grant.objects.items()}
        return TaskGrant(sinks | effects, budgets, objects, version + 1)

    def run_sync(self, task: str, *, conversation: str = "") -> Result:
        """`run`, for code that is not async."""

        async def once() -> Result:
            try:
                return await self.run(task, conversation=conversation)
            finally:
                await self._disconnect()  # connections belong to the event loop, which ends here

        return asyncio.run(once())

    def stream(self, task: str, *, conversation: str = "") -> AsyncGenerator[Event | Result, None]:
        """The events of a run as they happen, its `Result` last. Closing the stream interrupts the run."""
        return self._follow(lambda progress: self.run(task, conversation=conversation, progress=progress))

    async def resume(self, run_id: str, *, progress: Callable[[str], None] | None = None) -> Result:
        """Go on with a run that was interrupted; a finished one returns its result again."""
        engine = await self._ready()
        run = self.journal.log.find(run_id)
        with self.holding(run):
            await self._renew(run)
            turn = self.turn(run)
            return await engine.drive(turn, history=self._said(self._recall(turn)), progress=progress)

    def stream_resume(self, run_id: str) -> AsyncGenerator[Event | Result, None]:
        """`resume`, as events."""
        return self._follow(lambda progress: self.resume(run_id, progress=progress))

    def asks(self, run_id: str) -> Question:
        """What a run waits for; raises JournalError if it waits for nobody."""
        return consent.question(self._policed(), self.turn(run_id))

    def waiting(self) -> list[Question]:
        """What the runs of this agent wait for, the oldest first."""
        gate, turns = self._policed(), [self.turn(s.run) for s in self.journal.log.runs(1000) if s.state == "waiting"]
        return sorted((consent.question(gate, turn) for turn in turns), key=lambda question: question.asked)

    async def preview(self, asked: Question) -> str:
        """What the call would change, as a unified diff; empty for a tool that cannot say."""
        show = self.house.previews.get(asked.action.sink)
        try:
            return await show(asked.action.args) if show is not None else ""
        except RingfenceError as error:
            return f"nothing: it would fail ({error.what})"

    async def answer(
        self, run_id: str, yes: bool, *, digest: str = "", endorse: tuple[str, ...] = (), why: str = ""
    ) -> None:
        """Say yes, once, or no to the call that a run waits for; it goes on when it is resumed.

        `digest` (or its beginning) has to be that of the question, where it is given; `endorse` names control arguments
        whose values hold for the rest of the run. Raises JournalError for an answer that cannot count.
        """
        run = self.journal.log.find(run_id)
        with self._answering(run):
            gate, turn = self._policed(), self.turn(run)
            if yes:
                expires = now_ms() + self.manifest.approvals.valid_s * 1000
                consent.approve(gate, turn, by=self.principal, expires=expires, digest=digest, endorse=endorse)
            else:
                consent.deny(gate, turn, by=self.principal, why=why, digest=digest)
            await gate.flush()

    async def _renew(self, run: str) -> None:
        """Ask anew what a run waits for, if the policy has changed since."""
        gate, turn = self._policed(), self.turn(run)
        if turn.state is not State.WAITING or not consent.question(gate, turn).stale:
            return
        with self._answering(run):
            turn = self.turn(run)
            if turn.state is State.WAITING:
                consent.renew(gate, turn, now=now_ms())
                await gate.flush()

    async def approve(self, run_id: str, *, digest: str = "", endorse: tuple[str, ...] = ()) -> Result:
        """`answer` with yes, and go on with the run."""
        await self.answer(run_id, True, digest=digest, endorse=endorse)
        return await self.resume(run_id)

    async def cancel(self, run_id: str) -> Result:
        """End an interrupted run for good."""
        with self._answering(self.journal.log.find(run_id)):
            turn = self.turn(run_id)
            if turn.state is State.DONE:
                raise JournalError(f"run {turn.run} has ended already ({turn.end.get('status')})")
            return await (await self._ready(probe=False)).cancel(turn, "cancelled by " + self.principal.subject)

    def turn(self, run_id: str) -> Turn:
        """The folded state of a run, by its id or an unambiguous beginning of it."""
        log = self.journal.log
        turn = fold(log.read(log.find(run_id)))
        self._heard(turn, self._recall(turn))
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

    async def _follow(self, start: Callable[[Callable[[str], None]], Any]) -> AsyncGenerator[Event | Result, None]:
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        context = copy_context()
        member = self.principal.member

        def show(record: Record) -> None:
            if record.label.readable_by(member):  # a stream is a way out like the answer
                queue.put_nowait(Event(str(record.kind), record.run, record=record))

        context.run(_listener.set, show)
        job = asyncio.create_task(start(lambda text: queue.put_nowait(Event("delta", "", text))), context=context)
        job.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (event := await queue.get()) is not None:
                yield event
            yield job.result()
        finally:
            if not job.done():
                job.cancel()
                await asyncio.wait([job])

    def _before(self, conversation: str) -> list[tuple[Record, Record]]:
        """The runs of a conversation that the next one is shown, by start and end: the newest that have an answer."""
        limit = -(-self.manifest.workflow.history // 2)
        if not conversation or not limit:
            return []
        window = self.journal.log.window(conversation, limit)
        return [(started, ended) for started, ended in window if ended is not None and ended.body["answer"]]

    def _recall(self, turn: Turn) -> list[tuple[Record, Record]]:
        """The runs before one that is resumed: those that it named when it began, whatever was said since."""
        records = [self.journal.log.read(run) for run in turn.start.get("before", ())]
        return [(run[0], run[-1]) for run in records]

    @staticmethod
    def _heard(turn: Turn, before: Sequence[tuple[Record, Record]]) -> None:
        """What the same user said earlier vouches as the task does; what somebody else said in the room does not."""
        own = (started for started, _ in before if started.principal == turn.principal.subject)
        turn.heard = tuple(str(started.body["task"]) for started in own)

    def _said(self, runs: Sequence[tuple[Record, Record]]) -> list[Said]:
        said: list[Said] = []
        for started, ended in runs:
            said.append(Said("user", started.body["task"], started.label))
            said.append(Said("assistant", ended.body["answer"], ended.label))
        return said[max(0, len(said) - self.manifest.workflow.history) :]

    async def _ready(self, *, probe: bool = True) -> Engine:
        async with self._opening:  # first runs at once share one sandbox, one set of workers, one look at the model
            return self._engine or await self._open(probe)

    async def _open(self, probe: bool) -> Engine:
        workflow, runtime = self.manifest.workflow, self.manifest.runtime
        sandbox = await self.house.launcher.choose() if self.house.launcher is not None and probe else ""
        settings = Settings(
            max_steps=workflow.max_steps,
            max_tokens=workflow.max_tokens,
            result_chars=workflow.result_chars,
            tool_first=workflow.tool_first,
            checkpoint_interval=workflow.checkpoint_interval,
            retry_with_context=workflow.error_handling == "retry_with_context",
            about={"agent": runtime.name, "version": runtime.version or "", "sandbox": sandbox},
        )
        if probe and self.house.workshop is not None:
            self._warming = asyncio.create_task(self.house.workshop.warm())  # while the model is asked what it has
        tiers = [await self._tier(n, probe) for n in range(len(self.manifest.inference.tiers))]
        engine = Engine(self._policed(), tiers, settings, reply=REPLY, read_more=self.house.read_more)
        if probe:
            self._engine = engine
        return engine

    def _policed(self) -> Gate:
        """The one gate of this agent."""
        if self._gate is None:
            manifest, specs = self.manifest, self.house.specs
            rules = manifest.model_dump(mode="json", exclude={"workflow"})  # whose bounds are in the grant
            named = digest([rules, [_facts(specs[name]) for name in sorted(specs)]])
            approvers = frozenset(manifest.approvals.approvers) if manifest.approvals.approvers else None
            policy = Policy(
                specs, Profile(manifest.runtime.profile), named[:16], approvers, manifest.approvals.four_eyes
            )
            self._gate = Gate(policy, self.house.sinks, self.journal, now_ms, [_observe], self.house.meter)
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

    async def _tier(self, number: int, probe: bool) -> Tier:
        config = self.manifest.inference.tiers[number]  # with what `inference` says for all of them
        asked_first = probe and number == 0 and self.house.backends and self._may_hear(f"model:{config.name}")
        window = (await self.house.backends[number].probe()).window if asked_first else None
        asked = config.max_context
        bounds = [bound for bound in (window, asked) if bound]
        max_tokens = config.max_tokens or 512
        sink = f"model:{config.name}"
        return Tier(sink, min(bounds, default=DEFAULT_WINDOW), max_tokens, self.house.veils.get(sink))

    def _may_hear(self, sink: str) -> bool:
        """Whether the user's words may go there at all; a server that they may not is not even asked what it has."""
        words, spec = Label(Trust.USER, frozenset({self.principal.member})), self.house.specs[sink]
        audience = frozenset({self.principal.member}) if spec.audience is None else spec.audience
        return words.flows_to(spec.clearance, audience)
