"""Tables as people keep them: with sums at their end, amounts below zero in brackets, titles above the header."""

from __future__ import annotations

import csv
import io
import operator
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.errors import ToolError
from ringfence.tools.cells import NUMBER, WORD, typed
from ringfence.tools.tabular import Table, read_table

from .asking import ask_text, cells
from .conftest import Call

SALES = "product,region,units\nA,North,10\nB,North,20\nC,South,5\n"
SUM = "left out as what other rows come to: "


def read(text: str, *, path: str = "t.csv") -> Table:
    return read_table(path, text, seconds=5)


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ("Total,,35\n", f"{SUM}Total, 35"),
        ("Grand Total:,,35.00\n", f"{SUM}Grand Total:, 35.00"),
        ("Summe,,35\n", f"{SUM}Summe, 35"),
        (",,35\n", f"{SUM}35"),
        ("Subtotal,,35\nD,West,4\nSubtotal,,4\nTotal,,39\n", f"{SUM}Subtotal, 35; Subtotal, 4; Total, 39"),
        ("product,region,units\n", "left out: the header, which stands 1 times more"),
    ],
)
def test_what_other_rows_come_to_is_no_record_of_its_own(more: str, note: str) -> None:
    records = 4 if "West" in more else 3
    found = ask_text(SALES + more, "SELECT sum(units), count(*) FROM t")
    assert (cells(found), found["note"]) == ([[39 if records == 4 else 35, records]], note)
    assert cells(ask_text(SALES + more, "SELECT product FROM t ORDER BY units DESC LIMIT 1"))[0][0] == "B"


@pytest.mark.parametrize("more", ["Total,Paris,7\n", "Totem,West,35\n", "D,West,35\n", "Total,,36\n"])
def test_a_row_that_is_no_sum_stays(more: str) -> None:
    found = ask_text(SALES + more, "SELECT count(*) FROM t")
    assert (cells(found), "note" in found) == ([[4]], False)


def test_a_sum_that_is_asked_for_by_its_name_is_shown() -> None:
    assert cells(ask_text(f"{SALES}Total,,35\n", "SELECT units FROM t WHERE product = 'Total'")) == [[35]]


@pytest.mark.parametrize("rows", ["1,Shell,10\n2,BP,20\n3,Total,50\n", "1,Shell,1200\n2,BP,1190\n3,Total,1180\n"])
def test_a_record_that_is_called_total_is_one(rows: str) -> None:
    assert cells(ask_text(f"rank,company,revenue\n{rows}", "SELECT count(*) FROM t")) == [[3]]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("(900.00)", "-900"), ("900.00-", "-900"), ("\N{MINUS SIGN}12", "-12"), ("-$5.50", "-5.5"), ("($85)", "-85"),
        ("1\N{RIGHT SINGLE QUOTATION MARK}250.50", "1250.5"), ("1'250.-", "1250"), ("1,00,000", "100000"),
        ("1,200.50", "1200.5"), ("85%", "85"), ("$3", "3.0"), ("-4", "-4.00"),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_those_write_it_who_keep_books(cell: str, value: str) -> None:
    assert typed(cell) == typed(value)
    assert typed(cell)[0] == NUMBER


def test_a_moment_is_the_same_in_two_zones() -> None:
    assert typed("2024-01-01T02:00+02:00") == typed("2024-01-01")


