"""What a task says of the lines that are counted, and a pattern leaves out. Pure: decided by the record.

Asked how many ALARM lines there are for store 2 on 22 September, a small model counts those of all stores and days.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .conditions import LEAVES_OUT
from .evidence import in_iso
from .meant import asked_for, names
from .nearest import opened
from .task import PASTED

_DAY = re.compile(r"(?<!\d)(?:19|20)\d\d-\d\d-\d\d(?!\d)")
_RANGE = re.compile(
    r"\b(?:before|after|until|till|since|from|except|between|by|through|than|of|ab|bis|seit|vor|nach)\b[^.?!\n]{0,12}\Z",
    re.I,
)
_MORE = re.compile(
    r"\b(?:each|every|per|than|compared?|both|or|most|least|which|other|difference|je|pro|jede\w*|als|oder|welche\w*)\b",
    re.I,
)
_PLAIN = re.compile(r"[\w :/=@\"',-]{2,80}")  # a pattern that is a text
_LINES = 200  # of what opened the run, that are looked at


def narrowed(args: Mapping[str, JSON], spec: SinkSpec, turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a count of lines, with the one day and the things by their figures (store 2) that the task says
    and the lines of that file bear. Nothing of what compares, or leaves something out.
    """
    pattern, path, task = args.get("pattern"), str(args.get("path", "")), str(turn.start["task"])
    if (
        not spec.reads
        or not isinstance(pattern, str)
        or not _PLAIN.fullmatch(pattern)
        or len(task) > PASTED
        or not path
    ):
        return args
    if _MORE.search(task) or LEAVES_OUT.search(task.replace(pattern, "")):
        return args
    texts = (str(one.get("text", "")) for one in opened(turn) if one.get("path") == path)
    lines = [line for text in texts for line in text.split("\n")][:_LINES]
    found: dict[str, str] = {}  # what is said, and how it is looked for
    iso = in_iso(task)
    days = {match[0] for match in _DAY.finditer(iso) if not _RANGE.search(iso[: match.start()])}
    if len(days) == len(set(_DAY.findall(iso))) == 1 and any(map(_DAY.match, lines)):
        found |= {day: day for day in days}
    kinds = {name.kind for line in lines for _, name in names(line) if " " in name.said}
    things = [name for name in asked_for(task) if name.kind in kinds and " " in name.said]
    if len({name.kind for name in things}) == len(things):
        found |= {name.said: rf"{re.escape(name.said)}\b" for name in things}
    missing = {said: how for said, how in found.items() if said.casefold() not in pattern.casefold()}
    if not missing:
        return args
    return {**args, "pattern": _in_order({**missing, pattern: pattern}, lines)}


def _in_order(parts: Mapping[str, str], lines: list[str]) -> str:
    """A pattern of parts as they stand in a line: of one that has most of them, or else any."""

    def at(said: str, line: str) -> int:
        shape = re.sub(r"\d+", r"\\d+", re.escape(said).replace(r"\-", "-"))
        found = re.search(shape, line, re.I)
        return found.start() if found else -1

    best = max(lines, key=lambda line: sum(at(said, line) >= 0 for said in parts), default="")
    if any(at(said, best) < 0 for said in parts):
        return " ".join(parts)
    return ".*".join(parts[said] for said in sorted(parts, key=lambda said: at(said, best)))
