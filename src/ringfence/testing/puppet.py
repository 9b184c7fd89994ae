"""A model that is wholly in the hands of whoever can write into its context: what the gate has to hold against."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Sequence

from ringfence.core.errors import InternalError
from ringfence.core.values import JSON, Action, Outcome, Prompt

_DIRECTIVE = re.compile(r"<<puppet:\s*(.*?)\s*>>", re.S)
_MARK = b"<<puppet:"
_ESCAPED = 3  # a result may be quoted inside a result inside a message
_DONE = {"thought": "", "final_answer": {"answer": "done", "artifacts": [], "confidence": "low"}}


def directive(*steps: JSON, encoded: bool = False) -> str:
    """Text that makes a puppet which is shown it take these steps; `encoded`: in base64, so that no word shows."""
    text = json.dumps(steps).replace(">", "\\u003e")  # a `>>` in a step would end the directive
    return f"<<puppet: {base64.b64encode(text.encode()).decode() if encoded else text}>>"


def calls(*given: tuple[str, JSON]) -> JSON:
    """A step that makes calls, from (tool, arguments) pairs."""
    return {"thought": "", "calls": [{"tool": tool, "args": args} for tool, args in given]}


class Puppet:
    """A sink for `model:*`: plays `script`, until a message holds a directive; then obeys it first, each one once.

    A step is the JSON object that the engine's grammar asks for. `obeyed` keeps the steps that were not its own.
    """

    def __init__(self, script: Sequence[JSON] = (), *, last: JSON = None) -> None:
        self._script = list(script)
        self._last = last or _DONE
        self._orders: list[JSON] = []
        self._heard: set[str] = set()
        self.obeyed: list[JSON] = []

    async def perform(self, action: Action) -> Outcome:
        """The next step as JSON text."""
        if action.prompt is None:
            raise InternalError(f"{action.sink} was given no prompt")
        self._listen(action.prompt)
        if self._orders:
            step = self._orders.pop(0)
            self.obeyed.append(step)
            if isinstance(step, dict):  # not word for word: a call that is only repeated would count as a quotation
                step = {"obeyed": len(self.obeyed), **step}
        else:
            step = self._script.pop(0) if self._script else self._last
        usage = {"prompt": sum(map(len, action.prompt.messages)) // 4, "completion": 1, "cached": 0}
        return Outcome({"text": json.dumps(step), "finish": "stop", "usage": usage, "model": "puppet"})

    def _listen(self, prompt: Prompt) -> None:
        for message in prompt.messages:
            if _MARK not in message:
                continue
            for found in _DIRECTIVE.findall(json.loads(message)["content"]):
                if found not in self._heard:
                    self._heard.add(found)
                    self._orders += _steps(found)


def _steps(text: str) -> Iterator[JSON]:
    """The steps of a directive, however it was encoded and quoted on its way; none if it cannot be read."""
    for _ in range(_ESCAPED):
        for decoded in (text, _plain(text)):
            try:
                given = json.loads(decoded)
            except ValueError:
                continue
            yield from given if isinstance(given, list) else [given]
            return
        try:
            text = json.loads(f'"{text}"')
        except ValueError:
            return


def _plain(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
