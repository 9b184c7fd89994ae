"""Whether what an answer rests on is about what was asked: K1's hours are not K2's. By rule, without a model.

A small model that is asked for K2 and shown K1 tells K1's. A thing is called by a code (K2, R-9), by a day, or by a
word and a figure (test stand 3); what a text says belongs to the one of that kind that it named last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .evidence import in_iso
from .facts import is_unit, telling
from .grounding import Source
from .passages import Passage
from .spoken import in_words
from .words import units

_NAME = re.compile(
    r"(?<![\w.,-])(?:(?P<day>\d{4}-\d{2}-\d{2})(?![\w-])"
    r"|(?P<letters>[^\W\d_]{1,20})-?(?P<digits>\d{1,9})(?![\w%]|[.,:-]\w)"
    r"|(?P<noun>[^\W\d_]{3,})(?:[^\w\n]{1,3}(?:(?:no|nr)\.?|number)?[^\w\n]{0,2})(?P<figure>\d{1,9})(?![\w/%]|[.,:]\w))"
    r"(?:[ \t]*(?P<behind>[^\W\d_]+|[%€$]))?",
    re.I,
)
_RANGE = re.compile(r"(?:since|from|until|till|before|after|by|ab|seit|bis|vor|nach|of)\W*\Z", re.I)  # before a day
_ASKED = 1000  # characters of a task, from which on it holds a text and not the question alone
_MORE = re.compile(
    r"\s*(?:(?P<to>to|bis|-|–)|,?\s*(?:and|or|und|oder|sowie)\b|[,&/])\s*(?P<figure>\d{1,9})(?![\w%]|[.,:-]\w)"
)
_MORE_CHARS, _LONGEST = 200, 1_000  # of a list of figures; of `1 to 1000`
_STEM = 6
_YEAR = re.compile(r"(?:19|20)\d\d")
_BEHIND = re.compile(r"\b([^\W\d_]{3,})(?=[ -](?:([IVX]{1,6})|([^\W\d_]{3,}))\b)")  # chapter IV, ward three
_AHEAD = re.compile(r"\b(?:(\d{1,3})(?:st|nd|rd|th|\.)|([^\W\d_]{4,}))(?=[ -]([^\W\d_]{3,}))")  # 3rd ward, first class
_ORDINALS = {
    start: number
    for number, starts in {
        1: "first erste", 2: "second zweite", 3: "third dritte", 4: "fourth vierte", 5: "fifth fünfte",
        6: "sixth sechste", 7: "seventh siebte", 8: "eighth achte", 9: "ninth neunte", 10: "tenth zehnte",
        11: "eleventh elfte", 12: "twelfth zwölfte",
    }.items()
    for start in starts.split()
}  # fmt: skip
_ROMAN = {"I": 1, "V": 5, "X": 10}


@dataclass(frozen=True, slots=True)
class Name:
    """What calls a thing: `kind` is what all of its kind share (k, day, stand), `own` what tells it from them."""

    kind: str
    own: str
    said: str


def names(text: str) -> Iterator[tuple[int, Name]]:
    """The names of a text, and where each begins; a figure with a unit behind it is an amount, and calls nothing."""
    for match in _NAME.finditer(text):
        said = " ".join(match[0].removesuffix(match["behind"] or "").split())
        if match["day"]:
            yield match.start(), Name("day", match["day"], said)
        elif match["letters"]:
            yield match.start(), Name(_kind(match["letters"]), match["digits"].lstrip("0"), said)
        elif telling(match["noun"]) and not is_unit(match["behind"] or ""):
            for own in _listed(match["figure"], text[match.end("figure") :][:_MORE_CHARS]):
                if not _YEAR.fullmatch(own):  # of budget 2024, no more than in 2024
                    yield match.start(), Name(_kind(match["noun"]), own, said)


def _listed(first: str, behind: str) -> Iterator[str]:
    """The figures of `2, 3 and 5` and of `2 to 5`."""
    yield first.lstrip("0")
    last, at = int(first), 0
    while more := _MORE.match(behind, at):
        figure, at = int(more["figure"]), more.end()
        if more["to"] and last < figure <= last + _LONGEST:
            yield from map(str, range(last + 1, figure))
        yield str(figure)
        last = figure


def _kind(word: str) -> str:
    return word.casefold().removesuffix("s")[:_STEM]


def asked_for(task: str) -> list[Name]:
    """The names that a question calls things by."""
    return [] if len(task) > _ASKED else list(dict.fromkeys(name for _, name in names(in_iso(task))))


def never_named(task: str, text: str) -> str:
    """A thing that is asked for, where a text has others of its kind and not this one; else empty."""
    known = {(one.kind, one.own) for _, one in names(in_iso(text))}
    kinds = {kind for kind, _ in known} - {"day"}  # what holds from one day on holds on another
    known |= set(_in_words(text))
    gone = (name for name in asked_for(task) if name.kind in kinds and (name.kind, name.own) not in known)
    return next((name.said for name in gone), "")


def of_another(task: str, sources: Sequence[Source], passages: Mapping[int, Passage]) -> str:
    """A thing that is asked for, where all that an answer rests on belongs to others of its kind; else empty."""
    asked = asked_for(task)
    for kind in dict.fromkeys(name.kind for name in asked):
        own = {name.own for name in asked if name.kind == kind}
        if sources and all(source.n in passages and _strays(kind, own, source, passages) for source in sources):
            return next(name.said for name in asked if name.kind == kind)
    return ""


def _strays(kind: str, own: set[str], source: Source, passages: Mapping[int, Passage]) -> bool:
    """Whether what was quoted stands below another one of this kind, and the one asked for is not near."""
    passage = passages[source.n]
    start = source.at[0] - passage.start if source.at[1] else passage.text.find(source.quote)
    if not source.quote or not 0 <= start <= len(passage.text):
        return False
    head = _named(kind, "\n".join((passage.document, passage.title, passage.headings)))
    if own & set(head) or any(which == kind and figure in own for which, figure in _in_words(passage.text)):
        return False
    before = [(a, b) for a, b in units(passage.text[:start])]
    near = passage.text[before[-1][0] if before else start : start + len(source.quote)]
    text = passage.text[: start + len(source.quote)]
    found = [*head, *_named(kind, text)]
    return bool(found) and not own & set(_named(kind, near)) and found[-1] not in own


def _in_words(text: str) -> Iterator[tuple[str, str]]:
    """The kind and figure of what is called ward three, third ward, 3rd ward or chapter III."""
    for noun, roman, word in _BEHIND.findall(text):
        if number := _roman(roman) if roman else _count(word):
            yield _kind(noun), str(number)
    for figure, word, noun in _AHEAD.findall(text):
        if number := int(figure) if figure else _ordinal(word):
            yield _kind(noun), str(number)


def _count(word: str) -> int:
    return next((number for start, end, number in in_words(word) if (start, end) == (0, len(word))), 0)


def _ordinal(word: str) -> int:
    small = word.casefold()
    return _ORDINALS.get(small, 0) or _ORDINALS.get(small[:-1], 0)


def _roman(said: str) -> int:
    figures = [_ROMAN[sign] for sign in said]
    return sum(-one if one < max(figures[n:]) else one for n, one in enumerate(figures))


def _named(kind: str, text: str) -> list[str]:
    """What tells those of a kind apart, in the order of a text; a day from which something holds names no row."""
    text = in_iso(text)
    return [
        name.own
        for at, name in names(text)
        if name.kind == kind and not (kind == "day" and _RANGE.search(text[max(0, at - 12) : at]))
    ]
