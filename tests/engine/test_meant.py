"""What is said of one thing answers no question about another one of its kind."""

from __future__ import annotations

import pytest

from ringfence.engine.grounding import grounded
from ringfence.engine.meant import asked_for, never_named, of_another
from ringfence.engine.passages import Passage

OIL = "K1 takes oil of grade ISO VG 46. It is changed every 6000 operating hours. K2 takes oil of grade ISO VG 100."
ROWS = """\
| device | date | value |
|---|---|---|
| 17 | 2026-02-25 | 3.1 |
| 17 | 2026-02-27 | 3.3 |
| 18 | 2026-02-26 | 4.4 |
"""
PRICES = "Gas costs 9 euros. The tariff is valid from 2026-04-01 and is 88 euros."


def other(task: str, answer: str, text: str, *, headings: str = "", document: str = "house/a.md") -> str:
    """What `of_another` says of an answer that cites one passage."""
    there = {1: Passage(1, document, text, "", start=100, end=100 + len(text), headings=headings)}
    held = grounded(answer, there, task)
    assert held.sources, "the answer has to rest on the passage"
    return of_another(task, held.sources, there)


@pytest.mark.parametrize(
    ("task", "answer", "text", "name"),
    [
        ("After how many hours is the oil of K2 changed?", "Every 6000 operating hours [1].", OIL, "K2"),
        ("After how many hours is the oil of K1 changed?", "Every 6000 operating hours [1].", OIL, ""),
        ("Which oil does K2 take?", "Oil of grade ISO VG 100 [1].", OIL, ""),
        ("What was the value on 2026-02-26?", "The value was 3.3 [1].", ROWS, "2026-02-26"),
        ("What was the value on 27 February 2026?", "The value was 3.3 [1].", ROWS, ""),
        ("What is the tariff on 2026-05-05?", "The tariff is 88 euros [1].", PRICES, ""),
        ("How long is the oil used?", "Every 6000 operating hours [1].", OIL, ""),
        ("How do K1 and K2 differ, in hours of oil?", "Every 6000 operating hours [1].", OIL, ""),
    ],
)
def test_what_belongs_to_another_of_its_kind_answers_nothing(task: str, answer: str, text: str, name: str) -> None:
    assert other(task, answer, text) == name


def test_a_heading_or_a_path_says_whose_a_passage_is() -> None:
    text, asked = "The patient is given 40 mg a day.", "How much is patient 4725 given?"
    assert other(asked, "40 mg a day [1].", text, headings="Course of patient 4725") == ""
    assert other(asked, "40 mg a day [1].", text, headings="Course of patient 4726") == "patient 4725"
    assert other(asked, "40 mg a day [1].", text, document="records/patient-4725/course.md") == ""
    assert other(asked, "40 mg a day [1].", text, document="records/patient-4726/course.md") == "patient 4725"


def test_the_sentence_before_may_name_it() -> None:
    text = "Start K1 first and wait for 6 bar. Only then start K2, which takes 90 seconds."
    assert other("How long does it take to start after K1?", "It takes 90 seconds [1].", text) == ""


@pytest.mark.parametrize(
    ("task", "text", "name"),
    [
        ("To how many bar is test stand 3 filled?", "Test stand 2 is filled to 16 bar in 3 minutes.", "stand 3"),
        ("To how many bar is test stand 3 filled?", "Test stands 2 and 3 are filled to 16 bar.", ""),
        ("To how many bar is test stand 3 filled?", "Test stands 1, 2 are filled, stands 4-6 are not.", "stand 3"),
        ("To how many bar is test stand 5 filled?", "Test stands 1, 2 are filled, stands 4-6 are not.", ""),
        ("To how many bar is test stand 3 filled?", "Stand (3) is filled to 16 bar, stand 2 to 9.", ""),
        ("What is step 2?", "1. Close the valve.\n2. Open the other one.", ""),
        ("What does rule R-9 say?", "R-1 Term. A contract runs for at most 48 months.", "R-9"),
        ("Who approves 3000 euros?", "Up to 500 euros the line manager approves.", ""),
        ("Is the pause 30 minutes?", "The pause 20 minutes before noon is paid.", ""),
        ("What happened on 2026-02-26?", "On 2026-02-25 the lamp was lit.", ""),
        ("Wie viel bar hat Prüfstand 3?", "Prüfstand 2 hat 16 bar.", "Prüfstand 3"),
    ],
)
def test_what_no_passage_names_beside_others_of_its_kind_is_not_there(task: str, text: str, name: str) -> None:
    assert never_named(task, text) == name


def test_a_pasted_text_asks_for_nothing_by_name() -> None:
    assert asked_for("K1 " * 400) == []
    assert [one.said for one in asked_for("Is K1 in ward 7?")] == ["K1", "ward 7"]


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("What was budget 2024?", "Budget 2023: 5 million. In 2024 the budget was 6 million."),
        ("How many beds has ward 3?", "Ward 2 has 12 beds. Ward three has 14 beds."),
        ("What does chapter 4 say?", "Chapter 3 is on loans. Chapter IV is on interest."),
        ("What does class 1 cost?", "Class 2 costs 40 euros. First class costs 90."),
        ("When does shift 3 begin?", "Shift 1 begins at 6, the 3rd shift at 22."),
        ("Wann beginnt Schicht 3?", "Schicht 1 beginnt um 6, die dritte Schicht um 22 Uhr."),
        ("What is in account 12?", "Account 11 holds 4 euros. Account twelve holds 90."),
    ],
)
def test_a_year_names_nothing_and_a_figure_may_be_in_words(task: str, text: str) -> None:
    assert never_named(task, text) == ""


@pytest.mark.parametrize(
    ("task", "text", "name"),
    [
        ("How many beds has ward 3?", "Ward 2 has 12 beds, and three nurses work on the first floor.", "ward 3"),
        ("What does chapter 4 say?", "Chapter 3 is on loans. Chapter V is on interest.", "chapter 4"),
        ("What does class 2 cost?", "First class costs 90 euros.", ""),  # of no other kind in figures
    ],
)
def test_a_figure_in_words_is_one_of_its_kind_alone(task: str, text: str, name: str) -> None:
    assert never_named(task, text) == name


def test_what_is_called_by_a_figure_in_words_is_not_taken_for_another() -> None:
    text = "Ward 2 has 12 beds. Ward three is the largest of the house. It has 14 beds."
    assert other("How many beds has ward 3?", "It has 14 beds [1].", text) == ""
    assert other("How many beds has ward 4?", "It has 14 beds [1].", text) == "ward 4"
    budget = "Budget 2023: 5 million euros. In the year after the budget rose to 6 million euros."
    assert other("What was budget 2024?", "It rose to 6 million euros [1].", budget) == ""
