"""A long text in parts that fit a window: on the borders of lines, else of sentences, else anywhere. Pure, linear."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from json.encoder import encode_basestring as _quoted

_BREAK = re.compile(r"(?<=[.!?;])\s|(?<=[,:])\s|\s")
_SENTENCE = re.compile(r"[.!?…][\"'”’»)\]]{0,3}\s")
_WORST = 6  # bytes of a character, as JSON escapes it
OVERLAP = 200  # characters of the end of a part that the next one begins with, so that nothing is cut in two


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a text: characters `start` to `end`, half open."""

    start: int
    end: int
    text: str

    def halves(self) -> tuple[Chunk, ...]:
        """The part in two, on a border near its middle; itself, if it is too short to be parted."""
        middle = len(self.text) // 2
        if middle < OVERLAP:
            return (self,)
        cut = self.text.rfind("\n", middle // 2, middle) + 1 or self.text.rfind(" ", middle // 2, middle) + 1 or middle
        first = Chunk(self.start, self.start + cut, self.text[:cut])
        return first, Chunk(first.end, self.end, self.text[cut:])


def split(text: str, *, max_bytes: int) -> list[Chunk]:
    """The parts of a text, in order, each of at most `max_bytes` bytes as a JSON string; together they are all of it.

    Raises ValueError if `max_bytes` is too little for a part and its overlap.
    """
    if max_bytes < 4 * OVERLAP:
        raise ValueError(f"a part has {max_bytes} bytes; expected {4 * OVERLAP} or more")
    chunks: list[Chunk] = []
    start = end = size = 0
    for a, b in _pieces(text, max_bytes):
        cost = _bytes(text[a:b])
        if size and size + cost > max_bytes:
            chunks.append(Chunk(start, end, text[start:end]))
            start = _back(text, start, end)
            size = _bytes(text[start:end])
            if size + cost > max_bytes:  # a long piece leaves no room to repeat anything
                start, size = end, 0
        end, size = b, size + cost
    if end > start:
        chunks.append(Chunk(start, end, text[start:end]))
    return chunks


def _bytes(text: str) -> int:
    return len(_quoted(text).encode("utf-8", "replace")) - 2


def _back(text: str, start: int, end: int) -> int:
    """Where the next part begins: with the last line or sentence of this one, if it is short."""
    low = max(start + 1, end - OVERLAP)
    line = text.rfind("\n", low - 1, end - 1) + 1
    if line > low:
        return line
    border = max((match.end() for match in _SENTENCE.finditer(text, low, end - 1)), default=0)
    return border if border > low else end


def _pieces(text: str, max_bytes: int) -> Iterator[tuple[int, int]]:
    """Lines; of one that is too long its sentences; of one of those as many characters as fit for certain."""
    at = 0
    for line in text.splitlines(keepends=True):
        stop = at + len(line)
        if _bytes(line) <= max_bytes // 2:
            yield at, stop
        else:
            yield from _parts(text, at, stop, max(1, max_bytes // 2 // _WORST))
        at = stop


def _parts(text: str, at: int, stop: int, room: int) -> Iterator[tuple[int, int]]:
    while stop - at > room:
        cut = max((m.end() for m in _BREAK.finditer(text, at + room // 2, at + room)), default=at + room)
        yield at, cut
        at = cut
    yield at, stop
