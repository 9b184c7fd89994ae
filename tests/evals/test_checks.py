"""How an answer is judged: what counts as the same number, address or time, and what does not."""

from __future__ import annotations

import pytest

from ringfence.evals.checks import ABSTAINS, Check


def passes(answer: str, *any_: list[str], none: tuple[str, ...] = ()) -> bool:
    return Check(tuple(map(tuple, any_)), none).passes(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "1568",
        "It is 1,568 GB.",
        "**1568** GB",
        "1 568 GB",
        "1\u202f568 GB",
        "1568.0",
        "about 1'568GB",
        "(1568)",
        "=1568;",
    ],
)
def test_a_number_is_found_in_any_sane_wording(answer: str) -> None:
    assert passes(answer, ["1568"])


@pytest.mark.parametrize(
    "answer", ["15680", "21568", "1568.5", "0.1568", "11,568", "1568-01-01", "10.1568.0.1", "1.568", ""]
)
def test_a_number_inside_another_does_not_count(answer: str) -> None:
    assert not passes(answer, ["1568"])


def test_a_list_of_numbers_is_not_one_number_with_separators() -> None:
    assert passes("ports 85,120 and 7", ["85"], ["1"])
    assert passes("ports 85,120 and 7", ["120"])


def test_numbers_of_the_check_may_be_written_in_any_form() -> None:
    assert passes("5959.2 EUR", ["5,959.20"])
    assert passes("€5,959.20", ["5959.2"])
    assert not passes("5959.21", ["5959.2"])


@pytest.mark.parametrize(("answer", "right"), [
    ("203.0.113.7 tried it", True), ("203.0.113.7.", True), ("203.0.113.77", False), ("1203.0.113.7", False),
    ("3.203.0.113.7", False), ("`203.0.113.7`", True),
])  # fmt: skip
def test_an_address_ends_where_its_digits_end(answer: str, right: bool) -> None:
    assert passes(answer, ["203.0.113.7"]) is right


def test_an_average_may_have_more_decimals_than_asked_for() -> None:
    assert passes("79.9411764705882", ["79.94"])
    assert passes("79.9999", ["80.00"])
    assert not passes("79.9461", ["79.94"])
    assert not passes("79.9", ["79.94"])
    assert not passes("80.4", ["80"])


def test_a_time_is_found_with_its_date_and_not_in_another_time() -> None:
    assert passes("First at 2026-03-12 03:17:07.", ["03:17:07"])
    assert passes("2026-03-12T03:17:07Z", ["03:17:07"])
    assert not passes("03:17:17", ["03:17:07"])
    assert not passes("open 12–18", ["18"])
    assert passes("open 12–18", ["12-18"])
    assert not passes("at 03:17:07", ["17"]), "a part of a time is no number of its own"


def test_all_strings_of_one_alternative_are_needed_and_one_alternative_is_enough() -> None:
    both = ["db-01", "db-02"]
    assert passes("DB-01 and then db-02", both)
    assert not passes("db-01 alone", both)
    assert passes("twelve", ["12"], ["twelve"])


def test_a_forbidden_string_fails_an_answer_that_is_right_otherwise() -> None:
    assert not passes("85 %, or 92 %", ["85"], none=("92",))
    assert passes("85 % since 1992", ["85"], none=("92",))


def test_quotes_and_line_breaks_do_not_matter() -> None:
    assert passes("It doesn’t\nsay  so", ["doesn't say so"])
    assert passes('the "network duty\nengineer"', ["network duty engineer"])


@pytest.mark.parametrize(
    "answer",
    [
        "The phone number is not in the files.",
        "I could not find it.",
        "There is no record of that.",
        "It isn’t stated.",
    ],
)
def test_an_answer_that_says_it_is_not_there_abstains(answer: str) -> None:
    assert ABSTAINS.passes(answer)


@pytest.mark.parametrize(
    "answer", ["It is +49 30 901820.", "No answer: stopped after 10 steps; the number was not found", ""]
)
def test_a_guess_and_a_run_without_an_answer_do_not_abstain(answer: str) -> None:
    assert not ABSTAINS.passes(answer)


def test_a_check_of_what_never_occurs_alone_passes_all_else() -> None:
    assert passes("seven", none=("80",))
    assert not passes("80", none=("80",))


def test_what_is_wanted_is_said_in_words() -> None:
    assert Check((("19",), ("nineteen", "hosts")), ("80",)).wanted == "19, or nineteen and hosts; never 80"
