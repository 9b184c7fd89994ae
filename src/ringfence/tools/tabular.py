"""A table in a text: its columns and rows, and how they are written."""

from __future__ import annotations

import csv
import io
import re
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from ringfence.core.errors import ToolError

from . import objects
from .forms import Form, form_of

_SEPARATOR = re.compile(r"sep=([,;\t|])", re.I)
_QUOTED = re.compile(r'"[^"]*"')
_ABOVE = 10  # lines that may stand above a header
_MARKS = " \t\r,;|"
_RESERVED = frozenset(
    """
    add all alter and as autoincrement between case cast check collate commit constraint create default deferrable
    delete distinct drop else escape except exists foreign from group having in index insert intersect into is isnull
    join limit not nothing notnull null on or order primary raise references returning select set table then to
    transaction union unique update using values when where
    """.split()  # noqa: SIM905  # what SQLite takes for no name
)


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns and rows of as many texts.

    forms   how columns are written, as far as that was asked
    commas  commas separate its cells
    title   what stands above its header
    """

    path: str
    columns: tuple[str, ...]
    rows: list[list[str]]
    forms: dict[int, Form] = field(default_factory=dict)
    commas: bool = True
    title: str = ""

    def form(self, place: int) -> Form:
        """How the column at a position writes its numbers and dates."""
        if place not in self.forms:
            self.forms[place] = form_of((row[place] for row in self.rows), commas=not self.commas)
        return self.forms[place]


def plain_names(titles: Sequence[str]) -> list[str]:
    """The columns' titles as names that need no quotation marks: `rated_power` for "rated power", each once."""
    names, taken = list[str](), set[str]()
    for n, title in enumerate(titles, 1):
        name = re.sub(r"\W+", "_", title).strip("_") or f"column{n}"
        name = f"_{name}" if name[0].isdigit() else f"{name}_" if name.casefold() in _RESERVED else name
        while name.casefold() in taken:
            name = f"{name}_{n}"
        taken.add(name.casefold())
        names.append(name)
    return names


def table_name(path: str) -> str:
    """What the table of a file is called: `hires_2025` of data/hires-2025.csv."""
    name = plain_names([path.rpartition("/")[2].rpartition(".")[0]])[0].casefold()
    return f"{name}_" if name.startswith("sqlite_") else name


def separates(path: str, head: str) -> str:
    """The separator of a table, by its name and its first line."""
    if path.lower().endswith(".tsv"):
        return "\t"
    bare = _QUOTED.sub("", head)
    most = max(",;\t|", key=bare.count)
    if most != "," or bare.count(", ") < bare.count(","):
        return most
    others = {mark: bare.count(mark) - bare.count(f"{mark} ") for mark in ";\t|"}  # all of its commas may be of words
    other = max(others, key=others.__getitem__)
    return other if others[other] > (other == "|") else most


def _cells(line: str, mark: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=mark), [])]


def above(path: str, lines: Sequence[str]) -> int:
    """How many lines stand above the header: a title alone, remarks, blank ones, and what tells Excel the separator."""
    n = 0
    while n < min(_ABOVE, len(lines) - 2):
        line, after = lines[n].strip(), next((one for one in lines[n + 1 :] if any(map(one.count, ",;\t|"))), "")
        mark = separates(path, after)
        cells, below = (_cells(one, mark) for one in (line, after))
        apart = mark not in line and mark in after and not lines[n + 1].strip(_MARKS)
        remark = line.startswith("#") and len(cells) != len(below)
        names = all(one and not any(map(str.isdigit, one)) for one in below)  # a header, and no record
        lone = len(list(filter(None, cells))) == 1 and len(cells) > 2 and len(below) > 1 and names
        if line.strip(_MARKS) and not (apart or remark or lone or _SEPARATOR.fullmatch(line)):
            break
        n += 1
    return n


def read_table(path: str, text: str, *, seconds: float) -> Table:
    """Columns from the first line, separator from its characters; of JSON Lines, from the names in them. Raises
    ToolError for what is no table.
    """
    text = unicodedata.normalize("NFC", text)
    if path.lower().endswith(objects.ENDS):
        return Table(path, *objects.read_objects(path, text, seconds=seconds))
    lines = text.split("\n", _ABOVE + 2)
    skipped = lines[: above(path, lines)]
    said = next((found for line in skipped if (found := _SEPARATOR.fullmatch(line.strip()))), None)
    text = text[sum(len(line) + 1 for line in skipped) :]
    separator = said[1] if said else separates(path, text.partition("\n")[0])
    title = next(
        (line.strip(_MARKS) for line in skipped if line.strip(_MARKS) and not _SEPARATOR.fullmatch(line.strip())), ""
    )
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
        path,
        tuple(columns),
        [(row + [""] * (width - len(row)))[:width] for row in rows[1:]],
        commas=separator == ",",
        title=title,
    )
