"""Calls per principal and tool over a sliding window (POL-7), counted from the log: it holds across processes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping

from ringfence.core.chain import Kind, Record
from ringfence.core.ports import Clock
from ringfence.core.values import Principal
from ringfence.manifest.fields import window


class SlidingWindow:
    """A `core.ports.Meter`. `rates`: by sink, such as "30/minute"."""

    def __init__(self, rates: Mapping[str, str], clock: Clock) -> None:
        self._rates = {
            sink: (calls, int(seconds * 1000)) for sink, (calls, seconds) in ((s, window(r)) for s, r in rates.items())
        }
        self._clock = clock
        self._calls: defaultdict[tuple[str, str], deque[int]] = defaultdict(deque)

    @property
    def reach_ms(self) -> int:
        """How far back a call still counts, milliseconds."""
        return max(window for _, window in self._rates.values())

    def hit(self, principal: Principal, sink: str) -> bool:
        """Count one call, if the rate allows it; whether it does. A sink without a rate is not counted."""
        if sink not in self._rates:
            return True
        count, window = self._rates[sink]
        calls, now = self._calls[principal.subject, sink], self._clock()
        while calls and calls[0] <= now - window:
            calls.popleft()
        if len(calls) >= count:
            return False
        calls.append(now)
        return True

    def recall(self, records: Iterable[Record]) -> None:
        """Begin anew with the calls that the log holds, in any order."""
        self._calls.clear()
        for record in sorted(records, key=lambda record: record.time):
            if record.kind is Kind.INTENT and record.view["sink"] in self._rates:
                self._calls[record.principal, record.view["sink"]].append(record.time)
