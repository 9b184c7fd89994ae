"""What a model writes for another database is asked as SQLite has it; a date's part is compared as the text it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.errors import ToolError
from ringfence.tools.sql import query_sqlite
from ringfence.tools.sql_sqlite import as_sqlite, compared_as_text
from ringfence.tools.tool import Use

from .asking import Query, ask

SHOP = """
create table orders(id integer primary key, placed_on text, status text, eur real);
insert into orders values (1, '2024-03-05', 'paid', 10), (2, '2025-03-31', 'open', 20), (3, '2025-11-02', 'paid', 40);
create table order_items(order_item_no integer, qty integer); insert into order_items values (1, 2), (2, 3);
create table team(n integer); create table teams(n integer);
"""


@pytest.fixture
def query(tmp_path: Path) -> Query:
    with apsw.Connection(str(tmp_path / "shop.db")) as db:
        db.execute(SHOP).fetchall()
    tool = query_sqlite(tmp_path / "shop.db", Use(), room=4_000)

    async def run(sql: str = "", *params: str) -> Any:
        return await ask(tool, sql, *params)

    return run


async def values(query: Query, sql: str) -> list[list[object]]:
    return [list(row.values()) for row in (await query(sql))["rows"]]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT COUNT(*) FROM orders WHERE MONTH(placed_on) = 3", [[2]]),
        ("SELECT COUNT(*) FROM orders WHERE YEAR(placed_on) = '2025'", [[2]]),
        ("SELECT SUM(eur) FROM orders WHERE MONTH(placed_on) = 3 AND YEAR(placed_on) = 2025", [[20.0]]),
        ("SELECT EXTRACT(YEAR FROM placed_on) y, COUNT(*) FROM orders GROUP BY y ORDER BY y", [[2024, 1], [2025, 2]]),
        ("SELECT DAY(placed_on) FROM orders WHERE id = 1", [[5]]),
        ("SELECT TOP 2 id FROM orders ORDER BY id DESC", [[3], [2]]),
        ("SELECT id FROM orders WHERE status ILIKE 'PAID'", [[1], [3]]),
        ("SELECT DATE_FORMAT(placed_on, '%Y-%m') m, COUNT(*) FROM orders GROUP BY m LIMIT 1", [["2024-03", 1]]),
        ("SELECT LEFT(placed_on, 4) FROM orders WHERE id = 1", [["2024"]]),
        ("SELECT status || ' ' || id AS n FROM orders WHERE YEAR(placed_on) = 2024", [["paid 1"]]),
        ('SELECT "status" FROM orders WHERE MONTH("placed_on") = 11 ORDER BY "eur" DESC', [["paid"]]),
        ("SELECT id/2 FROM orders WHERE DAY(placed_on) = 2", [[1]]),
        ("select top(1) id from orders where month(placed_on) = 3 order by id desc", [[2]]),
        ("SELECT placed_on::date FROM orders WHERE id = 1", [["2024-03-05"]]),
    ],
)  # fmt: skip
async def test_words_of_another_database_are_asked_as_sqlite_has_them(
    query: Query, sql: str, rows: list[list[object]]
) -> None:
    found = await query(sql)
    assert [list(row.values()) for row in found["rows"]] == rows
    assert found["mended"] == "written for SQLite"
    assert found["ran"] != sql


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT FROBNICATE(placed_on) FROM orders",
        "SELECT id FROM orders WHERE",
        "DELETE FROM orders WHERE MONTH(placed_on) = 3",
        "SELECT load_extension('x')",
        "SELECT LEFT(load_extension('x'), 2)",
        "SELECT WEEKDAY(placed_on) FROM orders",
        "SELECT DATEDIFF(day, '2025-03-01', '2025-03-05') FROM orders",
        "SELECT CONCAT(status, NULL, id) FROM orders WHERE YEAR(placed_on) = 2025",
        "SELECT id FROM orders ORDER BY id FETCH FIRST 1 ROW WITH TIES",
        "SELECT TOP 3 PERCENT id FROM orders",
        "SELECT DATE_FORMAT(placed_on, '%W %e') FROM orders",
    ],
)
async def test_what_it_has_not_is_refused_as_before(query: Query, sql: str) -> None:
    with pytest.raises(ToolError):
        await query(sql)
    assert await values(query, "select count(*) from orders") == [[3]]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select count(*) from orders where strftime('%m', placed_on) = '3'", [[2]]),
        ("select count(*) from orders where strftime('%m', placed_on) = 3", [[2]]),
        ("select count(*) from orders where strftime('%Y', placed_on) = 2025", [[2]]),
        ("select count(*) from orders where (strftime('%Y', placed_on)) = 2025", [[2]]),
        ("select count(*) from orders where 2024 < strftime('%Y', placed_on)", [[2]]),
        ("select count(*) from orders where strftime('%Y', placed_on) >= 2026", [[0]]),  # of text and number
        ("select count(*) from orders where strftime('%m', placed_on) in (3, 11)", [[3]]),
        ("select count(*) from orders where strftime('%m', placed_on) between 1 and 4", [[2]]),
        ("select min(id) from orders group by status having strftime('%Y', min(placed_on)) = 2024", [[1]]),
    ],
)  # fmt: skip
async def test_a_part_of_a_date_is_compared_as_the_text_that_it_is(
    query: Query, sql: str, rows: list[list[object]]
) -> None:
    found = await query(sql)
    assert [list(row.values()) for row in found["rows"]] == rows
    assert found["mended"].startswith("strftime gives text: '")


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from orders where strftime('%m', placed_on) = '03'",
        "select count(*) from orders where strftime('%Y-%m', placed_on) = '2025-03'",
        "select count(*) from orders where cast(strftime('%m', placed_on) as integer) = 3",
        "select strftime('%m', placed_on) + 3 from orders",
        "select count(*) from orders where id = 3 and strftime('%m', placed_on) = '11'",
    ],
)
async def test_what_is_compared_rightly_stays_as_it_is(query: Query, sql: str) -> None:
    assert compared_as_text(sql) is None
    assert "ran" not in await query(sql)


@pytest.mark.parametrize(
    ("sql", "rows", "why"),
    [
        ("select count(*) from order", None, ""),  # a word of SQL
        ("select count(*) from OrderItem", [[2]], "OrderItem is the table order_items"),
        ("select sum(o.qty) from order_item o", [[5]], "order_item is the table order_items"),
        ("select order_item.qty from order_item where qty = 2", [[2]], "order_item is the table order_items"),
        ("select count(*) from te_am", None, ""),  # two tables it may be
        ("select count(*) from payments", None, ""),
        ("select id, n from jobs", None, ""),
        ("select id, eur from jobs join team on id = n", None, ""),
        ("select status from jobs", None, ""),  # one column tells little
        ("with order_item as (select * from order_item) select count(*) from order_item", None, ""),
    ],
)  # fmt: skip
async def test_a_table_that_is_called_nearly_so_is_the_one(
    query: Query, sql: str, rows: list[list[object]] | None, why: str
) -> None:
    if rows is None:
        with pytest.raises(ToolError):
            await query(sql)
        return
    found = await query(sql)
    assert ([list(row.values()) for row in found["rows"]], found["mended"]) == (rows, why)


@given(st.text(max_size=60), st.sampled_from(['near "x": syntax error', "no such function: MONTH", "other"]))
def test_whatever_is_written_it_raises_nothing(text: str, said: str) -> None:
    as_sqlite(text, said)
    as_sqlite(f"select {text}", said)
    compared_as_text(f"select strftime('%m', a) = 3 {text}")
