"""A Python function as a tool: signature, docstring and decorator are schema, summary and catalogue entry.

One that is handed over in code (`ringfence.load(path, functions=[...])`) is the embedding program's own, and runs in
its process with all of its rights. One that a manifest names (see `functions`) is imported and run in a confined worker
alone.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, PydanticUserError, create_model

from ringfence.core.errors import ManifestError, RingfenceError, ToolError, Uncertain
from ringfence.core.labels import ANYONE, NOBODY, Audience, Clause, Label, Trust, seen_by
from ringfence.core.policy import Effect, Role, SinkSpec
from ringfence.core.values import JSON, Action, Outcome, canonical, digest

from .tool import Tool, checker, parse, schema_of

F = TypeVar("F", bound=Callable[..., Any])
MAX_SUMMARY = 2_000  # characters
_MARK = "__ringfence_tool__"


@dataclass(frozen=True, slots=True)
class Declared:
    """What the author of a function says about it."""

    effect: Effect = Effect.COMMIT
    name: str = ""
    roles: Mapping[str, Role] = field(default_factory=dict)
    idempotent: bool = False
    ask: bool = False
    audience: tuple[str, ...] | None = None
    keyed: str = ""

    @property
    def sees(self) -> Audience | None:
        """Everyone who will see what goes in; nobody, for a function that only reads and says nothing else."""
        if self.audience is None:
            return NOBODY if self.effect is Effect.READ else ANYONE
        if self.audience == ("self",):
            return None
        return seen_by(self.audience)


def tool(
    effect: str = "read",
    *,
    name: str | None = None,
    roles: Mapping[str, str] | None = None,
    idempotent: bool = False,
    ask: bool = False,
    audience: Sequence[str] | None = None,
    idempotency_key: str = "",
) -> Callable[[F], F]:
    """Declare a function as a tool. It stays callable, and its author vouches for what is declared.

    effect      "read" changes nothing and sends nothing out; else "write", "egress", "destroy", "commit" ...
    name        what the model calls it; the function's own name by default
    roles       argument -> "control" (who, what, where, how much; the default), "text" or "low"
    idempotent  the same call twice does what one does: it may be redone after a crash
    ask         a human has to say yes to each call
    audience    who will see what goes in: ["self"], ["role:ops", "user:ann"], ["public"] or [] for nobody; a function
                with an effect that does not say gets public content only, which a run never is
    idempotency_key  the argument that gets the call's key, by which the function knows a call that is made again after
                a crash, and does it once; the model neither sees nor fills it

    >>> @tool("read")
    ... def on_call(team: str) -> str:
    ...     "Who is on call for a team."
    ...     return {"ops": "Ann"}.get(team, "nobody")
    >>> on_call("ops")
    'Ann'
    """
    try:
        declared = Declared(
            Effect(effect),
            name or "",
            {argument: Role(role) for argument, role in (roles or {}).items()},
            idempotent,
            ask,
            None if audience is None else tuple(audience),
            idempotency_key,
        )
    except ValueError as error:
        known = f"effects: {', '.join(Effect)}; roles: {', '.join(Role)}"
        raise ManifestError(f"@tool: {error}", todo=f"use one of the {known}") from None

    def mark(function: F) -> F:
        setattr(function, _MARK, declared)
        return function

    return mark


def from_function(
    function: Callable[..., Any],
    readers: frozenset[Clause] = frozenset(),
    callers: Clause | None = None,
    *,
    name: str | None = None,
) -> Tool:
    """The tool of a function; one that was not decorated is a commit, every argument of it control.

    `readers` may read what it returns; nobody vouches for that. Raises ManifestError for a signature without a schema.
    """
    declared: Declared = getattr(function, _MARK, Declared())
    args = _arguments(function)
    known = name or declared.name or function.__name__
    if stray := ({*declared.roles, declared.keyed} - {*args.model_fields, ""}):
        raise ManifestError(f"@tool of {known}: there is no argument {sorted(stray)[0]!r}")
    schema = schema_of(args)
    reads = declared.effect is Effect.READ
    spec = SinkSpec(
        name=f"tool:{known}",
        pin=digest([known, schema]),
        summary=" ".join((inspect.getdoc(function) or known).partition("\n\n")[0].split()),
        schema=schema,
        check=checker(args),
        effect=declared.effect,
        confined=reads,
        idempotent=declared.idempotent,
        ask=declared.ask,
        roles=dict(declared.roles),
        callers=callers,
        audience=declared.sees,
        output=Label(Trust.UNTRUSTED, readers),
        keyed=declared.keyed,
    )
    return Tool(spec, _Function(known, args, function))


def imported(module: str, function: str, name: str, path: str) -> Tool:
    """The tool of a function that is found by its name, in the modules of `path` first. Runs the module's code."""
    sys.path.insert(0, path)
    try:
        found = getattr(importlib.import_module(module), function)
    except (Exception, SystemExit) as error:  # the author's code: whatever it raises is a function that is not there
        raise ManifestError(f"cannot be imported: {error!r:.300}", todo="correct the module, or its name") from None
    if not callable(found):
        raise ManifestError(f"{function} is no function")
    return from_function(found, name=name)


def described(spec: SinkSpec) -> JSON:
    """What a worker says about the function that it serves."""
    return {
        "summary": spec.summary[:MAX_SUMMARY],
        "schema": spec.schema,
        "effect": str(spec.effect),
        "idempotent": spec.idempotent,
        "keyed": spec.keyed,
        "ask": spec.ask,
        "roles": {name: str(role) for name, role in spec.roles.items()},
        "audience": None if spec.audience is None else sorted(sorted(member) for member in spec.audience),
    }


def _arguments(function: Callable[..., Any]) -> type[BaseModel]:
    """The parameters as a model. Annotations and defaults are the author's; one without annotation is refused."""
    name = function.__name__
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise ManifestError(f"the annotations of {name} cannot be read: {error}") from None
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise ManifestError(f"{name}: a tool takes arguments by name, not {parameter}")
        if parameter.name not in hints:
            raise ManifestError(
                f"{name}: the argument {parameter.name} has no type", todo=f"write {parameter.name}: str, say"
            )
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    try:
        model: type[BaseModel] = create_model(
            name, __config__=ConfigDict(extra="forbid", frozen=True, protected_namespaces=()), **fields
        )
        model.model_json_schema()
    except (PydanticUserError, NameError, TypeError) as error:
        raise ManifestError(
            f"the arguments of {name} have no JSON schema: {str(error).partition(chr(10))[0]}"
        ) from None
    return model


class _Function:
    def __init__(self, name: str, args: type[BaseModel], function: Callable[..., Any]) -> None:
        self._name = name
        self._args = args
        self._function = function

    async def perform(self, action: Action) -> Outcome:
        args = parse(self._args, action.args)
        given = {key: getattr(args, key) for key in self._args.model_fields}
        try:
            if inspect.iscoroutinefunction(self._function):
                value = await self._function(**given)
            else:
                value = await asyncio.to_thread(self._function, **given)
        except Uncertain:
            raise
        except RingfenceError as error:
            raise ToolError(error.what, todo=error.todo) from None
        except Exception as error:  # the author's code: whatever it raises is the tool's failure, without traceback
            raise ToolError(f"{self._name} failed: {str(error) or type(error).__name__}") from None
        return Outcome(self._json(value))

    def _json(self, value: Any) -> JSON:
        plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
        try:
            canonical(plain)
        except (TypeError, ValueError, RecursionError) as error:
            todo = "return strings, numbers, lists and dictionaries with string keys"
            raise Uncertain(f"{self._name} returned something that is not JSON: {error}", todo=todo) from None
        return plain
