"""The first or the last of the rows of a page that a task is about. Pure.

Asked for the last ferry to Sulvay, a small model that is shown the eight of the day takes one from their midst.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ringfence.core.values import JSON

_OF = r"(?![ -](?:names?|week|month|year|night|half|class|quarter|time|days?|minutes?|hours?|few|two|three|\d)\b)"
_LAST = re.compile(rf"\b(?:the|der|die|das|den) (?:last|latest|newest|most recent|letzte\w*|späteste\w*)\b{_OF}", re.I)
_FIRST = re.compile(rf"\b(?:the|der|die|das|den) (?:first|earliest|oldest|erste\w*|früheste\w*)\b{_OF}", re.I)
_LISTS = re.compile(r"\b(?:list|order(?:ed)?|sort(?:ed)?|at the top|tonight|night)\b", re.I)
_NOT = re.compile(r"\b(?:not|no|except|without|but|than|before|after|nicht|kein\w*|außer|vor|nach)\b|n't\b", re.I)
_WHEN = re.compile(r"\d{1,2}:\d\d(?::\d\d)?|(?:19|20)\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d\S*)?")
_NAME = re.compile(r"[^\W\d_][\w' -]{2,40}")
_LINES = 500


def fields(line: str) -> dict[str, str]:
    """The fields of a row as results and notes show it: `- time: 06:10, ship: Kittiwake`, `Departure: 06:10 | Quay: 2`,
    `- Door: the shop; Key: Ann Lee`.
    """
    bare = line.strip()
    row = bare.removeprefix("- ")
    mark = "; " if "; " in row else ", " if row != bare else " | "
    parts = row.split(mark) if mark in row or row != bare else []
    pairs = [part.partition(": ") for part in parts]
    return (
        {name: value for name, colon, value in pairs if colon} if pairs and all(colon for _, colon, _ in pairs) else {}
    )


def of_the_last(text: str, task: str) -> str:
    """The first or the last row in time of those that have a value which the task says, where it asks for that one;
    else empty. A row has one field with a time or a day.
    """
    last, first = _LAST.search(task), _FIRST.search(task)
    if (last is None) == (first is None) or _NOT.search(task) or _LISTS.search(task):
        return ""
    rows = [(line.strip(" -"), of) for line in text.split("\n")[:_LINES] if (of := fields(line))]
    said = {
        (name, value)
        for _, of in rows
        for name, value in of.items()
        if _NAME.fullmatch(value) and re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", task, re.I)
    }
    about = [(line, of) for line, of in rows if said and all(of.get(name) == value for name, value in said)]
    if len(said) != 1 or not 1 < len(about) < len(rows):
        return ""
    when = [name for name in about[0][1] if all(_WHEN.fullmatch(of.get(name, "")) for _, of in about)]
    if len(when) != 1 or len({len(of[when[0]].rjust(5, "0")) for _, of in about}) > 1:
        return ""
    ordered = sorted(about, key=lambda row: row[1][when[0]].rjust(20, "0"))
    return ordered[-1 if last else 0][0]


def as_lines(value: JSON) -> Iterator[str]:
    """The rows of a result, each as `- name: value, name: value`, and the lines of its texts."""
    match value:
        case {**members} if members and not any(isinstance(one, dict | list) for one in members.values()):
            texts = [str(one) for one in members.values() if "\n" in str(one)]
            yield f"- {', '.join(f'{name}: {one}' for name, one in members.items() if str(one) not in texts)}"
            yield from (line for text in texts for line in text.split("\n"))
        case dict() | list():
            for one in value.values() if isinstance(value, dict) else value:
                yield from as_lines(one)
        case str():
            yield from value.split("\n")
