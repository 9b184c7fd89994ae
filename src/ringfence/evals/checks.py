"""Whether an answer holds what a right one holds: no model judges, the same answer always gets the same verdict."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_COMPOUND = re.compile(r"\d+(?:[.:-]\d+)*")  # dates, times, addresses and ranges are one thing, not several numbers
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:[,' ]\d{3})+(?!\d)")
_DROPPED = str.maketrans(
    {"–": "-", "‐": "-", "’": "'", "‘": "'", "*": None, "`": None, '"': None, "“": None, "”": None}
)
_ABSENT = (  # how an answer says that what was asked for is not there
    "not found", "not in the", "not available", "not given", "not listed", "not provided", "not specified",
    "not stated", "not mention", "not contain", "not include", "not known", "not exist", "not present", "not there",
    "not say", "not have", "not recorded", "not find", "not know", "no phone", "no information", "no mention",
    "no such", "no record", "no entry", "no data", "no column", "no price", "no date", "nowhere", "unknown",
    "unable to", "cannot find", "cannot be found", "cannot be determined", "can't find", "couldn't find", "doesn't",
    "don't have", "don't know", "didn't find", "isn't", "aren't", "wasn't", "missing", "none of the",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Check:
    """What a right answer holds, and what it never holds.

    An answer is right if all strings of one list under `any` occur in it and none of those under `none`. Strings are
    compared without case, quotes or markup; a number is compared by its value with the numbers of the answer,
    thousands separators ignored (79.94 is also found in 79.9412, an average with more decimals); a string that starts
    or ends with a digit ends there in the answer, too. Without `any` nothing has to occur.
    """

    any: tuple[tuple[str, ...], ...] = ()
    none: tuple[str, ...] = ()

    def passes(self, answer: str) -> bool:
        """Whether the answer is right."""
        forms = _forms(answer)
        held = any(all(_occurs(string, forms) for string in strings) for strings in self.any)
        return (held or not self.any) and not any(_occurs(string, forms) for string in self.none)

    @property
    def wanted(self) -> str:
        """What is checked, in words: `19, or nineteen; never 80`."""
        some = ", or ".join(" and ".join(strings) for strings in self.any[:4])
        more = f", or one of {len(self.any) - 4} more" if len(self.any) > 4 else ""
        never = f"never {', '.join(self.none)}" if self.none else ""
        return "; ".join(filter(None, (some + more, never)))


ABSTAINS = Check(tuple((words,) for words in _ABSENT), ("no answer:",))


def _forms(text: str) -> tuple[str, ...]:
    """The text as compared: as it stands, and with thousands separators taken out (`1,680` may also be two numbers)."""
    plain = " ".join(unicodedata.normalize("NFKC", text).translate(_DROPPED).casefold().split())
    return plain, _GROUPED.sub(lambda found: re.sub(r"\D", "", found[0]), plain)


def _occurs(string: str, forms: Iterable[str]) -> bool:
    wanted = _forms(string)[-1]
    if _NUMBER.fullmatch(wanted):
        return any(_is(Decimal(number), Decimal(wanted)) for form in forms for number in _numbers(form))
    before = r"(?<!\d)(?<!\d[.,])" if wanted[:1].isdigit() else ""
    after = r"(?!\d)(?![.,]\d)" if wanted[-1:].isdigit() else ""
    pattern = re.compile(before + re.escape(wanted) + after)
    return any(pattern.search(form) for form in forms)


def _is(number: Decimal, wanted: Decimal) -> bool:
    """Equal, or, for one wanted to two decimals or more, the same number written with more of them."""
    rounded = wanted.as_tuple().exponent
    exact = not isinstance(rounded, int) or rounded > -2
    return number == wanted or (not exact and number.quantize(wanted, ROUND_HALF_UP) == wanted)


def _numbers(form: str) -> list[str]:
    return [found[0] for found in _COMPOUND.finditer(form) if _NUMBER.fullmatch(found[0])]
