"""What a sentence states that can be held against a text: numbers, dates, names and codes, and its words.

By rule, in English and German, without a model: the same each time, and no answer talks it round. Linear.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from .evidence import in_iso
from .figures import NUMBER, Figures, meant, values
from .relevance import COMMON
from .spoken import in_words
from .verbs import listed
from .words import Token, pathlike, tokens

_CODE = re.compile(r"(?=[^\W_]*\d)(?=\d*[^\W\d_])[^\W_]+(?:[-_.][^\W_]+)*|[^\W\d_]{2,}-\d[\w-]*")
_ENUMERATED = re.compile(r"^\s*(?:[-*•]\s*)?\d{1,3}[.)]\s")
_UNITS = {
    name: unit
    for unit, names in {
        "second": "second seconds sekunde sekunden s sec",
        "minute": "minute minutes minuten min mins",
        "hour": "hour hours stunde stunden h hrs",
        "day": "day days tag tage tagen arbeitstag arbeitstage arbeitstagen werktage"
        " werktagen kalendertage kalendertagen",
        "week": "week weeks woche wochen",
        "month": "month months monat monate monaten",
        "year": "year years jahr jahre jahren",
        "percent": "% percent prozent",
        "euro": "€ eur euro euros",
        "dollar": "$ usd dollar dollars",
        "gb": "gb gigabyte gigabytes gib", "mb": "mb megabyte megabytes mib", "tb": "tb terabyte terabytes",
        "kg": "kg kilogram kilograms kilogramm", "mg": "mg milligram milligrams milligramm", "g": "gram grams gramm",
        "ml": "ml millilitre milliliter", "km": "km kilometre kilometer kilometres kilometers",
        "m": "metre metres meter",
    }.items()
    for name in names.split()
}  # fmt: skip
_UNIT_SIGN = re.compile(r"\s*([%€$]|(?:(?:working|calendar|business)\s+)?[^\W\d_]+)")
_BEFORE = re.compile(r"([€$]|\beur|\busd)\s*$", re.I)
_MONTHS = listed(
    "january february march april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday januar februar märz mai juni juli oktober dezember montag dienstag mittwoch "
    "donnerstag freitag samstag sonntag jan feb mar apr jun jul aug sep oct nov dec"
)
_COMMON = COMMON | listed(
    "a an of to in on at by or as is be it its if so no he she we you i they me my us our i'm it's don't doesn't "
    "here also only must may might shall there about after before under over per via within without during up out "
    "more most such other same very just yes please according based says said states stated mentions following "
    "document "
    "documents passage passages text source sources section page above below one ones been being both between because "
    "however therefore additionally furthermore moreover note overall finally first second use using used "
    "es er sie wir ihr ich du sich zu zur zum im in an am als so wenn dann noch nur sehr mehr kann können muss müssen "
    "soll sollen darf dürfen laut gemäß hier dort dies diese dieser dieses diesem diesen beim vom durch über unter "
    "nach "
    "vor seit bis ob kein keine keinen was wo wohl man ja nein dokument dokumente dokumenten abschnitt seite quelle "
    "dabei dazu daher jedoch außerdem zudem hat haben hatte habe sein seine ihre ihren seiner deren dessen alle"
)
_GERMAN = listed(
    "der die das den dem des ein eine einen einem einer und oder ist sind war wird werden nicht mit für auf von im am "
    "zu zum zur sich bei nach auch es sie wir kann muss beträgt laut gemäß innerhalb wie wer welche welcher welches"
)
_ENGLISH = listed(
    "the a an and or is are was were be of to in for on with by from that this not it must may can will has have what "
    "who which how when where does do"
)
_TITLED = listed("herr herrn frau dr. prof. firma mr mr. mrs mrs. ms ms. doctor")
_STEM = 5  # letters that tell a word from another, whatever its ending
_SHORT = 3  # digits of a number that may stand anywhere by chance
_WORDISH = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a sentence states.

    numbers  each with its unit ("" if none is known): 30 days is ("30", "day")
    names    of people, places, products, files and codes, in small letters
    words    the rest that says something, in small letters
    """

    numbers: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def claims(self) -> bool:
        """Whether it states anything."""
        return bool(self.numbers or self.names or self.words)


def facts(sentence: str, *, known: str = "") -> Facts:
    """What a sentence states. `known`: the text of all that was shown and asked, in small letters, that tells a name
    at a sentence's beginning from a word.
    """
    text = _in_figures(_ENUMERATED.sub(" ", sentence))
    german, words = is_german(text), tokens(text)
    names: list[str] = []
    plain: list[str] = []
    for at, token in enumerate(words):
        if pathlike(token) or _CODE.fullmatch(token.raw):
            names.append(token.word)
            text = text.replace(token.raw, " ", 1)
        elif not _WORDISH.search(token.raw) or token.word in _UNITS:
            continue
        elif _is_name(words, at, german, known):
            names.append(_bare(token.word))
        elif (bare := _bare(token.word)) not in _COMMON and token.word not in _MONTHS and len(bare) > 1:
            plain.append(bare)
    numbers = tuple(dict.fromkeys((match.group(), _unit(text, match)) for match in NUMBER.finditer(text)))
    return Facts(numbers, tuple(dict.fromkeys(names)), tuple(dict.fromkeys(plain)))


