"""The places and the months that a task names: which of them a run has not looked at yet. Pure: decided by the record.

A small model reads one of two tables, or counts one of two months, and answers. So what the user named is gone through
in the order in which it was named, before an answer may be given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ringfence.core.chain import Kind
from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON

_ADDRESS = re.compile(r"https?://[^\s\"'`<>()\[\]]+")
_MONTH = re.compile(r"(?<!\d )(?<!\d\. )\b(?P<m>[A-Za-zÄä]{3,10})\.? (?P<y>(?:19|20)\d\d)\b")
_NAMES = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar", "february feb februar", "march mar märz", "april apr", "may mai", "june jun juni",
            "july jul juli", "august aug", "september sep sept", "october oct oktober okt", "november nov",
            "december dec dezember dez",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_FIRST = re.compile(r"(?:19|20)\d\d-\d\d-01")
_BEHIND = ".,;:!?"
_LONGEST = 2000  # characters of a task, from which on it holds a text and not the question alone


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is to be looked at next: `what` by one of `tools`, and by nothing else as long as nothing failed.

    stay  tools that a run stays with, for what its task names is read by them; empty: any
    """

    what: str = ""
    tools: frozenset[str] = frozenset()
    stay: frozenset[str] = frozenset()


NOWHERE = Ahead()


def ahead(turn: Turn, tools: Sequence[SinkSpec], known: Collection[str]) -> Ahead:
    """What the task names and no call has looked at. `known`: the files that there are."""
    task = str(turn.start["task"])
    if len(task) > _LONGEST:
        return NOWHERE
    readers = {place: _readers(place, tools) for place in places(task, known)}
    here = next(
        (place for place, able in readers.items() if able and not _visited(turn, place) and not _refused(turn, able)),
        "",
    )
    if here:
        return Ahead(here, readers[here])
    if readers and all(readers.values()):
        reckon = {spec.name for spec in tools if spec.grounded}
        return Ahead(_month_ahead(turn, task), stay=frozenset().union(*readers.values(), reckon))
    return Ahead(_month_ahead(turn, task))


def places(task: str, known: Collection[str]) -> list[str]:
    """The addresses and the known files that a task names, in its order."""
    addresses = [(match.start(), match[0].rstrip(_BEHIND)) for match in _ADDRESS.finditer(task)]
    files = [(at, path) for path in known if path and (at := _at(task, path)) >= 0]
    return list(dict.fromkeys(place for _, place in sorted(addresses + files)))


def _at(task: str, path: str) -> int:
    """Where a task names a file, by its path or its name; -1 if it does not."""
    for name in (path, path.rpartition("/")[2]):
        if found := re.search(rf"(?<![\w/.-]){re.escape(name)}(?![\w/-])", task):
            return found.start()
    return -1


def _readers(place: str, tools: Sequence[SinkSpec]) -> frozenset[str]:
    return frozenset(spec.name for spec in tools if spec.suits and re.search(spec.suits, place, re.I))


def _refused(turn: Turn, tools: Collection[str]) -> bool:
    """Whether calls of these tools were refused twice in the run: it does not insist on them."""
    return sum(r.kind is Kind.DECISION and "call" in r.body and r.view["sink"] in tools for r, _ in turn.items) > 1


def _visited(turn: Turn, place: str) -> bool:
    return any(place.rstrip("/") == value.rstrip("/") for args in _calls(turn) for value in _strings(args))


def _calls(turn: Turn) -> Iterator[Mapping[str, JSON]]:
    """The arguments of the calls that the model chose and that answered."""
    for record, intent in turn.items:
        if intent is not None and intent.body.get("call", -1) >= 0 and record.view.get("ok"):
            yield intent.body.get("args", {})


def _strings(value: JSON) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from _strings(item)
        case list() | tuple():
            for item in value:
                yield from _strings(item)


def months(task: str) -> dict[str, str]:
    """The months that a task names without a day, as 2025-08, and how it says them."""
    found = ((match, _NAMES.get(match["m"].casefold())) for match in _MONTH.finditer(task))
    return {f"{match['y']}-{number:02}": match[0] for match, number in found if number}


def _month_ahead(turn: Turn, task: str) -> str:
    """A month that no call was about, where calls were about another one of the task; else empty."""
    asked = months(task)
    if len(asked) < 2:
        return ""
    said = json.dumps(list(_calls(turn)))
    gone = [name for iso, name in asked.items() if iso not in said and name not in said]
    return gone[0] if 0 < len(gone) < len(asked) else ""


def widened(args: Mapping[str, JSON], task: str) -> Mapping[str, JSON]:
    """The arguments, with a condition that takes the first of a month for the month that the task names as that month.

    A small model writes `= 2025-08-01` for August 2025.
    """
    asked = months(task) if len(task) <= _LONGEST else {}
    return {name: _widened(value, asked, task) for name, value in args.items()} if asked else args


def _widened(value: JSON, asked: Collection[str], task: str) -> JSON:
    match value:
        case {"op": "=", "value": str(day)} if _FIRST.fullmatch(day) and day[:7] in asked and day not in task:
            return {**value, "value": day[:7]}
        case dict():
            return {key: _widened(item, asked, task) for key, item in value.items()}
        case list() | tuple():
            return [_widened(item, asked, task) for item in value]
    return value
