"""A SELECT of files names those whose tables it asks for."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Build, final, step

PACKS, FIRMS = "data/packaging.csv", "data/suppliers-2025.csv"
FILES = [
    {"path": PACKS, "table": "packaging"}, {"path": FIRMS, "table": "suppliers_2025"},
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
