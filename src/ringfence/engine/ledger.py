"""The effect ledger: what becomes of a call whose intent is on record and whose outcome is not (DESIGN 8).

A crash, or an answer that never came, hides whether it was done. What may be done twice is done again under its key;
for the rest the manifest may name a tool that finds out, and where that does not help a person is asked. Nothing is
silently tried again, and nothing is forgotten: no run goes on past such a call.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError
from ringfence.core.gate import Gate
from ringfence.core.labels import Label, Trust, join_all
from ringfence.core.provenance import at
from ringfence.core.turn import State, Turn
from ringfence.core.values import JSON, Action, Ask, Deny, Outcome, Principal, canonical

from .consent import entitled
from .step import LOOK_UP, TOOL

INTERRUPTED = "the run was interrupted before the outcome was on record"


@dataclass(frozen=True, slots=True)
class Reconcile:
    """How to find out whether a call was done.

    by    the sink that is asked, which reads
    args  its arguments; `$key` stands for the call's key, `$args/NAME` for an argument of the call
    done  JSON pointer into its result. What is there says so: something, that it was done; something empty, false or
          0, that it was not. Nothing at all there says nothing
    """

    by: str
    args: Mapping[str, JSON]
    done: str = ""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A call of which nobody knows whether it was done.

    seq   of its intent, by which it is settled
    args  as they were sent
    when  it was made, in milliseconds since 1970
    why   nobody knows
    """

    run: str
    task: str
    seq: int
    sink: str
    args: Mapping[str, JSON]
    key: str
    when: int
    why: str


def unsettled(gate: Gate, turn: Turn) -> list[Unsettled]:
    """The calls of a run that a person has to look at: those that park it, or that a crash has just hidden.

    Of a run that nobody drives: a call that is under way looks just the same.
    """
    parked = turn.uncertain
    known = dict(zip(parked.view["uncertain"], parked.body["why"], strict=True)) if parked is not None else {}
    return [
        Unsettled(
            turn.run, str(turn.start["task"]), intent.seq, intent.view["sink"], intent.body["args"], _key(intent),
            intent.time, known.get(intent.seq, INTERRUPTED),
        )
        for intent in _effects(gate, turn)
        if turn.state is State.ACTING and (intent.seq in known or not _redone(gate, intent))
    ]  # fmt: skip


def settle(
    gate: Gate, turn: Turn, *, by: Principal, done: bool, call: int | None = None, result: JSON = None, why: str = ""
) -> int:
    """Put a person's word on record: `call`, the seq of its intent, was done, with this `result`, or was not.

    `call` may be left out where there is one alone; its seq is returned. The word is labelled as the tool's own output
    would have been, and vouches for nothing: a person may copy what a stranger wrote. Raises JournalError: there is no
    such call, `by` may not say so, or `result` cannot be recorded.
    """
    found = unsettled(gate, turn)
    if not found:
        raise JournalError(
            f"run {turn.run} has no call of which it is not known whether it was done",
            todo="look for those that have: ringfence runs uncertain",
        )
    meant = [one.seq for one in found if call in (None, one.seq)]
    if len(meant) != 1:
        known = ", ".join(f"{one.seq} ({one.sink.removeprefix(TOOL)})" for one in found)
        got = "none" if call is None else str(call)
        raise JournalError(f"expected one of the calls {known}, got {got}", todo="say which with --call SEQ")
    entitled(gate, turn, by)
    value: JSON
    if done:
        value = {"text": f"done, as {by.subject} says; what it answered is not known"} if result is None else result
    else:
        value = _not_done(f"it was not done, as {by.subject} says" + (f": {why}" if why else ""))
    try:
        canonical(value)
    except (ValueError, TypeError) as error:
        raise JournalError(f"expected a result that can be recorded, got: {error}", todo="write it as text") from None
    _close(gate, turn, turn.open[meant[0]], value, ok=done, view={"settled": by.subject})
    return meant[0]


def park(gate: Gate, turn: Turn, why: str) -> bool:
    """Park a run that was stopped in the middle of a call, if nobody knows whether that was done. Whether it was."""
    lost = unsettled(gate, turn)
    if lost and turn.uncertain is None:
        view, body = {"uncertain": [one.seq for one in lost]}, {"why": [why for _ in lost]}
        gate.record(turn, Kind.CHECKPOINT, label=turn.label, view=view, body=body)
    return bool(lost)


