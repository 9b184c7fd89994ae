"""Secrets that we know are blotted out of what comes back, in any encoding: a hostile server repeats what it was sent.

So they are in no result, and then in no prompt, record, answer or file. What a tool does with its own secret, and what
leaves for its own host, is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from ringfence.core.errors import InternalError, RingfenceError
from ringfence.core.ports import Sink
from ringfence.core.values import JSON, Action, Outcome
from ringfence.redaction.known import Known
from ringfence.redaction.spans import merged

MARK: Final = "[secret]"
SHORTEST: Final = 12  # characters; a shorter one, or one of letters alone, may be a word of any text
_BETWEEN: Final = "\0"  # texts are read as one: a secret may be split over the lines of a list


class Blots:
    """Takes secret values out of content."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._known = Known()
        self._known.add(secret for secret in secrets if _told_apart(secret))

    def text(self, text: str) -> str:
        """The text without them."""
        if not (spans := merged(self._known.spans(text))):
            return text
        parts, at = [], 0
        for span in spans:
            parts += [text[at : span.start], MARK, _BETWEEN * text.count(_BETWEEN, span.start, span.end)]
            at = span.end
        return "".join([*parts, text[at:]])

    def value(self, value: JSON) -> JSON:
        """The same structure, every string and key without them; as nearly always the value itself."""
        return self._clean(value) if any(self._known.spans(_BETWEEN.join(_texts(value)))) else value

    def _clean(self, value: JSON) -> JSON:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self._clean(item) for key, item in value.items()}
        if not isinstance(value, list):
            return value
        if not all(isinstance(item, str) and _BETWEEN not in item for item in value):
            return [self._clean(item) for item in value]
        return self.text(_BETWEEN.join(value)).split(_BETWEEN) if value else value


@dataclass(frozen=True, slots=True)
class Blotted:
    """A sink whose outcomes and faults say no secret."""

    sink: Sink
    blots: Blots

    async def perform(self, action: Action) -> Outcome:
        """Do it."""
        try:
            outcome = await self.sink.perform(action)
        except RingfenceError as error:
            error.what, error.todo = self.blots.text(error.what), self.blots.text(error.todo)
            error.args = (error.what,)
            raise
        except Exception as error:  # a fault of ours goes on record by its words
            clean = self.blots.text(words := repr(error))
            if clean == words:
                raise
            raise InternalError(clean) from None
        clean = self.blots.value(outcome.value)
        return outcome if clean is outcome.value else replace(outcome, value=clean)


def _told_apart(secret: str) -> bool:
    mixed = any(map(str.isdigit, secret)) and any(map(str.isalpha, secret))
    return mixed and len(secret.strip()) >= SHORTEST


def _texts(value: JSON) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
