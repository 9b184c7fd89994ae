"""What a question calls by its identifier: patient 4711, contract C-12, alarm E201, the 2nd of March as 2026-03-02.

To a model of meanings one number is like another, so it finds what is said of any patient; words alone know the right
one, and are outvoted where two rankings are fused. Whoever names an identifier means it: what holds it comes first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .ports import Hit

MOST = 8  # identifiers of one question that are looked at
DEEPER = 4  # times as many hits are looked through for them as were asked for
_WORD = re.compile(r"[^\W_]+(?:[-_./:][^\W_]+)*")
_FIGURE = re.compile(r"\d{1,3}|\d+[.,/]\d+|\d{1,3}(?:[.,]\d{3})+")  # an amount, and nobody's name


def identifiers(question: str) -> tuple[str, ...]:
    """Words with a digit that are no plain figure, in small letters: `4711`, `c-12`, `k2`, `2026-03-02`."""
    words = (word.casefold() for word in _WORD.findall(question))
    named = (word for word in words if any(map(str.isdecimal, word)) and not _FIGURE.fullmatch(word))
    return tuple(dict.fromkeys(named))[:MOST]


def named_first(hits: Sequence[Hit], wanted: Sequence[str]) -> list[Hit]:
    """The hits that hold most of the identifiers first, in text, title, headings or path; else as they were."""
    patterns = [re.compile(rf"(?<![^\W_]){re.escape(one)}(?![^\W_])") for one in wanted]

    def held(hit: Hit) -> int:
        about = (hit.document.path, hit.document.title, *hit.chunk.headings, hit.text)
        text = "\n".join(about).casefold()
        return sum(pattern.search(text) is not None for pattern in patterns)

    return sorted(hits, key=held, reverse=True)
