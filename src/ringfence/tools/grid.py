"""The rows of a table that is being read, as lines: a small model loses the header, and takes the cell of another
column, so that each cell carries the name of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .spread import of_rows

SPELT = 40  # rows of a table whose cells carry the names of their columns
MOST_ROWS, MOST_CELLS = 200, 100  # that a cell spans, and of a row
_MOST_COPIED = 20_000  # characters of a table that stand in more rows than one
_CELL_LINES, _CELL_CHARS = 12, 400  # of a cell that is told in one line
_MOST_HEADS, _MOST_NAMES = 4, 4_000  # rows that name the columns together; characters of all names


@dataclass(slots=True)
class Cell:
    """A cell: its lines, how many columns and rows it takes, whether it names others, and that it has no heading."""

    head: bool = False
    cols: int = 1
    rows: int = 1
    lines: list[str] = field(default_factory=list)
    plain: bool = True
    nested: bool = False  # a table is in it

    @property
    def short(self) -> bool:
        """Whether it is told in one line."""
        few = len(self.lines) <= _CELL_LINES and sum(map(len, self.lines)) <= _CELL_CHARS
        return self.plain and (few or len(self.lines) == 1)

    def text(self) -> str:
        """Its lines in one: `9-12; 14-18`."""
        said = ""
        for line in (" ".join(one.split()).removeprefix("- ").replace(" | ", ", ") for one in self.lines):
            if said:
                said += " " if self.head or said[-1] in ".,:;!?-–/" else "; "
            said += line
        return said


@dataclass(slots=True)
class _Row:
    """A row: its cells by column, those that span several in each, and which column each began in."""

    slots: list[Cell]
    starts: list[int]
    in_head: bool = False

    @property
    def names(self) -> bool:
        """Whether it names the columns: heads alone, of which the first may be empty; not one for all of them."""
        if len(set(self.starts)) < 2 or sum(bool(cell.lines) for cell in self.slots) < 2:
            return False
        first, *others = self.slots
        return self.in_head or (all(cell.head for cell in others) and (first.head or not first.lines))


class Table:
    """One table: cells go in, lines come out. `between`: what stands between its rows."""

    def __init__(self) -> None:
        self.between: list[str] = []
        self.in_head = False
        self._row: list[Cell] = []
        self._rows: list[_Row | str] = []
        self._down: dict[int, tuple[Cell, int]] = {}  # what stands in a column from above, and in how many rows more
        self._room = _MOST_COPIED

    def cell(self, cell: Cell) -> None:
        """One more cell of the row."""
        if not self._row:
            self._rest()
        self._row.append(cell)

    def end_row(self) -> None:
        """The row is whole."""
        cells, self._row = self._row, []
        if not cells:
            return
        slots, starts = list[Cell](), list[int]()
        for cell in cells:
            self._from_above(slots, starts)
            at = len(slots)
            slots += [cell] * cell.cols
            starts += [at] * cell.cols
            size = sum(map(len, cell.lines)) * cell.rows
            if cell.rows > 1 and cell.lines and cell.short and size <= self._room:
                self._room -= size
                self._down |= {at + n: (cell, cell.rows - 1) for n in range(cell.cols)}
        self._from_above(slots, starts)
        if any(cell.lines for cell in slots):
            self._rows.append(_Row(slots, starts, self.in_head))

    def section(self) -> None:
        """What follows has no cells from above."""
        self.end_row()
        self._down.clear()

    def _rest(self) -> None:
        self._rows += self.between
        self.between.clear()

    def _from_above(self, slots: list[Cell], starts: list[int]) -> None:
        while len(slots) in self._down and len(slots) < MOST_CELLS:
            cell, rows = self._down.pop(len(slots))
            if rows > 1:
                self._down[len(slots)] = cell, rows - 1
            starts.append(starts[-1] if slots and slots[-1] is cell else len(slots))
            slots.append(cell)

    def lines(self) -> list[str]:
        """The table as lines."""
        self.end_row()
        self._rest()
        parts = list(self._parted())
        spelt = sum(isinstance(part, _Row) for part, _ in parts) <= SPELT
        told, records = list[str](), list[list[str]]()
        heads: list[str] = []
        for part, names in parts:
            if isinstance(part, str):
                told.append(part)
            elif spelt and len(names) > 2 and len(names) == len(part.slots):
                told += _told(part, names)
                heads = heads or names
                whole = names == heads and all(cell.rows == 1 for cell in part.slots)  # what spans rows is of one
                records += [[cell.text() for cell in part.slots]] if whole else []
            else:
                told += _told(part, [""] * len(part.slots))
        return [*told, *of_rows(heads, records)]

    def _parted(self) -> Iterator[tuple[_Row | str, list[str]]]:
        """Its rows, with the names of their columns; rows of names are one line already."""
        names, heads, new = list[str](), list[_Row](), True
        for row in [*self._rows, ""]:
            head = isinstance(row, _Row) and row.names
            if heads and not (isinstance(row, _Row) and head and _goes_on(heads, row)):
                names = _joined(heads)
                if sum(map(len, names)) <= _MOST_NAMES:
                    yield _cells(names), []
                else:
                    names = []
                    yield from ((one, names) for one in heads)
                heads = []
            if isinstance(row, _Row) and head and (heads or new):
                heads, new = [*heads, row], False
            elif row:
                new = new or not head
                yield row, names


def _goes_on(heads: list[_Row], row: _Row) -> bool:
    """Whether a row goes on with the names above it: below one that spans several columns, or in the same head."""
    spans = len(set(heads[-1].starts)) < len(heads[-1].starts)
    return len(row.slots) == len(heads[0].slots) and len(heads) < _MOST_HEADS and (spans or row.in_head)


def _joined(heads: list[_Row]) -> list[str]:
    """The names of the columns: `Summer Single`, where Single stands below Summer."""
    columns = zip(*(row.slots for row in heads), strict=True)
    return [" ".join(dict.fromkeys(text for cell in column if (text := cell.text()))) for column in columns]


def _told(row: _Row, names: list[str]) -> list[str]:
    """A row as one line, or as several where a cell of it is long; what spans columns has the names of all."""
    columns: dict[int, list[str]] = {}
    for start, name in zip(row.starts, names, strict=True):
        columns.setdefault(start, []).append(name)
    if len(columns) == 1:
        return row.slots[0].lines
    cells = [(", ".join(dict.fromkeys(filter(None, named))), row.slots[start]) for start, named in columns.items()]
    named = any(names)
    short = [cell.short and (named or not cell.nested) for _, cell in cells]
    if all(short):
        return [_cells([_with(name, cell.text()) for name, cell in cells])]
    lines, together = list[list[str]](), False
    for (name, cell), one in zip(cells, short, strict=True):
        if cell.lines and one and together:
            lines[-1].append(_with(name, cell.text()))
        elif cell.lines:
            first, *others = [cell.text()] if one else cell.lines
            lines += [[_with(name, first)], *([line] for line in others)]
        together = bool(lines) and one
    return [" | ".join(parts) for parts in lines]


def _cells(texts: list[str]) -> str:
    return " ".join(" | ".join(texts).split())


def _with(name: str, text: str) -> str:
    return f"{name}: {text}".strip() if name else text
