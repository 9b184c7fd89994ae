"""Statements that a database answers wrongly without a word: they are asked as they are meant, and it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.errors import ToolError
from ringfence.tools.sql import query_sqlite
from ringfence.tools.sql_meant import meant
from ringfence.tools.sql_twice import grouped, twice
from ringfence.tools.sql_written import as_day, as_number, written
from ringfence.tools.tool import Use

from .asking import Query, ask

SHOP = """
create table customers(id integer primary key, name text, city text, credit text);
insert into customers values (1, 'Ann', 'Bern', '900'), (2, 'Bob', 'Basel', '1200'), (3, 'Cy', 'Bern', '75'),
    (4, 'Di', 'Chur', null);
create table orders(id integer primary key, customer_id integer references customers(id), total real, status text,
    placed_at text);
insert into orders values (1, 1, 100, 'paid', '2024-03-31 10:00:00'), (2, 1, 50, 'open', '2024-04-01 09:00:00'),
    (3, 2, 70, 'paid', '2024-04-30 18:30:00'), (4, 2, 30, 'late', '2024-05-01 08:00:00'),
    (5, null, 20, 'void', '2024-05-03 08:00:00');
create table lines(id integer primary key, order_id integer references orders(id), item text, qty integer, price real);
insert into lines values (1, 1, 'pen', 2, 10), (2, 1, 'ink', 4, 20), (3, 2, 'pen', 5, 10), (4, 3, 'ink', 1, 20),
    (5, 3, 'pad', 5, 10), (6, 4, 'pen', 3, 10);
create table payments(id integer primary key, order_id integer references orders(id), amount real);
insert into payments values (1, 1, 60), (2, 1, 40), (3, 3, 70);
create table events(id integer primary key, ts integer, ms integer, kind text);
insert into events values (1, 1711929600, 1711929600000, 'in'), (2, 1714521599, 1714521599000, 'out'),
    (3, 1714608000, 1714608000000, 'in');
create table visits(day text, fee text, weight text, zip text, seen text, mixed text);
insert into visits values ('03.04.2024', '120,50', '12 kg', '8001', '4/30/2024 9:30', '5 kg'),
    ('15.04.2024', '80', '9 kg', '800', '5/13/2024 10:00', 'lots'), ('28.12.2023', '1.200,00', '100 kg', '79', '', '7');
