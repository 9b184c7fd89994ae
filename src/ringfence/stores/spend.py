"""What each person has used of each model today, counted from the log: budgets hold across processes and restarts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError
from ringfence.core.ports import Clock
from ringfence.core.values import JSON, Principal
from ringfence.manifest.routing import Budgets, Price

from .log import Log
from .rates import SlidingWindow

DAY_MS = 86_400_000
_REACH_MS = 3_600_000  # before midnight: a request that was made then may be answered today
_MILLION = 1_000_000
_Who = tuple[str, str]  # a principal's subject and a sink


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used in one day (UTC). `money` is in the currency of the tier's price; 0 without a price."""

    requests: int = 0
    tokens: int = 0
    money: float = 0.0


class Spend:
    """Counts requests, tokens and money by principal and sink, and holds them against budgets.

    budgets, prices  by sink (`model:cloud`); a sink without a budget is not held against any
    log              the journal that every process writes to; without one, what is asked here alone counts

    It is a `core.ports.Meter`, so that the gate itself lets nothing through that a budget forbids; and it is the
    engine's `Budget`, which says why in words. A request counts from the moment it is let through here, and elsewhere
    from the moment its intent is durable, tokens once the outcome is: requests that are under way at once can go beyond
    a budget by what they use themselves, no further.
    """

    def __init__(
        self,
        budgets: Mapping[str, Budgets],
        clock: Clock,
        *,
        prices: Mapping[str, Price] | None = None,
        log: Log | None = None,
    ) -> None:
        self._budgets = budgets
        self._prices = prices or {}
        self._clock = clock
        self.log = log
        self._day = -1
        self._place = 0
        self._used: defaultdict[_Who, Spent] = defaultdict(Spent)
        self._open: dict[tuple[str, int], _Who] = {}  # requests without an outcome, by run and seq
        self._allowed: defaultdict[_Who, list[int]] = defaultdict(list)  # let through here, and not yet seen in the log

    def spent(self, principal: Principal, sink: str) -> Spent:
        """What a principal has used of a sink since midnight (UTC). Costs what is new in the log.

        Raises JournalError for a log that cannot be read.
        """
        self._look(self._clock())
        who = (principal.subject, sink)
        known = self._used[who]
        return Spent(known.requests + len(self._allowed[who]), known.tokens, known.money)

    def refuses(self, principal: Principal, sink: str) -> str:
        """Why a principal may send nothing more there today, in words; empty while they may. Changes nothing.

        A log that cannot be read refuses, for a budget that cannot be told is none.
        """
        budget = self._budgets.get(sink)
        if budget is None or not _bounded(budget):
            return ""
        try:
            spent = self.spent(principal, sink)
        except JournalError as error:
            return f"what was used of it today cannot be told: {error.what}"
        currency = self._prices[sink].currency if sink in self._prices else ""
        for used, most, unit in (
            (spent.requests, budget.requests_per_day, "requests"),
            (spent.tokens, budget.tokens_per_day, "tokens"),
            (spent.money, budget.money_per_day, currency),
        ):
            if most is not None and used >= most:
                return f"{used:.10g} of {most:g} {unit} a day are used; more from 00:00 UTC on"
        return ""

    def hit(self, principal: Principal, sink: str) -> bool:
        """Count one request, if the budget allows it; whether it does. A sink without a budget is not counted.

        Raises JournalError for a log that cannot be read.
        """
        budget = self._budgets.get(sink)
        if budget is None or not _bounded(budget):
            return True
        self.spent(principal, sink)  # raises what `refuses` would put into words
        if self.refuses(principal, sink):
            return False
        self._allowed[principal.subject, sink].append(self._clock())
        return True

    def _look(self, now: int) -> None:
        """Take in what the log holds since we looked last, whoever made it; a new day begins at nothing."""
        day = now - now % DAY_MS
        if day != self._day:
            self._day, self._place = day, 0
            self._used.clear()
            self._open.clear()
            for who, times in self._allowed.items():
                self._allowed[who] = [time for time in times if time >= day]
        if self.log is None:
            return
        records, self._place = self.log.models(day - _REACH_MS, self._place)
        for record in records:
            if "copied" not in record.view:  # a fork's copy of a request is none
                self._take(record)

    def _take(self, record: Record) -> None:
        if record.kind is Kind.INTENT:
            who = (record.principal, str(record.view["sink"]))
            self._open[record.run, record.seq] = who
            if record.time >= self._day:
                used = self._used[who]
                self._used[who] = Spent(used.requests + 1, used.tokens, used.money)
                if (allowed := self._allowed[who]) and allowed[0] <= record.time:
                    allowed.pop(0)
            return
        asked = self._open.pop((record.run, record.view["of"]), None)
        if asked is not None and record.time >= self._day:
            used, usage = self._used[asked], record.view["usage"]
            tokens = _count(usage, "prompt") + _count(usage, "completion")
            money = used.money + cost(usage, self._prices.get(asked[1]))
            self._used[asked] = Spent(used.requests, used.tokens + tokens, money)


class Meters:
    """Several meters as one: a call passes if all let it through. Setting `log` sets that of each."""

    def __init__(self, *meters: SlidingWindow | Spend) -> None:
        self._meters = meters

    @property
    def log(self) -> Log | None:
        """The journal that they count from."""
        return self._meters[0].log

    @log.setter
    def log(self, log: Log | None) -> None:
        for meter in self._meters:
            meter.log = log

    def hit(self, principal: Principal, sink: str) -> bool:
        """Count one call with each; raises JournalError as they do."""
        return all(meter.hit(principal, sink) for meter in self._meters)


def cost(usage: Mapping[str, JSON], price: Price | None) -> float:
    """What an answer cost, in the currency of the price; `usage` as a model's outcome has it."""
    if price is None:
        return 0.0
    prompt, cached = _count(usage, "prompt"), _count(usage, "cached")
    fresh, known = max(0, prompt - cached), min(prompt, cached)
    had = price.input if price.cached is None else price.cached
    return (fresh * price.input + known * had + _count(usage, "completion") * price.output) / _MILLION


def _count(usage: Mapping[str, JSON], name: str) -> int:
    value = usage.get(name)
    return value if type(value) is int and value > 0 else 0


def _bounded(budget: Budgets) -> bool:
    return (budget.requests_per_day, budget.tokens_per_day, budget.money_per_day) != (None, None, None)
