"""Snapshots: what going on reads of a long run, and that nobody can put another state in their place."""

from __future__ import annotations

import json
from asyncio import CancelledError
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import BackendError, JournalError
from ringfence.core.policy import Effect, Role
from ringfence.core.turn import State, Turn, fold
from ringfence.core.values import Action, Outcome
from ringfence.engine import consent
from ringfence.engine.settings import Settings
from ringfence.engine.snapshot import due, mismatches, packed, restore, resumed, save, stamp
from ringfence.stores.memory import MemoryJournal

from .conftest import ALICE, Build, House, final, step
from .states import check, slots

EACH = Settings(max_steps=200, checkpoint_interval=1)


class Counting(MemoryJournal):
    """A journal that knows how much of a run was read."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def read(self, run: str, start: int = 0) -> list[Record]:
        found = super().read(run, start)
        self.seen.append(len(found))
        return found


async def cut_off(house: Build, steps: int, *, settings: Settings = EACH) -> tuple[House, Counting]:
    """A run that was cut off while the model was asked for the step after so many."""
    script = [step(("look", {"of": f"item {n}"})) for n in range(steps)]
    journal = Counting()
    agent = house(script, settings=settings, window=100_000, journal=journal)
    ask = agent.model.perform

    async def perform(action: Action) -> Outcome:
        if len(agent.model.prompts) == steps:
            raise CancelledError  # neither an answer nor a fault: nobody is there any more
        return await ask(action)

    agent.model.perform = perform  # type: ignore[method-assign]
    with pytest.raises(CancelledError):
        await agent.run()
    return agent, journal


async def test_going_on_reads_the_tail_behind_the_newest_snapshot_alone(house: Build) -> None:
    agent, journal = await cut_off(house, 40)
    whole = fold(agent.records())
    journal.seen.clear()
    turn, note = resumed(journal, "run1")
    assert (note, slots(turn)) == ("", slots(whole))
    kept = journal.state("run1")
    assert kept is not None
    assert journal.seen == [whole.next_seq - kept[0]]
    assert journal.seen[0] <= whole.next_seq // 4


async def test_a_run_that_goes_on_from_a_snapshot_sends_the_very_same_bytes(house: Build) -> None:
    agent, journal = await cut_off(house, 9)
    ends = []
    for turn in (fold(agent.records()), resumed(journal, "run1")[0]):
        after = house([final("it is 42")], settings=EACH, window=100_000)
        for record in agent.records():
            after.journal.append(record)
        result = await after.engine.drive(turn)
        ends.append((result, after.model.prompts[0].messages, after.model.prompts[0].schema))
    assert ends[0] == ends[1]


async def test_only_the_newest_snapshot_is_kept_and_none_of_a_run_that_has_ended(house: Build) -> None:
    agent, journal = await cut_off(house, 9)
    kept = journal.state("run1")
    assert kept is not None
    marks = [r for r in agent.records() if r.kind is Kind.CHECKPOINT]
    assert kept[0] == [r.seq for r in marks if "state" in r.view][-1]
    await agent.engine.cancel(resumed(journal, "run1")[0], "enough")
    assert journal.state("run1") is None


async def test_a_checkpoint_without_a_place_for_snapshots_carries_no_digest(house: Build) -> None:
    agent = house([step(("look", {"of": "x"})), final("it is 42")], settings=EACH)
    agent.engine._keep = None
    await agent.run()
    marks = [r.view for r in agent.records() if r.kind is Kind.CHECKPOINT]
    assert marks
    assert not any("state" in view for view in marks)


def other(state: bytes) -> bytes:
    value = json.loads(state)
    value["items"][-1][0][-1]["value"] = {"text": "it is 43"}
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "spoil",
    [other, lambda state: state[:-1], lambda _: b"", lambda _: b"[]", lambda s: s.replace(b'"v":2', b'"v":1')],
    ids=["another result", "cut", "empty", "none", "another version"],
)
async def test_a_snapshot_that_is_not_the_one_on_record_is_not_used_and_that_is_said(house: Build, spoil: Any) -> None:
    agent, journal = await cut_off(house, 9)
    kept = journal.state("run1")
    assert kept is not None
    journal.keep_state("run1", kept[0], spoil(kept[1]))
    turn, note = resumed(journal, "run1")
    assert slots(turn) == slots(fold(agent.records()))
    assert note.startswith("the snapshot of run run1 was not used (")


async def test_a_snapshot_under_the_place_of_another_checkpoint_is_not_used(house: Build) -> None:
    agent, journal = await cut_off(house, 9)
    _, state = journal.state("run1") or (0, b"")
    for seq in (0, 5, len(agent.records()) + 7):
        journal.keep_state("run1", seq, state)
        turn, note = resumed(journal, "run1")
        assert note
        assert slots(turn) == slots(fold(agent.records()))


async def test_a_snapshot_that_cannot_be_read_is_not_used(house: Build) -> None:
    agent, journal = await cut_off(house, 9)

    def unreadable(run: str) -> tuple[int, bytes]:
        raise JournalError("its key was destroyed")

    journal.state = unreadable  # type: ignore[assignment]
    turn, note = resumed(journal, "run1")
    assert "its key was destroyed" in note
    assert slots(turn) == slots(fold(agent.records()))


async def test_a_snapshot_of_the_right_digest_that_is_none_is_not_used(house: Build) -> None:
    """A writer of another version, or a broken one: the digest on record is that of something we cannot restore."""
    agent, journal = await cut_off(house, 9)
    seq, _ = journal.state("run1") or (0, b"")
    broken = MemoryJournal()
    for record in agent.records():
        view = {**record.view, "state": stamp(b'{"v":2}')} if record.seq == seq else record.view
        broken.append(replace(record, view=view))
    broken.keep_state("run1", seq, b'{"v":2}')
    turn, note = resumed(broken, "run1")
    assert "no snapshot: KeyError" in note
    assert turn.next_seq == len(agent.records())


async def test_a_checkpoint_whose_state_is_not_the_fold_is_found(house: Build) -> None:
    agent, _ = await cut_off(house, 9)
    records = agent.records()
    assert mismatches(records) == []
    marks = [r for r in records if "state" in r.view]
    assert len(marks) > 3
    lied = [replace(r, view={**r.view, "state": stamp(b"x")}) if r is marks[2] else r for r in records]
    assert mismatches(lied) == [marks[2].seq]
    changed = [replace(r, body={**r.body, "value": {"text": "it is 43"}}) if r.seq == 4 else r for r in records]
    assert mismatches(changed) == [r.seq for r in marks if r.seq > 4]
    newer = [replace(r, view={**r.view, "state": "9:ff"}) if r is marks[2] else r for r in records]
    assert mismatches(newer) == []  # of a version that is not ours to judge


def test_snapshots_come_with_each_of_the_first_checkpoints_and_then_ever_further_apart() -> None:
    taken = [n for n in range(1, 2001) if due(n)]
    assert taken[:12] == [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16]
    assert all(later - n <= max(1, n // 4) for n, later in pairwise(taken))
    assert sum(taken) < 8 * 2000  # what is written in all, in steps: a small multiple of the run


SEND = {
    "effect": Effect.EGRESS,
    "audience": None,
    "roles": {"body": Role.TEXT},
    "types": {"to": "email", "n": "number"},
}
SCHEMA = {"type": "object", "properties": {"to": {}, "n": {}, "body": {}}, "required": [], "additionalProperties": True}


async def test_an_approval_and_what_it_vouches_for_survive(house: Build) -> None:
    letter = {"to": "eve@x.example", "n": 0.0000001, "body": "hello"}
    agent = house(
        [step(("send", letter))], tools={"send": lambda _: "sent"}, specs={"send": {**SEND, "schema": SCHEMA}}
    )
    turn = agent.start("send it")
    await agent.engine.drive(turn)
    assert turn.state is State.WAITING
    consent.approve(agent.gate, turn, by=ALICE, expires=agent.clock() + 1000, endorse=("to", "n"))
    back = restore(json.loads(packed(turn)))
    assert back.approvals == turn.approvals != {}
    assert back.origin("eve@x.example", "email") == "user:alice"
    assert list(back.typed.items()) == list(turn.typed.items())
    check(agent.records())


@given(st.lists(st.sampled_from(["12.50", "1,000,000.10", "-0", "+7", "0.00000001", "9" * 40]), unique=True))
def test_numbers_that_somebody_vouches_for_are_kept_exactly(numbers: list[str]) -> None:
    from ringfence.core.provenance import normal

    turn = Turn()
    turn.start = {
        "principal": {"subject": "u", "roles": [], "tenant": ""},
        "grant": {"sinks": [], "budgets": {}, "version": 1},
    }
    turn.typed = {("number", normal(number, "number")): "r1" for number in numbers}
    assert restore(json.loads(json.dumps(save(turn)))).typed == turn.typed


def test_what_is_no_snapshot_is_a_value_error() -> None:
    for value in (None, [], {}, {"v": 1}, {"v": 2}, {"v": 1, "labels": [{"trust": "none", "readers": []}]}):
        with pytest.raises(ValueError, match="snapshot"):
            restore(value)


async def test_a_fault_of_the_model_is_part_of_the_state(house: Build) -> None:
    agent = house([BackendError("gone")])
    await agent.run()
    check(agent.records())
