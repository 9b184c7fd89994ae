"""What a run says while it is at work, as deltas of a client that only ever adds to what it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ringfence.app.serving.feed import Delta
from ringfence.core.values import JSON

from ..telling import Steps

AGAIN: Final = "\n\n(It was checked, and is put right:)\n\n"


class Speech:
    """Keeps what was said already.

    An answer streams as the model writes it, except under `verify: strict`, where nothing of it comes before it was
    judged (POL-11). Only the first one streams: if it does not hold, what follows is said when it was judged, and not
    mixed with what was taken back.
    """

    def __init__(self) -> None:
        self._steps = Steps()
        self._thought = self._answer = ""
        self._first = True  # no answer has been begun and left

    def delta(self, item: Delta) -> dict[str, JSON]:
        """The delta of a message; empty for what is not said."""
        if item.field == "thought":
            self._thought += item.text
            return {"reasoning_content": item.text}
        if not self._first:
            return {}
        self._answer += item.text
        return {"content": item.text}

    def event(self, event: Mapping[str, JSON]) -> dict[str, JSON]:
        """The same, of a record: its line, after the thought of a step that did not stream."""
        text, thought = self._steps.line(event), str(event.get("thought", ""))
        if event["kind"] == "outcome" and "model" in event:
            text = "" if not thought else "\n" if self._thought else f"{thought}\n"
            self._thought, self._first = "", self._first and not self._answer
        elif text:
            text += "\n"
        return {"reasoning_content": text} if text else {}

    def rest(self, text: str) -> str:
        """What is left to say of the whole text."""
        said = self._answer
        return text[len(said) :] if text.startswith(said) else f"{AGAIN}{text}"

    def said(self, text: str) -> str:
        """All that was said, once `rest` of it was said too."""
        return self._answer + self.rest(text)
