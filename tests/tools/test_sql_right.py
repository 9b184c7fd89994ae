"""Right statements that look like wrong ones: asked as they are, and nothing misleading is told beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import pytest

from ringfence.core.errors import ToolError
from ringfence.tools.spread import spread
from ringfence.tools.sql import query_sqlite
from ringfence.tools.sql_shown import amounts
from ringfence.tools.tool import Use

from .test_sql import ask

SHOP = """
create table sales(id integer primary key, item text, year integer, old_rev real, new_rev real, price real,
  qty integer);
insert into sales values (1, 'tea', 2024, 30, 37, 5, 2), (2, 'tea', 2024, 40, 49, 7, 5),
  (3, 'gin', 2023, 90, 91, 9, 10);
create table customers(customer_id integer primary key, name text, city text);
insert into customers values (1, 'Ann', 'Rome'), (2, 'Bo', 'Oslo'), (3, 'Cid', 'Oslo');
create table orders(id integer primary key, customer_id integer references customers(customer_id), status text,
  total real, ordered_on text);
insert into orders values (1, 1, 'open', 9, '2024-01-05'), (2, 1, 'paid', 8, '2024-02-05'),
  (3, 1, 'open', 7, '2023-03-05');
create table staff(dept text, role text, pay integer, birth_date text);
insert into staff values ('X', 'a', 9, '1990-01-01'), ('X', 'b', 8, '1991-01-01'), ('Y', 'c', 7, '2000-01-01');
"""


@pytest.fixture
def query(tmp_path: Path) -> Any:
    db = apsw.Connection(str(tmp_path / "shop.db"))
    db.execute(SHOP).fetchall()
    db.close()

    async def run(sql: str, *, looks: bool = True) -> Any:
        return await ask(query_sqlite(tmp_path / "shop.db", Use(), room=4_000, looks=looks), sql)

    return run


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select round((sum(new_rev)-sum(old_rev))*100.0/sum(old_rev), 2) g from sales where id < 3", [{"g": 22.86}]),
        ("select (max(price)-min(price))/min(price) r from sales where item = 'tea'", [{"r": 0.4}]),
        ("select distinct dept from staff group by dept, role order by max(pay) desc limit 2",
         [{"dept": "X"}, {"dept": "Y"}]),
        ("select item, year from sales group by item", [{"item": "gin", "year": 2023}, {"item": "tea", "year": 2024}]),
    ],
)  # fmt: skip
async def test_a_right_statement_is_asked_as_it_is(query: Any, sql: str, rows: list[Any]) -> None:
    found = await query(sql)
    assert (found["rows"], "mended" in found) == (rows, False)


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from orders where status = 'paid' and refunded_on > '2024-01-01'",
        "select count(*) from orders where strftime('%m', refunded) = '01'",
        "select role from staff where hired_on > '1999-01-01'",
        "select * from orders where status = 'open' and shipped is not null",
        "select * from orders where customer_id = 1 and not refunded",
        "select name from customers order by total desc limit 3",  # of one customer there are several
        "select * from customers order by total desc limit 1",
    ],
)
async def test_a_column_that_means_something_else_is_no_other_one(query: Any, sql: str) -> None:
    with pytest.raises(ToolError, match="no such column"):
        await query(sql)


@pytest.mark.parametrize(
    ("sql", "not_told"),
    [
        ("select distinct year from sales", "come to"),
        ("select distinct customer_id from orders", "come to"),
        ("select id from orders where status = 'open' union select id from orders where total > 8", "apart"),
        ("select c.city from customers c join orders o on o.customer_id = c.customer_id group by c.city", "rows_of_it"),
        ("select qty as price, item from sales order by price desc limit 1", "row"),
        ("select status from orders where id in (select id from orders group by id)", "capitals"),
        ("select id from orders group by status", "sum_id"),
        (
            "select (select name from customers where city = 'Nowhere') n from orders where status = 'open' and id = 1",
            "no row meets",
        ),
    ],
)
async def test_nothing_misleading_is_told(query: Any, sql: str, not_told: str) -> None:
    found = await query(sql)
    assert not_told not in {*found} | {*found["columns"]}
    assert not_told not in str(found.get("note", ""))


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("select pay from staff where dept = 'X' union select pay from staff where dept = 'Y'", "17"),
        ("select distinct dept from staff order by dept limit 9", "come to"),
        ("select dept from staff group by dept order by max(pay)", "9"),
        ("select pay from staff group by dept", "8.5"),
    ],
)
async def test_where_parts_have_readers_no_other_column_is_asked_for(query: Any, sql: str, told: str) -> None:
    assert told not in str(await query(sql, looks=False))


async def test_a_value_in_place_of_a_column_shows_no_whole_row_there(query: Any) -> None:
    with pytest.raises(ToolError, match="no such column"):
        await query("select rome from customers", looks=False)


async def test_the_tables_alias_and_the_only_key_lead_to_a_name(query: Any) -> None:
    found = await query("select o.name from orders as o order by o.total desc limit 1")
    assert (found["rows"], found["mended"]) == ([{"name": "Ann"}], "name is customers.name")
    found = await query(
        "select o.name from orders as o join customers on orders.customer_id = customers.customer_id limit 1"
    )
    assert found["rows"] == [{"name": "Ann"}]


def test_small_numbers_keep_their_digits_and_a_least_one_is_one_that_there_is() -> None:
    told = amounts(["cost"], [{"cost": n} for n in ("0.000123456789", "0.0002", "0.0002")])["cost of all 3 rows"]
    assert "avg 0.0001745" in str(told)
    assert "min 0.000123456789" in str(told)


def test_a_price_per_seat_is_no_seat() -> None:
    told = spread([{"price per seat": n, "seat": n} for n in (3, 5, 9, 12)])
    assert [key.partition(" of all")[0] for key in told] == ["price per seat"]


KEYS = """
create table customers(id integer primary key, name text, city text);
insert into customers values (1, 'Ann', 'Rome'), (2, 'Bob', 'Kiel');
create table products(id integer primary key, name text, price real);
insert into products values (1, 'Chair', 9), (2, 'Desk', 8);
create table orders(id integer primary key, customer_id integer references customers(id), product_id integer,
  qty integer);