@pytest.mark.parametrize(
    "cell",
    [
        "3-", "2-", "(a)", "(030) 123", "(-5)", "5.-a", "12:99", "3,5", "1,2,3", "1e5", "1/2", "½", "nan", "inf",
        "0001-01-01T00:00+05:00", "v2", "--1",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_number_or_a_day_is_a_text(cell: str) -> None:
    assert typed(cell) == (WORD, cell.lower())


@pytest.mark.parametrize(
    ("amounts", "total"),
    [
        ("2.500,00 900,00- 85,40-", 1514.6),
        ("CHF_1'250.- CHF_400.-", 1650),
        ("($5.00) $7.50", 2.5),
        ("3_nights 1_night", 4),
        ("550_kr 400_kr", 950),
        ("7,5_Std 8_Std", 15.5),
        ("1_day 10_days", 11),
        ("1.234 850 12.000", 14084),  # where commas separate nothing, and nothing has fewer figures behind a point
        ("1,50 2,50 3,00 4,00 5,00 see_7", 16),
    ],
)
def test_a_column_is_added_up_as_it_is_written(amounts: str, total: float) -> None:
    rows = "".join(f"x;{cell.replace('_', ' ')}\n" for cell in amounts.split())
    assert cells(ask_text(f"a;b\n{rows}", "SELECT sum(b) FROM t")) == [[total]]


def test_what_has_several_units_is_put_in_order_as_text_and_said_to_be() -> None:
    found = ask_text("a,b\n1,500 g\n2,2 kg\n3,1 kg\n", "SELECT a FROM t ORDER BY b")
    assert found["note"] == "b is in several units (g, kg): put in order as text, no sum is right"
    found = ask_text("a;b\nx;$5\ny;€7\nz;€3\n", "SELECT sum(b) FROM t")
    assert found["note"] == "b is in several units ($, €), which a sum takes for one"
    found = ask_text("a;b\nx;5 €\ny;7 EUR\nz;3 EUR\n", "SELECT sum(b) FROM t")
    assert "several units" not in found.get("note", "")


def test_of_points_that_may_be_of_thousands_both_are_told() -> None:
    found = ask_text("a;b\n1;1.234\n2;2.500\n", "SELECT sum(b) FROM t")
    assert cells(found) == [[3.734]]
    assert found["note"] == "1.234 is read with decimals; if its points are of thousands, b is a thousand times more"


@pytest.mark.parametrize(
    ("texts", "note"),
    [
        ("18/20,9/20", "b is put in order as text; by its first figures the least is 9/20, the most 18/20"),
        ("03/04/2025,05/04/2024", "03/04/2025 may be of either day and month: b is put in order as text, not by date"),
        ("Q1 2025,Q2 2025", ""),
        ("11/20,15/20", ""),
    ],
)
def test_an_order_of_texts_that_have_figures_is_told(texts: str, note: str) -> None:
    text = "a,b\n" + "".join(f"x,{cell}\n" for cell in texts.split(","))
    assert ask_text(text, "SELECT b FROM t ORDER BY b").get("note", "") == note


def test_times_of_a_day_are_in_their_order() -> None:
    text = "n,at\n1,9:05\n2,13:30\n3,10:00\n"
    assert cells(ask_text(text, "SELECT n FROM t ORDER BY at")) == [[1], [3], [2]]
    assert cells(ask_text(text, "SELECT n FROM t WHERE at < '12:00' ORDER BY n")) == [[1], [3]]


@pytest.mark.parametrize(
    "days", ["13.4.25,2.5.25,28.12.24", "13-Apr-2025,02-May-2025,28-Dec-2024", "Apr 13 2025,May 2 2025,Dec 28 2024"]
)
def test_days_are_in_their_order_however_short_they_are_written(days: str) -> None:
    text = "n,day\n" + "".join(f"{n},{day}\n" for n, day in enumerate(days.split(","), 1))
    assert cells(ask_text(text, "SELECT n FROM t ORDER BY day")) == [[3], [1], [2]]
    assert cells(ask_text(text, "SELECT count(*) FROM t WHERE day >= '2025-01-01'")) == [[2]]


@pytest.mark.parametrize(
    ("texts", "most"),
    [
        (["1.10.12", "1.9.10", "10.2.11"], "10.2.11"),  # versions, and no days
        (["(2019)", "(2021)", "(2020)"], "(2021)"),  # and no amounts below zero
        (["1.250", "2", "3.125"], 3.125),  # and no thousands beside 2
    ],
)
def test_what_may_be_something_else_is_left_as_it_stands(texts: list[str], most: object) -> None:
    text = "n;v\n" + "".join(f"{n};{cell}\n" for n, cell in enumerate(texts))
    assert cells(ask_text(text, "SELECT v FROM t ORDER BY v DESC LIMIT 1"))[0][0] == most


AMOUNTS = st.sampled_from(["", "1", "2", "10", "-3.5", "(4.50)", "1,200"])
ROWS = st.lists(st.tuples(AMOUNTS, st.sampled_from(["x", "y", "z"])), min_size=1, max_size=25)
OPS = {"=": "eq", "<>": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


def number(cell: str) -> float:
    return float(cell.replace("(", "-").replace(")", "").replace(",", ""))


@given(rows=ROWS, op=st.sampled_from([*OPS]), value=st.sampled_from(["1", "-4.5", "10", "0"]))
def test_statements_agree_with_a_naive_reading(rows: list[tuple[str, str]], op: str, value: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([("v", "g"), *rows])
    kept = [(number(cell), g) for cell, g in rows if cell and getattr(operator, OPS[op])(number(cell), float(value))]
    sums: dict[str, float] = defaultdict(float)
    for amount, group in kept:
        sums[group] += amount
    found = ask_text(out.getvalue(), f"SELECT g, sum(v) AS total FROM t WHERE v {op} {value} GROUP BY g ORDER BY g")
    assert cells(found) == [[group, sums[group]] for group in sorted(sums)]


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ("Sales report 2024\n\n", "Sales report 2024"),
        ("Sales report 2024,,\n", "Sales report 2024"),
        ("# exported 2024-05-01\n", "# exported 2024-05-01"),
        ("Report\n\nOf May\n\n", "Report"),
        ("\n\n", ""),
    ],
)
def test_what_stands_above_the_header_is_none(head: str, title: str) -> None:
    found = ask_text(f"{head}n,name,qty\n1,a,3\n2,b,4\n", "SELECT sum(qty) FROM t")
    assert (cells(found), found.get("note", "")) == ([[7]], f"above the header stands: {title}" if title else "")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("name\nAnn\nBob\nCy\n", ["name"]),
        ("#,name\n1,a\n2,b\n", ["#", "name"]),
        ("n,name\n\n1,a\n2,b\n", ["n", "name"]),
        ("name\nWeber, Anna\nLee, Kim\n", ["name"]),
        ("Title\nn,name\n", ["Title"]),
        ("sep=;\nn;city\n1;a,b\n", ["n", "city"]),  # a line for Excel
    ],
)
def test_a_header_is_taken_for_nothing_else(text: str, columns: list[str]) -> None:
    assert list(read(text).columns) == columns


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (",value\n0,5\n1,7\n2,9\n", ["column1", "value"]),  # the numbers of rows, which nobody has named
        ("name,\nAnn,5\nBob,7\n", ["name", "column2"]),
        ("total,,\n1,2,3\n4,5,6\n", ["total", "column2", "column3"]),
        ('#id,name,note\n1,Ann,"a, b"\n2,Bob,c\n', ["#id", "name", "note"]),
        ("name, size, a|b\nx, 1, 2\n", ["name", "size", "a|b"]),
    ],
)
def test_a_header_with_a_name_missing_is_no_title(text: str, columns: list[str]) -> None:
    assert list(read(text).columns) == columns


