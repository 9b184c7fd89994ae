"""The numbered rules (DESIGN 7). Pure: what is decided depends on the action, the catalogue, the run and the clock.

Every rule answers None (no objection), Ask or Deny. A Deny of any rule beats every Ask; the first of each counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import TypeVar

from .grants import approval_digest, expired
from .labels import ANYONE, Audience, Clause, Label, Trust
from .provenance import ADDRESSES, names, scalars
from .texts import carried
from .turn import Turn
from .values import JSON, Action, Allow, Ask, Decision, Deny, Principal, canonical


class Effect(StrEnum):
    """What a call does to the world, worst last. Whatever the catalogue does not declare is a commit."""

    READ = "read"
    READ_WITH_EFFECT = "read-with-effect"
    WRITE = "write"
    EGRESS = "egress"
    DESTROY = "destroy"
    COMMIT = "commit"


class Role(StrEnum):
    """Of an argument: who, what, where, how much (control); free text; or of no consequence (low)."""

    CONTROL = "control"
    TEXT = "text"
    LOW = "low"


class Profile(StrEnum):
    """How cautious: `strict` asks for untrusted text in effects, `unattended` has nobody to ask."""

    DEFAULT = "default"
    STRICT = "strict"
    UNATTENDED = "unattended"


T = TypeVar("T")
_NAMED = 4  # arguments that one question names
_INDEX = re.compile(r"/\d+")
_UNVOUCHED = Label(Trust.UNTRUSTED)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A declared part of a result.

    type     the kind of value: email, date, id, ...
    trust    how far the operator trusts it
    readers  who may read it, beside the others
    sole     it is free text, and the only value of that kind in it counts, if the user said what was to be read
    """

    type: str
    trust: Trust = Trust.TYPED
    readers: frozenset[Clause] = frozenset()
    sole: bool = False


def _accept(args: Mapping[str, JSON]) -> Mapping[str, JSON]:
    return args


@dataclass(frozen=True, slots=True)
class SinkSpec:
    """The operator's catalogue entry of one sink. The defaults are those of a tool nobody has described.

    check      returns the arguments in full if they match the pinned schema, raises ValueError with the mismatch
    confined   touches nothing beyond the declared places and sends nothing out
    audience   everyone who will see what goes in; None: the run's own principal alone
    clearance  the least trust that may go in
    output     the label of what comes back, before it is joined with the action's
    leaves     parts of what comes back that are declared, by JSON pointer; `*` stands for every member, a `#` at the
               end for its name
    types      the kind of value of an argument (`to`, `files/*/id`): only a value of that kind vouches for it
    words      by argument and value, what else a user says for it: {"access": {"rw": ["write", "edit"]}}
    reversible what a call did can be undone
    keyed      the argument that takes the call's idempotency key: the tool does a call with the same key once
    limit      calls per run; None: the run's own limits alone
    repeats    how often the very same call may be made in a run; None: an effect once, a read as often as it likes
    grounded   arguments whose numbers have to stand in the task or in a result: a model invents them otherwise
    suits      words of a task (a regular expression) for which this tool comes first, once what it needs is found
    opens      called by the runtime before the first step: "" without arguments, or the argument that takes the task
    """

    name: str
    pin: str = ""
    summary: str = ""
    schema: JSON = None
    check: Callable[[Mapping[str, JSON]], Mapping[str, JSON]] = _accept
    effect: Effect = Effect.COMMIT
    confined: bool = False
    idempotent: bool = False
    ask: bool = False
    roles: Mapping[str, Role] = field(default_factory=dict)
    callers: Clause | None = None
    audience: Audience | None = ANYONE
    clearance: Trust = Trust.UNTRUSTED
    output: Label = _UNVOUCHED
    leaves: Mapping[str, Leaf] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    reversible: bool = False
    keyed: str = ""
    limit: int | None = None
    repeats: int | None = None
    grounded: frozenset[str] = frozenset()
    suits: str = ""
    opens: str | None = None

    @property
    def reads(self) -> bool:
        """Changes nothing: may run beside others, and again after a crash."""
        return self.effect is Effect.READ

    @property
    def stays(self) -> bool:
        """Reads, and nothing leaves: its intent need not be durable before it is done."""
        return self.reads and self.confined

    @property
    def redo(self) -> bool:
        """May be done again when a crash hid whether it was done."""
        return self.reads or self.idempotent or self.keyed != ""


def wrong_caller(action: Action, spec: SinkSpec, turn: Turn) -> Deny | None:
    """POL-2: the principal needs one of the sink's roles."""
    if spec.callers is None or not spec.callers.isdisjoint(turn.principal.member):
        return None
    return Deny("POL-2", "wrong-role", f"{turn.principal.subject} may not use {action.sink}")


