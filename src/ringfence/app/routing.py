"""The router of a manifest, and what it would do with a task: nothing is run, reached or sent for that."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringfence import backends, stores
from ringfence.backends import models
from ringfence.backends.models import data_home
from ringfence.core.errors import ManifestError
from ringfence.core.grants import TaskGrant
from ringfence.core.labels import Audience, Label, Trust
from ringfence.core.turn import Turn
from ringfence.core.values import Principal
from ringfence.engine.asking import Routing
from ringfence.engine.origin import who
from ringfence.engine.router import KINDS, MODEL, Health, Kind, Router, Rules, choose
from ringfence.manifest.fields import loopback
from ringfence.manifest.security import Grant
from ringfence.manifest.types import Budgets, Manifest, Tier, Workflow
from ringfence.stores.spend import Spend, Spent

from . import record
from .house import furnish
from .ids import now_ms
from .policy import policy_of

if TYPE_CHECKING:
    from ringfence.stores.log import Log

_READER = r"(?:(?:role|user|team):[^\s:]+|public)"


def router_of(manifest: Manifest) -> Router:
    """The router that a manifest describes."""
    routing, tiers = manifest.routing, manifest.inference.tiers
    return Router(
        [tier.name for tier in tiers],
        priced=[tier.name for tier in tiers if tier.price is not None],
        chatty=[tier.name for tier in tiers if _only_talks(tier)],
        classes=routing.classes.named,
        patterns=routing.patterns.named,
        weights=routing.weights.named,
    )


def _only_talks(tier: Tier) -> bool:
    """Whether a model is known not to call tools: by our catalogue, or by what `models probe` found of its server."""
    home = data_home()
    known = models.catalogue(home).get(tier.model) if tier.provider == "embedded" else None
    if known is not None and not known.tools:
        return True
    found = backends.examined(tier, home=home)
    return found is not None and not found.native and found.grammar == ""


def rules_of(manifest: Manifest) -> Rules:
    """When a step goes to the next tier."""
    escalate = manifest.routing.escalate
    return Rules(frozenset(escalate.when), escalate.at_most, escalate.sure)


def health_of(manifest: Manifest) -> Health:
    """The circuit breaker of the tiers."""
    breaker = manifest.routing.breaker
    return Health(failures=breaker.failures, cool_s=breaker.cool_s)


def routing_of(manifest: Manifest, spend: Spend | None) -> Routing | None:
    """How runs choose among the tiers of a manifest; None where there is one alone."""
    if len(manifest.inference.tiers) == 1:
        return None
    return Routing(router_of(manifest), rules_of(manifest), health_of(manifest), now_ms, spend)


def in_words(manifest: Manifest) -> list[str]:
    """Which tiers take which tasks, and when one hands over to the next: for `doctor` and `manifest check`."""
    router, rules = router_of(manifest), rules_of(manifest)
    ways: dict[str, list[str]] = {}
    for kind in KINDS:
        names = ", then ".join(sink.removeprefix(MODEL) for sink in router.order(kind))
        ways.setdefault(names, []).append(kind)
    told = [f"{' and '.join(kinds)} tasks go to {names}" for names, kinds in ways.items()]
    if not rules.when or not rules.at_most:
        return [*told, "a step never goes to the next tier"]
    times = "once" if rules.at_most == 1 else f"{rules.at_most} times"
    return [*told, f"a step goes to the next tier, {times} a run, on {', '.join(manifest.routing.escalate.when)}"]


@dataclass(frozen=True, slots=True)
class Seat:
    """One tier, as it would be asked.

    code, why  why it is not possible; empty if it is
    place      where the request would go
    seen_by    who would see it there
    spent      what was used of it today, None where that cannot be told or nothing counts it; `left` in words
    """

    tier: str
    model: str
    place: str
    seen_by: tuple[str, ...]
    code: str = ""
    why: str = ""
    spent: Spent | None = None
    left: str = ""
    redacted: bool = False

    @property
    def possible(self) -> bool:
        """Whether it may be asked now."""
        return not self.code


@dataclass(frozen=True, slots=True)
class Explained:
    """What the router would do with a task. `seats`: in the order in which the tiers would be asked.

    chars, bytes  of the text; a request has the tools and what was found beside it
    refusal       why no tier is possible, in words; empty if one is
    """

    kind: Kind
    scores: dict[str, float]
    reasons: tuple[str, ...]
    label: Label
    seats: tuple[Seat, ...]
    chars: int
    bytes: int
    refusal: str = ""


async def explain(manifest: Manifest, text: str, principal: Principal, labels: Iterable[str] = ()) -> Explained:
    """Where a task would go, were its context labelled so beside the words of the one who asks.

    `labels`: readers, such as `role:hr` or `role:hr,user:bob` (any of them), or a trust such as `untrusted`.
    Reads the log for what budgets have left; reaches no server. Raises ManifestError, and JournalError for such a log
    that cannot be read.
    """
    alone = {"tools": (), "catalogue": {}, "grant": Grant(), "workflow": Workflow()}
    house = furnish(manifest.model_copy(update=alone), (), clock=now_ms)
    log: Any = None
    try:
        policy, router = policy_of(manifest, house.specs), router_of(manifest)
        label = labelled(principal, labels)
        turn = Turn(run="route", principal=principal, grant=TaskGrant(frozenset(house.specs), {}))
        if house.spend is not None:
            house.spend.log = log = _log(manifest)
        route = router.classify(text)
        choice = choose(router.order(route.kind), turn, policy, label, now=now_ms(), budget=house.spend)
        tiers = {f"model:{tier.name}": tier for tier in manifest.inference.tiers}
        seats = []
        for sink in router.order(route.kind):
            no, tier = choice.refused.get(sink), tiers[sink]
            spent, left = _left(house.spend, principal, sink, tier)
            seats.append(
                Seat(
                    tier.name, tier.model, _place(tier), _seen_by(house.specs[sink].audience, principal),
                    no.code if no else "", no.why if no else "", spent, left, tier.redact,
                )
            )  # fmt: skip
        refusal = "" if choice.tiers else choice.refusal(turn, policy, label).why
        size = len(text.encode("utf-8", "replace"))
        return Explained(
            route.kind, dict(route.scores), route.reasons, label, tuple(seats), len(text), size, refusal
        )  # fmt: skip
    finally:
        if log is not None:
            log.close()
        await house.aclose()


def labelled(principal: Principal, labels: Iterable[str]) -> Label:
    """The label of the principal's own words, joined with these; raises ManifestError for what is none."""
    label = Label(Trust.USER, frozenset({principal.member}))
    for text in labels:
        names = [name.strip() for name in text.split(",")]
        if names[0].upper() in Trust.__members__ and len(names) == 1:
            label = label.join(Label(Trust[names[0].upper()]))
        elif all(re.fullmatch(_READER, name) for name in names):
            clause = frozenset(names)
            label = label.join(Label(Trust.OPERATOR, frozenset() if "public" in clause else frozenset({clause})))
        else:
            raise ManifestError(
                f"expected a label, got {text!r}",
                todo="write role:NAME, user:NAME or team:NAME (several with commas: any of them), or untrusted",
            )
    return label


