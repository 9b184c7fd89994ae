"""A share in a calculation: a percentage that the task names is a factor, or is added to something or taken off it."""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal
from fractions import Fraction

from .equations import simplified, value
from .figures import NUMBER
from .spoken import in_words
from .task import PASTED, questions

_SHARE = re.compile(r"(?<![\d.,])(\d+(?:[.,]\d+)?)\s*(?:%|per ?cent\b|Prozent\b)", re.I)
HUNDREDTH = re.compile(r"100|%|percent|prozent", re.I)  # what makes one of a number
PERIODS = frozenset(("7", "12", "24", "30", "52", "60"))  # how often a short period is in a longer one
PERIOD = re.compile(
    r"\b(?:year|month|week|da(?:y|il)|hour|minute|annual|jahr|jähr|monat|woche|wöch|tag|tägl|stunde)", re.I
)
_FACTOR = re.compile(
    r"(?<![\w.])\d+(?:\.\d+)?(?=\s*[*×])|(?<=[*×] )\d+(?:\.\d+)?(?![\w.])|(?<=[*×])\d+(?:\.\d+)?(?![\w.])"
)
_TERM = re.compile(r"(?<![\w.])(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,2})?", re.I)
_PERCENT = r"\s*(?:%|per ?cent|prozent)"
_NUMBER = r"\d+(?:[.,]\d+)?"
_LEVY = (
    r"(?:vat|gst|(?:sales )?tax|surcharge|tip|gratuity|service charge|mwst|mehrwertsteuer|umsatzsteuer|ust|aufschlag|"
    r"zuschlag)"
)
_OFF = r"(?:off(?=\W*$|[.,;:?!)]| (?:an?|the|each|every|it|them|that|this|for|on)\b)|discount|rabatt|nachlass|skonto)"
_UP = re.compile(
    r"\b(?:with|incl(?:uding|usive of)?\.?|inklusive|inkl\.?|mit|plus|add(?:ing)?|zuzüglich|zzgl\.?)\s+"
    rf"({_NUMBER}){_PERCENT}\s+{_LEVY}\b",
    re.I,
)
_DOWN = re.compile(rf"(?<![\d.,])({_NUMBER}){_PERCENT}\s+{_OFF}", re.I)
_OF_WHICH = re.compile(rf"\b(?:{_LEVY}|discount|rabatt|nachlass|skonto|save[ds]?|saving|gespart)\b", re.I)
_TO_PAY = re.compile(
    r"\b(?:totals?|costs?|pay|price|gross|in all|altogether|how much is (?:it|that|this)|come[s]? to|be charged|"
    r"kostet|kosten|zahl\w*|brutto|endpreis|insgesamt|zusammen)\b",
    re.I,
)
_OTHERWISE = re.compile(  # something else is asked for than what there is to pay, or the share is taken another time
    r"\b(?:less|lower|cheaper|taken off|by how much|gets?|back|goes to|geht an|abzug|without|no longer|second|per year|"
    r"years|on top|off that|of that|increase\w*|rises?)\b",
    re.I,
)
_AGAIN = re.compile(r"\b(?:twice|again|another|further|each (?:time|year|month)|zweimal|nochmals?|erneut)\b", re.I)
PLAIN_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_A_FACTOR = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(\s*%|\s*/\s*100(?:\.0)?)?")


def hundredths(given: str, task: str) -> str:
    """A calculation in which a factor that the task gives as a percentage, and as nothing else, is one: 36.5 is 36.5%.

    As it is, if anything in it makes a hundredth already, or the factor may be how many there are: of months, of years.
    """
    if HUNDREDTH.search(given) or len(task) > PASTED:
        return given
    terms = [Decimal(term) for term in _TERM.findall(given)]
    shares = {match[1].replace(",", ".") for match in _SHARE.finditer(task)}
    shares.difference_update(NUMBER.findall(_SHARE.sub("", task)), (str(number) for *_, number in in_words(task)))
    if Decimal(100) in terms or any(_taken(Decimal(share), terms) for share in shares):
        return given
    shares -= PERIODS if PERIOD.search(task) else set()
    once = {share for share in shares if terms.count(Decimal(share)) == 1}
    return _FACTOR.sub(lambda found: f"{found[0]}%" if found[0] in once else found[0], given) if once else given


