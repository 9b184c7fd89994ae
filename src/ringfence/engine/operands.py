"""What a calculation takes, as its task has it: shares, prices in cents, how many there are, two dates. Pure.

A small model that is told what it left out gives the very same calculation again.
"""

from __future__ import annotations

import re
from decimal import Decimal

from .evidence import ISO_DAY, in_iso
from .figures import NUMBER
from .shares import HUNDREDTH, PERIOD, PERIODS, PLAIN_NUMBER, hundredths, whole
from .task import PASTED, several

_CENTS = re.compile(r"(?<![\w.,])(\d{1,6}) (?:euro ?)?cents?\b", re.I)
_WHOLE_MONEY = re.compile(r"\bhow many (?:euros?|dollars|francs)\b|\bin (?:euros?|dollars|francs)\b", re.I)
_IN_CENTS = re.compile(r"\b(?:in|as) cents\b|\bnot in (?:euros?|dollars|francs)\b", re.I)
_DIVIDED = re.compile(r"/|(?<!\d)0?\.01\b|1e2", re.I)
_DAYS = re.compile(
    r"\bhow many days\b(?! (?:are|were|did|does|do|off)\b)|\bnumber of days (?:between|from)\b|\bwie ?viele tage\b",
    re.I,
)


def operands(given: str, task: str) -> str:
    """A calculation with the operands of its task, wherever it is certain which are meant."""
    for rule in (each_counted, hundredths, whole, in_euros, between_days):
        given = rule(given, task)
    return given


def in_euros(given: str, task: str) -> str:
    """A calculation with a price in cents as one in whole units of money, where the task asks for these: 35 is 0.35."""
    prices = {match[1] for match in _CENTS.finditer(task)}
    whole_money = _WHOLE_MONEY.search(task) and not _IN_CENTS.search(task)
    if len(task) > PASTED or len(prices) != 1 or not whole_money or HUNDREDTH.search(given) or _DIVIDED.search(given):
        return given
    (price,) = prices
    if price in PERIODS and PERIOD.search(task):
        return given
    euros = f"{Decimal(price) / 100:f}"
    found = list(re.finditer(rf"(?<![\w.]){re.escape(price)}(?![\w.])", given))
    once = len(found) == 1 and task.count(price) == 1 and "*" in given and euros not in given
    return f"{given[: found[0].start()]}{euros}{given[found[0].end() :]}" if once else given


def each_counted(given: str, task: str) -> str:
    """A sum of what several things cost in which one price alone is not multiplied, by the one count that is not taken:
    `8.30 * 3 + 2.65` for 3 adults and 20 children.
    """
    counts, terms = [Decimal(one) for one in several(task)], re.split(r"\s*\+\s*", given.strip())
    if len(counts) < 2 or len(terms) != len(counts) or re.search(r"[()/-]", given):
        return given
    numbers = [[Decimal(one) for one in NUMBER.findall(term) if PLAIN_NUMBER.fullmatch(one)] for term in terms]
    gone = [count for count in counts if not any(count in of for of in numbers)]
    bare = [n for n, of in enumerate(numbers) if len(of) == 1 and PLAIN_NUMBER.fullmatch(terms[n])]
    if len(gone) != 1 or len(bare) != 1 or any(len(of) != 2 for n, of in enumerate(numbers) if n != bare[0]):
        return given
    terms[bare[0]] = f"{terms[bare[0]]} * {gone[0]}"
    return " + ".join(terms)


def between_days(given: str, task: str) -> str:
    """The days between the two dates of a task that asks how many they are, for a calculation with neither of them."""
    days = list(dict.fromkeys(ISO_DAY.findall(in_iso(task))))
    if (
        re.search(r"\d", ISO_DAY.sub("", in_iso(task)))
        or len(task) > PASTED
        or len(days) != 2
        or not _DAYS.search(task)
        or any(day in in_iso(given) for day in days)
    ):
        return given
    return f"{max(days)} - {min(days)}"
