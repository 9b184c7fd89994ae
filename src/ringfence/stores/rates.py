"""Calls per principal and tool over a sliding window (POL-7), counted from the log: it holds across processes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping

from ringfence.core.ports import Clock
from ringfence.core.values import Principal
from ringfence.manifest.fields import window

from .log import Log

_Who = tuple[str, str]  # a principal's subject and a sink


class SlidingWindow:
    """A `core.ports.Meter`. `rates`: by sink, such as "30/minute"; `log`: the journal that every process writes to.

    A call counts from the moment it was allowed here, and from the moment its intent is durable elsewhere: two
    processes can be allowed at once within the milliseconds that a commit takes.
    """

    def __init__(self, rates: Mapping[str, str], clock: Clock, log: Log | None = None) -> None:
        self._rates = {
            sink: (calls, seconds * 1000) for sink, (calls, seconds) in ((s, window(r)) for s, r in rates.items())
        }
        self._reach_ms = max(span for _, span in self._rates.values())
        self._clock = clock
        self.log = log
        self._place = 0
        self._calls: defaultdict[_Who, deque[int]] = defaultdict(deque)
        self._allowed: defaultdict[_Who, deque[int]] = defaultdict(deque)  # by us, and not yet seen in the log

    def hit(self, principal: Principal, sink: str) -> bool:
        """Count one call, if the rate allows it; whether it does. A sink without a rate is not counted.

        Raises JournalError for a log that cannot be read: a rate that cannot be told allows nothing.
        """
        if sink not in self._rates:
            return True
        now = self._clock()
        self._look(now)
        count, span = self._rates[sink]
        calls, allowed = self._calls[principal.subject, sink], self._allowed[principal.subject, sink]
        for times in (calls, allowed):
            while times and times[0] <= now - span:
                times.popleft()
        if len(calls) + len(allowed) >= count:
            return False
        allowed.append(now)
        return True

    def _look(self, now: int) -> None:
        """Take in what the log holds since we looked last, whoever made it."""
        if self.log is None:
            return
        records, self._place = self.log.intents(now - self._reach_ms, self._place)
        for record in records:
            who = (record.principal, record.view["sink"])
            if who[1] not in self._rates or "copied" in record.view:  # a fork's copy of a call is none
                continue
            self._calls[who].append(record.time)
            if (allowed := self._allowed[who]) and allowed[0] <= record.time:
                allowed.popleft()
