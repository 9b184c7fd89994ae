"""A grant from the user's words alone."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from ringfence.core.chain import Kind
from ringfence.core.errors import BackendError
from ringfence.core.policy import Effect, SinkSpec
from ringfence.engine.planner import plan, propose

from .conftest import ALICE, Build

EFFECTS = [SinkSpec(f"tool:{name}", effect=Effect.WRITE, summary=name) for name in ("mail", "write")]


async def test_the_plan_is_made_from_the_users_words_alone_and_on_record(house: Build) -> None:
    agent = house([json.dumps({"thought": "t", "needs": [{"action": "mail", "calls": 2}]})])
    needs = await propose(agent.gate, "mail Ann", run="p1", principal=ALICE, model="model:main", effects=EFFECTS)
    assert needs == {"tool:mail": 2}
    shown = b"".join(agent.model.prompts[0].messages)
    assert b"mail Ann" in shown
    kinds = [record.kind for record in agent.journal.read("p1")]
    assert kinds == [Kind.STARTED, Kind.INTENT, Kind.OUTCOME, Kind.FINISHED]
    assert agent.journal.read("p1")[0].body["grant"]["sinks"] == ["model:main"]


async def test_the_grammar_holds_the_effects_and_nothing_else(house: Build) -> None:
    agent = house([json.dumps({"thought": "t", "needs": []})])
    await propose(agent.gate, "x", run="p1", principal=ALICE, model="model:main", effects=EFFECTS)
    check = Draft202012Validator(json.loads(agent.model.prompts[0].schema or b""))
    good = {"thought": "", "needs": [{"action": "write", "calls": 1}]}
    assert check.is_valid(good)
    assert not check.is_valid({"thought": "", "needs": [{"action": "format-disk", "calls": 1}]})
    assert not check.is_valid({"thought": "", "needs": [{"action": "write", "calls": 99}]})


@pytest.mark.parametrize(
    "said", ["no json", "[]", '{"needs": [{"action": "root", "calls": 1}]}', BackendError("it is gone")]
)
async def test_without_a_plan_that_can_be_read_a_task_only_reads(house: Build, said: str | BackendError) -> None:
    agent = house([said])
    assert await propose(agent.gate, "x", run="p1", principal=ALICE, model="model:main", effects=EFFECTS) == {}
    assert agent.journal.read("p1")[-1].body["status"] == "failed"


def test_a_plan_cannot_ask_for_more_calls_than_the_bound() -> None:
    assert plan(EFFECTS, '{"needs": [{"action": "mail", "calls": 500}]}') == {"tool:mail": 5}
