"""What the rows of a result come to."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.tools.sql import table
from ringfence.tools.totals import amounts, totals

CHARGES = [("2025-08-16", "laundry", 46.8), ("2025-08-17", "dinner", 95.8), ("2025-08-18", "laundry", 15.5)]


def _rows(*given: dict[str, Any]) -> dict[str, Any]:
    return dict(amounts(list(given[0]), given))


def test_a_short_bill_is_added_up_to_the_cent() -> None:
    result = table(["day", "item", "eur"], CHARGES, 10, 4_000)
    assert str(result["eur of all 3 rows"]).startswith("sum 158.1; avg 52.7; min 15.5 (row 2025-08-18, laundry, 15.5)")


def test_what_is_cut_off_is_not_added_up() -> None:
    for rows, room in ((2, 4_000), (10, 60)):
        result = table(["day", "item", "eur"], CHARGES, rows, room)
        assert result["truncated"]
        assert not [key for key in result if "of all" in key]


@pytest.mark.parametrize("name", ["id", "guest_id", "room_no", "year", "Order_Number", "booking_key"])
def test_a_key_or_a_year_is_no_amount(name: str) -> None:
    assert _rows({name: 1}, {name: 2}) == {}


@pytest.mark.parametrize("values", [("1", "2"), (True, False), (None, None), (1, "two"), (1,)])
def test_what_is_no_number_in_the_database_or_one_row_alone_has_no_sum(values: tuple[Any, ...]) -> None:
    assert _rows(*({"eur": value} for value in values)) == {}


def test_an_empty_cell_is_left_out() -> None:
    assert _rows({"eur": 1}, {"eur": None}, {"eur": 2})["eur of all 3 rows"].startswith("sum 3; avg 1.5; min 1 ")


def test_a_row_of_many_numbers_is_not_added_up_column_by_column() -> None:
    names = ("a", "b", "c", "d")
    assert _rows(dict.fromkeys(names, 1), dict.fromkeys(names, 2)) == {}
    assert len(_rows(dict.fromkeys(names[:3], 1), dict.fromkeys(names[:3], 2))) == 3


def test_only_what_is_picked_and_numeric_is_told() -> None:
    rows = [["a", "1", "2"], ["b", "3", "4"]]
    assert list(totals(["name", "one", "two"], rows, [0, 2])) == ["two of all 2 rows"]
