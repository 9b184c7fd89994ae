"""A value that the task names is asked for, in whatever column has it."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Build, final, step

PATH = "tables/repairs.csv"
SAMPLE = "ticket,room,trade,state\nW627,208,painting,open\nW630,102,painting,open\nW631,214,plumbing,open"
ANY: Any = {"type": "array", "items": {"properties": {"column": {"x-any": "*"}}}}
SPEC: Any = {"schema": {"type": "object", "properties": {"where": ANY, "path": {}}}}
OPEN = {"column": "state", "op": "=", "value": "open"}
TASK = f"Count the painting jobs in {PATH} whose state is open."


@pytest.fixture
def asked(house: Build) -> Any:
    async def ask(task: str, *, sample: str = SAMPLE, path: str = PATH, **more: Any) -> list[Any]:
        """The values that were asked for in any column."""
        passages = [{"path": path, "text": sample, "note": "a sample"}]
        tools = {"find": lambda args: {"passages": passages}, "query": lambda args: {"rows": [["1"]]}}
        call = step(("query", {"path": PATH, "where": [OPEN], **more}))
        agent = house([call, final("1")], tools=tools, specs={"find": {"opens": "question"}, "query": SPEC})
        await agent.run(task)
        (made,) = agent.tools["query"].calls
        return [where["value"] for where in made["where"] if where["column"] == "*"]

    return ask


async def test_a_value_of_the_table_that_the_task_names_is_a_condition(asked: Any) -> None:
    assert await asked(TASK) == ["painting"]
    assert await asked(f"Who's on painting today? {PATH}") == ["painting"]
    assert await asked(f"Who is on holiday, and who on painting? {PATH}") == []


@pytest.mark.parametrize(
    ("task", "more"),
    [
        (f"Count the jobs in {PATH} whose state is open.", {}),  # it names none
        (f"Count the painting and the plumbing jobs in {PATH} whose state is open.", {}),  # two of one column
        (f"Count the jobs in {PATH} that are open without painting.", {}),
        (f"How many more painting jobs than others are open in {PATH}?", {}),
        (f"Is painting the trade with the most open jobs in {PATH}?", {}),
        (f"Are more jobs of painting or of the roof open in {PATH}?", {}),
        (f"Count the open jobs of each trade, painting first, in {PATH}", {}),
        (TASK, {"where": [OPEN, {"column": "trade", "op": "=", "value": "painting"}]}),  # it is asked for
        (TASK, {"where": [OPEN, {"column": "trade", "op": "!=", "value": "plumbing"}]}),
        (TASK, {"group_by": "trade"}),
        (TASK, {"sample": "ticket,trade\nW627,painting and more"}),  # no value of its own
        (TASK, {"sample": "painting,trade\nW627,painting"}),  # a column is called so
        (TASK, {"path": "tables/other.csv"}),
        (f"Open {PATH} and count the jobs.", {"sample": "ticket,state\nW1,open", "where": []}),
        (f"What stands in notes/painting.md and {PATH}?", {}),
        (f"Is the painting job W627 of {PATH} open?", {}),
        (f"I like painting. Count the open jobs in {PATH}", {}),
        (f"Count the jobs of the painting trade, plumbing jobs too, in {PATH}", {}),
        (f"Count the painting-trained people in {PATH}", {}),
        (TASK, {"sample": "ticket,trade\nW627,a\rb\nW1,painting"}),  # no table
    ],
)
async def test_any_other_query_is_as_the_model_has_made_it(asked: Any, task: str, more: dict[str, Any]) -> None:
    assert await asked(task, **more) == []


LOANS = "loan_no;borrower;due_back;returned"
AWAY = f"List the loans of {PATH} that have not come back. As long as they are away, returned is empty."
EMPTY = {"column": "returned", "op": "=", "value": ""}


@pytest.mark.parametrize(
    ("task", "more", "added"),
    [
        (AWAY, {}, True),
        (AWAY, {"sample": f"{LOANS}\nL-1;Ann;2025-06-01;"}, True),
        (f"How many loans of {PATH} came back? As long as they are away, returned is empty.", {}, False),
        (f"Which loans of {PATH} have not come back?", {}, False),
        (
            f"Some loans are out, and the cell returned in {PATH} stays empty. In how many rows is this the case?",
            {},
            True,
        ),
        (f"Some loans are out, and the cell returned in {PATH} stays empty. How many are from Ann?", {}, False),
        (AWAY.replace("is empty", "is not empty"), {}, False),
        (AWAY, {"where": [OPEN, EMPTY]}, False),  # it is asked for
        (AWAY, {"where": [OPEN, EMPTY | {"op": "!="}]}, True),  # those that are not empty have come back
        (AWAY, {"where": [OPEN, EMPTY | {"value": "2025-01-01"}]}, False),
        (AWAY, {"path": "tables/other.csv"}, False),
        (f"{AWAY} {'x' * 1000}", {}, False),
    ],
)
async def test_a_column_that_the_task_says_to_be_empty_is_a_condition(
    house: Build, task: str, more: dict[str, Any], added: bool
) -> None:
    passages = [{"path": PATH, "text": more.pop("sample", LOANS), "note": "a sample"}]
    tools = {"find": lambda args: {"passages": passages}, "query": lambda args: {"rows": [["L-1"]]}}
    given = {"path": PATH, "where": [OPEN], **more}
    agent = house(
        [step(("query", given)), final("L-1")], tools=tools, specs={"find": {"opens": "question"}, "query": SPEC}
    )
    await agent.run(task)
    wheres = agent.tools["query"].calls[0]["where"]
    assert [where for where in wheres if where not in given["where"]] == [EMPTY] * added


OUT = {"column": "back_on", "op": "=", "value": ""}


@pytest.mark.parametrize(
    ("task", "where", "asked"),
    [
        ("Costumes out with the club? Numbers only. {}, no back_on = not back.", {**OUT, "value": "not back"}, [OUT]),
        ("Costumes out with the club? {}, no back_on = not back.", None, [OUT]),
        ("List those of {} for which no day of return (back_on) has been entered.", None, [OUT]),
        ("List those of {} without a back_on.", None, [OUT]),
        ("List those of {} without a back_on.", OUT, [OUT]),
        ("List those of {}; no back_on column is shown.", None, []),
        ("List those of {} that came on a day.", None, []),
        ("Which of {} have no fee and came (back_on) in May?", None, []),
        ("Em {}, quais estão sem data na coluna back_on?", None, [OUT]),
        ("Welche in {} sind ohne Datum in der Spalte back_on?", None, [OUT]),
        ("Em {}, quais têm a data na coluna back_on?", None, []),
        ("List those of {} without a back_on.", {**OUT, "value": "2025-01-01"}, [{**OUT, "value": "2025-01-01"}]),
    ],
)
async def test_none_of_a_column_is_an_empty_one(
    house: Build, task: str, where: dict[str, Any] | None, asked: list[Any]
) -> None:
    passages = [{"path": PATH, "text": "no;lent_to;back_on", "note": "a sample"}]
    tools = {"find": lambda args: {"passages": passages}, "query": lambda args: {"rows": [["K1"]]}}
    given = {"path": PATH, "where": [where] if where else []}
    specs = {"find": {"opens": "question"}, "query": SPEC}
    agent = house([step(("query", given)), final("K1")], tools=tools, specs=specs)
    await agent.run(task.format(PATH))
    assert agent.tools["query"].calls[0]["where"] == asked
