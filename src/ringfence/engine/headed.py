"""Under which heading of a text a value stands, and in which entry of a list. Pure.

Asked for the mail address of one firm of a list, which has a telephone number alone, a small model takes that of the
firm above it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .evidence import Numbers
from .nearest import PROPER, brought, lines, opened, stems
from .task import only_ranks, reckons

_HEADING = re.compile(r"(#{1,6})\s+(\S.{0,80}?)\s*#*")
_VALUE = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w|\b(?=\w*\d)[\w]{2,}(?:[.:/-]\w+)*")
_LABELLED = re.compile(
    r"\W*([^\W\d][^\d:|;,]{2,60}?)(?:\s*[:|;,-]\s*(?:[^\W\d]{1,12}\.?:?\s+)?|\s+)(\d[\d\s/+-]{0,30})\W*"
)
SOME, _MOST = 3, 200  # entries that make a list, and that are looked at
_BEGINS = frozenset(("what", "which", "when", "who", "how", "according", "please", "find", "tell", "the"))
_LEAST = 2  # words of a heading, so that it is a name


def strange_heading(answer: str, turn: Turn) -> str:
    """What is wrong with a value that stands under other headings than the one that the task names; else empty."""
    task = str(turn.start["task"])
    values = [value for value in _VALUE.findall(answer) if value.casefold() not in task.casefold()]
    if not values or reckons(task):
        return ""
    asked, told = set(stems(task)), list(_told(turn))
    heads = {head for head, _ in told}
    named = {head for head in heads if (own := set(stems(head))) and own <= asked and _is_name(head, own, task)}
    if len(named) != 1 or len(heads) < SOME:
        return ""
    (name,) = named
    places = {value: {head for head, line in told if _has(line, value)} for value in values}
    value, under = min(places.items(), key=lambda one: (not one[1], len(one[1])))
    if not under or "" in under or name in under or any(not asked.isdisjoint(stems(head)) for head in under):
        return ""
    return f"{value} stands under {sorted(under)[0]!r}, and the task asks for {name!r}."


def _is_name(head: str, own: Collection[str], task: str) -> bool:
    """Whether a heading is called so in a task: by words enough, or by one that is written as a name there."""
    return len(own) >= _LEAST or (re.search(rf"(?<=[\w,] ){re.escape(head)}\b", task) is not None and head[0].isupper())


def strange_row(answer: str, turn: Turn) -> str:
    """What is wrong with a value that one row of a table in a text has, where the task names somebody of no row there:
    the last inspection of North Gate for that of Station Road; else empty.
    """
    task = str(turn.start["task"])
    values = [value for value in _VALUE.findall(answer) if value.casefold() not in task.casefold()]
    named = [name for name in PROPER.findall(task) if name.split()[0].casefold() not in _BEGINS]
    if not values or not named or (reckons(task) and not only_ranks(task)):
        return ""
    for text in _texts(turn):
        gone = [name for name in named if name not in text]
        rows = [row for row in map(_row, text.split("\n")) if row] if gone else []
        having = [label for label, line in rows if any(_has(line, value) for value in values)]
        own = having[0].casefold() if len(having) == 1 else ""
        if len(rows) >= SOME and own and own not in task.casefold() and own not in answer.casefold():
            return f"{values[0]} is of {having[0]!r}, and the task asks for {gone[0]!r}, which is not there."
    return ""


def _row(line: str) -> tuple[str, str] | None:
    """The label of a row of a Markdown table or of a list, and the row; None of any other line."""
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.strip().startswith("|") else []
    label, colon, _ = line.strip().removeprefix("- ").partition(": ")
    label = cells[0] if len(cells) > 1 else label if colon and line.strip().startswith("- ") else ""
    return (label, line) if re.fullmatch(r"[^\W\d][^|:]{2,60}", label) else None


def _texts(turn: Turn) -> Iterator[str]:
    """The texts of passages and of results."""
    yield from (str(one.get("text", "")) for one in opened(turn))
    yield from ("\n".join(lines(value)) for value in brought(turn))


def _has(line: str, value: str) -> bool:
    return value in line or (value[0].isdigit() and Numbers(line).have(value))


def _told(turn: Turn) -> Iterator[tuple[str, str]]:
    """The lines of passages and of results, each with the heading of a text that it is under, or an empty one."""
    for text in _texts(turn):
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
