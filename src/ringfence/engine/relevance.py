"""Which of the granted tools a task is shown. Pure: by the words of the task, the same each time."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from ringfence.core.policy import SinkSpec

_WORD = re.compile(r"[^\W\d_]{3,}")
COMMON = frozenset(  # what every sentence has tells no tool from another
    re.findall(
        r"\w+",
        "the and for are was were what which who whom whose when where why that this these those with from into have"
        " has had does did can could will would should you your its his her their there then than not but all any each"
        " der die das den dem des ein eine einen und oder ist sind war waren wird wie wer wann von mit für auf aus bei"
        " nicht auch werden bitte",
    )
)
_STEM = 5  # letters by which words are the same
_SUITED, _OPENS, _ACTS = 8.0, 2.0, 3.0  # what counts beside shared words


def relevant(task: str, tools: Sequence[SinkSpec], *, at_most: int, acts: bool) -> list[SinkSpec]:
    """The tools that suit a task best, in the order that they came in, so that the prompt's beginning stays the same.

    A word counts the more, the fewer tools know it (inverse document frequency). Tools that open a run are called by
    the runtime whatever is shown, and are always among them; `acts`: the task asks for an effect, so those come first.
    """
    opening = [spec for spec in tools if spec.opens is not None]
    others = [spec for spec in tools if spec.opens is None]
    if len(tools) <= at_most:
        return list(tools)
    texts = {spec.name: set(words(f"{spec.name} {spec.summary} {_arguments(spec)}")) for spec in others}
    known = Counter(word for text in texts.values() for word in text)
    asked = set(words(task))

    def score(spec: SinkSpec) -> float:
        shared = sum(math.log(1 + len(others) / known[word]) for word in asked & texts[spec.name])
        suited = bool(spec.suits) and re.search(spec.suits, task, re.I) is not None
        return shared + _SUITED * suited + _ACTS * (acts and not spec.reads)

    room = max(1, at_most - len(opening))
    best = sorted(others, key=lambda spec: (-score(spec), spec.name))[:room]
    return [spec for spec in tools if spec in best or spec.opens is not None]


def _arguments(spec: SinkSpec) -> str:
    return " ".join((spec.schema or {}).get("properties", {}))


def beginnings(text: str) -> set[str]:
    """The words of content by their first letters, however many there are of a thing: child and children are one."""
    return {word[:_STEM] for word in words(text)}


def words(text: str) -> list[str]:
    """Words of content, without their commonest ending: files and file are one."""
    return [word.casefold().removesuffix("s") for word in _WORD.findall(text) if word.casefold() not in COMMON]
