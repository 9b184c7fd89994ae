"""A tool is a catalogue entry and a sink. `define` makes both from a model of arguments and a function."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ringfence.core.errors import ToolError
from ringfence.core.labels import IDENTITY, NOBODY, Clause, Label
from ringfence.core.policy import Effect, Role, SinkSpec
from ringfence.core.ports import Sink
from ringfence.core.values import JSON, Action, Outcome, digest

GRACE_S = 2.0  # a thread bounds its own time; this much later nobody waits for it any more


class Args(BaseModel):
    """Arguments of a tool: few fields, short descriptions, defaults instead of nulls (small models fill them in)."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


# `x-from` closes an argument to values that results have shown under a key: see `engine.step.grammar`.
KNOWN_PATH = {"x-from": {"key": "path"}}
KNOWN_PLACE = {"x-from": {"key": "path", "folders": True}}  # or the folder of such a one
KNOWN_TABLE = {"x-from": {"key": "path", "ends": [".csv", ".tsv", ".jsonl", ".ndjson"]}}
LINK_OF_URL = {"x-ours": {"link-of": "url"}}  # never asked of a model: the runtime fills it in

A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Tool:
    """What the gate decides by, and what it performs. `preview` shows a person what a call would change: a diff."""

    spec: SinkSpec
    sink: Sink
    preview: Callable[[Mapping[str, JSON]], Awaitable[str]] | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """How the operator lets a group of tools be used: who may call, and the label of what comes back."""

    callers: Clause | None = None
    output: Label = IDENTITY
    roles: Mapping[str, Role] = field(default_factory=dict)


def specify(name: str, summary: str, args: type[BaseModel], *, use: Use, **catalogue: Any) -> SinkSpec:
    """The catalogue entry of `tool:<name>`: its pinned schema, who may call it, and whatever `SinkSpec` declares.

    Arguments are control (DESIGN 7, POL-4) unless `roles` says otherwise; the operator's `use` wins over both.
    """
    schema = schema_of(args)
    roles = {**catalogue.pop("roles", {}), **use.roles}
    return SinkSpec(
        name=f"tool:{name}",
        pin=digest([name, schema]),
        summary=summary,
        schema=schema,
        check=checker(args),
        roles={key: roles.get(key, Role.CONTROL) for key in schema.get("properties", {})},
        callers=use.callers,
        output=use.output,
        **catalogue,
    )


def define(
    name: str,
    summary: str,
    args: type[A],
    function: Callable[[A], JSON],
    *,
    use: Use,
    timeout_s: float | None = None,
    quick: Callable[[A], bool] | None = None,
    opens: str | None = None,
    grounded: frozenset[str] = frozenset(),
    suits: str = "",
    under: Sequence[str] = (),
) -> Tool:
    """A confined, read-only tool `tool:<name>`. `opens`, `grounded`, `suits`: see `SinkSpec`. `under`: the folders of
    the files that it can be given.

    `function` gets the checked arguments and returns a JSON value, or raises ToolError. With `timeout_s` it blocks:
    it runs in a thread and bounds its own time to about that; without, it is pure and quick and runs in the event loop.
    `quick` says for which arguments a blocking one is pure and quick all the same.
    """
    spec = specify(
        name, summary, args, use=use, effect=Effect.READ, confined=True, audience=NOBODY, repeats=1, opens=opens,
        roles=dict.fromkeys(args.model_fields, Role.LOW), grounded=grounded, suits=suits,
    )  # fmt: skip
    if under:
        spec = replace(spec, schema=_within(spec.schema, list(under)))
    if timeout_s is None:
        return Tool(spec, _Quick(args, function))
    return Tool(spec, _Threaded(name, args, function, timeout_s, quick))


def _within(schema: Any, under: list[str]) -> Any:
    """The schema whose files are in these folders."""
    match schema:
        case {"x-from": {"key": "path", **rule}, **rest}:
            return {**rest, "x-from": {"key": "path", **rule, "under": under}}
        case dict():
            return {name: _within(value, under) for name, value in schema.items()}
    return schema


class _Quick(Generic[A]):
    def __init__(self, args: type[A], function: Callable[[A], JSON]) -> None:
        self._args = args
        self._function = function

    async def perform(self, action: Action) -> Outcome:
        return Outcome(self._function(parse(self._args, action.args)))


class _Threaded(Generic[A]):
    def __init__(
        self,
        name: str,
        args: type[A],
        function: Callable[[A], JSON],
        timeout_s: float,
        quick: Callable[[A], bool] | None,
    ) -> None:
        self._name = name
        self._quick = quick
        self._args = args
        self._function = function
        self._timeout_s = timeout_s

    async def perform(self, action: Action) -> Outcome:
        args = parse(self._args, action.args)
        if self._quick is not None and self._quick(args):
            return Outcome(self._function(args))
        try:
            async with asyncio.timeout(self._timeout_s + GRACE_S):
                return Outcome(await asyncio.to_thread(self._function, args))
        except TimeoutError:
            raise ToolError(f"{self._name} did not end within {self._timeout_s:g} s", todo="ask for less") from None


def parse(args: type[A], given: Mapping[str, JSON]) -> A:
    """The arguments as their model; raises ToolError with the first mismatch."""
    try:
        return args.model_validate(given)
    except ValidationError as error:
        raise ToolError(explain(args, error)) from None


def checker(args: type[BaseModel]) -> Callable[[Mapping[str, JSON]], Mapping[str, JSON]]:
    """A `SinkSpec.check`: the arguments with their defaults filled in, or ValueError with one short line."""

    def check(given: Mapping[str, JSON]) -> Mapping[str, JSON]:
        try:
            return args.model_validate(given).model_dump(mode="json")
        except ValidationError as error:
            raise ValueError(explain(args, error)) from None

    return check


def explain(args: type[BaseModel], error: ValidationError) -> str:
    """The first mismatch, in words that a small model can act upon."""
    first = error.errors(include_url=False, include_context=False)[0]
    path = [str(part) for part in first["loc"]]
    name = ".".join(path)
    known = args.model_fields.get(path[0]) if path else None
    hint = f"; give {known.description}" if known is not None and known.description else ""
    if first["type"] == "missing":
        return f"{name} is missing{hint}"
    if first["type"] == "extra_forbidden":
        return f"there is no argument {name!r}; there are: {', '.join(args.model_fields) or 'none'}"
    given = repr(first["input"])
    given = given if len(given) <= 80 else given[:77] + "..."
    return f"{name or 'arguments'}: {first['msg'].removeprefix('Value error, ')}, not {given}{hint}"


def schema_of(args: type[BaseModel]) -> JSON:
    """JSON Schema without titles, references and the docstrings of models, so that it can be put inside another one."""
    raw = args.model_json_schema()
    return _plain(raw, raw.get("$defs", {}))


def _plain(node: JSON, definitions: Mapping[str, JSON], *, names: bool = False) -> JSON:
    """`names`: the keys of this node are property names, where a property may well be called `title`."""
    if isinstance(node, list):
        return [_plain(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if not names and "$ref" in node:
        return _plain(definitions[node["$ref"].rpartition("/")[2]], definitions)
    dropped = () if names else ("title", "$defs", *(["description"] if "properties" in node else []))
    return {
        key: _plain(value, definitions, names=key == "properties" and not names)
        for key, value in node.items()
        if key not in dropped
    }
