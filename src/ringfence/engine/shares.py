"""A share in a calculation: a percentage that the task names is a factor, or is added to something or taken off it."""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal

from .figures import NUMBER
from .spoken import in_words

_PASTED = 1000  # characters of a task, from which on it holds a text and not the question alone
_SHARE = re.compile(r"(?<![\d.,])(\d+(?:[.,]\d+)?)\s*(?:%|per ?cent\b|Prozent\b)", re.I)
_HUNDREDTH = re.compile(r"100|%|percent|prozent", re.I)  # what makes one of a number
_PERIODS = frozenset(("7", "12", "24", "30", "52", "60"))  # how often a short period is in a longer one
_PERIOD = re.compile(
    r"\b(?:year|month|week|da(?:y|il)|hour|minute|annual|jahr|jähr|monat|woche|wöch|tag|tägl|stunde)", re.I
)
_FACTOR = re.compile(
    r"(?<![\w.])\d+(?:\.\d+)?(?=\s*[*×])|(?<=[*×] )\d+(?:\.\d+)?(?![\w.])|(?<=[*×])\d+(?:\.\d+)?(?![\w.])"
)
_TERM = re.compile(r"(?<![\w.])(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,2})?", re.I)
_LEVY = (
    r"(?:vat|gst|(?:sales )?tax|surcharge|tip|gratuity|service charge|markup|mwst|mehrwertsteuer|ust|steuer|"
    r"aufschlag|zuschlag)"
)
_PERCENT = r"\s*(?:%|per ?cent|prozent)"
_NUMBER = r"\d+(?:[.,]\d+)?"
_UP = re.compile(
    rf"\b(?:with|incl(?:uding|usive of)?\.?|inklusive|inkl\.?|mit)\s+(?P<with>{_NUMBER}){_PERCENT}\s+{_LEVY}\b"
    rf"|\b(?:plus|add(?:ing)?|zuzüglich|zzgl\.?)\s+(?P<plus>{_NUMBER}){_PERCENT}",
    re.I,
)
_DOWN = re.compile(
    rf"\b(?:less|minus|abzüglich|reduced by)\s+(?P<less>{_NUMBER}){_PERCENT}"
    rf"|(?<![\d.,])(?P<off>{_NUMBER}){_PERCENT}\s+(?:off\b|discount|rabatt|nachlass|skonto)",
    re.I,
)
_SHARE_ITSELF = re.compile(
    r"\b(?:how (?:much|high|many)|what|wie ?viel|wie hoch)\b"
    r"(?:\W+(?!(?:with|plus|incl\w*|mit|add\w*|after|less|minus)\b)[^\W\d]+){0,4}?"
    rf"\W+(?:{_LEVY}|discount|rabatt|saved?|saving|gespart)\b",
    re.I,
)
_A_FACTOR = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(\s*%|\s*/\s*100(?:\.0)?)?")


def hundredths(given: str, task: str) -> str:
    """A calculation in which a factor that the task gives as a percentage, and as nothing else, is one: 36.5 is 36.5%.

    As it is, if anything in it makes a hundredth already, or the factor may be how many there are: of months, of years.
    """
    if _HUNDREDTH.search(given) or len(task) > _PASTED:
        return given
    terms = [Decimal(term) for term in _TERM.findall(given)]
    shares = {match[1].replace(",", ".") for match in _SHARE.finditer(task)}
    shares.difference_update(NUMBER.findall(_SHARE.sub("", task)), (str(number) for *_, number in in_words(task)))
    if Decimal(100) in terms or any(_taken(Decimal(share), terms) for share in shares):
        return given
    shares -= _PERIODS if _PERIOD.search(task) else set()
    once = {share for share in shares if terms.count(Decimal(share)) == 1}
    return _FACTOR.sub(lambda found: f"{found[0]}%" if found[0] in once else found[0], given) if once else given


def _taken(share: Decimal, terms: Collection[Decimal]) -> bool:
    """Whether a hundredth of a percentage is among the terms, or what it leaves or comes to: 0.19, 0.81, 1.19."""
    return any(part in terms for part in (Decimal("0.01"), share / 100, 1 - share / 100, 1 + share / 100))


def whole(given: str, task: str) -> str:
    """A product with a share that the task adds to something, or takes off it, as what that comes to.

    747.75 * 0.19 is 747.75 * 1.19 where the task asks for it with 19 % VAT, and not for the VAT.
    """
    if len(task) > _PASTED or _SHARE_ITSELF.search(task):
        return given
    shares = {value: sign for rule, sign in ((_UP, 1), (_DOWN, -1)) for value in _named(rule, task)}
    factors = [_A_FACTOR.fullmatch(part.strip(" ()")) for part in re.split(r"[*×]|\bof\b", given)]
    if len(factors) < 2 or given.count("(") != given.count(")"):
        return given
    values = [Decimal(factor[1]) / (100 if factor[2] else 1) for factor in factors if factor]
    found = [(n, sign) for n, value in enumerate(values) for share, sign in shares.items() if value * 100 == share]
    if len(values) < len(factors) or len(found) != 1:
        return given
    ((at, sign),) = found
    return " * ".join(f"{(1 + sign * value if n == at else value).normalize():f}" for n, value in enumerate(values))


def _named(rule: re.Pattern[str], task: str) -> list[Decimal]:
    said = (next(filter(None, found.groups()), "").replace(",", ".") for found in rule.finditer(task))
    return [Decimal(text) for text in said if _A_FACTOR.fullmatch(text) and Decimal(text) < 100]
