"""What changes between two texts, as a unified diff that a person reads: bounded in size and in time."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_CHARS = 20_000
MAX_COMPARED = 3_000  # lines of either side that are compared one by one
CONTEXT = 3
_HUNK = re.compile(r"@@ -(\d+)((?:,\d+)?) \+(\d+)((?:,\d+)?) @@")
_NO_END = "\n\\ No newline at end of file\n"


@dataclass(frozen=True, slots=True)
class Difference:
    """A unified diff in full, and its lines added and removed."""

    text: str
    added: int
    removed: int


def difference(path: str, before: str, after: str, *, new: bool = False) -> Difference:
    """The unified diff of two texts; where very many lines differ, all of the old ones go and all of the new come."""
    old, fresh = lines_of(before), lines_of(after)
    start = same(old, fresh)
    end = same(old[start:][::-1], fresh[start:][::-1])
    first = max(0, start - CONTEXT)
    sides = [side[first : len(side) - max(0, end - CONTEXT)] for side in (old, fresh)]
    changed = [side[start : len(side) - end] for side in (old, fresh)]
    if max(map(len, changed)) <= MAX_COMPARED:
        diff = list(difflib.unified_diff(sides[0], sides[1], n=CONTEXT))[2:]
    else:
        diff = [_whole(*changed), *(f"-{line}" for line in changed[0]), *(f"+{line}" for line in changed[1])]
    lines = [_moved(line, first if max(map(len, changed)) <= MAX_COMPARED else start) for line in diff]
    body = "".join(line if line.endswith("\n") else line + _NO_END for line in lines)
    head = f"--- {'/dev/null' if new else path}\n+++ {path}\n"
    added = sum(line.startswith("+") for line in lines)
    return Difference(head + body if lines else "", added, sum(line.startswith("-") for line in lines))


def shown(differences: Sequence[Difference], max_chars: int = MAX_CHARS) -> str:
    """Diffs one after another; what does not fit is counted, never left out unsaid."""
    text = "".join(one.text for one in differences) or "nothing would change\n"
    if len(text) <= max_chars:
        return text
    kept = text[:max_chars].rpartition("\n")[0]
    return f"{kept}\n[cut here: {text[len(kept) :].count(chr(10)) - 1} more lines would change or stand beside them]\n"


def lines_of(text: str) -> list[str]:
    """Split at `\\n` alone: what a diff calls a line, whatever else a text may hold."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def same(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines two texts begin with in common."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _whole(old: Sequence[str], fresh: Sequence[str]) -> str:
    return f"@@ -{1 if old else 0},{len(old)} +{1 if fresh else 0},{len(fresh)} @@\n"


def _moved(line: str, by: int) -> str:
    """A hunk's header with its line numbers `by` further down."""
    found = _HUNK.match(line)
    return f"@@ -{int(found[1]) + by}{found[2]} +{int(found[3]) + by}{found[4]} @@\n" if found and by else line


def numbered(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a text with their numbers, from 1, without their ends."""
    for number, line in enumerate(lines_of(text), 1):
        yield number, line.rstrip("\r\n")
