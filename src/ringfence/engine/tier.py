"""A model that runs are driven by, and what it is not shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from ringfence.core.policy import SinkSpec, forbidden_flow
from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Action, Deny, Prompt


class Veil(Protocol):
    """Puts placeholders in place of personal data and secrets. The tier's sink puts values back in what it answers."""

    def prompt(self, run: str, prompt: Prompt) -> Prompt:
        """The request as the model may see it."""
        ...

    def hide(self, run: str, value: JSON) -> JSON:
        """The value as a sink gets it that may not read what it is made from."""
        ...


@dataclass(frozen=True, slots=True)
class Tier:
    """A model sink, its window and the longest answer asked of it, both in tokens.

    count       tokens of a request by the server's own tokenizer, if it has one
    ask_window  the server's real window, for a tier that was not asked before the run
    """

    sink: str
    window: int
    max_tokens: int = 512
    veil: Veil | None = None
    count: Callable[[Prompt], Awaitable[int | None]] | None = None
    ask_window: Callable[[], Awaitable[int | None]] | None = None

    def shown(self, run: str, prompt: Prompt) -> Prompt:
        """The request that is sent and recorded: with placeholders where the manifest says `redact`."""
        return self.veil.prompt(run, prompt) if self.veil is not None else prompt

    def given(self, turn: Turn, action: Action, spec: SinkSpec | None) -> Action:
        """The call as its sink gets it: placeholders stay where the sink may not read the values (POL-5)."""
        if self.veil is None or (spec is not None and not isinstance(forbidden_flow(action, spec, turn), Deny)):
            return action
        return replace(action, args=self.veil.hide(turn.run, dict(action.args)))
