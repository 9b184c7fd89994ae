"""The one door: every action is decided, written down, performed, labelled and written down again (DESIGN 2)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from .chain import Kind, Record
from .errors import BackendError, InternalError, JournalError, ToolError, Uncertain
from .grants import approval_digest
from .labels import Label, Trust, join_all
from .policy import Leaf, Policy, SinkSpec, vouched
from .ports import Clock, Journal, Meter, Observer, Sink
from .provenance import at, crowded, declared, fits, scalars, sole
from .texts import signals
from .turn import Turn
from .values import JSON, Action, Allow, Ask, Deny, Outcome, canonical, digest

Result = Outcome | Ask | Deny


@dataclass(frozen=True, slots=True)
class _Done:
    """A labelled outcome, its typed leaves by pointer, texts in which a sole value counts, and a fault of ours."""

    outcome: Outcome
    lost: bool  # nobody knows whether it was done: its intent stays open, as after a crash
    took_ms: int
    typed: JSON
    sole: Sequence[tuple[str, str]]
    fault: BaseException | None


class Gate:
    """Decides by `policy`, performs on `sinks`, records in `journal`. Nothing else holds a sink."""

    def __init__(
        self,
        policy: Policy,
        sinks: Mapping[str, Sink],
        journal: Journal,
        clock: Clock,
        observers: Sequence[Observer] = (),
        meter: Meter | None = None,
    ) -> None:
        self.policy = policy
        self._sinks = sinks
        self._journal = journal
        self._clock = clock
        self._observers = observers
        self._meter = meter

    def record(self, turn: Turn, kind: Kind, *, label: Label, view: JSON, body: JSON, run: str = "") -> Record:
        """Append one record to the run; `run` names it when it starts. Durable after the next `flush`."""
        subject = turn.principal.subject or body["principal"]["subject"]
        record = Record(run or turn.run, turn.next_seq, self._clock(), kind, subject, label, view, body)
        turn.apply(record)
        self._journal.append(record)
        for observe in self._observers:
            with suppress(Exception):  # observers may fail; enforcement never hangs on one (DESIGN 2)
                observe(record)
        return record

    async def flush(self) -> None:
        """Return when everything recorded so far is durable."""
        await self._journal.flush()

    async def perform(self, turn: Turn, action: Action) -> Result:
        """Decide and perform one action."""
        return (await self.perform_all(turn, [action]))[0]

    async def perform_all(self, turn: Turn, actions: Sequence[Action]) -> list[Result]:
        """Decide and perform actions, results in their order; more than one at once only if all of them read.

        What was done is on record before any of it raises, and before a question parks the run.
        Raises JournalError if the intent of what acts or leaves cannot be made durable: then it does not happen;
        InternalError for a sink that failed in our own code.
        """
        effects = [a for a in actions if (spec := self.policy.sinks.get(a.sink)) is not None and not spec.reads]
        if effects and len(actions) > 1:
            raise InternalError(f"{len(actions)} actions at once, and {effects[0].sink} is an effect")
        decided = [self._decide(turn, action) for action in actions]
        allowed = [(a, intent) for a, intent in zip(actions, decided, strict=True) if isinstance(intent, Record)]
        if not all(self.policy.sinks[action.sink].stays for action, _ in allowed):
            await self._journal.flush(anchored=bool(effects))
        jobs = [self._attempt(replace(a, key=i.view.get("key", "")), self.policy.sinks[a.sink]) for a, i in allowed]
        done = [await jobs[0]] if len(jobs) == 1 else await asyncio.gather(*jobs)
        for (action, intent), one in zip(allowed, done, strict=True):
            if not one.lost:
                self._settle(turn, action, intent, one)
        for action, decision in zip(actions, decided, strict=True):
            if isinstance(decision, Ask):
                self.refuse(turn, action, decision)
        for (action, _), one in zip(allowed, done, strict=True):
            if one.fault is not None:
                raise InternalError(f"{action.sink} failed in our own code: {one.fault!r}") from one.fault
        outcomes = iter(done)
        return [next(outcomes).outcome if isinstance(decision, Record) else decision for decision in decided]

    def _decide(self, turn: Turn, action: Action) -> Record | Ask | Deny:
        """The record of the intent; or a refusal, on record; or a question, to be recorded when all else is done."""
        decision = self.policy.decide(action, turn, now=self._clock())
        if isinstance(decision, Allow) and self._meter is not None and not self._meter.hit(turn.principal, action.sink):
            decision = Deny("POL-7", "rate", f"{action.sink} was called too often; wait, or do without it")
        if isinstance(decision, Allow):
            return self._intend(turn, action, self.policy.sinks[action.sink], decision)
        if isinstance(decision, Deny):
            self.refuse(turn, action, decision)
        return decision

    def refuse(self, turn: Turn, action: Action, decision: Ask | Deny) -> None:
        """Put a refusal or a question on record; an engine may refuse more than the policy does, never less."""
        verdict = "ask" if isinstance(decision, Ask) else "deny"
        body: dict[str, JSON] = {"args": dict(action.args), "call": action.call, "why": decision.why}
        if verdict == "ask":
            body["digest"] = self.approval_digest(turn, action)
        self.record(
            turn,
            Kind.DECISION,
            label=action.label,
            view={"sink": action.sink, "verdict": verdict, "rule": decision.rule, "code": decision.code},
            body=body,
        )

    def _intend(self, turn: Turn, action: Action, spec: SinkSpec, decision: Allow) -> Record:
        view: dict[str, JSON] = {"sink": action.sink, "rule": decision.rule}
        if action.prompt is None:
            sha = digest([turn.run, turn.usage["steps"], action.call, action.digest])  # the same when it is redone
            view["key"] = f"{sha[:8]}-{sha[8:12]}-8{sha[13:16]}-8{sha[17:20]}-{sha[20:32]}"  # RFC 9562 5.8: UUIDv8
            body: dict[str, JSON] = {"args": dict(action.args), "call": action.call}
        else:
            view |= {"context": list(action.prompt.context), "left_out": action.prompt.left_out}
            body = {"prompt": action.prompt.digest}
        if turn.approvals and (known := self.approval_digest(turn, action)) in turn.approvals:
            body["approval"] = known  # used up, though its values may be trusted by now
        return self.record(turn, Kind.INTENT, label=action.label, view=view, body=body)

    def approval_digest(self, turn: Turn, action: Action) -> str:
        """What a yes to this action, in this run and under this policy, would be bound to."""
        pin = self.policy.sinks[action.sink].pin
        return approval_digest(action, pin=pin, run=turn.run, policy=self.policy.digest)

    async def _attempt(self, action: Action, spec: SinkSpec) -> _Done:
        began = self._clock()
        fault: BaseException | None = None
        lost = False
        found: list[tuple[str, Leaf]] = []
        hidden: Iterable[Leaf] = ()
        try:
            outcome = _recordable(await self._sinks[action.sink].perform(action))
            if outcome.ok and spec.leaves:
                there = [(where, spec.leaves[by]) for where, by in declared(outcome.value, spec.leaves)]
                hidden = spec.leaves.values() if crowded(outcome.value) else [leaf for _, leaf in there]
                own = [value for _, value in scalars(dict(action.args))]  # an echo of the call vouches for nothing
                found = [(w, leaf) for w, leaf in there if w is not None and _new(at(outcome.value, w), leaf, own)]
        except (ToolError, BackendError) as error:
            lost = isinstance(error, Uncertain) and not spec.reads
            outcome = Outcome({"error": error.what, "todo": error.todo, "kind": type(error).__name__}, ok=False)
        except JournalError:  # of a sink that puts on record what it is about to do
            raise
        except Exception as error:
            fault, lost = error, not spec.reads
            outcome = Outcome({"error": repr(error), "todo": "", "kind": "InternalError"}, ok=False)
        narrower = (Label(Trust.OPERATOR, leaf.readers) for leaf in hidden)  # whether or not it vouches for anything
        label = join_all((spec.output, outcome.label, action.label, *narrower))
        typed: JSON = {where: leaf.type for where, leaf in found if leaf.trust is Trust.TYPED and not leaf.sole}
        texts = [(where, leaf.type) for where, leaf in found if leaf.sole]
        return _Done(replace(outcome, label=label), lost, self._clock() - began, typed, texts, fault)

    def _pointed_at(self, turn: Turn, action: Action, done: _Done) -> Sequence[tuple[str, str]]:
        """The texts that the user told us to read: items with a typed leaf of their words, or all that they named."""
        if not done.sole:
            return ()
        values = ((w.split("/")[1:2], at(done.outcome.value, w), kind) for w, kind in done.typed.items())
        items = [item for item, value, kind in values if turn.words.vouch(value, kind)]
        if named := [(where, kind) for where, kind in done.sole if where.split("/")[1:2] in items]:
            return named
        sources = {source for *_, source in vouched(action, self.policy.sinks[action.sink], turn)}
        return done.sole if sources == {"you"} else ()

    def _settle(self, turn: Turn, action: Action, intent: Record, done: _Done) -> None:
        outcome = done.outcome
        view: dict[str, JSON] = {"of": intent.seq, "ok": outcome.ok, "ms": done.took_ms}
        body: dict[str, JSON] = {"value": outcome.value}
        if "prompt" in intent.body:
            view |= {k: outcome.value[k] for k in ("usage", "sent") if outcome.ok and k in outcome.value}
        elif found := sorted({s for _, text in scalars(outcome.value) if isinstance(text, str) for s in signals(text)}):
            view["signals"] = found
        view |= {"subjects": list(outcome.subjects)} if outcome.subjects else {}
        if done.typed:
            body["typed"] = done.typed
        if near := self._pointed_at(turn, action, done):
            texts = {k: "\n".join(str(at(outcome.value, w)) for w, kind in near if kind == k) for _, k in near}
            body["sole"] = [[kind, value] for kind, text in texts.items() if (value := sole(text, kind))]
        self.record(turn, Kind.OUTCOME, label=outcome.label, view=view, body=body)


def _recordable(outcome: Outcome) -> Outcome:
    """The outcome; raises Uncertain for one that the log, or whoever reads it, could not take."""
    try:
        canonical(outcome.value)
    except (ValueError, TypeError) as error:
        raise Uncertain(f"it returned something that cannot be recorded: {error}") from None
    return outcome


def _new(value: JSON, leaf: Leaf, own: Sequence[JSON]) -> bool:
    """Whether a declared leaf says something: in the form of its kind, and not merely what the call said itself."""
    return leaf.sole or (fits(value, leaf.type) and value not in own)
