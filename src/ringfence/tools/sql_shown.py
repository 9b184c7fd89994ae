"""A result of a database as it is shown: columns of names of their own, and rows, bounded in number and size."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from ringfence.core.values import JSON

from .calc import readable
from .texts import notes

CELL_CHARS = 1_000  # shown of one value
_PLACES, _MANY = 4, 8  # decimals of a number that is told, and how many are too many
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")


def named(columns: Iterable[str]) -> list[str]:
    """The names of columns; one that comes again gets a number: `id`, `id_2`."""
    seen: dict[str, int] = {}
    names = []
    for column in columns:
        seen[column] = seen.get(column, 0) + 1
        names.append(column if seen[column] == 1 else f"{column}_{seen[column]}")
    return names


def table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], max_rows: int, room: int, *,
    beside: Mapping[str, JSON] = MappingProxyType({}), adds: Collection[str] = (),
) -> dict[str, JSON]:  # fmt: skip
    """`{columns, rows, matched, truncated}`: rows are objects, at most `max_rows` and about `room` characters.

    beside  what is told of the keys that a column has: `named` rows, or a `note`; where a value `stands` instead
    adds    the columns of which it is told what they come to, where all rows are shown
    """
    shown: list[dict[str, JSON]] = []
    used = 0
    for row in rows[:max_rows]:
        made = dict(zip(columns, map(cell, row), strict=True))
        used += sum(len(str(value)) + len(name) + 6 for name, value in made.items())
        if used > room and shown:
            break
        shown.append(made)
    more = len(shown) < len(rows)
    cut = f"only the first {len(shown)} rows; add conditions, aggregate, or use limit and offset" if more else ""
    some = {"matched": f"{len(rows)} rows"} if 1 < len(rows) <= max_rows else {}  # a model miscounts them
    none = "" if rows else "no row matches"
    told = {key: beside[key] for key in ("named", "row", "stands") if key in beside}
    sums = {} if more else amounts([name for name in columns if name in adds], shown)
    sums = sums if used + len(str(sums)) <= room else {}
    note = notes(cut, none, str(beside.get("note", "")))
    return {"columns": list(columns), "rows": shown, **sums, **told, **some, "truncated": more, **note}


def cell(value: object) -> JSON:
    """A value as JSON can carry it exactly and a model can read it: what is too wide or too long becomes text."""
    match value:
        case None | bool():
            return value
        case int():
            return value if abs(value) < 2**53 else str(value)
        case float():
            return _short(value) if math.isfinite(value) else str(value)
        case bytes():
            return f"[{len(value)} bytes]"
    text = str(value)
    return text if len(text) <= CELL_CHARS else f"{text[:CELL_CHARS]}... [{len(text) - CELL_CHARS} more characters]"


def _short(value: float) -> float:
    """A sum without the noise of binary fractions: 2307.99 for 2307.9900000000002."""
    bare = float(f"{value:.15g}")
    return bare if len(repr(bare)) + 3 < len(repr(value)) else value


def amounts(columns: Collection[str], rows: Sequence[Mapping[str, JSON]]) -> dict[str, JSON]:
    """Sum, average, least and most of columns where all that they hold are numbers: a small model adds up badly, and
    takes one row for all of them.
    """
    told: dict[str, JSON] = {}
    for name in columns if len(rows) > 1 else ():
        cells = ["" if row[name] is None else str(row[name]) for row in rows]
        full = [cell for cell in cells if cell]
        flags = any(isinstance(row[name], bool) for row in rows) or {"0", "1"}.issuperset(cells)
        if not full or flags or not all(map(_NUMBER.fullmatch, full)):
            continue
        total = sum(map(Fraction, full), Fraction())
        said = [f"{kind} {_shorter(readable(of)[0])}" for kind, of in (("sum", total), ("avg", total / len(full)))]
        said += [f"min {min(full, key=Fraction)}", f"max {max(full, key=Fraction)}"]
        said += [f"empty in {len(cells) - len(full)} of them"] if len(full) < len(cells) else []
        told[f"{name} of all {len(rows)} rows"] = "; ".join(said)
    return told


def _shorter(number: str) -> str:
    """A number in four decimals, or digits, where it has a dozen: a small model copies 16.8888888889 as 15.89."""
    whole, _, decimals = number.partition(".")
    if not whole.lstrip("-").isdigit() or len(decimals) <= _MANY:
        return number
    places = max(_PLACES, _PLACES - 1 - Decimal(number).adjusted())
    return f"{Decimal(number):.{places}f}"
