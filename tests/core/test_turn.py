"""Every cell of the state table, and what each record does to a run."""

from __future__ import annotations

import copy
from itertools import product

import pytest

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError
from ringfence.core.grants import Approval
from ringfence.core.labels import IDENTITY, Label, Trust
from ringfence.core.turn import TRANSITIONS, Event, State, Turn, fold
from ringfence.core.values import digest

from .kit import ALICE, acting, record, start_body, started

START = record(0, Kind.STARTED, body=start_body("tool:a"))
CALL_OPEN = record(1, Kind.INTENT, view={"sink": "tool:a"}, body={"args": {}, "call": 9})
THINK_OPEN = record(2, Kind.INTENT, view={"sink": "model:m"}, body={"prompt": "0"})
THOUGHT = record(3, Kind.OUTCOME, view={"of": 2, "ok": True, "usage": {}}, body={})
QUESTION = record(4, Kind.DECISION, view={"sink": "tool:a", "verdict": "ask"}, body={"call": 0, "digest": "d"})
WAYS: dict[State, list[Record]] = {  # records that lead to each state, the intents of a call and a thought still open
    State.NEW: [],
    State.READY: [START, CALL_OPEN],
    State.THINKING: [START, CALL_OPEN, THINK_OPEN],
    State.ACTING: [START, CALL_OPEN, THINK_OPEN, THOUGHT],
    State.WAITING: [START, CALL_OPEN, THINK_OPEN, THOUGHT, QUESTION],
    State.DONE: [START, record(1, Kind.FINISHED)],
}


def event_record(event: Event, turn: Turn) -> Record:
    """A record that is this event; for outcomes, an intent is opened behind the table's back if there is none."""
    seq = turn.next_seq
    if event in (Event.THOUGHT, Event.FAULT, Event.RESULT):
        intent = CALL_OPEN if event is Event.RESULT else THINK_OPEN
        turn.open[intent.seq] = intent
        view = {"of": intent.seq, "ok": event is not Event.FAULT, "usage": {"prompt": 3}}
        return record(seq, Kind.OUTCOME, view=view, body={"value": 1})
    match event:
        case Event.START:
            return record(seq, Kind.STARTED, body=start_body("tool:a"))
        case Event.SAY:
            return record(seq, Kind.MESSAGE, body={"text": "x"})
        case Event.THINK:
            return record(seq, Kind.INTENT, view={"sink": "model:m"}, body={"prompt": "1"})
        case Event.CALL:
            return record(seq, Kind.INTENT, view={"sink": "tool:a"}, body={"args": {"x": 1}, "call": 1})
        case Event.REFUSE | Event.ASK:
            verdict = "ask" if event is Event.ASK else "deny"
            return record(seq, Kind.DECISION, view={"sink": "tool:a", "verdict": verdict}, body={"call": 0})
        case Event.APPROVE:
            return record(seq, Kind.APPROVAL, body={"digest": "d", "by": "user:bob", "expires": 9})
        case Event.MARK:
            return record(seq, Kind.CHECKPOINT, view={"steps": 1})
        case _:
            return record(seq, Kind.FINISHED, body={"status": "done"})


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_a_cell_of_the_table_leads_where_it_says_and_every_other_is_refused(state: State, event: Event) -> None:
    turn = fold(WAYS[state])
    assert turn.state is state
    following = event_record(event, turn)
    before = turn.next_seq
    target = TRANSITIONS.get((state, event))
    if target is None:
        with pytest.raises(JournalError, match="cannot follow"):
            turn.apply(following)
        assert (turn.state, turn.next_seq) == (state, before)
    else:
        turn.apply(following)
        assert (turn.state, turn.next_seq) == (target, before + 1)


def test_the_table_is_the_one_that_was_reviewed() -> None:
    cells = {
        "new": {"start": "ready"},
        "ready": {
            "say": "ready", "think": "thinking", "call": "ready", "result": "ready", "refuse": "ready", "mark": "ready",
            "finish": "done",
        },
        "thinking": {
            "think": "thinking", "thought": "acting", "fault": "ready", "call": "thinking", "result": "thinking",
            "refuse": "ready", "mark": "thinking", "finish": "done",
        },
        "acting": {
            "say": "ready", "think": "thinking", "call": "acting", "result": "acting", "refuse": "acting",
            "ask": "waiting", "mark": "acting", "finish": "done",
        },
        "waiting": {
            "ask": "waiting", "approve": "acting", "refuse": "acting", "mark": "waiting", "finish": "done",
        },
    }  # fmt: skip
    reviewed = {(State(s), Event(e)): State(to) for s, row in cells.items() for e, to in row.items()}
    assert reviewed == TRANSITIONS


@pytest.mark.parametrize("seq", [0, 2, 7])
def test_a_record_out_of_its_place_is_refused(seq: int) -> None:
    turn = started()
    with pytest.raises(JournalError, match=rf"record {seq} \(message\) cannot follow record 0"):
        turn.apply(record(seq, Kind.MESSAGE))


def test_a_record_of_another_run_is_refused() -> None:
    turn = started()
    with pytest.raises(JournalError, match="run r2"):
        turn.apply(record(1, Kind.MESSAGE, run="r2"))


