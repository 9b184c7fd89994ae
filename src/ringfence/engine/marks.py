"""The marks `[n]` by which an answer cites passages, in the ways that models write them. Pure, linear."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .passages import Passage
from .sources import quotations

MARK = re.compile(r"\[(\d{1,4})\](?!\()")
_WORD = r"(?:passages?|sources?|quellen?|absatz|documents?|docs?|dokumente?|textstelle|stelle|nr\.?|no\.?|#|ref\.?)"
_LISTED = re.compile(
    rf"[\[【]\s*{_WORD}?\s*(\d{{1,3}}(?:\s*(?:,|;|&|and|und|-|–)\s*{_WORD}?\s*\d{{1,3}}){{0,9}})\s*(?:†[^\]】]{{0,40}})?[\]】](?!\()",
    re.I,
)
_RANGE = re.compile(r"(\d{1,3})\s*[-–]\s*(\d{1,3})")
_HANDLE = re.compile(r"\s?\[r(\d{1,6})\]")
_BEHIND = re.compile(r"([.!?…]+[\"'”’»)]*)((?:[ \t]*\[\d{1,4}\](?!\())+)[.]?(?=\s|\Z)")
_CLOSING = "\"'”’»"
_MOST_OF_A_RANGE = 9
_LISTING = re.compile(r"\s*(?:[-*•]\s*)?(?:\*\*)?\[\d{1,4}\](?:\*\*)?[:.]?\s*[-–:]?\s*(?P<rest>.*)\Z")
_HEADER = re.compile(
    r"\s*(?:#{1,6}\s*)?(?:\*\*)?(?:sources?|references?|citations?|quellen?|belege?|nachweise?)\s*(?:\*\*)?\s*:?\s*(?:\*\*)?"
    r"\s*(?P<rest>.*)\Z",
    re.I,
)


def marked(text: str) -> list[int]:
    """The numbers that a text cites, in order."""
    return [int(n) for n in MARK.findall(text)]


def unmarked(text: str) -> str:
    """The text without its marks."""
    return re.sub(r"[ \t]*" + MARK.pattern, "", text).strip(" \t")


def tidied(answer: str, passages: Mapping[int, Passage]) -> str:
    """The answer with every mark as `[n]` before the point that ends its sentence, and without a list of sources.

    A list of sources at the end is the runtime's to print, and a result's handle is no passage.
    """
    own = {passage.seq for passage in passages.values()}
    text = _HANDLE.sub(lambda match: "" if int(match[1]) in own else match[0], answer)
    text = _LISTED.sub(_each, text)
    text = "\n".join(_without_listing(text.split("\n"), passages))
    text = _BEHIND.sub(_before, text)
    for start, end in sorted(quotations(text, least=2), reverse=True):
        text = text[:start] + re.sub(r"[ \t]*" + MARK.pattern, "", text[start:end]) + text[end:]
    return text


def _before(found: re.Match[str]) -> str:
    """The marks before the point; none behind a quotation, which says by itself whose it is."""
    point, marks = found[1], "".join(found[2].split())
    return point if point[-1] in _CLOSING else f" {marks}{point}"


def _each(found: re.Match[str]) -> str:
    """`[1, 2]`, `[1-3]` and `[passage 1]` as `[1][2]`, `[1][2][3]` and `[1]`."""

    def spread(match: re.Match[str]) -> str:
        first, last = int(match[1]), int(match[2])
        few = first < last <= first + _MOST_OF_A_RANGE
        return " ".join(map(str, range(first, last + 1))) if few else match[0]

    return "".join(f"[{int(n)}]" for n in re.findall(r"\d+", _RANGE.sub(spread, found[1])))


def _without_listing(lines: list[str], passages: Mapping[int, Passage]) -> list[str]:
    """The lines without those at the end that only name documents."""
    names = {
        part.casefold() for p in passages.values() for part in (p.document, p.document.rpartition("/")[2], p.title)
    }
    names.discard("")
    kept = list(lines)
    while kept:
        line = kept[-1]
        header, listing = _HEADER.match(line), _LISTING.match(line)
        rest = MARK.sub("", header["rest"] if header else listing["rest"] if listing else line)
        names_only = any(name in rest.casefold() for name in names) and len(rest) <= _longest(names) + 80
        if not line.strip():
            if len(kept) == len(lines):
                break
            kept.pop()
        elif (header and (names_only or not re.search(r"\w", rest))) or (listing and names_only):
            kept.pop()
        else:
            break
    return kept if len(kept) < len(lines) and any(re.search(r"\w", line) for line in kept) else lines


def _longest(names: set[str]) -> int:
    return max(map(len, names), default=0)
