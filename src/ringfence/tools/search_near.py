"""What is near a pattern that matches nothing, or a single line: a small model copies a line, or writes two words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ringfence.core.values import JSON

from .corpus import Corpus
from .otherwise import day_in, either_way, with_any_date
from .pattern import MAX_PATTERN, Pattern, scan
from .scanning import Given, late, matched, scan_anyhow

_PLAIN = re.compile(r"[^\W_][\w.-]+(?: [^\W_](?!\S))?")  # `worker 1` is one: of a 1 alone nothing can be told
_MAX_APART = 4  # words of a pattern that are looked for one by one
_JOINING = {"on", "in", "at", "of", "the", "by", "for", "from", "to", "and", "with"}  # what joins those that are meant
_END = r"(?!\w)"
_MOST_SHOWN = 10  # of the lines that have all words
_CLASS = re.compile(r"(?:status\W{1,2})?([1-5])(?:xx|XX|\*\*|\.\.)")
_FIELD = re.compile(r"[\w.-]+=(?:\"[^\"]*\"|[^\s\"]+)")
_MEASURED = re.compile(r"=\"?[-+]?\d[\d.,:]*\"?$")


def apart(pattern: str, texts: Given) -> dict[str, JSON]:
    """Of words that nowhere stand together: the lines that have them all, or how many have each of them.

    A small model writes "level ERROR" for a field's value, and "2025-06-03 ERROR" for the errors of a day.
    """
    if told := _either_way(pattern, texts):
        return told
    words = words_of(pattern)
    counts: dict[str, int] = {}
    for word in words:
        if late(texts):
            return {}
        read = replace(Pattern.read(word), regex=with_any_date(word) or re.escape(word))
        counts[word] = scan_anyhow(read, texts, by="", top=1, hits=1)[1]["lines"]
    found = having_all(words, texts, hits=1)[1] if words and all(counts.values()) else None
    if isinstance(texts, Corpus) and texts.reading.late:  # not counted to the end
        return {}
    if found and found["lines"]:
        ends = {"the first of them": found["hits"][0], "the last of them": found["last"]}
        lines = {end: f"line {hit[1]}: {hit[2].strip()}" for end, hit in ends.items()}
        return {f"lines with {' and '.join(words)}": found["lines"], **lines}
    told = {f"lines with {word}": count for word, count in counts.items() if count}
    return {"nowhere together, but": told} if told else {}


def _either_way(pattern: str, texts: Given) -> dict[str, JSON]:
    """The lines of a date that is read, or would be written, with the day or with the month first: both."""
    told: dict[str, JSON] = {}
    for written, regex in either_way(pattern):
        if late(texts):
            return {}
        if lines := scan(replace(Pattern.read(pattern), regex=regex), texts)[1]["lines"]:
            told[f"lines with {written}"] = lines
    return {"the date with the day or the month in front": told} if told else {}


def together(pattern: str, texts: Given) -> dict[str, JSON]:
    """The lines that have all words of a pattern which matches nothing, wherever they stand."""
    words = words_of(pattern)
    found = having_all(words, texts, hits=_MOST_SHOWN)[1] if words and not late(texts) else None
    if not found or not found["lines"]:
        return {}
    name = f"lines with {' and '.join(words)}"
    shown: dict[str, JSON] = {name: [f"{path}:{number}: {line.strip()}" for path, number, line in found["hits"]]}
    return shown if found["lines"] <= _MOST_SHOWN else {f"{name}, in all": found["lines"], **shown}


def words_of(pattern: str) -> list[str]:
    """The words of a pattern, if there are a few."""
    day = day_in(pattern)
    before, behind = day[1:] if day else (pattern, "")
    dates = [pattern[len(before) : len(pattern) - len(behind)]] if day else []
    found = dict.fromkeys(word.rstrip(".-") for part in (before, behind) for word in _PLAIN.findall(part))
    words = [word for word in found if word.lower() not in _JOINING]
    words = [*dates, *words] if dates and pattern.startswith(dates[0]) else [*words, *dates]
    return words if 1 < len(words) <= _MAX_APART and len(_all_of(words)) <= MAX_PATTERN else []


def _all_of(words: Sequence[str]) -> str:
    """The pattern of a line that has all of these words."""
    return "^" + "".join(f"(?=.*{re.escape(word)})" for word in words)


def having_all(
    words: Sequence[str], texts: Given, *, hits: int, by: str = "", top: int = 1
) -> tuple[str, dict[str, Any]]:
    """How a line begins to match that has all of these words, in any order, and the scan for such lines."""
    ways = "".join(f"(?=.*{with_any_date(word) or re.escape(word)}{_END if ' ' in word else ''})" for word in words)
    read = replace(Pattern.read(_all_of(words)), regex=f"^{ways}")
    return ways, scan_anyhow(read, texts, by=by, top=top, hits=hits)[1]


def otherwise_dated(pattern: str, found: int, texts: Given) -> dict[str, JSON]:
    """How many lines have the date of a pattern in any form, if that is more than have it as it stands."""
    regex = "" if late(texts) else with_any_date(pattern)
    if not regex or not found:
        return {}
    lines = scan(replace(Pattern.read(pattern), regex=regex), texts)[1]["lines"]
    return {"lines with this date in any form": lines} if lines > found and not late(texts) else {}


def of_class(pattern: str, texts: Given) -> dict[str, JSON]:
    """The lines whose status is of a class: `5xx`."""
    asked = _CLASS.fullmatch(pattern)
    if asked is None or late(texts):
        return {}
    statuses = scan_anyhow(Pattern.read(""), texts, by="status", top=1_000)[1]["values"]
    of_it = [(value, count) for value, count in statuses if re.fullmatch(rf"{asked[1]}\d\d", value)]
    each = ", ".join(f"{value} {count}" for value, count in of_it)
    return {f"lines whose status is {asked[1]}xx": sum(n for _, n in of_it), "of these": each} if of_it else {}


def wider(pattern: str, texts: Given) -> dict[str, JSON]:
    """Of a pattern that is one line's fields, copied: the field that the fewest other lines share, and these lines.

    A small model copies the line that it was shown where it is after all lines like it, which are told by a word, not
    by what was measured.
    """
    fields = list(dict.fromkeys(_FIELD.findall(pattern)))
    fields = [field for field in fields if not _MEASURED.search(field)] or fields
    if not 0 < len(fields) <= _MAX_APART or late(texts):
        return {}
    shared = []
    for field in fields:
        read, found = scan_anyhow(Pattern.read(re.escape(field)), texts, by="", top=1, hits=1)
        if late(texts) or (isinstance(texts, Corpus) and texts.reading.late):
            return {}
        if found["lines"] > 1:
            shared.append((found["lines"], field, matched(read, found)))
    if not shared:
        return {}
    count, field, lines = min(shared, key=lambda one: one[0])
    ends = {f"{end} line with {field}": lines[end] for end in ("first", "last")}
    return {f"lines with {field}": count, **ends}
