"""Under which heading of a text a value stands, and in which entry of a list. Pure.

Asked for the mail address of one firm of a list, which has a telephone number alone, a small model takes that of the
firm above it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .evidence import Numbers
from .nearest import brought, lines, opened, stems
from .task import reckons

_HEADING = re.compile(r"(#{1,6})\s+(\S.{0,80}?)\s*#*")
_VALUE = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w|\b(?=\w*\d)[\w]{2,}(?:[.:/-]\w+)*")
_LABELLED = re.compile(
    r"\W*([^\W\d][^\d:|;,]{2,60}?)(?:\s*[:|;,-]\s*(?:[^\W\d]{1,12}\.?:?\s+)?|\s+)(\d[\d\s/+-]{0,30})\W*"
)
SOME, _MOST = 3, 200  # entries that make a list, and that are looked at
_LEAST = 2  # words of a heading, so that it is a name


def strange_heading(answer: str, turn: Turn) -> str:
    """What is wrong with a value that stands under other headings than the one that the task names; else empty."""
    task = str(turn.start["task"])
    values = [value for value in _VALUE.findall(answer) if value.casefold() not in task.casefold()]
    if not values or reckons(task):
        return ""
    asked, told = set(stems(task)), list(_told(turn))
    named = {head for head, _ in told if len(own := set(stems(head))) >= _LEAST and own <= asked}
    if len(named) != 1:
        return ""
    (name,) = named
    for value in values:
        under = {head for head, line in told if _has(line, value)}
        if under and "" not in under and name not in under and all(asked.isdisjoint(stems(head)) for head in under):
            return f"{value} stands under {sorted(under)[0]!r}, and the task asks for {name!r}."
    return ""


def _has(line: str, value: str) -> bool:
    return value in line or (value[0].isdigit() and Numbers(line).have(value))


def _told(turn: Turn) -> Iterator[tuple[str, str]]:
    """The lines of passages and of results, each with the heading of a text that it is under, or an empty one."""
    texts = [str(one.get("text", "")) for one in opened(turn)]
    for text in [*texts, *("\n".join(lines(value)) for value in brought(turn))]:
        under = ""
        for line in text.split("\n"):
            if found := _HEADING.fullmatch(line.strip()):
                under = found[2]
            elif line.strip():
                yield under, line


def entries_of(value: JSON) -> Sequence[tuple[str, str]]:
    """What a result lists, each entry by its label and its line: `Gatehouse: 272`, or the label in the line above."""
    if isinstance(value, Mapping) and "rows" in value:
        return []
    found, above, told = list[tuple[str, str, str]](), "", list(lines(value))[:_MOST]
    for line in told:
        shape = re.sub(r"\d+", "0", line)
        if "0" not in shape:
            above = line
        elif above:
            found.append((shape, above, line))
            above = ""
    kinds = Counter(shape for shape, *_ in found)
    alike = [(label, line) for shape, label, line in found if kinds[shape] >= SOME]
    return alike or [(match[1], line) for line in told if (match := _LABELLED.fullmatch(line))]
