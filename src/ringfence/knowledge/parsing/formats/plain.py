"""Text, logs and source code."""

from __future__ import annotations

import re

from ..draft import Draft, Reading
from . import front
from .encoding import decoded

PIECE_CHARS = 1_600  # of lines that are kept together
_EMPTY = re.compile(r"\n[ \t]*\n\s*")


def read(reading: Reading, draft: Draft, data: bytes, name: str) -> None:
    """Paragraphs, as empty lines part them."""
    text = front.taken(draft, _lines(decoded(draft, data)))
    paragraphs(draft, text)


def paragraphs(draft: Draft, text: str, page: int = 0) -> None:
    """A block for each."""
    for part in _EMPTY.split(text):
        draft.text(part, page)


def read_lines(reading: Reading, draft: Draft, data: bytes, name: str) -> None:
    """Lines, some at a time: none is torn."""
    held: list[str] = []
    size = 0
    for one in _lines(decoded(draft, data)).split("\n"):
        if held and size + len(one) > PIECE_CHARS:
            draft.text("\n".join(held))
            held, size = [], 0
        held.append(one)
        size += len(one) + 1
    draft.text("\n".join(held))


def read_code(reading: Reading, draft: Draft, data: bytes, name: str) -> None:
    """Source, parted before lines that begin at the margin after an empty one: between definitions, mostly."""
    held: list[str] = []
    size = 0
    after_gap = False
    for one in _lines(decoded(draft, data)).split("\n"):
        begins = after_gap and one[:1] not in ("", " ", "\t", "}", ")", "]")
        if held and (size + len(one) > 2 * PIECE_CHARS or (begins and size > PIECE_CHARS // 2)):
            draft.code("\n".join(held))
            held, size = [], 0
        held.append(one)
        size += len(one) + 1
        after_gap = not one.strip()
    draft.code("\n".join(held))


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def text_of(draft: Draft, data: bytes, declared: str = "") -> str:
    """The text of a part of another format."""
    return _lines(decoded(draft, data, declared))
