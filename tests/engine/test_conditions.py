"""The conditions of a query are those of its task."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.core.chain import Kind

from .conftest import Build, House, final, step

TASK = "How many members joined in August 2025, and what is their average age?"
CONDITIONS: Any = {"schema": {"type": "object", "properties": {"where": {}}}}


def where(column: str, value: str, op: str = "=") -> Any:
    return step(("query", {"where": [{"column": column, "op": op, "value": value}]}))


@pytest.fixture
def members(house: Build) -> Any:
    def build(*script: Any, opening: Any = None) -> House:
        tools = {"query": lambda args: {"rows": [["Ann", 3]], "seen": "lifeboat"}, "find": lambda args: opening}
        return house([*script, final("3")], tools=tools, specs={"query": CONDITIONS, "find": {"opens": "question"}})

    return build


def refusals(agent: House) -> list[str]:
    return [r.body["why"] for r in agent.records() if r.kind is Kind.DECISION and r.view["code"] == "unasked"]


async def test_a_condition_from_nowhere_is_left_out(members: Any) -> None:
    agent = members(where("paid", "no"), where("joined", "2025-08"))
    await agent.run(TASK)
    assert refusals(agent) == ["nothing asks for paid = no: leave that condition out"]
    assert b'"const":"query"' in (agent.model.prompts[1].schema or b"")  # by the same tool
    assert len(agent.tools["query"].calls) == 1


async def test_a_model_that_stays_with_its_condition_is_told_so_once(members: Any) -> None:
    agent = members(where("paid", "no"), where("paid", "no"))
    await agent.run(TASK)
    assert len(refusals(agent)) == len(agent.tools["query"].calls) == 1


@pytest.mark.parametrize(
    ("column", "op", "value"),
    [
        ("ages", ">", "17"),  # by its column, however it is inflected
        ("since", ">=", "2025-08-01"),  # by the month
        ("kind", "=", "full member, joined"),  # by a part of the value
        ("left", "!=", ""),  # nothing is named, and nothing left out
    ],
)
async def test_a_condition_that_the_task_speaks_of_is_asked(members: Any, column: str, op: str, value: str) -> None:
    agent = members(where(column, value, op))
    task = TASK if value else f"{TASK} Not those who have gone."
    await agent.run(task)
    assert refusals(agent) == []


async def test_what_was_found_may_be_asked_for_and_a_mere_sample_tells_nothing(
    members: Any,
) -> None:
    asked = where("crew", "lifeboat")
    agent = members(where("joined", "2025-08"), asked)
    await agent.run(TASK)
    assert refusals(agent) == []
    for note, refused in (({}, 0), ({"note": "a sample"}, 1)):
        agent = members(asked, opening={"passages": [{"path": "notes.md", "text": "the lifeboat crew", **note}]})
        await agent.run(TASK)
        assert len(refusals(agent)) == refused


@pytest.mark.parametrize(("more", "refused"), [("", 1), (" Except for August 2025.", 0), (" They haven't paid.", 0)])
async def test_what_a_task_names_is_not_left_out_unless_it_says_so(members: Any, more: str, refused: int) -> None:
    agent = members(where("joined", "2025-08", "!="))
    await agent.run(TASK + more)
    assert len(refusals(agent)) == refused
