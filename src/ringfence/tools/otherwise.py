"""How else a pattern may be meant that matches nothing: a date that is written otherwise, a field, other space."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ringfence.months import MONTHS

_NAME = "|".join(sorted(MONTHS, key=len, reverse=True))
_DATE = re.compile(
    r"(?<![\w/.-])(?:(?P<y>(?:19|20)\d\d)\\?[-/.](?P<m>\d\d)\\?[-/.](?P<d>\d\d)"
    rf"|(?P<d2>\d{{1,2}})(?:st|nd|rd|th|\.)? (?P<m2>{_NAME})\.?(?:,? (?P<y2>(?:19|20)\d\d))?"
    rf"|(?P<m3>{_NAME})\.? +(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<y3>(?:19|20)\d\d))?"
    r"|(?P<d4>\d{1,2})\\?\.(?P<m4>\d{1,2})\\?\.(?P<y4>(?:19|20)\d\d))(?![\w/-])",
    re.I,
)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/((?:19|20)\d\d)")
_FIELD = re.compile(
    r"\W{0,3}([^\W\d][\w.-]{0,40})[\"']?(?:\s*(?:==?|:)\s*|\s+is\s+|\s+)[\"']?([\w./:@-]+)[\"']?\W{0,3}"
)
_PLAIN = re.compile(r"[\w./:,@='\" \\-]+")


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a month, which may be of any year."""

    year: str
    month: int
    day: int

    @property
    def regex(self) -> str:
        """Every way to write it that says which number is the month."""
        names = "|".join(sorted({name[:3] for name, number in MONTHS.items() if number == self.month}))
        name, year = rf"(?:{names})[^\W\d]{{0,6}}\.?", self.year or r"(?:19|20)\d\d"
        short = rf"(?:{year}|{self.year[2:]})" if self.year else r"(?:(?:19|20)?\d\d)"
        day, month = f"0?{self.day}", f"0?{self.month}"
        ways = (
            rf"(?<!\d){year}[-/.]?{self.month:02}[-/.]?{self.day:02}(?!\d)",
            rf"\b{day}(?:/|-|\.? |(?:st|nd|rd|th) (?:of )?){name}(?:[/ -]|, ){year}",
            rf"\b{name} +{day}(?:st|nd|rd|th)?(?!\d)(?:,? (?:[\d:.]+ )?{year}\b|(?!,? (?:[\d:.]+ )?(?:19|20)\d\d\b))",
            rf"\b{day}(?:st|nd|rd|th|\.)? {name}(?! ?\d)",
            rf"(?<![\d.]){day}\.{month}\.{short}(?![\d.])",
        )
        return f"(?:{'|'.join(ways)})"


def day_in(pattern: str) -> tuple[Day, str, str] | None:
    """A day that a pattern names, and what stands before and behind it."""
    found = _DATE.search(pattern)
    if found is None:
        return None
    one = {key[0]: text for key, text in found.groupdict().items() if text}
    month = MONTHS.get(one["m"].lower()) or int(one["m"])
    if not (1 <= month <= 12 and 1 <= int(one["d"]) <= 31):
        return None
    return Day(one.get("y", ""), month, int(one["d"])), pattern[: found.start()], pattern[found.end() :]


def either_way(pattern: str) -> list[tuple[str, str]]:
    """A date of which nobody can tell whether the day or the month is first, in both ways: as it is told, and a regex.

    `09/02/2026` as a file may write it otherwise, and `2026-02-09` as a file may write it with strokes.
    """
    if slashed := _SLASHED.fullmatch(pattern.strip()):
        one, other, year = int(slashed[1]), int(slashed[2]), slashed[3]
        days = [Day(year, month, day) for day, month in ((one, other), (other, one)) if 1 <= month <= 12 and day <= 31]
        return [(f"{day.year}-{day.month:02}-{day.day:02}", f"(?i:{day.regex})") for day in dict.fromkeys(days)]
    named = day_in(pattern.strip())
    if named is None or named[1] or named[2]:
        return []
    day, month, year = named[0].day, named[0].month, named[0].year or r"20\d\d"
    pairs = dict.fromkeys([(day, month), (month, day)])
    return [
        (f"{a:02}/{b:02}", rf"(?<![\w/])0?{a}/0?{b}/(?:{year}|{year[2:] if named[0].year else year})(?![\w/])")
        for a, b in pairs
    ]


def with_any_date(pattern: str) -> str:
    """The pattern, its date in every way; "" if it has none."""
    named = day_in(pattern)
    return f"{named[1]}(?i:{named[0].regex}){named[2]}" if named else ""


def with_any_space(pattern: str) -> str:
    """The pattern of plain words with any space between them; "" if it is no such."""
    words = pattern.split()
    return r"\s+".join(re.escape(word) for word in words) if len(words) > 1 and _PLAIN.fullmatch(pattern) else ""


def as_field(pattern: str) -> tuple[str, str] | None:
    """Name and value of a field: `status=404`, `level is ERROR`, `"level":"error"`, `status 404`."""
    found = _FIELD.fullmatch(pattern)
    return (found[1], found[2]) if found else None


def of_name(name: str) -> Callable[[str], bool]:
    """Whether a field, or the end of its dotted name, is called so."""
    low = name.lower()
    return lambda other: other.lower() == low or other.lower().endswith(f".{low}")
