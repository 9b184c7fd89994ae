"""The places of texts that are too large to index where the words of a question stand: found by one quick scan.

Blocks are searched as bytes for the beginnings of the question's words; what the scan itself finds rare weighs most
(inverse frequency). A bounded number of windows, the lines around the best places, is kept, to be ranked as passages.
"""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import overload

from ringfence.core.errors import ToolError

from . import passages
from .corpus import LINE_BYTES, Blocks, Budget, opened
from .folders import Entry, Folders, size_text
from .lines import split_lines
from .passages import Chunk, Text
from .texts import read_text, reason
from .words import STOP, stem

MAX_NEEDLES = 16
MAX_PLACES = 64  # of one word in one block that are looked at; more are only counted
MAX_RARE = 3  # words of a block whose places are looked at, the rarest ones
MAX_WINDOWS = 120
MAX_ALIKE = 8  # windows of one file with the same words: a log repeats itself
BEFORE, AFTER = 2, 6  # lines around a place
WINDOW_BYTES = 4_000
DEEP_BYTES, NEAR_BYTES = 2_000, 100  # a place so deep in its line is shown with so much of what is before it
WHOLE_BYTES, WHOLES_BYTES = 256 * 2**10, 2**20  # smaller files that have a window are indexed whole, so much in all
_WORD = re.compile(r"[^\W_]+(?:[._:@/+-]+[^\W_]+)*")
_PART = re.compile(r"[^\W_]+")


def needles(question: str) -> list[bytes]:
    """What a line that shares a word with a question holds, in small letters: what the word's forms begin with."""
    found: dict[bytes, None] = {}
    for token in _WORD.findall(question):
        for word in (token.lower(), *(part.lower() for part in _PART.findall(token))):
            needle = _shared(word, stem(word))
            if word not in STOP and (len(needle) > 2 or any(c.isdigit() for c in needle)):
                found.setdefault(needle.encode("utf-8", "replace"))
    return sorted(found, key=len, reverse=True)[:MAX_NEEDLES]