create table days(day text); insert into days values ('2024-03-31'), ('2024-04-30');
"""


@pytest.fixture
def query(tmp_path: Path) -> Query:
    with apsw.Connection(str(tmp_path / "shop.db")) as db:
        db.execute(SHOP).fetchall()
    tool = query_sqlite(tmp_path / "shop.db", Use(), room=4_000)

    async def run(sql: str, *params: str) -> Any:
        return await ask(tool, sql, *params)

    return run


def rows(found: Any) -> list[list[Any]]:
    return [list(row.values()) for row in found["rows"]]


@pytest.mark.parametrize(
    ("sql", "right", "why"),
    [
        ("select name from customers where credit = NULL", [["Di"]], "nothing is = NULL: asked with IS"),
        ("select count(*) from orders where customer_id != null", [[4]], "nothing is != NULL: asked with IS"),
        ("select name from customers where id not in (select customer_id from orders)", [["Cy"], ["Di"]],
         "nothing is NOT IN a list with NULL in it: customer_id is NOT NULL there"),
        ("select count(case when status = 'paid' then 1 end) / count(*) from orders", [[0.4]], "divided with decimals"),
        ("select 1 * sum(qty) / count(*) from lines where order_id = 1", [[3]], ""),
        ("select sum(qty) / 60 from lines", [[20 / 60]], "divided with decimals"),
        ("select qty / order_id from lines where id = 4", [[1 / 3]], "divided with decimals"),
        ("select c.name, count(*) from customers c left join orders o on o.customer_id = c.id group by c.name",
         [["Ann", 2], ["Bob", 2], ["Cy", 0], ["Di", 0]], "count(*) is 1 for none: counted are rows of orders"),
        ("select count(*) as total_qty from lines where order_id = 1", [[6]],
         "total_qty is the sum of lines.qty, and no number of rows"),
        ("select item, count(*) as number_of_qty from lines group by item order by 2 desc limit 1", [["pen", 10]],
         "number_of_qty is the sum of lines.qty, and no number of rows"),
        ("select count(*) as qty from lines where order_id = 1", [[2]], ""),  # may be called so for short
        ("select count(*) as total from orders", [[5]], ""),
        ("select count(*) as total_qty, sum(qty) from lines where order_id = 1", [[2, 6]], ""),
        ("select count(*) from customers cross join orders", [[20]], ""),
        ("select count(*) from customers left join orders on true", [[20]], ""),
        ("select qty / 2 as pages, count(*) from lines group by qty / 2 order by 1 limit 1", [[0, 1]], ""),
        ("select '2025-01-01' - min(placed_at) as age from orders", [[1]], ""),
        ("select count(*) as total_lines from lines where order_id = 1", [[2]], ""),
        ("select count(*) as order_id from lines where order_id = 1", [[2]], ""),  # a key is no amount
        ("select count(*) as name_count from customers", [[4]], ""),  # nor is a text
        ("select sum(o.total) from customers c join orders o on c.id = o.id where c.name = 'Bob'", [[100.0]],
         "customers and orders are joined by customers.id = orders.customer_id"),
        ("select sum(total) from customers c, orders o where c.name = 'Ann'", [[150.0]],
         "customers and orders are joined by customers.id = orders.customer_id"),
        ("select o.total from orders o join customers c where c.name = 'Ann'", [[100.0], [50.0]],
         "orders and customers are joined by orders.customer_id = customers.id"),
    ],
)  # fmt: skip
async def test_what_can_mean_one_thing_alone_is_asked_so(query: Query, sql: str, right: Any, why: str) -> None:
    found = await query(sql)
    assert (rows(found), found.get("mended", "")) == (right, why)


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("placed_at between '2024-04-01' and '2024-04-30'", 2),
        ("placed_at >= '2024-04-01' and placed_at <= '2024-04-30'", 2),
        ("placed_at = '2024-04-30'", 1),
        ("placed_at > '2024-04-30'", 2),
        ("placed_at != '2024-04-30'", 4),
    ],
)
async def test_a_day_is_all_of_its_hours(query: Query, condition: str, count: int) -> None:
    found = await query(f"select count(*) from orders where {condition}")
    assert (rows(found), found["mended"]) == ([[count]], "placed_at has times: its days are compared")


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from orders where placed_at between '2024-04-01' and '2024-05-01'",  # its end is left out
        "select count(*) from orders where placed_at >= '2024-04-01' and placed_at <= '2024-05-01'",
        "select count(*) from orders where placed_at < '2024-04-30'",
        "select count(*) from orders where date(placed_at) <= '2024-04-30'",
        "select count(*) from days where day <= '2024-04-30'",
        "select id / 2 from orders",
        "select sum(qty) / 60 || ':' || sum(qty) % 60 from lines",
        "select cast(sum(qty) / count(*) as integer) from lines",
        "select (count(*) + 9) / 10 from lines",
        "select o.id, count(*) from lines l left join orders o on l.order_id = o.id group by o.id",
        "select c.name, count(*) from customers c left join orders o on o.customer_id = c.id"
        " where o.id is null group by c.name",
        "select count(*) from customers c, orders o where o.customer_id = c.id",
        "select count(*) from customers a join customers b on a.id = b.id",
        "select name from customers where id not in (select order_id from lines where qty > 3)",
        "select status = null from orders",
    ],
)
async def test_what_means_what_it_says_stays(query: Query, sql: str) -> None:
    found = await query(sql)
    assert found["rows"]
    assert "ran" not in found


@pytest.mark.parametrize(
    ("sql", "right", "column"),
    [
        ("select max(credit) from customers", [[1200]], "credit is no number"),
        ("select name from customers order by credit desc limit 1", [["Bob"]], "credit is no number"),
        ("select name from customers where credit > 500", [["Ann"], ["Bob"]], "credit is no number"),
        ("select sum(fee) from visits", [[1400.5]], "fee is no number"),
        ("select sum(fee * 2) from visits where fee between 80 and 200", [[401.0]], "fee is no number"),
        ("select max(weight) from visits", [[100]], "weight is no number"),
        ("select max(day) from visits", [["2024-04-15"]], "day is no day"),
        ("select count(*) from visits where day >= '2024-01-01'", [[2]], "day is no day"),
        ("select count(*) from visits where strftime('%m', day) = '04'", [[2]], "day is no day"),
        ("select count(*) from visits where day like '2024-04%'", [[2]], "day is no day"),
        ("select count(*) from visits where seen > '2024-04-30'", [[1]], "seen is no day"),
        ("select count(*) from events where ts between '2024-04-01' and '2024-04-30'", [[2]], "ts is no day"),
        ("select date(ms) from events where id = 1", [["2024-04-01"]], "ms is no day"),
    ],
)
async def test_what_is_no_number_or_day_for_sqlite_is_read_as_one(
    query: Query, sql: str, right: Any, column: str
) -> None:
    found = await query(sql)
    assert rows(found) == right
    assert found["mended"].startswith(f"{column} for SQLite: read as one")


@pytest.mark.parametrize(
    "sql",
    [
        "select zip from visits order by zip",  # names a row
        "select max(mixed) from visits",
        "select day, fee from visits where fee = '80'",
        "select max(ts) from events where ts > 1711929600",
        "select date(ts, 'unixepoch') from events",
        "select max(kind) from events",
    ],
)
async def test_a_text_that_is_none_stays_one(query: Query, sql: str) -> None:
    assert "ran" not in await query(sql)


@pytest.mark.parametrize(
    ("sql", "note"),
    [
        ("select sum(o.total) from orders o join lines l on l.order_id = o.id",
         "SUM(o.total) takes a row of orders once for each of its lines; with each row of orders once: 250.0"),
        ("select c.name, sum(o.total) as t from customers c join orders o on o.customer_id = c.id"
         " join lines l on l.order_id = o.id where l.qty > 1 group by c.name order by t desc",
         "SUM(o.total) takes a row of orders once for each of its lines;"
         " with each row of orders once: Ann: 150.0; Bob: 100.0"),
        ("select avg(total) from orders left join lines on lines.order_id = orders.id",
         "AVG(total) takes a row of orders once for each of its lines; with each row of orders once: 54.0"),
        ("select count(o.id) from orders o join lines l on l.order_id = o.id",
         "COUNT(o.id) takes a row of orders once for each of its lines; with each row of orders once: 4"),
        ("select sum(o.total) from lines l join orders o on l.order_id = o.id", "SUM(o.total) takes a row of orders"),
        ("select sum(p.amount) from orders o join lines l on l.order_id = o.id join payments p on p.order_id = o.id",
         "SUM(p.amount) takes a row of payments once for each of its orders and lines;"
         " with each row of payments once: 170.0"),
    ],
)  # fmt: skip
async def test_what_a_join_takes_several_times_is_told_with_each_once(query: Query, sql: str, note: str) -> None:
    found = await query(sql)
    assert found["note"].startswith(note)
    assert "ran" not in found


@pytest.mark.parametrize(
    "sql",
    [
        "select sum(l.qty * l.price) from orders o join lines l on l.order_id = o.id",
        "select sum(o.total) from orders o join customers c on o.customer_id = c.id",
        "select l.item, sum(o.total) from orders o join lines l on l.order_id = o.id group by l.item",
        "select count(*) from orders o join lines l on l.order_id = o.id",
        "select count(distinct o.id) from orders o join lines l on l.order_id = o.id",
        "select sum(total) from orders where id in (select order_id from lines)",
    ],
)
async def test_what_is_taken_once_has_no_note(query: Query, sql: str) -> None:
    assert "note" not in await query(sql)


async def test_what_stands_beside_a_count_of_all_rows_is_asked_for_by_groups(query: Query) -> None:
    found = await query("select city, count(*) from customers")
    assert rows(found) == [["Basel", 1], ["Bern", 2], ["Chur", 1]]
    assert found["mended"] == "city is of one row alone without GROUP BY city"
    assert found["note"] == "all rows together: count(*) 4"
    most = await query("select city, count(*) from customers order by count(*) desc limit 1")
    assert rows(most) == [["Bern", 2]]
    for plain in (
        "select name, max(total) from orders join customers on customers.id = customer_id",
        "select city, count(*) from customers where city = 'Bern'",
        "select city, count(*) from customers where city = 'Genf'",
    ):
        assert "ran" not in await query(plain)


async def test_our_functions_take_what_they_are_given_and_fail_for_nothing(query: Query) -> None:
    assert [as_number(value, ",") for value in ("1.200,50", "x", None, 3, "")] == [1200.5, None, None, 3, None]
    assert [as_day(value, "month") for value in ("4/30/2024", "x", None, 2**62, "2024-05-01 08:30")] == [
        "2024-04-30", None, None, None, "2024-05-01 08:30:00",
    ]  # fmt: skip
    with pytest.raises(ToolError, match="wrong number of arguments"):
        await query("select as_day(ts) from events")


TABLES = [("a", "id INTEGER\nx TEXT"), ("b", "id INTEGER\na_id INTEGER\ny INTEGER")]


@given(st.text(max_size=60))
def test_whatever_is_written_it_raises_nothing(text: str) -> None:
    for sql in (text, f"select {text}", f"select x, count(*) from a join b on {text}"):
        for dialect in ("sqlite", "postgres"):
            for asking in (meant(sql, TABLES, {}, dialect=dialect), twice(sql, TABLES, {}, dialect=dialect)):
                next(asking, None)
        next(written(sql, TABLES, {}), None)
        next(grouped(sql, TABLES, {}), None)


MORE = """
create table stays(guest text, arrive text, depart text, price text, state text);
insert into stays values ('Ann', '2025-06-01', '2025-06-04', '€90', 'done'),
    ('Bob', '2025-06-28', '2025-07-02', '€1,200', 'Done'), ('Cy', '2025-07-30', '2025-08-01', '€120', 'open');
