"""Rows of a table that are no records: sums of the rows above them, and the header once more. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from fractions import Fraction

from .cells import NUMBER, typed
from .tabular import Table

_SUM = re.compile(
    r"(?:(?:grand|sub|over)[\s-]?)?totals?\b.*|sums?|(?:gesamt|zwischen|end)?summen?\b.*|(?:ins)?gesamt\b.*|"
    r"all together|totale?\b.*|somme|suma",
    re.I,
)
_TRIED = 100  # rows that may be sums
_NEAR = Fraction(1, 50)  # a cent or two, for what was rounded before it was added up


def tidied(table: Table, asked: Collection[str]) -> tuple[Table, str]:
    """The table without such rows, and a note of them.

    A row is a sum if it says so, or names nothing, and one of its numbers is what those above come to: all of them,
    or those since the last such row. Whatever is `asked` for by its name stays.
    """
    kept, left, header = list[list[str]](), list[list[str]](), [name.casefold() for name in table.columns]
    wanted, begins, again, tried = {one.strip().casefold() for one in asked}, 0, 0, 0
    for n, row in enumerate(table.rows):
        if row[0].casefold() == header[0] and [cell.casefold() for cell in row] == header:
            again += 1
            continue
        says = tried < _TRIED and _says_sum(row, last=n == len(table.rows) - 1)
        if says and wanted.isdisjoint(cell.casefold() for cell in row):
            tried += 1
            if _adds_up(table, row, kept, 2) or _adds_up(table, row, kept[begins:], 1 if left else 2):
                left.append(row)
                begins = len(kept)
                continue
        kept.append(row)
    said = [f"above the header stands: {table.title[:100]}"] if table.title else []
    said += [f"left out as what other rows come to: {'; '.join(_shown(row) for row in left[:3])}"] if left else []
    said += [f"left out: the header, which stands {again} times more"] if again else []
    return (replace(table, rows=kept, forms={}) if left or again else table), "; ".join(said)


def says_sum(row: Sequence[str]) -> bool:
    """Whether the first text of a row is a word for a sum."""
    return _says_sum(row, last=False)


def _says_sum(row: Sequence[str], *, last: bool) -> bool:
    """Whether the first text of a row is a word for a sum; the last row may have no text at all."""
    first = next((cell for cell in row if cell[:1].isalpha()), "")
    return _SUM.fullmatch(first.rstrip(":")) is not None or (last and row[0] == "" and not first)


def _adds_up(table: Table, row: Sequence[str], above: Sequence[Sequence[str]], least: int) -> bool:
    """Whether a row's numbers are the sums of those above it, of which there are some at `least`: all of them, for
    another one is of a record that is called so.
    """
    found = False
    for place, cell in enumerate(row):
        form = table.form(place)
        kind, total = typed(cell, form)
        numbers = [value for which, value in (typed(one[place], form) for one in above) if which == NUMBER]
        if kind != NUMBER or not isinstance(total, Fraction):
            continue
        added = sum((one for one in numbers if isinstance(one, Fraction)), Fraction())
        if len(numbers) < least or not total or abs(added - total) > _NEAR:
            return False
        found = True
    return found


def _shown(row: Sequence[str]) -> str:
    return ", ".join(cell for cell in row if cell)[:100]
