"""Sums that a text works out in its own words: only what is wrong for certain is put right."""

from __future__ import annotations

import time

import pytest

from ringfence.engine.equations import amiss, corrected, value

from .conftest import Build, final, step


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Total cost: 2 * 11 * 22 = 532 euros", "Total cost: 2 * 11 * 22 = 484 euros"),
        ("That is (2 × 11 × 22 = € 532).", "That is (2 × 11 × 22 = € 484)."),
        ("INV-532, room B532: 2 * 11 * 22 = 532", "INV-532, room B532: 2 * 11 * 22 = 484"),
        ("36 * 15.4 - 0.1 * 36 * 15.4 = 554.4 - 55.44 = 188.80", "36 * 15.4 - 0.1 * 36 * 15.4 = 498.96"),
        ("12 + 30 = 42\n5 * 5 = 26", "12 + 30 = 42\n5 * 5 = 25"),
        ("10 * 11 = 12, of 10", "10 * 11 = 110, of 10"),
        ("1 + 1 = 3.", "1 + 1 = 2."),
        (
            "Total cost: 2 boats * 11 nights * 22 euros/night = 504 euros",
            "Total cost: 2 boats * 11 nights * 22 euros/night = 484 euros",
        ),
        ("(3 + 4) * 10 = 80", "(3 + 4) * 10 = 70"),
    ],
)
def test_a_sum_that_comes_to_another_number_is_put_right(text: str, right: str) -> None:
    assert corrected(text) == right
    assert amiss(text)
    assert corrected(text, shown=text) == text  # what is copied stays


@pytest.mark.parametrize(
    "text",
    [
        "2 + 2 = 4", "10 / 3 = 3.33", "20 / 3 = 6.66", "100 * 1.19 = 119.0", "30 + 30 = 1 hour", "6 + 6 = 1 dozen",
        "2 * 0.5 = 100 %", "x = 2 * 3", "2026-01-02 = 5", "0555 - 1234", "3 * 4 = 12 + 1", "5 * 20% = 1", "a2 * 3 = 7",
        "1,200 * 2 = 2,400", "9/11 = 3", "assert 2 * 3 == 7", "8 / 0 = 3", "v1.2 + 3 = 4", "2 * 3 = 7.5.1",
        "14:15 + 45 = 15:00", "9:00 + 30 = 9:30", "1 250 + 250 = 1 500 euros", "20 − 5 + 3 = 18", "20 ÷ 4 + 3 = 8",
        "3 x 5 + 2 = 17", "10^3 * 2 = 2000", "√16 + 9 = 13", "5 % 3 + 1 = 3", "10 mod 3 + 1 = 2", "$5 - $3 + 2 = 4",
        "(1 + 2)(3 + 4) = 21", "512 + 512 = 1 GB", "50 + 50 = 1 EUR", "22 + 5 = 3 am", "1.250 * 2 = 2500",
        "1 year * 20 euros/week = 1040 euros", "Parking: 1 day * 2 euros/hour = 16 euros",
        "2 cases * 8 euros/bottle = 96 euros",
        "Both rooms: 3 nights * 40 euros = 240 euros", "2 boats for 3 nights * 40 euros = 240 euros",
        "Return trip: 12 km * 0.30 euros/km = 7.20 euros", "3 nights * 80 euros = 216 euros after the 10 % discount",
        "2 hours + 30 minutes = 150", "5 km * 2 = 10000 m", "5 km * 2 = 10000", "3 hours * 60 = 180",
        "5 * 3 = 15 + 4 = 19", "35 / 100 = 0.35 * 12 = 4.2.", "Monday 9 - 17 = 8", "Winston was told that 2 + 2 = 5.",
        "about 3 * 33 = 100.", "1000000 * 1000000 * 1000000 * 1000000 * 1000000 = 100",
        "10 + 10 * 2 = 40 would be wrong", "20 % of 50 + 10 = 20", "twice 5 + 3 = 16", "8 cm * 2 + 4 = 20",
    ],
)  # fmt: skip
def test_what_may_be_right_stays(text: str) -> None:
    assert corrected(text) == text
    assert not amiss(text)


@pytest.mark.parametrize(
    "text",
    [
        "1 * " * 5_000,
        "(" * 20_000,
        "1*1 = " * 5_000,
        "1*1" + " " * 30_000 + "=",
        "((1*" * 5_000,
        "\n".join(f"{i} * 3 = {i * 3}" for i in range(4_000)),
    ],
)
def test_it_takes_no_long_time(text: str) -> None:
    begun = time.process_time()
    assert corrected(text) == text
    assert value(text) is None or "\n" not in text
    assert time.process_time() - begun < 2


async def test_a_wrong_sum_goes_back_once_and_is_put_right_where_it_stays(house: Build) -> None:
    said = "That is 2 * 11 * 22 = 532."
    agent = house(
        [step(("look", {})), final(said), final(said)], tools={"look": lambda args: "2 boats, 11 nights, 22 euros"}
    )
    result = await agent.run("What do 2 boats pay for 11 nights at 22 euros?")
    assert result.answer.startswith("That is 2 * 11 * 22 = 484")
    assert "is 484, and not 532" in str(agent.model.prompts[-1].messages)
