"""How a server stands: its models and how fast they are, its queue, what somebody has used of their budgets."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from ringfence import __version__
from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError
from ringfence.core.values import JSON, Principal
from ringfence.manifest.routing import Budgets
from ringfence.manifest.types import Tier

from .service import ADMIN, Service

_OPEN = 4_096  # requests without an answer that are remembered
_WEIGHT = 0.2  # of the newest answer in the mean


class Speeds:
    """How many tokens a second each model has written lately, as its answers are put on record here."""

    def __init__(self) -> None:
        self.by_sink: dict[str, float] = {}
        self._open: OrderedDict[tuple[str, int], str] = OrderedDict()

    def __call__(self, record: Record) -> None:
        """See a record."""
        if record.kind is Kind.INTENT and str(record.view.get("sink", "")).startswith("model:"):
            self._open[record.run, record.seq] = record.view["sink"]
            if len(self._open) > _OPEN:
                self._open.popitem(last=False)
        elif record.kind is Kind.OUTCOME and (sink := self._open.pop((record.run, record.view.get("of", -1)), "")):
            tokens, took = (record.view.get("usage") or {}).get("completion", 0), record.view.get("ms", 0)
            if tokens and took:
                now = tokens * 1000 / took
                known = self.by_sink.get(sink, now)
                self.by_sink[sink] = known + _WEIGHT * (now - known)


async def standing(service: Service, speeds: Speeds, who: Principal, *, whole: bool = True) -> dict[str, JSON]:
    """What somebody may know of it; for admins, if it is to be `whole`, everybody's queue and what is wrong."""
    agent, queue = service.agent, service.status()
    engine = await agent.open()
    mine = queue.each.get(who.subject, (0, 0))
    windows = {sink: tier.window for sink, tier in engine._asking._tiers.items()}  # as they turned out to be
    found: dict[str, JSON] = {
        "agent": agent.manifest.runtime.name,
        "version": __version__,
        "models": [_model(service, speeds, who, tier, windows) for tier in agent.manifest.inference.tiers],
        "queue": {
            "running": queue.running, "queued": queue.queued, "yours": {"running": mine[0], "queued": mine[1]},
            "limits": queue.limits.model_dump(include={"running", "running_each", "queued", "queued_each"}),
            "run_s": queue.run_s, "closing": queue.closing,
        },
        "admin": None,
    }  # fmt: skip
    if whole and ADMIN in who.roles:
        found["admin"] = {
            "each": {subject: {"running": one[0], "queued": one[1]} for subject, one in queue.each.items()},
            "refused": queue.refused,
            "warnings": list(agent.warnings),
            "troubles": list(agent.troubles),
        }
    return found


def _model(service: Service, speeds: Speeds, who: Principal, tier: Tier, windows: dict[str, int]) -> dict[str, Any]:
    sink = f"model:{tier.name}"
    return {
        "tier": tier.name, "model": tier.model, "provider": tier.provider, "window": windows.get(sink),
        "max_tokens": tier.max_tokens or 512, "tokens_per_s": speeds.by_sink.get(sink),
        "used": _used(service, who, tier, sink),
    }  # fmt: skip


def _used(service: Service, who: Principal, tier: Tier, sink: str) -> dict[str, JSON] | None:
    """What they have used of a tier today, and what they may; None where it has no budget, or that cannot be told."""
    spend = service.agent.house.spend
    if spend is None or tier.budgets == Budgets():
        return None
    try:
        spent = spend.spent(who, sink)
    except JournalError:
        return None
    return {
        "requests": spent.requests, "tokens": spent.tokens, "money": spent.money,
        "currency": tier.price.currency if tier.price else "",
        "requests_per_day": tier.budgets.requests_per_day, "tokens_per_day": tier.budgets.tokens_per_day,
        "money_per_day": tier.budgets.money_per_day,
    }  # fmt: skip
