"""What the fields of lists of JSON objects come to."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ringfence.tools.spread import of_rows, spread

STOCK = [{"product": f"p{n}", "pieces": n * 10, "ripe": n > 2, "kind": "ab"[n % 2], "id": n} for n in range(1, 6)]


def test_numbers_and_kinds_are_told_with_who_has_them() -> None:
    assert spread({"unit": "pieces", "stock": STOCK}) == {
        "pieces of all 5 in stock": "lowest 10 (p1), highest 50 (p5), average 30, sum 150",
        "ripe of all 5 in stock": "true 3, false 2",
        "kind of all 5 in stock": "b 3, a 2",
    }
    assert list(spread(STOCK)) == ["pieces of all 5", "ripe of all 5", "kind of all 5"]
    tied = [{"n": "a", "x": 1}, {"n": "b", "x": 1}, {"n": "c", "x": 2.5}]
    assert spread(tied) == {"x of all 3": "lowest 1 (a and 1 more), highest 2.5 (c), average 1.5, sum 4.5"}


@pytest.mark.parametrize(
    "value",
    [
        {}, [], None, "text", 3, [1, 2, 3], [{"x": 1}, {"x": 2}], [{"x": 1}, {"x": 2}, 3],
        [{"x": 1}, {"x": "2"}, {"x": 3}], [{"x": 1}, {}, {}], [{"x": 1}, {"x": 1}, {"x": 1}],
        [{"id": 1}, {"id": 2}, {"id": 3}], {"a": {"b": {"c": {"d": STOCK}}}},
    ],
)  # fmt: skip
def test_nothing_is_told_of_what_is_no_list_of_amounts(value: Any) -> None:
    assert spread(value) == {}


def test_of_many_fields_and_long_names_a_few_are_told() -> None:
    wide = [{f"f{n}{'x' * 100}": i + n for n in range(50)} for i in range(4)]
    told = spread(wide)
    assert len(told) == 8
    assert all(len(key) < 100 for key in told)


def test_columns_of_amounts_are_told_with_the_row_that_has_the_least_and_the_most() -> None:
    names = ["Tour", "Price", "Seats", "No"]
    rows = [["Harbour", "12,50 €", "20", "1"], ["Night", "18,00 €", "8", "2"], ["Seal", "9,90 €", "8", "3"],
            ["Isle", "sold out", "30", "4"], ["Bay", "45,00 €", "9", "5"]]  # fmt: skip
    assert list(of_rows(names, rows)) == [
        "Price of all 4 rows: lowest 9,90 € (Seal), highest 45,00 € (Bay)",
        "Seats of all 5 rows: lowest 8 (Night and 1 more), highest 30 (Isle), sum 75",
    ]
    assert list(of_rows(names, rows[:3])) == []
    assert list(of_rows(["Day", "Opens"], [[f"d{n}", f"0{n}:30"] for n in range(6)])) == []
    assert list(of_rows([], [])) == []
    dear = [["a", "$5"], ["b", "€7"], ["c", "$8"], ["d", "€9"]]
    assert list(of_rows(["Item", "Worth"], dear)) == []  # of two currencies
    assert list(of_rows(["Town", "Since"], [[f"t{n}", f"18{n}0"] for n in range(6)])) == []
    summed = [*([f"i{n}", f"{n}"] for n in range(1, 5)), ["Total", "10"]]
    assert list(of_rows(["Item", "Qty"], summed)) == ["Qty of all 4 rows: lowest 1 (i1), highest 4 (i4), sum 10"]


def test_what_has_several_units_or_no_end_is_not_added_up() -> None:
    assert spread([{"a": "x", "n": n, "currency": c} for n, c in ((5, "EUR"), (7, "USD"), (9, "EUR"))]) == {}
    assert spread([{"n": n} for n in (1e308, 1.5e308, 1)]) == {"n of all 3": "lowest 1, highest 1.5e+308"}
    assert spread([{"price": n} for n in (5, 7, 9)]) == {"price of all 3": "lowest 5, highest 9"}
    started = time.monotonic()
    assert spread([{f"k{n}_{m}": 1 for m in range(3)} for n in range(10_000)]) == {}
    assert time.monotonic() - started < 2
