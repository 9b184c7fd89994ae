"""One scan of texts for a pattern, however it is capitalised, and what its matching lines come to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ringfence.core.values import JSON

from .corpus import Corpus
from .otherwise import as_field, of_name, with_any_date, with_any_space
from .pattern import Pattern, scan

_BRACKETED = re.compile(r"(?<!\\)\[([^\W\d_]{3,})\](?![*+?{])")  # a word in brackets
_ANY_BRACKETED = re.compile(r"\[(?!(?:\w-\w)+\]|[^\W\d_]{2}\])[^\[\]\\^][^\[\]\\]{0,60}\]")  # no [0-9], no [ab]
_BESIDE = re.compile(r"[^\\*+?{}()|^$\[\]]*")  # what is no more of a regex than the brackets are
_BOX = re.compile(r"(?:[-*+] )?\[[ xX]\]")  # of a list of what is to be done

MAX_REGEX = 2_000  # characters of one of ours

Given = Corpus | list[tuple[str, str]]


def scan_anyhow(pattern: Pattern, texts: Given, **how: Any) -> tuple[Pattern, dict[str, Any]]:
    """Scan; if nothing matches and capital letters were meant, scan once more without minding them.

    `[ERROR]` is what stands there, if it does, and no set of letters. What matches nothing is then read in other ways.
    """
    plain = _ANY_BRACKETED.search(pattern.regex) and _BESIDE.fullmatch(_ANY_BRACKETED.sub("", pattern.regex))
    bracketed = _ANY_BRACKETED if plain else _BRACKETED
    if bracketed.search(pattern.regex):
        there = replace(pattern, regex=bracketed.sub(lambda box: re.escape(box.group()), pattern.regex))
        box = _BOX.match(pattern.regex) is not None
        for way in (there, there.any_case()) if not there.ignore_case else (there,):
            read, found = scan(way, texts, **how)
            if found["lines"] or late(texts) or (box and way.ignore_case):
                return replace(read, note=f"{read.text} is searched for as it stands, with its brackets"), found
    read, found = scan(pattern, texts, **how)
    if found["lines"] or late(texts):
        return read, found
    kept = texts.reading if isinstance(texts, Corpus) else None
    for again, note in _other_ways(read):
        wider, seen = scan(again, texts, **how)
        if seen["lines"]:
            return replace(wider, note=note), seen
        if late(texts):
            break
    else:
        if (told := _of_field(read, texts, how)) is not None:
            return told
    if isinstance(texts, Corpus) and kept is not None:
        texts.reading = kept
    return read, found


def _other_ways(pattern: Pattern) -> Iterator[tuple[Pattern, str]]:
    """How else a pattern may be searched for that matches nothing, and what is to be said of that then."""
    if not pattern.ignore_case:
        yield pattern.any_case(), f"nothing matches {pattern.text} exactly; these match without minding capital letters"
    for regex, what in (
        (with_any_space(pattern.text), "with other space between its words"),
        (with_any_date(pattern.regex), "with the date written in another way"),
    ):
        if regex and regex != pattern.regex and len(regex) <= MAX_REGEX:
            note = f"no line has {pattern.text} as it stands; these have it {what}"
            yield replace(pattern, regex=regex, ignore_case=True), note


def _of_field(pattern: Pattern, texts: Given, how: dict[str, Any]) -> tuple[Pattern, dict[str, Any]] | None:
    """The lines that have a field of the name and the value that the pattern gives, however they write it."""
    if (asked := as_field(pattern.text)) is None:
        return None
    name, value = asked
    read, found = scan(
        Pattern.read(re.escape(value)).any_case().plainly(value), texts, **{**how, "hits": how.get("hits", 0) or 1}
    )
    places = {called: place for called, place in found["named"].items() if of_name(name)(called)}
    if late(texts) or len(places) != 1 or found["detailed"] < found["lines"]:
        return None
    called = next(iter(places))
    note = f"no line has {pattern.text} as it stands; these are the lines whose {called} is {value}"
    return replace(read, text=pattern.text, note=note), narrowed(found, called)


def narrowed(found: dict[str, Any], name: str) -> dict[str, Any]:
    """What a scan found, of the lines alone in which a field of this name is the word."""
    place = found["named"][name]
    counts = {"detailed": place["lines"], "occurrences": place["lines"], "wholes": [], "named": {}}
    return {**found, **place, **counts}


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
        result[f"lines whose {name} is {pattern.value}"] = place["lines"]
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
    told = narrowed(found, next(iter(places))) if places else found
    result |= {} if found["unit"] else often(told)
    if found["lines"]:
        for name, hit in (("first", told["hits"][0]), ("last", told["last"])):
            result[name] = f"line {hit[1]}: {hit[2].strip()}"
    return result


def often(found: dict[str, Any]) -> dict[str, JSON]:
    """Where the lines differ in a few values that come again and again, and how often each does."""
    return {
        f"most often as {name}": ", ".join(f"{value[:40]} {count}" for value, count in values)
        for name, values in found["spread"].items()
    }
