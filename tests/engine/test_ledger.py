"""The effect ledger: what becomes of calls whose outcome nobody saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError, ToolError, Uncertain
from ringfence.core.labels import Label, Trust
from ringfence.core.policy import Effect, Leaf
from ringfence.core.turn import State, Turn, fold
from ringfence.core.values import JSON, Principal
from ringfence.engine import ledger
from ringfence.engine.ledger import Reconcile
from ringfence.engine.loop import Settings
from ringfence.engine.result import result_of
from ringfence.stores.log import state_of

from .conftest import ALICE, Build, House, fail, final, step

BELL: dict[str, Any] = {"effect": Effect.COMMIT, "roles": {"of": "low"}}
STEPS = [step(("ring", {"of": "bell"})), final("rung")]
WAY = {"tool:ring": Reconcile("tool:rung", {"of": "$key"}, "/rung")}
Answer = Callable[[Mapping[str, JSON]], JSON]


def lost(args: Mapping[str, JSON]) -> JSON:
    raise Uncertain("the line went dead")


def bells(house: Build, *, ring: Answer = str, steps: Any = STEPS, **more: Any) -> House:
    """An agent with a bell, which is rung for good."""
    specs = {"ring": {**BELL, **more.pop("ring_spec", {})}, **more.pop("specs", {})}
    return house(steps, tools={"ring": ring, **more.pop("tools", {})}, specs=specs, **more)


async def cut(house: Build, at: Kind = Kind.INTENT, **more: Any) -> list[Record]:
    """The records of a run that was killed while its bell was rung."""
    whole = bells(house, **more)
    await whole.run()
    records = whole.records()
    return records[: next(r.seq for r in records if r.view.get("sink") == "tool:ring") + 1]


def resumed(agent: House, records: list[Record]) -> Turn:
    for record in records:
        agent.journal.append(record)
    return fold(records)


def kinds(agent: House) -> list[Kind]:
    return [record.kind for record in agent.records()]


async def test_a_run_whose_effect_a_crash_hid_is_parked_and_can_be_resumed_as_often_as_one_likes(house: Build) -> None:
    left = await cut(house)
    agent = bells(house)
    turn = resumed(agent, left)
    for _ in range(3):
        result = await agent.engine.drive(turn)
        assert (result.status, result.summary) == ("uncertain", "it is not known whether ring was done")
        turn = fold(agent.records())
    assert agent.tools["ring"].calls == []
    assert kinds(agent)[len(left) :] == [Kind.CHECKPOINT]
    assert agent.records()[-1].view == {"uncertain": [left[-1].seq]}
    assert state_of(agent.records()[-1]) == "uncertain"
    assert result_of(turn).status == "uncertain"
    assert turn.state is State.ACTING


async def test_a_hidden_effect_is_shown_with_all_that_a_person_needs(house: Build) -> None:
    left = await cut(house)
    agent = bells(house)
    (one,) = ledger.unsettled(agent.gate, resumed(agent, left))
    assert (one.run, one.seq, one.sink, one.args, one.task) == (
        "run1", left[-1].seq, "tool:ring", {"of": "bell"}, "what is it?",
    )  # fmt: skip
    assert (one.key, one.when) == (left[-1].view["key"], left[-1].time)
    assert one.why == ledger.INTERRUPTED


async def test_a_person_says_that_it_was_done_and_the_run_goes_on(house: Build) -> None:
    left = await cut(house)
    agent = bells(house, steps=[STEPS[1]])
    turn = resumed(agent, left)
    await agent.engine.drive(turn)
    assert ledger.settle(agent.gate, turn, by=ALICE, done=True, result={"text": "ding"}) == left[-1].seq
    outcome = agent.records()[-1]
    assert outcome.view == {"of": left[-1].seq, "ok": True, "ms": 0, "settled": ALICE.subject}
    result = await agent.engine.drive(turn)
    assert (result.status, result.answer) == ("done", "rung")
    assert agent.tools["ring"].calls == []
    assert b"ding" in b"".join(agent.model.prompts[0].messages)


async def test_a_person_says_that_it_was_not_done_and_the_model_may_call_it_again_under_another_key(
    house: Build,
) -> None:
    left = await cut(house)
    agent = bells(house)
    turn = resumed(agent, left)
    ledger.settle(agent.gate, turn, by=ALICE, done=False, why="the bell is silent")
    result = await agent.engine.drive(turn)
    assert (result.status, agent.tools["ring"].calls) == ("done", [{"of": "bell"}])
    assert b"it was not done, as user:alice says: the bell is silent" in b"".join(agent.model.prompts[0].messages)
    assert agent.tools["ring"].keys != [left[-1].view["key"]]


async def test_a_persons_word_is_trusted_and_read_no_further_than_the_tools_own_output(house: Build) -> None:
    """What they copy may be a stranger's words; and none of it vouches for a later argument."""
    readers = frozenset({frozenset({"role:bell"})})
    leaves = {"/by": Leaf("person", readers=readers)}
    spec = {"output": Label(Trust.UNTRUSTED), "leaves": leaves}
    left = await cut(house, ring_spec=spec)
    agent = bells(house, ring_spec=spec)
    turn = resumed(agent, left)
    ledger.settle(agent.gate, turn, by=ALICE, done=True, result={"by": "mallory"})
    outcome = agent.records()[-1]
    assert outcome.label.trust is Trust.UNTRUSTED
    assert readers <= outcome.label.readers
    assert set(outcome.body) == {"value"}
    assert turn.typed == {}


