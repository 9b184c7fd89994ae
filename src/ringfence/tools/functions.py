"""`module:function` of a manifest as a tool: imported in a worker alone, and known here by what the worker says."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.labels import Audience, Clause, Label, Trust
from ringfence.core.policy import Effect, Role, SinkSpec
from ringfence.core.values import JSON, digest

from . import signing
from .catalogue import declared
from .hosted import Hosted, job
from .tool import Tool
from .workshop import Workshop, audience_of, limits_of

if TYPE_CHECKING:
    from ringfence.manifest.security import Entry, Plugins
    from ringfence.manifest.types import PythonTool

MAX_TEXT = 4_000
PATHS = "RINGFENCE_PATHS"  # in a function's environment: its target_paths, absolute, as PATH is written


class _Described(BaseModel):
    """What a worker may say about a function; everything else is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    summary: Annotated[str, Field(max_length=MAX_TEXT)]
    schema_: Annotated[dict[str, Any], Field(alias="schema")]
    effect: Effect
    idempotent: bool
    keyed: str = ""
    ask: bool
    roles: dict[str, Role]
    audience: list[list[str]] | None


def from_module(
    config: PythonTool,
    *,
    root: Path,
    readers: frozenset[Clause],
    callers: Clause | None,
    workshop: Workshop,
    plugins: Plugins,
    entry: Entry | None = None,
) -> Tool:
    """The tool of a function that the manifest names. It is asked what it is in a worker that sees no more than code.

    Its workers see a copy of the modules that lie in `root`, never `root` itself: secrets and the journal lie there
    too. To serve it sees `target_paths`, which its environment names as RINGFENCE_PATHS, and may write there if the
    function's effect (the operator's word on it is `entry`) is not to read; it reaches the hosts of the manifest
    through our proxy.

    Blocks until the worker has said what the function is. Raises ManifestError for a function that cannot be imported,
    or is not signed where it has to be.
    """
    module, _, function = config.function.partition(":")
    code = _code(root, module, workshop.state / "modules", plugins)
    serve = {"function": {"name": config.name, "module": module, "function": function, "path": str(code.folder)}}
    secrets = {key: _revealed(config.name, key, ref.reveal()) for key, ref in config.secrets.items()}
    paths = tuple(str((root / path.expanduser()).resolve()) for path in config.target_paths)
    if missing := [path for path in paths if not Path(path).exists()]:
        raise ManifestError(f"target_paths: {missing[0]} is not there", todo="make it, or correct the path")
    known = {"HOME": "/tmp", PATHS: os.pathsep.join(paths)}
    alone = job((str(code.folder),), env={**known, **secrets}, limits=limits_of(config.limits))
    try:
        said = workshop.ask(alone, serve, config.name)
    except ToolError as error:
        raise ManifestError(f"{config.function}: {error.what}", todo=error.todo) from None
    spec = _spec(config, said, code.digest, callers, Label(Trust.UNTRUSTED, readers))
    spec = declared(spec, entry) if entry is not None else spec
    writes = paths if spec.effect is not Effect.READ else ()
    confined, hide = replace(alone, writes=writes), tuple(secrets.values())
    worker = workshop.add(confined, serve, config.name, places=paths, hide=hide, reaching=config)
    return Tool(spec, Hosted(worker, spec.name, spec.redo))


def _code(root: Path, module: str, store: Path, plugins: Plugins) -> signing.Snapshot:
    """What is run is what was checked: a copy that nobody may write to."""
    if not plugins.require_signature:
        return signing.keep(signing.modules(root), store)
    package = module.partition(".")[0]
    if not (root / package).is_dir():
        raise ManifestError(
            f"{module} is not in a package, and plugins.require_signature asks for signed ones",
            todo=f"put it into a folder beside the manifest and sign that: ringfence plugins sign {package} --key FILE",
        )
    return signing.snapshot(root / package, store, plugins.keys, below=package)


def _revealed(name: str, key: str, value: str | None) -> str:
    if value is None:
        raise ManifestError(f"tools.{name}.secrets: {key} is not set", todo="set it in the environment or in .env")
    return value


def _spec(config: PythonTool, said: JSON, code: str, callers: Clause | None, output: Label) -> SinkSpec:
    try:
        about = _Described.model_validate(said)
        check = _checker(about.schema_)
        named = {*about.roles, *filter(None, [about.keyed])}
        if about.schema_.get("type") != "object" or not named <= about.schema_["properties"].keys():
            raise ValueError("no schema of arguments")
    except (ValidationError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ManifestError(f"{config.function} is described wrongly: {error!s:.300}") from None
    return SinkSpec(
        name=f"tool:{config.name}",
        pin=digest([config.name, about.schema_, code]),
        summary=" ".join(about.summary.split()),
        schema=about.schema_,
        check=check,
        effect=about.effect,
        confined=about.effect is Effect.READ and not config.hosts,  # what may reach a host sends something out
        idempotent=about.idempotent,
        ask=about.ask,
        roles=about.roles,
        callers=callers,
        audience=_audience(config, about.audience),
        output=output,
        keyed=about.keyed,
    )


def _checker(schema: JSON) -> Callable[[Mapping[str, JSON]], Mapping[str, JSON]]:
    """A `SinkSpec.check` by a schema that was made in another process; the worker checks once more, by the types."""
    from .mcp.schema import checked, closed

    mismatch = checked(closed(schema))
    defaults = {name: rule["default"] for name, rule in schema["properties"].items() if "default" in rule}

    def check(given: Mapping[str, JSON]) -> Mapping[str, JSON]:
        if why := mismatch(dict(given)):
            raise ValueError(why)
        return {**defaults, **given}

    return check


def _audience(config: PythonTool, said: list[list[str]] | None) -> Audience | None:
    """Who the author says sees what goes in, and who is behind the hosts that it may reach."""
    if said is None and not config.hosts:
        return None
    return frozenset(map(frozenset, said or ())) | audience_of(config.hosts)  # no host adds nobody