insert into orders values (1, 1, 1, 4), (2, 2, 2, 5);
"""


@pytest.mark.parametrize(
    "sql",
    [
        "select name, qty from orders where product_id = 2",
        "select name, sum(qty) from orders group by product_id order by sum(qty) desc limit 1",
        "select count(*) from orders where name = 'Desk'",
    ],
)
async def test_a_column_of_two_tables_that_keys_lead_to_is_of_neither(tmp_path: Path, sql: str) -> None:
    db = apsw.Connection(str(tmp_path / "shop.db"))
    db.execute(KEYS).fetchall()
    db.close()
    with pytest.raises(ToolError, match="no such column: name"):
        await ask(query_sqlite(tmp_path / "shop.db", Use(), room=4_000, looks=True), sql)


LOANS = """
create table tools(tool_no integer primary key, name text);
insert into tools values (1, 'saw'), (2, 'drill'), (3, 'plane');
create table loans(loan_id integer primary key, tool_no integer references tools(tool_no));
insert into loans values (1, 2), (2, 2), (3, 1);
"""


@pytest.mark.parametrize(
    ("sql", "more", "name", "count"),
    [
        ("select name from tools group by name order by count(*) desc limit 1", "", "drill", 2),
        ("select t.name, count(t.tool_no) from tools t group by t.name order by 2 desc limit 1", "", "drill", 2),
        ("select name, count(*) as n from tools group by name order by n desc limit 1", "", "drill", 2),
        ("select name, count(*) from tools group by name order by 2, 1 limit 1",
         "insert into tools values (4, 'saw')", "drill", 1),  # what is there twice may be counted
        ("select name, count(*) from tools group by name order by 2 desc, 1 limit 1",
         "create table sales(tool_no integer references tools(tool_no))", "drill", 1),  # loans, or sales?
        ("select name, count(*) from tools where tool_no < 3 group by name order by 2 desc, 1 limit 1", "", "drill", 1),
    ],
)  # fmt: skip
async def test_the_rows_that_lead_to_a_name_are_counted(
    tmp_path: Path, sql: str, more: str, name: str, count: int
) -> None:
    db = apsw.Connection(str(tmp_path / "shop.db"))
    db.execute(LOANS + more).fetchall()
    db.close()
    found = await ask(query_sqlite(tmp_path / "shop.db", Use(), room=4_000, looks=True), sql)
    assert list(found["rows"][0].values()) == [name, count]
    assert ("the rows of loans are counted" in found.get("mended", "")) == (not more and "where" not in sql)


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select name, count(*) from tools group by name order by name", [["drill", 1], ["plane", 1], ["saw", 1]]),
        ("select name, count(*) from tools group by name order by 2 desc, 1", [["drill", 1], ["plane", 1], ["saw", 1]]),
        ("select name, count(*) from tools group by name order by 2, 1 desc limit 1", [["saw", 1]]),  # the least often
        ("select name, count(distinct name) from tools group by name order by 2 desc, 1 limit 1", [["drill", 1]]),
        ("select name, count(*) as tools from tools group by name order by tools desc, name limit 1", [["drill", 1]]),
        ("select tool_no, count(*) from tools group by tool_no order by 2 desc, 1 limit 1", [[1, 1]]),
        ("select name, max(tool_no), count(*) from tools group by name order by 3 desc, 1 limit 1", [["drill", 2, 1]]),
    ],
)
async def test_names_that_are_counted_as_they_are_stay_so(tmp_path: Path, sql: str, rows: list[list[object]]) -> None:
    db = apsw.Connection(str(tmp_path / "shop.db"))
    db.execute(LOANS).fetchall()
    db.close()
    found = await ask(query_sqlite(tmp_path / "shop.db", Use(), room=4_000, looks=True), sql)
    assert [list(row.values()) for row in found["rows"]] == rows
    assert "mended" not in found


async def test_of_rows_that_a_limit_cuts_nothing_is_told_of_all_of_them(tmp_path: Path) -> None:
    db = apsw.Connection(str(tmp_path / "shop.db"))
    db.execute("create table big(n integer)")
    db.execute("with recursive c(i) as (values(1) union all select i + 1 from c where i < 3000) "
               "insert into big select i % 1200 from c").fetchall()  # fmt: skip
    db.close()
    query = query_sqlite(tmp_path / "shop.db", Use(), room=4_000, looks=True)
    assert "is shown once" not in (await ask(query, "select distinct n from big limit 250")).get("note", "")
