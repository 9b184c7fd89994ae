"""sql.query of a SQLite file: one SELECT, and nothing that is more than that."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import apsw
import pytest

from ringfence.core.errors import ToolError
from ringfence.core.policy import Effect
from ringfence.tools.sql import _opened, query_sqlite
from ringfence.tools.sql_schema import check_amounts, few, keyed, known, overview, summed
from ringfence.tools.tool import Use

from .asking import Query, ask
from .test_files import as_nobody


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    db = apsw.Connection(str(path))
    db.execute("""
        create table people(id integer primary key, name text, email text);
        insert into people values (1, 'Ann', 'ann@example.com'), (2, 'Bob', null), (3, 'Cy', 'cy@example.com');
        create table orders(id integer, person integer, amount real, paid blob);
        insert into orders values (1, 1, 9.5, x'0102'), (2, 1, 1e999, null), (9007199254740993, 2, -1.25, null);
        create view totals as select person, sum(amount) as total from orders group by person;
        create virtual table notes using fts5(body);
        insert into notes values ('the disk is full'), ('all is well');
        create trigger t after update on people begin delete from orders; end;
    """).fetchall()
    db.close()
    return path


@pytest.fixture
def query(database: Path) -> Query:
    tool = query_sqlite(database, Use(), room=4_000)

    async def run(sql: str = "", *params: str) -> Any:
        return await ask(tool, sql, *params)

    return run


async def test_rows_are_objects_whose_columns_a_catalogue_can_point_to(query: Query) -> None:
    assert await query("select name, email from people order by id limit 2") == {
        "columns": ["name", "email"],
        "rows": [{"name": "Ann", "email": "ann@example.com"}, {"name": "Bob", "email": None}],
        "matched": "2 rows",
        "truncated": False,
    }


async def test_an_empty_statement_shows_the_tables_their_columns_and_how_values_look(query: Query) -> None:
    """Whoever writes a condition has to know how values are written, and where they are missing."""
    tables = {one["table"]: one["columns"] for one in (await query())["tables"]}
    assert [column.partition(" (")[0] for column in tables["people"]] == ["id INTEGER", "name TEXT", "email TEXT"]
    assert tables["people"][1] == "name TEXT ('Ann', 'Bob', 'Cy')"
    assert tables["people"][2].endswith("often NULL)")
    assert tables["totals"] == ["person INTEGER", "total"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["paid", "open", "late", "no_show"] * 4, " ('paid', 'open', 'late', 'no_show')"),
        (["paid", "open", "paid", None], " ('paid', 'open'; often NULL)"),
        ([f"c{n}" for n in range(7)] * 4, " ('c0', 'c1', ...)"),
        (["Ann", "Bob", "Cy", "Di"], " ('Ann', 'Bob', ...)"),  # names, say: each comes once
        (["open"] * 1_000 + ["late"], " ('open', ...)"),  # not all rows are looked at
        (["open", "a text that is longer than what is told of one"], " ('open', ...)"),
        (["O'Brien"], " ('O''Brien')"),
        (["a text that is longer than what is told of one"], ""),
    ],
)
async def test_of_a_few_kinds_of_values_all_are_told(database: Path, values: list[str | None], told: str) -> None:
    db = apsw.Connection(str(database))
    db.execute("create table bills(state text)").fetchall()
    db.executemany("insert into bills values (?)", [(value,) for value in values])
    db.close()
    shown = (await ask(query_sqlite(database, Use(), room=4_000), ""))["tables"]
    tables = {one["table"]: one["columns"] for one in shown}
    assert tables["bills"] == [f"state TEXT{told}"]


async def test_an_overview_says_what_tables_are_joined_by_and_an_error_where_a_column_is(database: Path) -> None:
    db = apsw.Connection(str(database))
    db.execute("""
        create table part(id integer primary key, price real);
        create table order_parts(order_id integer, part_id integer, quantity integer);
        create table notes_of(person integer references people(id), kind_id integer);
    """).fetchall()
    db.close()
    tool = query_sqlite(database, Use(), room=4_000, looks=False)
    tables = {one["table"]: one["columns"] for one in (await ask(tool, ""))["tables"]}
    assert tables["order_parts"] == ["order_id INTEGER = orders.id", "part_id INTEGER = part.id", "quantity INTEGER"]
    assert tables["notes_of"] == ["person INTEGER = people.id", "kind_id INTEGER"]
    with pytest.raises(ToolError) as wrong:
        await ask(tool, "select sum(price) from part where order_id = 7")
    lead, join = str(wrong.value.todo).split("; ")[:2]
    assert lead == "order_id is in another table: order_parts.order_id"
    assert join == "FROM part JOIN order_parts ON order_parts.part_id = part.id"
    assert "join order_parts.order_id = orders.id, order_parts.part_id = part.id" in str(wrong.value.todo)


async def test_a_declared_key_that_names_no_column_is_the_primary_key_of_the_other_table(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "db")) as db:
        db.executescript("""
            create table series(series_id integer primary key, name text);
            create table spots(hall text, seat integer, primary key (hall, seat));
            create table plain(id integer);
            create table seats(series integer references series, h text, s integer, p references plain,
                gone integer references nowhere, foreign key (h, s) references spots);
        """)
    found = await ask(query_sqlite(tmp_path / "db", Use(), room=4_000, looks=False), "")
    (seats,) = [table["columns"] for table in found["tables"] if table["table"] == "seats"]
    assert seats == [
        "series INTEGER = series.series_id", "h TEXT = spots.hall", "s INTEGER = spots.seat", "p", "gone INTEGER",
    ]  # fmt: skip


VISITS = [
    ("items", "item_id INTEGER\nlabel TEXT\nunit_price REAL"),
    ("visit_items", "visit_id INTEGER\nitem_id INTEGER\nqty INTEGER"),
    ("visits", "visit_id INTEGER\nvet TEXT\ncategory_id INTEGER"),
    ("categories", "id INTEGER\nname TEXT"),
]


def test_a_key_is_told_by_the_name_that_it_has_in_both_tables() -> None:
    keys = {one: key for table in overview(VISITS)["tables"] for one, _, key in map(_parted, table["columns"]) if key}
    assert keys == {"visit_id": "visits.visit_id", "item_id": "items.item_id", "category_id": "categories.id"}


ORDERS = [
    ("orders", "order_no INTEGER\ncustomer TEXT"),
    ("order_lines", "order_no INTEGER\nsku TEXT\nqty INTEGER"),
    ("products", "sku TEXT\nname TEXT\nday TEXT"),
    ("days", "day TEXT\nname TEXT"),
]


@pytest.mark.parametrize(
    ("tables", "sql"),
    [
        ([("payments", "id INTEGER\namount REAL"), ("by_region", "amount REAL\nregion TEXT")], "sum(amount)"),
        ([("tariffs", "price REAL\nlabel TEXT"), ("items", "item TEXT\nprice REAL")], "avg(price)"),
        ([("budget", "year INTEGER\namount REAL"), ("staff", "name TEXT\nyear INTEGER")], "avg(year)"),
        ([("items", "id INTEGER"), ("orders", "no TEXT\nitems_num INTEGER")], "sum(items_num)"),
        ([("bed", "id INTEGER"), ("wards", "name TEXT\nbed_number INTEGER")], "sum(bed_number)"),
    ],
)
def test_an_amount_that_is_called_as_something_else_is_one(tables: Any, sql: str) -> None:
    check_amounts(summed(f"SELECT {sql} FROM x"), tables)


async def test_a_view_of_a_table_that_is_gone_keeps_no_other_table_from_being_summed_up(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    with contextlib.closing(sqlite3.connect(database)) as db:
        db.executescript("create table gone(a); create view broken as select a from gone; create table t(x)")
        db.executescript("insert into t values (3); drop table gone")
    assert (await ask(query_sqlite(database, Use(), room=4_000), "select sum(x) from t"))["rows"] == [{"sum(x)": 3}]


def test_a_key_may_be_called_anything_as_long_as_one_table_begins_with_it() -> None:
    keys = [told for table in overview(ORDERS)["tables"] for told in table["columns"] if " = " in told]
    assert keys == ["order_no INTEGER = orders.order_no", "sku TEXT = products.sku"]
    assert known(ORDERS, "no such column: product").startswith(
        "product is no column, but products is a table; there are"
    )


@pytest.mark.parametrize(
    ("sql", "mended"),
    [
        ("SELECT x FROM books WHERE title = 'Nobody's Kite'", "SELECT x FROM books WHERE title = 'Nobody''s Kite'"),
        ("SELECT x FROM people WHERE name = 'O'Brien'", "SELECT x FROM people WHERE name = 'O''Brien'"),
        ("SELEC x FROM people WHERE name = 'Ann'", ""),
    ],
)
def test_an_apostrophe_in_a_name_is_told_to_be_written_twice(sql: str, mended: str) -> None:
    todo = known(VISITS, 'near "s": syntax error', sql=sql)
    assert todo.startswith(f"write an apostrophe twice: {mended}; there are: " if mended else "there are: ")
    assert known(VISITS, "no such table: books", sql=sql).startswith("there are: ")


DELIVERIES = [
    ("deliveries", "id INTEGER\ndriver_id INTEGER\nday TEXT"),
    ("drivers", "id INTEGER\nname TEXT\nlicence TEXT"),
    ("depots", "depot_id INTEGER"),
]


@pytest.mark.parametrize(
    ("sql", "columns", "rows", "told"),
    [
        ("SELECT driver_id FROM deliveries GROUP BY driver_id LIMIT 1", ["driver_id"], 1, True),
        ("SELECT driver_id, count(*) FROM Deliveries", ["driver_id", "count(*)"], 3, True),
        ("SELECT driver_id FROM deliveries WHERE day > 'drivers'", ["driver_id"], 1, True),
        ("SELECT driver_id FROM deliveries", ["driver_id"], 4, False),  # a list of them
        ("SELECT driver_id FROM deliveries", ["driver_id"], 0, False),
        ("SELECT driver_id, name FROM deliveries JOIN drivers ON 1", ["driver_id", "name"], 1, False),
        ("SELECT id, name FROM drivers", ["id", "name"], 1, False),
        ("SELECT day FROM deliveries", ["day"], 1, False),
    ],
)
def test_whose_key_a_result_has_is_told_with_the_from_that_has_the_name(
    sql: str, columns: list[str], rows: int, told: bool
) -> None:
    note = "driver_id is the key of a row of drivers (id, name, licence): FROM deliveries JOIN drivers ON "
    key = keyed(sql, columns, DELIVERIES, {}) if few([()] * rows) else None
    assert (key.told([2], []) if key else {}) == (
        {"note": f"{note}deliveries.driver_id = drivers.id has its name"} if told else {}
    )


async def test_whose_key_a_result_has_is_told_by_name(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "db")) as db:
        db.executescript("""
            create table drivers(id integer primary key, name text, surname text, licence text);
            insert into drivers values (1, 'Ann', 'Lee', 'B'), (2, 'Ulf', 'Tolland', 'CE');
            create table deliveries(id integer, driver_id integer references drivers(id));
            insert into deliveries values (1, 2), (2, 2), (3, 1), (4, null), (5, 9);
        """)

    async def told(sql: str) -> Any:
        return await ask(query_sqlite(tmp_path / "db", Use(), room=2_000), sql)

    found = await told("select driver_id from deliveries group by 1 order by count(*) desc limit 1")
    assert found["named"] == [{"driver_id": "2", "name": "Ulf", "surname": "Tolland"}]
    assert "note" not in found
    assert len((await told("select driver_id from deliveries where id in (2, 3, 4)"))["named"]) == 2
    for none in ("id = 4", "id = 5"):  # no driver, and one whom the table does not have
        assert "named" not in await told(f"select driver_id from deliveries where {none}")
    assert "named" not in await told("select driver_id from deliveries")  # a list


NAMES = """
create table staff(id integer primary key, name text);
insert into staff values (1, 'Ann'), (2, 'Bo'), (3, 'Cy'), (4, null);
create table clients(id integer primary key, name text); insert into clients values (7, 'Acme');
create table shifts(id integer, staff_id integer, hours real);
insert into shifts values (1, 1, 3), (2, 2, 1), (3, 3, 9), (4, 4, 1);
create table accounts(id integer, owner_id integer references clients(id)); insert into accounts values (1, 7);
create table visits(id integer, owner_id integer references staff(id)); insert into visits values (1, 2);
create table depts(site text, code integer, name text, primary key (site, code));
insert into depts values ('A', 1, 'ER-A'), ('B', 1, 'ER-B');
create table beds(id integer, site text, code integer, foreign key (site, code) references depts(site, code));
insert into beds values (1, 'B', 1);
create table blobs(id integer primary key, name blob); insert into blobs values (1, x'ff00fe');
create table looks(blobs_id integer references blobs(id)); insert into looks values (1);
create view pumps(id, name) as
    with recursive r(x) as (select 1 union all select x + 1 from r) select x, 'n' || x from r;
