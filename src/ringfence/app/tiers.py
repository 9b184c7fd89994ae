"""What stands between an agent and its models: patience with them, answers of theirs that are kept, budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence import backends
from ringfence.backends import Backend
from ringfence.backends.models import data_home
from ringfence.core.ports import Clock, Sink
from ringfence.core.values import JSON
from ringfence.engine import tier as engine
from ringfence.engine.tier import Veil
from ringfence.manifest.types import Budgets, Manifest, Tier
from ringfence.stores.spend import Spend

if TYPE_CHECKING:
    from ringfence.backends.cached import Replies


DEFAULT_WINDOW = 4096  # tokens, for a server that does not say


async def tier_of(config: Tier, backend: Backend | None, veil: Veil | None, *, now: bool) -> engine.Tier:
    """A tier as runs see it. Its server is asked for its window `now`, or else when a run comes to it.

    `backend`: None for a server that may not hear the user's words, and so is not even asked. One that others see into
    counts nothing for us: what it is shown is on record. Raises BackendError if a server that is asked is absent.
    """

    async def window() -> int | None:
        found = (await backend.probe()).window if backend is not None else None
        return min(filter(None, (config.max_context, found)), default=None)

    return engine.Tier(
        f"model:{config.name}",
        (await window() if now else config.max_context) or DEFAULT_WINDOW,
        config.max_tokens or 512,
        veil,
        count=backend.count if backend is not None and backend.audience is None else None,
        ask_window=None if now else window,
    )


class Before:
    """What is put before the models of one agent; they share what is kept of their answers."""

    def __init__(self, manifest: Manifest, clock: Clock) -> None:
        self._cache = manifest.inference.cache
        self._clock = clock
        self._replies: Replies | None = None

    def of(self, tier: Tier, sink: Sink, *, backend: Backend | None) -> Sink:
        """The sink of a tier, as its manifest wants it. `backend`: None for one that takes the place of the tier's."""
        if tier.patience_s is not None:
            from ringfence.backends.patient import Patient

            sink = Patient(sink, tier.patience_s)
        if not self._cache or tier.temperature != 0:
            return sink
        from ringfence.backends.cached import Cached, Replies

        async def identity() -> str:
            return "given" if backend is None else await backends.identity(tier, backend, data_home())

        self._replies = self._replies or Replies(self._clock)
        sampling: JSON = [tier.temperature, tier.top_p, tier.max_context]
        return Cached(sink, self._replies, identity=identity, sampling=sampling)


def budgeted(manifest: Manifest, clock: Clock) -> Spend | None:
    """What counts the use of tiers and holds it against their budgets; None if no tier has one."""
    tiers = manifest.inference.tiers
    if all(tier.budgets == Budgets() for tier in tiers):
        return None
    prices = {f"model:{tier.name}": tier.price for tier in tiers if tier.price is not None}
    return Spend({f"model:{tier.name}": tier.budgets for tier in tiers}, clock, prices=prices)
