"""A check of the operator never holds the loop: what would take long is refused before it is evaluated."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ringfence.app.effort import MAX_EFFORT, depth, effort

from .test_settings import verdict

NESTED = "result.all(a, result.all(b, a + b >= 0))"


@pytest.mark.parametrize(
    ("expr", "levels"),
    [
        ("size(answer) > 0", 0),
        ("result.all(a, a > 0) && result.exists(b, b > 1)", 1),
        (NESTED, 2),
        ("result.map(a, (a + 1)).filter(b, b > 0).size() > 0", 1),
        ('answer != ".all(.all(.all("', 0),
        ("result . all ( a, a.map(b, [b].exists_one(c, c > 0)).size() > 0)", 3),
    ],
)
def test_macros_inside_of_each_other_are_counted(expr: str, levels: int) -> None:
    assert depth(expr) == levels


@pytest.mark.parametrize(
    ("expr", "result"),
    [
        (NESTED, list(range(1000))),
        ("result.map(a, result.map(b, result.map(c, a))).size() > 0", list(range(100))),
        ("(result + result + result + result).all(a, result.all(b, result.all(c, true)))", list(range(60))),
        ("result.rows.all(a, result.rows.all(b, a.n >= 0))", {"rows": [{"n": n} for n in range(1000)]}),
        ("result.all(k, result.all(l, true))", {str(n): n for n in range(1000)}),
        (f"{list(range(30))}.all(a, {list(range(30))}.all(b, {list(range(30))}.all(c, true)))", []),
    ],
)
def test_what_would_take_long_is_not_begun_and_does_not_pass(expr: str, result: Any) -> None:
    began = time.process_time()
    assert verdict(expr, args={}, result=result).startswith("It cannot be told of it: there is too much")
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    ("expr", "result"),
    [
        ("result.all(a, a >= 0)", list(range(10_000))),
        (NESTED, list(range(60))),
        ("result.rows.all(r, r.n >= 0) && size(result.rows) > 0", {"rows": [{"n": n} for n in range(5000)]}),
        ('result.matches("^(a|aa)+$")', "a" * 100_000),
    ],
)
def test_what_checks_need_is_not_refused(expr: str, result: Any) -> None:
    assert verdict(expr, args={}, result=result) == ""


def test_no_expression_is_counted_as_less_than_it_goes_over() -> None:
    assert effort("result.all(a, a > 0)", {"result": list(range(500))}) > 500
    assert effort(NESTED, {"result": list(range(500))}) > 500 * 500
    assert effort(NESTED, {"result": list(range(100_000))}) == MAX_EFFORT + 1
