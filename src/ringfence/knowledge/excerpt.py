"""The part of a chunk that a question is about, where the whole of it has no room."""

from __future__ import annotations

import re
from itertools import accumulate

_UNIT = re.compile(r"[^\n.!?]*(?:[.!?]+(?=\s|$)|[.!?](?!\s|$)|[^\n.!?]+)*(?:\n+|\s+|$)")
_WORD = re.compile(r"[^\W_]{3,}|\d+")
_STEM = 5  # characters that words of one stem share, about: `backups` is `backup`
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "the and for are was were what when where which who whom how does did can with from that this have has not you"
        " your our its they them into per any all der die das und ist sind wie was wer wann wo von mit für ein eine",
    )
)


def excerpt(text: str, question: str, room: int) -> tuple[int, int]:
    """Start and end of at most `room` characters of `text` that hold most of the question's words; whole sentences.

    The earliest of equally good ones. All of it, if it fits.
    """
    if len(text) <= room:
        return 0, len(text)
    wanted = _stems(question)
    units = [(m.start(), m.end()) for m in _UNIT.finditer(text) if m.end() > m.start()]
    held = [_stems(text[a:b]) & wanted for a, b in units]
    worth = [0, *accumulate(len(found) for found in held)]
    best, at = (-1, -1), (0, min(room, len(text)))
    first = 0
    for last, (_, end) in enumerate(units):
        while end - units[first][0] > room and first < last:
            first += 1
        start = units[first][0]
        distinct = len(frozenset().union(*held[first : last + 1]))
        if (value := (distinct, worth[last + 1] - worth[first])) > best:
            best, at = value, (start, min(end, start + room))
    return _filled(units, at, room)


def _filled(units: list[tuple[int, int]], at: tuple[int, int], room: int) -> tuple[int, int]:
    """What room is left goes to the sentences behind, and then to those before."""
    start, end = at
    for _, after in units:
        if after > end and after - start <= room:
            end = after
    for before, _ in reversed(units):
        if before < start and end - before <= room:
            start = before
    return start, end


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:_STEM] for word in _WORD.findall(text.casefold()) if word not in _COMMON)
