"""csv.query against a naive implementation, and tables that are none."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.errors import ToolError
from ringfence.tools.cells import WORD, Op, meets, typed
from ringfence.tools.table import QueryArgs, query
from ringfence.tools.tabular import read_table
from ringfence.tools.where import Condition

Call = Callable[..., Any]
HOSTS = """host,role,cpu,since,note
web-01,web,12.5,2024-01-02,"busy, old"
web-02,web,99,2023-05-01,
db-01,db,7,2022-12-31,primary
db-02,DB,1200,2022-12-31,"3,5"
"""


@pytest.fixture
def hosts(box: Path) -> Path:
    (box / "logs/hosts.csv").write_text(HOSTS)
    return box


def ask(text: str, *, room: int = 4_000, path: str = "t.csv", **args: Any) -> dict[str, Any]:
    return query(read_table(path, text, seconds=5), QueryArgs(path=path, **args), room=room)


def where(column: str, op: Op, value: str) -> tuple[Condition, ...]:
    return (Condition(column=column, op=op, value=value),)


@pytest.mark.usefixtures("hosts")
async def test_a_value_that_stands_in_one_other_column_alone_is_asked_for_there(call: Call) -> None:
    wrong = await call("csv.query", path="hosts.csv", where=[{"column": "role", "op": "=", "value": "web-02"}])
    assert wrong["note"] == "web-02 stands in host, not in role: asked for there"
    assert [row[0] for row in wrong["rows"]] == ["web-02"]


@pytest.mark.parametrize(("value", "ids"), [("NULL", ["1"]), ("none", ["1"]), ("", ["1"]), ("Bern", ["2"])])
def test_what_is_null_is_empty_in_a_file(value: str, ids: list[str]) -> None:
    assert [row[0] for row in ask("id,city\n1,\n2,Bern\n", where=where("city", "=", value))["rows"]] == ids


def test_a_cell_that_says_none_is_no_empty_one() -> None:
    assert [row[0] for row in ask("id,kin\n1,\n2,none\n", where=where("kin", "=", "none"))["rows"]] == ["2"]
    assert ask("id,kin\n1,a\n2,b\n", where=where("kin", "=", "null"))["rows"] == []


def test_a_value_that_stands_in_two_other_columns_is_told_where() -> None:
    found = ask("a,b,c\nxyz,y,z\ny,xyz,z\n", where=where("c", "=", "xyz"))
    assert (found["rows"], found["note"]) == ([], "no row has c = xyz; xyz stands in a, b")


@pytest.mark.parametrize(
    ("text", "column", "value", "more"),
    [
        ("invoice,paid,shipped,amount\n1,yes,no,10\n2,yes,no,20\n", "paid", "no", {}),
        ("id,discharged,note\n1,2025-01-01,\n", "discharged", "", {}),
        ("account,balance,limit\n1,100,300\n", "balance", "300", {}),
        ("name,children,age\nAnn,2,3\n", "children", "3", {}),
        ("invoice,paid_on,due_on\n1,2024-04-01,2024-05-01\n", "paid_on", "2024-05-01", {}),
        ("payer,payee,amount\nAnna,Ben,10\nBen,Dora,5\n", "payer", "Dora", {}),  # both have the same names
        ("payer,payee,amount\nAnna,Ben,10\nCarl,Ben,20\n", "payer", "Ben", {"aggregate": "sum", "column": "amount"}),
        ("payer,payee,amount\nAnna,Ben,10\n", "payer", "Ben", {"group_by": "payer"}),
    ],
)
def test_what_may_be_of_another_thing_is_not_asked_for_elsewhere(
    text: str, column: str, value: str, more: dict[str, Any]
) -> None:
    found = ask(text, where=where(column, "=", value), **more)
    assert found["matched"].startswith("0 of")
    assert f"no row has {column} = {value}" in found["note"]


def test_what_any_column_has_is_asked_for_in_the_one_that_has_it() -> None:
    def of(value: str, op: Op = "=") -> tuple[Any, Any]:
        found = ask("a,b,n\nx,y,1\nw,y,2\ny2,x,4\n", where=where("*", op, value), aggregate="sum", column="n")
        return found["rows"], found["note"]

    assert of("Y") == ([["3"]], "Y stands in b: asked for there")
    assert of("x") == ([["7"]], "x stands in several columns: not asked for")
    assert of("z") == ([["7"]], "z stands in no column: not asked for")
    with pytest.raises(ToolError, match="stands for a column with =, and not with contains"):
        of("x", "contains")


def test_a_few_rows_without_an_order_are_said_to_be_no_order() -> None:
    found = ask(STOCK, path="t.tsv", select=["drug", "packs"], limit=2)
    assert found["rows"] == [["A", "3"], ["B", "89"]]
    assert "These are the first in the file's order" in found["note"]
    assert "max 89 (row B" in found["packs of all 3 rows"]
    assert "order" not in ask(STOCK, path="t.tsv", select=["drug"], limit=1)["note"]  # nothing that has a most
    assert ask(STOCK, path="t.tsv", limit=1, sort_by="packs", descending=True)["rows"][0][0] == "B"


def test_the_first_of_all_rows_is_not_given_for_the_one_with_the_most() -> None:
    with pytest.raises(ToolError, match="one of 3 rows is asked for, and not which") as caught:
        ask(STOCK, path="t.tsv", select=["drug", "packs"], limit=1)
    assert caught.value.todo.startswith("give sort_by (packs) and descending=true for the most")
    assert ask(STOCK, path="t.tsv", limit=1)["rows"] == [["A", "3", "2026-04-10"]]  # a look at what there is
    kept = where("drug", "contains", "B")
    assert ask(STOCK, path="t.tsv", select=["drug", "packs"], where=kept, limit=1)["rows"] == [["B", "89"]]


STOCK = "drug\tpacks\texpires\nA\t3\t2026-04-10\nB\t89\t2026-08-13\nC\t5\t03.02.2026\n"


@pytest.mark.parametrize(
    ("op", "value", "drugs"),
    [
        ("<", "1 May 2026", "AC"),
        ("<", "2026-05-01", "AC"),
        (">", "1. Mai 2026", "B"),
        ("=", "April 10, 2026", "A"),
        ("=", "3 Feb 2026", "C"),
        ("=", "April 2026", "A"),
        ("!=", "2026-04", "BC"),
        ("=", "2026", "ABC"),
        (">=", "2026-04", "AB"),
        ("<", "April 2026", "C"),
        (">", "2026-04", "B"),
        ("<", "2026", ""),
        ("=", "before 1 May 2026", "AC"),
        (">=", "before 1 May 2026", "AC"),  # the words count
        ("=", "Since April 2026", "AB"),
        ("=", "after 10 April 2026", "B"),
        ("=", "by 10 April 2026", "AC"),
        ("!=", "before 1 May 2026", "ABC"),
        ("=", "before noon", ""),
    ],
)
def test_a_date_is_compared_as_one_however_it_is_written(op: Op, value: str, drugs: str) -> None:
    found = ask(STOCK, path="t.tsv", select=["drug"], where=where("expires", op, value))
    assert "".join(row[0] for row in found["rows"]) == drugs


def test_a_name_of_a_month_in_a_column_of_texts_is_a_text() -> None:
    found = ask("month,sum\nMay 2026,3\nJune 2026,4\n", where=where("month", "=", "May 2026"))
    assert found["rows"] == [["May 2026", "3"]]


def test_rows_that_are_no_groups_are_shown_instead_of_counted() -> None:
    asked = {"path": "t.tsv", "group_by": "drug", "aggregate": "count"}
    found = ask(STOCK, select=["drug", "packs"], sort_by="count", **asked)
    assert found["rows"] == [["A", "3"], ["B", "89"], ["C", "5"]]
    assert "max 89 (row B" in found["packs of all 3 rows"]
    assert found["note"] == "each drug stands in one row, so that its columns are shown"
    assert ask(STOCK, select=["drug"], **asked)["columns"] == ["drug", "count"]  # nothing else was asked for
    assert ask(STOCK + "A\t1\t\n", select=["drug", "packs"], **asked)["rows"][0] == ["A", "2"]


@pytest.mark.usefixtures("hosts")
async def test_rows_are_filtered_sorted_and_cut(call: Call) -> None:
    conditions = [{"column": "ROLE", "op": "=", "value": "web"}]
    result = await call(
        "csv.query", path="hosts.csv", where=conditions, select="host, cpu", sort_by="cpu", descending=True
    )
    assert result == {
        "columns": ["host", "cpu"],
        "rows": [["web-02", "99"], ["web-01", "12.5"]],
        "cpu of all 2 rows": "sum 111.5; avg 55.75; min 12.5 (row web-01, web, 12.5, 2024-01-02, busy, old); "
        "max 99 (row web-02, web, 99, 2023-05-01, )",
        "matched": "2 of 4 rows",
    }
    limited = await call("csv.query", path="logs/hosts.csv", select="host", limit=1)
    assert limited["note"].startswith("showing 1 of 4 rows")
    first = await call("csv.query", path="logs/hosts.csv", sort_by="cpu", limit=1)
    assert first["note"] == "the first 1 of 4 rows, as asked for"
    most = await call("csv.query", path="logs/hosts.csv", group_by="role", aggregate="max", column="cpu", limit=1)
    assert "groups, those with the most, as asked for" in most["note"]


@pytest.mark.parametrize(
    ("column", "op", "value", "found"),
    [
        ("cpu", ">", "12.5", ["web-02", "db-02"]), ("cpu", "<=", "12.50", ["web-01", "db-01"]),
        ("cpu", "=", "1,200", ["db-02"]),
        ("since", "<", "2023-01-01", ["db-01", "db-02"]), ("since", ">=", "2023-05-01T00:00:00", ["web-01", "web-02"]),
        ("role", "!=", "db", ["web-01", "web-02"]), ("host", "contains", "B-0", ["web-01", "web-02", "db-01", "db-02"]),
        ("note", "=", "", ["web-02"]), ("note", ">", "a", ["web-01", "db-01"]), ("note", "contains", "old", ["web-01"]),
    ],
)  # fmt: skip
def test_comparisons_are_of_numbers_dates_and_words(column: str, op: Op, value: str, found: list[str]) -> None:
    assert [row[0] for row in ask(HOSTS, where=where(column, op, value), select="host")["rows"]] == found


@pytest.mark.parametrize(
    ("cell", "other"),
    [("1,200.50", "1200.5"), ("85%", "85"), ("$3", "3.0"), ("-4", "-4.00"), ("2024-01-01T02:00+02:00", "2024-01-01")],
)
def test_the_same_value_in_two_spellings_is_equal(cell: str, other: str) -> None:
    assert meets(cell, "=", other)


@pytest.mark.parametrize(
    "cell", ["3,5", "1,2,3", "1e5", "1/2", "½", "nan", "inf", "0001-01-01T00:00+05:00", "v2", "--1"]
)
def test_what_only_resembles_a_number_or_a_date_is_a_word(cell: str) -> None:
    assert typed(cell) == (WORD, cell.lower())


def test_groups_and_aggregates() -> None:
    assert ask(HOSTS, group_by="since")["rows"][0] == ["2022-12-31", "2"]
    assert ask(HOSTS, aggregate="count")["rows"] == [["4"]]
    assert ask(HOSTS, aggregate="count", column="note")["rows"] == [["3"]]
    assert ask(HOSTS, aggregate="sum", column="cpu") == {
        "columns": ["sum(cpu)"],
        "rows": [["1318.5"]],
        "matched": "4 of 4 rows",
    }
    assert ask(HOSTS, aggregate="max", column="since")["rows"] == [["2024-01-02"]]
    averages = ask(HOSTS, group_by="role", aggregate="avg", column="cpu", sort_by="cpu")
    assert averages["rows"] == [["db", "7"], ["web", "55.75"], ["DB", "1200"]]


def test_what_cannot_be_summed_is_left_out_and_said() -> None:
    result = ask("n\n1\nx\n\n2\n", aggregate="sum", column="n")
    assert result["rows"] == [["3"]]
    assert result["note"] == "1 rows without a usable n were left out"


def test_columns_that_hold_what_was_asked_for_and_no_more_are_not_all_that_is_shown() -> None:
    only = ask(HOSTS, where=where("host", "=", "WEB-01"), select="host")
    assert only == ask(HOSTS, where=where("host", "=", "WEB-01"))
    assert len(only["columns"]) == 5
    for columns, condition in (
        ("host, cpu", where("host", "=", "web-01")),
        ("since", where("since", "=", "2022-12")),
        ("host", where("host", "contains", "web-01")),
        ("host", where("host", "=", "nobody")),
    ):
        assert ask(HOSTS, where=condition, select=columns)["columns"] == columns.split(", ")


def test_one_number_needs_no_order() -> None:
    """The table of it has no such column, and the file does."""
    counted = ask(HOSTS, aggregate="count", where=where("role", "=", "web"), sort_by="since")
    assert counted["rows"] == [["2"]]


def test_an_unknown_column_is_answered_with_the_nearest_and_all() -> None:
    for args in ({"select": "hots"}, {"sort_by": "hots"}, {"group_by": "hots"}, {"where": where("hots", "=", "x")}):
        with pytest.raises(ToolError, match=r"t\.csv has no column 'hots'") as caught:
            ask(HOSTS, **args)
        assert caught.value.todo == "did you mean host? columns: host, role, cpu, since, note"


TWO = "day,boat,hours,eur\n1,a,2,10\n2,b,4,30\n"


def test_an_aggregate_without_a_column_names_the_columns() -> None:
    for args in ({"aggregate": "sum"}, {"aggregate": "avg", "select": ["hours", "eur"]}, {"aggregate": "max"}):
        with pytest.raises(ToolError, match=f"{args['aggregate']} needs a column") as caught:
            ask(TWO, **args)
        assert "day, boat, hours, eur" in caught.value.todo


@pytest.mark.parametrize(
    ("args", "columns", "rows"),
    [
        ({"aggregate": "avg", "select": "hours"}, ["avg(hours)"], [["3"]]),
        ({"aggregate": "avg", "select": "hours", "group_by": "hours"}, ["avg(hours)"], [["3"]]),
        (
            {"aggregate": "sum", "select": "boat, eur", "group_by": "boat"},
            ["boat", "sum(eur)"],
            [["b", "30"], ["a", "10"]],
        ),
    ],
)
def test_the_only_column_that_an_aggregate_can_mean_is_taken_and_named(
    args: dict[str, Any], columns: list[str], rows: list[list[str]]
) -> None:
    result = ask(TWO, **args)
    assert (result["columns"], result["rows"]) == (columns, rows)


def test_groups_come_with_what_they_are_together() -> None:
    assert ask(TWO, group_by="boat")["count of all 2 groups"] == f"{len(TWO.splitlines()) - 1}; 1 a group on average"
    assert ask(TWO, group_by="boat", aggregate="sum", column="eur")["sum(eur) of all 2 groups"].startswith("40; ")
    assert not any("groups" in key for key in ask(TWO, group_by="boat", aggregate="max", column="eur"))


def test_no_match_shows_what_the_column_holds() -> None:
    assert (
        ask(HOSTS, where=where("role", "=", "cache"))["note"]
        == "no row has role = cache; role has values such as web, db, DB"
    )


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_marks_and_ragged_rows(separator: str) -> None:
    text = "a,b,,a\r\n1,2\r\n\r\n3,4,5,6,7\r\n".replace(",", separator)
    result = ask(text)
    assert result["columns"] == ["a", "b", "column3", "a_4"]
    assert result["rows"] == [["1", "2", "", ""], ["3", "4", "5", "6"]]


def test_a_tsv_is_split_at_tabs_alone() -> None:
    assert ask("a,b\tc\n1,2\t3\n", path="t.tsv")["columns"] == ["a,b", "c"]


async def test_an_empty_table_and_a_cell_too_long_are_errors(call: Call, box: Path) -> None:
    (box / "logs/empty.csv").touch()
    with pytest.raises(ToolError, match=r"logs/empty\.csv is empty"):
        await call("csv.query", path="logs/empty.csv")
    (box / "logs/long.csv").write_text("a\n" + "x" * 200_000)
    with pytest.raises(ToolError, match="cannot be read as a table"):
        await call("csv.query", path="logs/long.csv")


def test_the_result_fits_its_room() -> None:
    text = "a\n" + "".join(f"{'x' * 150}{n}\n" for n in range(200))
    result = ask(text, limit=200, room=1_000)
    assert sum(len(row[0]) for row in result["rows"]) <= 1_000
    assert result["note"].startswith("showing 6 of 200 rows")


CELLS = st.sampled_from(["", "1", "2", "10", "-3.5", "2024-01-01", "2023-12-31", "ann", "Bob", "bob"])
ROWS = st.lists(st.tuples(CELLS, st.sampled_from(["x", "y", "z"])), max_size=25)


def number(cell: str) -> Fraction | None:
    try:
        return Fraction(cell)
    except ValueError:
        return None


def kind(cell: str) -> str:
    return "date" if cell[:2] == "20" else "word" if number(cell) is None else "number"


def naive(cell: str, op: str, value: str) -> bool:
    if op == "contains":
        return value.lower() in cell.lower()
    left, right = number(cell), number(value)
    a: Any = left if left is not None and right is not None else cell.lower()
    b: Any = right if left is not None and right is not None else value.lower()
    if op in ("=", "!="):
        return bool((a == b) == (op == "="))
    if not cell or not value or (kind(cell) == "word") != (kind(value) == "word"):
        return False
    return bool({"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op])


@given(rows=ROWS, op=st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "contains"]), value=CELLS)
def test_queries_agree_with_a_naive_one(rows: list[tuple[str, str]], op: Op, value: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([("v", "g"), *rows])
    kept = [row for row in rows if naive(row[0], op, value)]
    result = ask(out.getvalue(), where=where("v", op, value), limit=200)
    assert [tuple(row) for row in result["rows"]] == kept
    assert result["matched"] == f"{len(kept)} of {len(rows)} rows"
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for cell, group in kept:
        sums[group] += number(cell) or 0
    grouped = ask(out.getvalue(), where=where("v", op, value), group_by="g", aggregate="sum", column="v", limit=200)
    assert {group: Fraction(total or 0) for group, total in grouped["rows"]} == sums


@given(a=CELLS, b=CELLS)
def test_an_order_is_total_but_for_words_beside_figures(a: str, b: str) -> None:
    if a and b:
        ordered = (kind(a) == "word") == (kind(b) == "word")
        assert [meets(a, op, b) for op in ("<", "=", ">")].count(True) == ordered


@pytest.mark.parametrize(
    ("cells", "op", "value", "found"),
    [
        ("2024-11 2025-01 2025-03", ">=", "2025", "2025-01 2025-03"),
        ("2024-11 2025-01 2025-03", "<", "2025", "2024-11"),
        ("2024-11 2025-01 2025-03", ">=", "2025-02-01", "2025-03"),
        ("2024-Q4 2025-Q1", ">=", "2025", "2025-Q1"),
        ("08:15 10:12 12:45", ">", "10", "10:12 12:45"),
        ("2019/20 2020/21", ">=", "2020", "2020/21"),
        ("1.2.3 1.4.0", ">", "1.3", "1.4.0"),
        ("10A 20B 30C", ">=", "20", "20B 30C"),
        ("12A 7A", "=", "12", ""),
        ("120/80 130/90", ">", "125", "130/90"),
        ("5 large n/a 12", ">", "4", "5 12"),
    ],
)
def test_what_begins_with_figures_is_in_their_order_and_a_word_in_none(
    cells: str, op: Op, value: str, found: str
) -> None:
    result = ask("a,v\n" + "".join(f"x,{cell}\n" for cell in cells.split()), where=where("v", op, value), select="a,v")
    assert [row[1] for row in result["rows"]] == found.split()


async def test_a_condition_may_ask_for_the_most(call: Call, hosts: object) -> None:
    where = [{"column": "role", "value": "web"}, {"column": "cpu", "value": "max"}]
    result = await call("csv.query", path="hosts.csv", where=where, select="host, cpu")
    assert result["rows"] == [["web-02", "99"]]


async def test_a_month_is_all_of_its_days(call: Call, box: Path) -> None:
    (box / "logs/loans.csv").write_text("day,loans\n2025-01-03,1\n2025-01-09,2\n2025-02-01,4\n")
    result = await call("csv.query", path="loans.csv", where=[{"column": "day", "value": "2025-01"}], select="loans")
    assert result["loans of all 2 rows"].startswith("sum 3;")