create table fails(pump_id integer references pumps(id)); insert into fails values (0);
"""


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("select staff_id, sum(hours) from shifts group by 1 order by 2 desc limit 2", ["Cy", "Ann"]),  # in its order
        ("select staff_id from shifts where id = 4", [None]),  # who has no name
        ("select count(*) as staff_id from shifts where id < 3", None),  # a number that is called so
        ("select a.owner_id from accounts a join visits v on v.id = a.id", None),  # whose, of both?
        ("select code from beds", None),  # half a key
        ("select blobs_id from looks", None),  # no text
        ("select pump_id from fails", None),  # a view without an end
    ],
)
async def test_no_wrong_name_is_told_and_nothing_fails_for_one(tmp_path: Path, sql: str, named: Any) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "db")) as db:
        db.executescript(NAMES)
    began = time.monotonic()
    found = await ask(query_sqlite(tmp_path / "db", Use(), room=2_000, seconds=60), sql)
    assert found["rows"]
    assert ([row.get("name") for row in found["named"]] if "named" in found else None) == named
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    "tables",
    [
        [("bookings", "id INTEGER\nroom_number TEXT"), ("rooms", "id INTEGER\nroom_number TEXT\nname TEXT")],
        [("stock", "id INTEGER\nsku TEXT"), ("sales", "sku TEXT\nname TEXT")],
        [("orders", "id INTEGER\nzone_id INTEGER"), ("zones", "zone_id INTEGER\nprice REAL")],  # which have no names
    ],
)
def test_what_may_be_no_key_or_has_no_name_is_not_told(tables: Any) -> None:
    column = tables[0][1].split("\n")[1].split(" ")[0]
    assert keyed(f"SELECT {column} FROM {tables[0][0]}", [column], tables, {}) is None


def test_a_key_is_the_column_of_the_same_name_where_there_is_one() -> None:
    tables = [("bookings", "id INTEGER\nroom_number TEXT"), ("rooms", "id INTEGER\nroom_number TEXT\nbeds TEXT")]
    assert "room_number TEXT = rooms.room_number" in overview(tables)["tables"][0]["columns"]


def _parted(told: str) -> tuple[str, str, str]:
    column, _, key = told.partition(" = ")
    return column.split(" ")[0], column, key


@pytest.mark.parametrize(
    ("missing", "near"),
    [("item_price", "items.unit_price"), ("unit_prise", "items.unit_price"), ("vett", "visits.vet"), ("colour", "")],
)
def test_a_column_that_is_in_no_table_is_told_one_of_a_name_like_it(missing: str, near: str) -> None:
    todo = known(VISITS, f"no such column: {missing}")
    none = f"{missing} is no column of any table"
    assert todo.startswith(f"did you mean {near}? there are: " if near else f"{none}; there are: ")
    assert "join visit_items.visit_id = visits.visit_id, visit_items.item_id = items.item_id" in todo


@pytest.mark.parametrize(
    ("missing", "sql", "join"),
    [
        ("item_price", "SELECT SUM(item_price * qty) FROM visit_items WHERE visit_id = 3", "visit_items JOIN items"),
        ("unit_price", "select sum(unit_price * qty) from visit_items", "visit_items JOIN items"),
        ("qty", "SELECT qty FROM items", "items JOIN visit_items"),
        ("unit_price", "SELECT unit_price FROM categories", ""),
        ("unit_price", "", ""),
    ],
)
def test_how_the_table_is_joined_that_has_the_column_is_told(missing: str, sql: str, join: str) -> None:
    todo = known(VISITS, f"no such column: {missing}", sql=sql)
    assert (f"FROM {join} ON visit_items.item_id = items.item_id; there are: " in todo) is bool(join)
    assert ("FROM" in todo) is bool(join)


@pytest.mark.parametrize(
    ("sql", "wrong"),
    [
        ("SELECT SUM(item_id * qty) FROM visit_items", "item_id"),
        ('select avg(v."Visit_ID") from visits v', "visit_id"),
        ("SELECT total ( qty + item_id )", "item_id"),
        ("SELECT SUM(qty * unit_price) FROM visit_items JOIN items USING (item_id)", ""),
        ("SELECT COUNT(item_id), MAX(visit_id) FROM visit_items", ""),
        ("SELECT SUM(CASE WHEN item_id = 3 THEN 1 ELSE 0 END), SUM(item_id = 3) FROM visit_items", ""),
        ("SELECT item_id, SUM(qty) FROM visit_items GROUP BY item_id", ""),
        ("SELECT SUM(item_id IS NOT NULL) FROM visit_items", ""),
        ("SELECT SUM(case item_id when 3 then 1 else 0 end) FROM visit_items", ""),
        ("SELECT * FROM visits WHERE vet = 'avg(item_id)'", ""),
        ("SELECT SUM(item_id.qty) FROM visit_items item_id", ""),
    ],
)
def test_what_names_a_row_is_no_amount(sql: str, wrong: str) -> None:
    if not wrong:
        return check_amounts(summed(sql), VISITS)
    with pytest.raises(ToolError, match=f"{wrong} names a row, and is no amount") as refused:
        check_amounts(summed(sql), VISITS)
    assert "unit_price" in str(refused.value.todo)
    return None


async def test_a_sum_of_declared_keys_is_refused_and_nothing_is_asked(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    with contextlib.closing(sqlite3.connect(database)) as db:
        db.executescript("create table a (nr integer primary key, x); create table b (one references a(nr), n)")
    tool = query_sqlite(database, Use(), room=4_000)
    with pytest.raises(ToolError, match="one names a row, and is no amount"):
        await ask(tool, "select sum(one * n) from b")
    assert (await ask(tool, "select sum(n) from b"))["rows"] == [{"sum(n)": None}]


async def test_an_overview_shows_values_only_where_nobody_has_said_whose_they_are(database: Path) -> None:
    tool = query_sqlite(database, Use(), room=4_000, looks=False)
    tables = {one["table"]: one["columns"] for one in (await ask(tool, ""))["tables"]}
    assert tables["people"] == ["id INTEGER", "name TEXT", "email TEXT"]


async def test_an_overview_takes_no_name_for_a_value_and_waits_for_no_view(database: Path) -> None:
    db = apsw.Connection(str(database))
    db.execute("""
        create table odd(c unsigned big int, d text);
        insert into odd values (1, 'a' || char(10) || 'b');
        create view endless as with recursive n(i) as (select 1 union all select i + 1 from n)
        select i from n where i < 0;
    """).fetchall()
    db.close()
    async with asyncio.timeout(30):
        shown = await ask(query_sqlite(database, Use(), room=4_000, seconds=60), "")
    tables = {one["table"]: one["columns"] for one in shown["tables"]}
    assert tables["odd"] == ["c unsigned big int", "d TEXT"]
    assert tables["endless"] == ["i"]


async def test_values_are_bound_and_never_part_of_the_statement(query: Query) -> None:
    assert (await query("select name from people where id = $1 or name = $2", "2", "Cy"))["rows"] == [
        {"name": "Bob"}, {"name": "Cy"},
    ]  # fmt: skip
    assert (await query("select name from people where name = ?", "x' or '1'='1"))["note"] == "no row matches"
    with pytest.raises(ToolError, match=r"another number of placeholders than params has values \(0\)"):
        await query("select name from people where id = ?")


async def test_what_json_cannot_carry_is_text(query: Query) -> None:
    rows = (await query("select id, amount, paid from orders"))["rows"]
    assert rows[0] == {"id": 1, "amount": 9.5, "paid": "[2 bytes]"}
    assert rows[1]["amount"] == "inf"
    assert rows[2]["id"] == "9007199254740993"


async def test_columns_of_the_same_name_are_told_apart_also_without_rows(query: Query) -> None:
    for where, count in (("1", 3), ("0", 0)):
        result = await query(f"select id, id, name as id from people where {where}")
        assert result["columns"] == ["id", "id_2", "id_3"]
        assert len(result["rows"]) == count


@pytest.mark.parametrize(
    "sql",
    [
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5) select sum(i) from n",
        "select person, rank() over (order by total desc) from totals",
        "select * from notes where notes match 'disk'",
        "select highlight(notes, 0, '<', '>') from notes where notes match 'disk'",
        "select value from json_each('[1,2]')",
        "pragma table_info(people)",
        "select * from pragma_table_info('people')",
        "explain query plan select * from people",
        "values (1), (2)",
        "select 1;  ",
        "SELECT upper(name) FROM people",
    ],
)
async def test_a_query_of_any_kind_is_answered(query: Query, sql: str) -> None:
    assert (await query(sql))["rows"]


WRITES = [
    "insert into people values (9, 'x', 'x')",
    "update people set name = 'x'",
    "delete from people",
    "drop table people",
    "create table x(y)",
    "create temp table x(y)",
    "alter table people add column z",
    "vacuum",
    "reindex",
    "analyze",
    "begin",
    "commit",
    "savepoint x",
    "replace into people values (1, 'x', 'x')",
    "with x as (select 1) insert into people select 7, 'a', 'b'",
    "insert into notes(notes) values ('rebuild')",
    "create trigger u after insert on people begin select 1; end",
    "create virtual table v using fts5(x)",
]
REACHES = [
    "attach '/etc/passwd' as p",
    "attach ':memory:' as p",
    "detach main",
    "vacuum into '{out}'",
    "select load_extension('{out}')",
    "select writefile('{out}', 'x')",
    "select readfile('/etc/passwd')",
    "select edit('x', 'sh')",
    "select fts3_tokenizer('x')",
    "select sqlite_log(1, 'x')",
    "select randomblob(9)",
    "pragma query_only = off",
    "pragma writable_schema = on",
    "pragma journal_mode = wal",
    "pragma database_list",
    "pragma temp_store_directory = '{out}'",
    "pragma wal_checkpoint",
    "pragma main.user_version = 7",
    "pragma trusted_schema = on",
    "select * from pragma_database_list",
    "select optimize(notes) from notes",
    "select rtreecheck('people')",
    "create view w as select load_extension('x')",
]


def everything(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("sql", [*WRITES, *REACHES])
async def test_whatever_is_more_than_a_query_is_refused_and_changes_nothing(
    query: Query, tmp_path: Path, sql: str
) -> None:
    before = everything(tmp_path)
    with pytest.raises(ToolError):
        await query(sql.replace("{out}", str(tmp_path / "out")))
    assert everything(tmp_path) == before


@pytest.mark.parametrize("sql", [*WRITES, *REACHES])
async def test_the_authorizer_alone_refuses_it_too(database: Path, tmp_path: Path, sql: str) -> None:
    """Were the file not opened read-only, the same would be refused: two locks, each of which holds by itself."""
    from ringfence.tools import sql as module

    db = apsw.Connection(str(database))
    db.authorizer = module._authorize
    with pytest.raises((apsw.AuthError, apsw.SQLError)):
        db.execute(sql.replace("{out}", str(tmp_path / "out"))).fetchall()
    db.close()


def test_the_file_is_opened_read_only_and_nothing_of_it_is_trusted(database: Path) -> None:
    db = _opened(database, time.monotonic() + 9)
    assert db.readonly("main")
    assert db.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, -1) == 0
    assert db.config(apsw.SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, -1) == 0
    assert db.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, -1) == 1
    db.close()


@pytest.mark.parametrize(
    "sql",
    [
        "select 1; select 2", "select 1; delete from people", "select 1; -- and\n drop table people",
        "select 1 /* */; attach 'x' as y",
    ],
)  # fmt: skip
async def test_one_statement_and_nothing_after_it(query: Query, sql: str) -> None:
    with pytest.raises(ToolError, match="there is more than one statement"):
        await query(sql)


async def test_time_is_bounded(database: Path) -> None:
    tool = query_sqlite(database, Use(), room=4_000, seconds=0.2)
    began = time.monotonic()
    for sql in (
        "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n",
        "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n order by i desc",
    ):
        with pytest.raises(ToolError, match=r"did not end within 0\.2 s"):
            await ask(tool, sql)
    assert time.monotonic() - began < 30  # neither ends by itself


async def test_rows_and_room_are_bounded_and_said_so(database: Path) -> None:
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select i, '{}' as x from n"
    result = await ask(query_sqlite(database, Use(), room=100_000, max_rows=7), endless.format("x"))
    assert (len(result["rows"]), result["truncated"]) == (7, True)
    assert result["note"].startswith("only the first 7 rows")
    result = await ask(query_sqlite(database, Use(), room=1_000), endless.format("x" * 100))
    assert result["truncated"]
    assert len(str(result["rows"])) < 1_300


async def test_the_size_of_a_value_is_bounded(query: Query) -> None:
    assert (await query("select printf('%.2000c', 'x') as x"))["rows"][0]["x"].endswith("[1000 more characters]")
    for sql in (
        "select printf('%.2000000c', 'x')",
        "select replace(printf('%.1000c', 'x'), 'x', printf('%.9999c', 'y'))",
    ):
        with pytest.raises(ToolError, match="a value is larger"):
            await query(sql)


async def test_a_name_that_is_not_there_is_answered_with_those_that_are(query: Query) -> None:
    with pytest.raises(ToolError, match="no such table: persons") as caught:
        await query("select * from persons")
    assert "people(id, name, email)" in caught.value.todo
    with pytest.raises(ToolError, match="no such column: mail") as caught:
        await query("select mail from people")
    assert "people(id, name, email)" in caught.value.todo


@pytest.mark.parametrize("content", [b"not a database at all, but text" * 100, b""])
async def test_a_file_that_is_no_database_is_called_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.db").write_bytes(content)
    tool = query_sqlite(tmp_path / "x.db", Use(), room=4_000)
    with pytest.raises(ToolError, match=r"cannot be asked|no such table"):
        await ask(tool, "select * from people")
    with pytest.raises(ToolError, match=r"there is no database y\.db"):
        await ask(query_sqlite(tmp_path / "y.db", Use(), room=4_000), "select 1")
    assert not (tmp_path / "y.db").exists()


async def test_a_schema_that_lies_calls_nothing(tmp_path: Path) -> None:
    """The file may come from anywhere: a view in it has no more rights than the one who asks."""
    path = tmp_path / "evil.db"
    db = apsw.Connection(str(path))
    db.execute("create table t(x); insert into t values (1)").fetchall()
    db.execute(
        "create view v as select load_extension('x') from t; create view w as select fts3_tokenizer('s')"
    ).fetchall()
    db.close()
    tool = query_sqlite(path, Use(), room=4_000)
    for view in ("v", "w"):
        with pytest.raises(ToolError):
            await ask(tool, f"select * from {view}")


async def test_a_database_that_is_written_meanwhile_is_read_all_the_same(database: Path, query: Query) -> None:
    for mode in ("wal", "delete"):
        db = apsw.Connection(str(database))
        db.execute(f"pragma journal_mode = {mode}").fetchall()
        with db:
            db.execute("insert into people(name) values ('new')")
            if mode == "wal":
                assert (await query("select count(*) as n from people"))["rows"] == [{"n": 3}]
        n = (await query("select count(*) as n from people"))["rows"][0]["n"]
        assert n == (4 if mode == "wal" else 5)
        db.close()


async def test_a_database_that_would_have_to_be_written_to_be_read_says_so(database: Path) -> None:
    db = apsw.Connection(str(database))
    db.execute("pragma journal_mode = wal").fetchall()
    db.close()
    with TemporaryDirectory(dir="/tmp") as folder:  # pytest's own may be entered by its owner alone
        shutil.copy(database, folder)
        os.chmod(folder, 0o555)  # noqa: PTH101
        tool = query_sqlite(Path(folder) / "shop.db", Use(), room=4_000)
        with as_nobody(), pytest.raises(ToolError, match="cannot be asked") as caught:
            await ask(tool, "select 1 from people")
        os.chmod(folder, 0o755)  # noqa: PTH101
    assert "journal_mode=delete" in caught.value.todo


async def test_a_database_that_may_not_be_read_says_so(database: Path) -> None:
    tool = query_sqlite(database, Use(), room=4_000)
    os.chmod(database, 0)  # noqa: PTH101
    with as_nobody(), pytest.raises(ToolError, match=r"there is no database|cannot be asked"):
        await ask(tool, "select 1")


async def test_queries_at_once_do_not_meet(query: Query) -> None:
    results = await asyncio.gather(*(query("select $1 as x", str(n)) for n in range(20)))
    assert [result["rows"][0]["x"] for result in results] == [str(n) for n in range(20)]


def test_the_catalogue_says_that_it_reads_and_stays(database: Path) -> None:
    spec = query_sqlite(database, Use(), room=4_000).spec
    assert (spec.name, spec.effect, spec.confined, spec.opens) == ("tool:sql.query", Effect.READ, True, "")
