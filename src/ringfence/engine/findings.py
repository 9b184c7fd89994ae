"""What was found in the parts of a long text: held against the parts, put in order, and counted. By rule, no model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.core.values import JSON
from ringfence.dialects import loads

from .chunks import Chunk

MAX_FOUND = 60  # passages of one result
MAX_NAMED = 8  # passages that a model names of one part
_MAX_QUOTE = 300
_WORDS = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that stands in the text, characters `start` to `end`; `value`: the answer in it, if it stands there."""

    start: int
    end: int
    text: str
    value: str = ""


def parsed(said: str, chunk: Chunk) -> tuple[list[Found], bool]:
    """The passages that a model has named and that stand in its part, word for word but for white space; and whether it
    named as many as it may, so that there may be more.

    Others are dropped. Raises ValueError for what is no list of passages.
    """
    try:
        listed = loads(said)["found"]
        named = [(item["quote"], item.get("value", "")) for item in listed]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a list of passages: {said[:80]!r}") from error
    found = []
    for quote, value in named:
        if isinstance(quote, str) and (span := _span(quote[:_MAX_QUOTE], chunk.text)):
            text = chunk.text[span[0] : span[1]]
            stands = isinstance(value, str) and bool(value.strip()) and value in chunk.text and value != text
            found.append(Found(chunk.start + span[0], chunk.start + span[1], text, value if stands else ""))
    return found, len(named) >= MAX_NAMED


def reduced(found: Sequence[Found], handle: str) -> dict[str, JSON]:
    """The passages in the order of the text, each once; `times` where one stands in several places.

    A passage within another that was found as well is left out. What is beyond `MAX_FOUND` is counted as `more`.
    """
    kept: list[Found] = []
    for one in sorted(set(found), key=lambda f: (f.start, -f.end)):
        if kept and one.end <= kept[-1].end:
            if one.value and not kept[-1].value:
                kept[-1] = Found(kept[-1].start, kept[-1].end, kept[-1].text, one.value)
            continue
        kept.append(one)
    first: dict[str, dict[str, JSON]] = {}
    for one in kept:
        key = " ".join(one.text.split()).casefold()
        if known := first.get(key):
            known["times"] = known.get("times", 1) + 1
            continue
        first[key] = {"text": one.text, "from": f"{handle}:{one.start}-{one.end}"}
        if one.value:
            first[key]["value"] = one.value
    shown = list(first.values())
    more = {"more": len(shown) - MAX_FOUND} if len(shown) > MAX_FOUND else {}
    return {"found": shown[:MAX_FOUND], **more}


def _span(quote: str, text: str) -> tuple[int, int] | None:
    """Where the words of a quote stand in a text, with any white space between them."""
    words = _WORDS.findall(quote)
    if not words or sum(map(len, words)) < 2:
        return None
    if (at := text.find(quote.strip())) >= 0:
        return at, at + len(quote.strip())
    match = re.search(r"\s+".join(map(re.escape, words)), text)
    return match.span() if match else None
