"""A condition that no column of a table has is that of the name of which another place says it."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Build, final, step

HIRES = "data/hires.csv"
FILES = [
    {"path": HIRES, "table": "hires", "columns": ["date", "boat", "hours", "skipper"]},
    {
        "path": "data/boats.csv",
        "table": "boats",
        "columns": ["boat", "rig", "status"],
        "of": "text, text ('skiff', 'ketch'), text",
    },
]
TABLES = [{"table": "orders", "columns": ["id INTEGER", "boat TEXT", "closed TEXT"]}]
NOTICE = "# Notices\nThe Bittern is laid up until spring: rot in the keel.\nThe café is closed on Tuesdays."
TASK = "The notice board names a boat that is laid up. How many times was she hired?"
GROUP = "group by boat"


@pytest.fixture
def asked(house: Build) -> Any:
    async def ask(sql: str, *, task: str = TASK, notice: str = NOTICE, path: str = HIRES) -> str:
        tools = {
            "look": lambda args: {"files": FILES, "tables": TABLES},
            "fetch": lambda args: {"text": notice},
            "select": lambda args: {"columns": ["n"], "rows": [{"n": 1}]},
        }
        schema: Any = {"type": "object", "properties": {"path": {}, "also": {}, "sql": {}}}
        calls = [step(("fetch", {})), step(("select", {"path": path, "sql": sql, "also": []}))]
        agent = house(
            [*calls, final("1")], tools=tools, specs={"look": {"opens": ""}, "fetch": {}, "select": {"schema": schema}}
        )
        await agent.run(task)
        (made,) = agent.tools["select"].calls
        return str(made["sql"])

    return ask


@pytest.mark.parametrize(
    ("sql", "meant"),
    [
        (f"select boat from hires where status = 'laid up' {GROUP}",
         f"select boat from hires where boat = 'Bittern' {GROUP}"),
        (f"select boat from hires where boat = 'Bittern' and status = 'laid up' {GROUP}",
         f"select boat from hires where boat = 'Bittern' {GROUP}"),
        ("select boat from hires where boat = 'Bittern' and closed is not null",
         "select boat from hires where boat = 'Bittern'"),
        ("select boat from hires where skipper = 'laid up'", ""),  # it has that column
        ("select boat from hires where status = 'in service'", ""),  # of which the task says nothing
        ("select boat from hires where closed is not null", ""),  # nothing would be left
        ("select boat from hires where boat = 'Bittern' and owner is null", ""),  # of no table
        ("select boat from hires where status = 'laid up' or hours > 1", ""),
    ],
)  # fmt: skip
async def test_a_condition_is_of_whom_another_place_says_it(asked: Any, sql: str, meant: str) -> None:
    assert " ".join((await asked(sql)).split()) == (meant or sql)


SQL = "select count(*) from hires where status = 'laid up'"


@pytest.mark.parametrize(
    "notice",
    [
        NOTICE + "\nThe Curlew is laid up, too.",  # of whom?
        "The Bittern and the Curlew are laid up.",
        "A boat is laid up until May.",
        "The Bittern is away.",
    ],
)
async def test_of_several_names_or_none_it_is_of_nobody(asked: Any, notice: str) -> None:
    assert await asked(SQL, notice=notice) == SQL


TEAM = "Name: Ulric Fairholm | Responsible for: eyes\nName: Tilda Selby | Responsible for: dentistry"
WHO = "The page says which vet is responsible for dentistry. How many visits with this vet are there?"
VISITS = [
    {"table": "visits", "columns": ["id INTEGER", "vet TEXT ('Selby', ...)", "reason TEXT ('check-up', 'teeth')"]}
]


@pytest.mark.parametrize(
    ("sql", "task", "meant"),
    [
        ("select count(*) from visits where vet = 'Tilda Selby' and reason = 'dentistry'", WHO,
         "select count(*) from visits where vet = 'Tilda Selby'"),
        ("select count(*) from visits where vet = 'Ulric Fairholm' and reason = 'dentistry'", WHO, ""),
        ("select count(*) from visits where vet = 'Tilda Selby' and reason = 'teeth'", WHO, ""),
        ("select count(*) from visits where reason = 'dentistry'", WHO, ""),
        ("select count(*) from visits where vet = 'Tilda Selby' and reason = 'dentistry'", "How many has she?", ""),
        ("select count(*) from visits where reason = 'check-up' and vet = 'dentistry'", WHO, ""),  # it may be there
    ],
)  # fmt: skip
async def test_what_another_place_says_of_somebody_no_row_has_to_say(
    house: Build, sql: str, task: str, meant: str
) -> None:
    tools = {
        "look": lambda args: {"tables": VISITS}, "fetch": lambda args: {"text": TEAM},
        "select": lambda args: {"rows": []},
    }  # fmt: skip
    schema: Any = {"type": "object", "properties": {"sql": {}}}
    specs: Any = {"look": {"opens": ""}, "fetch": {}, "select": {"schema": schema}}
    agent = house([step(("fetch", {})), step(("select", {"sql": sql})), *[final("1")] * 3], tools=tools, specs=specs)
    await agent.run(task)
    assert " ".join(agent.tools["select"].calls[0]["sql"].split()) == (meant or sql)


async def test_a_table_that_has_the_column_is_asked_for_it(asked: Any) -> None:
    assert await asked(SQL, path="data/boats.csv") == SQL
    assert await asked(SQL, path="data/unknown.csv") == SQL


async def test_who_is_no_value_of_the_column_is_not_asked_for(asked: Any) -> None:
    sql = "select count(*) from boats where note = 'laid up'"
    assert await asked(sql, path="data/boats.csv", task=TASK.replace("boat", "rig")) == sql  # its rigs are known


async def test_whether_something_is_not_there_is_asked(asked: Any) -> None:
    sql = "select boat from hires where boat = 'Bittern' and closed is null"
    assert await asked(sql, task="How often was the Bittern hired and not given back?") == sql


async def test_two_columns_that_the_task_speaks_of_leave_open_which_is_meant(asked: Any) -> None:
    assert await asked(SQL, task=f"{TASK} And for how many hours?") == SQL


async def test_a_table_that_the_task_speaks_of_is_to_be_joined(asked: Any) -> None:
    sql = "select boat from hires where boat = 'Bittern' and closed is null"
    assert await asked(sql, task="How many hires had the Bittern, without a work order?") == sql
    assert await asked(sql, task="How many hires had the Bittern of those with orders?") == sql
