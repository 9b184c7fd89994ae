"""Names by which one part of a manifest means another: of tools, of their arguments, of the parts of their results."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .fields import nearest
from .problems import At
from .strict import Conflict
from .tools import ALWAYS_THERE, MEMORY, TOOLS_OF

if TYPE_CHECKING:
    from .types import Manifest


def clashes(
    tools: Sequence[tuple[str, str]], tiers: list[str], collections: list[str], meant: Mapping[At, Iterable[str]]
) -> Iterator[Conflict]:
    """Names used twice, and names of tools that are not there. Names alone: they can be had of a broken file.

    `tools` are the names of the groups, each with its type; `meant` are names of tools, by the place that lists them.
    """
    for what, at, names in (
        ("tool", ("tools",), [name for name, _ in tools]),
        ("tier", ("inference", "tiers"), tiers),
        ("collection", ("knowledge", "collections"), collections),
    ):
        for n, name in enumerate(names):
            if name and name in names[:n]:
                yield (
                    (*at, n, "name"),
                    f"expected a name of its own, got {name!r}, which another {what} has; rename one",
                )
    for place, name in _each(meant):
        if problem := _stranger(name, tools):
            yield place, problem


def _each(meant: Mapping[At, Iterable[str]]) -> Iterator[tuple[At, str]]:
    """Each name with its place: its number in a list, itself as a key; of a reconcile or a check, the key it is at."""
    for at, names in meant.items():
        if isinstance(names, Mapping) and (at[2:] == ("reconcile",) or at[:2] == ("workflow", "validate")):
            yield from (((*at, key), name) for key, name in names.items())
            continue
        for n, name in enumerate(names):
            yield (*at, n if isinstance(names, list | tuple) else name), name


def _stranger(name: str, tools: Sequence[tuple[str, str]]) -> str:
    """Why no tool can have this name; empty if there may be such a tool: other servers name their own."""
    group, types = name.partition(".")[0], dict(tools)
    if name in ALWAYS_THERE or (name in MEMORY and group not in types):
        return ""
    if group not in types:
        hint = nearest(group, filter(None, types)) if any(types) else "no tool is listed"
        return f"expected a tool that is listed under tools, got {group!r}; {hint}"
    known = TOOLS_OF.get(group, ()) if types[group] == "builtin" else ()
    if not known or name in known:
        return ""
    hint = nearest(name, known) if "." in name else f"known are {', '.join(sorted(known))}"
    return f"expected a tool of {group}, got {name!r}; {hint}"


def misnamed(
    manifest: Manifest, tools: Mapping[str, tuple[Any, Any]], *, absent: Collection[str] = ()
) -> Iterator[Conflict]:
    """Names of tools, arguments and parts of results that there are not: see `loader.check_names`."""
    known = {name for name in (*tools, *ALWAYS_THERE) if name.partition(".")[0] not in absent}
    for at, name in _each(manifest.meant):
        if name not in known and name.partition(".")[0] not in absent:
            yield at, f"expected a tool that there is, got {name!r}; {nearest(name, known)}"
    for name in manifest.catalogue.keys() & tools.keys():
        entry, (arguments, result) = manifest.catalogue[name], tools[name]
        properties = _properties(arguments)
        for argument in entry.args:
            if argument not in properties:
                hint = nearest(argument, properties) if properties else "it takes none"
                yield ("catalogue", name, "args", argument), f"expected an argument of {name}, got {argument!r}; {hint}"
        for pointer in entry.output:
            if problem := pointer_problem(pointer, result):
                yield ("catalogue", name, "output", pointer), problem


def unanswerable(
    manifest: Manifest, tools: Mapping[str, tuple[Any, Any]], acting: Collection[str]
) -> Iterator[Conflict]:
    """Of what the catalogue says about calls that a crash hid: keys that no argument takes, and lookups that cannot be.

    `acting`: see `loader.check_names`.
    """
    for name in manifest.catalogue.keys() & tools.keys():
        entry, own = manifest.catalogue[name], _properties(tools[name][0])
        if entry.idempotency_key is not None and entry.idempotency_key not in own:
            at, got = ("catalogue", name, "idempotency_key"), entry.idempotency_key
            yield at, f"expected an argument of {name}, got {got!r}; {nearest(got, own) if own else 'it takes none'}"
        way = entry.reconcile
        if way is None or way.by not in tools:
            continue
        known, place = _properties(tools[way.by][0]), ("catalogue", name, "reconcile")
        said = manifest.catalogue.get(way.by)
        if (said.effect != "read") if said is not None else (way.by in acting):
            yield (
                (*place, "by"),
                f"expected a tool that only reads, got {way.by!r}; whoever looks a call up must not make another",
            )
        for argument, value in way.args.items():
            if argument not in known:
                hint = nearest(argument, known) if known else "it takes none"
                yield (*place, "args", argument), f"expected an argument of {way.by}, got {argument!r}; {hint}"
            for problem in _placeholder(value, name, {*own} - {entry.idempotency_key}):
                yield (*place, "args", argument), problem


def _placeholder(value: Any, name: str, own: Collection[str]) -> Iterator[str]:
    """What is wrong with a `$` at the beginning of a lookup's argument."""
    if not isinstance(value, str) or not value.startswith("$") or value == "$key":
        return
    where, _, argument = value.partition("/")
    if where != "$args":
        yield f"expected $key or $args/NAME, got {value!r}; a plain text does not begin with a $"
    elif argument not in own:
        hint = nearest(argument, own) if own else "it takes none"
        yield f"expected an argument of {name} after $args/, got {argument!r}; {hint}"


