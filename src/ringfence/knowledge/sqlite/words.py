"""Words of a text as numbers: what is looked up when words are searched. Nothing in a text is syntax.

SQLite's own tokenizer (unicode61 without diacritics, Porter's stemmer for English) splits a text; its tables are those
of Unicode 6.1 whatever Python runs, so an index written by one version is read alike by another. Beside its parts, a
word with marks inside (`ERR-4711`, `web-02`, `10.0.0.7`) counts once as a whole, and writing without spaces counts by
pairs of signs. A word is kept as 39 bits of its SHA-256: two words of a million that share a number are expected half
a time, and then a rare word finds another one's chunks too.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

BITS = 39
MAX_TERMS = 64  # different words of a question that are looked up; of more, those that are no stop words come first
_MARKED = re.compile(r"[^\W_]+(?:[-_./:@+][^\W_]+)+")
_AROUND = ".,;:!?()[]{}<>\"'`*"  # what most often stands beside a word: only saves time
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_ENGLISH = """
a an and are as at be but by can do does for from had has have how i if in into is it its me my no not of on or our so
such than that the their them then there these they this to was we were what when where which who why will with you your
"""
_GERMAN = """
aber als am an auch auf aus bei das dass dem den der des die ein eine einem einen einer es für hat ich im in ist kann
man mein mit nicht oder sich sie sind und uns von war was wenn wer wie wir wo zu zum zur
"""
_STOP = frozenset((_ENGLISH + _GERMAN).split())


@lru_cache(maxsize=200_000)
def _numbers(token: str) -> tuple[int, ...]:
    """The numbers of one token of the tokenizer: of itself, or of its pairs of signs."""
    if _UNSPACED.search(token) is None or len(token) < 3:
        return (_number(token),)
    return tuple(_number(token[at : at + 2]) for at in range(len(token) - 1))


@lru_cache(maxsize=50_000)
def _number(word: str) -> int:
    digest = hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - BITS)


Counted = tuple[NDArray[np.int64], NDArray[np.uint8], int]  # words, how often each, how many in all


class Words:
    """Splits texts, on one connection's tokenizer."""

    def __init__(self, db: apsw.Connection) -> None:
        self._stems = db.fts5_tokenizer("porter", ["unicode61", "remove_diacritics", "2"])
        self._plain = db.fts5_tokenizer("unicode61", ["remove_diacritics", "2"])

    def count(self, text: str) -> Counted:
        """The different words of a text in rising order, how often each occurs (255: so often or more), and in all."""
        found: dict[int, int] = {}
        for token, often in Counter(self._split(self._stems, text, apsw.FTS5_TOKENIZE_DOCUMENT)).items():
            for number in _numbers(token):
                found[number] = found.get(number, 0) + often
        for word, often in Counter(_marked(text)).items():
            number = _number(word)
            found[number] = found.get(number, 0) + often
        terms = np.fromiter(found, np.int64, len(found))
        times = np.minimum(np.fromiter(found.values(), np.int64, len(found)), 255).astype(np.uint8)
        order = np.argsort(terms)
        return terms[order], times[order], sum(found.values())

    def asked(self, text: str) -> list[int]:
        """The different words of a question in rising order, `MAX_TERMS` at most."""
        plain = self._split(self._plain, text, apsw.FTS5_TOKENIZE_QUERY)
        stems = self._split(self._stems, text, apsw.FTS5_TOKENIZE_QUERY)
        marked = dict.fromkeys(_number(word) for word in _marked(text))
        telling: dict[int, None] = dict.fromkeys(list(marked)[: MAX_TERMS // 4])
        common: dict[int, None] = {}
        for word, stem in zip(plain, stems, strict=True):
            into = common if word in _STOP else telling
            into.update(dict.fromkeys(_numbers(stem)))
        return sorted(list(telling or common)[:MAX_TERMS])

    @staticmethod
    def _split(tokenizer: apsw.FTS5Tokenizer, text: str, reason: int) -> list[str]:
        data = text.encode("utf-8", "replace")
        found: Any = tokenizer(data, reason, None, include_offsets=False, include_colocated=False)
        return list(found)


def _marked(text: str) -> Iterator[str]:
    """The words of a text that have marks inside, as a whole, in small letters."""
    for part in text.casefold().split():
        if not part.strip(_AROUND).isalnum():
            yield from _MARKED.findall(part)
