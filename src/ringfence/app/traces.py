"""Where runs come from and what goes out with their calls: the trace of a caller, and sinks that carry it on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ringfence.core.ports import Sink
from ringfence.core.turn import Turn
from ringfence.core.values import Action, Outcome
from ringfence.tracing import Trace, calling, following

from .blots import Blots, Blotted
from .house import House
from .subjects import About

_log = logging.getLogger("ringfence")


def trace_of(traceparent: str, tracestate: str = "") -> Trace:
    """The trace that a caller names, or a new one: a broken header costs no task (W3C Trace Context 4.3)."""
    if not traceparent:
        return Trace.new()
    try:
        return Trace.parse(traceparent, tracestate)
    except ValueError as problem:
        _log.warning("traceparent is ignored, and a trace begins here: %s", problem)
        return Trace.new()


def at_work(turn: Turn) -> AbstractContextManager[None]:
    """Whatever comes of a run inside belongs to the trace that it began in."""
    return following(turn.run, turn.principal.subject, Trace.of(turn.start.get("trace", {}), turn.run))


@dataclass(frozen=True, slots=True)
class _Carrier:
    """A sink whose requests carry the trace of the call. `near`: who sees them is the one who asks, and nobody else."""

    sink: Sink
    near: bool

    async def perform(self, action: Action) -> Outcome:
        """Do it."""
        with calling(action, near=self.near):
            return await self.sink.perform(action)


class Traced(Mapping[str, Sink]):
    """The sinks of a house as they are when they are asked for, each of which carries the trace on.

    alias  the log's name for a subject, for those whose results say whom they are about
    blots  takes the secrets that we know out of what comes back
    """

    def __init__(self, house: House, alias: Callable[[str], str], blots: Blots) -> None:
        self._house = house
        self._alias = alias
        self._blots = blots

    def __getitem__(self, name: str) -> Sink:
        sink: Sink = Blotted(self._house.sinks[name], self._blots)
        if name in self._house.about:
            sink = About(sink, self._house.about[name], self._alias)
        return _Carrier(sink, self._house.specs[name].audience is None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._house.sinks)

    def __len__(self) -> int:
        return len(self._house.sinks)
