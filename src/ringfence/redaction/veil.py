"""What a model is shown in place of personal data, and what it says put back (`redact: true` of a tier).

Only the placeholders reach the model's server: in messages, and in the values that the grammar offers. A small model
writes them in its own way, so an answer is read generously; and where an argument has a form that no placeholder fits,
the grammar offers the placeholders beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from ringfence.core.ports import Sink
from ringfence.core.values import JSON, Action, Outcome, Prompt

from .redactor import LOOSE, Redactor

NOTE: Final = "\nValues such as <EMAIL_1> or <CARD_2> stand for real ones. Copy them exactly, with < and >."
_OFFERED: Final = 32  # placeholders beside an argument of a fixed form, at most
_CACHED: Final = 2048  # messages whose hidden form is remembered
_LONGEST: Final = 24  # characters of a placeholder, however it is written
_FORMS: Final = ("pattern", "format")  # of a string in a JSON Schema


class Veil:
    """Hides what a prompt holds, and shows what an answer means."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._messages: dict[tuple[str, bytes], bytes] = {}

    def prompt(self, run: str, prompt: Prompt) -> Prompt:
        """The request with placeholders for everything personal or secret."""
        messages = tuple(self._message(run, data, first=not at) for at, data in enumerate(prompt.messages))
        schema = self._schema(run, prompt.schema) if prompt.schema is not None else None
        return replace(prompt, messages=messages, schema=schema)

    def hide(self, run: str, value: JSON) -> JSON:
        """The value with placeholders, for a sink that may not read it."""
        return self._redactor.view(run, value)

    def show(self, run: str, text: str) -> str:
        """What a model wrote, with the values in place of the placeholders, JSON or not."""
        known = self._redactor.known(run)
        if not known or not LOOSE.search(text):
            return text
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return _put_back(text, known, _escaped)
        return json.dumps(_restored(value, known), ensure_ascii=False)

    def piece(self, run: str, text: str) -> str:
        """`show`, for a part of what a model writes."""
        return _put_back(text, self._redactor.known(run), _escaped) if LOOSE.search(text) else text

    def _message(self, run: str, data: bytes, *, first: bool) -> bytes:
        hidden = self._messages.get((run, data))
        if hidden is None:
            message = json.loads(data)
            message["content"] = self._redactor.text(run, message["content"]) + (NOTE if first else "")
            hidden = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")
            if len(self._messages) >= _CACHED:
                self._messages.clear()
            self._messages[run, data] = hidden
        return hidden

    def _schema(self, run: str, schema: bytes) -> bytes:
        offered = list(self._redactor.known(run))[-_OFFERED:]
        return json.dumps(self._hidden(run, json.loads(schema), offered), separators=(",", ":")).encode()

    def _hidden(self, run: str, rule: Any, offered: list[str]) -> Any:
        """The rule with hidden choices; names of properties are the operator's own and stay."""
        if isinstance(rule, list):
            return [self._hidden(run, item, offered) for item in rule]
        if not isinstance(rule, dict):
            return rule
        hidden = {
            key: self._redactor.view(run, value) if key in ("enum", "const") else self._hidden(run, value, offered)
            for key, value in rule.items()
        }
        if offered and rule.get("type") == "string" and any(form in rule for form in _FORMS):
            return {"anyOf": [hidden, {"enum": offered}]}
        return hidden


class Veiled:
    """A model's sink behind a veil: what it answers has its values again before anybody decides or records."""

    def __init__(self, sink: Sink, veil: Veil) -> None:
        self._sink = sink
        self._veil = veil

    async def perform(self, action: Action) -> Outcome:
        """Ask the model; raises what its sink raises."""
        stream = _Stream(self._veil, action.run, action.progress) if action.progress is not None else None
        outcome = await self._sink.perform(replace(action, progress=stream.write) if stream is not None else action)
        if stream is not None:
            stream.close()
        if not outcome.ok:
            return outcome
        text = self._veil.piece(action.run, outcome.value["text"])
        return replace(outcome, value={**outcome.value, "text": text})


class _Stream:
    """Text as it streams, held back where a placeholder may be cut."""

    def __init__(self, veil: Veil, run: str, progress: Callable[[str], None]) -> None:
        self._veil, self._run, self._progress = veil, run, progress
        self._held = ""

    def write(self, text: str) -> None:
        """Pass on what is whole."""
        self._held += text
        cut = max(0, len(self._held) - _LONGEST)
        for found in LOOSE.finditer(self._held):
            if found.start() < cut < found.end():
                cut = found.start()
        if cut:
            ready, self._held = self._held[:cut], self._held[cut:]
            self._progress(self._veil.piece(self._run, ready))

    def close(self) -> None:
        """Pass on the rest."""
        if self._held:
            self._progress(self._veil.piece(self._run, self._held))
            self._held = ""


def _escaped(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _put_back(text: str, known: dict[str, str], form: Callable[[str], str]) -> str:
    def value(found: re.Match[str]) -> str:
        place = f"<{found[1].upper()}_{found[2]}>"
        return form(known[place]) if place in known else found[0]

    return LOOSE.sub(value, text)


def _restored(value: JSON, known: dict[str, str]) -> JSON:
    if isinstance(value, str):
        return _put_back(value, known, str)
    if isinstance(value, list):
        return [_restored(item, known) for item in value]
    if isinstance(value, dict):
        return {_put_back(key, known, str): _restored(item, known) for key, item in value.items()}
    return value
