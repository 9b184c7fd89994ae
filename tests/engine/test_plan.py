"""Plans: from a task's own words or a model's, held to by what the record shows, and left when they do not work."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from ringfence.core.chain import Kind
from ringfence.core.errors import ToolError
from ringfence.core.policy import Effect, Role
from ringfence.core.turn import Turn, fold
from ringfence.engine.course import goes_round
from ringfence.engine.plan import (
    MAX_GOALS,
    MAX_REPLANS,
    Do,
    Goal,
    Planning,
    Standing,
    drifts,
    from_words,
    read,
    standing,
)
from ringfence.engine.settings import Settings

from .conftest import Build, House, final, forms, step

FULL = Settings(planning=Planning.FULL)
PUT: Any = {"put": {"effect": Effect.WRITE, "audience": None, "roles": {"of": Role.LOW}}}
TASK = "Find the pump that ran longest. Then write its name into out.txt."


def plan(*goals: tuple[str, str], thought: str = "so") -> str:
    written = [{"do": do, "what": what, "done_when": "it is shown"} for do, what in goals]
    return json.dumps({"thought": thought, "progress": "replan", "plan": written})


def on(goal: int, *calls: tuple[str, dict[str, str]]) -> str:
    """A step that works on a goal of the plan."""
    return json.dumps({**json.loads(step(*calls)), "goal": goal, "progress": "continue"})


@pytest.mark.parametrize(
    ("task", "goals"),
    [
        ("What is it?", []),
        ("", []),
        ("Count the errors in a.log.", []),
        (TASK, [Do.RECKON, Do.ACT]),
        ("Count the lines in a.log and write the number into out.txt", [Do.RECKON, Do.ACT]),
        ("Put the sum of the fees into out.txt.", [Do.RECKON, Do.ACT]),
        ("3 boats stay 2 nights. Put the total into out.txt.", [Do.RECKON, Do.ACT]),
        ('Write "the total is paid" into out.txt.', []),
        ("Write the name of the pump into out.txt.", []),
        ("Who is on call? What is his number? Send it to Ann.", [Do.LOOK, Do.LOOK, Do.ACT]),
        ("1. Read a.md\n2. Sum up the costs in it\n3. Save the sum to b.md", [Do.LOOK, Do.RECKON, Do.ACT]),
        ("Welche Pumpe lief am längsten? Wann war das?", [Do.LOOK, Do.LOOK]),
        ("Accounts here. From a.csv I need the total of what is open. Put it into out.txt.", [Do.RECKON, Do.ACT]),
        ("Good morning! What is the fee?", []),
        ("Find the pump. Write its name into out.txt.", [Do.LOOK, Do.ACT]),
        ("Review the report. Then send a mail to ops@x.example.", [Do.LOOK, Do.ACT]),
        ("Verify backups. Then save the result to de.txt.", [Do.LOOK, Do.ACT]),
        ("Measure both pumps, then write a note to n.txt", [Do.LOOK, Do.ACT]),
    ],
)
def test_the_goals_of_a_task_are_its_own_sentences(task: str, goals: list[Do]) -> None:
    assert [goal.do for goal in from_words(task)] == goals


def test_goals_are_bounded_in_number_and_length() -> None:
    goals = from_words(" ".join(f"Write {n} {'x' * 150} into a file." for n in range(11)))
    assert len(goals) == MAX_GOALS
    assert max(len(goal.what) for goal in goals) <= 140


def test_a_written_plan_is_read_and_what_is_none_is_refused_in_words() -> None:
    assert read([{"do": "look", "what": "a.md", "done_when": None}])[0].done_when == ""
    assert read([{"do": "look", "what": " a.md ", "done_when": "x"}, {"do": "fly", "what": "x"}, 7]) == (
        Goal(Do.LOOK, "a.md", "x"),
    )
    assert len(read([{"do": "act", "what": "x"}] * 99)) == MAX_GOALS
    for wrong in (None, [], "look", {}, [[]], [{"do": "look", "what": " "}]):
        with pytest.raises(ValueError, match="a plan is a list of"):
            read(wrong)


def test_a_long_text_is_no_list_of_goals() -> None:
    """Who pastes a document does not ask for what its sentences say."""
    assert from_words("What does it say? " + "Then write it down. " * 200) == ()


async def folded(house: Build, task: str, *script: str, settings: Settings | None = None, **how: Any) -> Turn:
    agent = house(list(script), settings=settings, **how)
    await agent.run(task)
    return fold(agent.records())


LOOK = step(("look", {"of": "pumps"}))
GIVEN = (Goal(Do.LOOK, "find"), Goal(Do.RECKON, "count"), Goal(Do.ACT, "write"))
TOOLS: Any = {"look": lambda args: {"text": "it is 42"}, "put": str}
RECKONERS, EFFECTS = ["tool:look"], ["tool:put"]


async def test_what_is_reached_is_what_the_record_shows(house: Build) -> None:
    put = step(("put", {"of": "42"}))
    turn = await folded(
        house, "what is it?", LOOK, step(("look", {"of": "b"})), put, final("42"), tools=TOOLS, specs=PUT
    )
    whole = standing(turn, RECKONERS, EFFECTS, given=GIVEN)
    assert (whole.reached, whole.left, whole.acts) == ({1, 2, 3}, False, False)
    assert whole.text() == "Plan:\n1. [done] find\n2. [done] count\n3. [done] write"
    told = Standing((GIVEN[0], Goal(Do.ACT, "write", "out/a.txt has it.")), frozenset({1})).text()
    assert told == "Plan:\n1. [done] find\n2. write\nThe next goal is reached when out/a.txt has it."


async def test_a_model_cannot_say_that_a_goal_is_reached(house: Build) -> None:
    turn = await folded(
        house, "what is it?", on(3, ("look", {"of": "a"})), final("I have written it"), tools=TOOLS, specs=PUT
    )
    stands = standing(turn, RECKONERS, EFFECTS, given=GIVEN)
    assert stands.reached == frozenset()  # a look reaches no act, whatever goal the step names
    assert stands.left


async def test_a_goal_that_no_tool_reaches_is_not_waited_for(house: Build) -> None:
    agent = house([LOOK, final("it is 42")], tools={"look": lambda args: {"text": "it is 42"}})
    result = await agent.run("Find the pump. Then write its name into out.txt.")
    assert result.status == "done"
    assert "final" in forms(agent)[1]


async def test_under_light_an_answer_waits_for_the_act_that_the_task_names(house: Build) -> None:
    agent = house([LOOK, step(("put", {"of": "42"})), final("42 is written")], tools=TOOLS, specs=PUT)
    result = await agent.run(TASK)
    assert result.status == "done"
    assert [f >= {"final"} for f in forms(agent)] == [False, False, True]
    assert b"Plan:" in agent.model.prompts[0].messages[-1]
    assert b"[done]" in agent.model.prompts[1].messages[-1]


@pytest.mark.parametrize(("planning", "again"), [(Planning.OFF, 1), (Planning.LIGHT, 2)])
async def test_a_model_that_makes_the_same_call_again_can_only_act_at_last(
    house: Build, planning: Planning, again: int
) -> None:
    """Under a plan whose other goals come first it is told once more to look for them."""
    task = "Find the pump that ran longest. Add up its hours. Then write them into out.txt."
    script = [LOOK, *[LOOK] * again, step(("put", {"of": "42"})), final("42 is written")]
    agent = house(script, tools={**TOOLS, "more": str}, specs=PUT, settings=Settings(planning=planning))
    result = await agent.run(task)
    assert (result.status, [one.tool for one in result.steps if one.ok]) == ("done", ["look", "put"])
    able = [
        {name for name in (b'"look"', b'"put"', b'"more"') if name in (p.schema or b"")} for p in agent.model.prompts
    ]
    assert able[1 + again] == {b'"put"'}
    assert b'"more"' in able[again]


async def test_with_planning_off_nothing_is_said_of_a_plan(house: Build) -> None:
    agent = house(
        [LOOK, step(("put", {"of": "42"})), final("42")],
        tools=TOOLS,
        specs=PUT,
        settings=Settings(planning=Planning.OFF),
    )
    await agent.run(TASK)
    assert not any(b"Plan:" in message for prompt in agent.model.prompts for message in prompt.messages[1:])


@pytest.mark.parametrize("planning", [Planning.OFF, Planning.LIGHT])
async def test_a_plan_that_nobody_asked_for_is_none(house: Build, planning: Planning) -> None:
    """A server that ignores the grammar does not make a run plan for ever."""
    written = plan(("look", "find everything"))
    agent = house([written, LOOK, final("42")], settings=Settings(planning=planning))
    result = await agent.run()
    assert (result.status, result.rungs["retry"]) == ("done", 1)
    assert b"Plan no more" in agent.model.prompts[1].messages[-1]
    assert b"find everything" not in b"".join(agent.model.prompts[2].messages[-1:])


WRITTEN = plan(("look", "find the pump"), ("act", "write its name"))


async def test_under_full_the_first_step_is_a_plan_by_its_grammar(house: Build) -> None:
    agent = house(
        [WRITTEN, on(1, ("look", {"of": "pumps"})), on(2, ("put", {"of": "42"})), final("42 is written")],
        tools=TOOLS, specs=PUT, settings=FULL,
    )  # fmt: skip
    result = await agent.run(TASK)
    assert result.status == "done"
    assert forms(agent)[0] == {"plan"}
    assert forms(agent)[1] == {"calls"}
    assert b'"enum":[1,2]' in (agent.model.prompts[1].schema or b"")
    assert b'"enum":[2]' in (agent.model.prompts[2].schema or b"")
    assert b"1. [done] find the pump\\n2. write its name" in agent.model.prompts[2].messages[-1]
    assert len(agent.tools["put"].calls) == 1


async def test_a_plan_that_is_none_is_asked_for_again(house: Build) -> None:
    agent = house(
        [
            json.dumps({"thought": "x", "plan": []}), WRITTEN,
            on(1, ("look", {"of": "a"})), on(2, ("put", {"of": "42"})), final("42"),
        ],
        tools=TOOLS, specs=PUT, settings=FULL,
    )  # fmt: skip
    result = await agent.run(TASK)
    assert (result.status, result.rungs["retry"]) == ("done", 1)


def failing(house: Build, steps: Sequence[str] | Any, **settings: Any) -> House:
    def fails(args: Any) -> Any:
        raise ToolError(f"nothing is called {args['of']}")

    return house(steps, tools={"look": fails}, settings=Settings(planning=Planning.FULL, **settings))


async def test_after_failures_a_new_plan_may_be_written_and_at_most_twice(house: Build) -> None:
    def says(prompt: Any) -> str:
        schema, n = prompt.schema or b"", len(agent.model.prompts)
        if b'"plan":' in schema:
            return plan(("look", f"way {n}"))
        return on(1, ("look", {"of": str(n)})) if b'"calls":' in schema else final("not found")

    agent = failing(house, says, max_steps=20)
    result = await agent.run("find it")
    plans = sum(
        '"plan"' in r.body["value"]["text"] for r in agent.records() if "usage" in r.view and r.kind is Kind.OUTCOME
    )
    assert plans == 1 + MAX_REPLANS
    assert result.status in ("done", "partial")
    assert len(agent.model.prompts) <= 20


async def test_a_model_that_only_plans_is_stopped(house: Build) -> None:
    agent = house(lambda prompt: plan(("look", f"way {len(agent.model.prompts)}")), settings=FULL)
    result = await agent.run("find it")
    assert result.status == "failed"
    assert len(agent.model.prompts) <= 1 + MAX_REPLANS + 3


async def test_a_goal_has_steps_of_its_own_and_then_the_plan_is_made_anew(house: Build) -> None:
    first, second = plan(("look", "a"), ("act", "b")), plan(("look", "c"))
    steps = [*(on(2, ("look", {"of": str(n)})) for n in range(4)), on(1, ("look", {"of": "a"}))]
    agent = house(
        [first, *steps, second, final("42")],
        tools={"look": lambda args: {"text": f"it is 42 {args['of']}"}, "put": str},
        specs=PUT, settings=Settings(planning=Planning.FULL, max_steps=9, tool_first=False),
    )  # fmt: skip
    await agent.run("find it")
    schemas = [prompt.schema or b"" for prompt in agent.model.prompts]
    assert all(b'"enum":[1,2]' in schema for schema in schemas[1:5])
    assert b'"goal":{"enum":[1]}' in schemas[5]  # four steps went into the other one: (9 - 1) / 2
    assert b'"plan":' in schemas[6]  # nothing is open any more


async def test_a_plan_survives_a_crash_anywhere(house: Build) -> None:
    script = [WRITTEN, on(1, ("look", {"of": "pumps"})), on(2, ("put", {"of": "42"})), final("42 is written")]
    whole = house(script, tools=TOOLS, specs=PUT, settings=FULL)
    expected = await whole.run(TASK)
    records = whole.records()
    prompts = [p.digest for p in whole.model.prompts]
    thoughts = [r.seq for r in records if r.kind is Kind.OUTCOME and "usage" in r.view]
    for cut in range(2, len(records)):
        if records[cut - 1].kind is Kind.INTENT:
            continue  # made again under another number, or, of an effect, not known whether it was done
        done = sum(seq < cut for seq in thoughts)
        again = house(script[done:], tools=TOOLS, specs=PUT, settings=FULL)
        for record in records[:cut]:
            again.journal.append(record)
        result = await again.engine.drive(fold(records[:cut]))
        assert (result.answer, result.status) == (expected.answer, expected.status), cut
        assert [p.digest for p in again.model.prompts] == prompts[done:], cut


async def test_ping_pong_and_the_same_result_over_and_over_end_in_an_answer(house: Build) -> None:
    def answers(args: Any) -> Any:
        return {"text": f"it is {42 + int(args['of']) % 2}"}

    def looks(count: int) -> list[str]:
        return [*(step(("look", {"of": str(n)})) for n in range(count)), final("it is 42")]

    agent = house(looks(10), tools={"look": answers}, settings=Settings(planning=Planning.OFF))
    result = await agent.run()
    assert forms(agent)[10] == {"final"}
    assert goes_round(fold(agent.records()))
    assert result.status == "done"
    hollow = house(looks(3), tools={"look": lambda args: {"rows": []}})
    await hollow.run()
    assert forms(hollow)[3] == {"final"}


async def test_the_same_result_of_different_calls_is_no_circle(house: Build) -> None:
    names = ["Ann", "Bo", "Cy", "Di", "Ed"]
    script = [*(step(("look", {"of": name})) for name in names), final("all have 3 free beds")]
    agent = house(script, tools={"look": lambda args: {"free": 3}}, settings=Settings(planning=Planning.OFF))
    await agent.run("How many free beds have Ann, Bo, Cy, Di and Ed?")
    assert [call["of"] for call in agent.tools["look"].calls] == names


async def test_calls_that_have_nothing_to_do_with_the_task_are_told_to_stay(house: Build) -> None:
    strays = [step(("look", {"of": word})) for word in ("weather forecast", "football results")]
    agent = house([*strays, final("it is 42")], tools={"look": lambda args: {"text": f"it is 42 {len(args['of'])}"}})
    await agent.run("Which pump is broken?")
    assert drifts(fold(agent.records()))
    assert b"Stay with its words" in agent.model.prompts[2].messages[-1]


async def test_calls_with_words_of_the_task_or_of_results_do_not_stray(house: Build) -> None:
    calls = [step(("look", {"of": "broken Pump"})), step(("look", {"of": "valve seven"}))]
    agent = house([*calls, final("42")], tools={"look": lambda args: {"text": f"valve 42 {args['of']}"}})
    await agent.run("Which pump is broken?")
    assert not drifts(fold(agent.records()))
    assert not any(b"Stay with" in prompt.messages[-1] for prompt in agent.model.prompts)
