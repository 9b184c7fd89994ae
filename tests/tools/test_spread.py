"""What the fields of lists of JSON objects come to."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.tools.spread import spread

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
