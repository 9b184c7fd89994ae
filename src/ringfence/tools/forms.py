"""How a column writes its numbers and dates, told from all of its cells: `1.234` alone may be either, 12/03 too."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

_LOOK = 1_000  # cells that tell it
_LONGEST = 40  # characters of a number with its unit
MONEY = "[$€£¥]|EUR|USD|GBP|CHF"
UNITS = (
    r"(?:%|mm|cm|dm|km|mi|ft|mg|kg|lbs?|oz|ml|cl|dl|ms|sec|mins?|hrs?|hours|days|kW|Wh|kWh|MWh|mA|Hz|kHz|MHz|GHz|kB|KB|MB|"
    r"GB|TB|bar|mbar|hPa|kPa|Pa|°C|°F|pcs?|pts|points|people|persons|dB|rpm|km/h|m/s|m²|m2|m³|m3|[mghsl]|(?<=\s)[tLWVABK])"
)
_MEASURED = re.compile(rf"(?:({MONEY})\s?)?([-+]?(?:\d[\d.,'\s]*)?\d|[-+]?[.,]\d+)(?:\s?({MONEY}|{UNITS}))?")
_POINT = re.compile(r"[-+]?(?:\d{1,3}(?:[,']\d{3})+|\d+)?(?:\.\d+)?")
_COMMA = re.compile(r"[-+]?(?:\d{1,3}(?:[.'\s]\d{3})+|\d+)?(?:,\d+)?")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+")
_CENTS = re.compile(r",\d\d+$|\d[.'\s]\d{3},")  # of a number, and not of a list of two
_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ T,]{1,2}(\d{1,2})(:\d\d(?::\d\d)?))?")


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
        first, second, year, hour, rest = found.groups()
        day, month = (first, second) if self.days == "day" else (second, first)
        try:
            return datetime.fromisoformat(f"{year}-{month:0>2}-{day:0>2}T{hour or 0:0>2}{rest or ':00'}")
        except ValueError:
            return None


PLAIN = Form()


def form_of(cells: Iterable[str], *, commas: bool = False) -> Form:
    """The form that all of them have which hold a figure; PLAIN if there is none, or more than one may be meant.

    commas  nothing else separates cells by a comma, so that `7,5` is no list of two
    """
    figures = [cell for cell in islice(cells, _LOOK) if any(map(str.isdigit, cell))]
    if not figures:
        return PLAIN
    days = [_DAY.fullmatch(cell) for cell in figures]
    if all(days):
        parts = [(int(day[1]), int(day[2])) for day in days if day]
        first, second = (any(part[n] > 12 for part in parts) for n in (0, 1))
        return Form(days="day" if first else "month") if first is not second else PLAIN
    measured = [_measured(cell) for cell in figures]
    units = {one[1] if one else None for one in measured}
    if None in units or len(units) > 1:
        return PLAIN
    (unit,), bare = units, [one[0] for one in measured if one]
    if all(map(_POINT.fullmatch, bare)):
        if (
            not unit
            or not all(map(_THOUSANDS.fullmatch, (one for one in bare if "." in one)))
            or "." not in "".join(bare)
        ):
            return Form(unit=unit or "")
        return Form(comma=True, unit=unit) if re.fullmatch(MONEY, unit) else PLAIN  # 1.250 kg may be either
    sure = commas or unit or any(map(_CENTS.search, bare))
    return Form(comma=True, unit=unit or "") if sure and all(map(_COMMA.fullmatch, bare)) else PLAIN


def _measured(text: str) -> tuple[str, str] | None:
    """A number as it is written, and its unit; None for any other text."""
    found = _MEASURED.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None or (found[1] and found[3]):
        return None
    return found[2], found[1] or found[3] or ""
