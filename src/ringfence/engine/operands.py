"""What a calculation takes, as its task has it: shares, prices in cents, how many there are, two dates. Pure.

A small model that is told what it left out gives the very same calculation again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from decimal import Decimal

from .evidence import ISO_DAY, in_iso
from .figures import NUMBER
from .relevance import beginnings
from .shares import HUNDREDTH, PERIOD, PERIODS, PLAIN_NUMBER, hundredths, whole
from .task import PASTED, several_things
from .words import LEAVES_OUT

_CENTS = re.compile(r"(?<![\w.,])(\d{1,6}) (?:euro ?)?cents?\b", re.I)
_WHOLE_MONEY = re.compile(r"\bhow many (?:euros?|dollars|francs)\b|\bin (?:euros?|dollars|francs)\b", re.I)
_IN_CENTS = re.compile(r"\b(?:in|as) cents\b|\bnot in (?:euros?|dollars|francs)\b", re.I)
_DIVIDED = re.compile(r"/|(?<!\d)0?\.01\b|1e2", re.I)
_SUM_OF_PRODUCTS = re.compile(r"[\d.+*() ]{3,200}")
_SOME_OF_THEM = re.compile(  # who pay something else
    r"\b(?:one|two|three|four|\d+|some) of (?:the|them|us|these|those|my|our)\b|\bfree\b", re.I
)
_LIST = re.compile(r"(?<![\d.,])\d+(?:\.\d+)?(?:, \d+(?:\.\d+)?){2,40},? (?:and|und) \d+(?:\.\d+)?(?![\d.,]\d)")
_AVERAGE = re.compile(r"\((?P<sum>\d+(?:\.\d+)?(?:\s*\+\s*\d+(?:\.\d+)?){1,40})\)\s*/\s*(?P<by>\d+)(?![\d.])")
_OF_ALL = re.compile(r"\b(?:averages?|mean|durchschnitt\w*)\b", re.I)
_SOME = re.compile(
    r"\b(?:more than|less than|fewer than|after|before|until|first|last|(?:high|low|larg|small|great|long|short|cheap|"
    r"heavi|light|old|young)est|best|worst|only|top|one of|of these|remaining|rest|drop\w*)\b",
    re.I,
)
_FORGOTTEN = 2  # numbers that a small model leaves out of a list
_DAYS = re.compile(
    r"\bhow many days\b(?! (?:are|were|did|does|do|off)\b)|\bnumber of days (?:between|from)\b|\bwie ?viele tage\b",
    re.I,
)


def operands(given: str, task: str, shown: Sequence[str] = ()) -> str:
    """A calculation with the operands of its task, wherever it is certain which are meant.

    shown  the lines that prices were taken from
    """
    given = each_priced(given, task, shown)
    for rule in (all_of_them, hundredths, whole, in_euros, between_days):
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


def each_priced(given: str, task: str, shown: Sequence[str]) -> str:
    """What several things cost, for a calculation of nothing but their prices and counts that takes them otherwise:
    `2 * 12.17 + 17 * 5.46` for `(12.17 + 5.46) * 2`, where the line of each price names one of the things alone.
    """
    things = several_things(task)
    numbers = NUMBER.findall(given)
    if len(things) < 2 or not _SUM_OF_PRODUCTS.fullmatch(given) or not all(map(PLAIN_NUMBER.fullmatch, numbers)):
        return given
    if _SOME_OF_THEM.search(task):
        return given
    named = [beginnings(thing) for _, thing in things]
    own = [names.difference(*named[:n], *named[n + 1 :]) for n, names in enumerate(named)]
    prices: dict[int, str] = {}
    for price in dict.fromkeys(numbers):
        of = {n for line in shown if price in NUMBER.findall(line) for n in _named(line, own)}
        if len(of) == 1:
            prices.setdefault(of.pop(), price)
        elif Decimal(price) not in {Decimal(count) for count, _ in things}:
            return given
    products = [f"{count} * {prices[n]}" for n, (count, _) in enumerate(things) if n in prices]
    taken = {*prices.values(), *(count for count, _ in things)}
    if len(products) < len(things) or not taken.issuperset(numbers):
        return given
    return given if _has_all(given, products) else " + ".join(products)


def _named(line: str, own: Sequence[Collection[str]]) -> set[int]:
    """Which of several things a line is about, by the words that are their own."""
    words = beginnings(line)
    return {n for n, names in enumerate(own) if not words.isdisjoint(names)}


def _has_all(given: str, products: Sequence[str]) -> bool:
    """Whether a sum has these products, however they are written."""
    terms = [sorted(NUMBER.findall(term)) for term in given.split("+")]
    return "(" not in given and all(sorted(NUMBER.findall(product)) in terms for product in products)


def all_of_them(given: str, task: str) -> str:
    """An average of all numbers that its task lists, for one that adds up the first or the last of them, less one or
    two, and divides by how many there are.
    """
    lists, sums = list(_LIST.finditer(task)), list(_AVERAGE.finditer(given))
    whole = _OF_ALL.search(task) and not (_SOME.search(task) or LEAVES_OUT.search(task))
    if len(task) > PASTED or len(lists) != 1 or len(sums) != 1 or not whole:
        return given
    listed, taken = NUMBER.findall(lists[0][0]), NUMBER.findall(sums[0]["sum"])
    fewer = 0 < len(listed) - len(taken) <= _FORGOTTEN and taken in (listed[: len(taken)], listed[-len(taken) :])
    again = any(task.count(number) > 1 for number in listed)  # of some of them, perhaps
    if not fewer or again or 2 * len(taken) <= len(listed) or sums[0]["by"] != str(len(listed)):
        return given
    return f"{given[: sums[0].start('sum')]}{' + '.join(listed)}{given[sums[0].end('sum') :]}"


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
