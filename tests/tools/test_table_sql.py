"""csv.sql: files as tables of SQL, how their cells are read, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ringfence.core.errors import ToolError
from ringfence.core.policy import Role
from ringfence.manifest.types import BuiltinTool
from ringfence.tools import from_manifest
from ringfence.tools.tabular import plain_names, table_name

from .conftest import Call, built_in, perform

PARTS = """Part no;rated power;made on;Price (EUR);state;group
0071;7,5 kW;13.03.2025;1.234,50;sold;a
0072;12 kW;01.12.2024;12,00;;b
0073;n/a;;on request;sold;a
0074;3,5 kW;02.01.2025;1,25;;a
0075;1 kW;02.01.2025;1,25;;b
0076;1 kW;02.01.2025;1,25;;b
"""


@pytest.fixture
def ask(box: Path, call: Call) -> Any:
    (box / "logs/parts-2025.csv").write_text(PARTS)
    (box / "logs/makers.tsv").write_text("group\tmaker\na\tAtlas\nb\tBoreas\n")

    async def run(sql: str, path: str = "logs/parts-2025.csv", **more: Any) -> Any:
        return await call("csv.sql", path=path, sql=sql, **more)

    return run


def values(result: dict[str, Any]) -> list[list[Any]]:
    return [list(row.values()) for row in result["rows"]]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT sum(Price_EUR) FROM parts_2025", [[1250.25]]),
        ("SELECT Part_no FROM parts_2025 WHERE rated_power > 7 ORDER BY rated_power DESC", [["0072"], ["0071"]]),
        ("SELECT count(*) FROM parts_2025 WHERE rated_power < 2", [[2]]),
        ("SELECT Part_no FROM parts_2025 WHERE made_on < '2025-01-01'", [["0072"]]),
        (
            "SELECT strftime('%Y', made_on) y, count(*) n FROM parts_2025 GROUP BY y ORDER BY n DESC LIMIT 1",
            [["2025", 4]],
        ),
        ("SELECT count(*) FROM parts_2025 WHERE state = ''", [[4]]),
        ("SELECT count(*) FROM parts_2025 WHERE state <> '' AND state != 'it''s ''' ", [[2]]),
        ("SELECT count(*) FROM parts_2025 WHERE state IS NULL", [[4]]),
        ("SELECT count(*) FROM parts_2025 WHERE Part_no = '0073'", [[1]]),
        ("SELECT count(Price_EUR) FROM parts_2025", [[5]]),
    ],
)
async def test_cells_are_compared_as_their_column_writes_them(ask: Any, sql: str, rows: list[list[Any]]) -> None:
    assert values(await ask(sql)) == rows


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT max(rated_power) FROM parts_2025",
        "SELECT max(rated_power) FROM logs/parts-2025.csv",
        "SELECT max(rated_power) FROM 'logs/parts-2025.csv'",
        "SELECT max(rated_power) FROM [parts-2025.csv]",
        'SELECT max("rated power") FROM "parts-2025"',
        "SELECT max(`rated power`) FROM parts",
        "```sql\nSELECT max(t.rated_power) FROM parts t;\n```",
        "WITH few AS (SELECT * FROM parts_2025) SELECT max(rated_power) FROM few",
    ],
)
async def test_tables_and_columns_may_be_called_as_the_file_has_them(ask: Any, sql: str) -> None:
    assert values(await ask(sql)) == [[12.0]]


async def test_two_files_are_joined(ask: Any) -> None:
    sql = (
        'SELECT maker, count(*) FROM parts_2025 p JOIN makers m ON p."group" = m."group" GROUP BY maker ORDER BY maker'
    )
    assert values(await ask(sql, also=["logs/makers.tsv"])) == [["Atlas", 3], ["Boreas", 3]]
    with pytest.raises(ToolError, match=r"makers is the table of logs/makers\.tsv") as caught:
        await ask(sql)
    assert "also=[logs/makers.tsv]" in caught.value.todo


async def test_what_was_read_otherwise_than_it_is_written_is_told(ask: Any) -> None:
    note = (await ask("SELECT * FROM parts_2025 LIMIT 1"))["note"]
    assert "rated_power is in kW" in note
    assert "Price_EUR is no number in 1 rows, and NULL: on request" in note
    assert "made_on is written as 2025-12-31 here, 13.03.2025 in the file" in note
    assert "note" not in await ask("SELECT state FROM parts_2025 WHERE state = 'sold' LIMIT 1")


async def test_a_sum_below_the_rows_is_none_of_them(ask: Any, box: Path) -> None:
    (box / "logs/bill.csv").write_text("item,eur\nrope,10.50\nsail,20.25\nTotal,30.75\n")
    result = await ask("SELECT sum(eur) FROM bill", path="logs/bill.csv")
    assert values(result) == [[30.75]]
    assert "Total, 30.75" in result["note"]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DELETE FROM parts_2025", "only a SELECT"),
        ("SELECT 1; DROP TABLE parts_2025", "more than one statement"),
        ("ATTACH DATABASE '/etc/passwd' AS x", "only a SELECT"),
        ("SELECT readfile('/etc/passwd')", "cannot be read"),
        ("PRAGMA writable_schema=on", "only a SELECT"),
        ("SELECT nonsense FROM parts_2025", "no such column"),
        ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n) SELECT count(*) FROM n", "did not end within"),
        ("SELECT * FROM 'logs/../../etc/passwd'", "not among path and also"),
        ("SELECT * FROM parts_2025 WHERE", "cannot be read"),
    ],
)
async def test_what_is_no_bounded_select_is_refused_in_words(
    ask: Any, monkeypatch: pytest.MonkeyPatch, sql: str, said: str
) -> None:
    monkeypatch.setattr("ringfence.tools.table_sql.SECONDS", 0.5)
    with pytest.raises(ToolError, match=said):
        await ask(sql)


async def test_other_files_than_tables_and_other_folders_are_refused(ask: Any, box: Path) -> None:
    (box / "secret.csv").write_text("a\nb\n")
    with pytest.raises(ToolError):
        await ask("SELECT * FROM secret", path="secret.csv")
    with pytest.raises(ToolError):
        await ask("SELECT * FROM parts_2025", also=["../secret.csv"])


def test_the_places_are_control_arguments(box: Path) -> None:
    (tool,) = built_in("csv", box, "logs")
    assert tool.spec.roles == {"path": Role.CONTROL, "also": Role.CONTROL, "sql": Role.LOW}
    assert list(tool.spec.schema["properties"]) == ["path", "also", "sql"]


def test_names_that_need_no_quotation_marks() -> None:
    assert plain_names(["a b", "A B", "2024", "", "Größe (m)"]) == ["a_b", "A_B_2", "_2024", "column4", "Größe_m"]
    assert table_name("data/hires-2025.v2.csv") == "hires_2025_v2"


async def test_times_are_added_up_in_minutes(ask: Any, box: Path) -> None:
    path = "logs/work.csv"
    (box / path).write_text("who;took\nx;1:30\ny;0:45\nz;\n")
    found = await ask("SELECT sum(took), avg(took) FROM work", path)
    assert values(found) == [[135, 67.5]]
    assert found["mended"] == "took is no number for SQLite: its times are read as h:mm, in minutes"
    (box / path).write_text("who;took\nx;1:30\ny;10:45:30\n")
    assert values(await ask("SELECT sum(took), max(took) FROM work", path)) == [[735.5, "10:45:30"]]
    (box / path).write_text("who;duration\nx;1:30\ny;0:45\n")  # which has a ratio within
    assert values(await ask("SELECT sum(duration) FROM work", path)) == [[135]]
    (box / path).write_text("who;took\nx;1:30\ny;0:45\n")
    for sql in ("sum(took) * 15", "sum(took * 2)", "who, count(*) FROM work GROUP BY who HAVING sum(took) > 1"):
        with pytest.raises(ToolError, match="times such as 1:30"):  # hours or minutes?
            await ask(f"SELECT {sql}{' FROM work' * ('FROM' not in sql)}", path)
    for sql in ("round(sum(took), 1)", "coalesce(sum(took), 0)", "cast(sum(took) AS INTEGER)"):
        assert values(await ask(f"SELECT {sql} FROM work", path)) == [[135]]
    (box / path).write_text("who;took\nAnn;0:55\nAnn;0:50\nBob;1:00\n")
    most = "SELECT who, sum(took) AS m FROM work GROUP BY who ORDER BY sum(took) DESC LIMIT 1"
    assert values(await ask(most, path)) == [["Ann", 105]]
    for name in ("score", "lap_time"):
        (box / path).write_text(f"who;{name}\nx;12:10\ny;21:15\n")
        assert "mended" not in await ask(f"SELECT sum({name}) FROM work", path)
    (box / path).write_text("who;took\nx;1:30\ny;late\n")
    assert "mended" not in await ask("SELECT count(took), max(took) FROM work", path)


async def test_a_sum_has_no_noise_of_binary_fractions(ask: Any, box: Path) -> None:
    cells = "".join(f"a,{cents / 100:.2f}\n" for cents in (110, 220, 330, 4_712, 1_999, 3_333, 101))
    (box / "logs/gifts.csv").write_text(f"who,eur\n{cells}")
    assert values(await ask("SELECT sum(eur), 1.0 / 3 FROM gifts", path="logs/gifts.csv")) == [[108.05, 1 / 3]]


async def test_no_row_is_told_beside_a_result_whose_parts_have_readers_of_their_own(box: Path) -> None:
    (box / "logs/staff.csv").write_text("name,pay\nAnn,4711\nBo,12\n")
    config = BuiltinTool(name="csv", type="builtin", target_paths=(Path("logs"),))
    for looks in (True, False):
        tools = from_manifest(config, root=box, readers=frozenset(), callers=None, clock=lambda: 0, looks=looks)
        sql = "SELECT name FROM staff ORDER BY name LIMIT 1"
        assert ("4711" in str(await perform(tools, "csv.sql", path="logs/staff.csv", sql=sql))) is looks
