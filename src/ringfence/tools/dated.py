"""Dates as people write them. A note bears one in its path, or near its beginning: of notes that disagree the newest
one holds.
"""

from __future__ import annotations

import re
from datetime import date

from ringfence.months import MONTHS

_HEAD = 300  # characters in which a note says of when it is
_LONGEST = 24  # characters of a date: 30th of a month with a long name
_NAME = "|".join(sorted(MONTHS, key=len, reverse=True))
_FORMS = (
    re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)[-/_.](?P<m>\d\d)(?:[-/_.](?P<d>\d\d))?(?!\d)"),
    re.compile(
        rf"(?<!\d)(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?[ -](?P<m>{_NAME})\.?,?[ -](?P<y>(?:19|20)\d\d)(?!\d)", re.I
    ),
    re.compile(rf"\b(?P<m>{_NAME})\.? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y>(?:19|20)\d\d)(?!\d)", re.I),
    re.compile(r"(?<!\d)(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>(?:19|20)\d\d)(?!\d)"),
    re.compile(rf"\b(?P<m>{_NAME})\.? (?P<y>(?:19|20)\d\d)", re.I),
)


def dated(path: str, text: str) -> str:
    """The ISO date of a note, "" if it bears none; a month without a day counts as its first."""
    for where in (path.rpartition("/")[2], text[:_HEAD]):
        found = [(match.start(), day) for form in _FORMS for match in form.finditer(where) if (day := _day(match))]
        if found:
            return min(found)[1]
    return ""


def in_figures(text: str) -> str:
    """A text that is a date and nothing else, in figures or with the month's name, as an ISO date; of a month alone
    2026-05. "" for any other text.
    """
    bare = text.strip()
    found = next((match for form in _FORMS if (match := form.fullmatch(bare))), None) if len(bare) <= _LONGEST else None
    day = _day(found) if found else ""
    return day if found and found.groupdict().get("d") else day[:7]


def _day(match: re.Match[str]) -> str:
    month, day = match["m"].casefold(), match.groupdict().get("d") or "1"
    try:
        return date(int(match["y"]), MONTHS.get(month) or int(month), int(day)).isoformat()
    except ValueError:
        return ""
