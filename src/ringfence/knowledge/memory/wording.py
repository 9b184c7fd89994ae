"""When two texts say the same, and when one contradicts the other: by rules, so that it is the same every time.

What may not be told apart by rule is kept beside each other: two items too many cost a line, one too few costs a fact.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

ALIKE: Final = 0.9  # cosine from which two texts of the same words, in another order, say the same
MIN_SLOT: Final = 2  # words of what has a value: "it is red" says nothing of what is red
_MAX_SLOT, _MAX_VALUE = 80, 200  # characters


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_TOKEN = re.compile(r"[^\W_]+(?:[-'’.@/:][^\W_]+)*")
_COMMON = _listed(
    "a an the of to in on at for from with by as it its this that these those and or is are was were be been has have"
    " had do does did will would can could should may might there here so then now currently please always remember"
    " der die das den dem des ein eine einen einem einer und oder ist sind war waren hat haben wird werden im in am an"
    " auf für von mit bei aus zu zum zur jetzt bitte immer"
)

_FILLERS = _listed("a an the please der die das den dem des bitte")
_NOT = _listed(
    "not no never none nobody nothing without cannot can't don't doesn't didn't isn't aren't wasn't won't stopped"
    " nicht kein keine keinen keinem keiner nie niemals ohne"
)

_ME = {"my": "user", "i": "user", "me": "user", "mine": "user", "user's": "user", "mein": "user", "meine": "user",
       "meinen": "user", "meinem": "user", "ich": "user", "our": "our", "unser": "our", "unsere": "our"}  # fmt: skip
_IS = re.compile(
    r"^(?P<what>.+?)\s*(?P<how>:\s|=|\s(?:is|are|was|has been|have been|equals|lautet|ist|sind|heißt)\s)\s*"
    r"(?:now\s|currently\s|set to\s|changed to\s|called\s|jetzt\s)?(?P<value>.+)$",
    re.I,
)
_OWNED = re.compile(r"\b(?:my|our|mein|meine|unser|unsere)\b|['’]s\b", re.I)
_AT = re.compile(r"(?:in|on|at|under|near|behind|from|by|with|for|to|im|am|auf|bei|unter|hinter|aus|zu)\b", re.I)
_OF = re.compile(r"^(?:the|der|die|das)\s+(?P<what>[^,]+?)\s+(?:of|for|von|für)\s+(?P<whose>.+)$", re.I)
_FOR = r"(?:\s+for\s+(?:me|us|later|everyone|everybody|all|my\s+team|the\s+\w+\s+team|(?:role|team):\S+))?"
_LEAD = re.compile(  # no more than this: "never do what deletes backups" does not end in an order to delete them
    rf"^(?:please\s+)?(?:remember|note|keep in mind|save|don['’]?t forget|merke? dir|merke?)\b{_FOR}"
    r"(?:\s+that\b|,?\s+dass\b|(?:\s+this)?\s*:)?[\s,]*",
    re.I,
)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
_ENDS = " \t\"'`.,;:!?"


def normal(text: str) -> str:
    """A text as it is compared: its words in small letters."""
    return " ".join(_TOKEN.findall(text.casefold()))


def same(one: str, other: str, *, similarity: float) -> bool:
    """Whether two texts say the same: the same words in their order, or in another one that means the same.

    Vectors alone do not tell: "on Friday afternoon" and "on Friday evening" are as near as can be, and so are "enable"
    and "disable". So every word has to be there, names in their order: "Ann manages Bob" is not "Bob manages Ann".
    """
    first, second = _said(one), _said(other)
    if first == second:
        return True
    return similarity >= ALIKE and Counter(first) == Counter(second) and _names(one) == _names(other)


def _said(text: str) -> list[str]:
    """The words of a text but for articles, whoever speaks."""
    small = (token.casefold().replace("’", "'") for token in _TOKEN.findall(text))
    return [_ME.get(token, token.removesuffix("'s")) for token in small if token not in _FILLERS]


def _names(text: str) -> list[str]:
    """What may stand for somebody or something, in order: words in capitals or with figures."""
    return [
        token.casefold().removesuffix("'s")
        for token in _TOKEN.findall(text.replace("’", "'"))
        if token.casefold() not in _ME.keys() | _COMMON
        and (token[:1].isupper() or any(char.isdigit() for char in token))
    ]


def slot(text: str) -> str:
    """What a text gives the value of: "The manager of Alice is Bob" is of "alice manager"; "" where it gives none.

    A single statement alone has one: `X's Y is Z`, `the Y of X is Z`, `Y: Z`, `Y = Z`, and `Y is Z` with figures.
    "The printer is broken" is no value of the printer: tomorrow it is on the second floor, and both may be so.
    """
    bare = _LEAD.sub("", text.strip()).strip(_ENDS)
    found = _IS.match(bare)
    if found is None or len(_SENTENCE.split(bare)) > 1 or len(found["value"]) > _MAX_VALUE:
        return ""
    what, how = found["what"].strip(_ENDS), found["how"].strip()
    if len(what) > _MAX_SLOT or "?" in what:
        return ""
    owned = _OF.match(what)
    words = _words(f"{owned['whose']} {owned['what']}" if owned else what)
    if len(words) < MIN_SLOT or _NOT.intersection(_words(bare)):
        return ""
    figures = any(char.isdigit() for char in found["value"])
    names_it = how in (":", "=") or owned is not None or _OWNED.search(what) is not None
    if not (figures or names_it):
        return ""
    place = " at" if _AT.match(found["value"]) else ""  # where it is, and what it is, are two things
    return " ".join(words) + place


def _words(text: str) -> list[str]:
    """The words that matter, whoever speaks: "my manager" and "the user's manager" are one."""
    small = (token.casefold().replace("’", "'") for token in _TOKEN.findall(text))
    said = (_ME.get(token, token.removesuffix("'s")) for token in small)
    return [token for token in said if token not in _COMMON]


def shared(question: str, text: str) -> bool:
    """Whether a text shares a word that matters with a question, in whatever form of it."""
    return not _stems(question).isdisjoint(_stems(text))


def told(text: str, said: str) -> bool:
    """Whether most of the words that matter in a text were said: a small model remembers what nobody ever told it."""
    wanted = _stems(text)
    return len(wanted & _stems(said)) * 5 >= len(wanted) * 3


def _stems(text: str) -> set[str]:
    return {word[:5] for word in _words(text) if len(word) > 2 and word != "user"}


def whole_statement(text: str, said: str) -> bool:
    """Whether a text is a whole statement of what somebody said, and not words taken out of one.

    "Delete the backups" is no statement of "never delete the backups": whoever picks words may turn their meaning.
    """
    wanted = normal(text)
    for sentence in _SENTENCE.split(said):
        if wanted and wanted in (normal(sentence), normal(_LEAD.sub("", sentence.strip()))):
            return True
    return False
