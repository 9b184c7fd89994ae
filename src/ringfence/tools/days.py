"""Reckoning with days and hours for `calc`: how far apart two are, and which one comes so much later."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta

from ringfence.core.errors import ToolError
from ringfence.core.values import JSON
from ringfence.months import MONTHS

from .clock import WEEKDAYS

_NAME = "|".join(sorted(MONTHS, key=len, reverse=True))
_TH = r"(?:st|nd|rd|th|\.)?"
_DAY = re.compile(
    r"(?<![\d.,/])(?:(?P<iso>\d{4}-\d\d-\d\d)"
    r"|(?:^|(?<=\s))(?P<y>(?:19|20)\d\d)(?P<sep>[-/.])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})(?=\s|$)"
    r"|(?P<d2>\d{1,2})\.\s?(?P<m2>\d{1,2})\.\s?(?P<y2>\d{4})|(?P<a>\d{1,2})/(?P<b>\d{1,2})/(?P<y3>\d{4})"
    rf"|(?P<d4>\d{{1,2}}){_TH} (?:of )?(?P<m4>{_NAME})\.?,? (?P<y4>\d{{4}})"
    rf"|(?P<m5>{_NAME})\.? (?P<d5>\d{{1,2}}){_TH},? (?P<y5>\d{{4}}))(?![\d/]|[.,]\d)",
    re.I,
)
_D = r"\[(\d{4}-\d\d-\d\d)\]"  # a day, as `_marked` writes it
_COUNT = r"(?:(?:the |number of |how many )*days? )?"
_BETWEEN = re.compile(
    rf"days?\(\s*{_D}\s*,\s*{_D}\s*\)|{_COUNT}(?:between|from)?\s*{_D}\s*(?:to|until|till|and)\s*{_D}", re.I
)
_LESS = re.compile(rf"{_D}\s*(?:-|minus)\s*{_D}", re.I)
_UNIT = r"(?P<unit>days?|weeks?|months?|years?)"
_LATER = re.compile(rf"{_D}\s*(?P<sign>[-+]|plus|minus)\s*(?P<count>\d{{1,6}})(?:\s*{_UNIT})?", re.I)
_AFTER = re.compile(rf"(?P<count>\d{{1,6}})\s*{_UNIT}\s*(?P<sign>after|from|before)\s*{_D}", re.I)
_WEEKDAY = re.compile(
    rf"(?:(?:what|which) )?(?:weekday|day of (?:the )?week|day)\s*(?:of|is|was|for|on)?\s*\(?\s*{_D}\s*\)?", re.I
)
_WORKING = re.compile(r"\b(?:work(?:ing)?|business|week)[ -]?days?\b", re.I)
_IN_DAYS = re.compile(r"\s*(?:in )?days?$", re.I)
_TIME = r"(\d{1,2}):([0-5]\d)"
_CLOCK = re.compile(rf"{_TIME}\s*(-|\+|to|until|till|minus|plus)\s*{_TIME}")
_SIGN = r"(?:[-+]|plus|minus)"
_SPAN = (  # a number alone is added as minutes, and not taken off: 9:00 - 17 is from nine to five
    rf"{_SIGN}\s*(?:\d{{1,2}}:[0-5]\d(?!\s*min)|\d{{1,4}}\s*(?:min(?:utes?|s)?|h(?:ours?|rs?)?)\b)|"
    r"(?:\+|plus)\s*[1-9]\d{1,3}(?!\s*[\dhm:])"
)
_SPANS = re.compile(rf"{_TIME}\s*((?:(?:{_SPAN})\s*)+)")
_SPAN_PARTS = re.compile(rf"({_SIGN})\s*(?:(\d{{1,2}}):(\d\d)|(\d{{1,4}})(?:\s*(min|h))?)")
_SHIFT = 12 * 60  # minutes from the beginning of a day's work to its end, at most: 22:00 - 6:00 is a night
_DAY_MINUTES = 24 * 60
TODO = "write days as 2025-01-31: 2025-04-15 - 2025-03-01, 2025-04-15 + 30 days, weekday(2025-04-15)"


_SPACES = f"{TODO}; and between numbers that are no day a space: 2024 / 7 / 2"


def reckoned(expression: str) -> tuple[dict[str, JSON], str, list[str]]:
    """The result, where days or hours are all there is; else the expression with numbers for the days between two
    dates, and notes of these. Raises ToolError for what is no day, may be two, or stands where no day can.
    """
    expression = re.sub("[–−]", "-", expression.strip().rstrip("=? "))
    if clock := _CLOCK.fullmatch(expression):
        return _hours(clock), "", []
    bare = expression if "-" in expression or "minus" in expression else expression.replace("(", "").replace(")", "")
    if (spans := _SPANS.fullmatch(bare)) and (then := _after(spans)):
        return then, "", []
    slashed = [(int(found["a"]), int(found["b"])) for found in _DAY.finditer(expression) if found["a"]]
    first = "day" if any(a > 12 for a, _ in slashed) else "month" if any(b > 12 for _, b in slashed) else ""
    marked = _DAY.sub(lambda found: _marked(found, first), expression)
    if marked == expression:
        return {}, expression, []
    if weekday := _WEEKDAY.fullmatch(marked):
        return {"result": WEEKDAYS[date.fromisoformat(weekday[1]).weekday()]}, "", []
    if _WORKING.search(expression):
        raise ToolError("all days are counted here: which are worked, and which are holidays, is not known", todo=TODO)
    try:
        if found := _AFTER.fullmatch(marked) or _LATER.fullmatch(marked):
            return _later(found), "", []
    except (ValueError, OverflowError):
        raise ToolError(f"{expression!r} leads to a day that no calendar has", todo=TODO) from None
    notes = list[str]()

    def apart(first: str, last: str) -> str:
        notes.append(f"days from {first} to {last}")
        return f"({(date.fromisoformat(last) - date.fromisoformat(first)).days})"

    work = _BETWEEN.sub(lambda found: apart(found[1] or found[3], found[2] or found[4]), marked)
    work = _LESS.sub(lambda found: apart(found[2], found[1]), work)
    if notes:
        work = _IN_DAYS.sub("", work)
    if re.search(_D, work):
        raise ToolError(f"{expression!r} has a day where only a number can be reckoned with", todo=_SPACES)
    return {}, work, notes


def _marked(found: re.Match[str], first: str) -> str:
    """A day in brackets, in figures. `first`: which part of 12/03/2025 it is, where another day of them tells."""
    part = found.groupdict()
    if part["a"]:
        one, other = int(part["a"]), int(part["b"])
        if not first and one != other:
            year = part["y3"]
            either = f"{year}-{other:02}-{one:02} or {year}-{one:02}-{other:02}"
            raise ToolError(f"{found[0]} may be {either}", todo="write the one that is meant")
        day, month, year = (one, other, part["y3"]) if first == "day" else (other, one, part["y3"])
    else:
        year, named, text = (
            next((part[f"y{n}"], part[f"m{n}"], part[f"d{n}"]) for n in ("", "2", "4", "5") if part[f"y{n}"])
            if not part["iso"]
            else part["iso"].split("-")
        )
        day, month = int(text), MONTHS.get(named.casefold()) or int(named)
    try:
        return f"[{date(int(year), month, day).isoformat()}]"
    except ValueError:
        raise ToolError(f"{found[0]!r} is a day that no calendar has", todo="write days as 2025-01-31") from None


def _later(found: re.Match[str]) -> dict[str, JSON]:
    day = date.fromisoformat(next(group for group in found.groups() if group and re.fullmatch(r"\d{4}-..-..", group)))
    count = int(found["count"]) * (-1 if found["sign"].lower() in ("-", "minus", "before") else 1)
    unit = (found["unit"] or "days").lower().rstrip("s")
    if unit in ("day", "week"):
        return {"result": str(day + timedelta(count * (7 if unit == "week" else 1)))}
    months = day.year * 12 + day.month - 1 + count * (12 if unit == "year" else 1)
    last = monthrange(months // 12, months % 12 + 1)[1]
    then = date(months // 12, months % 12 + 1, min(day.day, last))
    note = {"note": f"that month has no day {day.day}"} if day.day > last else {}
    return {"result": str(then), **note}


def _hours(found: re.Match[str]) -> dict[str, JSON]:
    """`17:30 - 9:15` and `9:15 to 17:30` are 8:15; `9:15 + 1:30` is 10:45."""
    first, sign = int(found[1]) * 60 + int(found[2]), found[3]
    second = int(found[4]) * 60 + int(found[5])
    if sign in ("+", "plus"):
        return _moment(first + second)
    begin, end = (first, second) if sign in ("to", "until", "till") else sorted((first, second))
    total = (end - begin) % _DAY_MINUTES
    next_day = " of the next day" if end < begin else ""
    said = f"{total // 60} h {total % 60} min, from {_told(begin)} to {_told(end)}{next_day}"
    return {"result": _told(total), "note": said}


def _after(found: re.Match[str]) -> dict[str, JSON]:
    """`18:10 + 175 min + 1:12` is 22:17; a number without a unit is of minutes, and said to be so. `17:00 - 8:30 - 45
    min` is 7:45; nothing what begins with the earlier time, or with that of a night.
    """
    total, bare = int(found[1]) * 60 + int(found[2]), False
    for n, (sign, hours, minutes, count, unit) in enumerate(_SPAN_PARTS.findall(found[3])):
        span = int(hours) * 60 + int(minutes) if hours else int(count) * (60 if unit.startswith("h") else 1)
        less = sign in ("-", "minus")
        if n == 0 and hours and less and not 0 < total - span <= _SHIFT:
            return {}
        total, bare = total - span if less else total + span, bare or bool(count and not unit)
    return _moment(total, *["the numbers are minutes"] * bare)


def _moment(total: int, *notes: str) -> dict[str, JSON]:
    day = f"{_told(total % _DAY_MINUTES)} of another day, if it is a time of day"
    told = [*notes, *([] if 0 <= total < _DAY_MINUTES else [day])]
    return {"result": _told(total), **({"note": "; ".join(told)} if told else {})}


def _told(minutes: int) -> str:
    return f"{'-' if minutes < 0 else ''}{abs(minutes) // 60}:{abs(minutes) % 60:02}"
