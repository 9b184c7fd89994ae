"""CSV and its like: rows of a table, in pieces that each repeat the header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

from ..draft import Draft, Reading
from . import plain
from .encoding import decoded

_DELIMITERS = ",;\t|"
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_SAMPLE_LINES = 50
_FIELD_CHARS = 1 << 20
_NUMBER = re.compile(r"[-+]?[\d.,\s]*\d[%]?")


def read(reading: Reading, draft: Draft, data: bytes, name: str) -> None:
    """The first row names the columns, unless it holds numbers."""
    text = decoded(draft, data).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    csv.field_size_limit(_FIELD_CHARS)
    delimiter = "\t" if name.lower().endswith((".tsv", ".tab")) else delimiter_of(text)
    try:
        draft.table(named(csv.reader(io.StringIO(text), delimiter=delimiter)), whole=False)
    except csv.Error as fault:
        draft.blocks.clear()
        draft.chars = 0
        draft.note(f"it is no table ({fault}): read as text")
        plain.paragraphs(draft, text)


def delimiter_of(text: str) -> str:
    """The one that parts the first lines into the same number of fields, and the most."""
    sample = _QUOTED.sub("", text[:20_000]).split("\n")[:_SAMPLE_LINES]
    lines = [one for one in sample[: len(sample) - 1] or sample if one.strip()]

    def score(delimiter: str) -> tuple[float, int]:
        counts = [one.count(delimiter) for one in lines]
        usual = max(set(counts), key=counts.count) if counts else 0
        return (counts.count(usual) / len(counts) if usual else 0.0, usual)

    return max(_DELIMITERS, key=score)


def named(rows: Iterator[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Rows that hold anything, a header first."""
    full = (row for row in rows if any(cell.strip() for cell in row))
    first = next(full, None)
    if first is None:
        return
    if any(_NUMBER.fullmatch(cell.strip()) for cell in first):
        yield [f"column {n + 1}" for n in range(len(first))]
    yield first
    yield from full
