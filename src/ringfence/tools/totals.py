"""What the rows of a result come to: a small model adds up badly, and takes one row for all of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from ringfence.core.values import JSON

from .calc import readable
from .cells import EMPTY, NUMBER, Cell, clock, holds, typed
from .forms import PLAIN, Form, form_of, units

_PLACES, _MANY = 4, 8  # decimals of a number that is told, and how many are too many
_LOOK = 200  # cells that tell what a column holds
_ROW_CHARS = 200  # of the row that has the least or the most
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NAMES = re.compile(r"(?:^|(?<!\bper)(?<!_per)[\W_])(?:id|no|nr|zip|plz|postcode|phone|year)\W*$", re.I)


def totals(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    picked: Collection[int],
    form: Callable[[int], Form] | None = None,
) -> dict[str, JSON]:
    """Sum, average, least and most of each numeric column that is `picked`, over all rows; not of what names them.

    form  how a column is written; told from these rows if it is not given
    """
    told: dict[str, JSON] = {}
    for place in picked if len(rows) > 1 else ():
        cells = [row[place] for row in rows]
        written = form(place) if form else form_of(cells)
        if names_rows(columns[place]) or holds(cells[:_LOOK], written) != {NUMBER} or units(cells):
            continue
        said = [f"{kind} {_shorter(aggregate(kind, cells, 0, written)[0])}" for kind in ("sum", "avg")]
        for kind in ("min", "max"):
            value = aggregate(kind, cells, 0, written)[0]
            said.append(f"{kind} {value} (row {', '.join(rows[cells.index(value)])[:_ROW_CHARS]})")
        said += _none(sum(typed(cell, written)[0] == EMPTY for cell in cells))
        told[f"{columns[place]} of all {len(rows)} rows"] = "; ".join(said)
    return told


def amounts(columns: Collection[str], rows: Sequence[Mapping[str, JSON]]) -> dict[str, JSON]:
    """Sum, average, least and most of columns that a database gave, where all that they hold are numbers."""
    told: dict[str, JSON] = {}
    for name in columns if len(rows) > 1 else ():
        cells = ["" if row[name] is None else str(row[name]) for row in rows]
        numbers = all(_NUMBER.fullmatch(cell) for cell in cells if cell) and any(cells)
        flags = any(isinstance(row[name], bool) for row in rows) or {"0", "1"}.issuperset(cells)
        if numbers and not flags:
            said = [f"{kind} {_shorter(aggregate(kind, cells, 0)[0])}" for kind in ("sum", "avg")]
            said += [f"{kind} {aggregate(kind, cells, 0)[0]}" for kind in ("min", "max")]
            told[f"{name} of all {len(rows)} rows"] = "; ".join(said + _none(cells.count("")))
    return told


def _shorter(number: str) -> str:
    """A number in four decimals, or digits, where it has a dozen: a small model copies 16.8888888889 as 15.89."""
    whole, _, decimals = number.partition(".")
    if not whole.lstrip("-").isdigit() or len(decimals) <= _MANY:
        return number
    places = max(_PLACES, _PLACES - 1 - Decimal(number).adjusted())
    return f"{Decimal(number):.{places}f}"


def _none(count: int) -> list[str]:
    """In how many rows nothing stands, in words; nothing of none."""
    return [f"empty in {count} of them"] if count else []


def of_groups(name: str, cells: Sequence[str], rows: Sequence[str], form: Form = PLAIN) -> dict[str, JSON]:
    """What counts or sums of groups come to together, or the average of their `rows`: a model takes one for all."""
    if name.startswith("avg(") and len(cells) > 1:
        return {f"{name} of all {len(rows)} rows together": aggregate("avg", rows, 0, form)[0]}
    if len(cells) < 2 or not name.startswith(("count", "sum(")):
        return {}
    total, average = (aggregate(kind, cells, 0)[0] for kind in ("sum", "avg"))
    return {f"{name} of all {len(cells)} groups": f"{total}; {average} a group on average"}


def names_rows(column: str) -> bool:
    """Whether a column's name says that its numbers are no amounts: `Order ID`, `perf_no`, `year`."""
    return _NAMES.search(_HUMP.sub("_", column)) is not None


def aggregate(kind: str, cells: Sequence[str], count: int, form: Form = PLAIN) -> tuple[str, int]:
    """The value as text, and how many cells could not be used."""
    if kind == "count":
        return str(sum(1 for cell in cells if typed(cell)[0] != EMPTY) if cells else count), 0
    if units(cells):
        return "", 0  # each has its own: `doubts.of_aggregate`
    values = [typed(cell, form) for cell in cells]
    numbers = [value for which, value in values if which == NUMBER and isinstance(value, Fraction)]
    if kind in ("sum", "avg"):
        if not numbers:
            return _of_clocks(kind, cells)
        total = sum(numbers, Fraction())
        return readable(total if kind == "sum" else total / len(numbers))[0], len(cells) - len(numbers)
    usable = [(value, cell) for value, cell in zip(values, cells, strict=True) if value[0] != EMPTY]
    if numbers:
        usable = [(value, cell) for value, cell in usable if value[0] == NUMBER]
    if not usable:
        return "", len(cells)
    pick: Callable[..., tuple[Cell, str]] = min if kind == "min" else max
    return pick(usable, key=lambda pair: pair[0])[1], len(cells) - len(usable)


def _of_clocks(kind: str, cells: Sequence[str]) -> tuple[str, int]:
    """The sum or average of times (1:30, 0:45), in the same form, whether that is of minutes or of hours."""
    full = [cell for cell in cells if typed(cell)[0] != EMPTY]
    times = [clock(cell) for cell in full]
    parts = {len(one) for one in times}
    if not full or parts not in ({2}, {3}):
        return "", len(cells)
    total = sum((Fraction(sum(part * 60**n for n, part in enumerate(reversed(one)))) for one in times), Fraction())
    whole = total if kind == "sum" else total / len(full)
    units_of, rest = divmod(whole, 60)
    last = f"{float(rest):05.2f}".removesuffix(".00")
    more = [f"{int(units_of)}"] if parts == {2} else [f"{int(units_of) // 60}", f"{int(units_of) % 60:02}"]
    return ":".join([*more, last]), len(cells) - len(full)
