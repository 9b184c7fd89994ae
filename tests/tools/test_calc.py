"""calc against Python's own fractions, and everything that is not arithmetic."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.errors import ToolError
from ringfence.tools.calc import calculate, readable

Call = Callable[..., Any]


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("2 + 3 * 4", "14"), ("(2 + 3) * 4", "20"), ("0.1 + 0.2", "0.3"), ("7 // 2", "3"), ("-7 // 2", "-4"),
        ("10 % 3", "1"),
        ("2 ** 100", str(2**100)), ("2^10", "1024"), ("2 ** -2", "0.25"), ("3 × 4 ÷ 2", "6"), ("1,200 + 34", "1234"),
        ("15% of 240", "36"), ("15% of 1,240", "186"),
        ("12.5 percent of 80", "10"), ("200 * 15%", "30"), ("50%", "0.5"), ("10% + 1", "1.1"),
        ("sum(1, 2, 3.5)", "6.5"), ("sum([1, 2], 3)", "6"), ("mean(4, 8)", "6"), ("median(5, 1, 3, 2)", "2.5"),
        ("min(3, -2)", "-2"), ("max([1, 9, 3])", "9"), ("round(2.675, 2)", "2.68"), ("round(1234, -2)", "1200"),
        ("abs(-3/4)", "0.75"), ("sqrt(9/16)", "0.75"), ("16 ** 0.5", "4"), ("floor(-1.5)", "-2"), ("ceil(1.2)", "2"),
        ("count(5, 5, 5)", "3"), ("5 > 3", "true"), ("1 < 2 < 2", "false"), ("0.1 + 0.2 == 0.3", "true"),
        ("1e3", "1000"),
        ("6 * 7 =", "42"), ("1_000 + 1", "1001"),
        ("0.1000000000000000000000000001 * 10", "1.000000000000000000000000001"),
    ],
)  # fmt: skip
def test_arithmetic_is_exact(expression: str, result: str) -> None:
    assert calculate(expression) == {"result": result}


@pytest.mark.parametrize(
    ("expression", "result", "note"),
    [
        ("80 - 20%", "64", "20% of 80"), ("1,200 EUR + 19 %", "1428", "19% of 1200"), ("20% off 80", "64", ""),
        ("100 + 10% - 5%", "104.5", "10% of 100; 5% of 110"), ("10% + 5%", "0.15", ""),
        ("(1 - 20%) * 5", "4", ""), ("10% + 20% + 30%", "0.6", ""), ("100% - 20% - 5%", "0.75", ""),
        ("-5% + 10%", "0.05", ""), ("2 * 10% + 5%", "0.25", ""), ("100 * (1 - 10% - 5%)", "85", ""), ("0x1A", "26", ""),
        ("50%/2 + 5%", "0.3", ""), ("60 - 5%/5", "59.99", ""),
        ("3 * 20 - 50 percent", "30", "50% of 60"), ("10 - 5 % 3", "8", ""), ("sqrt(2) + 100%", "2.82842712474619",
         "100% of 1.41421356237310; rounded"),
        ("€12.50 * 4", "50", ""), ("3 kg * 4", "12", ""), ("7 min + 8 min", "15", ""), ("12.5 * 3 hours", "37.5", ""),
        ("5 x 3", "15", ""), ("5x(3+1)", "20", ""), ("0x10", "16", ""), ("10 divided by 4", "2.5", ""),
        ("2 plus 3 times 4", "14", ""), ("(12 + 8) / 4 = ?", "5", ""),
        ("2025-04-15 - 2025-03-01", "45", "days from 2025-03-01 to 2025-04-15"),
        ("days(2024-02-28, 2024-03-01)", "2", "days from 2024-02-28 to 2024-03-01"),
        ("2025-04-15 + 30 days", "2025-05-15", ""), ("2025-03-01 - 1", "2025-02-28", ""),
        ("80 * 25 % + 5", "25", ""), ("80*25%-5", "15", ""), ("(1,250 + 3,400) * 2", "9300", ""), ("5² + 1", "26", ""),
        ("$1,250.50 * (3 + 1)", "5002", ""), ("3,50 € * 12", "42", "commas are read as decimal points"),
        ("€ 1.299,00 * 2", "2598", "commas are read as decimal points"),
        ("1.234,50 + 10", "1244.5", "commas are read as decimal points"), ("max(9,99; 8,50)", "9.99", ""),
        ("10 000 * 2", "20000", ""), ("1'234 + 6", "1240", ""), ("sum(1'234, 6)", "1240", ""),
        ("2024 / 8 / 11", "23", ""),
        ("= 12*3", "36", ""),
        ("1.250 € * 2", "2.5", "1.250 is read with a decimal point; as thousands it is 1250"),
        ("sum(1,250,3,400)", "654", "read as 4 numbers: 1, 250, 3, 400"), ("sum(100,200,300)", "600", ""),
        ("sum(9,99, 8,50)", "166", "read as 4 numbers: 9, 99, 8, 50"),
        ("round(2.345, 2)", "2.35", "a half is rounded away from zero"),
        ("round(-2.5)", "-3", "a half is rounded away from zero"), ("round(3.5)", "4", ""),
    ],
)  # fmt: skip
def test_what_people_write_is_calculated_as_they_mean_it(expression: str, result: str, note: str) -> None:
    found = calculate(expression)
    assert (found["result"], found.get("note", "")) == (result, note)


APART = "days from 2025-03-01 to 2025-04-15"


@pytest.mark.parametrize(
    ("expression", "result", "note"),
    [
        ("2025-03-01 to 2025-04-15", "45", APART), ("days between 2025-03-01 and 2025-04-15", "45", APART),
        ("15.04.2025 - 01.03.2025", "45", APART), ("April 15, 2025 - 1 March 2025", "45", APART),
        ("04/15/2025 - 03/01/2025", "45", APART), ("2025-04-15 minus 2025-03-01", "45", APART),
        ("2025-4-15 - 2025/3/1 in days", "45", APART), ("(2025-04-15 - 2025-03-01) / 9", "5", APART),
        ("2025-04-15-2025-03-01 + 1", "46", APART), ("2025-6-5 + 10", "2025-06-15", ""),
        ("2025-01-31 + 2 weeks", "2025-02-14", ""), ("3 weeks before 2025-03-01", "2025-02-08", ""),
        ("2024-01-31 + 1 month", "2024-02-29", "that month has no day 31"), ("2024-02-29 - 4 years", "2020-02-29", ""),
        ("weekday(2025-06-06)", "Friday", ""), ("weekday 2025-06-06", "Friday", ""),
        ("what day of the week is 2024-02-29?", "Thursday", ""),
        ("17:30 - 09:15", "8:15", "8 h 15 min, from 9:15 to 17:30"),
        ("9:15 - 17:30", "8:15", "8 h 15 min, from 9:15 to 17:30"),
        ("22:00 to 6:00", "8:00", "8 h 0 min, from 22:00 to 6:00 of the next day"), ("9:15 + 45 min", "10:00", ""),
        ("9:15 - 30 min", "8:45", ""),
        ("18:10 + 175 + 12", "21:17", "the numbers are minutes"),
        ("18:10 + (175 + 12) minutes", "21:17", "the numbers are minutes"),
        ("18:10 + 175 minutes + 12 min", "21:17", ""), ("9:15 + 2 h - 30 min", "10:45", ""),
        ("9:00 + 1:30 + 2:15", "12:45", ""), ("9:15 plus 45 min", "10:00", ""), ("9:15 minus 45 min", "8:30", ""),
        ("17:00 - 8:30 - 45 min", "7:45", ""), ("17:00 - 8:30 - 0:45", "7:45", ""),
        ("8:00 + 1:30 - 0:15", "9:15", ""),
        ("22:00 + 2 hours + 15 min", "24:15", "0:15 of another day, if it is a time of day"),
        ("1:30 + 0:45", "2:15", ""), ("23:30 + 45 min", "24:15", "0:15 of another day, if it is a time of day"),
    ],
)  # fmt: skip
def test_days_and_hours_are_reckoned_with_however_they_are_written(expression: str, result: str, note: str) -> None:
    found = calculate(expression)
    assert (found["result"], found.get("note", "")) == (result, note)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("2025-12-24", "has a day"), ("2024/8/11", "between numbers"), ("sum(100 200 300)", "cannot read"),
        ("100 200 300", "cannot read"), ("2024-1-5 * 2", "has a day"),
        ("10/11/2025 - 2025-03-01", "2025-11-10 or 2025-10-11"), ("31.02.2025 + 3", "no calendar has"),
        ("9999-12-31 + 1 month", "no calendar has"), ("working days 2025-06-02 to 2025-06-13", "all days are counted"),
        ("sum(1,200, 300)", "without commas"), ("max(1,050, 900)", "without commas"),
        ("2,5 + 1,250.75", "decimal or not"),
        ("9:15 to 45 min", "arithmetic"), ("9:00 + 2", "arithmetic"), ("9:00 - 17", "arithmetic"),
        ("8:30 - 17:00 - 45 min", "9:15 to 17:30"), ("8:15 - 12:30 + 13:00 - 17:00", "arithmetic"),
        ("22:00 - 6:00 - 30 min", "arithmetic"),
        ("0:45 + 1:30 min", "arithmetic"), ("2(3+4)", r"write \*"), ("(2+3)(4+5)", r"write \*"),
    ],
)  # fmt: skip
def test_what_may_be_read_in_two_ways_is_asked_for_again(expression: str, problem: str) -> None:
    with pytest.raises(ToolError) as error:
        calculate(expression)
    assert re.search(problem, f"{error.value.what}; {error.value.todo}")


@pytest.mark.parametrize(
    "expression",
    [
        "5 m + 3 cm", "12 EUR + 3 USD", "2025-02-30 - 2025-01-01", "9999-12-31 + 9", "5 kg of 3",
        "2025-03-01 + 2025-03-02",
    ],
)  # fmt: skip
def test_what_may_be_in_two_units_or_no_day_is_refused(expression: str) -> None:
    with pytest.raises(ToolError):
        calculate(expression)


def test_a_result_without_an_end_is_a_fraction_as_well() -> None:
    assert calculate("1/3") == {"result": "0.333333333333333", "exact": "1/3"}
    assert calculate("2/3*3") == {"result": "2"}


def test_a_root_says_that_it_is_rounded() -> None:
    assert calculate("sqrt(2)") == {"result": "1.41421356237310", "note": "rounded"}
    assert calculate("2 ** 0.25")["note"] == "rounded"


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("1 / 0", "division by zero"), ("5 % 0", "division by zero"), ("0 ** -1", "division by zero"),
        ("(1 + 2", "cannot read"),
        ("", "cannot read"), ("x + 1", "'x' is not a number"), ("'a' * 3", "is not a number"),
        ("True + 1", "is not a number"),
        ("2 ** 99999", "too large"), ("9 ** 9 ** 9", "too large"), ("1e999", "too large"), ("1e-999", "too small"),
        ("2 ** 7000 * 2 ** 7000", "too large"), ("1j", "is not a number"), ("[1, 2]", "is a list"),
        ("sqrt(-1)", "negative"),
        ("(-8) ** (1/3)", "negative"), ("sin(1)", "no function sin"), ("sum()", "needs numbers"),
        ("round(1, 2, 3)", "no function round"),
        ("5 & 3", "operator"), ("1 if 2 else 3", "not arithmetic"), ("lambda: 1", "not arithmetic"),
        ("1 in [1]", "number was expected"),
        ("().__class__", "not arithmetic"), ("__import__('os').system('id')", "not arithmetic"),
        ("(" * 400, "cannot read"),
        ("-" * 499 + "1", "cannot read"), ("9" * 501, "501 characters"), ("round(1.5, 999)", "100 places"),
        ("\0", "cannot read"),
        ("1 is 1", "comparison"), ("1e300 ** 3000.5", "too large"),
        ("1e-300 ** 0.5 ** 0.5 ** -20.5", "too"),
        ("sum(1 > 2)", "needs numbers"), ("…", "cannot read"),
        ("[9]*10**9", "number was expected"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_what_is_not_arithmetic_is_refused_quickly(expression: str, problem: str) -> None:
    began = time.process_time()
    with pytest.raises(ToolError, match=problem):
        calculate(expression)
    assert time.process_time() - began < 0.5


NUMBERS = st.one_of(
    st.integers(0, 10**6).map(str),
    st.decimals(0, 1000, places=3, allow_nan=False).map(str),
)
EXPRESSIONS = st.recursive(
    NUMBERS,
    lambda inner: (
        st.builds(lambda a, op, b: f"({a}{op}{b})", inner, st.sampled_from(["+", "-", "*", "/", "//", " % "]), inner)
        | inner.map(lambda a: f"(-{a})")
    ),
    max_leaves=8,
)


@given(EXPRESSIONS)
def test_arithmetic_agrees_with_fractions(expression: str) -> None:
    source = re.sub(r"\d+(?:\.\d+)?", lambda m: f"F('{m[0]}')", expression)
    try:
        expected = Fraction(eval(source, {"F": Fraction}))
    except ZeroDivisionError:
        with pytest.raises(ToolError, match="division by zero"):
            calculate(expression)
        return
    result = calculate(expression)
    assert Fraction(str(result.get("exact", result["result"]))) == expected


@given(st.fractions())
def test_the_readable_form_is_exact_or_says_otherwise(value: Fraction) -> None:
    text, exact = readable(value)
    assert (Fraction(text) == value) is exact
    assert abs(Fraction(Decimal(text)) - value) <= abs(value) * Fraction(1, 10**14)


async def test_calc_is_a_tool(call: Call) -> None:
    assert await call("calc", expression="15% of 240") == {"result": "36"}
    with pytest.raises(ToolError, match="expression is missing; give arithmetic such as"):
        await call("calc")


async def test_the_time_is_the_clocks(call: Call) -> None:
    now = await call("time.now")
    assert now["utc"] == "2024-11-20T12:00:00Z"
    assert now["weekday"] in ("Tuesday", "Wednesday", "Thursday")  # of the machine's zone
    assert now["local"].startswith("2024-11-")


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("13850 - 246 * x", "56.3008130081301"),
        ("15750 - 1900 - 246*n = 0", "56.3008130081301"),
        ("2 * x + 3 = 11", "4"),
        ("100 = x * 4", "25"),
        ("15% of y = 12", "80"),
    ],
)
def test_the_one_unknown_of_a_linear_equation_is_told(expression: str, result: str) -> None:
    found = calculate(expression)
    assert found["result"] == result
    assert ", where " in str(found["note"])


@pytest.mark.parametrize(
    "expression", ["x * x = 4", "x + y = 3", "x = x", "5 * x = 5 * x + 1", "a b", "x = 1 = 2", "1 / x = 2"]
)
def test_what_is_no_linear_equation_is_refused(expression: str) -> None:
    with pytest.raises(ToolError):
        calculate(expression)
