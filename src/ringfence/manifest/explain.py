"""Validation errors in the operator's words: where it is, what was expected, what came, what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails, ValidationError

from .fields import PATTERNS, RATE, nearest
from .problems import At, shorten, words
from .routing import Weights
from .shape import known_keys, models, secret, sections
from .source import Document
from .types import BuiltinTool, Inference, McpTool, PythonTool
from .variables import looks_secret

TOOLS: dict[str, type[BaseModel]] = {"builtin": BuiltinTool, "mcp": McpTool, "python": PythonTool}
_SHORT = {  # what may stand there instead of a mapping
    "Argument": "a role (control, text or low), or a mapping of keys",
    "Host": "a host such as docs.example.com:443, or a mapping of keys",
    "Leaf": "a kind of value such as email, date or path, or a mapping of keys",
    "Sandbox": "true, false or a mapping of limits",
}
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
_ANYWHERE = {  # keys of so many parts, or such plain words, that where they belong says nothing
    "name", "type", "source", "tool", *Weights.model_fields,
}  # fmt: skip
_UNQUOTED = re.compile(r"[-+]?[0-9.]+|true|false|yes|no|on|off", re.IGNORECASE)
_BOUNDS = {
    "greater_than_equal": "at least",
    "greater_than": "more than",
    "less_than_equal": "at most",
    "less_than": "less than",
}


def explain(document: Document, error: ValidationError) -> None:
    """Note each error of the validation in the document."""
    for details in error.errors(include_url=False):
        at = _written_at(details["loc"])
        if details["type"] == "conflict":
            for below, text in details["ctx"]["found"]:
                document.complain(_reached(document.data, (*at, *below))[0], text)
            continue
        if misspelt := at[-1:] == ("[key]",) and details["type"] == "string_pattern_mismatch":
            at, value = at[:-1], at[-2]  # the key itself is what is wrong
        else:
            at, value = _reached(document.data, at)
        text = _text(details, at, value)
        if text and not document.doubted(at):
            got = f", got {words(value)}" if misspelt else _got(document, details, at, value)
            document.complain(at, text + got, key=misspelt or details["type"] == "extra_forbidden")


def _written_at(loc: tuple[str | int, ...]) -> At:
    """A validator's location without the names of the union's members that it puts in between."""
    at = list(loc)
    if at[:1] == ["tools"] and len(at) > 2:
        del at[2]
        if "sandbox" in at[2:3] and len(at) > 3:
            del at[3]
    return tuple(at)


def _reached(data: Any, at: At) -> tuple[At, Any]:
    """The place, cut where a text stands for a mapping (`hosts: [docs.example.com]`), and what is there."""
    for n, part in enumerate(at):
        if isinstance(data, str):
            return at[:n], data
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return at, None
    return at, data


def _text(details: ErrorDetails, at: At, value: Any) -> str:
    """What was expected; empty for an error that only repeats another one."""
    kind, context = details["type"], details.get("ctx", {})
    if at[0] == "tools" and at[2:] == ("sandbox",):
        return f"expected {_SHORT['Sandbox']}" if kind == "bool_type" and not isinstance(value, Mapping) else ""
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
        case "string_type" if at[-1] == "rate":
            return f"expected {PATTERNS[RATE]}"
        case "string_pattern_mismatch":
            return f"expected {PATTERNS[context['pattern']]}"
        case _ if kind in _BOUNDS:
            bound = next(iter(context.values()))
            port = "a port of " if at[-1] != "port" and details["loc"][-1] == "port" else ""
            return f"expected {port}{_BOUNDS[kind]} {bound:g}"
        case "model_type" | "model_attributes_type" if context.get("class_name") in _SHORT:
            return f"expected {_SHORT[context['class_name']]}"
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
    if kind in ("secret", "url-secret") or secret(at) or any(isinstance(p, str) and looks_secret(p) for p in at):
        step = "; put it into .env, and its ${NAME} here" if kind == "secret" or secret(at) else ""
        return f", got another value, which is not shown{'; use api_key' if kind == 'url-secret' else step}"
    if (written := document.written.get(document.place(at))) is not None:
        return f", got {words(written)}, whose variable holds something else; {_typed_hint(kind)}"
    return f", got {words(value)}{_hint(details, value) if at[-1] != 'rate' else ''}"


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
    if at[0] == "tools" and len(at) == 3 and (others := [kind for kind in TOOLS if key in known_keys(TOOLS[kind])]):
        return f"it belongs to type: {others[0]}"
    homes = [path for path, model in sections() if key in known_keys(model) and key not in _ANYWHERE]
    if homes:
        home = min(homes, key=lambda path: not path.startswith(str(at[0])))
        return f"it belongs {f'under {home}' if home else 'at the top'}"
    return nearest(key, known)


def _models(document: Document, at: At) -> Iterator[type[BaseModel]]:
    """The types whose keys may be written at a place."""
    match at:
        case ("tools", int(n)):
            yield TOOLS[document.data["tools"][n]["type"]]
        case _:
            yield from models(at)
            if document.flat and at == ("inference", "tiers", 0):
                yield Inference
