"""One scan of texts for a pattern, however it is capitalised, and what its matching lines come to."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ringfence.core.values import JSON

from .corpus import Corpus
from .pattern import Pattern, scan

_BRACKETED = re.compile(r"(?<!\\)\[([^\W\d_]{3,})\](?![*+?{])")  # a word in brackets

Given = Corpus | list[tuple[str, str]]


def scan_anyhow(pattern: Pattern, texts: Given, **how: Any) -> tuple[Pattern, dict[str, Any]]:
    """Scan; if nothing matches and capital letters were meant, scan once more without minding them.

    `[ERROR]` is what stands there, if it does, and no set of letters.
    """
    if _BRACKETED.search(pattern.regex):
        there = replace(pattern, regex=_BRACKETED.sub(r"\\[\1\\]", pattern.regex))
        for way in (there, there.any_case()) if not there.ignore_case else (there,):
            read, found = scan(way, texts, **how)
            if found["lines"] or late(texts):
                return replace(read, note=f"{read.text} is searched for as it stands, with its brackets"), found
    read, found = scan(pattern, texts, **how)
    if found["lines"] or read.ignore_case or late(texts):
        return read, found
    kept = texts.reading if isinstance(texts, Corpus) else None
    wider, again = scan(read.any_case(), texts, **how)
    if not again["lines"]:
        if isinstance(texts, Corpus) and kept is not None:
            texts.reading = kept
        return read, found
    return replace(
        wider, note=f"nothing matches {read.text} exactly; these match without minding capital letters"
    ), again


def late(texts: Given) -> bool:
    """Whether the time for reading them was up."""
    return isinstance(texts, Corpus) and texts.late


def named(found: dict[str, Any]) -> dict[str, Any]:
    """The fields that have the word as their value in some of the matching lines but not in all, the fewest first.

    A word may stand anywhere in a line; as the value of a field it means something.
    """
    if found["detailed"] < found["lines"]:
        return {}
    some = {name: place for name, place in found["named"].items() if place["lines"] != found["lines"]}
    return dict(sorted(some.items(), key=lambda item: (item[0] == "bytes", item[1]["lines"])))


def matched(pattern: Pattern, found: dict[str, Any]) -> dict[str, JSON]:
    """How many lines match, the first and the last of them, and apart those where the word is a field's value."""
    result: dict[str, JSON] = {"pattern": pattern.text}
    places = named(found)
    for name, place in places.items():
        result[f"lines whose {name} is {pattern.text}"] = place["lines"]
    if places:
        most = max(place["lines"] for place in places.values())
        result["of_lines"] = found["total"]
        result["elsewhere"] = (
            f"{pattern.text} occurs in {found['lines'] - most} more lines, but as part of something else"
        )
    else:
        wholes = dict(found["wholes"]) if len(found["wholes"]) > 1 and found["detailed"] == found["lines"] else {}
        for word, count in wholes.items():
            result[f"lines with the word {word}"] = count
        where = f"lines with {pattern.text} anywhere" if wholes else "matching_lines"
        result |= {where: found["lines"], "of_lines": found["total"]}
        if found["lines"] and found["occurrences"] != found["lines"]:
            result["matches"] = found["occurrences"]
    for name, values in () if found["unit"] else found["spread"].items():
        result[f"most often as {name}"] = ", ".join(f"{value[:40]} {count}" for value, count in values)
    ends = next(iter(places.values())) if places else found
    if found["lines"]:
        for name, hit in (("first", ends["hits"][0]), ("last", ends["last"])):
            result[name] = f"line {hit[1]}: {hit[2].strip()}"
    return result