def telling(word: str) -> bool:
    """Whether a word says what something is: no article, no unit, no month."""
    small = word.casefold()
    return small not in _COMMON and small not in _UNITS and small not in _MONTHS


def is_unit(word: str) -> bool:
    """Whether a word is a unit, such as days or kg."""
    return word.casefold() in _UNITS


def _in_figures(text: str) -> str:
    """The text with dates and small numbers in figures: three days are 3 days."""
    text, last, out = in_iso(unicodedata.normalize("NFC", text)), 0, []
    for start, end, number in in_words(text):
        if number > 1:
            out += [text[last:start], str(number)]
            last = end
    return "".join((*out, text[last:]))


def is_german(text: str) -> bool:
    """Whether a text is rather German than English, by its commonest words."""
    words = re.findall(r"[^\W\d_]+", text.casefold())
    return sum(word in _GERMAN for word in words) > sum(word in _ENGLISH for word in words)


def _is_name(words: Sequence[Token], at: int, german: bool, known: str) -> bool:
    """Whether a capital letter makes a name: in German a noun has one too, and so has a sentence's first word."""
    token = words[at]
    raw = token.raw
    if not raw[:1].isupper() or token.word in _MONTHS or _bare(token.word) in _COMMON:
        return False
    if raw[1:].lower() != raw[1:] and len(raw) > 1:  # SQL, GmbH, McKay
        return True
    before = words[at - 1] if at else None
    titled = before is not None and before.word.rstrip(".") in {title.rstrip(".") for title in _TITLED}
    if german:
        beside = before is not None and not before.breaks and before.raw[:1].isupper() and before.word not in _COMMON
        return titled or (beside and at > 1)
    if before is None or before.label:
        return _bare(token.word)[:_STEM] not in known
    return True


def _bare(word: str) -> str:
    return word.removesuffix("'s").removesuffix("’s").strip("'’")


def _unit(text: str, match: re.Match[str]) -> str:
    """The unit that stands beside a number, by one name for all its spellings; "" for none that is known."""
    behind = _UNIT_SIGN.match(text, match.end())
    if behind:
        word = behind[1].casefold().split()[-1]
        if word in _UNITS:
            return _UNITS[word]
    before = _BEFORE.search(text[max(0, match.start() - 5) : match.start()])
    return _UNITS[before[1].casefold()] if before else ""


@dataclass(slots=True)
class Hay:
    """A text that claims are held against, taken apart once."""

    text: str
    small: str = field(init=False)
    _figures: Figures = field(init=False)
    _stems: frozenset[str] = field(init=False)
    _units: dict[Decimal, set[str]] = field(init=False)

    def __post_init__(self) -> None:
        text = _in_figures(self.text)
        self.small = f"{unicodedata.normalize('NFC', self.text)}\n{text}".casefold()
        self._figures = Figures(text, ())
        self._stems = frozenset(
            part[:_STEM] for word in set(re.findall(r"[^\W_]+", self.small)) for part in _ways(word)
        )
        self._units = {}
        for match in NUMBER.finditer(text):
            for value in values(match.group()):
                self._units.setdefault(value, set()).add(_unit(text, match))

    def has_number(self, number: str, unit: str) -> bool:
        """Whether a number stands there, and not of something else: 30 hours are not 30 days."""
        if not self._figures.knows(number):
            return False
        seen = set().union(*(self._units.get(value, ()) for value in meant(number)))
        if not seen:  # rounded, or a part of a date, which only a year is by itself
            return not unit and (not number.isdecimal() or len(number) > _SHORT)
        return not unit or unit in seen or "" in seen

    def has_figure(self, number: str) -> bool:
        """Whether a number stands there, whatever of."""
        return self._figures.knows(number)

    def has_name(self, name: str) -> bool:
        """Whether a name stands there, in whatever case; of one with hyphens each part will do."""
        if name in self.small:
            return True
        parts = [part for part in re.split(r"[-_./@]+", name) if part]
        return len(parts) > 1 and not any(map(str.isdigit, name)) and all(part in self.small for part in parts)

    def has_word(self, word: str) -> bool:
        """Whether a word stands there, with whatever ending, or as a part of a longer one."""
        return any(part[:_STEM] in self._stems for part in _ways(word)) or (len(word) >= _STEM and word in self.small)

    def missing(self, stated: Facts) -> Iterator[str]:
        """The numbers and names of a sentence that do not stand there."""
        yield from (number for number, unit in stated.numbers if not self.has_number(number, unit))
        yield from (name for name in stated.names if not self.has_name(name))

    def share(self, stated: Facts) -> float:
        """How many of a sentence's other words stand there: 0 to 1; 1 where there are none."""
        found = sum(map(self.has_word, stated.words))
        return found / len(stated.words) if stated.words else 1.0


def _ways(word: str) -> Iterator[str]:
    yield word
    if len(word) <= _STEM + 1:
        for ending in ("s", "es", "ed", "ing", "e", "en", "n", "er"):
            if word.endswith(ending) and len(word) - len(ending) >= 3:
                yield word.removesuffix(ending)
