"""A run's decisions taken again, on the outcomes that are on record: what would a policy that has changed have said?

Pure: nothing is performed, no model is asked, nothing is written, and the clock is the time on record. Each action is
made again from what the model said, and decided in the state that the records before it fold to. So a difference is the
policy's alone; what the model would have said to it nobody can know, and the rest of the run is compared all the same.
Results keep the labels and typed leaves that they were recorded with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import InternalError
from ringfence.core.gate import Gate
from ringfence.core.grants import TaskGrant
from ringfence.core.turn import Turn, fold
from ringfence.core.values import JSON, Action, Allow, Ask, Decision, Deny

from .context import Said
from .loop import Engine
from .step import LOOK_UP, TOOL

_NOT_THE_POLICYS = ("denied", "expired", "changed")  # a person's word, or that there was none; a policy that changed


@dataclass(frozen=True, slots=True)
class Difference:
    """One record that would be another one now.

    what      "decision"; "call": its arguments in full; "prompt": what the model would be sent
    recorded  such as "allow POL-8" or "deny POL-7 repeat"; of a call its arguments, of a prompt its digest
    """

    seq: int
    what: str
    sink: str
    args: JSON
    recorded: str
    now: str
    why: str = ""


@dataclass(slots=True)
class Replay:
    """What came of it: how much was compared, every difference in order of `seq`, and what is to be said once."""

    run: str
    decisions: int = 0
    prompts: int = 0
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def replay(
    engine: Engine,
    gate: Gate,
    records: Sequence[Record],
    *,
    grant: TaskGrant,
    heard: tuple[str, ...] = (),
    history: Sequence[Said] = (),
    seen: Callable[[Record], object] = lambda _: None,
) -> Replay:
    """Compare each decision and each prompt of a run with what the engine and the gate's policy would make of it now.

    `grant` is what its task would be granted now; `seen` is told of each record when it is passed. Raises JournalError
    for records that do not fold.
    """
    again = _Again(engine, gate, records, grant, heard, history)
    for at, record in enumerate(records):
        again.compare(at, record)
        again.go_on(record)
        seen(record)
    return again.noted()


class _Again:
    def __init__(
        self,
        engine: Engine,
        gate: Gate,
        records: Sequence[Record],
        grant: TaskGrant,
        heard: tuple[str, ...],
        history: Sequence[Said],
    ) -> None:
        first = records[0]
        self._engine, self._gate, self._policy = engine, gate, gate.policy
        self._heard, self._grant = heard, grant
        self._done: list[Record] = []  # folded so far, with the approvals as they would be given now
        self._approvals: dict[str, str] = {}  # digests on record, and now
        self._turn = Turn()
        self._live = engine.live(self._opened([first]), history)
        self._effects = frozenset(first.view.get("effects", ()))
        self._plans = bool(first.body.get("plans"))
        self._told, self._copies = first.view.get("policy", self._policy.digest), 0  # an erasure is under none
        self._result = Replay(first.run)

    def _opened(self, records: Sequence[Record]) -> Turn:
        turn = fold(records)
        turn.grant, turn.heard = self._grant, self._heard
        return turn

    def noted(self) -> Replay:
        """The result, with what is to be said once."""
        if self._told != self._policy.digest:
            self._result.notes.append(f"recorded under policy {self._told}, decided again under {self._policy.digest}")
        if moved := sum(old != new for old, new in self._approvals.items()):
            self._result.notes.append(
                f"approvals that were given under another policy, and counted as given under this one: {moved}"
            )
        if self._copies:
            self._result.notes.append(f"decisions that are copies of another run's, and not compared: {self._copies}")
        return self._result

    def go_on(self, record: Record) -> None:
        """Fold a record in. A yes counts for the same call under the policy as it is: it is said once that it moved."""
        body = record.body
        if record.kind is Kind.APPROVAL and "copied" not in record.view and self._turn.question is not None:
            action = self._asked(self._turn.question)
            if action.sink in self._policy.sinks:
                self._approvals[body["digest"]] = self._gate.approval_digest(self._turn, action)
            body = {**body, "digest": self._approvals.get(body["digest"], body["digest"])}
        elif "approval" in body:
            body = {**body, "approval": self._approvals.get(body["approval"], body["approval"])}
        record = record if body is record.body else replace(record, body=body)
        self._done.append(record)
        if record.kind is Kind.STARTED:
            self._turn = self._opened([record])
        else:
            self._turn.apply(record)

    def compare(self, at: int, record: Record) -> None:
        """Decide again what a record decided."""
        if record.kind not in (Kind.INTENT, Kind.DECISION):
            return
        if "copied" in record.view:
            self._copies += 1
            return
        if record.view.get("code") in _NOT_THE_POLICYS:
            return
        if "prompt" in record.body and not self._plans:
            self._prompt(record)
        self._decision(at, record)

    def _prompt(self, record: Record) -> None:
        self._result.prompts += 1
        now = self._engine.sent(self._turn, self._live, like=record).digest
        if now != record.body["prompt"]:
            why = "the system prompt, the tools, the grammar or the bounds of a run have changed"
            self._differs(record, "prompt", record.body["prompt"], now, why)

    def _decision(self, at: int, record: Record) -> None:
        turn = self._turn if record.view.get("verdict") != "ask" else self._when_decided(at, record)
        try:
            action, objection = self._engine.again(turn, self._live, record)
        except ValueError as error:
            raise InternalError(f"run {record.run}: record {record.seq} cannot be made again: {error}") from error
        if action.args != record.body.get("args", {}):
            self._differs(record, "call", _text(record.body["args"]), _text(action.args))
            return
        decision = objection or self._policy.decide(action, turn, now=record.time)
        if isinstance(decision, Ask) and action.call <= LOOK_UP and record.view.get("verdict") == "deny":
            decision = Deny(decision.rule, decision.code, decision.why)  # the ledger asks nobody what became of a call
        self._result.decisions += 1
        recorded, now = _recorded(record), _named(decision)
        if record.view.get("code") == "rate":  # counted over other runs too: whatever it said, the policy allowed it
            recorded, now = ("allow", "allow") if isinstance(decision, Allow) else (recorded, now)
        if recorded != now:
            self._differs(record, "decision", recorded, now, getattr(decision, "why", ""))

    def _asked(self, record: Record) -> Action:
        """What was asked, as it is on record."""
        return Action(record.view["sink"], record.body["args"], record.label, call=record.body["call"], run=record.run)

    def _when_decided(self, at: int, record: Record) -> Turn:
        """The state in which a question was decided: it is recorded only when the reads beside it have answered."""
        asked = self._turn.question
        if asked is not None and asked.body["call"] == record.body["call"]:  # asked anew
            return self._turn
        intents = {r.seq: r for r in self._done if r.kind is Kind.INTENT}
        while at:
            before = self._done[at - 1]
            if before.kind is Kind.OUTCOME:
                sink = intents[before.view["of"]].view["sink"]
                beside = sink.startswith(TOOL) and sink not in self._effects
            elif before.kind is Kind.CHECKPOINT:
                beside = "egress" in before.view
            elif before.kind in (Kind.INTENT, Kind.DECISION) and "call" in before.body:
                beside = before.view.get("verdict") == "ask" or before.body["call"] > record.body["call"]
            else:
                beside = False
            if not beside:
                break
            at -= 1
        return self._turn if at == len(self._done) else self._opened(self._done[:at])

    def _differs(self, record: Record, what: str, recorded: str, now: str, why: str = "") -> None:
        args = record.body.get("args", {})
        self._result.differences.append(Difference(record.seq, what, record.view["sink"], args, recorded, now, why))


def _recorded(record: Record) -> str:
    view = record.view
    return f"allow {view['rule']}" if record.kind is Kind.INTENT else f"{view['verdict']} {view['rule']} {view['code']}"


def _named(decision: Decision) -> str:
    if isinstance(decision, Allow):
        return f"allow {decision.rule}"
    return f"{type(decision).__name__.lower()} {decision.rule} {decision.code}"


def _text(args: JSON) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in args.items())
