"""Everything that a manifest names, made once: sinks with their catalogue entries, and what has to be closed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ringfence import backends, tools
from ringfence.backends.models import data_home
from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.labels import IDENTITY, Clause, Label, Trust
from ringfence.core.policy import Effect, SinkSpec
from ringfence.core.ports import Clock, Sink
from ringfence.core.values import JSON, Action, Outcome
from ringfence.engine.mapreduce import SPEC as READ_ALL
from ringfence.engine.mapreduce import ReadAll
from ringfence.engine.readmore import SPEC as READ_MORE
from ringfence.engine.readmore import ReadMore
from ringfence.engine.rerank import Ranker
from ringfence.manifest.loader import check_names
from ringfence.manifest.types import BuiltinTool, Manifest, PythonTool, Tier, Tool
from ringfence.stores.rates import SlidingWindow
from ringfence.stores.spend import Meters, Spend
from ringfence.tools.catalogue import declared, handed
from ringfence.tools.python import from_function
from ringfence.tools.tool import Use

from .confine import Chosen
from .knowing.canary import watched
from .knowing.meaning import FIND, Meant
from .secrets import redactor_of
from .settings import validators_of
from .tiers import Before, budgeted

if TYPE_CHECKING:
    from ringfence.manifest.security import Entry
    from ringfence.redaction import Redactor
    from ringfence.redaction.veil import Veil
    from ringfence.tools.egress import Attempt
    from ringfence.tools.mcp import Lock, Server

    from .knowing.fresh import Fresh

REPLY = "reply:local"


class _Reply:
    """The sink of a local run: the caller takes the text from the result."""

    async def perform(self, action: Action) -> Outcome:
        return Outcome(len(action.args["text"]), IDENTITY)


@dataclass
class House:
    """What an agent is made of.

    specs, sinks  by sink name: what the gate decides by, and what it performs
    previews      by sink name: what a call would change, for the person who is asked
    reads         sinks that every task is granted; `effects` those that the manifest or code names, `given` by code
    about         by sink name: where a result says whose data it is
    veils         of models that see placeholders alone
    closers       called once, when the agent is closed
    """

    specs: dict[str, SinkSpec] = field(default_factory=dict)
    sinks: dict[str, Sink] = field(default_factory=dict)
    previews: dict[str, Callable[[Mapping[str, JSON]], Awaitable[str]]] = field(default_factory=dict)
    backends: list[Any] = field(default_factory=list)
    redactor: Redactor | None = None  # made when a tier needs it; the record takes it too, so that both say <EMAIL_1>
    veils: dict[str, Veil] = field(default_factory=dict)
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    effects: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    about: dict[str, str] = field(default_factory=dict)
    meter: Meters | None = None
    spend: Spend | None = None  # what is left of the budgets of tiers; one of the meters, too
    launcher: Chosen | None = None  # what confines tools; None if there is nothing to confine
    workshop: tools.Workshop | None = None
    fresh: Fresh | None = None  # keeps its documents up to date; None if there are none
    servers: list[Server] = field(default_factory=list)
    lock: Lock | None = None  # what was accepted of their tools
    note: Callable[[str, JSON], None] | None = None  # puts what left on the record of a run
    notes: list[str] = field(default_factory=list)  # what is missing and can be done without
    read_more: ReadMore = field(default_factory=lambda: ReadMore(chars=4000))
    read_all: ReadAll = field(default_factory=lambda: ReadAll({}))
    ranker: Ranker = field(default_factory=Ranker)

    @property
    def reads(self) -> frozenset[str]:
        """Sinks that change nothing."""
        return frozenset(name for name, spec in self.specs.items() if spec.reads)

    def warnings(self) -> Iterator[str]:
        """What everybody who uses this has to know: nothing confines its tools, or some of them may not be called."""
        if self.launcher is not None and self.launcher.unsafe:
            yield "UNSAFE: nothing confines the tools of this agent (sandbox: unsafe-none)"
        yield from self.notes
        for server in self.servers:
            for name, why in server.quarantined.items():
                all_of_it = name == "*"
                which = (
                    f"no tool of {server.alias} can be called" if all_of_it else f"{server.alias}.{name} is held back"
                )
                yield f"{which}: {why}"
        if self.fresh is not None:
            yield from self.fresh.warnings

    def budgets(self, manifest: Manifest) -> dict[str, int]:
        """Calls per sink of one task."""
        both = {**manifest.workflow.limits, **manifest.grant.budgets}
        return {f"tool:{name}": count for name, count in both.items()}

    def left(self, attempt: Attempt) -> None:
        """Put an attempt to reach a host on record; raises ToolError, and so stops it, where there is none."""
        if self.note is None:
            raise ToolError("nothing may leave, for there is no record of it")
        self.note(attempt.run, attempt.to_json())

    def add(self, tool: tools.Tool) -> None:
        """Take a tool in; raises ManifestError for a name that is taken."""
        name = tool.spec.name
        if name in self.specs:
            raise ManifestError(f"there are two tools called {name.removeprefix('tool:')}", todo="rename one")
        self.specs[name], self.sinks[name] = tool.spec, tool.sink
        if tool.preview is not None:
            self.previews[name] = tool.preview

    def reading(self) -> House:
        """The same house for a task that changes nothing, whatever it says: there is no effect to be granted."""
        return replace(self, effects=frozenset(), given=frozenset())

    async def freshen(self, wanted: bool) -> None:
        """Take in documents that have changed, if that is wanted. Raises KnowledgeError, BackendError."""
        if wanted and self.fresh is not None:
            await self.fresh.once()

    async def aclose(self) -> None:
        """Stop what runs and close every connection."""
        for close in (*self.closers, *(backend.aclose for backend in self.backends)):
            await close()


def furnish(
    manifest: Manifest,
    functions: Sequence[Callable[..., Any]],
    *,
    clock: Clock,
    notice: Callable[[str], None] | None = None,
    model: Sink | None = None,
) -> House:
    """Make everything that a manifest names, and `functions` as further tools. Starts no server yet.

    `model` takes the place of every tier's, which are then neither reached nor started.

    Raises ManifestError: a name is taken, a path is missing, the catalogue names what is not there, nothing confines.
    """
    validators_of(manifest)  # what is wrong with them is said before anything is made
    house = House(read_more=ReadMore(chars=manifest.workflow.result_chars))
    house.specs[REPLY] = SinkSpec(REPLY, effect=Effect.READ, confined=True, audience=None, output=IDENTITY)
    house.sinks[REPLY] = _Reply()
    house.read_all = ReadAll(house.read_more.live)
    for spec, sink in ((READ_MORE, house.read_more), (READ_ALL, house.read_all)):
        house.specs[spec.name], house.sinks[spec.name] = spec, sink
    before = Before(manifest, clock)
    for config in manifest.inference.tiers:
        _connect(house, manifest, config, before=before, notice=notice, model=model)
    if any(map(_touches, manifest.tools)):
        house.launcher = _launcher(house, manifest)
        house.workshop = tools.Workshop(house.launcher, manifest.root / ".ringfence", house.left)
        house.closers.insert(0, house.workshop.aclose)
    for tool in _known(house, manifest, clock, notice):
        house.add(tool)
    rates: dict[str, str] = {}
    for entry in manifest.tools:
        made = _tools_of(house, manifest, entry, clock)
        for tool in made:
            house.add(tool)
        rates |= {tool.spec.name: entry.rate for tool in made if entry.rate}
    given = [from_function(function) for function in functions]
    for tool in given:
        house.add(tool)
    _mean(house, manifest)
    _declare(house, manifest)
    house.given = frozenset(tool.spec.name for tool in given if not tool.spec.reads)
    house.effects = _effects(house, manifest) | house.given
    house.spend = budgeted(manifest, clock)
    meters = [meter for meter in (SlidingWindow(rates, clock) if rates else None, house.spend) if meter is not None]
    house.meter = Meters(*meters) if meters else None
    return house


def _known(
    house: House, manifest: Manifest, clock: Clock, notice: Callable[[str], None] | None
) -> Sequence[tools.Tool]:
    """The tools over what the agent knows and remembers, if it does."""
    if manifest.memory.enabled:
        from .knowing.remembering import remember

        remember(house, manifest, clock)
    from .knowing import library

    watched(manifest)  # canaries that cannot be read are none that could be kept in
    if not library.used(manifest):
        return ()
    from .knowing import kb
    from .knowing.fresh import Fresh

    house.launcher = house.launcher or _launcher(house, manifest)
    opened = library.open_library(manifest, house.launcher)
    house.fresh = Fresh(opened, manifest, notice)
    house.closers[:0] = [house.fresh.aclose, opened.aclose]
    audience = library.audience_of(manifest.knowledge.embedding)
    live, knowledge = house.read_more.live, manifest.knowledge
    return kb.tools_of(
        opened, live, house.ranker, clock=clock, audience=audience, room=manifest.workflow.result_chars,
        passages=knowledge.passages, rerank=knowledge.rerank,
    )  # fmt: skip


def _mean(house: House, manifest: Manifest) -> None:
    """Files are found by meaning too, where the manifest has a model of this machine make vectors of texts."""
    knowledge = manifest.knowledge
    wanted = "embedding" in knowledge.model_fields_set or any(one.vectors for one in knowledge.collections)
    if not wanted or knowledge.embedding.provider != "embedded" or FIND not in house.sinks:
        return
    from .knowing import library

    embedder = library.embedder_of(knowledge.embedding, data_home())
    house.sinks[FIND] = Meant(house.sinks[FIND], embedder)
    house.closers.append(embedder.aclose)


def _launcher(house: House, manifest: Manifest) -> Chosen:
    launcher = Chosen(manifest.sandbox)
    house.closers.append(launcher.aclose)
    return launcher


def _connect(
    house: House,
    manifest: Manifest,
    config: Tier,
    *,
    before: Before,
    notice: Callable[[str], None] | None,
    model: Sink | None,
) -> None:
    backend = backends.from_manifest(config, manifest.inference, home=data_home(), notice=notice)
    name = f"model:{config.name}"
    house.specs[name] = SinkSpec(
        name,
        pin=config.model,
        effect=Effect.READ,
        confined=backend.audience is None,  # on this machine: nothing leaves
        audience=backend.audience,
        output=IDENTITY,  # what a model says is labelled by what it was shown
    )
    house.sinks[name] = before.of(config, model or backend.sink, backend=backend if model is None else None)
    if config.redact:
        from ringfence.redaction.veil import Veil, Veiled

        house.veils[name] = veil = Veil(_redactor(house, manifest))
        house.sinks[name] = Veiled(house.sinks[name], veil)
    if model is None:
        house.backends.append(backend)


def _redactor(house: House, manifest: Manifest) -> Redactor:
    """The one redactor of an agent, so that its log and its model say the same."""
    if house.redactor is None:
        house.redactor = redactor_of(manifest)
    return house.redactor


def _touches(config: Tool) -> bool:
    """Whether a group reaches anything of the world, and so runs out of this process."""
    pure = isinstance(config, BuiltinTool) and config.name in ("calc", "time", "text") and not config.target_paths
    return not pure


def _tools_of(house: House, manifest: Manifest, config: Tool, clock: Clock) -> Sequence[tools.Tool]:
    """The tools of one entry of a manifest; raises ManifestError for one that cannot be used."""
    readers = _clauses(config.readers or config.callers)
    callers = frozenset(config.callers) if config.callers else None
    if isinstance(config, BuiltinTool):
        return tools.from_manifest(
            config,
            root=manifest.root,
            readers=readers,
            callers=callers,
            clock=clock,
            result_chars=manifest.workflow.result_chars,
            workshop=house.workshop,
            looks=not _told_apart(manifest.catalogue.get("csv.sql" if config.name == "csv" else "sql.query")),
        )
    assert house.workshop is not None
    if isinstance(config, PythonTool):
        from ringfence.tools.functions import from_module

        tool = from_module(
            config,
            root=manifest.root,
            readers=readers,
            callers=callers,
            workshop=house.workshop,
            plugins=manifest.plugins,
            entry=manifest.catalogue.get(config.name),
        )
        return [tool]
    from ringfence.tools import mcp

    if house.lock is None:
        house.lock = mcp.read(manifest.root)
    use = Use(callers, Label(Trust.UNTRUSTED, readers))
    server = mcp.from_manifest(
        config,
        root=manifest.root,
        workshop=house.workshop,
        lock=house.lock,
        catalogue=manifest.catalogue,
        use=use,
        confined=manifest.sandbox != "unsafe-none",
    )
    house.servers.append(server)
    house.closers.insert(0, server.aclose)
    return server.tools


def _told_apart(entry: Entry | None) -> bool:
    """Whether the operator has said of parts of a result who may read them, or whose they are."""
    return entry is not None and bool(entry.output or entry.about)


def _declare(house: House, manifest: Manifest) -> None:
    """The operator's word replaces what ships; what they say about a tool that is not there is refused."""
    made: dict[str, tuple[Any, Any]] = {
        name.removeprefix("tool:"): (spec.schema, None) for name, spec in house.specs.items() if name[:5] == "tool:"
    }
    for server in house.servers:
        made |= {f"{server.alias}.{name}": (None, None) for name in server.quarantined}
    absent = [server.alias for server in house.servers if "*" in server.quarantined]
    acting = [name.removeprefix("tool:") for name, spec in house.specs.items() if not spec.reads]
    check_names(manifest, made, absent=absent, acting=acting)
    servers = {server.alias for server in house.servers}  # which have taken the operator's word in already
    for name, entry in manifest.catalogue.items():
        spec = house.specs.get(f"tool:{name}")
        if spec is not None and name.partition(".")[0] not in servers:
            house.specs[spec.name] = declared(spec, entry)
    house.about = {f"tool:{name}": entry.about for name, entry in manifest.catalogue.items() if entry.about}
    for name, spec in house.specs.items():
        if spec.keyed:
            house.specs[name], house.sinks[name] = handed(spec, house.sinks[name])


def _effects(house: House, manifest: Manifest) -> frozenset[str]:
    """POL-3: an effect is granted by name. A tool that only exists because its permission was written is named."""
    if manifest.grant.effects is not None:
        return frozenset(f"tool:{name}" for name in manifest.grant.effects) & house.specs.keys()
    return frozenset(name for name, spec in house.specs.items() if not spec.reads)


def _clauses(readers: Sequence[str] | None) -> frozenset[Clause]:
    if not readers or "public" in readers:
        return frozenset()
    return frozenset({frozenset(readers)})
