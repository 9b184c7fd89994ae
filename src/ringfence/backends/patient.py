"""A model that is waited for so long and no longer: then its request is cancelled, and the next tier may be asked."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ringfence.core.errors import BackendError
from ringfence.core.ports import Sink
from ringfence.core.values import Action, Outcome


class Patient:
    """Wraps a model's sink. `patience_s`: seconds until the first text of an answer that streams, else until all of it.

    Once text was passed on, the rest is waited for: nobody sees the beginning of one answer and the end of another.
    """

    def __init__(self, sink: Sink, patience_s: float) -> None:
        self._sink = sink
        self._patience_s = patience_s

    async def perform(self, action: Action) -> Outcome:
        """The answer; raises BackendError when there is no sign of one in time."""
        try:
            async with asyncio.timeout(self._patience_s) as limit:
                return await self._sink.perform(_told(action, limit))
        except TimeoutError:
            raise BackendError(
                f"{action.sink} said nothing within {self._patience_s:g} s, which is its patience_s",
                todo="raise patience_s of the tier, or let the next tier answer",
            ) from None


def _told(action: Action, limit: asyncio.Timeout) -> Action:
    """The action, whose first text ends the wait."""
    passed_on = action.progress
    if passed_on is None:
        return action

    def progress(text: str) -> None:
        if text:
            limit.reschedule(None)
        passed_on(text)

    return replace(action, progress=progress)
