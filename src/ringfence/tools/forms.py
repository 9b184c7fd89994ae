"""How a column writes its numbers and dates, told from all of its cells: `1.234` alone may be either, 12/03 too."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

_LOOK = 1_000  # cells that tell it
_MOST = 0.8  # of those with figures, that have one form: a column may have a remark in it
_LONGEST = 40  # characters of a number with its unit
MONEY = r"[$€£¥₹]|EUR|USD|GBP|CHF|SEK|NOK|DKK|PLN|CZK|JPY|CAD|AUD|INR|kr|zł|Kč|Fr\."
UNITS = (
    r"(?:%|mm|cm|dm|km|mi|ft|mg|kg|lbs?|oz|ml|cl|dl|ms|sec|mins?|hrs?|hours|days|kW|Wh|kWh|MWh|mA|Hz|kHz|MHz|GHz|kB|KB|MB|"
    r"GB|TB|bar|mbar|hPa|kPa|Pa|°C|°F|pcs?|pts|points|people|persons|Std|Stk|dB|rpm|km/h|m/s|m²|m2|m³|m3|[mghsl]|"
    r"(?<=\s)[tLWVABK])"
)
_WORD = r"(?<=\s)[^\W\d_A-ZÄÖÜ]{2,12}"  # 3 nights; a name after a number (12 Elm) is an address
_MEASURED = re.compile(
    rf"([-+]\s?)?(?:({MONEY})\s?)?([-+]?(?:\d[\d.,'\s]*)?\d|[-+]?[.,]\d+)(?:\s?({MONEY}|{UNITS}|{_WORD}))?"
)
_CURRENCIES = {
    "€": "eur",
    "eur": "eur",
    "euro": "eur",
    "euros": "eur",
    "$": "usd",
    "usd": "usd",
    "£": "gbp",
    "gbp": "gbp",
}
_ENDS = re.compile(r"(?<=\d)[.,][-\N{EN DASH}\N{EM DASH}]{1,2}$")  # of a price without cents: 1'250.-
_BELOW = re.compile(
    r"\((?=[^()]*\d[.,']|[^()\w]*[$€£])([^()+-]*\d[^()+-]*)\)|([^+-]*\d[.,]\d\d)\s?-"
)  # as bookkeepers do; a 3- is a mark
_SIGNS = str.maketrans("\N{MINUS SIGN}\N{RIGHT SINGLE QUOTATION MARK}", "-'")
_POINT = re.compile(r"[-+]?(?:\d{1,3}(?:[,']\d{3})+|\d{1,2}(?:,\d\d)+,\d{3}|\d+)?(?:\.\d+)?")
_COMMA = re.compile(r"[-+]?(?:\d{1,3}(?:[.'\s]\d{3})+|\d+)?(?:,\d+)?")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+")
_CENTS = re.compile(r",\d\d+$|\d[.'\s]\d{3},")  # of a number, and not of a list of two
_DAY = re.compile(
    r"(\d{1,2})([/.-])(\d{1,2})[/.-](\d{4}|(?<=[/.])\d\d)(?:[ T,]{1,2}(\d{1,2})(:\d\d(?::\d\d)?)(?: ?([ap])\.?m\.?)?)?",
    re.I,
)
_FIGURES = "0123456789.,-+ "
_GROUP = 3  # figures between two points
_CENTURY = 70  # a year of two figures from here on is of the last one


@dataclass(frozen=True, slots=True)
class Form:
    """How a column is written.

    comma  a number's decimals come behind a comma: 1.234,50
    unit   what stands before or behind each of its numbers: `kg`, `€`; "" for nothing
    days   which part of 12/03/2025 comes first: `day`, `month`, or "" where it is no such column
    """

    comma: bool = False
    unit: str = ""
    days: str = ""

    def number(self, text: str) -> str:
        """A number in plain figures (`1234.5`), "" for what is none in this form."""
        found = _measured(text)
        if found is None or found[1] not in ("", self.unit):
            return ""
        bare = found[0]
        if not (_COMMA if self.comma else _POINT).fullmatch(bare):
            return ""
        return re.sub(r"[.'\s]", "", bare).replace(",", ".") if self.comma else re.sub(r"[,']", "", bare)

    def date(self, text: str) -> datetime | None:
        """A day, or a moment of it; None for what is none in this form."""
        found = _DAY.fullmatch(text) if self.days else None
        if found is None:
            return None
        first, _, second, year, hour, rest, noon = found.groups()
        day, month = (first, second) if self.days == "day" else (second, first)
        whole = year if len(year) > 2 else f"{19 if int(year) >= _CENTURY else 20}{year}"
        try:
            return datetime.fromisoformat(f"{whole}-{month:0>2}-{day:0>2}T{hours(hour or '0', noon)}{rest or ':00'}")
        except ValueError:
            return None


PLAIN = Form()


def hours(hour: str, noon: str | None) -> str:
    """An hour in two figures, of twenty-four; `noon`: a(m) or p(m), where it is one of twelve."""
    full = int(hour) % 12 + 12 * (noon.lower() == "p") if noon else int(hour)
    return f"{full:0>2}"


def is_day(text: str) -> bool:
    """Whether a text has a day, a month and a year, whichever comes first."""
    return _DAY.fullmatch(text.strip()) is not None


def plainly(text: str) -> str:
    """An amount as most people write it: `(900.00)` and `900,00-` are below zero, `1'250.-` is 1'250."""
    if text.isalnum() or text.isspace() or len(text) > _LONGEST:
        return text
    bare = _ENDS.sub("", text.translate(_SIGNS))
    below = _BELOW.fullmatch(bare)
    return f"-{(below[1] or below[2]).strip()}" if below else bare


