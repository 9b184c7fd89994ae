"""What the fields of a list of objects come to: who has the least and the most of it, how many there are. Pure.

A small model that is shown the stock of eleven products names the one it read last for the one with the fewest pieces.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from ringfence.core.values import JSON

from .cells import NUMBER, typed
from .forms import form_of
from .measures import is_amount
from .tidy import says_sum

_LEAST, _MOST = 3, 10_000  # objects of a list
_FIELDS, _DEEP = 8, 3  # fields that are told, and how deep a list is looked for
_SHARE = 0.8  # of the objects, that have a field
_ROWS, _COLUMNS = 4, 4  # of a table: rows that are added up at least, and columns that are told
_KINDS, _AGAIN = 4, 2  # of a text, that are counted, and how often they come on average at least
_CHARS = 60  # of a name or a text
_NO_SUM = re.compile(  # what has a least and a most, and is not added up
    r"(?:^|[\s_])(?:price|fee|cost|fare|rate|rank|place|lat|latitude|lon|lng|longitude|age|built|founded|gegründet|score|phone|tel|"
    r"year|version|temp|temperature|level|percent|share)|[%°]",
    re.I,
)
_NO_AMOUNT = re.compile(  # what a thing is called by
    r"(?:^|(?<!\bper)(?<!\bby)(?<!\bpro)(?<!\bje)(?<!_per)[\s_])"
    r"(?:quay|platform|gate|track|lane|room|floor|page|step|line|row|seat|table|bay|gleis|raum|halle)$",
    re.I,
)
_YEARS = range(1500, 2101)


def spread(value: JSON) -> dict[str, str]:
    """Of each list of objects its numbers, as `pieces of all 11 in stock`: `lowest 31 (Spelt loaf), highest 113
    (Focaccia), average 67.5, sum 743`; and how often each of a few texts comes, or true and false.
    """
    told = dict[str, str]()
    for name, items in _lists(value, "", _DEEP):
        of_all = f"of all {len(items)}{f' in {name}' if name else ''}"
        has = Counter(key for item in items for key, one in item.items() if one is not None)
        units = len({str(item.get("currency", item.get("unit", ""))) for item in items})
        for field, count in has.items():
            if count < _SHARE * len(items) or len(told) == _FIELDS:
                continue
            if said := _said(field, [(item[field], item) for item in items if item.get(field) is not None], units < 2):
                told[f"{field[:_CHARS]} {of_all}"] = said
    return told


def _lists(value: JSON, name: str, deep: int) -> Iterator[tuple[str, list[dict[str, JSON]]]]:
    if isinstance(value, list):
        items = [one for one in value if isinstance(one, dict)]
        if _LEAST <= len(items) == len(value) <= _MOST:
            yield name[:_CHARS], items
    elif isinstance(value, dict) and deep:
        for key, inner in value.items():
            yield from _lists(inner, key, deep - 1)


def _said(field: str, cells: list[tuple[JSON, dict[str, JSON]]], alike: bool) -> str:
    """`alike`: they have one unit."""
    values = [value for value, _ in cells]
    if all(isinstance(value, bool) for value in values) or all(isinstance(value, str) for value in values):
        kinds = Counter(str(value).lower() if isinstance(value, bool) else str(value) for value in values)
        again = 1 < len(kinds) <= _KINDS and len(values) >= _AGAIN * len(kinds)
        return ", ".join(f"{kind[:_CHARS]} {count}" for kind, count in kinds.most_common()) if again else ""
    if _NO_AMOUNT.search(field):
        return ""
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one) for one in values)
    if not alike or not is_amount(field) or not numbers:
        return ""
    ends = min(cells, key=lambda cell: cell[0]), max(cells, key=lambda cell: cell[0])
    if ends[0][0] == ends[1][0]:
        return ""
    words = [
        f"{word} {value}{_name(item, values.count(value))}"
        for word, (value, item) in zip(("lowest", "highest"), ends, strict=True)
    ]
    total = sum(values)
    summed = math.isfinite(total) and not _NO_SUM.search(field) and not all(value in _YEARS for value in values)
    more = f", average {total / len(values):.6g}, sum {round(total, 6):.12g}" if summed else ""
    return ", ".join(words) + more


def of_rows(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The same of a table whose cells are texts, a line for each column of amounts; a row of sums is left out."""
    rows, told = [row for row in rows if not says_sum(row)], 0
    for n, name in enumerate(names):
        cells = [row[n] for row in rows]
        form = form_of(cells, commas=True)
        read = [(value, at) for at, (kind, value) in enumerate(typed(cell, form) for cell in cells) if kind == NUMBER]
        marks = {re.sub(r"[\d.,'\s+-]", "", cells[at]) for _, at in read}
        if (
            not name
            or not is_amount(name)
            or _NO_AMOUNT.search(name)
            or len(read) < max(_SHARE * len(rows), _ROWS)
            or len(marks) > 1
        ):
            continue
        (low, first), (high, last) = min(read), max(read)
        if low == high or told == _COLUMNS or all(value in _YEARS for value, _ in read):
            continue
        told += 1
        values = [value for value, _ in read]
        ends = (
            f"{word} {cells[at]}{_whose(rows[at], n, values.count(end))}"
            for word, end, at in (("lowest", low, first), ("highest", high, last))
        )
        total = float(sum(value for value in values if isinstance(value, Fraction)))
        more = "" if _NO_SUM.search(name) else f", sum {round(total, 6):.12g}"
        yield f"{name} of all {len(read)} rows: {', '.join(ends)}{more}"


def _whose(row: Sequence[str], own: int, times: int) -> str:
    name = next((cell for n, cell in enumerate(row) if n != own and cell and typed(cell)[0] != NUMBER), "")
    return _told(name, times)


def _name(item: dict[str, JSON], times: int) -> str:
    """Whose value it is: the first text of an object; how many have the same, if there are more."""
    return _told(next((value for value in item.values() if isinstance(value, str) and value), ""), times)


def _told(name: str, times: int) -> str:
    more = f" and {times - 1} more" if times > 1 else ""
    return f" ({name[:_CHARS]}{more})" if name else ""
