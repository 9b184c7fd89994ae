"""Tables as people keep them: with sums at their end, amounts below zero in brackets, several units, times of a day."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.core.errors import ToolError
from ringfence.tools.cells import NUMBER, WORD, meets, typed

from .test_forms import ask, where

SALES = "product,region,units\nA,North,10\nB,North,20\nC,South,5\n"
SUM = "left out as what other rows come to: "


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
    found = ask(SALES + more, aggregate="sum", column="units")
    assert (found["rows"], found["note"]) == ([["39" if records == 4 else "35"]], note)
    assert ask(SALES + more, aggregate="count")["rows"] == [[str(records)]]
    assert ask(SALES + more, sort_by="units", descending=True, limit=1)["rows"] == [["B", "North", "20"]]


@pytest.mark.parametrize("more", ["Total,Paris,7\n", "Totem,West,35\n", "D,West,35\n", "Total,,36\n"])
def test_a_row_that_is_no_sum_stays(more: str) -> None:
    found = ask(SALES + more, aggregate="count")
    assert (found["rows"], "note" in found) == ([["4"]], False)


def test_a_sum_that_is_asked_for_by_its_name_is_shown() -> None:
    assert ask(f"{SALES}Total,,35\n", where=where("product", "=", "total"))["rows"] == [["Total", "", "35"]]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("(900.00)", "-900"), ("900.00-", "-900"), ("\N{MINUS SIGN}12", "-12"), ("-$5.50", "-5.5"), ("($85)", "-85"),
        ("1\N{RIGHT SINGLE QUOTATION MARK}250.50", "1250.5"), ("1'250.-", "1250"), ("1,00,000", "100000"),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_those_write_it_who_keep_books(cell: str, value: str) -> None:
    assert typed(cell) == typed(value)
    assert typed(cell)[0] == NUMBER


@pytest.mark.parametrize("cell", ["3-", "2-", "(a)", "(030) 123", "(-5)", "5.-a", "12:99"])
def test_what_only_looks_like_one_is_a_text(cell: str) -> None:
    assert typed(cell) == (WORD, cell)


@pytest.mark.parametrize(
    ("cells", "total"),
    [
        ("2.500,00 900,00- 85,40-", "1514.6"),
        ("CHF_1'250.- CHF_400.-", "1650"),
        ("($5.00) $7.50", "2.5"),
        ("3_nights 1_night", "4"),
        ("550_kr 400_kr", "950"),
        ("7,5_Std 8_Std", "15.5"),
        ("1_day 10_days", "11"),
        ("1.234 850 12.000", "14084"),  # where commas separate nothing, and nothing has fewer figures behind a point
        ("1,50 2,50 3,00 4,00 5,00 see_7", "16"),
        ("1:30 0:45 10:05", "12:20"),
        ("0:45:10 1:02:03", "1:47:13"),
    ],
)
def test_a_column_is_added_up_as_it_is_written(cells: str, total: str) -> None:
    rows = "".join(f"x;{cell.replace('_', ' ')}\n" for cell in cells.split())
    assert ask(f"a;b\n{rows}", aggregate="sum", column="b")["rows"] == [[total]]


def test_an_average_of_times_is_one() -> None:
    found = ask("a,b\n1,0:45\n2,1:30\n", aggregate="avg", column="b")
    assert (found["rows"], found["note"]) == ([["1:07.50"]], "b is taken for lengths of time")
    assert ask("a,b\n1,9:05 AM\n2,1:30 PM\n", aggregate="sum", column="b")["rows"] == [[""]]


def test_what_has_several_units_is_not_added_up() -> None:
    found = ask("a,b\n1,$5\n2,€7\n3,$3\n", aggregate="sum", column="b")
    assert found["rows"] == [[""]]
    assert found["note"] == "b is in several units, of which each has its own sum: $: 8; €: 7"
    assert not [key for key in ask("a,b\n1,$5\n2,€7\n") if key.startswith("b of all")]
    groups = ask("g,b\nx,500 g\nx,2 kg\ny,1 kg\n", group_by="g", aggregate="sum", column="b")
    assert "of which each has its own sum: g: 500; kg: 3" in groups["note"]
    assert not [key for key in groups if "groups" in key]
    assert "put in order as text" in ask("a,b\n1,500 g\n2,2 kg\n", where=where("b", ">", "1 kg"))["note"]


def test_of_points_that_may_be_of_thousands_both_are_told() -> None:
    found = ask("a;b\n1;1.234\n2;2.500\n", aggregate="sum", column="b")
    assert found["rows"] == [["3.734"]]
    assert found["note"] == "1.234 is read with decimals; if its points are of thousands, the sum is 3734"


@pytest.mark.parametrize(
    ("cells", "note"),
    [
        ("18/20,9/20", "b is put in order as text; by its first figures the least is 9/20, the most 18/20"),
        ("03/04/2025,05/04/2024", "03/04/2025 may be of either day and month: b is put in order as text, not by date"),
        ("Q1 2025,Q2 2025", ""),
        ("11/20,15/20", ""),
    ],
)
def test_an_order_of_texts_that_have_figures_is_told(cells: str, note: str) -> None:
    text = "a,b\n" + "".join(f"x,{cell}\n" for cell in cells.split(","))
    assert ask(text, sort_by="b").get("note", "") == note
    assert ask(text, aggregate="max", column="b")["note"].partition("; ")[2] == note


def test_groups_that_differ_in_capitals_are_told() -> None:
    found = ask("a\nBern\nbern\nBERN\nBasel\n", group_by="a")
    assert len(found["rows"]) == 4
    assert found["note"] == "groups that differ in capitals alone: Bern/bern/BERN"


def test_times_of_a_day_are_in_their_order() -> None:
    text = "n,at\n1,9:05\n2,13:30\n3,10:00\n"
    assert [row[0] for row in ask(text, sort_by="at")["rows"]] == ["1", "3", "2"]
    assert [row[0] for row in ask(text, where=where("at", "<", "12:00"), select=["n"])["rows"]] == ["1", "3"]
    assert ask("n,at\n1,9:05 AM\n2,1:30 PM\n", aggregate="max", column="at")["rows"] == [["1:30 PM"]]


@pytest.mark.parametrize(
    ("op", "value", "rows"),
    [
        ("=", "2025-04-30", "23"),
        ("<=", "2025-04-30", "123"),
        (">", "30 April 2025", "4"),
        ("!=", "2025-04-30", "14"),
        ("=", "by 30 April 2025", "123"),
        (">=", "2025-04-30 08:30", "34"),
        ("contains", "2025-04", "123"),
    ],
)
@pytest.mark.parametrize(
    "days",
    [
        "2025-04-29 23:59,2025-04-30T00:30:00,2025-04-30 18:00,2025-05-01 08:00",
        "29.04.2025 23:59,30.04.2025 00:30,30.04.2025 18:00,01.05.2025 08:00",
        "4/29/25 11:59 PM,4/30/25 12:30 AM,4/30/25 6:00 PM,5/1/25 8:00 AM",
    ],
)
def test_a_day_is_all_of_its_hours(op: str, value: str, rows: str, days: str) -> None:
    text = "n,at\n" + "".join(f"{n},{day}\n" for n, day in enumerate(days.split(","), 1))
    assert "".join(row[0] for row in ask(text, where=where("at", op, value), select=["n"])["rows"]) == rows


@pytest.mark.parametrize(
    "days", ["13.4.25,2.5.25,28.12.24", "13-Apr-2025,02-May-2025,28-Dec-2024", "Apr 13 2025,May 2 2025,Dec 28 2024"]
)
def test_days_are_in_their_order_however_short_they_are_written(days: str) -> None:
    text = "n,day\n" + "".join(f"{n},{day}\n" for n, day in enumerate(days.split(","), 1))
    assert [row[0] for row in ask(text, sort_by="day")["rows"]] == ["3", "1", "2"]
    assert ask(text, where=where("day", ">=", "2025-01-01"), aggregate="count")["rows"] == [["2"]]


@pytest.mark.parametrize(
    ("op", "value", "met"),
    [
        (">", "1000 EUR", False), (">", "500 EUR", True), (">", "500€", True), ("=", ">500", True), (">", ">500", True),
        ("=", "<=500", False), (">", "cheap", False), ("<", "cheap", False), ("=", "900 EUR", True),
    ],
)  # fmt: skip
def test_a_number_is_held_against_what_a_condition_means(op: Any, value: str, met: bool) -> None:
    assert meets("900", op, value) is met


def test_no_day_is_before_a_word() -> None:
    assert not meets("2025-01-01", "<", "today")


@pytest.mark.parametrize(
    ("cells", "op", "value", "rows", "note"),
    [
        ("TRUE FALSE TRUE", "=", "yes", "13", "yes is true there"),
        ("ja nein ja", "!=", "no", "13", "no is nein there"),
        ("x _ x", "=", "no", "2", "no is an empty cell there"),
        ("yes no x", "=", "true", "", "no row has b = true; b has values such as yes, no, x"),
        ("red blue red", "=", "'red'", "13", ""),
        ("red blue red", "=", "re%", "13", "re% is asked for as what contains re"),
        ("red blue red", "contains", "%lu%", "2", "%lu% is asked for as what contains lu"),
        ("red _ red", "=", "not null", "13", ""),
        ("5% 10% 5%", "=", "5%", "13", ""),
        ("re% red red", "=", "re%", "1", ""),
    ],
)
def test_a_value_is_asked_for_as_its_column_has_it(cells: str, op: str, value: str, rows: str, note: str) -> None:
    text = "n,b\n" + "".join(f"{n},{cell.strip('_')}\n" for n, cell in enumerate(cells.split(), 1))
    found = ask(text, where=where("b", op, value), select=["n"])
    assert "".join(row[0] for row in found["rows"]) == rows
    assert found.get("note", "") == note


def test_a_line_for_excel_is_no_header_and_an_accent_is_one_however_it_is_made() -> None:
    assert ask("sep=;\nn;city\n1;a,b\n", where=where("n", "=", "1"))["columns"] == ["n", "city"]
    assert ask("n,city\n1,Mu\u0308nchen\n", where=where("city", "=", "M\u00fcnchen"))["matched"] == "1 of 1 rows"


def test_what_says_that_nothing_is_known_is_not_counted() -> None:
    assert ask("a,b\n1,n/a\n2,5\n3,-\n4,NULL\n", aggregate="count", column="b")["rows"] == [["1"]]


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
    found = ask(f"{head}n,name,qty\n1,a,3\n2,b,4\n", aggregate="sum", column="qty")
    assert (found["rows"], found.get("note", "")) == ([["7"]], f"above the header stands: {title}" if title else "")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("name\nAnn\nBob\nCy\n", ["name"]),
        ("#,name\n1,a\n2,b\n", ["#", "name"]),
        ("n,name\n\n1,a\n2,b\n", ["n", "name"]),
        ("name\nWeber, Anna\nLee, Kim\n", ["name"]),
        ("Title\nn,name\n", ["Title"]),
    ],
)
def test_a_header_is_taken_for_nothing_else(text: str, columns: list[str]) -> None:
    assert ask(text)["columns"] == columns


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
    assert ask(text)["columns"] == columns


@pytest.mark.parametrize("rows", ["1,Shell,10\n2,BP,20\n3,Total,50\n", "1,Shell,1200\n2,BP,1190\n3,Total,1180\n"])
def test_a_record_that_is_called_total_is_one(rows: str) -> None:
    assert ask(f"rank,company,revenue\n{rows}", aggregate="count")["rows"] == [["3"]]


def test_what_looks_like_a_comparison_and_stands_in_a_cell_is_what_is_asked_for() -> None:
    ages = "no,age_group\n1,<18\n2,18-65\n3,>65\n4,<18\n"
    assert ask(ages, where=where("age_group", "=", "<18"), aggregate="count")["rows"] == [["2"]]
    assert ask("n,v\n1,<5\n2,7\n3,3\n4,<5\n", where=where("v", "=", "<5"))["matched"] == "2 of 4 rows"
    assert ask("n,v\n1,4\n2,7\n3,3\n", where=where("v", "=", "<5"))["matched"] == "2 of 3 rows"


@pytest.mark.parametrize(
    ("cells", "most"),
    [
        (["1.10.12", "1.9.10", "10.2.11"], "10.2.11"),  # versions, and no days
        (["(2019)", "(2021)", "(2020)"], "(2021)"),  # and no amounts below zero
        (["1.250", "2", "3.125"], "3.125"),  # and no thousands beside 2
    ],
)
def test_what_may_be_something_else_is_left_as_it_stands(cells: list[str], most: str) -> None:
    text = "n;v\n" + "".join(f"{n};{cell}\n" for n, cell in enumerate(cells))
    assert ask(text, sort_by="v", descending=True)["rows"][0][1] == most


HIRES = "boat,hours,eur\nIbis,2,34.5\nIbis,3,51\nCurlew,2,40\nIbis,4,66.2\n"


def test_groups_in_the_order_of_a_column_that_they_do_not_have_are_in_that_of_what_was_calculated() -> None:
    found = ask(HIRES, select=("boat", "hours"), group_by="boat", aggregate="count", sort_by="hours")
    assert found["rows"] == [["Curlew", "1"], ["Ibis", "3"]]
    with pytest.raises(ToolError, match="no column 'hoots'"):
        ask(HIRES, group_by="boat", aggregate="count", sort_by="hoots")


def test_a_sum_by_amounts_is_the_sum_of_them() -> None:
    assert ask(HIRES, group_by="eur", aggregate="sum")["rows"] == [["191.7"]]
    assert ask(HIRES + 9 * "Ibis,2,34.5\n", group_by="eur", aggregate="sum")["rows"] == [["502.2"]]
    assert ask("n,seats,eur\n1,2,9\n2,4,8\n3,2,7\n4,2,6\n", group_by="seats", aggregate="sum", column="eur")["matched"]
    assert ask(HIRES, group_by="boat", aggregate="sum", column="eur")["rows"][0] == ["Ibis", "151.7"]
    assert ask(HIRES, group_by="eur", aggregate="count")["matched"] == "4 of 4 rows"  # which may be asked for


def test_how_many_cells_are_empty_is_told_and_what_an_average_of_groups_is_of_all_rows() -> None:
    text = "plant,month,kwh\nA,2025-07,10\nA,2025-08,\nA,2025-09,20\nB,2025-07,90\nB,2025-08,\n"
    assert ask(text, select=("kwh",))["kwh of all 5 rows"].endswith("; empty in 2 of them")
    assert "empty" not in ask(text.replace("8,", "8,5"), select=("kwh",))["kwh of all 5 rows"]
    found = ask(text, group_by="month", aggregate="avg", column="kwh")
    assert found["avg(kwh) of all 5 rows together"] == "40"  # and not what the averages of three months come to


async def test_a_table_of_an_old_program_has_its_letters(call: Any, box: Any) -> None:
    (box / "logs/orte.csv").write_bytes("n;Straße\n1;Köln\n2;Z\xfcrich\n".encode("cp1252"))
    found = await call("csv.query", path="logs/orte.csv", where=[{"column": "Straße", "op": "=", "value": "Köln"}])
    assert found["rows"] == [["1", "Köln"]]
    (box / "logs/bad.csv").write_bytes(b"n,x\n1,\x81\xe9\n")
    assert (await call("csv.query", path="logs/bad.csv"))["rows"] == [["1", "\ufffdé"]]


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
    assert ask(f"{head}\n1;2;3\n")["columns"] == columns


def test_a_column_is_found_without_its_unit() -> None:
    text = "Item,Weight (kg),Unit Price [EUR]\na,1.5,3\nb,2,4\n"
    assert ask(text, aggregate="sum", column="weight")["rows"] == [["3.5"]]
    assert ask(text, aggregate="sum", column="unit_price")["columns"] == ["sum(Unit Price [EUR])"]