class Ledger:
    """Clears the way of runs: finds out what became of open effects, or parks the run.

    ways  how to find out, by sink
    """

    def __init__(self, gate: Gate, ways: Mapping[str, Reconcile]) -> None:
        self._gate = gate
        self._ways = ways

    async def clear(self, turn: Turn, tried: MutableMapping[str, int], why: str = "") -> bool:
        """Whether the run may go on; if not, it is parked, on record, until a person has settled what is open.

        `tried` has, by key, the intents that are to be made again: in one drive of a run, each is so once. `why` says
        what hid the last call, if it was no crash.
        """
        lost = [intent for intent in _effects(self._gate, turn) if not await self._cleared(turn, intent, tried)]
        view = {"uncertain": [intent.seq for intent in lost]}
        if lost and (turn.uncertain is None or turn.uncertain.view != view):
            body = {"why": [why or INTERRUPTED for _ in lost]}
            self._gate.record(turn, Kind.CHECKPOINT, label=turn.label, view=view, body=body)
        return not lost

    async def _cleared(self, turn: Turn, intent: Record, tried: MutableMapping[str, int]) -> bool:
        """Whether it has an outcome now, or is to be made again."""
        key, redone = _key(intent), _redone(self._gate, intent)
        refused = intent.body["call"] in turn.answered  # it was to be made again, and may not be
        again = not refused and tried.get(key, intent.seq) == intent.seq
        if again and key in tried:
            return True
        done = False if redone else await self._found_out(turn, intent)
        if done is False and again:
            tried[key] = intent.seq
        elif done is False and refused and not redone:
            _close(
                self._gate, turn, intent, _not_done("it was not done"), ok=False, view={"reconciled": turn.next_seq - 1}
            )
            done = True
        return again if done is False else done is True

    async def _found_out(self, turn: Turn, intent: Record) -> bool | None:
        """Ask the tool that knows: True, and the outcome is on record; False; or None, if it does not say."""
        way = self._ways.get(intent.view["sink"])
        if way is None:
            return None
        try:
            args = {name: _filled(value, intent) for name, value in way.args.items()}
        except LookupError:  # an argument that this call does not have
            return None
        if (spec := self._gate.policy.sinks.get(way.by)) is not None and not spec.reads:
            return None  # checked when the manifest was loaded; what finds out never acts
        if spec is not None:
            with suppress(ValueError):  # the gate refuses it
                args = dict(spec.check(args))
        action = Action(way.by, args, intent.label, call=LOOK_UP - intent.seq, run=turn.run)
        answer = await self._gate.perform(turn, action)
        if isinstance(answer, Ask):  # two questions about one call are one too many
            self._gate.refuse(turn, action, Deny(answer.rule, answer.code, f"{answer.why}; nobody is asked for that"))
        if not isinstance(answer, Outcome) or not answer.ok:
            return None
        try:
            found = at(answer.value, way.done)
        except LookupError:
            return None
        if found:
            view = {"reconciled": turn.next_seq - 1}
            _close(self._gate, turn, intent, found, ok=True, view=view, label=answer.label)
        return bool(found)


def _effects(gate: Gate, turn: Turn) -> list[Record]:
    """The open intents of calls that do not merely read: those are made again by whoever needs them."""
    sinks = gate.policy.sinks
    return [
        intent
        for intent in turn.open.values()
        if "args" in intent.body and not ((spec := sinks.get(intent.view["sink"])) is not None and spec.reads)
    ]


def _redone(gate: Gate, intent: Record) -> bool:
    spec = gate.policy.sinks.get(intent.view["sink"])
    return spec is not None and spec.redo


def _key(intent: Record) -> str:
    return str(intent.view.get("key", ""))


def _filled(value: JSON, intent: Record) -> JSON:
    """An argument of a lookup, its placeholder replaced; raises LookupError for an argument that the call lacks."""
    if value == "$key":
        return _key(intent)
    if isinstance(value, str) and value.startswith("$args/"):
        return intent.body["args"][value.removeprefix("$args/")]
    return value


def _not_done(what: str) -> JSON:
    return {"error": what, "todo": "call it again if it is still wanted", "kind": "ToolError"}


def _close(
    gate: Gate,
    turn: Turn,
    intent: Record,
    value: JSON,
    *,
    ok: bool,
    view: Mapping[str, JSON],
    label: Label | None = None,
) -> None:
    """Record an outcome that no call of ours brought: never more trusted, nor more readable, than the tool's own."""
    spec, labels = gate.policy.sinks.get(intent.view["sink"]), [intent.label]
    labels += [label] if label is not None else []
    if spec is None:
        labels.append(Label(Trust.UNTRUSTED))
    else:
        labels += [spec.output, *(Label(Trust.OPERATOR, leaf.readers) for leaf in spec.leaves.values())]
    view = {"of": intent.seq, "ok": ok, "ms": 0, **view}
    gate.record(turn, Kind.OUTCOME, label=join_all(labels), view=view, body={"value": value})
