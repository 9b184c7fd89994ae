"""The folded state of a run: a state x event table over its records. Resuming is folding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .chain import Kind, Record
from .errors import JournalError
from .grants import Approval, TaskGrant
from .labels import IDENTITY, Label
from .provenance import Words, at, between, earlier, normal
from .values import JSON, Action, Principal, digest


class State(StrEnum):
    """Where a run stands."""

    NEW = "new"
    READY = "ready"  # the model is to be asked
    THINKING = "thinking"  # the model was asked and has not answered
    ACTING = "acting"  # the model answered: its calls are to be made, or its answer delivered
    WAITING = "waiting"  # a human was asked
    DONE = "done"


class Event(StrEnum):
    """What a record does to a run."""

    START = "start"
    SAY = "say"
    THINK = "think"
    THOUGHT = "thought"
    FAULT = "fault"
    CALL = "call"
    RESULT = "result"
    REFUSE = "refuse"
    ASK = "ask"
    APPROVE = "approve"
    MARK = "mark"
    FINISH = "finish"


_READY, _THINKING, _ACTING, _WAITING, _DONE = State.READY, State.THINKING, State.ACTING, State.WAITING, State.DONE

TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.NEW, Event.START): _READY,
    (_READY, Event.SAY): _READY,
    (_READY, Event.THINK): _THINKING,
    (_READY, Event.CALL): _READY,  # the reply of a run that ends early
    (_READY, Event.RESULT): _READY,
    (_READY, Event.REFUSE): _READY,
    (_READY, Event.MARK): _READY,
    (_READY, Event.FINISH): _DONE,
    (_THINKING, Event.THINK): _THINKING,  # asked again after a crash
    (_THINKING, Event.THOUGHT): _ACTING,
    (_THINKING, Event.FAULT): _READY,
    (_THINKING, Event.CALL): _THINKING,  # the reply of a run that ends early, after a crash cut the model off
    (_THINKING, Event.RESULT): _THINKING,
    (_THINKING, Event.REFUSE): _READY,  # asked again after a crash, under a policy that has changed
    (_THINKING, Event.MARK): _THINKING,
    (_THINKING, Event.FINISH): _DONE,
    (_ACTING, Event.SAY): _READY,
    (_ACTING, Event.THINK): _THINKING,
    (_ACTING, Event.CALL): _ACTING,
    (_ACTING, Event.RESULT): _ACTING,
    (_ACTING, Event.REFUSE): _ACTING,
    (_ACTING, Event.ASK): _WAITING,
    (_ACTING, Event.MARK): _ACTING,
    (_ACTING, Event.FINISH): _DONE,
    (_WAITING, Event.ASK): _WAITING,  # several calls of one step ask
    (_WAITING, Event.APPROVE): _ACTING,
    (_WAITING, Event.REFUSE): _ACTING,
    (_WAITING, Event.MARK): _WAITING,
    (_WAITING, Event.FINISH): _DONE,
}


@dataclass(eq=False, slots=True)
class Turn:
    """A run so far. `apply` is the only way it changes, and what it becomes depends on the records alone.

    items  what the model may be shown: messages, its steps, results and refusals, in order, each with its intent
    answered  numbers of the last step's calls that have been answered, by a result or a refusal
    open   intents without an outcome, by seq
    calls  calls made, by sink
    seen, failed  calls made, and those of them that failed, by action digest
    label  the join of everything in `items`
    heard  what the same user said earlier in the conversation; set by whoever folds, from the runs named at the start
    spans  how long things last that results have shown, in minutes: where from
    typed  values that the operator's catalogue or an approver vouches for, by kind and value: where each came from
    marked  steps that had been taken at the last checkpoint
    tier   the model sink that the run was moved to; "" while it is with the one that it began with
    uncertain  the checkpoint that parks the run: it names intents of effects that a human has to look at
    question  the decision that a human was asked for, while the run waits
    """

    run: str = ""
    state: State = State.NEW
    principal: Principal = field(default_factory=lambda: Principal(""))
    grant: TaskGrant = field(default_factory=lambda: TaskGrant(frozenset(), {}))
    start: dict[str, Any] = field(default_factory=dict)
    end: dict[str, Any] = field(default_factory=dict)
    next_seq: int = 0
    items: list[tuple[Record, Record | None]] = field(default_factory=list)
    answered: set[int] = field(default_factory=set)
    open: dict[int, Record] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    usage: Counter[str] = field(default_factory=Counter)
    approvals: dict[str, Approval] = field(default_factory=dict)
    question: Record | None = None
    uncertain: Record | None = None
    marked: int = 0
    tier: str = ""
    heard: tuple[str, ...] = ()
    typed: dict[tuple[str, JSON], str] = field(default_factory=dict)
    spans: dict[float, str] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    folds: dict[Any, Any] = field(default_factory=dict, repr=False)  # over `items`: kept, and made again at need
    label: Label = IDENTITY
    _words: Words | None = None

    def apply(self, record: Record) -> None:
        """Fold one record in; raises JournalError for one that cannot follow."""
        event = self._event(record)
        state = TRANSITIONS.get((self.state, event))
        if state is None or record.seq != self.next_seq or record.run != (self.run or record.run):
            raise JournalError(
                f"run {record.run}: record {record.seq} ({record.kind}) cannot follow record {self.next_seq - 1}"
                f" in state {self.state!r}",
                todo="check the log with `ringfence doctor`; a run that was tampered with cannot be resumed",
            )
        self.state = state
        self.question, self.uncertain = self.question if state is _WAITING else None, None
        self.next_seq += 1
        getattr(self, f"_on_{event}")(record)

    def cut_off(self, action: Action) -> bool:
        """Whether this is a call whose outcome a crash hid: it was counted when it was made first."""
        body: dict[str, JSON] = {} if action.prompt else {"call": action.call, "args": dict(action.args)}
        return any(_same_call(intent, action.sink, body) for intent in self.open.values())

    @property
    def words(self) -> Words:
        """What the user has written: the task, and what was heard before it."""
        if self._words is None:
            self._words = Words((str(self.start.get("task", "")), *self.heard))
        return self._words

    def origin(self, value: JSON, kind: str) -> str:
        """Who vouches for a value of this kind: "you", the handle of a typed leaf, an approver; or "" for nobody."""
        if type(value) not in (str, int, float):
            return ""
        known = "you" if self.words.vouch(value, kind) else self.typed.get((kind, normal(value, kind)), "")
        if not known and kind == "datetime":  # the end of something whose start and length are known
            lengths = (*((span, "") for span in self.words.spans), *self.spans.items())
            ends = ((self._start(earlier(value, span)), source) for span, source in lengths)
            known = next((source or start for start, source in ends if start), "")
        return known

    def _start(self, moment: str) -> str:
        """Who vouches for a start; midnight, which comes with every day, is none unless the user wrote it."""
        written = self.words.vouch(moment, "datetime") and self.words.vouch(moment.partition(" ")[2], "time")
        return "you" if written else self.typed.get(("datetime", moment), "")

    def resolve(self, value: JSON) -> JSON:
        """The value with every handle `{"$ref": "r3/0/sender"}` replaced by what it names: JSON pointers into results.

        Raises LookupError, in words for the model, for a handle of nothing.
        """
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if set(value) != {"$ref"}:
            return {key: self.resolve(item) for key, item in value.items()}
        handle, slash, pointer = str(value["$ref"]).partition("/")
        for record, intent in self.items:
            if f"r{record.seq}" == handle and intent is not None and "args" in intent.body:
                with suppress(LookupError):
                    return at(record.body["value"], slash + pointer)
        raise LookupError(f"nothing is called {value['$ref']!r}; a handle is the name in brackets and a JSON pointer")

    def _event(self, record: Record) -> Event:
        match record.kind:
            case Kind.INTENT:
                return Event.THINK if record.view["sink"].startswith("model:") else Event.CALL
            case Kind.OUTCOME:
                intent = self.open.get(record.view["of"])
                if intent is None:
                    raise JournalError(f"run {record.run}: outcome {record.seq} answers no open intent")
                if not intent.view["sink"].startswith("model:"):
                    return Event.RESULT
                return Event.THOUGHT if record.view["ok"] else Event.FAULT
            case Kind.DECISION:
                return Event.ASK if record.view["verdict"] == "ask" else Event.REFUSE
            case _:
                return _PLAIN[record.kind]

    def _on_start(self, record: Record) -> None:
        self.run, self.start = record.run, record.body
        who = record.body["principal"]
        self.principal = Principal(who["subject"], frozenset(who["roles"]), who["tenant"])
        self.grant = TaskGrant.from_json(record.body["grant"])

    def _on_call(self, record: Record) -> None:
        sink = record.view["sink"]
        self.approvals.pop(record.body.get("approval", ""), None)  # POL-9: single use
        cut_off = [seq for seq, intent in self.open.items() if _same_call(intent, sink, record.body)]
        self.open[record.seq] = record
        if cut_off:  # a crash hid the outcome and this is the same call again: it counts once
            del self.open[cut_off[0]]
            return
        self.calls[sink] += 1
        if "args" in record.body:
            self.seen[digest([sink, record.body["args"]])] += 1

    def _on_thought(self, record: Record) -> None:
        self.usage.update({"steps": 1, **record.view["usage"]})
        self._close(record)
        self.answered.clear()

    def _on_result(self, record: Record) -> None:
        intent = self._close(record)
        self.answered.add(intent.body["call"])
        if not record.view["ok"]:
            self.failed[digest([intent.view["sink"], intent.body["args"]])] += 1
        moments: dict[str, list[str]] = {}
        for pointer, kind in record.body.get("typed", {}).items():
            value = normal(at(record.body["value"], pointer), kind)
            self.typed.setdefault((kind, value), f"r{record.seq}{pointer}")
            if kind == "datetime":
                moments.setdefault(pointer.rpartition("/")[0], []).append(value)
        for kind, value in record.body.get("sole", ()):
            self.typed.setdefault((kind, normal(value, kind)), f"r{record.seq}")
        for item, pair in moments.items():
            if len(pair) == 2 and (minutes := between(*pair)):
                self.spans.setdefault(minutes, f"r{record.seq}{item}")

    def _on_refuse(self, record: Record) -> None:
        self.answered.add(record.body["call"])
        self._show(record)

    def _on_ask(self, record: Record) -> None:
        self.question = record

    def _on_approve(self, record: Record) -> None:
        body = record.body
        self.approvals[body["digest"]] = Approval(body["digest"], body["by"], body["expires"])
        for kind, value in body.get("endorsed", ()):
            self.typed[kind, normal(value, kind)] = body["by"]

    def _on_finish(self, record: Record) -> None:
        self.end = record.body

    def _on_mark(self, record: Record) -> None:
        self.marked, self.tier = record.view.get("steps", self.marked), record.view.get("tier", self.tier)
        self.uncertain = record if "uncertain" in record.view else None

    def _close(self, outcome: Record) -> Record:
        intent = self.open.pop(outcome.view["of"])
        self._show(outcome, intent)
        return intent

    def _show(self, record: Record, intent: Record | None = None) -> None:
        self.items.append((record, intent))
        self.label = self.label.join(record.label)

    _on_say, _on_think, _on_fault = _show, _on_call, _close


def _same_call(intent: Record, sink: str, body: Mapping[str, JSON]) -> bool:
    """Another call in the same place is no repetition: it must not hide that this one's outcome is unknown."""
    return bool(intent.view["sink"] == sink and all(intent.body.get(key) == body.get(key) for key in ("call", "args")))


_PLAIN = {
    Kind.STARTED: Event.START,
    Kind.MESSAGE: Event.SAY,
    Kind.APPROVAL: Event.APPROVE,
    Kind.CHECKPOINT: Event.MARK,
    Kind.FINISHED: Event.FINISH,
}


def fold(records: Iterable[Record]) -> Turn:
    """The state of a run from its records, in order of `seq`. Pure."""
    turn = Turn()
    for record in records:
        turn.apply(record)
    return turn
