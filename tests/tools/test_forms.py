"""How a column writes its numbers and dates: as people of several countries do, and never guessed from one cell."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ringfence.tools.cells import DATE, EMPTY, NUMBER, WORD, holds, typed
from ringfence.tools.forms import PLAIN, Form, form_of
from ringfence.tools.sql_written import names_rows

from .asking import ask_text, cells


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
    assert cells(ask_text("a;b\n1;7,5\n2;8\n", "SELECT sum(b) FROM t")) == [[15.5]]
    assert cells(ask_text('a,b\n1,"7,5"\n2,"1,2"\n', "SELECT b FROM t")) == [["7,5"], ["1,2"]]


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
    ("condition", "rows"),
    [
        ("amount > 100", "14"),
        ("amount <= 99.90", "2"),
        ("amount = '1.234,50'", "1"),
        ("amount = 1234.5", "1"),
        ("amount IS NULL", "3"),
        ("day >= '2025-03-01'", "234"),
        ("day LIKE '2025-03%'", "23"),
        ("day = '01/03/2025'", "2"),
        ("day < '2025-03-01'", "1"),
        ("customer = 'Weber, Anna'", "13"),
    ],
)
def test_conditions_are_about_what_a_cell_means(condition: str, rows: str) -> None:
    found = ask_text(SALES, f"SELECT no FROM t WHERE {condition} ORDER BY no")
    assert "".join(str(no) for (no,) in cells(found)) == rows


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT sum(amount) FROM t", [[3334.4]]),
        ("SELECT max(amount) FROM t", [[2000.0]]),
        ("SELECT min(day) FROM t", [["2025-02-28"]]),
        ("SELECT no FROM t WHERE amount IS NOT NULL ORDER BY amount DESC", [[4], [1], [2]]),
        ("SELECT no FROM t ORDER BY day DESC", [[4], [3], [2], [1]]),
    ],
)
def test_sums_orders_and_extremes_are_of_the_values(statement: str, rows: object) -> None:
    assert [row[:1] for row in cells(ask_text(SALES, statement))] == rows


@pytest.mark.parametrize("cell", ["n/a", "N/A", "-", "–", "?", "k.A.", "", " "])
def test_what_says_that_nothing_is_known_is_neither_less_nor_greater(cell: str) -> None:
    assert typed(cell)[0] == EMPTY
    text = f"n,v\n1,5\n2,{cell}\n3,12\n"
    assert cells(ask_text(text, "SELECT v FROM t WHERE v > 1 OR v <= 1")) == [[5], [12]]
    assert cells(ask_text(text, "SELECT count(v) FROM t")) == [[2]]


@pytest.mark.parametrize("name", ["id", "Order ID", "perf_no", "room no.", "Nr", "orderId", "year", "Zip"])
def test_a_name_of_rows_is_no_amount(name: str) -> None:
    assert names_rows(name)


@pytest.mark.parametrize(
    "name", ["paid", "amount", "volcano", "sold", "years", "valid", "number", "casino", "km per year"]
)
def test_what_only_ends_like_it_does(name: str) -> None:
    assert not names_rows(name)
