"""What stands in a cell of a table: a number, a date, a text or nothing, and how two of them compare."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, time
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from .dated import in_figures
from .forms import PLAIN, Form, form_of, hours, plainly

Op = Literal["=", "!=", "<", "<=", ">", ">=", "contains"]
Cell = tuple[int, Fraction | datetime | str]  # kind and value: kinds sort among each other
NUMBER, DATE, WORD, EMPTY = range(4)
_SAID: dict[str, Op] = {"before": "<", "until": "<=", "by": "<=", "since": ">=", "from": ">=", "after": ">", "on": "="}
_PERIOD = re.compile(r"\d{4}(-\d\d)?")
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
LITERAL = "\0"  # before a value that is what a cell says, word for word
_ISO = re.compile(r"\d{4}-\d\d-\d\d")
_SIGNED = re.compile(r"(<=|>=|!=|<>|=|<|>)\s*(?=[-+$€£.]?\s?\d)(.+)")


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
    if clock := _CLOCK.fullmatch(bare):  # 9:05 is before 10:00
        return WORD, f"{hours(clock[1], clock[4]):0>3}{clock[2]}{clock[3] or ':00'}"
    return WORD, bare.lower()


def clock(text: str) -> tuple[int, ...]:
    """The parts of a time such as 1:30 or 0:45:10; none of one that says a.m. or p.m., or of any other text."""
    found = _CLOCK.fullmatch(text.strip())
    return tuple(int(part.strip(":")) for part in found.groups() if part) if found and not found[4] else ()


def holds(cells: Iterable[str], form: Form = PLAIN) -> set[int]:
    """The kinds of what stands in cells, empty ones aside."""
    return {typed(cell, form)[0] for cell in cells} - {EMPTY}


@lru_cache(maxsize=256)
def _period(value: str) -> str:
    """A year or a month, which is all of its days: 2026, 2026-05, May 2026; "" for anything else."""
    span = in_figures(value)
    return value.strip() if _PERIOD.fullmatch(value.strip()) else span if len(span) == 7 else ""


@lru_cache(maxsize=64)
def _as_said(op: Op, value: str) -> tuple[Op, str]:
    """A comparison with "before 1 June 2025" as the one with that day; any other as it is."""
    if (sign := _SIGNED.fullmatch(value.strip())) and op in ("=", sign[1]):
        return "!=" if sign[1] == "<>" else sign[1], sign[2]  # type: ignore[return-value]  # one of the signs above
    word, _, said = value.strip().partition(" ")
    meant, day = _SAID.get(word.lower()), in_figures(said)
    return (meant, day) if meant and day and op != "!=" else (op, value)


def meets(cell: str, op: Op, value: str, form: Form = PLAIN) -> bool:
    """Whether a cell meets a condition. Two numbers or two dates compare as such, all else as text without case.

    An empty cell is neither less nor greater than anything, nor is a word (`sold out`) than a number or a date; what
    only begins with figures (`2025-Q1`, `10:12`, `20B`) is. Whatever `op` says, "before 1 June 2025" is before it.
    """
    if op == "contains":
        return value.strip().lower() in cell.lower() or (
            typed(cell, form)[0] == DATE and _period(value) != "" and meets(cell, "=", value, form)
        )
    if value.startswith(LITERAL):
        return (cell.strip().casefold() == value[1:].casefold()) is (op == "=")
    op, value = _as_said(op, value)
    (kind, left), (other, right) = typed(cell, form), typed(value, form)
    if (kind, other) == (NUMBER, WORD) and not form.unit:  # 1000 EUR, of a column of bare numbers
        other, right = typed(value, form_of([value.strip()]))
    if kind == DATE == other and ":" in cell and ":" not in value:  # a day is all of its hours, as it is written
        left = typed(cell[:10])[1] if _ISO.match(cell) else datetime.combine(left, time())  # type: ignore[arg-type]
    if kind == DATE and (span := _period(value)):  # a day is within a year or a month, before or after it
        kind, other, left, right = WORD, WORD, str(left)[: len(span)], span
    if op in ("=", "!="):
        same = kind == other and left == right
        if not same and (span := _period(value)):
            same = cell.startswith(f"{span}-") or in_figures(cell) == span
        return same is (op == "=")
    if EMPTY in (kind, other) or (kind, other) == (NUMBER, WORD):
        return False
    if kind != other and WORD in (kind, other) and not (cell if kind == WORD else value).strip()[:1].isdigit():
        return False
    if kind != other:
        left, right = cell.strip().lower(), value.strip().lower()
    order = (left > right) - (left < right)  # type: ignore[operator]  # of one kind
    return order in {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (1, 0)}[op]