def shares_of(task: str) -> list[tuple[str, ...]]:
    """The percentages of a task, each with what it is in a calculation: 19, 0.19, 1.19, 0.81."""
    found = [Decimal(match[1].replace(",", ".")) for match in _SHARE.finditer(task)]
    return [
        tuple(f"{way.normalize():f}" for way in (one, one / 100, 1 + one / 100, 1 - one / 100))
        for one in dict.fromkeys(found)
    ]


def _taken(share: Decimal, terms: Collection[Decimal]) -> bool:
    """Whether a hundredth of a percentage is among the terms, or what it leaves or comes to: 0.19, 0.81, 1.19."""
    return any(part in terms for part in (Decimal("0.01"), share / 100, 1 - share / 100, 1 + share / 100))


def whole(given: str, task: str) -> str:
    """A product with a share that the task adds to a price, or takes off it, as what that comes to.

    747.75 * 0.19 is 747.75 * 1.19 where the task asks what to pay with 19 % VAT. As it is wherever the share itself may
    be meant: it is spoken of more than once, another percentage is, or a number that looks like it.
    """
    asking = questions(task) or task
    if len(task) > PASTED or len(_SHARE.findall(task)) != 1 or not _TO_PAY.search(asking) or _OTHERWISE.search(task):
        return given
    named = [(match, sign) for rule, sign in ((_UP, 1), (_DOWN, -1)) if (match := rule.search(task))]
    if len(named) != 1:
        return given
    ((match, sign),) = named
    spoken_of = len(_OF_WHICH.findall(task)) + match[0].lower().endswith("off")
    share = Decimal(match[1].replace(",", ".")) / 100
    others = {Decimal(number) for number in NUMBER.findall(_SHARE.sub("", task)) if PLAIN_NUMBER.fullmatch(number)}
    own = share in others or not others.isdisjoint((1 + share, 1 - share)) or _AGAIN.search(task)
    if spoken_of == 1 and not own and (once := _once(given, share, sign)):
        return once
    values = _of_all(given, share, sign, others) or _factors(given)
    if spoken_of != 1 or len(values) < 2 or values.count(share) != 1 or 1 + sign * share in values or share in others:
        return given
    return " * ".join(f"{(1 + sign * value if value == share else value).normalize():f}" for value in values)


def _once(given: str, share: Decimal, sign: int) -> str:
    """What a calculation means in which the share is taken twice, or off what it is added to: `80 * 1.19 * 1.19`."""

    def without(found: re.Match[str]) -> str:
        number = Decimal(found[1]) / (100 if found[2] else 1)
        return "0" if number == share else "1" if number in (1 + share, 1 - share) else found[0]

    bare = simplified(re.sub(rf"(?<![\w.]){_A_FACTOR.pattern}", without, given))
    price, comes = value(bare), value(re.sub(r"(?<=\d)\s*%", "/100", given))
    if not price or comes is None:
        return ""
    wrong = {(1 + Fraction(share)) ** 2, (1 - Fraction(share)) ** 2, 1 - sign * Fraction(share)}
    return f"({bare}) * {(1 + sign * share).normalize():f}" if comes / price in wrong else ""


def _factors(given: str) -> list[Decimal]:
    """The factors of a product; none of what is no product."""
    found = [_A_FACTOR.fullmatch(part.strip(" ()")) for part in re.split(r"[*×]|\bof\b", given)]
    values = [Decimal(factor[1]) / (100 if factor[2] else 1) for factor in found if factor]
    return values if len(values) == len(found) and given.count("(") == given.count(")") else []


def _of_all(given: str, share: Decimal, sign: int, counts: Collection[Decimal]) -> list[Decimal]:
    """The factors of what `19.74 * 0.19 + 19.74 * 9` means: the share of one piece is added to the price of nine."""
    terms = re.split(r"(?<=[\d)%])\s*([+-])\s*(?=[\d(])", given)
    if len(terms) != 3 or terms[1] != ("+" if sign > 0 else "-"):
        return []
    one, other = _factors(terms[0]), _factors(terms[2])
    part, rest = (one, other) if share in one else (other, one)
    common = [value for value in part if value != share]
    more = [value for value in rest if value not in common]
    same = len(part) == len(rest) == 2 and len(common) == len(more) == 1
    return [*common, *more, share] if same and more[0] in counts else []
