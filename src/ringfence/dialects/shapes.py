"""The shapes that a call takes as a JSON object, whatever the dialect around it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .reading import Found, Names, Page, Raw, Reader
from .tolerant import JSON, loads, once

NAMES = ("name", "tool", "tool_name", "function", "function_name", "action", "recipient_name")
ARGS = ("arguments", "parameters", "args", "input", "action_input", "tool_input", "params", "kwargs")
NESTED = ("function", "tool_call", "function_call", "tool", "call", "action")
LISTS = ("tool_calls", "calls", "function_calls", "tool_uses", "actions")
LONE = "(a value)"  # the key of an argument that came without one: no model writes it
_FLAT = ("tool", "tool_name", "function_name", "function", "action")  # `name` may be anybody's
_BESIDE = frozenset({"id", "type", "thought", "thoughts", "reasoning", "enough"})
_CALLING = frozenset(NAMES + NESTED + LISTS)
_FINAL = frozenset({"final answer", "final_answer", "finalanswer"})  # LangChain's way to say that it is no call
_SEPARATOR = re.compile(r"[\s,;]*+")
_LIST = re.compile(r"\[[\s\[]{0,8}+")


def arguments(value: JSON) -> dict[str, JSON]:
    """Arguments as an object: given as one, as JSON in a string, or as a lone value (its key is `LONE` then).

    Raises ValueError for a string that begins as an object and is none.
    """
    match value:
        case dict():
            return value
        case [dict() as only]:
            return only
        case None | "" | []:
            return {}
        case str() if value.lstrip().startswith("{"):
            return arguments(loads(value))
    return {LONE: value}


def calls(value: JSON, source: str, names: Names) -> Iterator[Raw]:
    """The calls that a JSON value is; none if it is something else, such as the definition of a tool."""
    if isinstance(value, list):
        for item in value:
            yield from calls(item, source, names)
        return
    if not isinstance(value, dict) or (len(value) > 1 and _CALLING.isdisjoint(value)):
        return
    for key in LISTS:
        if isinstance(value.get(key), list):
            yield from calls(value[key], source, names)
            return
    if single := _named(value, names):
        yield Raw(*single, source)
        return
    for key in NESTED:
        if isinstance(value.get(key), dict):
            yield from calls(value[key], source, names)
            return


def _named(value: dict[str, JSON], names: Names) -> tuple[str, JSON] | None:
    """Name and arguments, under any of the keys that models give them."""
    name_key = next((key for key in NAMES if isinstance(value.get(key), str)), "")
    name = value.get(name_key, "")
    if not name or name.strip().casefold() in _FINAL:
        [(key, args)] = value.items() if len(value) == 1 else [("", None)]
        return (key, args) if isinstance(args, dict) and key in names else None
    for key in ARGS:
        if key in value and key != name_key:
            return None if _is_schema(value[key]) else (name, value[key])
    rest = {key: item for key, item in value.items() if key != name_key and key not in _BESIDE}
    if rest and (name_key not in _FLAT or "description" in rest):  # the latter lists tools
        return None
    return (name, rest) if names.of(name) else None


def _is_schema(args: JSON) -> bool:
    """Whether these are the parameters of a definition: models repeat the tools they were shown."""
    return isinstance(args, dict) and isinstance(args.get("properties"), dict) and args.get("type") == "object"


def block(*closings: str, strict: bool = True) -> Reader:
    """Reads objects one after the other, or a list of them, up to one of the closing tags (which may be missing).

    strict  what is no call is a broken one: the tag before it promises a call
    """
    behind = re.compile(r"[\s}\]]*+(?:" + "|".join(map(re.escape, closings)) + ")") if closings else re.compile("")

    def read(page: Page, opened: re.Match[str]) -> Found:
        found, end = several(page, opened.end(), closings, strict=strict)
        closed = behind.match(page.text, end)
        return Found(closed.end() if closed else end, tuple(found))

    return read


def called(page: Page, at: int, *stops: str) -> tuple[JSON, int, list[Raw]]:
    """The object at `at`, the index behind it, and the calls that it is; raises ValueError."""
    value, end = page.value(at, *stops)
    source = page.text[at:end]
    if found := list(calls(value, source, page.names)):
        once(source, value)
    return value, end, found


def several(page: Page, at: int, stops: tuple[str, ...] = (), *, strict: bool) -> tuple[list[Raw], int]:
    """The calls in the objects from `at` on, each with its own source, and the index behind the last."""
    text, found, begun, end = page.text, list[Raw](), at, at
    opened = _LIST.match(text, at)
    at = _SEPARATOR.match(text, opened.end() if opened else at).end()  # type: ignore[union-attr]
    while text.startswith("{", at):
        value, end, printed = called(page, at, *stops)
        if strict and not printed and not _is_definition(value):
            raise ValueError('expected a call, {"name": ..., "arguments": {...}}, found an object that is none')
        found += printed
        at = _SEPARATOR.match(text, end).end()  # type: ignore[union-attr]
    if opened:
        end = _closed(page, at, stops)
    elif end == begun and strict:
        raise ValueError(f"expected a call as a JSON object, found {text[at : at + 20]!r}")
    return found, end


def _closed(page: Page, at: int, stops: tuple[str, ...]) -> int:
    """The index behind the list's bracket; it may be missing where an object's may."""
    if page.text.startswith("]", at):
        return at + 1
    if (at == len(page.text) and not page.cut) or (stops and page.text.startswith(stops, at)):
        return at
    page.json(at)  # says what is wrong
    raise ValueError(f"expected a JSON object or ']', found {page.text[at : at + 20]!r}")


def _is_definition(value: JSON) -> bool:
    inner = value.get("function", value) if isinstance(value, dict) else None
    return isinstance(inner, dict) and any(_is_schema(inner.get(key)) for key in ARGS)
