"""Everything that a manifest names, made once: sinks with their catalogue entries, and what has to be closed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ringfence import backends, sandboxes, tools
from ringfence.backends.models import data_home
from ringfence.core.errors import ManifestError
from ringfence.core.labels import IDENTITY, Clause
from ringfence.core.policy import Effect, SinkSpec
from ringfence.core.ports import Clock, Launcher, Meter, Sink
from ringfence.core.values import JSON, Action, Outcome
from ringfence.engine.readmore import SPEC as READ_MORE
from ringfence.engine.readmore import ReadMore
from ringfence.manifest.types import BuiltinTool, Manifest, McpTool, Tool
from ringfence.stores.rates import SlidingWindow
from ringfence.tools.catalogue import declared
from ringfence.tools.python import from_function

REPLY = "reply:local"
PURE = frozenset({"calc", "time"})  # groups that touch nothing, and run in this process


class _Reply:
    """The sink of a local run: the caller takes the text from the result."""

    async def perform(self, action: Action) -> Outcome:
        return Outcome(len(action.args["text"]), IDENTITY)


@dataclass
class House:
    """What an agent is made of.

    specs, sinks  by sink name: what the gate decides by, and what it performs
    previews      by sink name: what a call would change, for the person who is asked
    reads         sinks that every task is granted; `effects` those that the manifest names
    closers       called once, when the agent is closed
    """

    specs: dict[str, SinkSpec] = field(default_factory=dict)
    sinks: dict[str, Sink] = field(default_factory=dict)
    previews: dict[str, Callable[[Mapping[str, JSON]], Awaitable[str]]] = field(default_factory=dict)
    backends: list[Any] = field(default_factory=list)
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    effects: frozenset[str] = frozenset()
    meter: Meter | None = None
    sandbox: str = ""
    read_more: ReadMore = field(default_factory=lambda: ReadMore(chars=4000))

    @property
    def reads(self) -> frozenset[str]:
        """Sinks that change nothing."""
        return frozenset(name for name, spec in self.specs.items() if spec.reads)

    def budgets(self, manifest: Manifest) -> dict[str, int]:
        """Calls per sink of one task."""
        both = {**manifest.workflow.limits, **manifest.grant.budgets}
        return {f"tool:{name}": count for name, count in both.items()}

    def add(self, tool: tools.Tool) -> None:
        """Take a tool in; raises ManifestError for a name that is taken."""
        name = tool.spec.name
        if name in self.specs:
            raise ManifestError(f"there are two tools called {name.removeprefix('tool:')}", todo="rename one")
        self.specs[name], self.sinks[name] = tool.spec, tool.sink
        if tool.preview is not None:
            self.previews[name] = tool.preview

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
) -> House:
    """Make everything that a manifest names, and `functions` as further tools. Starts no server yet.

    Raises ManifestError: a name is taken, a path is missing, the catalogue names what is not there, nothing confines.
    """
    house = House(read_more=ReadMore(chars=manifest.workflow.result_chars))
    house.specs[REPLY] = SinkSpec(REPLY, effect=Effect.READ, confined=True, audience=None, output=IDENTITY)
    house.sinks[REPLY] = _Reply()
    house.specs[READ_MORE.name], house.sinks[READ_MORE.name] = READ_MORE, house.read_more
    for config in manifest.inference.tiers:
        _connect(house, manifest, config, notice)
    launcher = None
    if any(_touches(config) for config in manifest.tools):
        launcher = sandboxes.choose(manifest.sandbox)
        house.sandbox = launcher.name
    rates: dict[str, str] = {}
    for tool_config in manifest.tools:
        made = _tools_of(house, manifest, tool_config, clock, launcher)
        for tool in made:
            house.add(tool)
        rates |= {tool.spec.name: tool_config.rate for tool in made if tool_config.rate}
    given = [from_function(function) for function in functions]
    for tool in given:
        house.add(tool)
    _declare(house, manifest)
    _check_names(house, manifest)
    house.effects = _effects(house, manifest) | {tool.spec.name for tool in given}
    house.meter = SlidingWindow(rates, clock) if rates else None
    return house


def _connect(house: House, manifest: Manifest, config: Any, notice: Callable[[str], None] | None) -> None:
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
    house.sinks[name] = backend.sink
    house.backends.append(backend)


def _touches(config: Tool) -> bool:
    """Whether a group reaches anything of the world, and so runs out of this process."""
    pure = isinstance(config, BuiltinTool) and (
        config.name in PURE or (config.name == "text" and not config.target_paths)
    )
    return not pure and not (isinstance(config, McpTool) and config.server_url)


def _tools_of(
    house: House, manifest: Manifest, config: Tool, clock: Clock, launcher: Launcher | None
) -> Sequence[tools.Tool]:
    """The tools of one entry of a manifest; raises ManifestError for one that cannot be used."""
    assert isinstance(config, BuiltinTool)
    return tools.from_manifest(
        config,
        root=manifest.root,
        readers=_clauses(config.readers or config.callers),
        callers=frozenset(config.callers) if config.callers else None,
        clock=clock,
        result_chars=manifest.workflow.result_chars,
    )


def _declare(house: House, manifest: Manifest) -> None:
    """The operator's word replaces what ships."""
    for name, entry in manifest.catalogue.items():
        if (spec := house.specs.get(f"tool:{name}")) is None:
            raise ManifestError(f"catalogue.{name}: expected a tool, got {name!r}", todo=_known(house))
        house.specs[spec.name] = declared(spec, entry)


def _check_names(house: House, manifest: Manifest) -> None:
    """A limit or a grant that names no tool would bound nothing."""
    named = {
        "workflow.limits": manifest.workflow.limits,
        "grant.budgets": manifest.grant.budgets,
        "grant.effects": manifest.grant.effects or (),
    }
    for where, names in named.items():
        for name in names:
            if f"tool:{name}" not in house.specs:
                raise ManifestError(f"{where}: expected a tool, got {name!r}", todo=_known(house))


def _known(house: House) -> str:
    return "there are: " + ", ".join(sorted(n.removeprefix("tool:") for n in house.specs if n.startswith("tool:")))


def _effects(house: House, manifest: Manifest) -> frozenset[str]:
    """POL-3: an effect is granted by name. A tool that only exists because its permission was written is named."""
    if manifest.grant.effects is not None:
        return frozenset(f"tool:{name}" for name in manifest.grant.effects)
    return frozenset(name for name, spec in house.specs.items() if not spec.reads)


def _clauses(readers: Sequence[str] | None) -> frozenset[Clause]:
    if not readers or "public" in readers:
        return frozenset()
    return frozenset({frozenset(readers)})
