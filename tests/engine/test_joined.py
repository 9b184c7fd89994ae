"""A SELECT of files names those whose tables it asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from .conftest import Build, final, step

PACKS, FIRMS = "data/packaging.csv", "data/suppliers-2025.csv"
FILES = [
    {"path": PACKS, "table": "packaging", "columns": ["no", "n", "price_eur"]},
    {"path": FIRMS, "table": "suppliers_2025", "columns": ["no", "firm"]},
    {"path": "old/prices.csv", "table": "prices"}, {"path": "new/prices.csv", "table": "prices"},
    {"path": "notes/towns.md"},
]  # fmt: skip


@pytest.fixture
def asked(house: Build) -> Any:
    async def ask(path: str, sql: str, *, task: str = "How many are there?", **more: Any) -> tuple[str, list[str]]:
        tools = {
            "look": lambda args: {"files": FILES},
            "select": lambda args: {"columns": ["n"], "rows": [{"n": 1}]},
        }
        schema: Any = {"type": "object", "properties": {"path": {}, "also": {}, "sql": {}}}
        call = step(("select", {"path": path, "sql": sql, "also": [], **more}))
        agent = house([call, final("1")], tools=tools, specs={"look": {"opens": ""}, "select": {"schema": schema}})
        await agent.run(task)
        (made,) = agent.tools["select"].calls
        return made["path"], list(made["also"])

    return ask


@pytest.mark.parametrize(
    ("path", "sql", "meant"),
    [
        (PACKS, "select n from packaging", (PACKS, [])),
        (PACKS, "select n from packaging p join suppliers_2025 s on p.no = s.no",
         (PACKS, [FIRMS])),
        (PACKS, 'select n from suppliers_2025 join PACKS using (no)',
         (PACKS, [FIRMS])),
        (PACKS, "select n from suppliers_2025", (PACKS, [FIRMS])),
        (PACKS, "select n from packaging p, suppliers_2025 s", (PACKS, [FIRMS])),
        (PACKS, "select n from packaging where note = 'from suppliers_2025'", (PACKS, [])),
        (PACKS, "select n from packaging -- from suppliers_2025", (PACKS, [])),
        (PACKS, "with suppliers_2025 as (select 1) select n from suppliers_2025", (PACKS, [])),
        (PACKS, "select n from packaging join prices using (no)", (PACKS, [])),  # of two
        (PACKS, "select n from orders join suppliers_2025 using (no)",
         (PACKS, [FIRMS])),
        (PACKS, "select n from towns", (PACKS, [])),  # no table
    ],
)  # fmt: skip
async def test_its_files_are_those_of_its_tables(asked: Any, path: str, sql: str, meant: Any) -> None:
    assert await asked(path, sql) == meant


async def test_what_a_model_has_named_stays_and_the_task_bounds_what_is_added(asked: Any) -> None:
    join = "select n from packaging join prices using (no)"
    assert await asked(PACKS, join, also=["new/prices.csv"]) == (
        PACKS,
        ["new/prices.csv"],
    )
    other = "select n from packaging join suppliers_2025 using (no)"
    task = "How many are in data/packaging.csv?"
    assert await asked(PACKS, other, task=task) == (PACKS, [])


SQL = {"type": "object", "properties": {"sql": {}}}
SELECT: Any = {"type": "object", "properties": {"path": {}, "sql": {}, "also": {}}}
BOTH = "select n from packaging p join suppliers_2025 s on p.no = s.no"


@pytest.mark.parametrize(
    ("tool", "sql", "files", "database"),
    [
        ("select", "select n from orders o join Lines l on o.no = l.no", [], 1),  # they are tables of the database
        ("select", "select n from orders join packaging using (no)", [PACKS], 0),  # and one of a file
        ("select", "select n from unknown", [PACKS], 0),
        ("select", "select price_eur from orders", [PACKS], 0),  # which the file alone has
        ("query", "select order_id from packaging", [], 1),  # which the database alone has
        ("query", BOTH, [PACKS, FIRMS], 0),
        ("query", "select n from packaging join orders using (no)", [], 1),
        ("query", "select n from prices", [], 1),  # of which of the two files?
        ("query", "select n from orders", [], 1),
        ("query", "select n from unknown", [], 1),
    ],
)
async def test_a_statement_goes_to_the_tool_that_has_its_tables(
    house: Build, tool: str, sql: str, files: list[str], database: int
) -> None:
    tables = [{"table": "orders", "columns": ["order_id INTEGER", "no", "n"]}, {"table": "Lines", "columns": ["no"]}]
    tools = {
        "look": lambda args: {"files": FILES},
        "query": lambda args: {"n": 1} if args.get("sql") else {"tables": tables},
        "select": lambda args: {"columns": ["n"], "rows": [{"n": 1}]},
    }
    specs: Any = {"look": {"opens": ""}, "query": {"schema": SQL, "opens": ""}, "select": {"schema": SELECT}}
    given = {"sql": sql} if tool == "query" else {"path": PACKS, "also": [], "sql": sql}
    agent = house([step((tool, given)), *[final("1")] * 3], tools=tools, specs=specs)
    await agent.run("How many are there?")
    asked = [call["sql"] for call in agent.tools["query"].calls if call.get("sql")]
    assert (asked, len(agent.tools["select"].calls)) == ([sql] * database, 1 - database)
    assert [[call["path"], *call["also"]][: len(files)] for call in agent.tools["select"].calls] == [files][
        : 1 - database
    ]


@pytest.mark.parametrize(
    ("task", "tool", "moves"),
    [
        (f"How many are there in {PACKS}?", "select", False),
        ("How many are there, as the CSV has it?", "select", False),
        ("How many are there, by the export?", "select", False),
        ("How many are there?", "select", True),
        ("How many are there in the database?", "query", False),
        ("How many are there?", "query", True),
    ],
)
async def test_where_the_task_says_what_is_asked_it_is(house: Build, task: str, tool: str, moves: bool) -> None:
    tools = {
        "look": lambda args: {"files": FILES, "tables": [{"table": "orders", "columns": ["total"]}]},
        "query": lambda args: {"n": 1},
        "select": lambda args: {"columns": ["n"], "rows": [{"n": 1}]},
    }
    specs: Any = {"look": {"opens": ""}, "query": {"schema": SQL}, "select": {"schema": SELECT}}
    sql = "select sum(total) from orders" if tool == "select" else "select n from packaging"
    given = {"path": PACKS, "also": [], "sql": sql} if tool == "select" else {"sql": sql}
    agent = house([step((tool, given)), *[final("1")] * 3], tools=tools, specs=specs)
    await agent.run(task)
    assert len(agent.tools[tool].calls) == (not moves)


async def test_what_a_file_has_all_columns_of_is_asked_of_it(house: Build) -> None:
    tools = {
        "look": lambda args: {"files": FILES, "tables": [{"table": "packs", "columns": ["no", "n", "price_eur"]}]},
        "query": lambda args: {"n": 1},
        "select": lambda args: {"columns": ["n"], "rows": [{"n": 1}]},
    }
    specs: Any = {"look": {"opens": ""}, "query": {"schema": SQL}, "select": {"schema": SELECT}}
    call = step(("select", {"path": PACKS, "also": [], "sql": "select n from packs where no = 1"}))
    agent = house([call, *[final("1")] * 3], tools=tools, specs=specs)
    await agent.run("How many are there?")
    assert len(agent.tools["select"].calls) == 1


async def test_no_tool_is_called_that_was_not_granted(house: Build) -> None:
    tools = {"look": lambda args: {"files": FILES}, "query": lambda args: {"n": 1}, "select": lambda args: {"n": 1}}
    specs: Any = {"look": {"opens": ""}, "query": {"schema": SQL}, "select": {"schema": SELECT}}
    agent = house([step(("query", {"sql": BOTH})), *[final("1")] * 3], tools=tools, specs=specs)
    agent.grant = replace(agent.grant, sinks=agent.grant.sinks - {"tool:select"})
    await agent.run("How many are there?")
    assert agent.tools["select"].calls == []
