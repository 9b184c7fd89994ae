"""What a question calls by its name: patient 4711, contract C-12, alarm E201, the contract on translation.

To a model of meanings one number is like another, and a clause of one contract like that of the next; words alone know
the right one, and are outvoted where two rankings are fused. Whoever names a thing means it: what holds the identifier
comes first, then what is called so by a title that tells its document from the others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from .ports import Hit

MOST = 8  # identifiers of one question that are looked at
DEEP = 60  # hits that are looked through for names
_LETTERS = re.compile(r"[^\W\d_]{4,}")
_STEM = 6  # letters of a word that tell: discharge, discharged
_COMMON = frozenset(  # what is in titles and calls nothing
    re.findall(
        r"\w+",
        "about after also anybody anyone before been being between could does each every everybody everyone from give"
        " have here home into long make many more most much must need nobody only other over people person same should"
        " some somebody someone something such take tell than that their them then there these they thing things this"
        " those time under until what when where which while whom whose will with within work would your"
        " aber alle auch beim dass dein deren dies diese dieser dieses doch eine einem einen einer eines haben hier"
        " ihre ihrer jede jemand kann kein keine mehr nach nicht niemand noch oder sehr sein seine sich sind soll unter"
        " viel viele vom wann warum wegen weil welche welcher welches wenn werden wird wurde über",
    )
)
_WORD = re.compile(r"[^\W_]+(?:[-_./:][^\W_]+)*")
_FIGURE = re.compile(r"\d{1,3}|\d+[.,/]\d+|\d{1,3}(?:[.,]\d{3})+")  # an amount, and nobody's name


def identifiers(question: str) -> tuple[str, ...]:
    """Words with a digit that are no plain figure, in small letters: `4711`, `c-12`, `k2`, `2026-03-02`."""
    words = (word.casefold() for word in _WORD.findall(question))
    named = (word for word in words if any(map(str.isdecimal, word)) and not _FIGURE.fullmatch(word))
    return tuple(dict.fromkeys(named))[:MOST]


def named_first(hits: Sequence[Hit], question: str) -> list[Hit]:
    """The hits that hold most of the question's identifiers first, and of those the ones whose title it calls them by.

    An identifier may stand in text, title, headings or path. Of a title those words count that less than half of the
    documents have in theirs, half of these have to be asked for, and no two documents may talk about them: "per night"
    does not call the night shift. What is named alike stays as it was.
    """
    patterns = [re.compile(rf"(?<![^\W_]){re.escape(one)}(?![^\W_])") for one in identifiers(question)]

    def held(hit: Hit) -> int:
        about = (hit.document.path, hit.document.title, *hit.chunk.headings, hit.text)
        text = "\n".join(about).casefold()
        return sum(pattern.search(text) is not None for pattern in patterns)

    holding = [held(hit) for hit in hits]
    best = [hit for hit, count in zip(hits, holding, strict=True) if count == max(holding, default=0)]
    titles: dict[tuple[str, str], frozenset[str]] = {}
    texts: dict[tuple[str, str], frozenset[str]] = {}
    for hit in best:  # a document without a title of its own is called by its first heading
        own = hit.document.title.removesuffix(PurePosixPath(hit.document.path).suffix)
        title = _stems(" ".join((own, *hit.chunk.headings[:1])))
        titles[_document(hit)] = titles.get(_document(hit), frozenset()) | title
        texts[_document(hit)] = texts.get(_document(hit), frozenset()) | _stems(hit.text)
    many = len(titles)
    asked, often = _stems(question), Counter(word for title in titles.values() for word in title)
    titles = {name: frozenset(word for word in title if 2 * often[word] < many) for name, title in titles.items()}
    said = Counter(word for text in texts.values() for word in text)  # what others talk about calls no title
    asked = frozenset(word for word in asked if said[word] <= 1)
    called = [_called(asked, titles.get(_document(hit), frozenset())) for hit in hits]
    order = sorted(range(len(hits)), key=lambda n: (-holding[n], -called[n]))
    return [hits[n] for n in order]


def _called(asked: frozenset[str], title: frozenset[str]) -> int:
    """How many words of a title are in the question, if they are half of it or more: one of many calls nothing."""
    both = len(asked & title)
    return both if 2 * both >= len(title) else 0


def _document(hit: Hit) -> tuple[str, str]:
    return hit.document.collection, hit.document.path


def _stems(text: str) -> frozenset[str]:
    words = (word.casefold() for word in _LETTERS.findall(text))
    return frozenset(word[:_STEM] for word in words if word not in _COMMON)
