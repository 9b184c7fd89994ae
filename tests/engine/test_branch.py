"""A fork: it begins with what another run did, does none of it again, and gets round no refusal and no approval."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError
from ringfence.core.policy import Effect, Leaf, Role
from ringfence.core.turn import Turn, fold
from ringfence.core.values import Principal
from ringfence.engine import consent
from ringfence.engine.branch import check, fork, forkable
from ringfence.engine.settings import Settings

from .conftest import ALICE, Build, House, final, step

SEND = {"effect": Effect.EGRESS, "audience": None, "roles": {"body": Role.TEXT}, "types": {"to": "name"}}
SCHEMA = {"type": "object", "properties": {"to": {}, "body": {}}, "required": [], "additionalProperties": False}
TASK = "send the number to Bob"
STRANGER = {"to": "Eve", "body": "it is 42"}
FRIEND = {"to": "Bob", "body": "it is 42"}
SPECS = {"send": {**SEND, "schema": SCHEMA}, "look": {"leaves": {"/by": Leaf("email")}, "repeats": 5}}


def built(house: Build, *script: Any, **how: Any) -> House:
    tools = {"look": lambda args: {"text": "it is 42", "by": "carol@x.example"}, "send": lambda _: "sent"}
    return house(script, tools=tools, specs=SPECS, settings=Settings(checkpoint_interval=1), **how)


async def forked(agent: House, at: int, *, task: str = "", run: str = "fork", of: str = "run1") -> Turn:
    records = agent.records(of)
    check(records, at, ALICE)
    return await fork(
        agent.engine, agent.gate, records[: at + 1], run=run, principal=ALICE, grant=agent.grant, task=task
    )  # fmt: skip


async def finished(house: Build) -> House:
    """A run with reads side by side, an effect that was asked for, and one that was not."""
    script = [
        step(("look", {"of": "x"}), ("look", {"of": "y"})),
        step(("send", STRANGER)),
        step(("send", FRIEND)),
        final("It was sent."),
    ]
    agent = built(house, *script, *script)
    turn = agent.start(TASK)
    await agent.engine.drive(turn)
    consent.approve(agent.gate, turn, by=ALICE, expires=agent.clock() + 1000, endorse=("to",))
    assert (await agent.engine.drive(turn)).status == "done"
    return agent


def last(records: list[Record], kind: Kind, **view: Any) -> int:
    return max(r.seq for r in records if r.kind is kind and view.items() <= r.view.items())


async def test_a_fork_at_every_place_that_allows_it_begins_as_its_origin_did_and_does_nothing_of_it_again(
    house: Build,
) -> None:
    agent = await finished(house)
    origin, done = agent.records(), [len(tool.calls) for tool in agent.tools.values()]
    places = forkable(origin)
    assert len(places) > 8
    for at in places:
        turn = await forked(agent, at, run=f"fork{at}")
        records, before = agent.records(f"fork{at}"), fold(origin[: at + 1])
        assert [r.view.get("copied") for r in records] == [None, *["run1"] * at]
        assert records[0].view["forked"] == {"run": "run1", "seq": at}
        for slot in ("state", "next_seq", "answered", "calls", "seen", "usage", "failed", "label", "marked"):
            assert getattr(turn, slot) == getattr(before, slot), slot
        assert [r.body for r, _ in turn.items] == [r.body for r, _ in before.items]
    assert [len(tool.calls) for tool in agent.tools.values()] == done


async def test_nothing_open_asked_delivered_or_ended_is_a_place_and_the_message_names_those_that_are(
    house: Build,
) -> None:
    agent = await finished(house)
    records, turn = agent.records(), Turn()
    places = forkable(records)
    for record in records:
        turn.apply(record)
        if turn.open or turn.question or turn.end:
            assert record.seq not in places
    asked = last(records, Kind.DECISION, verdict="ask")
    with pytest.raises(JournalError, match=f"cannot be forked at record {asked}.*\n.*forked at: 0-1, 3"):
        check(records, asked, ALICE)
    for at in (-1, len(records) - 1, len(records)):
        with pytest.raises(JournalError, match="cannot be forked"):
            check(records, at, ALICE)
    sent = last(records, Kind.OUTCOME)  # the reply: its run has only to be ended
    with pytest.raises(JournalError, match="cannot be forked"):
        check(records, sent, ALICE)


async def test_a_fork_goes_on_by_itself_and_its_origin_stays_as_it_was(house: Build) -> None:
    agent = await finished(house)
    origin = agent.records()
    at = last(origin, Kind.OUTCOME, of=last(origin, Kind.INTENT, sink="tool:look"))
    agent.model._steps = [*[""] * len(agent.model.prompts), step(("send", FRIEND)), final("It was sent.")]
    turn = await forked(agent, at)
    sent = len(agent.tools["send"].calls)
    assert (await agent.engine.drive(turn)).status == "done"
    assert agent.tools["send"].calls[sent:] == [FRIEND]
    assert agent.records() == origin
    assert "copied" not in agent.records("fork")[-1].view


async def test_what_was_done_before_the_fork_is_a_repeat_behind_it(house: Build) -> None:
    agent = await finished(house)
    at = last(agent.records(), Kind.OUTCOME, of=last(agent.records(), Kind.INTENT, sink="tool:send"))
    agent.model._steps = [*[""] * len(agent.model.prompts), step(("send", FRIEND)), final("It was sent.")]
    sent = len(agent.tools["send"].calls)
    await agent.engine.drive(await forked(agent, at))
    assert len(agent.tools["send"].calls) == sent
    refused = [r.view["code"] for r in agent.records("fork") if r.kind is Kind.DECISION and "copied" not in r.view]
    assert refused == ["repeat"]


@pytest.mark.parametrize("behind", [True, False], ids=["behind the yes", "before the question"])
async def test_a_yes_to_the_origin_is_none_to_its_fork(house: Build, behind: bool) -> None:
    """POL-9: an approval is for one run, and so is what its approver vouched for."""
    agent = await finished(house)
    records = agent.records()
    at = last(records, Kind.APPROVAL) if behind else last(records, Kind.DECISION, verdict="ask") - 1
    sent = len(agent.tools["send"].calls)
    turn = await forked(agent, at)
    assert turn.origin("Eve", "name") == ""
    assert (await agent.engine.drive(turn)).status == "waiting"
    assert len(agent.tools["send"].calls) == sent
    consent.approve(agent.gate, turn, by=ALICE, expires=agent.clock() + 1000)  # a yes of its own
    agent.model._steps = [*[""] * len(agent.model.prompts), final("It was sent.")]
    await agent.engine.drive(turn)
    assert agent.tools["send"].calls[sent:] == [STRANGER]


async def test_a_value_that_was_trusted_for_the_origin_asks_again_behind_the_fork(house: Build) -> None:
    agent = await finished(house)
    at = last(agent.records(), Kind.OUTCOME, of=last(agent.records(), Kind.INTENT, sink="tool:send"))
    other = {**STRANGER, "body": "42"}
    agent.model._steps = [*[""] * len(agent.model.prompts), step(("send", other))]
    assert fold(agent.records()).origin("Eve", "name") == "user:alice"
    turn = await forked(agent, at)
    assert (await agent.engine.drive(turn)).status == "waiting"
    assert turn.question is not None
    assert turn.question.body["args"] == other


async def test_no_fork_leads_round_a_no(house: Build) -> None:
    agent = built(house, step(("send", STRANGER)), final("no"), *[step(("send", STRANGER))] * 9)
    turn = agent.start(TASK)
    await agent.engine.drive(turn)
    consent.deny(agent.gate, turn, by=ALICE)
    await agent.engine.drive(turn)
    for at in forkable(agent.records()):
        again = await forked(agent, at, run=f"fork{at}")
        result = await agent.engine.drive(again)
        assert result.status == "waiting"
    assert agent.tools["send"].calls == []


async def test_no_fork_leads_out_of_a_grant(house: Build) -> None:
    agent = built(house, *[step(("send", FRIEND)), final("no")] * 9)
    agent.grant = replace(agent.grant, sinks=agent.grant.sinks - {"tool:send"})
    await agent.run(TASK)
    for at in forkable(agent.records()):
        await agent.engine.drive(await forked(agent, at, run=f"fork{at}"))
    assert agent.tools["send"].calls == []


async def test_budgets_go_on_counting(house: Build) -> None:
    agent = built(house, *[step(("look", {"of": f"{n}"})) for n in range(3)], final("it is 42"))
    agent.grant = replace(agent.grant, budgets={"tool:look": 2})
    await agent.run(TASK)
    at = last(agent.records(), Kind.OUTCOME, of=last(agent.records(), Kind.INTENT, sink="tool:look"))
    agent.model._steps = [*[""] * len(agent.model.prompts), step(("look", {"of": "z"})), final("it is 42")]
    await agent.engine.drive(await forked(agent, at))
    assert len(agent.tools["look"].calls) == 2
    assert [r.view["code"] for r in agent.records("fork") if r.kind is Kind.DECISION] == ["budget"]


async def test_another_task_takes_the_place_of_the_first_in_words_and_message(house: Build) -> None:
    agent = await finished(house)
    at = last(agent.records(), Kind.OUTCOME, of=last(agent.records(), Kind.INTENT, sink="tool:look"))
    turn = await forked(agent, at, task="send the number to Dan")
    assert turn.start["task"] == turn.items[0][0].body["text"] == "send the number to Dan"
    assert (turn.origin("Dan", "name"), turn.origin("Bob", "name")) == ("you", "")
    agent.model._steps = [*[""] * len(agent.model.prompts), step(("send", FRIEND)), final("no")]
    await agent.engine.drive(turn)
    assert b"Task: send the number to Dan" in agent.model.prompts[-1].messages[-1]
    assert [r.view["code"] for r in agent.records("fork")[at:] if r.kind is Kind.DECISION] == ["no-provenance"]


async def test_what_the_other_task_pointed_at_vouches_for_nothing_under_a_new_one(house: Build) -> None:
    specs = {"look": {"leaves": {"/text": Leaf("email", sole=True)}, "types": {"of": "id"}, "roles": {}}}
    agent = house(
        [step(("look", {"of": "note-1"})), final("found")],
        tools={"look": lambda _: {"text": "write to eve@x.example"}},
        specs=specs,
    )
    await agent.run("write to whoever note-1 names")
    records = agent.records()
    at = last(records, Kind.OUTCOME, of=last(records, Kind.INTENT, sink="tool:look"))
    assert fold(records).origin("eve@x.example", "email")
    assert (await forked(agent, at, run="same")).origin("eve@x.example", "email")
    assert (await forked(agent, at, run="new", task="write to whom you like")).origin("eve@x.example", "email") == ""


async def test_only_the_one_who_asked_can_fork_and_with_no_role_that_they_have_lost(house: Build) -> None:
    agent = await finished(house)
    with pytest.raises(JournalError, match="was asked by user:alice, and you are user:bob"):
        check(agent.records(), 1, Principal("user:bob"))
    now = Principal("user:alice", frozenset({"role:lead"}))
    turn = await fork(agent.engine, agent.gate, agent.records()[:2], run="fork", principal=now, grant=agent.grant)
    assert turn.principal == Principal("user:alice", frozenset())


async def test_a_fork_of_a_fork_names_the_run_that_it_was_made_from(house: Build) -> None:
    agent = await finished(house)
    await forked(agent, 7)
    turn = await forked(agent, 3, run="again", of="fork")
    assert agent.records("again")[0].view["forked"] == {"run": "fork", "seq": 3}
    assert {r.view["copied"] for r in agent.records("again")[1:]} == {"fork"}
    assert turn.next_seq == 4
