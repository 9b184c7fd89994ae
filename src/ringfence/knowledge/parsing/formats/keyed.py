"""JSON and lines of it, as `key: value`; numbers as they are written, keys as often as they come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..draft import Draft, Reading
from . import plain
from .encoding import decoded

_PIECE_CHARS = 1_600
_DEPTH = 60


class _Pairs(list[tuple[str, Any]]):
    """An object, each of its keys."""


def read(reading: Reading, draft: Draft, data: bytes, name: str) -> None:
    """A block for each element of a list, of the outermost one, else some lines at a time."""
    text = decoded(draft, data).strip()
    try:
        value = _loaded(text)
    except (ValueError, RecursionError) as fault:
        if "\n" in text and _is_lines(text):
            _records(draft, text)
            return
        draft.note(f"it is no JSON ({str(fault)[:100]}): read as text")
        plain.paragraphs(draft, text)
        return
    elements = value if isinstance(value, list) and not isinstance(value, _Pairs) else [value]
    for element in elements:
        _written(draft, element)


def read_lines(reading: Reading, draft: Draft, data: bytes, name: str) -> None:
    """A block for each line; one that is no JSON stays as it is."""
    _records(draft, decoded(draft, data))


def _records(draft: Draft, text: str) -> None:
    broken = 0
    for one in text.splitlines():
        if not one.strip():
            continue
        try:
            _written(draft, _loaded(one))
        except (ValueError, RecursionError):
            broken += 1
            draft.text(one)
    if broken:
        draft.note(f"{broken} lines are no JSON: read as text")


def _is_lines(text: str) -> bool:
    try:
        for one in text.split("\n", 2)[:2]:
            _loaded(one)
    except (ValueError, RecursionError):
        return False
    return True


def _loaded(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_Pairs, parse_int=str, parse_float=str)


def _written(draft: Draft, value: Any) -> None:
    held: list[str] = []
    size = 0
    for one in _told(value, "", 0):
        if held and size + len(one) > _PIECE_CHARS:
            draft.text("\n".join(held))
            held, size = [], 0
        held.append(one)
        size += len(one) + 1
    draft.text("\n".join(held))


def _told(value: Any, key: str, depth: int) -> Iterator[str]:
    """Lines of `key: value`, inner keys behind a dot; a list of plain values is one line."""
    if depth > _DEPTH:
        yield f"{key}: {json.dumps(value, ensure_ascii=False)}"
    elif isinstance(value, _Pairs):
        for name, inner in value:
            yield from _told(inner, f"{key}.{name}" if key else name, depth + 1)
    elif isinstance(value, list):
        if all(not isinstance(inner, list) for inner in value):
            yield _line(key, ", ".join(map(_word, value)))
        else:
            for n, inner in enumerate(value, 1):
                yield from _told(inner, f"{key}[{n}]", depth + 1)
    else:
        yield _line(key, _word(value))


def _line(key: str, words: str) -> str:
    return f"{key}: {words}" if key else words


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
