"""The composition root: the only module that imports everything. A list of wires."""

from __future__ import annotations

import asyncio
import getpass
import os
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringfence import backends, stores, tools
from ringfence.backends.models import data_home as data_home
from ringfence.core.chain import Record
from ringfence.core.errors import JournalError, ManifestError
from ringfence.core.gate import Gate
from ringfence.core.grants import TaskGrant
from ringfence.core.labels import IDENTITY, Clause, Label, Trust
from ringfence.core.policy import Effect, Policy, Profile, SinkSpec
from ringfence.core.ports import Sink
from ringfence.core.turn import State, Turn, fold
from ringfence.core.values import Action, Outcome, Principal, digest
from ringfence.engine.context import Said
from ringfence.engine.loop import Engine, Settings, Tier
from ringfence.engine.readmore import SPEC as READ_MORE
from ringfence.engine.readmore import ReadMore
from ringfence.engine.result import Result
from ringfence.manifest.loader import load as load_manifest
from ringfence.manifest.types import BuiltinTool, Manifest, McpTool, PythonTool, Tool
from ringfence.tools.python import from_function

REPLY = "reply:local"
DEFAULT_WINDOW = 4096  # tokens, for a server that does not say
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def new_run_id(now: int) -> str:
    """A ULID-like id: sorts by time, 20 characters, the last 11 random."""
    stamp = "".join(_ALPHABET[(now >> shift) & 31] for shift in range(40, -1, -5))
    return stamp + "".join(secrets.choice(_ALPHABET) for _ in range(11))


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


class _Reply:
    """The sink of a local run: the caller takes the text from the result."""

    async def perform(self, action: Action) -> Outcome:
        return Outcome(len(action.args["text"]), IDENTITY)


