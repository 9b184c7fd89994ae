"""The router: which model a step goes to, which it may go to at all, and when it goes upstairs. Pure; no clock inside.

How the loop calls it, once a step:

    route = router.classify(turn.start["task"])    # once a run; `route.reasons` hold no content: they may be in a view
    choice = choose(router.order(route.kind), turn, gate.policy, label, now=now, health=health, budget=spend)
    if not choice.tiers:                           # ask nobody; the words name the record that made the label
        give_up(choice.refusal(turn, gate.policy, label).why)
    sink = choice.tiers[0]                         # after an escalation: `choice.after(the last one)`, if there is one
    health.begin(sink, now)                        # a tier that was cooling off gets one request to prove itself
    outcome = await gate.perform(turn, Action(sink, ...))  # the gate decides again: nothing here widens what it allows
    health.note(sink, outcome, now)                # of an Outcome; a Deny says nothing of the server
    why_escalate(Signs.of(outcome), rules, taken=n)  # None: go on with what came; else ask the next of `choice.tiers`

A tier is a sink with an audience, so the label of the context says whether it is possible at all (POL-5). What `choose`
finds possible is what the gate's own policy allows: the two cannot disagree, whatever the order says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ringfence.core.labels import Audience, Label
from ringfence.core.policy import Policy
from ringfence.core.turn import Turn
from ringfence.core.values import Action, Allow, Deny, Outcome, Principal, Prompt

from .classify import KINDS, WEIGHTS, Classifier, Kind, Route
from .origin import origin

__all__ = [
    "ALL_REASONS", "KINDS", "MODEL", "WEIGHTS", "Budget", "Choice", "Health", "Kind", "Reason", "Route", "Router",
    "Rules", "Signs", "choose", "why_escalate",
]  # fmt: skip

MODEL = "model:"
_SHORT = {"readers": "not everyone who sees what is sent there may read this"}
_NOTHING_WRONG = "ContextOverflow"  # says something of the request, and nothing of the server


class Budget(Protocol):
    """What is left of a day's budget."""

    def refuses(self, principal: Principal, sink: str) -> str:
        """Why this principal may send nothing more to the sink today, in words; empty while they may."""
        ...


