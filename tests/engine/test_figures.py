"""What a number may mean, and what was shown of it."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from ringfence.engine.claims import flags
from ringfence.engine.evidence import doubt, unsupported_numbers
from ringfence.engine.figures import Figures, values
from ringfence.engine.grounding import grounded
from ringfence.engine.passages import Passage
from ringfence.engine.spoken import readings, restated


def speaks_against(answer: str, text: str) -> tuple[bool, bool]:
    """Whether the passages, and whether the record, have something against an answer."""
    there = {1: Passage(1, "handbook.md", text, "Handbook", start=0, end=len(text))}
    held = grounded(answer, there, "What is it?", strict=True)
    return bool(held.flags), bool(list(flags(answer, shown=text, task="What is it?", done=[], tools=[])))


@pytest.mark.parametrize(
    ("token", "meant"),
    [
        ("12.5", "12.5"), ("12,5", "12.5"), ("1,234.5", "1234.5"), ("1.234,5", "1234.5"), ("1.500", "1500 1.500"),
        ("1,234,567", "1234567"), ("1.234.567", "1234567"), ("0.500", "0.500"), ("1234.567", "1234.567"),
        ("3.12.1", ""), ("1,2,3", ""), ("03:17", ""), ("12,34.5", ""), ("2025", "2025"),
    ],
)  # fmt: skip
def test_a_mark_is_one_of_thousands_only_before_three_digits(token: str, meant: str) -> None:
    assert values(token) == list(map(Decimal, meant.split()))


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("The fee is 125 euros.", "The fee is 12.5 euros."),
        ("The dose is 15 mg.", "The dose is 1.5 mg."),
        ("The dose is 25 mg.", "The dose is 2.5 mg."),
        ("The rate is 35 %.", "The rate is 3.5 %."),
        ("The fee is 1,500 euros.", "The fee is 1.5 euros."),
        ("Die Gebühr beträgt 125 Euro.", "Die Gebühr beträgt 12,5 Euro."),
        ("The pressure is 1625 bar.", "The pressure is 16.25 bar."),
        ("The balance is 123456 euros.", "The balance is 1,234.56 euros."),
    ],
)
def test_a_number_of_other_size_is_another_one(answer: str, text: str) -> None:
    assert speaks_against(answer, text) == (True, True)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("The fee is 1,500 euros.", "The fee is 1500 euros."),
        ("The fee is 1500 euros.", "The fee is 1.500 euros."),
        ("The fee is 12.50 euros.", "Fee: 12,50 euros"),
        ("The balance is 1.234,50 euros.", "The balance is 1234.5 euros."),
        ("The mass is 12,345 kg.", "The mass is 12.345 kg."),
        ("The mass is 3.500 kg.", "The mass is 3.5 kg."),
    ],
)
def test_a_number_in_the_notation_of_another_country_is_the_same(answer: str, text: str) -> None:
    assert speaks_against(answer, text) == (False, False)


def test_a_rounding_is_one_of_what_was_shown() -> None:
    known = Figures("181.4106 and 0.1249 and 33.33333", ())
    assert [known.knows(number) for number in ("181.41", "0.125", "33.3", "181.42")] == [True, True, True, False]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("The fee is 234 euros.", "The fee is 1,234 euros."),
        ("The fee is 17 euros.", "The fee is 12.17 euros."),
        ("The dose is 5 mg.", "The dose is 0.5 mg."),
        ("The tank holds 500 litres.", "The tank holds 12.500 litres."),
        ("The balance is 567 euros.", "The balance is 1,234,567.89 euros."),
    ],
)
def test_what_stands_behind_a_mark_is_no_number_by_itself(answer: str, text: str) -> None:
    assert speaks_against(answer, text) == (True, True)
    assert doubt(answer, shown=text, task="What is it?", chosen=True)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("The count is 234.", "id,ward,count\n4,north,17,234\n"),
        ("The count is 234.", "count,beds\n17,234\n"),
        ("The counts are 17 and 234.", "counts=[17,234]"),
        ("It was in 2025.", "It was on 2025-03-21."),
        ("It opens at 8.", "It opens at 08:15."),
        ("It runs Python 3.", "It runs Python 3.12."),
        ("The last byte is 5.", "The address is 10.0.0.5, its last byte."),
    ],
)
def test_a_part_of_a_row_a_date_a_time_or_a_version_is_one(answer: str, text: str) -> None:
    assert unsupported_numbers(answer, text) == (["8"] if "08" in text else [])
    assert speaks_against(answer, text)[1] is False


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("Visits end at 5:30 pm.", "Visits end at 17:30."),
        ("The ward opens at 8:15.", "The ward opens at 08:15."),
        ("It was on 3/3/2025.", "It was on 2025-03-03."),
        ("It was on 3/21/2025.", "It was on 2025-03-21."),
        ("Es war am 15.3.2025.", "Es war am 2025-03-15."),
        ("The limit is 1.2 million euros.", "The limit is 1200000 euros."),
        ("The loan is 45k euros.", "The loan is 45000 euros."),
        ("The limit is 1 234 567 euros.", "The limit is 1234567 euros."),
        ("The limit is 1'234'567 euros.", "The limit is 1234567 euros."),
        ("The balance is 1.234,50 euros.", "The balance is 1234.5 euros."),
        ("The share is 33.3%.", "The share is 0.3333333."),
        ("The run takes 2 hours and 5 minutes.", "The run takes 125 minutes."),
        ("Half of the fee is refunded.", "50 % of the fee is refunded."),
        ("Thirteen nurses are needed.", "13 nurses are needed."),
        ("13 nurses are needed.", "Thirteen nurses are needed."),
        ("Zweiundzwanzig Pumpen laufen.", "22 Pumpen laufen."),
    ],
)
def test_a_number_said_in_another_way_is_the_same(answer: str, text: str) -> None:
    assert speaks_against(answer, text) == (False, False)
    assert doubt(answer, shown=text, task="What is it?", chosen=True) == ""


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("Visits end at 5:30 pm.", "Visits end at 17:00."),
        ("Visits end at 5:30 pm.", "Visits end at 05:45."),
        ("It was on 3/4/2025.", "It was on 2025-03-05."),
        ("The limit is 1.2 million euros.", "The limit is 120000 euros."),
        ("The share is 33.3%.", "The share is 0.4333333."),
        ("The run takes 2 hours and 15 minutes.", "The run takes 125 minutes."),
        ("The fee is 12,300 euros.", "The fee is 12345.67 euros."),
    ],
)
def test_another_number_in_another_notation_is_another_one(answer: str, text: str) -> None:
    assert speaks_against(answer, text) == (True, True)
    assert doubt(answer, shown=text, task="What is it?", chosen=True)


def test_numbers_in_other_notations_are_looked_for_in_linear_time() -> None:
    began = time.process_time()
    for text in ("one " * 30_000, "1 234 567 " * 10_000, "two-" * 20_000, "zig" * 30_000, "12." * 30_000):
        list(readings(text))
        restated(text, lambda _: False)
    assert time.process_time() - began < 5
