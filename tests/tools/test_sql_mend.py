"""A statement with a wrong column is mended where it can mean one thing alone, and loses or doubles no row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import pytest

from ringfence.core.errors import ToolError
from ringfence.tools import sql_mend
from ringfence.tools.sql import query_sqlite
from ringfence.tools.tool import Use

from .asking import Query, ask

LIBRARY = """
create table books(book_id integer, title text, author text);
insert into books values (1, 'Nobody''s Kite', 'Ellery'), (2, 'Eleven Foxes', 'Arbour');
create table pupils(pupil_id integer primary key, full_name text, class text);
insert into pupils values (1, 'Selma Quinn', '6a'), (2, 'Ada Mertens', '6a'), (3, 'Ivo Janda', '9a');
create table lessons(class text, weekday text, teacher text);
insert into lessons values ('6a', 'Monday', 'Birk'), ('6a', 'Friday', 'Ingram');
create table loans(loan_id integer, book_id integer, pupil_id integer, returned_on text);
insert into loans values (1, 1, 2, null), (2, 2, 1, '2025-01-01'), (3, 1, 1, '2025-01-02'), (4, 1, null, null);
create table items(item_id integer primary key, label text, unit_price real);
insert into items values (1, 'gauze', 2.5), (2, 'serum', 4);
create table visit_items(visit_id integer, item_id integer, qty integer);
insert into visit_items values (7, 1, 2), (7, 2, 1), (8, 2, 5);
create table fines(fine_id integer, loan_id integer, cents integer);
insert into fines values (1, 1, 50), (2, 3, 70);
create table swaps(first references pupils(pupil_id), second references pupils(pupil_id));
create table wards(ward_id integer primary key, ward_title text, floor integer, head text);
insert into wards values (1, 'Maple', 1, 'Lee'), (2, 'Oak', 2, 'Roth'), (3, 'Elm', 3, 'Kay');
create table nurses(nurse_id integer primary key, nurse_name text, ward integer);
insert into nurses values (1, 'Ann', 1), (2, 'Bob', 3);
create table rooms(id integer primary key, number integer, corridor text);
insert into rooms values (1, 3, 'ground'), (2, 1, 'first'), (3, 2, 'roof');
create table bookings(booking_id integer primary key, guest text, room_number integer);
insert into bookings values (1, 'Ann', 3), (2, 'Bob', 1);
create table matters(matter_id integer primary key, client text, budget real);
insert into matters values (1, 'Smith', 100), (2, 'Smith', 200), (3, 'Kay', 150);
create table hours(hour_id integer primary key, matter_id integer, minutes integer);
insert into hours values (1, 1, 10), (2, 1, 20), (3, 2, 5), (4, 3, 9);
create table accounts(account_id integer primary key, holder integer, branch_id integer);
create table branches(branch_id integer primary key, called text); insert into branches values (1, 'Harbour');
create table persons(person_id integer primary key, called text); insert into accounts values (7, 1, 1);
create table diagnoses(visit integer, code text, note text); insert into diagnoses values (10, 'J1', 'flu');
create table words(code text, meaning text); insert into words values ('J9', 'cold');
create table "odd one"(loan_id integer, "the word" text); insert into "odd one" values (1, 'x');
"""


@pytest.fixture
def query(tmp_path: Path) -> Query:
    with apsw.Connection(str(tmp_path / "library.db")) as db:
        db.execute(LIBRARY).fetchall()
    tool = query_sqlite(tmp_path / "library.db", Use(), room=4_000)

    async def run(sql: str, *params: str) -> Any:
        return await ask(tool, sql, *params)

    return run


@pytest.mark.parametrize(
    ("sql", "right"),
    [
        (
            "select title from books join loans on loans.book_id = books.id where loans.loan_id = 1",
            "select title from books join loans using (book_id) where loan_id = 1",
        ),
        ("select full_name from pupils where id = 2", "select full_name from pupils where pupil_id = 2"),
        (
            "select full_name from loans where title = 'Nobody's Kite' and returned_on is null",
            "select full_name from loans left join pupils using (pupil_id) join books using (book_id)"
            " where title = 'Nobody''s Kite' and returned_on is null",
        ),
        (
            "select distinct T1.full_name from loans as T1 join pupils as T2 on T1.pupil_id = T2.pupil_id",
            "select distinct full_name from loans join pupils using (pupil_id)",
        ),
        ("select sum(unit_price * qty) from visit_items where visit_id = 7", "select 9.0"),
        ("select sum(items.unit_price * qty) from visit_items where visit_id = 7", "select 9.0"),
        ("select sum(item_price * qty) from visit_items where visit_id = 7", "select 9.0"),
        ("select item, sum(qty) from visit_items group by item order by 2 desc limit 1", "select 'serum', 6"),
        ("select count(*) from loans where full_name = 'Selma Quinn' and pupil_id > 0", "select 2"),
        ("select sum(cents) from fines where full_name = 'Selma Quinn'", "select 70"),  # by way of the loan
        ("select sum(cents) from fines where pupil_id = (select pupil_id from pupils where full_name = 'Selma Quinn')",
         "select 70"),  # the loan says whose, by the very key of the pupil
        ("select count(*), max(full_name) from loans", "select 4, 'Selma Quinn'"),  # the loan of nobody counts
        ("select l.title from loans l where l.loan_id = 2", "select 'Eleven Foxes'"),
        ("select title from loans where pupil_id = (select pupil_id from pupils where full_name like 'Ada%')",
         "select 'Nobody''s Kite'"),
    ],
)  # fmt: skip
async def test_what_was_meant_is_asked_and_told(query: Query, sql: str, right: str) -> None:
    answer, wanted = await query(sql), await query(right)
    values = [[list(row.values()) for row in one["rows"]] for one in (answer, wanted)]
    assert values[0] == values[1]
    assert answer["ran"] != sql
    assert answer["mended"]


async def test_it_says_what_it_took_for_what(query: Query) -> None:
    answer = await query("select sum(item_price * qty) from visit_items where visit_id = ?", "7")
    assert answer["mended"] == "item_price is items.unit_price"
    assert answer["ran"] == (
        "SELECT SUM(items.unit_price * qty) FROM visit_items"
        " LEFT JOIN items ON visit_items.item_id = items.item_id WHERE visit_id = ?"
    )
    assert answer["rows"] == [{"SUM(items.unit_price * qty)": 9.0}]


@pytest.mark.parametrize(
    "sql",
    [
        "select weekday from pupils",  # lessons.class is of many lessons: a pupil would come twice
        "select full_name from swaps",  # of the first, or of the second?
        "select full_name from loans a join loans b on a.book_id = b.book_id",
        "select qty from loans",  # no key leads there
        "select returned_on from pupils",  # of many loans
        "select email from pupils",  # nothing has that
        "select label from pupils, lessons",
        "select lesson from pupils",  # a table, and more than one name for its rows
        "select loans.full_name from pupils",  # who is loans?
        "select unit_price from (select * from visit_items)",
        "select full_name as title from loans order by nothing",
        "select nothing from loans where full_name = 'Nobody''s",
        "select 'a' || full_name from loans union select weekday from pupils",
        "delete from loans where full_name = 'Selma Quinn'",
        "select n.nurse_name, w.floor from nurses n join wards w on n.ward_id = w.ward_id",  # a name joins nothing
        "select count(*) from visit_items where item = 1",  # nor is it asked by
        "select called from accounts where account_id = 7",  # of the branch, or of the holder?
        "select persons.called from accounts where account_id = 7",
        "select guest, corridor from bookings",  # a room_number is no rooms.id
        "select meaning from diagnoses where note = 'flu'",  # J1 is none of these words: a code of something else
        "select sum(budget) from hours",  # once for each line of hours
        "select count(client) from hours",
        "select client, sum(budget) from hours group by client",
        "select l.loan_id from loans l where exists"
        " (select 1 from fines where fines.loan_id = l.loan_id and title = 'x')",
        "select f.cents, l.title from fines f join (select loan_id, 'L' || book_id as title from loans) l"
        " using (loan_id) where f.title = 'x'",
        "with l as (select * from loans) select full_name from l",
        "select label from visit_items limit ?, ?",
        f"select full_name{', loan_id' * 300} from loans",
        "select full_name from loans; select 1",
    ],
)
async def test_what_may_mean_more_is_left_to_the_model(query: Query, sql: str) -> None:
    with pytest.raises(ToolError):
        await query(sql, *(["1", "2"] if "?" in sql else []))


async def test_two_of_one_name_are_two_and_what_names_no_row_is_one_group(query: Query) -> None:
    answer = await query("select full_name, count(*) from loans group by full_name order by 2 desc")
    assert "GROUP BY pupils.full_name, pupils.pupil_id" in answer["ran"]
    answer = await query("select client, sum(minutes) from hours group by client order by 2 desc")
    assert [list(row.values()) for row in answer["rows"]] == [["Smith", 35], ["Kay", 9]]  # of two matters
    distinct = await query("select count(distinct client) from hours")
    assert [list(row.values()) for row in distinct["rows"]] == [[2]]


async def test_a_mended_sum_of_keys_is_refused_as_any_other(query: Query) -> None:
    with pytest.raises(ToolError, match="pupil_id names a row, and is no amount"):
        await query("select sum(pupil_id * cents), full_name from fines")


async def test_a_look_at_a_large_table_ends_soon_and_the_error_is_that_of_the_statement(tmp_path: Path) -> None:
    with apsw.Connection(str(tmp_path / "large.db")) as db:
        db.execute("create table far(far_id integer, x text); create table near(far_id integer);").fetchall()
        db.execute(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1500000)"
            " insert into far select i, i from n"
        ).fetchall()
    with pytest.raises(ToolError, match="no such column: x"):
        await ask(query_sqlite(tmp_path / "large.db", Use(), room=4_000, seconds=0.05), "select x from near")


async def test_a_mended_statement_may_do_no_more_than_any_other(query: Query) -> None:
    with pytest.raises(ToolError, match="not authorized to use function: load_extension"):
        await query("select load_extension('x'), full_name from loans")


async def test_the_first_error_is_told_where_a_mend_does_not_help(query: Query) -> None:
    with pytest.raises(ToolError, match="no such column: full_name") as caught:
        await query("select full_name, nothing_at_all from loans")
    assert "full_name is in another table: pupils.full_name" in str(caught.value.todo)


async def test_without_its_library_the_model_is_told_as_before(query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sqlglot", None)
    with pytest.raises(ToolError, match="no such column: full_name"):
        await query("select full_name from loans")


@pytest.mark.parametrize("sql", ["(" * 5_000, "select " + "1+" * 4_000 + "x from loans", "select \x00 from", "🦊", ""])
def test_whatever_the_statement_is_mending_it_raises_nothing(sql: str) -> None:
    tables = [("loans", "loan_id integer\npupil_id integer"), ("pupils", "pupil_id integer\nx text")]
    for said in ("no such column: x", 'near "s": syntax error', "column l.x does not exist", ""):
        sql_mend.mended(sql, said, tables, {}, dialect="sqlite", sure=lambda hop: True)
