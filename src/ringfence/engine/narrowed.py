"""What a task says of the lines that are counted, and a pattern leaves out. Pure: decided by the record.

Asked how many ALARM lines there are for store 2 on 22 September, a small model counts those of all stores and days.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON
from ringfence.months import MONTHS

from .evidence import ISO_DAY, in_iso
from .meant import asked_for, names
from .nearest import opened
from .task import PASTED, sentences
from .words import LEAVES_OUT

_COUNTS = re.compile(r"\b(?:how many|how often|count|number of|wie ?viele|wie oft)\b", re.I)
_ON = re.compile(r"\b(?:on|of|am|vom|for|dated)\s+\Z", re.I)
_KIND = re.compile(r"(?<![\w./-])[A-Z][A-Z_]{2,}(?![\w./-])")  # what a line says of itself: ERROR, REJECTED
_MORE = re.compile(
    r"\b(?:each|every|per|than|compared?|both|or|most|least|which|other|difference|total|in all|altogether|overall|"
    r"today|week|around|start\w*|end\w*|begin\w*|up to|onwards?|later|after|before|since|until|till|between|from|"
    r"through|je|pro|jede\w*|als|oder|welche\w*|bis|seit|ab|vor|nach|insgesamt)\b",
    re.I,
)
_OF_KIND = re.compile(
    r"\b([A-Z][A-Z_]{2,}) (?:lines?|entries|messages?|records?)\b|"
    r"\b(?:levels?|with|marked|kind) (?:level |the level )?([A-Z][A-Z_]{2,})\b"
)
_ALSO = re.compile(r"\band (?:is|are|was|were|which|how|what)\b", re.I)
_PLAIN = re.compile(r"[\w :/=@\"',-]{2,80}")  # a pattern that is a text
_MONTH = "|".join(sorted(map(str.capitalize, MONTHS), key=len, reverse=True))  # and not: which of the 5 may it be
_OF_A_YEAR = re.compile(
    rf"(?<=\bon )(?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)? (?:of )?(?P<month>{_MONTH})\b(?! [A-ZÄÖÜ])"
)  # and not: for 12 May Lane
_OTHER_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\b(?:last|next|previous|this) year\b", re.I)
_LINES = 200  # of what opened the run, that are looked at


def narrowed(args: Mapping[str, JSON], spec: SinkSpec, turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a count of lines, with the one day, the one word in capitals and the things by their figures
    (store 2) that the sentence which asks for it says, where the lines of that file bear all of it in one order.
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
    asking = [one for one in sentences(task) if _COUNTS.search(one)]
    if (
        len(asking) != 1
        or _MORE.search(asking[0].replace(path, ""))
        or LEAVES_OUT.search(asking[0].replace(pattern, ""))
    ):
        return args
    texts = (str(one.get("text", "")) for one in opened(turn) if one.get("path") == path)
    lines = [line for text in texts for line in text.split("\n")][:_LINES]
    iso = in_iso(_with_the_year(asking[0], lines))
    days = list(ISO_DAY.finditer(iso))
    missing = [match[0] for match in days if _ON.search(iso[: match.start()])]
    things = [name for name in asked_for(asking[0]) if " " in name.said and name.kind != "day"]
    if len(days) > 1 or len(missing) < len(days) or len({name.kind for name in things}) < len(things):
        return args
    kinds = {name.kind for line in lines for _, name in names(line)}
    missing += [name.said for name in things if name.kind in kinds]
    pattern = "" if in_iso(pattern) in missing else _without_the_day(pattern, asking[0], days)
    kinds_said = {match[1] or match[2] for match in _OF_KIND.finditer(asking[0])}
    if not _KIND.search(pattern) and len(words := kinds_said) == 1 and not _ALSO.search(asking[0]):
        missing += [word for word in words if any(re.search(rf"\b{word}\b", line) for line in lines)]
    figures = set(re.findall(r"\d+", pattern))
    missing = [said for said in missing if said.casefold() not in pattern.casefold()]
    if (
        not missing
        or (not pattern and len(missing) == 1)
        or any(not figures.isdisjoint(re.findall(r"\d+", said)) for said in missing)
    ):
        return args
    whole = _in_order([*missing, pattern] if pattern else missing, lines)
    return {**args, "pattern": whole} if whole else args


def _with_the_year(asking: str, lines: Sequence[str]) -> str:
    """A question whose days have the year of the lines, where all that are shown are of one and it says none itself."""
    years = {day[0][:4] for line in lines for day in ISO_DAY.finditer(line)}
    if len(years) != 1 or _OTHER_YEAR.search(asking):
        return asking
    return _OF_A_YEAR.sub(rf"\g<day> \g<month> {years.pop()}", asking)


def _without_the_day(pattern: str, asking: str, days: Sequence[re.Match[str]]) -> str:
    """The beginning of a pattern that the question says, where it goes on with the number of the question's day.

    A small model that is asked for the paper jams of 5 November looks for `paper jam in tray 5`.
    """
    words, said = pattern.split(), asking.casefold()
    heads = (" ".join(words[:n]) for n in range(len(words), 1, -1))
    head = next((one for one in heads if one.casefold() in said), pattern)
    of_a_day = {day[0][-2:].lstrip("0") for day in days}
    beyond = set(re.findall(r"\d+", pattern[len(head) :]))
    return head if beyond and beyond <= of_a_day else pattern


def _in_order(parts: Sequence[str], lines: Sequence[str]) -> str:
    """A pattern of parts as they stand one behind the other in each line that has all of their kind; else empty."""
    shapes = {said: re.sub(r"\d+", r"\\d+", re.escape(said)).replace(r"\ ", " ") for said in parts}
    orders = set[tuple[str, ...]]()
    for line in lines:
        found = {said: re.search(rf"(?<!\w){shape}(?!\w)", line, re.I) for said, shape in shapes.items()}
        spans = sorted((match.span(), said) for said, match in found.items() if match)
        apart = all(one[0][1] <= other[0][0] for one, other in pairwise(spans))
        if len(spans) == len(parts) and apart:
            orders.add(tuple(said for _, said in spans))
    if len(orders) != 1:
        return ""
    return ".*".join(rf"{said}\b" if said[-1].isdigit() else said for said in orders.pop())