async def test_only_who_may_approve_may_settle(house: Build) -> None:
    left = await cut(house)
    agent = bells(house)
    turn = resumed(agent, left)
    with pytest.raises(JournalError, match="user:eve may not answer this"):
        ledger.settle(agent.gate, turn, by=Principal("user:eve"), done=True)
    assert agent.records() == left


async def test_what_is_not_open_cannot_be_settled_and_nothing_twice(house: Build) -> None:
    left = await cut(house)
    agent = bells(house)
    turn = resumed(agent, left)
    with pytest.raises(JournalError, match=rf"expected one of the calls {left[-1].seq} \(ring\), got 1"):
        ledger.settle(agent.gate, turn, by=ALICE, done=True, call=1)
    with pytest.raises(JournalError, match="that can be recorded"):
        ledger.settle(agent.gate, turn, by=ALICE, done=True, result=2**80)
    ledger.settle(agent.gate, turn, by=ALICE, done=True)
    with pytest.raises(JournalError, match="has no call of which it is not known"):
        ledger.settle(agent.gate, turn, by=ALICE, done=True)


async def test_several_hidden_effects_beside_a_read_are_settled_one_by_one_and_the_read_is_made_again(
    house: Build,
) -> None:
    """Side by side they were made as reads; since then the operator has said that they are none."""
    calls = [("ring", {"of": "a"}), ("ring", {"of": "b"}), ("look", {"of": "c"})]
    tools: Any = {"look": lambda args: {"text": "it is 42"}}
    whole = bells(
        house, steps=[step(*calls), final("rung")], tools=tools, ring_spec={"effect": Effect.READ, "repeats": 9}
    )
    await whole.run()
    opened = [r.seq for r in whole.records() if r.kind is Kind.INTENT and r.view["sink"].startswith("tool:")]
    agent = bells(house, steps=[final("rung")], tools=tools)
    turn = resumed(agent, whole.records()[: opened[-1] + 1])
    assert (await agent.engine.drive(turn)).summary == "it is not known whether ring, ring was done"
    assert [one.args for one in ledger.unsettled(agent.gate, turn)] == [{"of": "a"}, {"of": "b"}]
    with pytest.raises(JournalError, match="say which with --call SEQ"):
        ledger.settle(agent.gate, turn, by=ALICE, done=True)
    ledger.settle(agent.gate, turn, by=ALICE, done=True, call=opened[1])
    assert (await agent.engine.drive(turn)).status == "uncertain"
    assert [one.seq for one in ledger.unsettled(agent.gate, turn)] == [opened[0]]
    ledger.settle(agent.gate, turn, by=ALICE, done=True)
    assert (await agent.engine.drive(turn)).status == "done"
    assert (agent.tools["ring"].calls, agent.tools["look"].calls) == ([], [{"of": "c"}])


