"""What a run was, off its record and off those of the runs that worked for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.core.chain import Kind, Record
from ringfence.core.labels import IDENTITY
from ringfence.core.values import JSON
from ringfence.evals.judge import judge
from ringfence.evals.measure import whole
from ringfence.evals.suite import Budget, Expected
from ringfence.stores.memory import MemoryJournal

RUN, OTHER = "01m0000000000000000a", "01m0000000000000000b"
STEP = '{"thought": "so", "final_answer": {"answer": "42", "artifacts": [], "confidence": "high"}}'


def told(log: MemoryJournal, run: str, *answers: str, kind: str = "") -> None:
    """A run in which the model gave these answers, at 10 tokens each and one more."""
    rows: list[tuple[Kind, dict[str, JSON], dict[str, JSON]]] = [(Kind.STARTED, {}, {"task": "why?"})]
    for text in answers:
        usage: JSON = {"prompt": 10, "completion": 1, "cached": 4}
        value: JSON = {"kind": kind, "error": "gone"} if kind else {"text": text, "usage": usage, "model": "m"}
        rows.append((Kind.INTENT, {"sink": "model:main"}, {"prompt": ""}))
        rows.append((Kind.OUTCOME, {"of": len(rows) - 1, "ok": not kind}, {"value": value}))
    for seq, (what, view, body) in enumerate(rows):
        log.append(Record(run, seq, seq, what, "user:alice", IDENTITY, view, body))


@pytest.fixture
def log() -> MemoryJournal:
    made = MemoryJournal()
    told(made, f"plan-{RUN}", '{"needs": []}')
    told(made, RUN, STEP)
    return made


def test_what_was_asked_in_runs_that_worked_for_one_counts_with_it_once(log: MemoryJournal) -> None:
    told(log, f"map-{RUN}-0123456789ab", '{"found": []}', '{"found": []}')
    told(log, f"rank-{RUN}-0123456789ab", '{"best": [1]}')
    told(log, f"check-{RUN}-0123456789ab", '{"stated": "yes"}')
    for stranger in (f"plan-{OTHER}", OTHER, f"check-{OTHER}-0123456789ab"):
        told(log, stranger, STEP)
    ran = whole(log, RUN)
    assert (len(ran.steps), len(ran.served), ran.tokens) == (1, 5, 66)
    assert [step.valid for step in ran.steps] == [True]
    assert len(whole(log, OTHER).asked) == 3


def test_a_request_that_was_not_answered_counts_nowhere(log: MemoryJournal) -> None:
    told(log, f"check-{RUN}-0123456789ab", "", kind="Unreachable")
    ran = whole(log, RUN)
    assert (len(ran.asked), ran.faults) == (2, [])


def test_what_worked_for_a_run_is_found_among_hundreds_of_others(log: MemoryJournal) -> None:
    told(log, f"rank-{RUN}-0123456789ab", '{"best": [1]}')
    for number in range(120):
        told(log, f"01n{number:017}", STEP)
    assert len(whole(log, RUN).served) == 2


def test_a_budget_bounds_what_was_asked_for_a_run_too(log: MemoryJournal, tmp_path: Path) -> None:
    ran, budget = whole(log, RUN), Budget(steps=1, tokens=11)
    wrong = judge(Expected(), budget, status="done", answer="42", seconds=1, ran=ran, root=tmp_path)
    assert wrong == ["expected at most 1 model calls, got 2", "expected at most 11 tokens, got 22"]
