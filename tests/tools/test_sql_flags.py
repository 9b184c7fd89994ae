"""Statements about yes and no, about the most, and with columns that no table has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import pytest

from ringfence.core.errors import ToolError
from ringfence.tools.sql import query_sqlite
from ringfence.tools.tool import Use

from .test_sql import ask

SHED = """
create table hires(hire_no integer primary key, boat text, hours integer, skipper text, paid integer, note text);
insert into hires values (1, 'Tern', 2, 'yes', 1, null), (2, 'Tern', 5, 'no', 0, 'wet'), (3, 'Gull', 9, 'no', 1, null),
    (4, 'Teal', 1, 'yes', 1, 'ok');
create table stock(code text, item text, price_eur real, count integer);
insert into stock values ('T1', 'tiller extension', 36.17, 4), ('B2', 'bung', 36.17, 9);
"""


@pytest.fixture
def query(tmp_path: Path) -> Any:
    db = apsw.Connection(str(tmp_path / "shed.db"))
    db.execute(SHED).fetchall()
    db.close()
    tool = query_sqlite(tmp_path / "shed.db", Use(), room=4_000)

    async def run(sql: str) -> Any:
        return await ask(tool, sql)

    return run


@pytest.mark.parametrize(
    ("sql", "value", "mended"),
    [
        ("select sum(hours) s from hires where skipper is not null", 3, "skipper is never NULL, but 'yes' or 'no'"),
        ("select sum(hours) s from hires where skipper is null", 14, "skipper is never NULL, but 'yes' or 'no'"),
        ("select sum(hours) s from hires where paid is not null and hours > 1", 16, None),  # 0 may be an amount
        ("select sum(h.hours) s from stock left join hires h on h.hours = count where h.skipper is not null", 9, None),
        ("select sum(hours) s from hires where note is not null", 6, None),  # it is, in some rows
        ("select sum(hours) s from hires where boat is not null", 17, None),
    ],
)
async def test_a_column_of_yes_and_no_that_is_never_null(query: Any, sql: str, value: int, mended: str | None) -> None:
    found = await query(sql)
    assert (found["rows"], found.get("mended")) == ([{"s": value}], mended)


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        ("select max(hours) from hires", "hire_no: 3, boat: Gull, hours: 9, skipper: no, paid: 1"),
        ("select min(hours) as least from hires h where h.boat = 'Tern'",
         "hire_no: 1, boat: Tern, hours: 2, skipper: yes, paid: 1"),
        ("select hours from hires where skipper = 'no' order by hours limit 1",
         "hire_no: 2, boat: Tern, hours: 5, skipper: no, paid: 0, note: wet"),
        ("select hours from hires order by hours limit 2", None),
        ("select hours from hires limit 1", None),
        ("select max(price_eur) from stock", None),  # of two
        ("select max(hours), boat from hires", None),
        ("select max(hours) from hires group by boat limit 1", None),
        ("select max(hours) + 1 from hires", None),
        ("select sum(hours) from hires", None),
        ("select max(h.hours) from hires h join stock s on s.count = h.hours", None),
    ],
)  # fmt: skip
async def test_whose_the_most_is_is_told_beside_it(query: Any, sql: str, row: str | None) -> None:
    assert (await query(sql)).get("row") == row


async def test_a_key_of_that_row_is_told_with_its_name(tmp_path: Path) -> None:
    with apsw.Connection(str(tmp_path / "shop.db")) as db:
        db.execute("""
            create table customers(customer_id integer primary key, name text, town text);
            insert into customers values (1, 'Ann Lee', 'Ely'), (2, 'Bo Ray', 'Ely');
            create table orders(order_id integer primary key, customer_id integer, copies integer, stall_id integer);
            insert into orders values (7, 2, 90, 5), (8, 1, 20, 6);
            create table stalls(stall_id integer, name text); insert into stalls values (5, 'A'), (5, 'B');
        """).fetchall()
    found = await ask(
        query_sqlite(tmp_path / "shop.db", Use(), room=4_000),
        "select order_id from orders order by copies desc limit 1",
    )
    assert found["row"] == "order_id: 7, customer_id: 2 (Bo Ray), copies: 90, stall_id: 5"  # of two stalls it is either


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select price from stock where name = 'Tiller extension'", [{"price_eur": 36.17}]),
        ("select price from stock where code = 'B2'", [{"price_eur": 36.17}]),
        ("select stock.price from stock order by stock.price", [{"price_eur": 36.17}] * 2),
    ],
)
async def test_a_column_is_told_by_its_text_or_by_a_word_of_its_name(
    query: Any, sql: str, rows: list[dict[str, Any]]
) -> None:
    found = await query(sql)
    assert found["rows"] == rows
    assert "stock.price_eur" in found["mended"]


@pytest.mark.parametrize(
    "sql",
    [
        "select price from stock where name = 'nothing'",  # no column has it
        "select cost from stock",
        "select no from hires",  # a key
        "select price from stock, hires",
        "with s as (select * from stock) select price from s",
    ],
)
async def test_a_column_that_may_be_any_is_left_to_the_model(query: Any, sql: str) -> None:
    with pytest.raises(ToolError, match="no such column"):
        await query(sql)


async def test_of_conditions_that_are_not_met_together_the_one_too_many_is_told(query: Any) -> None:
    found = await query("select boat from hires where hours = 9 and skipper = 'yes' and paid = 1")
    assert "no row meets all conditions; without skipper = 'yes': 'Gull'" in found["note"]


@pytest.mark.parametrize(
    "where",
    [
        "boat = 'Tern' and status = 'laid up'", "status = 'laid up'", "boat = 'Tern' or status = 'laid up'",
        "boat = 'Tern' and year = 2024", "boat = 'Tern' and customer = 'Smith'", "boat = 'Tern' and not returned",
        "boat = 'Tern' and returned_on is not null",
    ],
)  # fmt: skip
async def test_no_condition_is_left_out_of_a_statement(query: Any, where: str) -> None:
    """All hires of the boat would be taken for those that were returned."""
    with pytest.raises(ToolError, match="no such column"):
        await query(f"select hours from hires where {where}")


async def test_groups_alone_are_told_with_how_many_rows_each_has(query: Any) -> None:
    found = await query("select boat from hires where boat = 'Tern' group by boat")
    assert found["rows"] == [{"boat": "Tern", "rows_of_it": 2}]
    for sql in ("select hours from hires group by hours", "select boat from hires group by boat limit 1",
                "select boat, count(*) from hires group by boat"):  # fmt: skip
        assert "rows_of_it" not in str(await query(sql))


async def test_how_many_rows_are_behind_what_is_shown_once_is_told(query: Any) -> None:
    note = (await query("select distinct boat b from hires where hours < 6"))["note"]
    assert note == "each is shown once: 3 rows are like that"
    note = (await query("select hours h from hires where boat = 'Tern' group by boat limit 10"))["note"]
    assert note.startswith("each is shown once: 2 rows are like that")
    note = (await query("select distinct price_eur from stock"))["note"]
    assert note == "each is shown once: 2 rows are like that, which come to 72.34, 36.17 on average"
    assert "note" not in await query("select boat, count(*) from hires group by boat")
    note = (await query("select price_eur from stock group by price_eur order by 1 desc limit 1"))["note"]
    assert note == "without GROUP BY and LIMIT there are 2 rows, which come to 72.34, 36.17 on average"
    assert "note" not in await query("select distinct boat from hires limit 1")
    assert "note" not in await query("select distinct hire_no from hires where hours > 4")


async def test_what_is_a_value_and_no_column_finds_the_rows_that_have_it(query: Any) -> None:
    found = await query("select tern from hires where hours > 4")
    assert [row["hire_no"] for row in found["rows"]] == [2]
    assert found["mended"] == "tern is a value of hires.boat: the rows that have it"
    for sql in (
        "select hours, tern from hires where hours > 4 and tern is not null",
        "select tern from hires where tern is not null and hours = 5",
    ):
        assert [row["hire_no"] for row in (await query(sql))["rows"]] == [2]
    for sql in ("select upper(tern), tern from hires", "select tern from hires where tern is null",
                "select tern from hires where tern is not null or hours = 9"):  # fmt: skip
        with pytest.raises(ToolError, match="no such column"):
            await query(sql)


async def test_a_number_beside_groups_is_told_by_what_they_come_to(query: Any) -> None:
    found = await query("select hours from hires group by boat order by boat")
    assert [(row["boat"], row["sum_hours"], row["count_hours"]) for row in found["rows"]] == [
        ("Gull", 9, 1), ("Teal", 1, 1), ("Tern", 7, 2),
    ]  # fmt: skip
    assert found["mended"] == "hours would be that of any row of each boat"
    for sql in (
        "select hours from hires group by hire_no",  # each is one row
        "select skipper from hires group by boat",
        "select max(hours) from hires group by boat",
        "select hours from hires group by boat order by hours desc limit 1",
        "select boat, hours from hires group by boat, hours",
    ):
        assert "mended" not in await query(sql)


async def test_the_parts_of_a_union_are_told_by_what_they_come_to(query: Any) -> None:
    both = "select hours from hires where boat = 'Tern' union select hours from hires where boat = 'Gull'"
    assert (await query(both))[
        "note"
    ] == "hours boat = 'Tern': sum 7 of 2 rows; boat = 'Gull': sum 9 of 1 rows; these sums are 2 apart"
    for sql in (both.replace("hours", "note"), both.replace("select hours", "select sum(hours)"), f"{both} limit 1"):
        assert "sum 7" not in (await query(sql)).get("note", "")


async def test_rows_are_put_in_order_by_the_column_of_the_one_table_that_names_them(tmp_path: Path) -> None:
    db = apsw.Connection(str(tmp_path / "shop.db"))
    db.execute("""
        create table customers(customer_id integer primary key, name text);
        insert into customers values (1, 'Ann'), (2, 'Bo'), (3, 'Cy');
        create table bookings(id integer, customer_id integer references customers(customer_id), booked_at text);
        insert into bookings values (1, 2, '2025-03-01'), (2, 1, '2025-04-01'), (3, 3, null), (4, 1, '2025-05-01');
        create table notes(note_id integer, customer_id integer references customers(customer_id), said text);
    """).fetchall()
    db.close()
    tool = query_sqlite(tmp_path / "shop.db", Use(), room=4_000)
    found = await ask(tool, "select name from customers order by booked_at asc limit 1")
    assert found["rows"] == [{"name": "Bo"}]
    assert found["mended"] == "booked_at is bookings.booked_at"
    for sql in ("select name from customers order by booked_at", "select name from customers order by paid_at limit 1",
                "select count(*) from customers order by booked_at limit 1"):  # fmt: skip
        with pytest.raises(ToolError, match="no such column"):
            await ask(tool, sql)


async def test_by_what_groups_are_put_in_order_is_shown(query: Any) -> None:
    found = await query("select boat from hires group by boat order by count(*) desc limit 1")
    assert found["rows"] == [{"boat": "Tern", "COUNT(*)": 2}]
    assert found["mended"] == "COUNT(*) is shown, by which these are put in order"
    for sql in (
        "select boat, count(*) from hires group by boat order by count(*) desc limit 1",
        "select boat, sum(hours) from hires group by boat order by count(*) desc limit 1",
        "select boat from hires order by hours limit 1",
    ):
        assert "mended" not in await query(sql)


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("select count(*) from trips where month(opened) = 6", 2),
        ("select count(*) from trips where strftime('%m', opened) = '07'", 1),
        ("select count(*) from trips where opened >= '2025-06-15'", 2),
        ("select count(*) from trips where opened like '2025-06%'", 2),
    ],
)
async def test_a_column_that_is_asked_for_its_day_is_the_one_that_has_days(
    tmp_path: Path, sql: str, count: int
) -> None:
    db = apsw.Connection(str(tmp_path / "trips.db"))
    db.execute("""create table trips(day text, boat text, hours integer);
        insert into trips values ('2025-06-01', 'Tern', 2), ('2025-06-30', 'Gull', 1), ('2025-07-02', 'Tern', 3);
        create table two(begun text, ended text); insert into two values ('2025-06-01', '2025-06-02');""").fetchall()
    db.close()
    tool = query_sqlite(tmp_path / "trips.db", Use(), room=4_000)
    found = await ask(tool, sql)
    assert list(found["rows"][0].values()) == [count]
    assert "opened is trips.day, which has days" in found["mended"]
    with pytest.raises(ToolError, match="no such column"):  # of the first, or of the second?
        await ask(tool, sql.replace("trips", "two"))


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("select cast(count(*) as real) * 100 / count(*) p from hires where boat = 'Tern'", 50.0),
        ("select count(*) * 100 / count(*) p from hires where boat = 'Tern'", 50.0),
        ("select round(100.0 * sum(hours) / sum(hours), 1) p from hires where boat = 'Gull'", 52.9),
        ("select sum(hours) / count(*) p from hires where boat = 'Gull'", 9),  # of another one
    ],
)
async def test_a_share_of_itself_is_one_of_all_rows(query: Any, sql: str, value: float) -> None:
    found = await query(sql)
    assert found["rows"] == [{"p": value}]
    assert ("divided by that of all rows" in found.get("mended", "")) is (value != 9)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("select name from staff order by name limit 1", "4711"),
        ("select min(name) from staff", "4711"),
        ("select pay from staff where name = 'Ann' and town = 'Bonn'", "4711"),
        ("select name from staff where town = 'Rome'", "Bonn"),  # what values the column has
        ("select pay from staff where name = 'Bonn'", "staff.town"),  # where the value stands instead
        ("select name from staff where town = 'Ulm'", "ULM"),  # how else it is written
        ("select staff_id from shifts", "Ann"),  # whose the key is
    ],
)
async def test_nothing_is_told_beside_a_result_whose_parts_have_readers_of_their_own(
    tmp_path: Path, sql: str, told: str
) -> None:
    """`/rows/*/pay` narrows who may read a result that has it; the same in a text beside it would narrow nothing."""
    db = apsw.Connection(str(tmp_path / "staff.db"))
    db.execute("""
        create table staff(id integer primary key, name text, town text, pay integer);
        insert into staff values (1, 'Ann', 'Ulm', 4711), (2, 'Bo', 'Bonn', 1), (3, 'Cy', 'ULM', 2);
        create table shifts(staff_id integer references staff(id)); insert into shifts values (1);
    """).fetchall()
    db.close()
    open_, closed = (query_sqlite(tmp_path / "staff.db", Use(), room=4_000, looks=looks) for looks in (True, False))
    assert told in str(await ask(open_, sql))
    assert told not in str(await ask(closed, sql))