def _shared(word: str, other: str) -> str:
    """The beginning that two words have in common."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, other, strict=False)))
    return word[:same]


@dataclass(frozen=True, slots=True)
class Window:
    """Lines of a file from number `first` on, and which needles they hold, as bits."""

    entry: Entry
    first: int
    text: bytes
    held: int


class Sparse(Sequence[str]):
    """The lines of a text of which only a few are known, by their numbers; the others are empty."""

    def __init__(self, known: dict[int, str], total: int) -> None:
        self._known = known
        self._total = total

    def __len__(self) -> int:
        return self._total

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [self._known.get(n, "") for n in range(*at.indices(self._total))]
        if not -self._total <= at < self._total:
            raise IndexError(at)
        return self._known.get(at % self._total, "")


@dataclass(slots=True)
class Scan:
    """One pass over large texts for a question."""

    folders: Folders
    question: str
    budget: Budget
    skipped: list[str] = field(default_factory=list)
    _needles: list[bytes] = field(default_factory=list)
    _counts: list[int] = field(default_factory=list)
    _lines: int = 0  # seen so far, of all files
    _best: list[tuple[float, int, Window]] = field(default_factory=list)  # a heap; earlier windows win a tie
    _serial: int = 0
    _kept: set[str] = field(default_factory=set)  # paths
    _alike: Counter[tuple[str, int]] = field(default_factory=Counter)
    _totals: dict[str, int] = field(default_factory=dict)
    _heads: dict[str, str] = field(default_factory=dict)

    def texts(self, entries: Sequence[Entry]) -> list[Text]:
        """The best places as texts to be put into a library; `skipped` says what was not read to its end."""
        self._needles = needles(self.question)
        self._counts = [0] * len(self._needles)
        for n, entry in enumerate(entries if self._needles else ()):
            if self.budget.over:
                rest = f" and {len(entries) - n - 1} more files" if n + 1 < len(entries) else ""
                size = size_text(sum(entry.size for entry in entries[n:]))
                self.skipped.insert(0, f"{entry.path}{rest} ({size}: no time left)")
                break
            try:
                self._read(entry)
            except ToolError as error:
                self.skipped.append(f"{entry.path} ({reason(error, entry)})")
        return list(self._made())

    def _read(self, entry: Entry) -> None:
        number, head = 0, ""
        with opened(self.folders, entry.path) as source:
            blocks = Blocks(source)
            for block in blocks:
                if not number:
                    head = _text(block[: block.find(b"\n") + 1 or None][:WINDOW_BYTES]).rstrip("\r\n")
                number = self._block(entry, number, block)
                if self.budget.over and blocks.read < source.size:
                    rest = size_text(source.size - blocks.read)
                    self.skipped.insert(0, f"{entry.path} (the last {rest} of {size_text(source.size)}: no time left)")
                    break
        if blocks.long:
            self.skipped.append(f"{entry.path} (of {blocks.long} lines what is beyond {size_text(LINE_BYTES)})")
        if entry.path in self._kept:
            self._totals[entry.path], self._heads[entry.path] = number, head

    def _block(self, entry: Entry, number: int, block: bytes) -> int:
        """Look through a block whose first line is `number + 1`; the number of its last line."""
        lines = block.count(b"\n") + (not block.endswith(b"\n") if block else 0)
        self._lines += lines
        low = block.lower()
        here = {n: count for n, needle in enumerate(self._needles) if (count := low.count(needle))}
        for n, count in here.items():
            self._counts[n] += count
        worth = self._worth()
        rare = sorted(here, key=lambda n: -worth[n])[:MAX_RARE]
        places = sorted({place for n in rare for place in _places(low, self._needles[n])})
        end = line = counted = 0
        for place in places:
            if place < end:
                continue
            start, end = _around(low, place)
            held = sum(1 << n for n in here if low.find(self._needles[n], start, end) >= 0)
            score = sum(worth[n] for n in here if held >> n & 1)
            if len(self._best) < MAX_WINDOWS or score > self._best[0][0]:
                line, counted = line + low.count(b"\n", counted, start), start
                self._keep(score, Window(entry, number + line + 1, block[start:end], held))
        return number + lines

    def _worth(self) -> list[float]:
        return [math.log(1 + (self._lines + 1) / (count + 1)) for count in self._counts]

    def _keep(self, score: float, window: Window) -> None:
        alike = (window.entry.path, window.held)
        if self._alike[alike] >= MAX_ALIKE:
            return
        self._alike[alike] += 1
        self._kept.add(window.entry.path)
        self._serial -= 1
        item = (score, self._serial, window)
        if len(self._best) < MAX_WINDOWS:
            heapq.heappush(self._best, item)
        else:
            _, _, gone = heapq.heappushpop(self._best, item)
            self._alike[gone.entry.path, gone.held] -= 1

    def _made(self) -> Iterator[Text]:
        worth = self._worth()
        by_file: dict[str, list[Window]] = {}
        ranked = sorted(
            (window for _, _, window in self._best),
            key=lambda w: (-sum(value for n, value in enumerate(worth) if w.held >> n & 1), w.entry.path, w.first),
        )
        for window in ranked:
            by_file.setdefault(window.entry.path, []).append(window)
        left = WHOLES_BYTES
        for path, windows in by_file.items():
            entry = windows[0].entry
            if entry.size <= min(WHOLE_BYTES, left):
                left -= entry.size
                try:
                    yield passages.index(path, (entry.changed, entry.size), read_text(self.folders, path)[1])
                    continue
                except ToolError:  # gone since it was scanned: the windows are what there was
                    pass
            yield self._sparse(entry, windows)

    def _sparse(self, entry: Entry, windows: Iterable[Window]) -> Text:
        known = {0: self._heads.get(entry.path, "")}
        chunks: list[Chunk] = []
        terms: Counter[str] = Counter()
        length = 0
        for window in windows:
            lines = split_lines(_text(window.text))
            known.update(enumerate(lines, window.first - 1))
            part = passages.index(entry.path, (0, 0), "\n".join(lines))
            skip = window.first - 1
            chunks += [Chunk(c.first + skip, c.last + skip, c.terms, c.length) for c in part.chunks]
            terms.update(part.terms)
            length += part.length
        total = max(self._totals.get(entry.path, 0), max(known) + 1)
        return Text(entry.path, (entry.changed, entry.size), Sparse(known, total), chunks, terms, length)


def _places(low: bytes, needle: bytes) -> Iterator[int]:
    """The first places of a needle, one for a line."""
    place = low.find(needle)
    for _ in range(MAX_PLACES):
        if place < 0:
            return
        yield place
        end = low.find(b"\n", place)
        place = low.find(needle, end) if end >= 0 else -1


def _around(low: bytes, place: int) -> tuple[int, int]:
    """Where the lines around a place begin and end, in bounded bytes."""
    first = max(0, place - WINDOW_BYTES)
    start = low.rfind(b"\n", first, place) + 1 or first
    if place - start > DEEP_BYTES:  # of a long line only what is near
        return place - NEAR_BYTES, min(len(low), place + WINDOW_BYTES)
    for _ in range(BEFORE):
        start = low.rfind(b"\n", first, max(first, start - 1)) + 1 or (start if first else 0)
    end = place
    for _ in range(AFTER):
        after = low.find(b"\n", end, place + WINDOW_BYTES)
        if after < 0:
            break
        end = after + 1
    return start, end if end > place else min(len(low), place + WINDOW_BYTES)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
