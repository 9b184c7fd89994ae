"""A replay: what the policy as it is now would have said to a run, and nothing else. No sink is called by it.

That a run under an unchanged policy has no difference is tested for every run of every test here (conftest).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ringfence.core.chain import Kind
from ringfence.core.errors import Uncertain
from ringfence.core.gate import Gate
from ringfence.core.labels import Trust
from ringfence.core.policy import Effect, Leaf, Profile, Role, SinkSpec
from ringfence.core.turn import fold
from ringfence.core.values import JSON, Action, Outcome
from ringfence.engine import consent
from ringfence.engine.branch import fork
from ringfence.engine.ledger import Ledger, Reconcile
from ringfence.engine.loop import Engine
from ringfence.engine.replay import Replay, replay
from ringfence.engine.settings import Settings
from ringfence.engine.tier import Tier

from .conftest import ALICE, OPEN, Build, House, final, step

TYPES = {"to": "name", "n": "number"}
SEND = {"effect": Effect.EGRESS, "audience": None, "roles": {"body": Role.TEXT}, "types": TYPES}
SCHEMA = {**OPEN, "properties": {"to": {}, "n": {}, "body": {}}, "required": []}
TASK = "send the number to Bob"
LETTER = {"to": "Bob", "body": "it is 42"}
STRANGER = {"to": "Eve", "body": "it is 42"}


class Never:
    """A sink, a journal and a clock that a replay has no business with."""

    async def perform(self, action: Action) -> Outcome:
        raise AssertionError(f"{action.sink} was called")

    def append(self, record: Any) -> None:
        raise AssertionError("something was written")

    async def flush(self) -> None:
        raise AssertionError("something was written")

    def __call__(self) -> int:
        raise AssertionError("the time was asked")


def again(agent: House, *, settings: Settings | None = None, run: str = "run1", **policy: Any) -> Replay:
    """Replay a run under another policy or other settings, with nothing to act upon."""
    never, sinks = Never(), dict.fromkeys(agent.gate.policy.sinks, Never())
    gate = Gate(replace(agent.gate.policy, **policy), sinks, never, never)
    engine = Engine(gate, [Tier("model:main", 1)], settings or Settings(), reply="reply:local")
    records = agent.records(run)
    found = replay(engine, gate, records, grant=fold(records).grant)
    assert agent.records(run) == records
    return found


def with_spec(agent: House, name: str, **change: Any) -> Mapping[str, SinkSpec]:
    sinks = dict(agent.gate.policy.sinks)
    return {**sinks, name: replace(sinks[name], **change)}


async def sent(house: Build, *letters: Mapping[str, JSON]) -> House:
    """A run that looks something up and sends letters."""
    script = [step(("look", {"of": "x"})), *[step(("send", letter)) for letter in letters], final("It was sent.")]
    tools = {"look": lambda _: {"text": "it is 42"}, "send": lambda _: "sent"}
    return house(script, tools=tools, specs={"send": {**SEND, "schema": SCHEMA}})


def seen(found: Replay) -> list[tuple[str, str, str, str]]:
    return [(d.what, d.sink, d.recorded, d.now) for d in found.differences]


async def test_an_unchanged_policy_says_what_it_said(house: Build) -> None:
    agent = await sent(house, LETTER, LETTER)
    await agent.run(TASK)
    found = again(agent)
    assert (found.differences, found.notes) == ([], [])
    assert (found.decisions, found.prompts) == (8, 4)


CHANGES = {
    "asks": ({"ask": True}, "ask POL-8 ask"),
    "another role": ({"callers": frozenset({"role:hr"})}, "deny POL-2 wrong-role"),
    "a limit": ({"limit": 0}, "deny POL-7 budget"),
    "clearance": ({"clearance": Trust.USER}, "deny POL-5 untrusted"),
    "another kind": ({"types": {"to": "email"}}, "ask POL-4 no-provenance"),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_what_the_policy_would_say_now_stands_beside_what_it_said(house: Build, change: str) -> None:
    agent = await sent(house, LETTER)
    await agent.run(TASK)
    said, now = CHANGES[change]
    found = again(agent, sinks=with_spec(agent, "tool:send", **said), digest="other")
    decided = [d for d in found.differences if d.what == "decision"]
    assert [(d.sink, d.recorded, d.now) for d in decided] == [("tool:send", "allow POL-8", now)]
    assert decided[0].args == LETTER
    assert decided[0].seq == next(r.seq for r in agent.records() if r.view.get("sink") == "tool:send")
    assert found.notes == ["recorded under policy , decided again under other"]


async def test_a_refusal_that_would_not_be_one_any_more_is_a_difference(house: Build) -> None:
    agent = await sent(house, LETTER)
    agent.gate.policy = replace(agent.gate.policy, sinks=with_spec(agent, "tool:send", limit=0))
    await agent.run(TASK)
    found = again(agent, sinks=with_spec(agent, "tool:send", limit=3))
    assert seen(found) == [("decision", "tool:send", "deny POL-7 budget", "allow POL-8")]


async def test_a_profile_that_asks_nobody_denies_what_was_asked(house: Build) -> None:
    agent = await sent(house, STRANGER)
    turn = agent.start(TASK)
    await agent.engine.drive(turn)
    found = again(agent, profile=Profile.UNATTENDED)
    assert seen(found) == [("decision", "tool:send", "ask POL-4 no-provenance", "deny POL-4 no-provenance")]


async def test_approvals_of_before_count_under_another_policy_and_that_is_said_once(house: Build) -> None:
    agent = await sent(house, STRANGER, {**STRANGER, "body": "see [42](http://x.example)"})
    turn = agent.start(TASK)
    for _ in range(2):
        assert (await agent.engine.drive(turn)).status == "waiting"
        consent.approve(agent.gate, turn, by=ALICE, expires=agent.clock() + 1000)
    await agent.engine.drive(turn)
    found = again(agent, digest="other")
    assert found.differences == []
    assert found.notes == [
        "recorded under policy , decided again under other",
        "approvals that were given under another policy, and counted as given under this one: 2",
    ]


async def test_an_approval_that_was_used_up_is_used_up_under_another_policy_too(house: Build) -> None:
    agent = await sent(house, STRANGER, STRANGER)
    agent.gate.policy = replace(agent.gate.policy, sinks=with_spec(agent, "tool:send", repeats=2))
    turn = agent.start(TASK)
    for _ in range(2):
        assert (await agent.engine.drive(turn)).status == "waiting"
        consent.approve(agent.gate, turn, by=ALICE, expires=agent.clock() + 1000)
    assert (await agent.engine.drive(turn)).status == "done"
    assert len(agent.tools["send"].calls) == 2
    assert again(agent, digest="other").differences == []


async def test_an_approval_that_had_expired_or_was_for_another_call_still_counts_for_nothing(house: Build) -> None:
    agent = await sent(house, STRANGER)
    turn = agent.start(TASK)
    await agent.engine.drive(turn)
    consent.approve(agent.gate, turn, by=ALICE, expires=agent.clock() + 1000)
    agent.clock.advance(1001)
    assert (await agent.engine.drive(turn)).status == "waiting"
    assert again(agent, digest="other").differences == []
    assert fold(agent.records()).question is not None


@pytest.mark.parametrize("now", [{"system": "Other words.\n"}, {"max_steps": 3}], ids=["system prompt", "bounds"])
async def test_another_prompt_is_told_apart_from_another_decision(house: Build, now: dict[str, Any]) -> None:
    agent = await sent(house, LETTER)
    await agent.run(TASK)
    found = again(agent, settings=Settings(**now))
    assert {d.what for d in found.differences} == {"prompt"}
    first = found.differences[0]
    assert first.recorded == next(r.body["prompt"] for r in agent.records() if r.seq == first.seq)
    assert first.now != first.recorded


async def test_a_call_that_would_be_another_one_is_told_as_such(house: Build) -> None:
    agent = await sent(house, LETTER)
    await agent.run(TASK)
    full = with_spec(agent, "tool:send", check=lambda args: {"n": 1, **args})
    found = again(agent, sinks=full)
    assert [(d.what, d.now) for d in found.differences] == [("call", "n=1, to='Bob', body='it is 42'")]


async def test_a_question_is_decided_in_the_state_in_which_it_was_asked(house: Build) -> None:
    """It is recorded only after the reads beside it, whose results vouch for what it asks about."""
    fetch = {"confined": False, "audience": None, "types": {"of": "email"}, "schema": OPEN}
    agent = house(
        [step(("look", {"of": "x"}), ("fetch", {"of": "eve@x.example"}))],
        tools={"look": lambda _: {"by": "eve@x.example"}, "fetch": lambda _: "fetched"},
        specs={"look": {"leaves": {"/by": Leaf("email")}}, "fetch": fetch},
    )
    turn = agent.start("fetch what is there")
    assert (await agent.engine.drive(turn)).status == "waiting"
    assert turn.origin("eve@x.example", "email")
    kinds = [r.kind for r in agent.records()[-3:]]
    assert kinds == [Kind.INTENT, Kind.OUTCOME, Kind.DECISION]
    assert again(agent).differences == []


async def test_a_prompt_that_was_trimmed_to_its_window_is_made_again_as_it_was(house: Build) -> None:
    script = [step(("look", {"of": f"{n}"})) for n in range(6)]
    long = {"look": lambda args: {"text": f"{args['of']} is a long story " * 60}}
    agent = house([*script, final("it is 42")], tools=long, window=2200)
    await agent.run()
    assert max(r.view.get("left_out", 0) for r in agent.records()) > 2
    found = again(agent)
    assert (found.differences, found.prompts) == ([], len(agent.model.prompts))


async def test_what_is_counted_over_other_runs_is_not_decided_again_but_the_policy_is(house: Build) -> None:
    class Busy:
        def hit(self, principal: Any, sink: str) -> bool:
            return sink != "tool:send"

    agent = await sent(house, LETTER)
    agent.gate._meter = Busy()
    await agent.run(TASK)
    assert again(agent).differences == []
    found = again(agent, sinks=with_spec(agent, "tool:send", limit=0))
    assert seen(found) == [("decision", "tool:send", "deny POL-7 rate", "deny POL-7 budget")]


async def test_the_loops_own_refusals_are_made_again_too(house: Build) -> None:
    reckon = {"grounded": frozenset({"of"})}
    agent = house([step(("look", {"of": "17 * 23"})), step(("look", {"of": "x"})), final("42")], specs={"look": reckon})
    await agent.run()
    assert "invented" in [r.view.get("code") for r in agent.records()]
    assert again(agent).differences == []
    found = again(agent, sinks=with_spec(agent, "tool:look", grounded=frozenset()))
    assert seen(found) == [("decision", "tool:look", "deny POL-4 invented", "allow POL-8")]


async def test_copies_of_another_runs_decisions_are_not_compared(house: Build) -> None:
    agent = await sent(house, LETTER)
    await agent.run(TASK)
    copied = agent.records()[:6]
    await fork(agent.engine, agent.gate, copied, run="fork", principal=ALICE, grant=agent.grant)
    found = again(agent, run="fork", sinks={})
    assert (found.differences, found.decisions) == ([], 0)
    assert found.notes == ["decisions that are copies of another run's, and not compared: 2"]


async def test_a_run_that_was_cut_off_anywhere_and_gone_on_with_is_replayed_without_a_difference(house: Build) -> None:
    """Calls and prompts that were made again after a crash are on record twice; neither time is a difference."""
    script = [
        step(("look", {"of": "x"}), ("look", {"of": "y"})),
        "no step at all",
        step(("look", {"of": "17 * 23"})),
        step(("look", {"of": "x"})),
        step(("send", LETTER)),
        final("It was sent."),
    ]

    def built(*left: str) -> House:
        tools = {"look": lambda _: {"text": "it is 42"}, "send": lambda _: "sent"}
        specs = {"send": {**SEND, "schema": SCHEMA}, "look": {"repeats": 2, "grounded": frozenset({"of"})}}
        return house(left, tools=tools, specs=specs, settings=Settings(checkpoint_interval=2))

    whole = built(*script)
    assert (await whole.run(TASK)).status == "done"
    records = whole.records()
    for at in range(1, len(records)):
        turn = fold(records[:at])
        after = built(*script[turn.usage["steps"] :])
        for record in records[:at]:
            after.journal.append(record)
        await after.engine.drive(turn)
        found = again(after, settings=Settings(checkpoint_interval=2))
        assert found.differences == [], at
        assert found.decisions >= 8 or turn.end["status"] == "uncertain"


async def test_what_finds_out_about_a_lost_call_asks_nobody_in_a_replay_either(house: Build) -> None:
    specs: dict[str, Any] = {
        "send": {**SEND, "schema": SCHEMA},
        "sent": {"confined": False, "audience": None, "ask": True},  # a look-up that would ask
    }

    def lost(args: Mapping[str, JSON]) -> JSON:
        raise Uncertain("the line went dead")

    agent = house([step(("send", LETTER))], tools={"send": lost, "sent": lambda _: {}}, specs=specs)
    agent.engine._ledger = Ledger(agent.gate, {"tool:send": Reconcile("tool:sent", {"of": "$key"})})
    assert (await agent.run(TASK)).status == "uncertain"
    assert [r.view["verdict"] for r in agent.records() if r.kind is Kind.DECISION] == ["ask", "deny"]
    assert again(agent).differences == []
