"""Redaction before storage: what is personal or secret becomes a placeholder, the same one throughout a run."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import Final, Protocol

from ringfence.core.values import JSON

from .credentials import credentials
from .known import Known
from .marks import marks
from .numbers import numbers
from .spans import Kind, Span, merged

RUNS: Final = 1024  # remembered at once; the one that was used longest ago is forgotten first
VALUES: Final = 65_536  # of one run; those beyond have a placeholder without a number, which is never put back
LOOSE: Final = re.compile(  # a placeholder, as a model may write it; what looks like one is no other text's
    rf"(?:<|&lt;)[ ]?({'|'.join(Kind)})[_ ]([0-9]{{1,7}})[ ]?(?:>|&gt;)", re.IGNORECASE
)
_PLACE: Final = re.compile(rf"<(?:{'|'.join(Kind)})_[0-9]{{1,7}}>")
_WIDE: Final = 10**8  # a smaller number is no card, phone or identity


class NameFinder(Protocol):
    """Finds what has no form: names and addresses. A model does, so it costs more than all the rest."""

    def spans(self, text: str) -> Iterable[Span]:
        """Where they stand."""
        ...


@dataclass
class _Table:
    """The placeholders of one run."""

    places: dict[tuple[Kind, str], str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    counts: dict[Kind, int] = field(default_factory=dict)

    def place(self, span: Span, value: str) -> str:
        key = (span.kind, span.key or value)
        if (known := self.places.get(key)) is not None:
            return known
        if len(self.places) >= VALUES:
            return f"<{span.kind}>"
        number = self.counts[span.kind] = self.counts.get(span.kind, 0) + 1
        place = self.places[key] = f"<{span.kind}_{number}>"
        self.values[place] = value
        return place


class Redactor:
    """Replaces personal data and secrets by placeholders that are stable within a run. Safe to use from any thread."""

    def __init__(self, *, secrets: Iterable[str] = (), names: NameFinder | None = None) -> None:
        self._known = Known()
        self._known.add(secrets)
        self._names = names
        self._runs: OrderedDict[str, _Table] = OrderedDict()
        self._lock = RLock()

    def know(self, secrets: Iterable[str]) -> None:
        """Further secret values of this process."""
        with self._lock:
            self._known.add(secrets)

    def text(self, run: str, text: str) -> str:
        """The text with placeholders: <EMAIL_1>, <CARD_2>, <SECRET_1>."""
        spans = self.spans(text)
        return self._replaced(run, text, spans) if spans else text

    def view(self, run: str, value: JSON) -> JSON:
        """The same structure, every string (keys too) redacted, and numbers that are a card, a phone or an identity.

        All strings are read as one text, a key right before its value: `{"dob": "1984-03-12"}` says what the date is.
        """
        pieces: list[str] = []
        _gather(value, pieces)
        text = "\0".join(pieces)
        spans = self.spans(text)
        if not spans:
            return value
        return _rebuilt(value, iter(self._pieces(run, text, spans, pieces)))

    def recall(self, run: str, values: Iterable[JSON]) -> None:
        """Feed what the run held before, in its order, so that the numbering goes on the same."""
        for value in values:
            self.view(run, value)

    def restore(self, run: str, value: JSON) -> JSON:
        """Placeholders back to their values, wherever they stand in strings; those of no value stay."""
        with self._lock:
            table = self._runs.get(run)
            return _restored(value, table.values) if table is not None else value

    def known(self, run: str) -> dict[str, str]:
        """The values of a run by placeholder, in the order they were found."""
        with self._lock:
            table = self._runs.get(run)
            return dict(table.values) if table is not None else {}

    def forget(self, run: str) -> None:
        """Drop what is remembered of a run."""
        with self._lock:
            self._runs.pop(run, None)

    def spans(self, text: str) -> list[Span]:
        """What would be replaced, in order, without overlaps."""
        if len(text) < 4:
            return []
        found = list(marks(text))
        found += numbers(text, {span.start: span.end for span in found if span.kind is Kind.IBAN})
        found += credentials(text)
        found += self._known.spans(text)
        if "<" in text or "&lt;" in text:
            found += (Span(*m.span(), Kind.TEXT) for m in LOOSE.finditer(text))
        if self._names is not None:
            found += self._names.spans(text)
        return merged(found) if found else found

    def _table(self, run: str) -> _Table:
        table = self._runs.get(run)
        if table is None:
            table = self._runs[run] = _Table()
            if len(self._runs) > RUNS:
                self._runs.popitem(last=False)
        else:
            self._runs.move_to_end(run)
        return table

    def _replaced(self, run: str, text: str, spans: Sequence[Span]) -> str:
        with self._lock:
            table, at = self._table(run), 0
            parts: list[str] = []
            for span in spans:
                parts += (text[at : span.start], table.place(span, text[span.start : span.end]))
                at = span.end
        parts.append(text[at:])
        return "".join(parts)

    def _pieces(self, run: str, text: str, spans: Sequence[Span], pieces: Sequence[str]) -> Iterator[str]:
        """Each piece redacted; a span over several pieces (a secret in a list of lines) is replaced in each."""
        begin, first = 0, 0
        for piece in pieces:
            end = begin + len(piece)
            while first < len(spans) and spans[first].end <= begin:
                first += 1
            mine, n = [], first
            while n < len(spans) and spans[n].start < end:
                span = spans[n]
                key = span.key or text[span.start : span.end]
                mine.append(Span(max(span.start, begin) - begin, min(span.end, end) - begin, span.kind, key))
                n += 1
            yield self._replaced(run, piece, mine) if mine else piece
            begin = end + 1


def _gather(value: JSON, pieces: list[str]) -> None:
    kind = type(value)
    if kind is str:
        pieces.append(value)
    elif kind is dict:
        for key, item in value.items():
            pieces.append(key)
            _gather(item, pieces)
    elif kind is list:
        for item in value:
            _gather(item, pieces)
    elif kind is int and value >= _WIDE:
        pieces.append(str(value))


def _rebuilt(value: JSON, pieces: Iterator[str]) -> JSON:
    kind = type(value)
    if kind is str:
        return next(pieces)
    if kind is dict:
        rebuilt: dict[str, JSON] = {}
        for item in value.values():
            key = next(pieces)
            while key in rebuilt:  # two spellings of one value
                key += "'"
            rebuilt[key] = _rebuilt(item, pieces)
        return rebuilt
    if kind is list:
        return [_rebuilt(item, pieces) for item in value]
    if kind is int and value >= _WIDE:
        piece = next(pieces)
        return value if piece == str(value) else piece
    return value


def _restored(value: JSON, values: dict[str, str]) -> JSON:
    if isinstance(value, str):
        return _PLACE.sub(lambda m: values.get(m[0], m[0]), value) if "<" in value else value
    if isinstance(value, dict):
        return {_restored(key, values): _restored(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_restored(item, values) for item in value]
    return value
