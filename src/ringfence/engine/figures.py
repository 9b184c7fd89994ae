"""The numbers, dates and times that were shown, by value: 1,234 is 1234 and 1 February 2026 is 2026-02-01. Linear."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from decimal import Decimal, InvalidOperation

NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d{0,2}(?:\.\d{3})+")
_ONE = re.compile(r"\d+\.\d+|[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?|[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?")
_ROW = r"[1-9]\d{0,2}(?:,\d{3})+"
_LISTED = re.compile(rf"(?<=[^\s\d][,(\[{{]){_ROW}|(?<=[(\[{{]){_ROW}|{_ROW}(?=,[^\s\d]|[\])}}])|^{_ROW}$", re.M)
_PART = re.compile(r"\d+")
_MAX_PARTS = 8  # of one number: 2026-02-01T03:17:07.123 has seven
_MAX_DIGITS = 30
_MAX_VALUES = 20_000  # of what was shown, that a rounding is looked for among
_FEW = 4  # of numbers that are as good as the same, that are looked at
_DATE = 3  # parts of a date, in any order: 2026-02-01, 01.02.2026


class Figures:
    """What is known of numbers. `counts`: further numbers that are known, such as how many calls were made."""

    def __init__(self, shown: str, counts: Collection[int]) -> None:
        self._written: set[str] = set()
        self._parts: set[str] = {str(count) for count in counts}
        self._dates: set[tuple[str, ...]] = set()
        self._values: dict[Decimal, None] = {}
        rows = listed(shown)
        for token in dict.fromkeys(NUMBER.findall(shown)):
            self._take(token, one=is_one(token) and token not in rows)
        self._sorted: Sorted | None = None

    def knows(self, number: str) -> bool:
        """Whether a number was shown: as it is, by its value, as a part of a date or time, or in more digits."""
        pieces = _pieces(number)
        if number in self._written or (len(pieces) == 1 and pieces[0] in self._parts):
            return True
        if len(pieces) == _DATE and tuple(sorted(pieces)) in self._dates:
            return True
        mine = meant(number)
        if any(value in self._values for value in mine):
            return True
        if mine and self._sorted is None:
            self._sorted = Sorted(self._values)
        return self._sorted is not None and any(map(self._sorted.rounds_to, mine))

    def _take(self, token: str, *, one: bool) -> None:
        if one:
            self._written.update((token, _PART.findall(token)[0]))
            if len(self._values) < _MAX_VALUES:
                self._values.update(dict.fromkeys(values(token)))
            return
        pieces = _PART.findall(token)[:_MAX_PARTS]
        spans = [match.span() for match in _PART.finditer(token)][:_MAX_PARTS]
        for i, (start, _) in enumerate(spans):
            self._written.update(token[start:end] for _, end in spans[i:])
        if len(pieces) > 1 and (":" in token or len(pieces) >= _DATE):
            plain = _pieces(token)
            self._parts.update(plain)
            self._dates.update(tuple(sorted(plain[i : i + _DATE])) for i in range(len(plain) - _DATE + 1))
        if len(self._values) < _MAX_VALUES:
            self._values.update(dict.fromkeys(values(token)))


def _pieces(token: str) -> list[str]:
    """The whole numbers in a token, without leading zeros."""
    return [piece.lstrip("0") or "0" for piece in _PART.findall(token)[:_MAX_PARTS]]


def is_one(token: str) -> bool:
    """Whether a token is one number, so that what stands behind its marks is none: 17 of 12.17, 234 of 1,234."""
    return _ONE.fullmatch(token) is not None


def listed(text: str) -> set[str]:
    """What may be a number with marks of thousands, and stands in a row of a table: x,17,234."""
    return set(_LISTED.findall(text)) if "," in text else set()


def values(token: str) -> list[Decimal]:
    """What a number may mean: 1,234.5 as the English write it, 1.234,5 as the Germans do; 1.234 may be either."""
    whole, mark, rest = token.rpartition("," if token.rfind(",") > token.rfind(".") else ".")
    if "," in token and "." in token:
        ways = [f"{_digits(whole)}.{rest}"] if _THOUSANDS.fullmatch(whole) and mark not in whole else []
    else:
        ways = [_digits(token)] if _THOUSANDS.fullmatch(token) else []
        ways += [token.replace(",", ".")] if not set(whole) & {",", "."} else []
    return list(dict.fromkeys(found for way in ways if (found := _decimal(way)) is not None))


def meant(token: str) -> list[Decimal]:
    """What a number of an answer may mean: 1,500 is no one and a half."""
    found = values(token)
    return found[:1] if "," in token and _THOUSANDS.fullmatch(token) else found


def _digits(token: str) -> str:
    return token.replace(",", "").replace(".", "")


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text) if len(text) <= _MAX_DIGITS else Decimal(text[:_MAX_DIGITS] + "e9")
    except InvalidOperation:
        return None


class Sorted:
    """Numbers in their order: whether one of them rounds to another is told without looking at each."""

    def __init__(self, numbers: Iterable[Decimal]) -> None:
        self._numbers = sorted(numbers)

    def rounds_to(self, mine: Decimal) -> bool:
        """Whether `mine` is one of them in fewer places."""
        half = Decimal(5).scaleb(int(mine.as_tuple().exponent) - 1)
        start, end = bisect_left(self._numbers, mine - half), bisect_right(self._numbers, mine + half)
        return any(rounds(value, mine) for value in self._numbers[start : min(end, start + _FEW)])


def rounds(value: Decimal, mine: Decimal) -> bool:
    """Whether `mine` is `value` in fewer places; a rounding that leaves one or two digits is no copy."""
    places = -int(mine.as_tuple().exponent)
    if len(mine.as_tuple().digits) < 3 or abs(value) > 10**15:
        return False
    try:
        return -int(value.as_tuple().exponent) > places and round(value, places) == mine
    except InvalidOperation:  # more digits than are reckoned with
        return False
