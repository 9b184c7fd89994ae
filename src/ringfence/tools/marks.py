"""Where lines begin in a large file: a sparse index that is made as far as it is needed, and kept for a few files."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import OrderedDict
from dataclasses import dataclass, field

from ringfence.core.errors import ToolError

from .corpus import BLOCK_BYTES, Budget
from .folders import Source, size_text

MAX_KEPT = 4  # files; a mark for each MB


@dataclass(slots=True)
class Marks:
    """`ends[n]`: how many line ends the first n + 1 blocks of a file hold; `tail`: what follows the last line end."""

    ends: list[int] = field(default_factory=list)
    whole: bool = False
    tail: bool = False

    def lines(self, source: Source, budget: Budget) -> int:
        """How many lines there are. Raises ToolError when late; what was found by then is kept."""
        self._extend(source, budget, None)
        return (self.ends[-1] if self.ends else 0) + self.tail

    def go(self, source: Source, skipped: int, budget: Budget) -> bool:
        """Go to where so many lines have been skipped, if there are more; ToolError when late."""
        self._extend(source, budget, skipped)
        if not self.ends or skipped > self.ends[-1]:
            return False
        number = bisect_left(self.ends, skipped) if skipped else 0
        left = skipped - (self.ends[number - 1] if number else 0)
        start = number * BLOCK_BYTES
        source.stream.seek(start)
        block, at = source.stream.read(BLOCK_BYTES), 0
        for _ in range(left):
            at = block.find(b"\n", at) + 1
        source.stream.seek(start + at)
        return skipped < self.ends[-1] or self.tail or not self.whole

    def _extend(self, source: Source, budget: Budget, lines: int | None) -> None:
        """Count on until there are so many line ends, or to the end of the file."""
        while not self.whole and (lines is None or not self.ends or self.ends[-1] < lines):
            if budget.over:
                seen = size_text(len(self.ends) * BLOCK_BYTES)
                what = f"the lines of {source.path} could be counted for its first {seen} only in {budget.seconds:g} s"
                raise ToolError(what, todo="ask again, which goes on from there, or use a smaller first")
            source.stream.seek(len(self.ends) * BLOCK_BYTES)
            block = source.stream.read(BLOCK_BYTES)
            self.whole = len(block) < BLOCK_BYTES
            if block:
                self.tail = not block.endswith(b"\n")
            self.ends.append((self.ends[-1] if self.ends else 0) + block.count(b"\n"))


class Kept:
    """The marks of the files that were read last, each of one version."""

    def __init__(self) -> None:
        self._marks: OrderedDict[tuple[str, int, int], Marks] = OrderedDict()
        self.lock = threading.Lock()  # one thread at a time counts

    def of(self, source: Source) -> Marks:
        """The marks of a file as it is now."""
        key = (source.path, source.size, source.changed)
        marks = self._marks.setdefault(key, Marks())
        self._marks.move_to_end(key)
        while len(self._marks) > MAX_KEPT:
            self._marks.popitem(last=False)
        return marks