def outside_grant(action: Action, spec: SinkSpec, turn: Turn) -> Deny | None:
    """POL-3: outside the task's grant nothing happens, and no approval can change that."""
    if action.sink not in turn.grant.sinks:
        return Deny("POL-3", "outside-grant", f"{action.sink} is not part of this task")
    objects = turn.grant.objects.get(action.sink)
    for name, value, kind in control(action, spec) if not spec.reads else ():
        if objects is not None and value not in objects:
            return Deny("POL-3", "outside-grant", f"{name}={value!r} is not part of this task")
        if kind in ADDRESSES and turn.words.names(kind) and not turn.origin(value, kind):
            return Deny("POL-3", "outside-grant", f"{name}={value!r}: the task names another {kind}")
    return None


def bad_arguments(action: Action, spec: SinkSpec, turn: Turn) -> Deny | None:
    """POL-4, first half: arguments match the pinned schema."""
    try:
        canonical(dict(spec.check(action.args)))
        canonical(dict(action.args))
    except (ValueError, TypeError) as mismatch:
        return Deny("POL-4", "bad-arguments", str(mismatch))
    return None


def control(action: Action, spec: SinkSpec) -> Iterator[tuple[str, JSON, str]]:
    """(argument, value, kind) of every scalar that says who, what, where or how much.

    What the pinned schema gives when nobody says anything is the operator's word, and carries none of anybody else.
    """
    properties = (spec.schema or {}).get("properties", {})
    for name, given in action.args.items():
        rule = properties.get(name, {})
        if "default" in rule and rule["default"] == given and type(rule["default"]) is type(given):
            continue
        if spec.schema is not None and name not in properties:  # nobody but the caller chose that name
            yield f"{name}#", name, ""
        for pointer, value in (*_members(given, rule), *scalars(given)):
            if _of(spec.roles, name, pointer, Role.CONTROL) is Role.CONTROL:
                yield name + pointer, value, _of(spec.types, name, pointer, "")


def free_text(action: Action, spec: SinkSpec) -> Iterator[tuple[str, str]]:
    """(argument, text) of every free text."""
    for name, given in action.args.items():
        for pointer, text in (*_members(given, None), *scalars(given)):
            if isinstance(text, str) and text and _of(spec.roles, name, pointer, Role.CONTROL) is Role.TEXT:
                yield name, text


def _members(given: JSON, rule: JSON) -> Iterator[tuple[str, str]]:
    """Names in an argument that its schema does not pin: whoever calls may put anything there (`shares/*#`)."""
    pinned = {key for _, key in names(rule)}
    return ((f"{pointer}#", key) for pointer, key in names(given) if key not in pinned)


def _of(table: Mapping[str, T], name: str, pointer: str, default: T) -> T:
    """What a table says of a part of an argument (`files/*/id`), or else of the argument."""
    whole = table.get(name, default)
    return table.get(name + re.sub(r"[^/]*#$", "*#", _INDEX.sub("/*", pointer)), whole) if pointer else whole


def vouched(action: Action, spec: SinkSpec, turn: Turn) -> Iterator[tuple[str, JSON, str, str]]:
    """(argument, value, kind, who vouches for it) of every control argument."""
    for name, value, kind in control(action, spec):
        argument, slash, pointer = name.partition("/")
        said = _of(spec.words, argument, slash + pointer, {}).get(str(value).casefold(), ())
        yield name, value, kind, turn.origin(value, kind) or ("you" if any(map(turn.words.wrote, said)) else "")


def no_provenance(action: Action, spec: SinkSpec, turn: Turn) -> Ask | None:
    """POL-4, second half: each control argument of an effect is a value of its kind that somebody vouches for."""
    if spec.stays:
        return None
    found = (f"{name}={value!r}" for name, value, _, source in vouched(action, spec, turn) if not source)
    strays = list(islice(found, _NAMED))
    return Ask("POL-4", "no-provenance", f"{', '.join(strays)} did not come from you") if strays else None


def chosen(action: Action, spec: SinkSpec, turn: Turn) -> Ask | None:
    """POL-4 where nobody looks on: what is lost, and who gets free text, is the user's own choice, not a result's."""
    text = action.label.trust is Trust.UNTRUSTED and any(not turn.words.wrote(t) for _, t in free_text(action, spec))
    if spec.effect is not Effect.DESTROY and (spec.reads or not text):
        return None
    found = (f"{name}={value!r}" for name, value, _, source in vouched(action, spec, turn) if source.startswith("r"))
    strays = list(islice(found, _NAMED))
    return Ask("POL-4", "chosen", f"{', '.join(strays)} was chosen from a result") if strays else None


