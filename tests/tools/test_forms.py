"""How a column writes its numbers and dates: as people of several countries do, and never guessed from one cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ringfence.tools.cells import DATE, EMPTY, NUMBER, WORD, holds, typed
from ringfence.tools.forms import PLAIN, Form, form_of
from ringfence.tools.table import QueryArgs, query
from ringfence.tools.tabular import read_table
from ringfence.tools.totals import names_rows


def ask(text: str, **args: Any) -> dict[str, Any]:
    return query(read_table("t.csv", text, seconds=5), QueryArgs.model_validate({"path": "t.csv", **args}), room=4_000)


def where(column: str, op: str, value: str) -> list[dict[str, str]]:
    return [{"column": column, "op": op, "value": value}]


@pytest.mark.parametrize(
    ("cells", "form", "first"),
    [
        (["1.234,50", "99,90", "3"], Form(comma=True), "1234.50"),
        (["1 234,50", "-0,5"], Form(comma=True), "1234.50"),
        (["1'234.50", "7.25"], PLAIN, "1234.50"),
        (["1,234.50", "99.90"], PLAIN, "1234.50"),
        (["1,234", "2,500"], PLAIN, "1234"),  # nobody has three decimals in each row
        (["1.234", "2.500"], PLAIN, "1.234"),
        (["12,5 kg", "3 kg", ""], Form(comma=True, unit="kg"), "12.5"),
        (["12kg", "3.5kg", "n/a"], Form(unit="kg"), "12"),
        (["€ 12.50", "€ 1,000.00"], Form(unit="€"), "12.50"),
        (["12,50 EUR", "3,00 EUR"], Form(comma=True, unit="EUR"), "12.50"),
        (["-3 °C", "21 °C"], Form(unit="°C"), "-3"),
        (["1.234 €", "567 €", "2.500 €"], Form(comma=True, unit="€"), "1234"),
        (["1.299,00 EUR", "899 EUR"], Form(comma=True, unit="EUR"), "1299"),
        (["0.125 €", "2.500 €"], Form(unit="€"), "0.125"),
        (["1.25 kg", "2.500 kg"], Form(unit="kg"), "1.25"),
        (["5h", "12h"], Form(unit="h"), "5"),
        (["5 t", "12 t"], Form(unit="t"), "5"),
    ],
)
def test_numbers_are_read_as_their_column_writes_them(cells: Sequence[str], form: Form, first: str) -> None:
    found = form_of(cells)
    assert found == form
    assert holds(cells, found) == {NUMBER}
    assert typed(cells[0], found) == typed(first)


@pytest.mark.parametrize(
    "cells",
    [
        ["B12", "B13"],  # a room
        ["12A", "7A"],  # a house
        ["1,2", "3,4"],  # lists, for all that is known
        ["1.250 kg", "2.500 kg"],  # a little more than one, or more than a ton
        ["G-356", "G-368"],
        ["12 kg", "3 lb"],  # two units are no amount
        ["12 Elm", "14 Elm"],
        ["1.2.3", "1.2.4"],
        ["555-0134", "555-0199"],
        ["555 123", "555 199"],
        ["1,234.50", "99,90"],  # one of each
        ["08:15", "17:40"],
        ["north", "south"],
        [],
    ],
)
def test_what_only_has_figures_in_it_is_no_number(cells: Sequence[str]) -> None:
    form = form_of(cells)
    assert form == PLAIN
    assert holds(cells, form) - {WORD} <= ({NUMBER} if "1,234.50" in cells else set())


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (["12/03/2025", "13/03/2025"], "day"),
        (["03/12/2025", "03/13/2025"], "month"),
        (["12-03-2025", "31-03-2025"], "day"),
        (["12/03/2025 14:05", "13/03/2025 8:30"], "day"),
        (["12.03.2025 14:05", "13.03.2025 08:30:10"], "day"),
        (["12/03/2025", "11/03/2025"], ""),  # either may be meant
        (["13/03/2025", "03/13/2025"], ""),  # both are there
        (["13/03/2025", "soon, 2 days"], ""),
    ],
)
def test_the_day_or_the_month_comes_first_where_some_cell_can_only_mean_one(cells: Sequence[str], days: str) -> None:
    form = form_of(cells)
    assert form == Form(days=days)
    if days:
        assert holds(cells, form) == {DATE}


def test_where_nothing_else_is_separated_by_commas_one_decimal_is_enough() -> None:
    assert form_of(["7,5", "8"], commas=True) == Form(comma=True)
    assert ask("a;b\n1;7,5\n2;8\n", aggregate="sum", column="b")["rows"] == [["15.5"]]
    assert ask('a,b\n1,"7,5"\n2,8\n', aggregate="count")["rows"] == [["2"]]


def test_a_day_that_is_none_is_a_text() -> None:
    form = form_of(["31/02/2025", "13/01/2025"])
    assert typed("31/02/2025", form)[0] == WORD
    assert typed("13/01/2025", form) == typed("2025-01-13")


SALES = """no;customer;amount;day
1;"Weber, Anna";1.234,50;28/02/2025
2;"Lee, Kim";99,90;01/03/2025
3;"Weber, Anna";n/a;02/03/2025
4;"Weber, Jo";2.000,00;15/04/2025
"""


@pytest.mark.parametrize(
    ("column", "op", "value", "rows"),
    [
        ("amount", ">", "100", "14"),
        ("amount", "<=", "99.90", "2"),
        ("amount", "=", "1.234,50", "1"),
        ("amount", "=", "1234.5", "1"),
        ("amount", "=", "n/a", "3"),
        ("day", ">=", "2025-03-01", "234"),
        ("day", "=", "March 2025", "23"),
        ("day", "=", "2025-03", "23"),
        ("day", "=", "01/03/2025", "2"),
        ("day", "<", "1 March 2025", "1"),
        ("customer", "=", "Anna Weber", "13"),
        ("customer", "!=", "Anna Weber", "24"),
        ("customer", "=", "Weber", ""),
    ],
)
def test_conditions_are_about_what_a_cell_means(column: str, op: str, value: str, rows: str) -> None:
    assert "".join(row[0] for row in ask(SALES, where=where(column, op, value))["rows"]) == rows


def test_what_a_name_is_called_there_is_said_and_two_that_it_may_be_are_none() -> None:
    assert ask(SALES, where=where("customer", "=", "anna weber"))["note"] == "anna weber is Weber, Anna there"
    two = ask('name\nLee Kim\n"Lee, Kim"\n', where=where("name", "=", "Kim Lee"))
    assert two["rows"] == []
    assert two["note"] == "no row has name = Kim Lee; name has values such as Lee Kim; Lee, Kim"


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        ("10:12", "12:10"), ("2:1", "1:2"), ("3/4", "4/3"), ("03/04/2025", "04/03/2025"), ("1-2", "2-1"),
        ("Berlin-Hamburg", "Hamburg-Berlin"), ("Anna Smith", "Smith"), ("North 2", "2 North"),
    ],
)  # fmt: skip
def test_only_names_are_looked_for_in_another_order(cells: str, value: str) -> None:
    found = ask(f"a,v\n1,{cells}\n", where=where("v", "=", value), aggregate="count")
    assert found["rows"] == [["0"]]


def test_sums_orders_and_extremes_are_of_the_values_and_cells_are_shown_as_they_are() -> None:
    assert ask(SALES, aggregate="sum", column="amount")["rows"] == [["3334.4"]]
    assert ask(SALES, aggregate="max", column="amount")["rows"] == [["2.000,00"]]
    assert ask(SALES, aggregate="min", column="day")["rows"] == [["28/02/2025"]]
    assert [row[0] for row in ask(SALES, sort_by="amount", descending=True)["rows"]] == ["4", "1", "2", "3"]
    assert [row[0] for row in ask(SALES, sort_by="day", descending=True)["rows"]] == ["4", "3", "2", "1"]
    by = ask(SALES, group_by="customer", aggregate="max", column="amount")["rows"]
    assert by == [["Weber, Jo", "2.000,00"], ["Weber, Anna", "1.234,50"], ["Lee, Kim", "99,90"]]
    days = ask(SALES, group_by="day", sort_by="day")["rows"]
    assert [row[0] for row in days] == ["28/02/2025", "01/03/2025", "02/03/2025", "15/04/2025"]
    assert ask(SALES)["amount of all 4 rows"].startswith("sum 3334.4; avg 1111.4667; min 99,90 (row 2, Lee, Kim")


@pytest.mark.parametrize("cell", ["n/a", "N/A", "-", "–", "?", "k.A.", "", " "])
def test_what_says_that_nothing_is_known_is_neither_less_nor_greater(cell: str) -> None:
    assert typed(cell)[0] == EMPTY
    found = ask(f"n,v\n1,5\n2,{cell}\n3,12\n", where=where("v", ">", "1"))
    assert [row[1] for row in found["rows"]] == ["5", "12"]


@pytest.mark.parametrize("name", ["id", "Order ID", "perf_no", "room no.", "Nr", "orderId", "year", "Zip"])
def test_what_names_a_row_comes_to_nothing(name: str) -> None:
    assert names_rows(name)
    assert not any("of all" in key for key in ask(f"{name}\n1\n2\n"))


@pytest.mark.parametrize(
    "name", ["paid", "amount", "volcano", "sold", "years", "valid", "number", "casino", "km per year"]
)
def test_what_only_ends_like_it_does(name: str) -> None:
    assert not names_rows(name)
