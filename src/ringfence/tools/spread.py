"""What the fields of a list of objects come to: who has the least and the most of it, how many there are. Pure.

A small model that is shown the stock of eleven products names the one it read last for the one with the fewest pieces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from ringfence.core.values import JSON

from .cells import NUMBER, typed
from .forms import form_of
from .measures import is_amount

_LEAST, _MOST = 3, 10_000  # objects of a list
_FIELDS, _DEEP = 8, 3  # fields that are told, and how deep a list is looked for
_ROWS, _COLUMNS = 4, 4  # of a table: rows that are added up at least, and columns that are told
_SHARE = 0.8  # of the objects, that have a field
_KINDS, _AGAIN = 4, 2  # of a text, that are counted, and how often they come on average at least
_CHARS = 60  # of a name or a text


def spread(value: JSON) -> dict[str, str]:
    """Of each list of objects its numbers, as `pieces of all 11 in stock`: `lowest 31 (Spelt loaf), highest 113
    (Focaccia), average 67.5, sum 743`; and how often each of a few texts comes, or true and false.
    """
    told = dict[str, str]()
    for name, items in _lists(value, "", _DEEP):
        of_all = f"of all {len(items)}{f' in {name}' if name else ''}"
        for field in dict.fromkeys(key for item in items for key in item):
            cells = [(item[field], item) for item in items if item.get(field) is not None]
            said = _said(field, cells) if len(cells) >= _SHARE * len(items) else ""
            if said and len(told) < _FIELDS:
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


def _said(field: str, cells: list[tuple[JSON, dict[str, JSON]]]) -> str:
    values = [value for value, _ in cells]
    if all(isinstance(value, bool) for value in values) or all(isinstance(value, str) for value in values):
        kinds = Counter(str(value).lower() if isinstance(value, bool) else str(value) for value in values)
        again = 1 < len(kinds) <= _KINDS and len(values) >= _AGAIN * len(kinds)
        return ", ".join(f"{kind[:_CHARS]} {count}" for kind, count in kinds.most_common()) if again else ""
    if not is_amount(field) or not all(isinstance(one, int | float) and not isinstance(one, bool) for one in values):
        return ""
    ends = min(cells, key=lambda cell: cell[0]), max(cells, key=lambda cell: cell[0])
    if ends[0][0] == ends[1][0]:
        return ""
    words = [
        f"{word} {value}{_name(item, [other for other, _ in cells].count(value))}"
        for word, (value, item) in zip(("lowest", "highest"), ends, strict=True)
    ]
    total = sum(values)
    return f"{', '.join(words)}, average {total / len(values):.6g}, sum {round(total, 6):.12g}"


def of_rows(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The same of a table whose cells are texts, a line for each column of amounts."""
    told = 0
    for n, name in enumerate(names):
        cells = [row[n] for row in rows]
        form = form_of(cells, commas=True)
        read = [(value, at) for at, (kind, value) in enumerate(typed(cell, form) for cell in cells) if kind == NUMBER]
        if not name or not is_amount(name) or len(read) < max(_SHARE * len(rows), _ROWS) or told == _COLUMNS:
            continue
        (low, first), (high, last) = min(read), max(read)
        if low == high:
            continue
        told += 1
        ends = (
            f"{word} {cells[at]}{_whose(rows[at], n, [value for value, _ in read].count(end))}"
            for word, end, at in (("lowest", low, first), ("highest", high, last))
        )
        total = sum(value for value, _ in read if isinstance(value, Fraction))
        yield f"{name} of all {len(read)} rows: {', '.join(ends)}, sum {round(float(total), 6):.12g}"


def _whose(row: Sequence[str], own: int, times: int) -> str:
    name = next((cell for n, cell in enumerate(row) if n != own and cell and typed(cell)[0] != NUMBER), "")
    more = f" and {times - 1} more" if times > 1 else ""
    return f" ({name[:_CHARS]}{more})" if name else ""


def _name(item: dict[str, JSON], times: int) -> str:
    """Whose value it is: the first text of an object; how many have the same, if there are more."""
    name = next((value for value in item.values() if isinstance(value, str) and value), "")
    more = f" and {times - 1} more" if times > 1 else ""
    return f" ({name[:_CHARS]}{more})" if name else ""
