"""Whose data a result is: the leaf that the operator's catalogue names (`about`), by the log's name for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ringfence.core.policy import Leaf
from ringfence.core.ports import Sink
from ringfence.core.provenance import at, declared
from ringfence.core.values import Action, Outcome

BARE = "id:"  # before an id that has no kind of its own


@dataclass(frozen=True, slots=True)
class About:
    """A sink whose results say whom they are about, at `pointer`; `alias` gives the log's name for a subject."""

    sink: Sink
    pointer: str
    alias: Callable[[str], str]

    async def perform(self, action: Action) -> Outcome:
        """Do it."""
        outcome = await self.sink.perform(action)
        if not outcome.ok:
            return outcome
        found = declared(outcome.value, {self.pointer: Leaf("subject")})
        named = {str(at(outcome.value, where)) for where, _ in found if where is not None} - {"", "None"}
        subjects = {self.alias(name if ":" in name else BARE + name) for name in named}
        return replace(outcome, subjects=tuple(sorted(subjects)))
