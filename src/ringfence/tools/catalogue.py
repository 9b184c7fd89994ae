"""The operator's word on a tool, which replaces what ships, and whatever the tool says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ringfence.core.errors import ManifestError
from ringfence.core.labels import ANYONE, Audience, Trust, seen_by
from ringfence.core.policy import Effect, Leaf, Role, SinkSpec
from ringfence.core.ports import Sink
from ringfence.core.values import JSON, Action, Outcome

ANY_KEY = "00000000-0000-8000-8000-000000000000"  # stands for a key where there is none yet

if TYPE_CHECKING:
    from ringfence.manifest.security import Entry
    from ringfence.manifest.security import Leaf as Declared


def declared(spec: SinkSpec, entry: Entry) -> SinkSpec:
    """The catalogue entry as the operator wrote it: what they did not write is what a tool nobody described has.

    Two things stay unless they are written, for each only ever restricts: who may call it, and the label of what comes
    back. Raises ManifestError for an argument that the tool does not have, and for a pointer that is none (RFC 6901).
    """
    name = spec.name.removeprefix("tool:")
    known = _arguments(spec)
    if strays := sorted(at for at in entry.args if at.partition("/")[0] not in known):
        todo = f"there are: {', '.join(sorted(known)) or 'none'}"
        raise ManifestError(f"catalogue.{name}.args: there is no argument {strays[0]!r}", todo=todo)
    for pointer in entry.output:
        _check_pointer(name, pointer)
    return replace(
        spec,
        effect=Effect(entry.effect),
        confined=entry.confined,
        reversible=entry.reversible,
        idempotent=entry.idempotent,
        ask=entry.ask,
        roles={argument: Role(word.role) for argument, word in entry.args.items()},
        types={argument: word.type for argument, word in entry.args.items() if word.type},
        words={argument: word.words for argument, word in entry.args.items() if word.words},
        leaves={pointer: _leaf(leaf) for pointer, leaf in entry.output.items()},
        audience=_audience(entry.audience),
        callers=frozenset(entry.callers) if entry.callers is not None else spec.callers,
        keyed=entry.idempotency_key or "",
    )


def handed(spec: SinkSpec, sink: Sink) -> tuple[SinkSpec, Sink]:
    """A tool whose argument `spec.keyed` is the call's idempotency key: filled in on the way out, and never by a model.

    The argument is in no schema that is shown, and whoever gives it is refused. Raises ManifestError for one that takes
    no such text.
    """
    name, keyed = spec.name.removeprefix("tool:"), spec.keyed
    schema = dict(spec.schema or {})
    properties: dict[str, Any] = dict(schema.get("properties", {}))
    kind = properties.pop(keyed, {}).get("type", "string")
    if "string" not in (kind if isinstance(kind, list) else [kind]):
        raise ManifestError(
            f"catalogue.{name}.idempotency_key: expected an argument that takes a text, got {keyed} of {kind}",
            todo="name the argument that the tool knows a repeated call by",
        )
    required = [argument for argument in schema.get("required", ()) if argument != keyed]
    check = spec.check

    def without(args: Mapping[str, JSON]) -> Mapping[str, JSON]:
        if keyed in args:
            raise ValueError(f"there is no argument {keyed!r}: the runtime fills it in")
        full = check({**args, keyed: ANY_KEY})
        return {argument: value for argument, value in full.items() if argument != keyed}

    shown = {**schema, "properties": properties, "required": required}
    return replace(spec, schema=shown, check=without), Keyed(sink, keyed)


@dataclass(frozen=True, slots=True)
class Keyed:
    """A sink that gets the call's idempotency key as one of its arguments."""

    inner: Sink
    argument: str

    async def perform(self, action: Action) -> Outcome:
        """Do it, under its key."""
        return await self.inner.perform(replace(action, args={**action.args, self.argument: action.key}))


def _leaf(leaf: Declared) -> Leaf:
    readers = frozenset({frozenset(leaf.readers)}) if leaf.readers and "public" not in leaf.readers else frozenset()
    return Leaf(leaf.type, Trust[leaf.trust.upper()], readers, leaf.sole)


def _audience(who: tuple[str, ...] | None) -> Audience | None:
    """`self` is the run's own principal, which is whoever it is; others beside it are named."""
    if who is None:
        return ANYONE
    if who == ("self",):
        return None
    return seen_by(one for one in who if one != "self")


def _arguments(spec: SinkSpec) -> set[str]:
    schema: JSON = spec.schema
    return set(schema.get("properties", {})) if isinstance(schema, dict) else set()


def _check_pointer(name: str, pointer: str) -> None:
    """RFC 6901, 3: reference tokens after slashes; `~` only as `~0` and `~1`."""
    plain = pointer.removesuffix("#").replace("~0", "").replace("~1", "")
    if (pointer and not pointer.startswith("/")) or "~" in plain:
        todo = "write /items/*/sender, say; `~` is ~0 and `/` in a name is ~1"
        raise ManifestError(f"catalogue.{name}.output: {pointer!r} is no JSON pointer", todo=todo)
