"""Markdown (CommonMark 0.31, tables as GitHub has them): headings, fenced code, tables, paragraphs as written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..draft import Draft, Reading
from . import front
from .encoding import decoded

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_RULE = re.compile(r"[ \t]{0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_LIST = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)


def read(reading: Reading, draft: Draft, data: bytes, name: str) -> None:
    """Blocks in order; the first heading of the first level is the title where the front matter has none."""
    text = decoded(draft, data).replace("\r\n", "\n").replace("\r", "\n")
    text = front.taken(draft, text)
    source = iter(_without_comments(draft, text).split("\n"))
    held: list[str] = []
    for one in source:
        if fence := _FENCE.match(one):
            _flush(draft, held)
            _fenced(draft, source, fence.group(1))
        elif heading := _HEADING.match(one):
            _flush(draft, held)
            _head(draft, heading.group(2) or "", len(heading.group(1)))
        elif not one.strip():
            _flush(draft, held)
        elif held and not _LIST.match(held[-1]) and len(held) == 1 and (line := _UNDERLINE.match(one)):
            _head(draft, held.pop(), 1 if line.group(1)[0] == "=" else 2)
        else:
            held.append(one)
    _flush(draft, held)


def _without_comments(draft: Draft, text: str) -> str:
    """Outside of code, what nobody who reads the page sees is left out."""
    if "<!--" not in text:
        return text
    parts = re.split(r"(^ {0,3}(?:```|~~~).*?(?:^ {0,3}(?:```|~~~)[ \t]*$|\Z))", text, flags=re.S | re.M)
    parts[0::2] = [_COMMENT.sub("", part) for part in parts[0::2]]
    draft.note("its comments were left out")
    return "".join(parts)


def _head(draft: Draft, words: str, level: int) -> None:
    if level == 1 and not draft.title:
        draft.title = words
    draft.heading(words, level)


def _fenced(draft: Draft, source: Iterator[str], fence: str) -> None:
    """Up to the closing fence, or the end."""
    held = []
    for one in source:
        bare = one.strip()
        if bare.startswith(fence) and not bare.strip(fence[0]):
            break
        held.append(one)
    draft.code("\n".join(held))


def _flush(draft: Draft, held: list[str]) -> None:
    """What was held, as a table where it is one; lines before a table are a paragraph of their own."""
    if not held:
        return
    at = next((n for n in range(1, len(held)) if _RULE.match(held[n]) and "|" in held[n - 1] and "|" in held[n]), 0)
    if at:
        if at > 1:
            draft.text("\n".join(held[: at - 1]))
        draft.table([_cells(one) for n, one in enumerate(held) if n >= at - 1 and n != at])
    else:
        draft.text("\n".join(held))
    held.clear()


def _cells(row: str) -> list[str]:
    row = row.strip().removeprefix("|")
    row = row[:-1] if row.endswith("|") and not row.endswith("\\|") else row
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", row)]
