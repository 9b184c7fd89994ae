"""What `text.count` tells of groups: the most frequent values in the lines that are meant."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from ringfence.core.errors import ToolError
from ringfence.core.values import JSON

from .corpus import Corpus
from .entries import DAY_AND_HOUR, HOUR, fields
from .measures import in_words
from .pattern import MAX_PATTERN, Pattern, scan
from .scanning import MAX_REGEX, Given, late, named, narrowed, often, scan_anyhow
from .search_near import having_all, words_of

VALUE_CHARS = 120
MAX_NAMES = 12  # of fields, in an error


_NAME, _PLACE = re.compile(r"[^\W\d_][\w.-]*"), re.compile(r"word (\d+)")


@dataclass(frozen=True, slots=True)
class Meant:
    """What a scan found of the lines that a pattern means; `of`: which they are; `regex`: how they begin to match."""

    found: dict[str, Any]
    of: str = ""
    regex: str = ""


def grouped(found: dict[str, Any], pattern: str, texts: Given, by: str, top: int) -> tuple[dict[str, JSON], str]:
    """The most frequent values, and what of them is not shown. Raises ToolError where no line has any."""
    meant = _meant(found, pattern, texts, by, top)
    unit, told, all_of = f"{found['unit']}{meant.of}", meant.found, dict[str, JSON]()
    lines = told["lines"]
    if lines and not told["values"]:
        if (behind := _following(by, pattern, meant.regex, texts, top=top)) is None:
            none = f"no matching line has a field {by!r}"
            if word := _names(told):
                again = scan_anyhow(Pattern.read(pattern), texts, by=word, top=top, hits=1)[1]
                groups, few = grouped(again, pattern, texts, word, top)
                return groups, "; ".join(filter(None, (f"{none}: these are its words that are names", few)))
            if apart := often(told):
                return apart, f"{none}; {_fields_of(told)}"
            raise ToolError(f"no matching line has {by!r}", todo=_fields_of(told))
        unit, told = f"{behind[0]}{meant.of}", behind[1]
    elif told["distinct"] == 1 and pattern and not late(texts):  # the value itself: the question was about all of them
        all_lines = scan_anyhow(Pattern.read(""), texts, by=by, top=top)[1]
        which = "top of the first lines" if isinstance(texts, Corpus) and texts.reading.late else "top of all lines"
        all_of[which] = _top(all_lines)
    if found["unit"] == HOUR and not late(texts):  # of several days: in which one is as good a question
        days = scan_anyhow(Pattern.read(pattern), texts, by=DAY_AND_HOUR, top=top, hits=1)[1]
        days = _meant(days, pattern, texts, DAY_AND_HOUR, top).found
        if days["distinct"] > told["distinct"]:
            all_of["top by day and hour"] = _top(days)
    few = f"showing the {top} most frequent of {told['distinct']} values" if told["distinct"] > top else ""
    apart = {} if meant.of or not pattern else _whole(found, pattern, texts, by, top)
    if apart:
        unit += f", of the lines with {pattern} anywhere"
    measured = ((name, of) for name, of in told["measures"].items() if name.lower() == by.lower())
    own = {f"{name} of these lines": in_words(of) for name, of in measured}
    rest = {"lines without": lines - told["valued"]} if lines > told["valued"] else {}
    return {**apart, "by": unit, "distinct": told["distinct"], "top": _top(told), **own, **rest, **all_of}, few


def _meant(found: dict[str, Any], pattern: str, texts: Given, by: str, top: int) -> Meant:
    """Of a field's value the lines of that field, and of words that nowhere stand together those that have them all:
    what is asked of these lines is not to be told of others.
    """
    if places := named(found):
        name = next(iter(places))
        return Meant(narrowed(found, name), f", of the lines whose {name} is {Pattern.read(pattern).value}")
    if late(texts) or not pattern:
        return Meant(found)
    if not found["lines"] and (words := words_of(pattern)):
        regex, all_of_them = having_all(words, texts, hits=1, by=by, top=top)
        of = f", of the lines with {' and '.join(words)}"
        return Meant(all_of_them, of, regex) if all_of_them["lines"] else Meant(found)
    return Meant(found)


def _whole(found: dict[str, Any], pattern: str, texts: Given, by: str, top: int) -> dict[str, JSON]:
    """Of a word that is part of others too the groups of the lines with the whole word: `ann` may not mean anna, but
    `fail` may mean failed.
    """
    words = [word for word, _ in found["wholes"]]
    others = [word for word in words if word.lower() != pattern.lower()]
    if not others or len(others) == len(words) or found["detailed"] < found["lines"] or late(texts):
        return {}
    regex = rf"(?<![\w.-]){re.escape(pattern)}(?!(?!T\d\d:)[\w-])"
    whole = scan(replace(Pattern.read(pattern).any_case(), regex=regex), texts, by=by, top=top)[1]
    return {f"top of the lines with the word {pattern}": _top(whole)} if whole["values"] else {}


def _names(told: dict[str, Any]) -> str:
    """The one word of the lines by whose names they differ, `gw-park` and `gw-north`, as a group; else empty."""
    places = [place for place, values in told["spread"].items() if all(_NAME.fullmatch(value) for value, _ in values)]
    match = _PLACE.fullmatch(places[0]) if len(places) == 1 else None
    return f"field{match[1]}" if match else ""


def _following(name: str, pattern: str, start: str, texts: Given, *, top: int) -> tuple[str, dict[str, Any]] | None:
    """What stands behind a word that is no field (`worker-3`, `user bob`), in the lines of a pattern, or the one group
    that the pattern has: what it is called, and the scan for it. None if there is no such thing.
    """
    try:
        groups = re.compile(pattern).groups == 1
    except (re.error, RecursionError, OverflowError):
        return None
    behind = rf"(?<![^\W_]){re.escape(name)}[-_ #/]{{1,2}}([\w.-]*\w)(?![\w.-]*=)"
    regex = pattern if groups else f"^{start or f'(?=.*(?:{pattern}))'}.*?{behind}"
    if len(regex) > (MAX_REGEX if start else MAX_PATTERN):
        return None
    found = scan_anyhow(
        replace(Pattern.read(pattern if start else regex), regex=regex), texts, by="1", top=top, hits=1
    )[1]
    unit = "group 1 of the pattern" if groups else f"what follows {name}"
    return (unit, found) if found["values"] and not late(texts) else None


def _fields_of(found: dict[str, Any]) -> str:
    """What else to group by: the fields that the first line has, by their names."""
    names = list(fields(found["hits"][0][2]))[:MAX_NAMES] if found["hits"] else []
    some = f"give group_by one of {', '.join(names)}; or" if names else "give"
    return f"{some} group_by=field3 for the third word of a line; for a CSV file use the csv tool"


def _top(found: dict[str, Any]) -> JSON:
    return [[value[:VALUE_CHARS], count] for value, count in found["values"]]