create table rooms(id integer primary key, minutes integer);
create table uses(room_id integer references rooms(id), minutes integer);
"""


@pytest.fixture
def stays(tmp_path: Path) -> Query:
    with apsw.Connection(str(tmp_path / "stays.db")) as db:
        db.execute(MORE).fetchall()
    tool = query_sqlite(tmp_path / "stays.db", Use(), room=4_000)

    async def run(sql: str, *params: str) -> Any:
        return await ask(tool, sql, *params)

    return run


@pytest.mark.parametrize(
    ("sql", "right"),
    [
        ("select depart - arrive from stays", [[3.0], [4.0], [2.0]]),
        ("select max(depart) - min(arrive) from stays", [[61.0]]),
        ("select depart - '2025-06-01' from stays where guest = 'Ann'", [[3.0]]),
        ("select guest from stays where price = (select max(price) from stays)", [["Bob"]]),
        ("select guest from stays where price in (select max(price) from stays)", [["Bob"]]),
        ("select case when price > 100 then 'high' else 'low' end k, count(*) from stays group by k order by k",
         [["high", 2], ["low", 1]]),
    ],
)  # fmt: skip
async def test_days_between_and_the_row_with_the_most_are_found(stays: Query, sql: str, right: Any) -> None:
    found = await stays(sql)
    assert rows(found) == right
    assert found["ran"]


async def test_a_mend_that_finds_nothing_takes_nothing_away(stays: Query) -> None:
    found = await stays("with m as (select max(price) as p from stays) select guest from stays join m on price = p")
    assert found["rows"]
    assert "ran" not in found


async def test_how_else_a_text_is_written_is_told(stays: Query) -> None:
    found = await stays("select count(*) from stays where state = 'done'")
    assert (rows(found), found["note"]) == ([[1]], "state is also written 'Done': not in this result")
    groups = await stays("select state, count(*) from stays group by state")
    assert groups["note"] == "groups that differ in capitals alone: Done/done"
    assert "note" not in await stays("select count(*) from stays where state = 'open'")


@pytest.mark.parametrize("sql", ["```sql\nselect count(*) from stays\n```", "select count(*) from stays; -- all"])
async def test_a_statement_may_stand_in_a_fence_or_before_a_comment(stays: Query, sql: str) -> None:
    assert rows(await stays(sql)) == [[3]]


async def test_what_is_wrong_is_said_before_what_there_is(stays: Query) -> None:
    with pytest.raises(ToolError) as twice_there:
        await stays("select minutes from rooms join uses on rooms.id = uses.room_id")
    assert str(twice_there.value.todo).startswith("write rooms.minutes or uses.minutes; there are")
    with pytest.raises(ToolError) as no_group:
        await stays("select guest from stays having price > 1")
    assert str(no_group.value.todo).startswith("a condition on rows is WHERE; HAVING comes behind GROUP BY; ")
    with pytest.raises(ToolError, match="more than one statement"):
        await stays("select 1; select 2 -- x")


async def test_a_text_between_the_marks_of_a_name_is_one_and_a_name_that_is_none_is_refused(query: Query) -> None:
    found = await query('select name from customers where city = "basel"')
    assert (rows(found), found["mended"]) == ([["Bob"]], "'basel' is a text; city is written 'Basel'")
    assert rows(await query('select "name" from customers where city in ("Bern", "New York")')) == [["Ann"], ["Cy"]]
    with pytest.raises(ToolError, match="no such column") as wrong:
        await query('select "nmae" from customers')
    assert str(wrong.value.todo).startswith("did you mean customers.name?")
