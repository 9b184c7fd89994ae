"""The cells of a table whose cells span columns and rows, each in its own column: what spans stands in each."""

from __future__ import annotations

_MOST_ROWS, _MOST_COLUMNS = 200, 64  # that a cell spans
_MOST_COPIED = 20_000  # characters of a table that stand in more cells than one


class Grid:
    """Cells go in by rows; at most `width` of them are kept of each."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._rows: list[list[str]] = []
        self._down: dict[int, tuple[str, int]] = {}  # what stands in a column from above, and in how many rows more
        self._room = _MOST_COPIED
        self._cells = 0  # of the row, not from above

    def row(self) -> None:
        """A row begins."""
        self._end()
        self._rows.append([])

    def section(self) -> None:
        """What follows has no cells from above."""
        self._end()
        self._down.clear()

    def cell(self, text: str, columns: int = 1, rows: int = 1) -> None:
        """The next cell of the row."""
        if not self._rows:
            return
        row = self._rows[-1]
        self._from_above(row)
        columns, rows = max(1, min(columns, _MOST_COLUMNS, self._width - len(row))), max(1, min(rows, _MOST_ROWS))
        if len(row) >= self._width:
            return
        self._cells += 1
        copies = len(text) * (columns * rows - 1)
        copied = text if copies <= self._room else ""
        self._room -= len(copied) and copies
        if rows > 1:
            self._down |= {len(row) + n: (copied, rows - 1) for n in range(columns)}
        row += [text, *[copied] * (columns - 1)]

    def rows(self) -> list[list[str]]:
        """All of them."""
        self._end()
        return self._rows

    def _end(self) -> None:
        """The row is whole. A cell that is all of it names a group of rows, and stands there once."""
        if not self._rows:
            return
        row = self._rows[-1]
        if self._cells == 1 and not self._down and len(row) > 1:
            row[1:] = [""] * (len(row) - 1)
        if self._cells:
            self._from_above(row)
        self._cells = 0

    def _from_above(self, row: list[str]) -> None:
        while len(row) in self._down and len(row) < self._width:
            text, rows = self._down.pop(len(row))
            if rows > 1:
                self._down[len(row)] = text, rows - 1
            row.append(text)