def test_an_outcome_without_an_open_intent_is_refused() -> None:
    turn = acting("tool:a")
    with pytest.raises(JournalError, match="answers no open intent"):
        turn.apply(record(3, Kind.OUTCOME, view={"of": 1, "ok": True}))


def test_folding_is_pure() -> None:
    records = [*WAYS[State.WAITING], record(5, Kind.APPROVAL, body={"digest": "d", "by": "user:bob", "expires": 9})]
    before = copy.deepcopy(records)
    once, twice = fold(records), fold(records)
    assert records == before
    assert all(getattr(once, slot) == getattr(twice, slot) for slot in Turn.__slots__)
    stepwise = fold(records[:3])
    for later in records[3:]:
        stepwise.apply(later)
    assert all(getattr(once, slot) == getattr(stepwise, slot) for slot in Turn.__slots__)


def test_a_start_says_who_asks_and_what_is_granted() -> None:
    turn = started("tool:a", budgets={"tool:a": 2}, known=["x"])
    assert (turn.run, turn.principal, turn.grant.sinks) == ("r1", ALICE, frozenset({"tool:a"}))
    assert turn.grant.budgets == {"tool:a": 2}
    assert turn.start["known"] == ["x"]
    assert (turn.label, turn.items) == (IDENTITY, [])


def test_calls_are_counted_by_sink_and_by_digest() -> None:
    turn = acting("tool:a")
    for n in range(2):
        turn.apply(record(3 + n, Kind.INTENT, view={"sink": "tool:a"}, body={"args": {"x": 1}, "call": n}))
    assert turn.calls == {"model:main": 1, "tool:a": 2}
    assert turn.seen == {digest(["tool:a", {"x": 1}]): 2}
    assert sorted(turn.open) == [3, 4]


def test_an_outcome_closes_its_intent_and_is_shown_with_it() -> None:
    turn = acting("tool:a")
    intent = record(3, Kind.INTENT, view={"sink": "tool:a"}, body={"args": {}, "call": 1})
    outcome = record(4, Kind.OUTCOME, view={"of": 3, "ok": True}, body={"value": 1}, label=Label(Trust.UNTRUSTED))
    turn.apply(intent)
    turn.apply(outcome)
    assert turn.items[-1] == (outcome, intent)
    assert (turn.open, turn.answered, turn.label) == ({}, {1}, Label(Trust.UNTRUSTED))


def test_the_usage_of_each_thought_adds_up_and_a_new_thought_has_new_calls() -> None:
    turn = acting("tool:a")
    turn.apply(record(3, Kind.DECISION, view={"sink": "tool:a", "verdict": "deny"}, body={"call": 0}))
    assert turn.answered == {0}
    turn.apply(record(4, Kind.INTENT, view={"sink": "model:main"}, body={"prompt": "1"}))
    turn.apply(record(5, Kind.OUTCOME, view={"of": 4, "ok": True, "usage": {"prompt": 2, "completion": 1}}, body={}))
    assert turn.usage == {"steps": 2, "prompt": 7, "completion": 1}
    assert turn.answered == set()


def test_the_same_call_again_after_a_crash_counts_once() -> None:
    turn = acting("tool:a")
    for seq in (3, 4):
        turn.apply(record(seq, Kind.INTENT, view={"sink": "tool:a"}, body={"args": {"x": 1}, "call": 0}))
    assert (turn.calls["tool:a"], list(turn.open), list(turn.seen.values())) == (1, [4], [1])


@pytest.mark.parametrize(
    ("sink", "args", "call"), [("tool:b", {"x": 1}, 0), ("tool:a", {"x": 2}, 0), ("tool:a", {"x": 1}, 1)]
)
def test_another_call_does_not_hide_that_an_outcome_is_unknown(sink: str, args: dict[str, int], call: int) -> None:
    turn = acting("tool:a", "tool:b")
    turn.apply(record(3, Kind.INTENT, view={"sink": "tool:a"}, body={"args": {"x": 1}, "call": 0}))
    turn.apply(record(4, Kind.INTENT, view={"sink": sink}, body={"args": args, "call": call}))
    assert sorted(turn.open) == [3, 4]


def test_a_model_asked_again_after_a_crash_counts_once() -> None:
    turn = fold(WAYS[State.THINKING])
    turn.apply(record(3, Kind.INTENT, view={"sink": "model:m"}, body={"prompt": "other"}))
    assert (turn.calls["model:m"], sorted(turn.open)) == (1, [1, 3])


def test_an_approval_is_used_up_by_the_intent_that_names_it_even_after_a_crash() -> None:
    turn = fold(WAYS[State.WAITING])
    for seq in (5, 7):
        turn.approvals["d"] = Approval("d", "user:bob", 9)
        turn.state = State.ACTING
        turn.next_seq = seq
        body = {"args": {}, "call": 3, "approval": "d"}
        turn.apply(record(seq, Kind.INTENT, view={"sink": "tool:a"}, body=body))
        assert turn.approvals == {}


def test_the_end_is_kept() -> None:
    turn = started()
    turn.apply(record(1, Kind.FINISHED, body={"status": "done", "answer": "42"}))
    assert turn.end == {"status": "done", "answer": "42"}
