"""What is wrong in a file, where, and in which words: all of it in one error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ringfence.core.errors import ManifestError

At = tuple[str | int, ...]  # a place in the data: ("tools", 0, "name")


class Spot(NamedTuple):
    """A place in the file, counted from 1."""

    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong. `path` may be empty: then the file as a whole is meant."""

    spot: Spot
    path: str
    text: str


def dotted(at: At) -> str:
    """`tools[0].name`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{shorten(part)}" for part in at).removeprefix(".")


def shorten(text: str, length: int = 60) -> str:
    """At most `length` characters, on one line, with nothing in it that a terminal would obey."""
    plain = "".join(c if c.isprintable() else "?" for c in text[: length + 1])
    return plain if len(plain) <= length else plain[: length - 3] + "..."


def words(value: Any) -> str:
    """A value of the file as a person would say it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{shorten(value)}'" if value else "empty text"
        case Mapping():
            return "a mapping"
        case list():
            return "a list" if value else "an empty list"
        case _:
            return shorten(str(value))


def invalid(name: str, problems: Iterable[Problem], *, todo: str = "") -> ManifestError:
    """The error that shows them all, in the order of the file, each once."""
    found = sorted(set(problems))
    lines = [
        f"{name}:{p.spot.line}:{p.spot.column} {p.path}: {p.text}"
        if p.path
        else f"{name}:{p.spot.line}:{p.spot.column} {p.text}"
        for p in found
    ]
    places = "this place" if len(found) == 1 else f"these {len(found)} places"
    todo = todo or f"correct {places}, then look again with `ringfence manifest check {name}`"
    return ManifestError("\n".join(lines), todo=todo)