@dataclass
class Agent:
    """An agent made from a manifest. Use `await agent.run(task)`, or `agent.run_sync(task)` outside of async code.

    Closing (`await agent.close()`, or `async with`) makes the journal durable and frees connections.
    """

    manifest: Manifest
    principal: Principal
    journal: Any
    _specs: dict[str, SinkSpec] = field(default_factory=dict)
    _sinks: dict[str, Sink] = field(default_factory=dict)
    _backends: list[Any] = field(default_factory=list)
    _grant: set[str] = field(default_factory=set)
    _engine: Engine | None = None

    def __post_init__(self) -> None:
        """One `read_more` for all runs: engines that are made at once share it."""
        self._read_more = ReadMore(chars=self.manifest.workflow.result_chars)
        self._sinks[READ_MORE.name] = self._read_more

    async def run(self, task: str, *, conversation: str = "", progress: Callable[[str], None] | None = None) -> Result:
        """Do one task and return its result; a run that could not be finished says so in `result.status`."""
        engine = await self._ready()
        before = self._before(conversation)
        turn = engine.start(
            task,
            run=new_run_id(now_ms()),
            principal=self.principal,
            grant=TaskGrant(frozenset(self._grant), dict(self._budgets())),
            conversation=conversation,
            before=[started.run for started, _ in before],
        )
        return await engine.drive(turn, history=self._said(before), progress=progress)

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
        turn = self.turn(run_id)
        return await engine.drive(turn, history=self._recall(turn), progress=progress)

    def stream_resume(self, run_id: str) -> AsyncGenerator[Event | Result, None]:
        """`resume`, as events."""
        return self._follow(lambda progress: self.resume(run_id, progress=progress))

    async def approve(self, run_id: str, *, valid_s: int = 600) -> Result:
        """Say yes, once, to the call that a run waits for, and go on with it."""
        turn = self.turn(run_id)
        engine = await self._ready()
        await engine.approve(turn, by=self.principal.subject, expires=now_ms() + valid_s * 1000)
        return await engine.drive(turn, history=self._recall(turn))

    async def cancel(self, run_id: str) -> Result:
        """End an interrupted run for good."""
        turn = self.turn(run_id)
        if turn.state is State.DONE:
            raise JournalError(f"run {turn.run} has ended already ({turn.end.get('status')})")
        return await (await self._ready(probe=False)).cancel(turn, "cancelled by " + self.principal.subject)

    def turn(self, run_id: str) -> Turn:
        """The folded state of a run, by its id or an unambiguous beginning of it."""
        log = self.journal.log
        return fold(log.read(log.find(run_id)))

    async def close(self) -> None:
        """Make the journal durable and close every connection."""
        await self._disconnect()
        self.journal.close()

    async def _disconnect(self) -> None:
        for backend in self._backends:
            await backend.aclose()

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

    def _budgets(self) -> Mapping[str, int]:
        return {f"tool:{name}": count for name, count in self.manifest.workflow.limits.items()}

    def _before(self, conversation: str) -> list[tuple[Record, Record]]:
        """The runs of a conversation that the next one is shown, by start and end: the newest that have an answer."""
        limit = -(-self.manifest.workflow.history // 2)
        if not conversation or not limit:
            return []
        window = self.journal.log.window(conversation, limit)
        return [(started, ended) for started, ended in window if ended is not None and ended.body["answer"]]

    def _recall(self, turn: Turn) -> list[Said]:
        """The messages before a run that is resumed: those that it named when it began, whatever was said since."""
        records = [self.journal.log.read(run) for run in turn.start.get("before", ())]
        return self._said([(run[0], run[-1]) for run in records])

    def _said(self, runs: Sequence[tuple[Record, Record]]) -> list[Said]:
        said: list[Said] = []
        for started, ended in runs:
            said.append(Said("user", started.body["task"], started.label))
            said.append(Said("assistant", ended.body["answer"], ended.label))
        return said[max(0, len(said) - self.manifest.workflow.history) :]

    async def _ready(self, *, probe: bool = True) -> Engine:
        if self._engine is not None:
            return self._engine
        workflow, runtime = self.manifest.workflow, self.manifest.runtime
        settings = Settings(
            max_steps=workflow.max_steps,
            max_tokens=workflow.max_tokens,
            result_chars=workflow.result_chars,
            tool_first=workflow.tool_first,
            checkpoint_interval=workflow.checkpoint_interval,
            retry_with_context=workflow.error_handling == "retry_with_context",
            about={"agent": runtime.name, "version": runtime.version or ""},
        )
        tiers = [await self._tier(n, probe) for n in range(len(self._backends))]
        named = digest([self.manifest.model_dump(mode="json"), sorted(spec.pin for spec in self._specs.values())])
        policy = Policy(self._specs, Profile(runtime.profile), named[:16])
        gate = Gate(policy, self._sinks, self.journal, now_ms, [_observe])
        engine = Engine(gate, tiers, settings, reply=REPLY, read_more=self._read_more)
        if probe:
            self._engine = engine
        return engine

    async def _tier(self, number: int, probe: bool) -> Tier:
        config = self.manifest.inference.tiers[number]  # with what `inference` says for all of them
        asked_first = probe and number == 0 and self._may_hear(f"model:{config.name}")
        window = (await self._backends[number].probe()).window if asked_first else None
        asked = config.max_context
        bounds = [bound for bound in (window, asked) if bound]
        max_tokens = config.max_tokens or 512
        return Tier(f"model:{config.name}", min(bounds, default=DEFAULT_WINDOW), max_tokens)

    def _may_hear(self, sink: str) -> bool:
        """Whether the user's words may go there at all; a server that they may not is not even asked what it has."""
        words, spec = Label(Trust.USER, frozenset({self.principal.member})), self._specs[sink]
        audience = frozenset({self.principal.member}) if spec.audience is None else spec.audience
        return words.flows_to(spec.clearance, audience)


def load(path: str | Path = "ringfence.yaml", *, functions: Sequence[Callable[..., Any]] = ()) -> Agent:
    """Make an agent from a manifest file and, where given, Python functions as further tools.

    Raises ManifestError for a manifest that cannot be meant; reaches no server yet.
    """
    return from_manifest(load_manifest(Path(path)), functions=functions)


def from_manifest(
    manifest: Manifest,
    *,
    functions: Sequence[Callable[..., Any]] = (),
    journal: Any = None,
    notice: Callable[[str], None] | None = None,
) -> Agent:
    """`load`, for a manifest in hand.

    `journal` overrides the one beside the manifest; `notice` is told why a start takes long.
    """
    roles = frozenset(reader for reader in _readers(manifest) if reader.startswith("role:"))
    principal = Principal(f"user:{_user()}", roles)
    agent = Agent(manifest, principal, journal)
    agent._specs[REPLY] = SinkSpec(REPLY, effect=Effect.READ, confined=True, audience=None, output=IDENTITY)
    agent._sinks[REPLY] = _Reply()
    agent._specs[READ_MORE.name] = READ_MORE
    for config in manifest.inference.tiers:
        backend = backends.from_manifest(config, manifest.inference, home=data_home(), notice=notice)
        name = f"model:{config.name}"
        agent._specs[name] = SinkSpec(
            name,
            pin=config.model,
            effect=Effect.READ,
            confined=backend.audience is None,  # on this machine: nothing leaves
            audience=backend.audience,
            output=IDENTITY,  # what a model says is labelled by what it was shown
        )
        agent._sinks[name] = backend.sink
        agent._backends.append(backend)
    given = [from_function(function) for function in functions]
    for tool in (*(tool for config in manifest.tools for tool in tools_of(manifest, config)), *given):
        if tool.spec.name in agent._specs:
            raise ManifestError(f"there are two tools called {tool.spec.name.removeprefix('tool:')}", todo="rename one")
        agent._specs[tool.spec.name] = tool.spec
        agent._sinks[tool.spec.name] = tool.sink
    _check_limits(manifest, agent._specs)
    # POL-3: what reads is granted by default, an effect by name: here by the code that hands it over
    agent._grant.update(name for name, spec in agent._specs.items() if spec.reads)
    agent._grant.update(tool.spec.name for tool in given)
    if journal is None:  # last: a manifest that cannot be meant makes no journal
        agent.journal = stores.open_journal(manifest.root / ".ringfence" / "journal.db")
    return agent


def _check_limits(manifest: Manifest, specs: Mapping[str, SinkSpec]) -> None:
    """A limit that names no tool would bound nothing."""
    for name in manifest.workflow.limits:
        if f"tool:{name}" not in specs:
            known = ", ".join(sorted(spec.removeprefix("tool:") for spec in specs if spec.startswith("tool:")))
            raise ManifestError(f"workflow.limits: expected a tool, got {name!r}", todo=f"there are: {known}")


def _user() -> str:
    """The user's name; the number, for one that this machine has no name for, as in many containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return str(os.getuid())


def tools_of(manifest: Manifest, config: Tool) -> Sequence[tools.Tool]:
    """The tools of one entry of a manifest. Raises ManifestError if it is not available, or its paths are not there."""
    if why := unavailable(config):
        raise ManifestError(f"tool {config.name}: {why}", todo="take it out of the manifest until it is released")
    assert isinstance(config, BuiltinTool)
    return tools.from_manifest(
        config,
        root=manifest.root,
        readers=_clauses(config.readers or config.callers),
        callers=frozenset(config.callers) if config.callers else None,
        clock=now_ms,
        result_chars=manifest.workflow.result_chars,
    )


def unavailable(tool: Tool) -> str | None:
    """Why a tool of a manifest cannot be used in this release, or None."""
    match tool:
        case McpTool():
            return "MCP servers are read from the manifest but not yet connected in this release"
        case PythonTool():
            return "python tools are given in code in this release: ringfence.load(path, functions=[...])"
        case _:
            return tools.unavailable(tool)


def _clauses(readers: Sequence[str] | None) -> frozenset[Clause]:
    if not readers or "public" in readers:
        return frozenset()
    return frozenset({frozenset(readers)})


def _readers(manifest: Manifest) -> Iterable[str]:
    for tool in manifest.tools:
        yield from (*(tool.callers or ()), *(tool.readers or ()))
    for tier in manifest.inference.tiers:
        yield from tier.audience or ()
    for collection in manifest.knowledge.collections:
        yield from collection.readers
