"""A text that ran into its token bound saying the same again and again: what it said before that. Pure."""

from __future__ import annotations

import re

_LEAST, _MOST = 12, 400  # characters of what is said again
_TIMES, _READ = 4, 8_000  # that it is said, at least; characters of the end that are looked at for a number
_ENDLESS = re.compile(r"(?<!\s)\s{1,4}(?:limit|offset)\s{1,4}\d{40,}\Z", re.I)  # LIMIT 1000000..., which bounds nothing
_PAIRS = {"{": "}", "[": "]"}


def unlooped(text: str) -> str:
    """The JSON that a text began, up to where it began to go round, closed there; empty if it does not go round.

    `{"sql": "SELECT a FROM t WHERE b AND c IN (x) AND c IN (x) AND c IN (x) AND c I` is `{"sql": "SELECT a FROM t WHERE
    b"}`; a number that does not end is left out, with its LIMIT.
    """
    if endless := _ENDLESS.search(text[-_READ:]):
        return _closed(text[: len(text) - len(endless[0])])
    for period in range(_LEAST, min(_MOST, len(text) // _TIMES) + 1):
        tail = text[-period:]
        if text.endswith(tail * _TIMES) and len(set(tail)) > 1:
            start = len(text) - period * _TIMES
            while start and text[start - 1] == text[start - 1 + period]:
                start -= 1
            whole = (end for end in range(start, start + period) if text.count("(", 0, end) == text.count(")", 0, end))
            return _closed(text[: next(whole, start)])  # where the round begins is known but for brackets in common
    return ""


def _closed(text: str) -> str:
    """The beginning of a JSON value, with what closes it."""
    open_, within, escaped = list[str](), False, False
    for char in text:
        if within:
            within, escaped = escaped or char != '"', char == "\\" and not escaped
        elif char == '"':
            within = True
        elif char in _PAIRS:
            open_.append(_PAIRS[char])
        elif open_ and char == open_[-1]:
            open_.pop()
    return text[:-1] * escaped + text * (not escaped) + '"' * within + "".join(reversed(open_))
