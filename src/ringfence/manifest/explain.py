"""Validation errors in the operator's words: where it is, what was expected, what came, what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails, ValidationError

from .fields import PATTERNS, nearest
from .problems import At, shorten, words
from .source import Document
from .types import (
    BuiltinTool,
    Collection,
    Inference,
    Knowledge,
    Manifest,
    McpTool,
    PythonTool,
    Runtime,
    Sandbox,
    Tier,
    Workflow,
)
from .variables import looks_secret

TOOLS: dict[str, type[BaseModel]] = {"builtin": BuiltinTool, "mcp": McpTool, "python": PythonTool}
_SECTIONS: dict[str, type[BaseModel]] = {"runtime": Runtime, "knowledge": Knowledge, "workflow": Workflow}
_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a mapping of keys",
    "float_type": "a number",
    "int_type": "a whole number",
    "model_attributes_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "path_type": "a path",
    "string_too_short": "some text",
    "string_type": "text",
    "too_short": "at least one item",
    "tuple_type": "a list",
}
_UNQUOTED = re.compile(r"[-+]?[0-9.]+|true|false|yes|no|on|off", re.IGNORECASE)
_BOUNDS = {
    "greater_than_equal": "at least",
    "greater_than": "more than",
    "less_than_equal": "at most",
    "less_than": "less than",
}


def known_keys(model: type[BaseModel]) -> set[str]:
    """The keys that an operator may write in this part of a manifest."""
    return set(model.model_fields) - {"source"}


def explain(document: Document, error: ValidationError) -> None:
    """Note each error of the validation in the document."""
    for details in error.errors(include_url=False):
        at = _written_at(document.data, details["loc"])
        if details["type"] == "conflict":
            for below, text in details["ctx"]["found"]:
                document.complain((*at, *below), text)
            continue
        value = _lookup(document.data, at)
        text = _text(details, at, value)
        if text and not document.doubted(at):
            document.complain(at, text + _got(document, details, at, value), key=details["type"] == "extra_forbidden")


def _written_at(data: Any, loc: tuple[str | int, ...]) -> At:
    """A validator's location without the names of the union's members that it puts in between."""
    at = list(loc)
    if at[:1] == ["tools"] and len(at) > 2:
        del at[2]
        if "sandbox" in at[2:3] and len(at) > 3:
            del at[3]
    return tuple(at)


def _lookup(data: Any, at: At) -> Any:
    for part in at:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _text(details: ErrorDetails, at: At, value: Any) -> str:
    """What was expected; empty for an error that only repeats another one."""
    kind, context = details["type"], details.get("ctx", {})
    if "sandbox" in at and at[-1] == "sandbox" and kind != "missing":
        wanted = "true, false or a mapping of limits"
        return f"expected {wanted}" if kind == "bool_type" and not isinstance(value, Mapping) else ""
    if kind == "too_short" and value:
        return ""  # the list is short because its items were refused, which is said at each of them
    match kind:
        case "missing":
            return f"expected the key {at[-1]!r}"
        case "extra_forbidden":
            return "expected a known key"
        case "literal_error":
            return f"expected one of {', '.join(_choices(context))}"
        case "union_tag_invalid" | "union_tag_not_found":
            return f"expected type to be one of {', '.join(sorted(TOOLS))}"
        case "string_pattern_mismatch":
            return f"expected {PATTERNS[context['pattern']]}"
        case _ if kind in _BOUNDS:
            bound = next(iter(context.values()))
            return f"expected {_BOUNDS[kind]} {bound:g}"
        case _:
            return f"expected {_EXPECTED.get(kind) or details['msg']}"


def _got(document: Document, details: ErrorDetails, at: At, value: Any) -> str:
    """What came, and the next step where one is known."""
    kind = details["type"]
    match kind:
        case "missing":
            return ", got nothing; add it"
        case "extra_forbidden":
            return f", got {words(at[-1])}; {_known(document, at)}"
        case "union_tag_invalid" | "union_tag_not_found":
            tag = value.get("type") if isinstance(value, Mapping) else None
            return f", got {words(tag)}{_near(tag, TOOLS) if tag else '; add it'}"
    if kind == "url-secret" or any(isinstance(part, str) and looks_secret(part) for part in at):
        step = "use api_key" if kind == "url-secret" else "put it into .env, and its ${NAME} here"
        return f", got another value, which is not shown; {step}"
    if (written := document.written.get(document.place(at))) is not None:
        return f", got {words(written)}, whose variable holds something else; {_typed_hint(kind)}"
    return f", got {words(value)}{_hint(details, value)}"


def _hint(details: ErrorDetails, value: Any) -> str:
    match details["type"]:
        case "literal_error" if isinstance(value, str):
            return _near(value, _choices(details.get("ctx", {})))
        case "string_type" if isinstance(value, bool | int | float):
            return "; put it in quotes"
        case "int_type" | "float_type" | "bool_type" if isinstance(value, str) and _UNQUOTED.fullmatch(value):
            return "; write it without quotes"
        case "tuple_type" if isinstance(value, str | int | float):
            return f"; write [{shorten(str(value))}]"
    return ""


def _near(got: object, known: Iterable[str]) -> str:
    """The nearest of what the message lists already; nothing if none is near."""
    hint = nearest(got, known) if isinstance(got, str) else ""
    return f"; {hint}" if hint.startswith("did") else ""


def _typed_hint(kind: str) -> str:
    return "text needs quotes around it" if kind == "string_type" else "correct the variable"


def _choices(context: Mapping[str, Any]) -> list[str]:
    """The members of `'read', 'grep' or 'write'`."""
    return [choice.strip("'") for choice in context["expected"].replace(" or ", ", ").split(", ")]


def _known(document: Document, at: At) -> str:
    """The nearest key to an unknown one, or where it belongs, or all that are known there."""
    key, known = str(at[-1]), set().union(*(known_keys(model) for model in _models(document, at[:-1])))
    near = nearest(key, known)
    if near.startswith("did") or at[0] != "tools":
        return near
    others = [kind for kind, model in TOOLS.items() if key in known_keys(model)]
    return f"it belongs to type: {others[0]}" if others else near


def _models(document: Document, at: At) -> Iterator[type[BaseModel]]:
    """The types whose keys may be written at a place."""
    match at:
        case ():
            yield Manifest
        case ("inference",):
            yield Inference
        case ("inference", *_):
            yield from (Tier, Inference) if document.flat else (Tier,)
        case ("tools", int(), "sandbox"):
            yield Sandbox
        case ("tools", int(n)):
            yield TOOLS[document.data["tools"][n]["type"]]
        case ("knowledge", "collections", *_):
            yield Collection
        case (str(section),):
            yield _SECTIONS[section]