# Reconciling


async def looked_up(house: Build, answer: Answer, way: Mapping[str, Reconcile] = WAY, **more: Any) -> tuple[House, str]:
    """A run whose hidden effect is looked up, and how it ends."""
    left = await cut(house, tools={"rung": answer})
    agent = bells(house, steps=[STEPS[1]], tools={"rung": answer}, reconcile=way, **more)
    result = await agent.engine.drive(resumed(agent, left))
    return agent, result.status


async def test_what_the_tool_that_knows_says_was_done_is_on_record_as_done(house: Build) -> None:
    agent, status = await looked_up(house, lambda args: {"rung": ["ding"]})
    assert (status, agent.tools["ring"].calls) == ("done", [])
    intents = [r for r in agent.records() if r.kind is Kind.INTENT and r.view["sink"].startswith("tool:")]
    assert [r.view["sink"] for r in intents] == ["tool:ring", "tool:rung"]
    key = intents[0].view["key"]
    assert agent.tools["rung"].calls == [{"of": key}]
    read, outcome = [r for r in agent.records() if r.kind is Kind.OUTCOME and r.seq > intents[1].seq][:2]
    assert outcome.view == {"of": intents[0].seq, "ok": True, "ms": 0, "reconciled": read.seq}
    assert outcome.body == {"value": ["ding"]}
    assert b"ding" in b"".join(agent.model.prompts[0].messages)
    assert b"rung(" not in b"".join(agent.model.prompts[0].messages[1:]), "the model is not shown how we know"


@pytest.mark.parametrize("empty", [[], "", False, None, 0, {}])
async def test_what_it_says_was_not_done_is_done_now_under_the_same_key(house: Build, empty: JSON) -> None:
    agent, status = await looked_up(house, lambda args: {"rung": empty})
    assert (status, agent.tools["ring"].calls) == ("done", [{"of": "bell"}])
    assert agent.tools["ring"].keys == [agent.tools["rung"].calls[0]["of"]]


@pytest.mark.parametrize(
    "answer",
    [lambda args: {}, lambda args: {"text": "try later"}, fail, lost],
    ids=["nothing", "prose", "fails", "lost"],
)
async def test_where_it_does_not_say_a_person_is_asked(house: Build, answer: Answer) -> None:
    agent, status = await looked_up(house, answer)
    assert (status, agent.tools["ring"].calls, len(agent.tools["rung"].calls)) == ("uncertain", [], 1)


@pytest.mark.parametrize(
    "spec",
    [{"ask": True}, {"callers": frozenset({"role:none"})}, {"effect": Effect.COMMIT}],
    ids=["asks", "refused", "acts"],
)
async def test_a_lookup_that_may_not_be_made_is_not_made_and_a_person_is_asked(
    house: Build, spec: Mapping[str, Any]
) -> None:
    agent, status = await looked_up(house, lambda args: {"rung": "ding"}, specs={"rung": spec})
    assert (status, agent.tools["ring"].calls, agent.tools["rung"].calls) == ("uncertain", [], [])


async def test_a_lookup_is_given_the_arguments_of_the_call_or_is_not_made(house: Build) -> None:
    def answer(args: Mapping[str, JSON]) -> JSON:
        return {"rung": args["of"]}

    agent, status = await looked_up(house, answer, {"tool:ring": Reconcile("tool:rung", {"of": "$args/of"}, "/rung")})
    assert (status, agent.tools["rung"].calls) == ("done", [{"of": "bell"}])
    agent, status = await looked_up(house, answer, {"tool:ring": Reconcile("tool:rung", {"of": "$args/x"}, "/rung")})
    assert (status, agent.tools["rung"].calls) == ("uncertain", [])


# Answers that never came


