"""What a query makes of the rows it finds: counts, averages, the largest. Pure: decided by the words of the task."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ringfence.core.policy import SinkSpec
from ringfence.core.values import JSON

from .conditions import STEM, spoken_of, words_in

_HOW_MANY = re.compile(r"\bhow many (?:more |fewer |of (?:the|our|their|my) )?(?P<what>[^\W\d_]{3,})", re.I)
_AMOUNT = re.compile(r"\b(?:how much|totals?|sums?|averages?|means?|most|least|\w+est|altogether)\b", re.I)
_NUMBER_OF = re.compile(r"quantit|qty|count|number|num\b|piece|unit|stock|anzahl|menge|stück", re.I)
_OF_ANOTHER = re.compile(  # what a column says of a thing, and no number of things
    r"hours?|minutes?|durations?|prices?|costs?|fees?|eur|euros?|usd|gbp|incomes?|revenues?|rates?|ages?|years?|weights?|"
    r"lengths?|heights?|distances?|km|kg|stunden|preis|kosten|betrag|alter",
    re.I,
)
_SUPERLATIVE = re.compile(
    r"\b(?:(?P<most>largest|biggest|highest|greatest|longest|heaviest|dearest|priciest|costliest|"
    r"most expensive)|smallest|lowest|"
    r"shortest|lightest|cheapest)\b",
    re.I,
)
_TOGETHER = re.compile(
    r"\b(?:totals?|sums?|all|altogether|together|overall|combined|whole|entire|per|each|every|by|shares?|per ?cent\w*|"
    r"average|mean|compared?|than)\b|%",
    re.I,
)
_AVERAGE = re.compile(
    r"\bon average\b|\bim (?:schnitt|durchschnitt|mittel)\b|\bdurchschnittlich\b|^\W*(?:average|mean)\b(?!-)|"
    r"\b(?:what(?:'s| is| was| are| were)|how (?:high|long) (?:is|was)|calculate|compute|need|find|tell me|give me)"
    r" (?:the |our |their |its |her |his )?(?:average|mean)\b(?!-)",
    re.I,
)
_OF_SUMS = re.compile(
    r"\b(?:totals?|sums?|altogether|together|overall|in all|per|each|daily|weekly|monthly|yearly|"
    r"(?:an?|every) (?:day|week|month|year|night|shift|person|head|customer|guest)|"
    r"gesamt\w*|summe\w*|insgesamt|pro|je)\b",
    re.I,
)


def counted(args: Mapping[str, JSON], spec: SinkSpec, task: str) -> Mapping[str, JSON]:
    """The arguments of a query over the very things whose number is asked for: it counts them.

    "How many hires were there?" of hires.csv is no sum of hours. A small model takes a column that nobody spoke of; one
    that says how many there are of each is meant.
    """
    how_many, kind = _HOW_MANY.search(task), args.get("aggregate")
    column, path = str(args.get("column", "")), str(args.get("path", ""))
    if how_many is None or kind in (None, "", "count") or _AMOUNT.search(task) or "count" not in _kinds(spec):
        return args
    what = how_many["what"].casefold().removesuffix("s")[:STEM]
    measures = any(map(_OF_ANOTHER.fullmatch, re.split(r"[\W_]+", column))) and not _NUMBER_OF.search(column)
    if not measures or spoken_of(column, words_in(task)) or not spoken_of(what, words_in(path.rpartition("/")[2])):
        return args
    return {**args, "aggregate": "count", "column": ""}


def greatest(args: Mapping[str, JSON], spec: SinkSpec, task: str) -> Mapping[str, JSON]:
    """The arguments of a query whose task asks for the largest: of all, and not what all come to, or the first one."""
    superlative = _SUPERLATIVE.search(task)
    first = not args.get("aggregate") and args.get("column") and not args.get("sort_by") and args.get("limit") == 1
    whole = not args.get("where") and not args.get("group_by") and (args.get("aggregate") == "sum" or first)
    kind = "max" if superlative and superlative["most"] else "min"
    if superlative is None or not whole or _TOGETHER.search(task) or kind not in _kinds(spec):
        return args
    return {**args, "aggregate": kind}


def averaged(args: Mapping[str, JSON], spec: SinkSpec, task: str) -> Mapping[str, JSON]:
    """The arguments of a query whose task asks for an average, and of no sums: not what all come to."""
    meant = _AVERAGE.search(task) is not None and _OF_SUMS.search(task) is None
    return {**args, "aggregate": "avg"} if meant and args.get("aggregate") == "sum" and "avg" in _kinds(spec) else args


def _kinds(spec: SinkSpec) -> Sequence[JSON]:
    rule = (spec.schema or {}).get("properties", {}).get("aggregate")
    return rule.get("enum", ()) if isinstance(rule, dict) else ()
