"""Words of a text for ranking: split, stemmed, common ones dropped.

The stemmer is Porter's, "An algorithm for suffix stripping" (Program 14:3, 1980), as tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_COMMON = """
    a about after all also am an and any are as at be been before being but by can could did do does doing for from
    had has have having how i if in into is it its just me more most my no not of on or our please should so some
    such tell than that the their them then there these they this those to us was we were what when where which who
    whom whose why will with would you your give show find file files according say says happen happens
"""
STOP = frozenset(_COMMON.split())
MAX_WORD = 64  # longer ones are data, not words

_TOKEN = re.compile(r"[^\W_]+(?:[._:@/+-]+[^\W_]+)*(?:_+[^\W_]+(?:[._:@/+-]+[^\W_]+)*)*", re.UNICODE)
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+", re.UNICODE)

_STEP2 = (
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("abli", "able"),
    ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"),
    ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"),
    ("iviti", "ive"), ("biliti", "ble"),
)  # fmt: skip
_STEP3 = (("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""))
_STEP4 = (
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "sion", "tion", "ou", "ism",
    "ate", "iti", "ous", "ive", "ize",
)  # fmt: skip
_VOWEL = re.compile(r"[aeiou]|(?<=[^aeiou])y")
_MEASURE = re.compile(r"(?:[aeiou]|(?<=[^aeiou])y)+(?:[^aeiouy]|(?<![^aeiou])y)+")
_SHORT = re.compile(r"[^aeiou][aeiouy][^aeiouwxy]$")
_DOUBLE = re.compile(r"([^aeioulsz])\1$")


def _m(stem: str) -> int:
    """Porter's measure: how many vowel-consonant sequences."""
    return len(_MEASURE.findall(stem))


def _swap(word: str, table: tuple[tuple[str, str], ...]) -> str:
    for suffix, put in table:
        if word.endswith(suffix):
            stem = word[: -len(suffix)]
            return stem + put if _m(stem) > 0 else word
    return word


def _step1(word: str) -> str:
    """Plurals, -ed and -ing, a final y."""
    if word.endswith(("sses", "ies")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if word.endswith("eed"):
        word = word[:-1] if _m(word[:-3]) > 0 else word
    else:
        for suffix in ("ed", "ing"):
            stem = word[: -len(suffix)]
            if word.endswith(suffix) and _VOWEL.search(stem):
                word = stem
                if word.endswith(("at", "bl", "iz")) or (_m(word) == 1 and _SHORT.search(word)):
                    word += "e"
                elif _DOUBLE.search(word):
                    word = word[:-1]
                break
    return word[:-1] + "i" if word.endswith("y") and _VOWEL.search(word[:-1]) else word


def _step4(word: str) -> str:
    for suffix in sorted(_STEP4, key=len, reverse=True):
        if word.endswith(suffix):
            cut = 3 if suffix in ("sion", "tion") else len(suffix)
            return word[:-cut] if _m(word[:-cut]) > 1 else word
    return word


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The stem of a lower-case English word; other words and short ones stay as they are."""
    if len(word) <= 2 or not (word.isascii() and word.isalpha()):
        return word
    word = _step4(_swap(_swap(_step1(word), _STEP2), _STEP3))
    if word.endswith("e") and (_m(word[:-1]) > 1 or (_m(word[:-1]) == 1 and not _SHORT.search(word[:-1]))):
        word = word[:-1]
    return word[:-1] if word.endswith("ll") and _m(word) > 1 else word


@lru_cache(maxsize=65_536)
def _forms(token: str) -> tuple[str, ...]:
    """A token as it stands in the index: itself, and its parts if it is an identifier (`diskFull`, `web-01`)."""
    whole = token.lower()
    parts = _PART.findall(token)
    if len(parts) < 2:
        return () if whole in STOP else (stem(whole),)
    stems = [stem(part.lower()) for part in parts if part.lower() not in STOP]
    return (whole, *dict.fromkeys(stems))


def words(text: str) -> Iterator[str]:
    """Index terms of a text, in order."""
    for token in _TOKEN.findall(text):
        if len(token) <= MAX_WORD:
            yield from _forms(token)
