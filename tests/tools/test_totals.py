"""What the rows of a result come to, and of which statements that is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import pytest

from ringfence.tools.sql import query_sqlite
from ringfence.tools.sql_shown import amounts, table
from ringfence.tools.sql_sums import summable
from ringfence.tools.tool import Use

from .asking import ask

CHARGES = [("2025-08-16", "laundry", 46.8), ("2025-08-17", "dinner", 95.8), ("2025-08-18", "laundry", 15.5)]
SHOP = [
    ("orders", "id INTEGER\ncustomer TEXT\ntotal REAL\nroom INTEGER\ntotal_per_day REAL\nyear INTEGER"),
    ("items", "id INTEGER\norder_id INTEGER\nqty INTEGER\nprice REAL"),
]


def _of(*values: Any) -> dict[str, Any]:
    return dict(amounts(["eur"], [{"eur": value} for value in values]))


async def test_a_short_bill_is_added_up_to_the_cent(tmp_path: Path) -> None:
    db = apsw.Connection(str(tmp_path / "a.db"))
    db.execute("create table charges(day text, item text, eur real)").fetchall()
    db.executemany("insert into charges values (?, ?, ?)", CHARGES)
    db.close()
    tool = query_sqlite(tmp_path / "a.db", Use(), room=4_000)
    found = await ask(tool, "select day, item, eur from charges")
    assert found["eur of all 3 rows"] == "sum 158.1; avg 52.7; min 15.5; max 95.8"
    assert [key for key in await ask(tool, "select eur from charges limit 2") if "of all" in key] == []


def test_what_is_cut_off_is_not_added_up_nor_what_has_no_room() -> None:
    for rows, room in ((2, 4_000), (10, 60), (10, 120)):
        result = table(["day", "item", "eur"], CHARGES, rows, room, adds=["eur"])
        assert not [key for key in result if "of all" in key]


def _summable(sql: str, *answers: Any) -> list[str]:
    """What may be added up of a result of two rows; `answers`: to what is looked at, else that a key comes once."""
    asking, given = summable(sql, 2, SHOP, {}, dialect="sqlite"), iter(answers)
    try:
        next(asking)
        while True:
            asking.send(next(given, []))
    except StopIteration as told:
        return sorted(told.value)


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("select customer, total, room, year, total_per_day from orders", ["total"]),
        ("select o.total as cost from orders o where room = 4", ["cost"]),
        ("select * from orders", ["total"]),
        ("select customer, count(*) as n, avg(total) as a from orders group by customer", ["n"]),
        ("select customer, count(distinct room) as n from orders group by customer", []),
        ("select customer, count(*) as n from orders group by rollup(customer)", []),
        ("select qty, price, total from items join orders on items.order_id = orders.id", ["price", "qty"]),
        ("select * from items i join orders o on i.order_id = o.id", ["price", "qty"]),
        ("select total from orders limit 5", []),
        ("select total from orders union all select total from orders", []),
        ("select sum(total) over (order by id) as total from orders", []),
        ("select total, generate_series(1, 3) from orders", []),
        ("select total from (select total from orders)", []),
        ("select o.total, i.price as total from orders o join items i on i.order_id = o.id", []),
        ("select total > 50 as total from orders", []),
        ("select qty from items where order_id = (select max(id) from orders)", ["qty"]),
        ("select qty, (select max(total) from orders) as total from items", []),
        ("select o.total from orders o join orders p on o.id = p.id", []),
        ("select qty from orders, items", []),
        ("select qty from orders cross join items", []),
        ("select qty from items i join orders o on i.qty = o.room", []),
        ("select qty from items i join orders o on o.id = i.order_id", ["qty"]),
        ("select order_id as total from items", []),
        ("select total from nowhere", []),
        ("select total from", []),
        ("x" * 5_000, []),
    ],
)
def test_only_amounts_of_rows_that_come_once_are_added_up(sql: str, names: list[str]) -> None:
    assert _summable(sql) == names


@pytest.mark.parametrize("answer", [[(1,)], None])
def test_a_key_that_comes_twice_or_cannot_be_looked_at_doubles_rows(answer: Any) -> None:
    assert _summable("select qty from items join orders on items.order_id = orders.id", answer) == []


@pytest.mark.parametrize(("answer", "names"), [([(2,)], ["qty"]), ([(3,)], []), (None, [])])
def test_distinct_rows_are_added_up_if_none_is_left_out(answer: Any, names: list[str]) -> None:
    assert _summable("select distinct qty from items", answer) == names


@pytest.mark.parametrize(
    "values", [("1", "two"), (0, 1, 1), (True, False), (None, None), (1,), (1e300, 1), (float("nan"), 2)]
)
def test_what_is_no_number_or_one_row_alone_has_no_sum(values: tuple[Any, ...]) -> None:
    assert _of(*values) == {}


def test_an_empty_cell_is_left_out_and_exact_decimals_of_a_server_are_numbers() -> None:
    assert _of(1, None, 2)["eur of all 3 rows"] == "sum 3; avg 1.5; min 1; max 2; empty in 1 of them"
    assert _of("46.80", 95.75)["eur of all 2 rows"].startswith("sum 142.55;")
