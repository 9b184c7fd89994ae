"""What the numbers come to that stand in the fields of lines. Standard library alone, as `lines` is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

MAX_FIELDS = 20  # that are measured
_SHARE = 0.8  # of the lines, that have the field
_NUMBER = re.compile(r"([-+]?\d{1,12}(?:\.\d{1,9})?) ?([^\W\d_]{1,3}|%|°C)?")
_MORE = re.compile(r",\d| (?:[KMGT]i?B|ms|s|sec|min|h|kWh?|V|A|W|km|m|cm|mm|kg|g|l|ml|%|°?[CF])\b", re.I)
_NO_AMOUNT = re.compile(  # what is a number and is not reckoned with
    r".*id|zip|(?:^|.*[._ -])(?:no|nr|num|number|pid|tid|port|code|status|line|seq|version|ts|at|time|timestamp|date|"
    r"day|hour|year)",
    re.I,
)


class Measures:
    """How many numbers each field has, what they come to, and the least and the most, with their lines."""

    def __init__(self) -> None:
        self._by: dict[str, dict[str, Any]] = {}

    def take(self, named: Mapping[str, str], line: str, hit: Sequence[Any]) -> None:
        """The fields of one more line; `hit` is where it stands."""
        for name, text in named.items():
            so_far, number = self._by.get(name), _NUMBER.fullmatch(text)
            if so_far is None:
                if number is None or len(self._by) >= MAX_FIELDS or not is_amount(name):
                    continue
                so_far = self._by[name] = {"count": 0, "sum": 0.0, "unit": number[2], "least": None, "most": None}
            if number is None or number[2] != so_far["unit"] or _goes_on(line, name, text):  # 90 s and 2 min; 1,500
                so_far["unit"] = ""
                continue
            value = float(number[1])
            so_far["count"] += 1
            so_far["sum"] += value
            for end, more in (("least", -1), ("most", 1)):
                if so_far[end] is None or value * more > so_far[end][0] * more:
                    so_far[end] = [value, text, *hit]

    def told(self, lines: int) -> dict[str, dict[str, Any]]:
        """Of the fields that most of so many lines have, each with one unit or none, and not the same everywhere."""
        return {
            name: of
            for name, of in self._by.items()
            if of["unit"] != "" and of["count"] >= _SHARE * lines and of["least"][0] != of["most"][0]
        }


def is_amount(name: str) -> bool:
    """Whether the numbers of a field are amounts, by its name, and no keys or times."""
    return _NO_AMOUNT.fullmatch(name) is None


def _goes_on(line: str, name: str, text: str) -> bool:
    """Whether a number that was read as the value of a field is but a part of it: of `1,500`, or of `10 KB`."""
    at = line.find(f"{name}={text}")
    return at >= 0 and _MORE.match(line, at + len(name) + 1 + len(text)) is not None


def in_words(of: Mapping[str, Any]) -> str:
    """A field's numbers, as `lowest 7 (a.log:154: ...), highest 96 (...), average 53.2, sum 2875`."""
    unit = of["unit"] or ""
    ends = (
        f"{word} {text} ({path}:{number}: {line.strip()})"
        for word, (_, text, path, number, line) in (("lowest", of["least"]), ("highest", of["most"]))
    )
    return f"{', '.join(ends)}, average {of['sum'] / of['count']:.6g}{unit}, sum {round(of['sum'], 6):.12g}{unit}"