async def test_an_effect_whose_answer_was_lost_is_no_failure_that_invites_another_try(house: Build) -> None:
    agent = bells(house, ring=lost)
    turn = agent.start()
    result = await agent.engine.drive(turn)
    assert (result.status, len(agent.tools["ring"].calls), len(agent.model.prompts)) == ("uncertain", 1, 1)
    (one,) = ledger.unsettled(agent.gate, turn)
    assert one.why == "the line went dead"


async def test_a_run_that_ends_at_the_first_failure_does_not_end_at_what_may_be_none(house: Build) -> None:
    agent = bells(house, ring=lost, settings=Settings(retry_with_context=False))
    assert (await agent.run()).status == "uncertain"
    agent = bells(house, ring=fail, settings=Settings(retry_with_context=False))
    assert (await agent.run()).status == "failed"


@pytest.mark.parametrize("spec", [{"idempotent": True}, {"keyed": "key"}], ids=["idempotent", "keyed"])
async def test_what_may_be_done_twice_is_done_again_once_under_the_same_key(
    house: Build, spec: Mapping[str, Any]
) -> None:
    def ring(args: Mapping[str, JSON]) -> JSON:
        return lost(args) if len(agent.tools["ring"].calls) == 1 else "ding"

    agent = bells(house, ring=ring, ring_spec=spec)
    assert (await agent.run()).status == "done"
    assert len(agent.tools["ring"].keys) == 2
    assert len(set(agent.tools["ring"].keys)) == 1
    agent = bells(house, ring=lost, ring_spec=spec)
    turn = agent.start()
    assert (await agent.engine.drive(turn)).status == "uncertain"
    assert len(agent.tools["ring"].calls) == 2
    assert len(ledger.unsettled(agent.gate, turn)) == 1


async def test_what_is_done_again_after_a_lookup_and_lost_again_is_looked_up_and_not_tried_a_third_time(
    house: Build,
) -> None:
    agent = bells(
        house, ring=lost, tools={"rung": lambda args: {"rung": ""}}, reconcile=WAY, specs={"rung": {"repeats": 9}}
    )
    assert (await agent.run()).status == "uncertain"
    assert (len(agent.tools["ring"].calls), len(agent.tools["rung"].calls)) == (2, 2)
    assert len(set(agent.tools["ring"].keys)) == 1


async def test_a_read_whose_answer_was_lost_failed_and_the_run_goes_on(house: Build) -> None:
    agent = house([step(("look", {"of": "x"})), final("nothing")], tools={"look": lost})
    await agent.run()
    assert len(agent.model.prompts) > 1
    assert [r.view["ok"] for r in agent.records() if r.kind is Kind.OUTCOME][1] is False


async def test_a_call_that_was_cut_off_has_the_same_key_again_and_a_later_one_with_the_same_arguments_another(
    house: Build,
) -> None:
    spec = {"idempotent": True, "repeats": 9}
    twice = [STEPS[0], STEPS[0], STEPS[1]]
    whole = bells(house, steps=twice, ring_spec=spec)
    await whole.run()
    first, second = whole.tools["ring"].keys
    assert first != second
    left = whole.records()[: next(r.seq for r in whole.records() if r.view.get("sink") == "tool:ring") + 1]
    agent = bells(house, steps=twice[1:], ring_spec=spec)
    await agent.engine.drive(resumed(agent, left))
    assert agent.tools["ring"].keys == [first, second]
    assert [r.view["key"] for r in agent.records() if r.view.get("sink") == "tool:ring"] == [first, first, second]


async def test_a_tool_that_has_gone_is_put_before_a_person(house: Build) -> None:
    left = await cut(house)
    agent = house([STEPS[1]])
    turn = resumed(agent, left)
    assert (await agent.engine.drive(turn)).status == "uncertain"
    ledger.settle(agent.gate, turn, by=ALICE, done=True)
    assert agent.records()[-1].label.trust is Trust.UNTRUSTED


def test_a_tool_error_is_no_uncertain_one() -> None:
    assert issubclass(Uncertain, ToolError)
