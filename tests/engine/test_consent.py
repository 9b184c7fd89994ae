"""What a run asks a human, and which answers count."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from ringfence.core.errors import JournalError
from ringfence.core.gate import Gate
from ringfence.core.labels import Label, Trust
from ringfence.core.policy import Effect, Profile, Role
from ringfence.core.turn import State
from ringfence.core.values import Principal
from ringfence.engine import consent
from ringfence.engine.consent import Origin

from .conftest import ALICE, Build, House, final, step

BOB = Principal("user:bob")
LEAD = Principal("user:lee", frozenset({"role:lead"}))
SEND = {
    "effect": Effect.EGRESS,
    "audience": None,
    "roles": {"body": Role.TEXT},
    "types": {"to": "email", "n": "number"},
}
SCHEMA = {"type": "object", "properties": {"to": {}, "n": {}, "body": {}}, "required": [], "additionalProperties": True}
LETTER = {"to": "eve@x.example", "n": 7, "body": "see https://evil.example"}
TASK = "send 7 to Bob"


async def asking(house: Build, *more: str) -> tuple[House, Any]:
    """A run that waits for a yes to a letter that nobody asked for."""
    script = [step(("send", LETTER)), *more, final("it was done")]
    agent = house(script, tools={"send": lambda _: "sent"}, specs={"send": {**SEND, "schema": SCHEMA}})
    turn = agent.start(TASK)
    assert (await agent.engine.drive(turn)).status == "waiting"
    return agent, turn


async def test_a_question_shows_resolved_values_and_the_origin_of_each_control_argument(house: Build) -> None:
    agent, turn = await asking(house)
    asked = consent.question(agent.gate, turn)
    assert asked.origins == (Origin("to", "eve@x.example", "email", ""), Origin("n", 7, "number", "you"))
    assert asked.texts == (("body", "see https://evil.example"),)
    assert (asked.run, asked.task, asked.rule, asked.stale) == ("run1", TASK, "POL-4", False)
    assert asked.action.args == LETTER


async def test_a_no_is_told_to_the_model_and_the_call_is_never_made(house: Build) -> None:
    agent, turn = await asking(house)
    consent.deny(agent.gate, turn, by=ALICE, why="wrong person")
    result = await agent.engine.drive(turn)
    assert agent.tools["send"].calls == []
    assert b"user:alice said no: wrong person" in agent.model.prompts[-1].messages[-1]
    assert (result.status, result.confidence) == ("partial", "low")
    assert result.summary.startswith("nothing was changed or sent")


async def test_an_endorsed_value_holds_for_the_next_call_and_one_that_was_not_asks_again(house: Build) -> None:
    second = step(("send", {**LETTER, "n": 8, "body": "again"}))
    agent, turn = await asking(house, second)
    consent.approve(agent.gate, turn, by=ALICE, expires=agent.clock() + 1000, endorse=("to",))
    assert (await agent.engine.drive(turn)).status == "waiting"
    assert agent.tools["send"].calls == [LETTER]
    asked = consent.question(agent.gate, turn)
    assert [o.source for o in asked.origins] == ["user:alice", ""]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"by": BOB}, "user:bob may not answer"),
        ({"by": ALICE, "digest": "0" * 12}, "expected an answer to"),
        ({"by": ALICE, "endorse": ("body",)}, "no control argument 'body'"),
    ],
)
async def test_an_answer_that_cannot_count_changes_nothing(house: Build, how: Any, message: str) -> None:
    agent, turn = await asking(house)
    with pytest.raises(JournalError, match=message):
        consent.approve(agent.gate, turn, expires=agent.clock() + 1000, **how)
    assert turn.state is State.WAITING


async def test_a_yes_under_another_policy_is_refused(house: Build) -> None:
    agent, turn = await asking(house)
    changed = Gate(replace(agent.gate.policy, digest="new"), {}, agent.journal, agent.clock)
    assert consent.question(changed, turn).stale
    with pytest.raises(JournalError, match="the policy has changed"):
        consent.approve(changed, turn, by=ALICE, expires=agent.clock() + 1000)


async def test_with_four_eyes_another_approver_says_yes(house: Build) -> None:
    agent, turn = await asking(house)
    eyes = replace(agent.gate.policy, approvers=frozenset({"role:lead"}), four_eyes=True)
    gate = Gate(eyes, {}, agent.journal, agent.clock)
    with pytest.raises(JournalError, match="role:lead may"):
        consent.approve(gate, turn, by=ALICE, expires=agent.clock() + 1000)
    consent.approve(gate, turn, by=LEAD, expires=agent.clock() + 1000)
    assert turn.state is State.ACTING


async def test_unattended_there_is_no_question_and_the_call_is_not_made(house: Build) -> None:
    agent = house(
        [step(("send", LETTER)), final("it could not be sent")],
        tools={"send": lambda _: "sent"},
        specs={"send": {**SEND, "schema": SCHEMA}},
    )
    agent.gate.policy = replace(agent.gate.policy, profile=Profile.UNATTENDED)
    result = await agent.run(TASK)
    assert (result.status, agent.tools["send"].calls) == ("partial", [])


async def test_nothing_to_answer_says_so(house: Build) -> None:
    agent = house([final("x")])
    with pytest.raises(JournalError, match="not waiting"):
        consent.question(agent.gate, agent.start())


async def test_a_value_of_no_declared_kind_is_not_trusted_for_the_run(house: Build) -> None:
    script = [step(("send", {"to": "all"})), final("done")]
    agent = house(script, tools={"send": str}, specs={"send": {"effect": Effect.COMMIT, "schema": SCHEMA}})
    turn = agent.start("tell them")
    await agent.engine.drive(turn)
    with pytest.raises(JournalError, match="no declared kind"):
        consent.approve(agent.gate, turn, by=ALICE, expires=agent.clock() + 1000, endorse=("to",))


async def test_a_run_that_was_denied_or_has_ended_waits_for_nobody_any_more(house: Build) -> None:
    agent, turn = await asking(house)
    consent.deny(agent.gate, turn, by=ALICE)
    answers = (partial(consent.approve, expires=agent.clock() + 1000), consent.deny)
    for answer in answers:
        with pytest.raises(JournalError, match="not waiting for anybody") as refused:
            answer(agent.gate, turn, by=ALICE)
        assert refused.value.todo == "go on with it: ringfence run --resume run1"
    await agent.engine.drive(turn)
    with pytest.raises(JournalError, match=r"it has ended \(partial\)"):
        consent.question(agent.gate, turn)


async def test_who_has_said_yes_already_is_named(house: Build) -> None:
    agent, turn = await asking(house)
    consent.approve(agent.gate, turn, by=ALICE, expires=agent.clock() + 1000)
    with pytest.raises(JournalError, match="user:alice has said yes already"):
        consent.approve(agent.gate, turn, by=ALICE, expires=agent.clock() + 1000)


def under(agent: House, **change: Any) -> Gate:
    """The same agent under another policy."""
    return Gate(replace(agent.gate.policy, **change), {}, agent.journal, agent.clock)


async def test_what_a_changed_policy_asks_too_is_asked_anew(house: Build) -> None:
    agent, turn = await asking(house)
    old, changed = consent.question(agent.gate, turn), under(agent, digest="new")
    consent.renew(changed, turn, now=agent.clock())
    anew = consent.question(changed, turn)
    assert (anew.stale, anew.rule, anew.action.args) == (False, "POL-4", old.action.args)
    with pytest.raises(JournalError, match="expected an answer to"):
        consent.approve(changed, turn, by=ALICE, expires=agent.clock() + 1000, digest=old.digest)
    before = turn.next_seq
    consent.renew(changed, turn, now=agent.clock())
    assert turn.next_seq == before  # nothing has changed since


async def test_what_a_changed_policy_would_simply_allow_is_asked_all_the_same(house: Build) -> None:
    agent, turn = await asking(house)
    spec = replace(agent.gate.policy.sinks["tool:send"], roles=dict.fromkeys(("to", "n", "body"), Role.LOW))
    loose = under(agent, digest="new", sinks={**agent.gate.policy.sinks, "tool:send": spec})
    consent.renew(loose, turn, now=agent.clock())
    assert (turn.state, consent.question(loose, turn).why) == (
        State.WAITING,
        "the policy has changed since this was asked",
    )


async def test_what_a_changed_policy_denies_is_refused_and_the_run_goes_on(house: Build) -> None:
    agent, turn = await asking(house)
    agent.one_policy = False
    gone = {name: spec for name, spec in agent.gate.policy.sinks.items() if name != "tool:send"}
    consent.renew(under(agent, digest="new", sinks=gone), turn, now=agent.clock())
    assert (turn.state, turn.question) == (State.ACTING, None)
    assert agent.records()[-1].view["code"] == "unknown-sink"


async def test_a_question_that_nobody_answers_in_time_is_a_no_on_record_and_takes_no_answer(house: Build) -> None:
    agent, turn = await asking(house)
    asked = consent.question(agent.gate, turn, waits_s=60)
    assert asked.expires == asked.asked + 60_000
    assert not consent.expire(agent.gate, turn, now=asked.expires - 1, waits_s=60)
    assert not consent.expire(agent.gate, turn, now=asked.expires * 9, waits_s=None)
    for yes in (partial(consent.approve, expires=asked.expires * 9), consent.deny):
        with pytest.raises(JournalError, match=r"expired at .* UTC: no answer counts any more"):
            yes(agent.gate, turn, by=ALICE, now=asked.expires, waits_s=60)
    assert turn.state is State.WAITING
    assert consent.expire(agent.gate, turn, now=asked.expires, waits_s=60)
    said = agent.records()[-1]
    assert (said.view["verdict"], said.view["rule"], said.view["code"]) == ("deny", "POL-9", "expired")
    assert "by" not in said.view
    with pytest.raises(JournalError, match="is not waiting for anybody"):
        consent.approve(agent.gate, turn, by=ALICE, expires=asked.expires * 9)
    assert (await agent.engine.drive(turn)).summary.startswith("nothing was changed or sent")
    assert agent.tools["send"].calls == []
    assert b"nobody answered by" in agent.model.prompts[-1].messages[-1]


async def test_whoever_may_not_read_a_call_says_no_to_it_and_never_yes(house: Build) -> None:
    agent, turn = await asking(house)
    assert turn.question is not None
    turn.question = replace(turn.question, label=Label(Trust.USER, frozenset({frozenset({"role:payroll"})})))
    with pytest.raises(JournalError, match="may not read this call"):
        consent.approve(agent.gate, turn, by=ALICE, expires=agent.clock() + 1000)
    assert turn.state is State.WAITING
    consent.deny(agent.gate, turn, by=ALICE)
    assert turn.state is State.ACTING
