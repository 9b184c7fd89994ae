"""A SELECT of files names those whose tables it asks for."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Build, final, step

FILES = ["data/packaging.csv", "data/suppliers-2025.csv", "old/prices.csv", "new/prices.csv", "notes/towns.md"]


@pytest.fixture
def asked(house: Build) -> Any:
    async def ask(path: str, sql: str, **more: Any) -> tuple[str, list[str]]:
        tools = {
            "look": lambda args: {"files": [{"path": one} for one in FILES]},
            "select": lambda args: {"columns": ["n"], "rows": [{"n": 1}]},
        }
        schema: Any = {"type": "object", "properties": {"path": {}, "also": {}, "sql": {}}}
        call = step(("select", {"path": path, "sql": sql, "also": [], **more}))
        agent = house([call, final("1")], tools=tools, specs={"look": {"opens": ""}, "select": {"schema": schema}})
        await agent.run("How many are there?")
        (made,) = agent.tools["select"].calls
        return made["path"], list(made["also"])

    return ask


@pytest.mark.parametrize(
    ("path", "sql", "meant"),
    [
        ("data/packaging.csv", "select n from packaging", ("data/packaging.csv", [])),
        ("data/packaging.csv", "select n from packaging p join suppliers_2025 s on p.no = s.no",
         ("data/packaging.csv", ["data/suppliers-2025.csv"])),
        ("data/packaging.csv", 'select n from suppliers_2025 join "data/packaging.csv" using (no)',
         ("data/packaging.csv", ["data/suppliers-2025.csv"])),
        ("data/packaging.csv", "select n from suppliers_2025", ("data/suppliers-2025.csv", [])),
        ("data/packaging.csv", "select n from packaging join prices using (no)", ("data/packaging.csv", [])),  # of two
        ("data/packaging.csv", "select n from orders join suppliers_2025 using (no)", ("data/packaging.csv", [])),
        ("data/packaging.csv", "select n from towns", ("data/packaging.csv", [])),  # no table
    ],
)  # fmt: skip
async def test_its_files_are_those_of_its_tables(asked: Any, path: str, sql: str, meant: Any) -> None:
    assert await asked(path, sql) == meant
