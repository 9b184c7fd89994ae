"""A table in a text: its columns and rows, how they are written, and which rows meet a condition."""

from __future__ import annotations

import csv
import difflib
import io
import re
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from ringfence.core.errors import ToolError

from .cells import Op, meets
from .forms import Form, form_of

_SEPARATOR = re.compile(r"sep=([,;\t|])\r?\n", re.I)
LOOK_ROWS = 50  # that tell what a column holds
Placed = tuple[int, Op, str]  # the position of a column, and what its cells are held against


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns and rows of as many texts.

    forms   how columns are written, as far as that was asked
    commas  commas separate its cells
    """

    path: str
    columns: tuple[str, ...]
    rows: list[list[str]]
    forms: dict[int, Form] = field(default_factory=dict)
    commas: bool = True

    def form(self, place: int) -> Form:
        """How the column at a position writes its numbers and dates."""
        if place not in self.forms:
            self.forms[place] = form_of((row[place] for row in self.rows), commas=not self.commas)
        return self.forms[place]

    def meets(self, row: Sequence[str], condition: Placed) -> bool:
        """Whether one of its rows meets a condition."""
        place, op, value = condition
        return meets(row[place], op, value, self.form(place))

    def place(self, name: str) -> int:
        """The position of a column, however it is capitalised; raises ToolError that names the columns there are."""
        wanted = name.strip().strip("\"'`").lower()
        folded = [column.lower() for column in self.columns]
        if wanted in folded:
            return folded.index(wanted)
        near = difflib.get_close_matches(wanted, folded, n=1, cutoff=0.6)
        did = f"did you mean {self.columns[folded.index(near[0])]}? " if near else ""
        raise ToolError(f"{self.path} has no column {name!r}", todo=f"{did}columns: {', '.join(self.columns)[:600]}")

    def places(self, names: str) -> list[int]:
        """The positions of columns separated by commas."""
        wanted = [name for name in names.split(",") if name.strip() and name.strip() != "*"]
        return [self.place(name) for name in wanted]


def separates(path: str, head: str) -> str:
    """The separator of a table, by its name and its first line."""
    return "\t" if path.lower().endswith(".tsv") else max(",;\t|", key=head.count)


def read_table(path: str, text: str, *, seconds: float) -> Table:
    """Columns from the first line, separator from its characters. Raises ToolError for what is no table."""
    text = unicodedata.normalize("NFC", text)
    if said := _SEPARATOR.match(text):  # a line for Excel
        text = text[said.end() :]
    separator = said[1] if said else separates(path, text.partition("\n")[0])
    until = time.monotonic() + seconds
    rows: list[list[str]] = []
    try:
        for n, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator)):
            if n % 1024 == 0 and time.monotonic() > until:
                raise ToolError(f"{path} takes longer than {seconds:g} s to read")
            if any(cell.strip() for cell in row):
                rows.append([cell.strip() for cell in row])
    except csv.Error as error:
        raise ToolError(f"{path} cannot be read as a table: {error}", todo="use files.read to see it") from None
    if not rows:
        raise ToolError(f"{path} is empty: it has no header and no rows")
    columns: list[str] = []
    for n, name in enumerate(rows[0], 1):
        name = name or f"column{n}"
        columns.append(f"{name}_{n}" if name in columns else name)
    width = len(columns)
    return Table(
        path, tuple(columns), [(row + [""] * (width - len(row)))[:width] for row in rows[1:]], commas=separator == ","
    )