def _properties(schema: Any) -> Mapping[str, Any]:
    found = schema.get("properties", {}) if isinstance(schema, dict) else {}
    return found if isinstance(found, dict) else {}


def pointer_problem(pointer: str, schema: Any) -> str:
    """Why nothing can be at a JSON pointer (RFC 6901, `*` for every member) of a result; empty if something may be.

    `schema` is the JSON Schema of the results, or None: then anything may be anywhere.
    """
    here = [schema]
    for part in (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]):
        options = [option for part_of in here for option in _options(part_of, schema, 0)]
        inner = [_member(option, part) for option in options]
        if None in inner or not inner:
            return ""  # not described any further
        here = [found for several in inner for found in several or ()]
        if not here:
            known = {name for option in options for name in option.get("properties", ())}
            hint = nearest(part, known) if known else "the result has no such part"
            return f"expected a part of the result, got {part!r}; {hint}"
    return ""


def _options(schema: Any, root: Any, depth: int) -> Iterator[dict[str, Any]]:
    """What a schema may stand for: itself, what it refers to, and its choices."""
    if not isinstance(schema, dict) or depth > 8:
        yield {}
        return
    further = [option for key in ("anyOf", "oneOf", "allOf") for option in schema.get(key, ())]
    if isinstance(ref := schema.get("$ref"), str):
        target = root
        for part in ref.removeprefix("#").split("/")[1:]:
            target = target.get(part) if isinstance(target, dict) else None
        further.append(target)
    for option in further:
        yield from _options(option, root, depth + 1)
    if not further or "properties" in schema or "items" in schema:
        yield schema


def _member(schema: Mapping[str, Any], part: str) -> list[Any] | None:
    """The schemas of a member, none if there can be no such member, None if the schema does not say."""
    properties, items = schema.get("properties"), schema.get("items")
    if isinstance(properties, dict):
        if part == "*":
            return list(properties.values())
        if part in properties:
            return [properties[part]]
        return None if schema.get("additionalProperties") or schema.get("patternProperties") else []
    if isinstance(items, dict):
        return [items] if part == "*" or part.isdecimal() else []
    if schema.get("type") in ("string", "number", "integer", "boolean", "null"):
        return []
    return None
