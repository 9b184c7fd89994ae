"""What a reader of the log sees without a key: the content of a record, redacted, cut to size."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from ..core.chain import Kind, Record
from ..core.values import JSON

TEXT_CHARS, ALL_CHARS, ITEMS = 2000, 8000, 50  # of one text, of all of a record, and in one list or object
_MARGIN = 4096  # looked at beyond what is kept: a secret that the cut goes through is found first
_HIDDEN = frozenset({"principal", "prompt", "typed", "sole", "digest", "approval"})  # in the header, or no content


class Redactor(Protocol):
    """Takes personal data and secrets out of content; placeholders are stable within a run."""

    def view(self, run: str, value: JSON) -> JSON:
        """The same structure with placeholders in it."""
        ...

    def recall(self, run: str, values: Iterable[JSON]) -> None:
        """What the run held before: the numbering goes on."""
        ...

    def forget(self, run: str) -> None:
        """The run has ended."""
        ...


class Shown:
    """Makes the redacted contents of one journal's records. `before` gives the bodies of a run that goes on."""

    def __init__(self, redactor: Redactor, before: Callable[[str], Iterable[JSON]]) -> None:
        self._redactor = redactor
        self._before = before
        self._known: set[str] = set()

    def of(self, record: Record) -> JSON:
        """Raises JournalError if what the run held before cannot be read."""
        run = record.run
        if record.seq:
            self.recall(run)
        self._known.add(run)
        content = _kept(record.body)
        if _small(content):  # nothing is cut, as nearly always: it need not be copied
            shown = self._redactor.view(run, content)
            shown = shown if shown is content else _cut(shown, [ALL_CHARS], 0)  # placeholders may be longer
        else:
            shown = _cut(self._redactor.view(run, _cut(content, [ALL_CHARS + _MARGIN], _MARGIN)), [ALL_CHARS], 0)
        if record.kind is Kind.FINISHED:
            self._redactor.forget(run)
            self._known.discard(run)
        return shown

    def recall(self, run: str, bodies: Iterable[JSON] | None = None) -> None:
        """Go on with the numbering of a run that was begun before, from its `bodies` if whoever calls has them.

        Raises JournalError if it cannot be read.
        """
        if run not in self._known:
            self._redactor.recall(run, map(_content, self._before(run) if bodies is None else bodies))
            self._known.add(run)


def _content(body: JSON) -> JSON:
    """What there is to show of a body, no more of it than is looked at."""
    return _cut(_kept(body), [ALL_CHARS + _MARGIN], _MARGIN)


def _kept(body: JSON) -> JSON:
    return {key: value for key, value in body.items() if key not in _HIDDEN and value not in ("", [])}


def _small(value: JSON) -> bool:
    """Whether `_cut` would leave all of it."""
    left, todo = ALL_CHARS, [value]
    while todo:
        item = todo.pop()
        kind = type(item)
        if kind is str:
            left -= len(item)
            if left < 0 or len(item) > TEXT_CHARS:
                return False
        elif kind is dict or kind is list:
            if len(item) > ITEMS:
                return False
            todo += item.values() if kind is dict else item
    return True


def _cut(value: JSON, left: list[int], margin: int) -> JSON:
    """The value with long texts and lists cut; `left` counts down the characters that it may still have in all."""
    kind = type(value)
    if kind is str:
        kept = value[: max(0, min(TEXT_CHARS + margin, left[0]))]
        left[0] -= len(kept)
        return value if len(kept) == len(value) else f"{kept}… ({len(value) - len(kept)} more characters)"
    if kind is dict:
        if len(value) <= ITEMS:
            return {key: _cut(item, left, margin) for key, item in value.items()}
        members = {key: _cut(item, left, margin) for key, item in list(value.items())[:ITEMS]}
        return {**members, "…": f"{len(value) - ITEMS} more"}
    if kind is list:
        items = [_cut(item, left, margin) for item in value[:ITEMS]]
        return items if len(value) <= ITEMS else [*items, f"… ({len(value) - ITEMS} more)"]
    return value
