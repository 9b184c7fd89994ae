"""A column of a file as SQLite is to compare it: numbers, days as ISO 8601, times, or texts; NULL for nothing. Pure.

What is read otherwise than it is written is told, and so is what cannot be compared as what it looks like.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from .cells import DATE, EMPTY, NUMBER, WORD, Cell, clock, typed
from .dated import in_figures
from .forms import Form, hours, is_day, thousands, units

_MOST = 0.8  # of the cells of a column that are days or times, so that it is one of these
_HALF = 0.5  # and of those that are numbers
_DIGITS = 16  # of a whole number, from which on it is a name
_TOLD = 3  # cells that are told in a note
_LEADING = re.compile(r"[+-]?0\d")  # of a number that is a name: 0071
_ISO = re.compile(r"\d{4}-\d\d-\d\d")
_FIRST = re.compile(r"[^\w]*(\d+(?:[.,]\d+)?)")
_LOOK, _SHOWN = 1_000, 5  # cells that tell an order; units that are told
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d(?::\d\d)?")

Value = int | float | str | None


@dataclass(frozen=True, slots=True)
class Typed:
    """A column: its name and type in SQL, its values, and what there is to say of them.

    literal  what a text that it is compared with is there; None for one that is compared as it is
    """

    name: str
    kind: str
    values: Sequence[Value]
    note: str = ""
    literal: Callable[[str], Value] | None = None


def column(name: str, cells: Sequence[str], form: Form, *, commas: bool) -> Typed:
    """A column with its cells as its `form` reads them. `commas`: these separate the cells of its table."""
    read = [typed(cell, form) for cell in cells]
    full = [(cell, one) for cell, one in zip(cells, read, strict=True) if one[0] != EMPTY]
    if _share(full, NUMBER) >= _HALF and not _are_names([cell for cell, one in full if one[0] == NUMBER]):
        return _numbers(name, cells, read, form, commas=commas)
    if _share(full, DATE) >= _MOST:
        return _days(name, cells, read, form)
    if full and sum(bool(clock(cell)) for cell, _ in full) >= _MOST * len(full):
        return Typed(name, "TEXT", [_time(cell) for cell in cells], "", _time)
    months = [(in_figures(cell), cell) for cell, _ in full]
    if months and all(month for month, _ in months):
        other = next((pair for pair in months if pair[0] != pair[1]), None)
        note = f"{name} is written as {other[0]} here, {other[1]} in the file" if other else ""
        return Typed(name, "TEXT", [in_figures(cell) or None for cell in cells], note, _month)
    return Typed(name, "TEXT", [cell or None for cell in cells], _of_order(name, [c for c, _ in full], form))


def _share(full: Sequence[tuple[str, Cell]], kind: int) -> float:
    return sum(one[0] == kind for _, one in full) / len(full) if full else 0.0


def _are_names(numbers: Sequence[str]) -> bool:
    """Whether numbers name something: they are of one length with a 0 before some, or too long to be reckoned with."""
    leading = any(map(_LEADING.match, numbers)) and len(set(map(len, numbers))) == 1
    return leading or any(len(re.sub(r"\D.*", "", one.lstrip("+-"))) >= _DIGITS for one in numbers)


def _numbers(name: str, cells: Sequence[str], read: Sequence[Cell], form: Form, *, commas: bool) -> Typed:
    values = [_number(value) if kind == NUMBER else None for kind, value in read]
    strays = [cell for cell, (kind, _) in zip(cells, read, strict=True) if kind not in (NUMBER, EMPTY)]
    told = [f"{name} is in {form.unit}"] if form.unit else []
    if mixed := units(cells[:_LOOK]):
        told.append(f"{name} is in several units ({', '.join(list(mixed)[:_SHOWN])}), which a sum takes for one")
    told += (
        [f"{name} is no number in {len(strays)} rows, and NULL: {', '.join(strays[:_TOLD])[:100]}"] if strays else []
    )
    if not commas and not form.comma and not form.unit and thousands(cells):
        shown = next(cell for cell in cells if "." in cell)
        told.append(f"{shown} is read with decimals; if its points are of thousands, {name} is a thousand times more")
    whole = all(isinstance(value, int) for value in values if value is not None)

    def literal(text: str) -> Value:
        kind, value = typed(text, form)
        return _number(value) if kind == NUMBER else text

    return Typed(name, "INTEGER" if whole else "REAL", values, "; ".join(told), literal)


def _number(value: object) -> Value:
    assert isinstance(value, Fraction)
    return int(value) if value.denominator == 1 else float(value)


def _days(name: str, cells: Sequence[str], read: Sequence[Cell], form: Form) -> Typed:
    days = [cell for cell, (kind, _) in zip(cells, read, strict=True) if kind == DATE]
    shapes = {(m[1], len(day)) if (m := _MOMENT.fullmatch(day)) else _ISO.fullmatch(day) is not None for day in days}
    same = len(shapes) == 1 and False not in shapes  # they can be compared as they are

    def iso(cell: str, value: object) -> str:
        assert isinstance(value, datetime)
        return cell if same else value.isoformat(" ") if ":" in cell else value.date().isoformat()

    def literal(text: str) -> Value:
        kind, value = typed(text, form)
        return iso(text, value) if kind == DATE and not _ISO.match(text) else text

    values = [iso(cell, value) if kind == DATE else None for cell, (kind, value) in zip(cells, read, strict=True)]
    other = next((cell for cell, day in zip(cells, values, strict=True) if day and day != cell), "")
    strays = [cell for cell, (kind, _) in zip(cells, read, strict=True) if kind not in (DATE, EMPTY)]
    told = [f"{name} is written as 2025-12-31 here, {other} in the file"] if other else []
    told += [f"{name} is no day in {len(strays)} rows, and NULL: {', '.join(strays[:_TOLD])[:100]}"] if strays else []
    return Typed(name, "TEXT", values, "; ".join(told), literal)


def _month(text: str) -> str:
    return in_figures(text) or text


def _time(cell: str) -> str | None:
    """A clock time with two figures for its hour: 9:05 is before 10:00."""
    hour, colon, rest = cell.strip().partition(":")
    return f"{hours(hour, None)}:{rest}" if colon and hour.isdigit() and clock(cell) else cell or None


def _of_order(column: str, cells: Sequence[str], form: Form) -> str:
    """Of a column that is put in order: that it is one of texts, where its figures have another order."""
    full = [cell for cell in cells[:_LOOK] if typed(cell, form)[0] != EMPTY]
    if len(full) < 2 or any(typed(cell, form)[0] != WORD for cell in full):
        return ""
    if all(map(is_day, full)):
        return f"{full[0]} may be of either day and month: {column} is put in order as text, not by date"
    if mixed := units(full):
        return (
            f"{column} is in several units ({', '.join(list(mixed)[:_SHOWN])}): put in order as text, no sum is right"
        )
    found = [_FIRST.match(cell) for cell in full]
    if not all(found) or any(":" in cell for cell in full):
        return ""
    firsts = {cell: float(one[1].replace(",", ".")) for cell, one in zip(full, found, strict=True) if one}
    ordered = [firsts[cell] for cell in sorted(full, key=str.lower)]
    least, most = min(full, key=firsts.__getitem__), max(full, key=firsts.__getitem__)
    told = f"{column} is put in order as text; by its first figures the least is {least[:40]}, the most {most[:40]}"
    return told if ordered != sorted(ordered) else ""