def form_of(cells: Iterable[str], *, commas: bool = False) -> Form:
    """The form that nearly all of them have which hold a figure; PLAIN for none, or if more than one may be meant.

    commas  nothing else separates cells by a comma, so that `7,5` is no list of two
    """
    figures = [cell for cell in islice(cells, _LOOK) if any(map(str.isdigit, cell))]
    if not figures:
        return PLAIN
    days = [_DAY.fullmatch(cell) for cell in figures]
    if sum(map(bool, days)) >= _MOST * len(days):
        parts = [(int(day[1]), int(day[3])) for day in days if day]
        first, second = (any(part[n] > 12 for part in parts) for n in (0, 1))
        if first is second and not second and all(day[2] == "." and len(day[4]) > 2 for day in days if day):
            return Form(days="day")  # nobody puts a point behind a month; 1.9.10 may be a version
        return Form(days="day" if first else "month") if first is not second else PLAIN
    measured = [one for one in map(_measured, figures) if one]
    kinds = {one[1] for one in measured}
    if len(measured) < _MOST * len(figures) or len(kinds) > 1:
        return PLAIN
    (unit,), bare = kinds, [one[0] for one in measured]
    if all(map(_POINT.fullmatch, bare)):
        if (
            not unit
            or not all(map(_THOUSANDS.fullmatch, (one for one in bare if "." in one)))
            or "." not in "".join(bare)
        ):
            return Form(unit=unit or "", comma=commas and not unit and _grouped(bare))
        return Form(comma=True, unit=unit) if re.fullmatch(MONEY, unit) else PLAIN  # 1.250 kg may be either
    sure = commas or unit or any(map(_CENTS.search, bare))
    return Form(comma=True, unit=unit or "") if sure and all(map(_COMMA.fullmatch, bare)) else PLAIN


def _grouped(bare: list[str]) -> bool:
    """Whether points can only separate thousands: three figures behind each, and beside them hundreds. What stands
    beside 2 may as well have decimals.
    """
    whole = [one for one in bare if "." not in one]
    points = len(whole) < len(bare) and all(_THOUSANDS.fullmatch(one) for one in bare if "." in one)
    return points and bool(whole) and all(len(one.lstrip("-+")) == _GROUP for one in whole)


def thousands(cells: Iterable[str]) -> bool:
    """Whether each number has three figures behind a point: 1.234 may be a little more than one, or a thousand."""
    figures = [plainly(cell) for cell in islice(cells, _LOOK) if any(map(str.isdigit, cell))]
    points = [one for one in figures if "." in one]
    rest = (one for one in figures if "." not in one)
    return bool(points) and all(map(_THOUSANDS.fullmatch, points)) and all(len(one) <= _GROUP for one in rest)


def units(cells: Iterable[str]) -> dict[str, list[str]]:
    """The numbers of cells by their unit, in plain figures, where there is more than one unit; else nothing. A currency
    is one, by its sign as by its code.
    """
    found: dict[str, list[str]] = {}
    called: dict[str, str] = {}
    for cell in cells:
        if cell.strip(_FIGURES) and (one := _measured(cell)) and one[1]:
            unit = called.setdefault(_CURRENCIES.get(one[1].casefold(), one[1]), one[1])
            found.setdefault(unit, []).append(cell)
    return found if len(found) > 1 else {}


def _measured(text: str) -> tuple[str, str] | None:
    """A number as it is written, and its unit, of which there may be one or more; None for any other text."""
    found = _MEASURED.fullmatch(plainly(text)) if len(text) <= _LONGEST else None
    if found is None or (found[2] and found[4]) or (found[1] and found[3][0] in "+-"):
        return None
    unit = found[2] or found[4] or ""
    return f"{(found[1] or '').strip()}{found[3]}", unit.removesuffix("s") if len(unit) > 2 and unit.islower() else unit