def forbidden_flow(action: Action, spec: SinkSpec, turn: Turn) -> Ask | Deny | None:
    """POL-5: the label flows to the sink's clearance, and everyone in its audience may read it.

    What names the one who asks as a reader, an effect may carry further if they say so themselves.
    """
    audience = frozenset({turn.principal.member}) if spec.audience is None else spec.audience
    if action.label.trust < spec.clearance:
        return Deny("POL-5", "untrusted", f"{action.sink} takes nothing below {spec.clearance.name.lower()} trust")
    if not (broken := action.label.broken_by(audience)):
        return None
    if not spec.reads and all(turn.principal.subject in clause for clause in broken):
        return Ask("POL-5", "release", f"others than you will see what {action.sink} gets")
    why = (
        f"some of what this is made from may not be read by everyone behind {action.sink}; `audience` says who is there"
    )
    return Deny("POL-5", "readers", why)


def carries_out(action: Action, spec: SinkSpec, turn: Turn) -> Ask | None:
    """POL-6: links, images and secrets that did not come from the user leave in no free text."""
    if spec.stays:
        return None
    for name, text in free_text(action, spec):
        for what, found in carried(text):
            if not (turn.words.wrote(found) or turn.origin(found, "url")):
                return Ask("POL-6", what, f"{name} holds a {what} that did not come from you: {found[:80]!r}")
    return None


def over_budget(action: Action, spec: SinkSpec, turn: Turn) -> Deny | None:
    """POL-7: calls per tool and task are bounded, and so are repeats of the very same call."""
    if turn.cut_off(action):
        return None
    limit = turn.grant.budgets.get(action.sink, spec.limit)
    if limit is not None and turn.calls[action.sink] >= limit:
        return Deny("POL-7", "budget", f"{action.sink} was called {limit} times, which is its limit for this task")
    repeats = spec.repeats if spec.reads else spec.repeats or 1  # an effect is meant once, and what failed was not done
    if repeats is not None and turn.seen[call := action.digest] - (0 if spec.reads else turn.failed[call]) >= repeats:
        return Deny("POL-7", "repeat", "this very call was made before; its result is above")
    return None


def sink_asks(action: Action, spec: SinkSpec, turn: Turn) -> Ask | None:
    """POL-8: the sink wants a human's yes."""
    return Ask("POL-8", "ask", f"{action.sink} wants a human's yes") if spec.ask else None


def untrusted_effect(action: Action, spec: SinkSpec, turn: Turn) -> Ask | None:
    """POL-6 under `strict`: free text of an effect that is not the user's own words asks."""
    if spec.reads or action.label.trust > Trust.UNTRUSTED:
        return None
    strays = [name for name, text in free_text(action, spec) if not turn.words.wrote(text)]
    return Ask("POL-6", "untrusted-text", f"nobody vouches for {', '.join(strays)}") if strays else None


_Rule = Callable[[Action, SinkSpec, Turn], Ask | Deny | None]
_RULES: tuple[_Rule, ...] = (
    wrong_caller, outside_grant, bad_arguments, no_provenance, forbidden_flow, carries_out, over_budget, sink_asks,
)  # fmt: skip
_PROFILES: Mapping[Profile, tuple[_Rule, ...]] = {
    Profile.DEFAULT: _RULES,
    Profile.STRICT: (*_RULES, chosen, untrusted_effect),
    Profile.UNATTENDED: (*_RULES, chosen),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The catalogue of sinks, the profile and who may say yes. `digest` names it all in approvals and records.

    approvers  who may approve; None: the one who asked
    four_eyes  nobody approves what a task of their own asks for
    """

    sinks: Mapping[str, SinkSpec]
    profile: Profile = Profile.DEFAULT
    digest: str = ""
    approvers: Clause | None = None
    four_eyes: bool = False

    def may_approve(self, who: Principal, turn: Turn) -> bool:
        """POL-9: whether `who` may answer what this run asks."""
        if who.subject == turn.principal.subject and (self.four_eyes or self.approvers is None):
            return not self.four_eyes
        return self.approvers is not None and not self.approvers.isdisjoint(who.member)

    def decide(self, action: Action, turn: Turn, *, now: int) -> Decision:
        """Allow, Ask or Deny. `now` is milliseconds since 1970."""
        spec = self.sinks.get(action.sink)
        if spec is None:  # POL-1: absence denies
            return Deny("POL-1", "unknown-sink", f"there is no {action.sink!r}")
        question: Ask | None = None
        for rule in _PROFILES[self.profile]:
            match rule(action, spec, turn):
                case Deny() as refusal:
                    return refusal
                case Ask() as asked:
                    question = question or asked
        if question is None:
            return Allow()
        if self.profile is Profile.UNATTENDED:
            return Deny(question.rule, question.code, f"{question.why}, and nobody is here to ask")
        approval = turn.approvals.get(approval_digest(action, pin=spec.pin, run=turn.run, policy=self.digest))
        if approval is None or expired(approval, now=now):
            return question
        return Allow("POL-9")
