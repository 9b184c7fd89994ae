"""What a log holds, counted in one pass over its headers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..core.chain import Kind
from ..core.values import JSON
from .events import Event
from .formats import instant

OTHERS = "(others)"
_NAMES = 1000  # told apart in one table; what comes later is counted together
_DAY_MS = 86_400_000


@dataclass(slots=True)
class Stats:
    """Counts of records; `refusals` and `asks` by rule and code, `effects` by the sink that was performed.

    header_bytes  canonical bytes of the headers; bodies are not read
    first, last   the earliest and the latest time of a record, milliseconds since 1970 UTC; None without records
    """

    records: int = 0
    runs: int = 0
    header_bytes: int = 0
    approvals: int = 0
    failures: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    principals: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    asks: Counter[str] = field(default_factory=Counter)
    first: int | None = None
    last: int | None = None

    @property
    def per_day(self) -> float:
        """Records a day, between the first and the last; of less than a day, as if it went on so for one."""
        if self.first is None or self.last is None:
            return 0.0
        return self.records * _DAY_MS / max(self.last - self.first, 1) if self.records > 1 else float(self.records)

    def add(self, event: Event) -> None:
        """Count one more."""
        head, kind = event.head, str(event.head["kind"])
        self.records += 1
        self.header_bytes += len(event.raw)
        _count(self.kinds, kind)
        _count(self.principals, str(head["principal"]))
        time = int(head["time"])
        self.first = time if self.first is None else min(self.first, time)
        self.last = time if self.last is None else max(self.last, time)
        match kind:
            case Kind.STARTED:
                self.runs += 1
            case _ if event.copied:
                pass  # it happened, and was counted, in another run
            case Kind.INTENT:
                _count(self.calls, event.sink)
                if event.effect:
                    _count(self.effects, event.sink)
            case Kind.DECISION:
                table = self.asks if event.text("verdict") == "ask" else self.refusals
                _count(table, f"{event.text('rule')} {event.text('code')}")
            case Kind.APPROVAL:
                self.approvals += 1
            case Kind.OUTCOME:
                self.failures += event.view.get("ok") is False
                for name in ("prompt", "completion"):
                    self.tokens[name] += event.tokens(name)
            case Kind.FINISHED:
                _count(self.ended, event.text("status"))

    def to_json(self) -> dict[str, JSON]:
        """For programs; tables are sorted, the largest count first."""
        tables = ("kinds", "principals", "ended", "calls", "effects", "refusals", "asks")
        return {
            "records": self.records,
            "runs": self.runs,
            "header_bytes": self.header_bytes,
            "first": None if self.first is None else instant(self.first),
            "last": None if self.last is None else instant(self.last),
            "records_per_day": round(self.per_day, 1),
            "approvals": self.approvals,
            "failures": self.failures,
            "tokens": {"prompt": self.tokens["prompt"], "completion": self.tokens["completion"]},
            **{name: dict(getattr(self, name).most_common()) for name in tables},
        }


def count(events: Iterable[Event]) -> Stats:
    """Count events, in one pass and flat memory."""
    stats = Stats()
    for event in events:
        stats.add(event)
    return stats


def _count(table: Counter[str], name: str) -> None:
    table[name if name in table or len(table) < _NAMES else OTHERS] += 1
