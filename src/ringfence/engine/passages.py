"""The passages of documents that a run was shown, by the number that answers cite them by. Pure: from its records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ringfence.core.chain import Record
from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .folds import folded

SEARCH, READ = "tool:kb.search", "tool:kb.read"
NOT_THERE = "not in the documents"
CITE = f'Put the number of the passage behind each fact, such as [1]. If no passage says it: "{NOT_THERE}".'
MAX_PASSAGES = 64  # that one answer is held against: the newest
_SPAN = re.compile(r"(\d{1,12})\s*-\s*(\d{1,12})")


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a document: its characters `start` to `end`, half open; `end` is 0 where nobody said which.

    n         the number that it is cited by, one of its run
    page      from 1; 0 where there is none
    headings  those above it, outermost first, such as "Recovery > Web"
    seq       of the record that showed it
    """

    n: int
    document: str
    text: str
    title: str = ""
    page: int = 0
    start: int = 0
    end: int = 0
    headings: str = ""
    seq: int = 0


def passages(turn: Turn) -> dict[int, Passage]:
    """Every passage that a run was shown, by its number, in the order of the numbers."""
    return folded(turn, _ByNumber).newest()


def on_record(records: Iterable[Record]) -> dict[int, Passage]:
    """The same, from the records of a run."""
    intents: dict[int, Record] = {}
    pairs = []
    for record in records:
        intents[record.seq] = record
        if (intent := intents.get(record.view.get("of", -1))) is not None:
            pairs.append((record, intent))
    found = _ByNumber()
    for record, intent in pairs:
        found.take(record, intent)
    return found.newest()


class _ByNumber:
    """Passages by their number; of one that was shown twice the longer text."""

    def __init__(self) -> None:
        self._found: dict[int, Passage] = {}
        self._newest: dict[int, Passage] | None = None

    def take(self, record: Record, intent: Record | None) -> None:
        """One more item."""
        if intent is None or intent.view.get("sink") not in (SEARCH, READ) or not record.view.get("ok"):
            return
        for passage in parsed(record.body.get("value"), record.seq):
            known = self._found.get(passage.n)
            if known is None or (known.document == passage.document and len(passage.text) > len(known.text)):
                self._found[passage.n], self._newest = passage, None

    def newest(self) -> dict[int, Passage]:
        """Those with the highest numbers, in their order."""
        if self._newest is None:
            self._newest = {n: self._found[n] for n in sorted(self._found)[-MAX_PASSAGES:]}
        return self._newest


def parsed(value: JSON, seq: int = 0) -> Iterator[Passage]:
    """The passages of a result of `kb.search` or `kb.read`; what is none is passed over."""
    if not isinstance(value, dict):
        return
    listed = value.get("passages")
    for item in listed if isinstance(listed, list) else [value]:
        if is_passage(item):
            start, end = span(item.get("chars"))
            page = item.get("page")
            yield Passage(
                item["n"],
                item["document"],
                item["text"],
                title=str(item.get("title") or ""),
                page=page if type(page) is int and page > 0 else 0,
                start=start,
                end=end,
                headings=str(item.get("headings") or ""),
                seq=seq,
            )


def is_passage(item: JSON) -> bool:
    """Whether a part of a result is a passage that can be cited."""
    return (
        isinstance(item, dict)
        and type(item.get("n")) is int
        and 0 < item["n"] < 10_000
        and isinstance(item.get("document"), str)
        and isinstance(item.get("text"), str)
    )


def span(chars: JSON) -> tuple[int, int]:
    """Where something lies, from `1200-1850`; (0, 0) for what says nothing of it."""
    match = _SPAN.fullmatch(chars) if isinstance(chars, str) else None
    return (int(match[1]), int(match[2])) if match else (0, 0)


def where(item: Mapping[str, JSON]) -> str:
    """Where a passage stands, for the model: `runbooks/disk.md, page 2, Recovery > Web`."""
    parts = [str(item["document"])]
    if item.get("outdated"):
        parts.append(f"OUTDATED ({item['outdated']})")
    if item.get("page"):
        parts.append(f"page {item['page']}")
    if item.get("headings"):
        parts.append(str(item["headings"]))
    if item.get("of"):
        parts.append(f"characters {item.get('chars')} of {item['of']}")
    return ", ".join(parts)
