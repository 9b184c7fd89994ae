"""What stands in a cell of a table: a number, a date, a text or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache

from .dated import in_figures
from .forms import PLAIN, Form, plainly

Cell = tuple[int, Fraction | datetime | str]  # kind and value
NUMBER, DATE, WORD, EMPTY = range(4)
_MISSING = (
    "n/a",
    "n.a.",
    "k.a.",
    "#n/a",
    "null",
    "-",
    "--",
    "\N{EN DASH}",
    "\N{EM DASH}",
    "?",
)  # what stands where nothing is known
MAX_DIGITS = 60  # of a number; longer ones are text
_NUMBER = re.compile(
    r"([-+]?)[$€£]?((?:[0-9]{1,3}(?:[,'][0-9]{3})+|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+)\s?%?"
)
_QUOTE = "\N{RIGHT SINGLE QUOTATION MARK}"  # between thousands, in Switzerland
_ODD = frozenset("()-\N{MINUS SIGN}\N{EN DASH}\N{EM DASH}")  # at an end of a number
_CLOCK = re.compile(r"([0-9]{1,3})(:[0-5][0-9])(:[0-5][0-9])?(?: ?([ap])\.?m\.?)?", re.I)


@lru_cache(maxsize=16_384)
def typed(text: str, form: Form = PLAIN) -> Cell:
    """A number (`1,200.50`, `85%`, `$3`), a date (`2026-05-01`, `1 May 2026`), an ISO 8601 time, a text, or empty (as
    `n/a` is). `form`: how its column is written, where that is not the common way.
    """
    bare = text.strip()
    if not bare or bare.lower() in _MISSING:
        return EMPTY, bare.lower()
    if form != PLAIN:
        if moment := form.date(bare):
            return DATE, moment
        if figures := form.number(bare):
            return NUMBER, Fraction(figures)
    number = _NUMBER.fullmatch(bare) if len(bare) <= MAX_DIGITS else None
    if number is None and len(bare) <= MAX_DIGITS and (bare[0] in _ODD or bare[-1] in _ODD or _QUOTE in bare):
        number = _NUMBER.fullmatch(plainly(bare))
    if number:
        return NUMBER, Fraction(number[1] + number[2].replace(",", "").replace("'", ""))
    day = bare if bare[:4].isdigit() and bare[4:5] != "." else ""
    day = day or (in_figures(bare) if bare[:4].isdigit() or bare[-4:].isdigit() else "")
    if len(day) >= 8:
        try:
            moment = datetime.fromisoformat(day)
            return DATE, moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
        except (ValueError, OverflowError):
            pass
    return WORD, bare.lower()


def clock(text: str) -> tuple[int, ...]:
    """The parts of a time such as 1:30 or 0:45:10; none of one that says a.m. or p.m., or of any other text."""
    found = _CLOCK.fullmatch(text.strip())
    return tuple(int(part.strip(":")) for part in found.groups() if part) if found and not found[4] else ()


def holds(cells: Iterable[str], form: Form = PLAIN) -> set[int]:
    """The kinds of what stands in cells, empty ones aside."""
    return {typed(cell, form)[0] for cell in cells} - {EMPTY}