class Router:
    """Tells what kind of task a text is, and in which order the tiers are asked for such a task.

    tiers     names of the tiers, cheapest first
    priced    those of them that cost money
    chatty    those that are known not to call tools: they talk, and are the last that such a task is given to
    classes   by class: the names of the tiers that may be asked, in order; what is not named takes the order below
    patterns  and `weights`: see `Classifier`

    Where nothing is named, simple and tool tasks start at the cheapest tier and go up. Complex ones start at the second
    that costs nothing, if there is one, then go up; the cheapest comes last. So money is only spent where a tier below
    has failed, or where `classes` says so.
    """

    def __init__(
        self,
        tiers: Sequence[str],
        *,
        priced: Collection[str] = (),
        chatty: Collection[str] = (),
        classes: Mapping[str, Sequence[str]] | None = None,
        patterns: Mapping[str, Sequence[str]] | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        self._classify = Classifier(patterns, weights)
        free, paid = [t for t in tiers if t not in priced], [t for t in tiers if t in priced]
        up, high = tuple(tiers), (*free[1:], *paid, *free[:1]) if free[1:] else tuple(tiers)
        usual = {"simple": up, "tool": up, "complex": high}
        for kind in ("tool", "complex"):
            usual[kind] = tuple(
                sorted(usual[kind], key=lambda name: name in chatty)
            )  # stable: the rest keep their order
        named = {**usual, **(classes or {})}
        self._order = {kind: tuple(MODEL + name for name in named[kind]) for kind in KINDS}

    def classify(self, text: str) -> Route:
        """The class of a task, with scores and reasons in words. Tens of microseconds, and bounded for any text."""
        return self._classify(text)

    def order(self, kind: Kind) -> tuple[str, ...]:
        """Sinks (`model:small`) in the order in which they are asked for such a task."""
        return self._order[kind]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which tiers may be asked now.

    tiers    sinks that are possible, in order; none: the run is refused, never sent anywhere else
    refused  by sink: the code and the words of why it is not possible, in order
    """

    tiers: tuple[str, ...]
    refused: Mapping[str, Deny] = field(default_factory=dict)

    def refusal(self, turn: Turn, policy: Policy, label: Label) -> Deny:
        """Why no tier is possible, in words for the one who asked, and which record gave the context its label."""
        if not self.refused:
            return Deny("POL-1", "no-tier", "no model is named for this kind of task")
        told = "; ".join(
            f"{sink.removeprefix(MODEL)}: {_SHORT.get(no.code, no.why)}" for sink, no in self.refused.items()
        )
        found = [
            words
            for sink, no in self.refused.items()
            if no.rule == "POL-5" and (spec := policy.sinks.get(sink)) is not None
            for words in origin(turn, label, _audience(spec.audience, turn), spec.clearance)
        ]
        first = next(iter(self.refused.values()))
        where = "".join(f". {words}" for words in dict.fromkeys(found))
        return Deny(first.rule, "no-tier", f"no model may be asked: {told}{where}")


def _audience(audience: Audience | None, turn: Turn) -> Audience:
    return frozenset({turn.principal.member}) if audience is None else audience


def choose(
    order: Sequence[str],
    turn: Turn,
    policy: Policy,
    label: Label,
    *,
    now: int,
    health: Health | None = None,
    budget: Budget | None = None,
) -> Choice:
    """Which of these sinks may be asked, with a context that is labelled so. `now`: milliseconds since 1970.

    Fails closed: what the policy would not simply allow (unknown, not this principal's, outside the grant, an audience
    that may not read it all) is not possible, nor is a tier whose budget is spent or cannot be told. One that is
    cooling off after failures is passed over while there is another; what is left is asked, and says what is wrong.
    Order is kept.
    """
    tiers: list[str] = []
    refused: dict[str, Deny] = {}
    for sink in dict.fromkeys(order):
        no = forbidden(sink, turn, policy, label, now=now)
        if no is None and budget is not None and (why := budget.refuses(turn.principal, sink)):
            no = Deny("POL-7", "budget", why)
        if no is None and health is not None and (why := health.why_not(sink, now)):
            no = Deny("", "cooling-off", why)
        if no is None:
            tiers.append(sink)
        else:
            refused[sink] = no
    if not tiers:
        tiers = [sink for sink, no in refused.items() if no.code == "cooling-off"]
        refused = {sink: no for sink, no in refused.items() if sink not in tiers}
    return Choice(tuple(tiers), refused)


def forbidden(
    sink: str, turn: Turn, policy: Policy, label: Label, *, now: int, prompt: Prompt | None = None
) -> Deny | None:
    """Why the policy lets nothing that is labelled so, or not this prompt, go to a tier; None if it does.

    `now`: see `choose`.
    """
    match policy.decide(Action(sink, {}, label, prompt=prompt or Prompt(()), run=turn.run), turn, now=now):
        case Allow():
            return None
        case no:  # nobody is asked whether a model may be asked
            return Deny(no.rule, no.code, no.why)


class Health:
    """A circuit breaker for each tier: after `failures` in a row it is left alone for `cool_s`, then asked once.

    Times are milliseconds since 1970, given by the caller. In memory: each process finds out for itself.
    """

    def __init__(self, *, failures: int = 3, cool_s: float = 30.0) -> None:
        self._failures, self._cool_ms = failures, int(cool_s * 1000)
        self._failed: dict[str, int] = {}  # in a row
        self._until: dict[str, int] = {}  # cooling off, or tried at this moment by somebody else

    def why_not(self, sink: str, now: int) -> str:
        """Why it is not asked now, in words; empty if it may be. Changes nothing."""
        if self._failed.get(sink, 0) < self._failures or now >= self._until.get(sink, 0):
            return ""
        seconds = -(-(self._until[sink] - now) // 1000)
        return f"it failed {self._failed[sink]} times in a row and is left alone for another {seconds} s"

    def begin(self, sink: str, now: int) -> None:
        """It is asked now: after a pause it is left to this one request until `note`, or for another `cool_s`."""
        if self._failed.get(sink, 0) >= self._failures:
            self._until[sink] = now + self._cool_ms

    def note(self, sink: str, outcome: Outcome, now: int) -> None:
        """How a request went. One that did not fit the window says nothing of the server's health."""
        if outcome.ok:
            self._failed.pop(sink, None)
            self._until.pop(sink, None)
        elif outcome.value.get("kind") != _NOTHING_WRONG:
            self._failed[sink] = self._failed.get(sink, 0) + 1
            self._until[sink] = now + self._cool_ms


ReasonCode = Literal["failure", "empty", "unsure", "exhausted", "invalid"]
ALL_REASONS: frozenset[ReasonCode] = frozenset({"failure", "empty", "unsure", "exhausted", "invalid"})


@dataclass(frozen=True, slots=True)
class Rules:
    """When a step goes to the next tier. `sure`: below this probability of the decision token it does; 0: never.

    at_most  escalations of one run
    """

    when: frozenset[ReasonCode] = ALL_REASONS
    at_most: int = 1
    sure: float = 0.6


@dataclass(frozen=True, slots=True)
class Signs:
    """What a step of the model shows. `Signs.of` reads the outcome; the loop adds what only it can tell (`replace`).

    failed      what the model server's fault was; empty if there was none
    text        what the model said
    sure        probability of the token that decided the step, where the server tells it
    confidence  the model's own word in its final answer: low, medium or high
    exhausted   what could not be read, after every rung of the ladder; empty while there is one left
    invalid     what a validation of the step found; empty if nothing
    """

    failed: str = ""
    text: str = ""
    sure: float | None = None
    confidence: str = ""
    exhausted: str = ""
    invalid: str = ""

    @classmethod
    def of(cls, outcome: Outcome) -> Signs:
        """From what a model's sink returned."""
        value = outcome.value
        if not outcome.ok:
            return cls(failed=str(value.get("error") or "the model server failed"))
        sure = value.get("sure")
        known = float(sure) if isinstance(sure, int | float) and not isinstance(sure, bool) and sure == sure else None
        return cls(text=str(value.get("text", "")), sure=known)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a step goes to the next tier: a code for the record, and words that hold nothing of the content."""

    code: ReasonCode
    why: str


def why_escalate(signs: Signs, rules: Rules, *, taken: int = 0) -> Reason | None:
    """Why to ask the next tier, or None to go on with what came. `taken`: escalations of this run so far."""
    if taken >= rules.at_most:
        return None
    return next((reason for reason in _reasons(signs, rules.sure) if reason.code in rules.when), None)


def _reasons(signs: Signs, sure: float) -> Iterator[Reason]:
    if signs.failed:
        yield Reason("failure", "the model server failed")
        return
    if not signs.text.strip():
        yield Reason("empty", "the model said nothing")
    if signs.exhausted:
        yield Reason("exhausted", "what the model said could not be read, on any rung of the ladder")
    if signs.invalid:
        yield Reason("invalid", "the step did not pass its validation")
    if signs.sure is not None and signs.sure < sure:
        yield Reason("unsure", f"the model was unsure ({signs.sure:.2f}, and {sure:g} is asked for)")
    elif signs.confidence.strip().lower() == "low":
        yield Reason("unsure", "the model says itself that its answer is unsure")
