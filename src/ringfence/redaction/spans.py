"""What was found: places in a text, and how overlapping ones become one."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a placeholder says was there, the surest first: it names what overlaps with others."""

    SECRET = "SECRET"  # a value this process knows, or one that the text itself calls a password
    KEY = "KEY"
    TOKEN = "TOKEN"
    TEXT = "TEXT"  # something that only looked like a placeholder of ours
    EMAIL = "EMAIL"
    IBAN = "IBAN"
    CARD = "CARD"
    ID = "ID"
    MAC = "MAC"
    IP = "IP"
    PHONE = "PHONE"
    DOB = "DOB"
    NAME = "NAME"
    ADDRESS = "ADDRESS"


RANK = {kind: rank for rank, kind in enumerate(Kind)}


class Span(NamedTuple):
    """text[start:end] is of a kind; `key` is the value without its spelling, "" for the text as it stands."""

    start: int
    end: int
    kind: Kind
    key: str = ""


def merged(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, none overlapping: what overlaps goes as a whole, so that no rest of it stays behind."""
    found: list[Span] = []
    for span in sorted(spans):
        if not found or span.start >= found[-1].end:
            found.append(span)
            continue
        last = found[-1]
        best = min(last, span, key=lambda s: (RANK[s.kind], s.start - s.end))
        end = max(last.end, span.end)
        whole = (best.start, best.end) == (last.start, end)
        found[-1] = Span(last.start, end, best.kind, best.key if whole else "")
    return found