def _log(manifest: Manifest) -> Log | None:
    """The journal, for reading; None if there is none yet. Raises JournalError if it cannot be read."""
    if manifest.audit.recorder is not None:
        return stores.read_recorder(manifest.root / manifest.audit.recorder)
    return record.open_log(manifest) if record.journal_path(manifest).exists() else None


def _left(spend: Spend | None, principal: Principal, sink: str, tier: Tier) -> tuple[Spent | None, str]:
    """What was used of a tier today, and what of its budgets is left, in words."""
    budgets = tier.budgets
    if spend is None or budgets == Budgets():
        return None, "no budget"
    spent = spend.spent(principal, sink)
    parts = [
        f"{max(0, most - used):.10g} of {most:g} {unit}"
        for used, most, unit in (
            (spent.requests, budgets.requests_per_day, "requests"),
            (spent.tokens, budgets.tokens_per_day, "tokens"),
            (spent.money, budgets.money_per_day, tier.price.currency if tier.price else ""),
        )
        if most is not None
    ]
    return spent, f"{', '.join(parts)} left today (UTC)"


def _place(tier: Tier) -> str:
    """Where a request to a tier goes."""
    if tier.endpoint is None:
        return "a server of its own on this machine"
    return f"{tier.endpoint}, {'on this machine' if loopback(tier.endpoint) else 'on another machine'}"


def _seen_by(audience: Audience | None, principal: Principal) -> tuple[str, ...]:
    """Who sees what is sent to a tier, in words."""
    if audience is None:
        return (f"{principal.subject} alone",)
    return tuple(sorted(who(member) if member else "anyone: public content only" for member in audience))
