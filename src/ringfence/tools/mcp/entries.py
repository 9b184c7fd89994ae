"""From an accepted tool and the operator's word on it to a catalogue entry. Nothing a server says is believed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ringfence.core.errors import ManifestError
from ringfence.core.labels import Audience, Trust
from ringfence.core.policy import Effect, Role, SinkSpec
from ringfence.core.values import JSON
from ringfence.manifest.names import pointer_problem
from ringfence.manifest.security import Entry

from ..catalogue import declared
from ..tool import Use
from . import schema
from .lock import Pinned
from .paths import Paths

ACTS: Final = frozenset({"write", "execute"})  # permissions for tools that may change something


def forbidden(name: str, entry: Entry | None, permissions: Sequence[str]) -> str:
    """Why a tool of a server may not be called, by the manifest's permissions; empty if it may.

    `write` and `execute` open every tool, `read` and `grep` those that the catalogue declares as reads. A tool without
    an entry is a commit, whatever its name; one that is called as a permission is meant by it, and stays a commit.
    """
    if not ACTS.isdisjoint(permissions) or (permissions and entry is not None and entry.effect == "read"):
        return ""
    if entry is None and name in permissions:
        return ""
    what = "nothing is declared about it" if entry is None else f"its effect is {entry.effect}"
    return f"{what}: it needs the permission write or execute, or the word of the catalogue that it only reads"


def specify(
    alias: str, tool: Pinned, entry: Entry | None, *, use: Use, sees: Audience | None, alone: bool, paths: Paths
) -> SinkSpec:
    """The catalogue entry of `tool:<alias>.<name>`.

    sees   everyone who sees what goes in, where the entry does not say
    alone  the kernel holds it: no network, and nothing but the declared paths
    Raises ManifestError for an entry that names an argument or a part of a result that is not there.
    """
    rules = schema.closed(tool.facts["inputSchema"])
    if rules.keys().isdisjoint(("anyOf", "oneOf", "allOf")):
        rules.setdefault("additionalProperties", False)
    held = schema.checked(rules)
    properties: dict[str, Any] = rules.get("properties", {})
    kinds = {} if entry is None else {key: value.type for key, value in entry.args.items() if value.type}

    def check(args: Mapping[str, JSON]) -> Mapping[str, JSON]:
        if wrong := held(dict(args)):
            raise ValueError(wrong)
        paths.hold(args, kinds)
        return args

    spec = SinkSpec(
        name=f"tool:{alias}.{tool.name}",
        pin=tool.pin,
        summary=" ".join(tool.description.split()) or tool.name,
        schema=schema.shown({"properties": {}, **rules, "type": "object"}),
        check=check,
        roles=dict.fromkeys(properties, Role.CONTROL),
        callers=use.callers,
        audience=sees,
        output=use.output.join(dataclasses.replace(use.output, trust=Trust.UNTRUSTED)),
    )
    return spec if entry is None else _declared(spec, entry, tool, alone=alone)


def _declared(spec: SinkSpec, entry: Entry, tool: Pinned, *, alone: bool) -> SinkSpec:
    """The operator's word; where it says nothing, what the sandbox holds stands."""
    name = spec.name.removeprefix("tool:")
    for pointer in entry.output:
        if problem := pointer_problem(pointer, tool.facts.get("outputSchema")):
            todo = "the output schema that was accepted is in ringfence.lock"
            raise ManifestError(f"catalogue.{name}: {problem}", todo=todo)
    said = declared(spec, entry)
    return dataclasses.replace(
        said,
        confined=said.confined or (alone and said.effect is Effect.READ),
        audience=spec.audience if entry.audience is None else said.audience,
    )
