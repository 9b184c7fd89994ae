"""Calls in Python's own form, as Llama 4 and 3.2, OLMo 3, LFM2 and Gemma 3 print them.

    [files.read(path="a.txt"), calc(expression="1 + 1")]

Only literals are read, by the same parser as JSON: nothing is compiled, let alone evaluated. A name, an expression or
a keyword of anything else is an error.
"""

from __future__ import annotations

import re

from .reading import Form, Found, Page, Raw, Reader
from .shapes import LONE
from .tolerant import JSON, Truncated

_CALL = re.compile(r"(?P<name>[A-Za-z_][\w.]{0,127})\(")
_KEYWORD = re.compile(r"\s*+(?P<key>[A-Za-z_]\w{0,127})\s*+=(?!=)\s*+")
_SPACE = re.compile(r"\s*+")
_COMMA = re.compile(r"\s*+(?:,|(?=\)))")
_BETWEEN = re.compile(r"[\s,;]*+")
_LIST = re.compile(r"\s*+\[")
_PRINT = re.compile(r"print\(\s*+(?=[A-Za-z_][\w.]{0,127}\()")  # Gemma prints what its code returns
_METHOD = ".call"  # Llama 3.1 calls the tools it was trained with so


def call(page: Page, at: int) -> tuple[Raw, int]:
    """The call at `at`, and the index behind it; raises ValueError."""
    text = page.text
    opened = _CALL.match(text, at)
    if opened is None:
        raise ValueError(f"expected a call, name(key=value), found {text[at : at + 20]!r}")
    args: dict[str, JSON] = {}
    here = _SPACE.match(text, opened.end()).end()  # type: ignore[union-attr]
    while not text.startswith(")", here):
        keyword = _KEYWORD.match(text, here)
        key = keyword["key"] if keyword else LONE
        if key in args:
            raise ValueError(f"expected each argument once and by its key, found another {key!r}")
        args[key], here = page.json(keyword.end() if keyword else here)
        comma = _COMMA.match(text, here)
        if here == len(text):
            raise Truncated(None, lost=True)
        if comma is None:
            raise ValueError(f"expected ',' or ')' behind an argument, found {text[here : here + 20]!r}")
        here = _SPACE.match(text, comma.end()).end()  # type: ignore[union-attr]
    return Raw(opened["name"].removesuffix(_METHOD), args, text[at : here + 1]), here + 1


def several(page: Page, at: int) -> tuple[list[Raw], int]:
    """The calls from `at` on, one after the other or in a list, and the index behind them; raises ValueError."""
    text, calls = page.text, list[Raw]()
    listed = _LIST.match(text, at)
    at = _BETWEEN.match(text, listed.end() if listed else at).end()  # type: ignore[union-attr]
    while not calls or _CALL.match(text, at):
        printed = _PRINT.match(text, at)
        one, end = call(page, printed.end() if printed else at)
        calls.append(one)
        end += bool(printed) and text.startswith(")", end)
        at = _BETWEEN.match(text, end).end()  # type: ignore[union-attr]
    if not listed:
        return calls, end
    if at == len(text):
        raise Truncated(None, lost=page.cut)
    if text[at] != "]":
        raise ValueError(f"expected ',' or ']' behind a call, found {text[at : at + 20]!r}")
    return calls, at + 1


def reader(*closings: str) -> Reader:
    """Reads calls up to a closing tag, which may be missing."""
    behind = re.compile(r"[\s\])]*+(?:" + "|".join(map(re.escape, closings)) + ")")

    def read(page: Page, opened: re.Match[str]) -> Found:
        calls, end = several(page, opened.end())
        closed = behind.match(page.text, end)
        return Found(closed.end() if closed else end, tuple(calls))

    return read


def _bare(page: Page, opened: re.Match[str]) -> Found | None:
    """A list of calls that no tag announces: of known tools, or it is something else in brackets."""
    if not page.names.of(opened["name"].removesuffix(_METHOD)):
        return None
    calls, end = several(page, opened.start())
    _beyond(page, end)
    return None if page.text.startswith("(", end) else Found(end, tuple(calls))  # the former is a link of Markdown


def _whole(page: Page, opened: re.Match[str]) -> Found | None:
    """Calls of known tools that are all there is."""
    if not page.names.of(opened["name"].removesuffix(_METHOD)):
        return None
    calls, end = several(page, opened.start())
    if page.text[end:].strip():
        return None
    _beyond(page, end)
    return Found(end, tuple(calls))


def _beyond(page: Page, end: int) -> None:
    """What these are depends on what follows: a text that was cut here does not tell."""
    if page.cut and not page.text[end:].strip():
        raise Truncated(None, lost=False)


_NAMED = r"(?P<name>[A-Za-z_][\w.]{0,127})\((?=\s{0,64}(?:\)|[A-Za-z_]\w{0,127}\s{0,8}=))"
_START = r"\s{0,16}(?=\[?\s{0,16}[\w.]{1,128}\()"
FORMS = (
    Form("pythonic", r"<\|tool_call_start\|>" + _START, reader("<|tool_call_end|>")),  # LFM2
    Form("pythonic", "<function_calls>" + _START, reader("</function_calls>")),  # OLMo 3
    Form("pythonic", r"\[\s{0,64}" + _NAMED, _bare),
)
WHOLE = Form("pythonic", _NAMED, _whole)  # at the text's very start
