"""What drives the runs of an agent: made once, from what its models and its house turn out to have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.core.errors import BackendError
from ringfence.core.gate import Gate
from ringfence.core.labels import Label, Trust
from ringfence.engine.ledger import Reconcile
from ringfence.engine.loop import Engine
from ringfence.engine.mapreduce import Reader

from . import past
from .house import REPLY
from .routing import routing_of
from .settings import settings_of
from .tiers import tier_of

if TYPE_CHECKING:
    from .agent import Agent


async def engine_of(agent: Agent, gate: Gate, *, probe: bool) -> Engine:
    """The engine of an agent; with `probe` the sandbox is chosen and each model is asked what it has."""
    house, manifest, journal = agent.house, agent.manifest, agent.journal
    sandbox = await house.launcher.choose() if house.launcher is not None and probe else ""
    tiers = []
    for n, config in enumerate(manifest.inference.tiers):
        sink = f"model:{config.name}"
        hears = probe and bool(house.backends) and _may_hear(agent, sink)
        backend = house.backends[n] if hears else None
        veil = house.veils.get(sink)
        try:
            tiers.append(await tier_of(config, backend, veil, now=not n))
        except BackendError:
            if len(house.backends) == 1:
                raise
            tiers.append(await tier_of(config, backend, veil, now=False))  # a run finds so, and goes to another
    catalogue = manifest.catalogue.items()
    ways = {f"tool:{n}": Reconcile(f"tool:{w.by}", w.args, w.done) for n, e in catalogue if (w := e.reconcile)}
    engine = Engine(
        gate,
        tiers,
        settings_of(manifest, sandbox),
        reply=REPLY,
        read_more=house.read_more,
        keep=getattr(journal, "keep_state", None),
        reconcile=ways,
        routing=routing_of(manifest, house.spend),
        about=lambda run: past.subjects(journal.log, run),
    )
    house.read_all.reader = Reader(
        gate, engine.tier, past=lambda run: past.records(journal.log, run), limit=manifest.workflow.max_tokens
    )
    house.read_all.about = house.ranker.about = lambda run: past.subjects(journal.log, run)
    house.ranker.gate, house.ranker.tier = gate, engine.tier
    return engine


def _may_hear(agent: Agent, sink: str) -> bool:
    """Whether the user's words may go there at all; a server that they may not is not even asked what it has."""
    who = agent.principal.member
    words, spec = Label(Trust.USER, frozenset({who})), agent.house.specs[sink]
    audience = frozenset({who}) if spec.audience is None else spec.audience
    return words.flows_to(spec.clearance, audience)
