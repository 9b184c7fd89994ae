"""A file of JSON objects, one a line (JSON Lines), as a table: a column for each name that any of them has."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from ringfence.core.errors import ToolError
from ringfence.core.values import JSON

ENDS = (".jsonl", ".ndjson")
_DEEP, _COLUMNS = 8, 1_000  # objects in one another, and columns, that are told apart
_CELLS = 4_000_000  # of a table
_OFTEN = 1_024  # lines between two looks at the clock


def read_objects(path: str, text: str, *, seconds: float) -> tuple[tuple[str, ...], list[list[str]]]:
    """The columns in the order in which they come first, `user.name` for what is in an object, and the rows as texts.

    Raises ToolError for a line that is no object, and for what takes longer than `seconds`.
    """
    until = time.monotonic() + seconds
    places, found = dict[str, int](), list[dict[str, str]]()
    for number, line in enumerate(text.split("\n"), 1):
        if number % _OFTEN == 0 and time.monotonic() > until:
            raise ToolError(f"{path} takes longer than {seconds:g} s to read")
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise ToolError(
                f"line {number} of {path} is no JSON object",
                todo="look at it with files.read, or count with text.count",
            )
        row = dict[str, str]()
        for name, cell in _cells(value, "", _DEEP):
            while name in row:  # of another object: `a.b`, and the `b` in `a`
                name = f"{name}_"
            row[name] = cell
            places.setdefault(name, len(places))
        found.append(row)
        if len(places) > _COLUMNS or len(places) * len(found) > _CELLS:
            what = f"more than {_COLUMNS} columns or {_CELLS:,} cells"
            raise ToolError(f"{path} has {what}", todo="use text.count or files.search")
    if not places:
        raise ToolError(f"{path} is empty: it has no objects")
    return tuple(places), [[row.get(name, "") for name in places] for row in found]


def _cells(value: dict[str, JSON], name: str, deep: int) -> Iterator[tuple[str, str]]:
    for key, inner in value.items():
        path = _written(f"{name}.{key}" if name else key)
        if isinstance(inner, dict) and inner and deep:
            yield from _cells(inner, path, deep - 1)
        elif isinstance(inner, list) and not any(isinstance(one, dict | list) for one in inner):
            yield path, ", ".join(map(_text, inner))
        else:
            yield path, _text(inner)


def _text(value: JSON) -> str:
    if value is None:
        return ""
    return _written(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _written(text: str) -> str:
    """A text without halves of characters, which no database takes."""
    return text.encode("utf-8", "replace").decode()
