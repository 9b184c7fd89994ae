"""What is told of a statement that finds nothing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import apsw
import pytest

from ringfence.tools.sql import query_sqlite
from ringfence.tools.sql_none import Why, is_nothing, why_none
from ringfence.tools.tool import Use

from .asking import Query, ask

ARCHIVE = """
    create table records(record_id integer primary key, kind text, year integer, city text);
    insert into records values (1, 'letter', 1890, 'Bern'), (2, 'map', 1911, 'Basel'), (3, 'map', 1911, 'Basel');
    create table requests(request_id integer primary key, record_id integer, asked_on text);
    insert into requests values (1, 2, '2023-04-01'), (2, 2, '2023-05-01'), (3, 1, '2022-01-01');
    create table days(day text, word text, any); insert into days values ('2025-01-01', 'one', 12),
        ('2025-01-02', 'One', 12), ('2025-01-03', 'two ', 12), ('2025-01-04', 'a', 1), ('2025-01-05', 'b', 1),
        ('2025-01-06', 'c', 1), ('2025-01-07', 'd', 1);
"""


@pytest.fixture
def query(tmp_path: Path) -> Query:
    db = apsw.Connection(str(tmp_path / "archive.db"))
    db.execute(ARCHIVE).fetchall()
    db.close()
    tool = query_sqlite(tmp_path / "archive.db", Use(), room=4_000)

    async def run(sql: str = "", *params: str) -> Any:
        return await ask(tool, sql, *params)

    return run


@pytest.mark.parametrize(
    ("sql", "note", "stands"),
    [
        (
            "SELECT kind FROM records WHERE year = 2023 GROUP BY kind ORDER BY COUNT(*) DESC LIMIT 1",
            "no row matches; no row of records has year = 2023; year has the values 1890, 1911",
            "requests.asked_on has '2023-04-01': FROM records JOIN requests ON requests.record_id = records.record_id",
        ),
        (
            "select count(*) from records r where r.kind = 'map' and r.kind = 'bern'",
            "no row of records has kind = 'bern'; kind has the values 'letter', 'map'",
            "records.city has 'Bern'",
        ),
        (
            "select count(*) from days where day like '%March%'",
            "no row of days has day LIKE '%March%'; day is written like '2025-01-01'",
            None,
        ),
        (
            "select * from requests q join records r on q.record_id = r.record_id where kind = 'photo' and year < 1900",
            "no row matches; no row of records has kind = 'photo'; kind has the values 'letter', 'map'",
            None,
        ),
        (
            "select sum(year) from records where city like '%thun%'",
            "no row of records has city LIKE '%thun%'; city has the values 'Basel', 'Bern'",
            None,
        ),
        ("select * from records where kind = 'map' and city = 'Bern'", "no row matches; no row meets all conditions; "
         "without city = 'Bern': 2, 'map', 1911, 'Basel'; 3, 'map', 1911, 'Basel'", None),
        ("select kind from records where city = 'Basel' and kind = 'letter' and year = 1890", "no row matches; no row "
         "meets all conditions; with city = 'Basel' alone: 'map'; 'map'", None),
        ("select * from requests where request_id = 1890", "no row matches; no row of requests has request_id = 1890; "
         "request_id has the values 1, 2, 3", None),  # a key is no year
        ("select * from records where year = -2", "no row matches; no row of records has year = -2; year has the "
         "values 1890, 1911", None),
        ("select * from records where length(kind) = 2023", "no row matches; no row of records has LENGTH(kind) = "
         "2023; kind has the values 'letter', 'map'", None),
    ],
)  # fmt: skip
async def test_the_condition_that_no_row_meets_is_told_and_where_its_value_stands(
    query: Query, sql: str, note: str, stands: str | None
) -> None:
    found = await query(sql)
    assert (found["note"], found.get("stands")) == (note, stands)


@pytest.mark.parametrize(
    ("sql", "why", "rows"),
    [
        ("select count(*) from records where city = 'BERN'", "city is written 'Bern'", [[1]]),
        ("select year from records r where r.kind = 'MAP' and r.city = 'basel'",
         "kind is written 'map'; city is written 'Basel'", [[1911], [1911]]),
        ("select sum(q.request_id) from requests q join records r on q.record_id = r.record_id where r.city = 'basel'",
         "city is written 'Basel'", [[3]]),
        ("select day from days where word = 'Two'", "word is written 'two '", [["2025-01-03"]]),
    ],
)  # fmt: skip
async def test_a_text_is_asked_for_as_its_column_writes_it(query: Query, sql: str, why: str, rows: Any) -> None:
    found = await query(sql)
    assert (found["mended"], [list(row.values()) for row in found["rows"]]) == (why, rows)


@pytest.mark.parametrize(
    "sql",
    [
        "select day from days where word = 'ONE'",  # of two that it may be none
        "select day from days where any = '12'",  # a number is no text there, however it looks
        "select day from days where word != 'TWO' and word = 'x'",
        "select * from records where city like 'BERN' and kind = 'photo'",
        "select * from records where kind = 'map' and city = 'Bern'",
    ],
)
async def test_what_has_no_other_spelling_is_asked_as_it_is(query: Query, sql: str) -> None:
    assert "mended" not in await query(sql)


async def test_a_spelling_that_finds_nothing_either_is_explained(query: Query) -> None:
    found = await query("select * from records where kind = 'MAP' and city = 'Bern'")
    assert (found["rows"], found["mended"]) == ([], "kind is written 'map'")


@pytest.mark.parametrize(
    "sql",
    [
        "select * from records where 1 = 0",
        "select count(*) from records where kind = (select 'photo')",
        "select * from records where record_id = 7 and city is null or kind = 'photo'",
        "with records as (select 'x' as kind) select * from records where kind = 'photo'",
        "select kind from records where kind = 'photo' union select city from records where city = 'Genf'",
        "select count(*) from records where kind = city and year = record_id",
        "select * from main.records where kind = 'photo'",
        "select sum(request_id) - 6 from requests where asked_on = 'never' or 1",
        "select min(year) - 1890 from records where kind = 'letter'",
    ],
)
async def test_of_what_is_less_plain_nothing_is_told(query: Query, sql: str) -> None:
    assert (await query(sql)).get("note", "no row matches") == "no row matches"


async def test_a_value_that_is_given_apart_is_not_looked_for(query: Query) -> None:
    assert (await query("select * from records where kind = $1", "photo"))["note"] == "no row matches"


async def test_what_is_found_has_no_note(query: Query) -> None:
    assert "note" not in await query("select count(*) from records where year = 1911")


@pytest.mark.parametrize(
    ("sql", "rows", "nothing"),
    [
        ("select 1", [], True), ("select count(*) from t", [(0,)], True), ("SELECT COUNT(1) AS n FROM t", [(0,)], True),
        ("select sum(x) from t", [(None,)], True), ("select sum(fine) from t", [(0,)], False),
        ("select note from t where id = 3", [(None,)], False),
        ("select balance from accounts", [(0,)], False), ("select count(*) - 2 from t", [(0,)], False),
        ("select count(*) from t group by x", [(0,), (0,)], False), ("select count(x) from t", [(0,)], False),
    ],
)  # fmt: skip
def test_a_count_or_a_sum_of_none_is_nothing_and_a_zero_that_stands_there_is_not(
    sql: str, rows: list[tuple[Any, ...]], nothing: bool
) -> None:
    assert is_nothing(sql, rows) is nothing


async def test_names_that_are_none_and_a_view_of_what_is_gone_spoil_no_result(tmp_path: Path) -> None:
    db = apsw.Connection(str(tmp_path / "odd.db"))
    db.execute("""
        create table "the guests"("full name" text, "city's" text); insert into "the guests" values ('Ann', 'Bern');
        create table bills(state text, "order" text, eur real);
        insert into bills values ('paid', 'Ann', 2), ('paid', 'Ann', 3);
        create table gone(x); create view broken as select x from gone; drop table gone;
    """).fetchall()
    db.close()
    tool = query_sqlite(tmp_path / "odd.db", Use(), room=4_000)
    assert (await ask(tool, "select state, eur from bills"))["matched"] == "2 rows"
    assert (await ask(tool, "select * from bills where state = 'Bern'"))["rows"] == []
    assert (await ask(tool, """select * from "the guests" where "city's" = 'Basel'"""))["note"] == "no row matches"


async def test_looking_why_takes_no_longer_than_a_second(tmp_path: Path) -> None:
    db = apsw.Connection(str(tmp_path / "large.db"))
    numbers = "with recursive n(x) as (select 1 union all select x + 1 from n)"
    db.execute(f"create view slow as {numbers} select x from n where x < 0")
    db.execute("create table t(x integer)").fetchall()
    db.close()
    tool, began = query_sqlite(tmp_path / "large.db", Use(), room=4_000), time.monotonic()
    assert (await ask(tool, "select * from t where x = 'three'"))["note"].endswith("no row of t has x = 'three'")
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("sql", ["select * from t where (", "x" * 5_000, "", "delete from t where x = 1", "where"])
def test_what_cannot_be_read_has_no_reason(sql: str) -> None:
    with pytest.raises(StopIteration) as told:
        next(why_none(sql, [("t", "x INTEGER")], {}, dialect="sqlite"))
    assert told.value.value == Why()


async def test_of_many_names_none_is_told(tmp_path: Path) -> None:
    db = apsw.Connection(str(tmp_path / "guests.db"))
    db.execute("create table guests(full_name text)").fetchall()
    db.executemany("insert into guests values (?)", [(f"Guest {n}",) for n in range(9)])
    db.close()
    tool = query_sqlite(tmp_path / "guests.db", Use(), room=4_000)
    found = await ask(tool, "select * from guests where full_name = 'Ann'")
    assert found["note"] == "no row matches; no row of guests has full_name = 'Ann'"
