"""What a number or an order of a column may be mistaken for, and is told beside it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .cells import EMPTY, WORD, clock, typed
from .forms import PLAIN, Form, form_of, is_day, thousands, units
from .totals import aggregate

_LOOK = 1_000  # cells that tell it
_FIRST = re.compile(r"[^\w]*(\d+(?:[.,]\d+)?)")
_SHOWN = 5  # units or spellings that are told


def of_order(column: str, cells: Sequence[str], form: Form) -> str:
    """Of a column that is put in order: that it is one of texts, where its figures have another order."""
    full = [cell for cell in cells[:_LOOK] if typed(cell, form)[0] != EMPTY]
    if len(full) < 2 or any(typed(cell, form)[0] != WORD for cell in full):
        return ""
    if all(map(is_day, full)):
        return f"{full[0]} may be of either day and month: {column} is put in order as text, not by date"
    if mixed := units(full):
        return f"{column} is in several units ({', '.join(list(mixed)[:_SHOWN])}): put in order as text"
    found = [_FIRST.match(cell) for cell in full]
    if not all(found) or any(":" in cell for cell in full):
        return ""
    firsts = {cell: float(one[1].replace(",", ".")) for cell, one in zip(full, found, strict=True) if one}
    ordered = [firsts[cell] for cell in sorted(full, key=str.lower)]
    least, most = min(full, key=firsts.__getitem__), max(full, key=firsts.__getitem__)
    told = f"{column} is put in order as text; by its first figures the least is {least[:40]}, the most {most[:40]}"
    return told if ordered != sorted(ordered) else ""


def of_aggregate(kind: str, column: str, cells: Sequence[str], form: Form, *, points: bool) -> str:
    """Of what is calculated of a column: that it has several units, or perhaps thousands.

    points  no commas separate the cells, so that decimals may come behind one
    """
    if kind == "count":
        return ""
    if mixed := units(cells):
        each = "; ".join(
            f"{unit}: {aggregate(kind, of, 0, form_of(of))[0]}" for unit, of in list(mixed.items())[:_SHOWN]
        )
        return f"{column} is in several units, of which each has its own {kind}: {each}"
    if points and form == PLAIN and thousands(cells):
        shown = next(cell for cell in cells if "." in cell)
        more = aggregate(kind, [cell.replace(".", "") for cell in cells], 0)[0]
        return f"{shown} is read with decimals; if its points are of thousands, the {kind} is {more}"
    if kind in ("sum", "avg") and any(map(clock, cells[:_LOOK])):
        return f"{column} is taken for lengths of time"
    return of_order(column, cells, form) if kind in ("min", "max") else ""


def of_groups(names: Sequence[Sequence[str]]) -> str:
    """Of groups: that some differ in capitals or blanks alone."""
    same: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        same.setdefault(tuple(" ".join(part.casefold().split()) for part in name), []).append(", ".join(name))
    twice = ["/".join(one[:_SHOWN]) for one in same.values() if len(one) > 1]
    return f"groups that differ in capitals alone: {'; '.join(twice[:_SHOWN])[:300]}" if twice else ""