@pytest.mark.parametrize(
    ("head", "columns"),
    [
        ("Name;Preis, netto, EUR", ["Name", "Preis, netto, EUR"]),
        ('n;"a, b, c";d', ["n", "a, b, c", "d"]),
        ('n,"a;b;c;d"', ["n", "a;b;c;d"]),
        ("n, name, qty", ["n", "name", "qty"]),
        ("n\tname, first\tx", ["n", "name, first", "x"]),
    ],
)
def test_a_comma_among_words_separates_no_cells(head: str, columns: list[str]) -> None:
    assert list(read(f"{head}\n1;2;3\n").columns) == columns


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_marks_and_ragged_rows(separator: str) -> None:
    table = read("a,b,,a\r\n1,2\r\n\r\n3,4,5,6,7\r\n".replace(",", separator))
    assert table.columns == ("a", "b", "column3", "a_4")
    assert table.rows == [["1", "2", "", ""], ["3", "4", "5", "6"]]


def test_a_tsv_is_split_at_tabs_alone() -> None:
    assert read("a,b\tc\n1,2\t3\n", path="t.tsv").columns == ("a,b", "c")


def test_an_accent_is_one_however_it_is_made() -> None:
    assert cells(ask_text("n,city\n1,Mu\u0308nchen\n", "SELECT n FROM t WHERE city = 'M\u00fcnchen'"))[0][0] == 1


async def test_an_empty_table_and_a_cell_too_long_are_errors(call: Call, box: Path) -> None:
    (box / "logs/empty.csv").touch()
    with pytest.raises(ToolError, match=r"logs/empty\.csv is empty"):
        await call("csv.sql", path="logs/empty.csv", sql="SELECT 1")
    (box / "logs/long.csv").write_text("a\n" + "x" * 200_000)
    with pytest.raises(ToolError, match="cannot be read as a table"):
        await call("csv.sql", path="logs/long.csv", sql="SELECT 1")


async def test_a_table_of_an_old_program_has_its_letters(call: Call, box: Path) -> None:
    async def rows(path: str, statement: str) -> list[list[Any]]:
        return cells(await call("csv.sql", path=path, sql=statement))

    (box / "logs/orte.csv").write_bytes("n;Straße\n1;Köln\n2;Z\xfcrich\n".encode("cp1252"))
    assert await rows("logs/orte.csv", "SELECT * FROM orte WHERE Straße = 'Köln'") == [[1, "Köln"]]
    (box / "logs/bad.csv").write_bytes(b"n,x\n1,\x81\xe9\n")
    assert await rows("logs/bad.csv", "SELECT x FROM bad") == [["\ufffdé"]]
