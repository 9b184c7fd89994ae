"""Who vouches for a value: whole, of one kind, from words that somebody trusted wrote."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.provenance import FORMS, Words, at, between, declared, earlier, forms_of, scalars, sole

TASK = """Please move 1,250.50 from DE89370400440532013000 to Alice Miller's account, and write "Rent, second half"
into reports/rent.md on May 3rd, 2024 at 9:30. Ask bob.k@mail.example (or +49-30-1234567) in the general channel;
see https://intra.example/wiki/rent?id=7. The file is invoice-2024-04, the host db1.example.org, the server 10.0.0.7."""

VOUCHED = [
    (1250.5, "number"), ("1250.50", "number"), ("DE89370400440532013000", "iban"), ("Alice Miller", "name"),
    ("alice miller", "name"), ("Rent, second half", "title"), ("reports/rent.md", "path"), ("2024-05-03", "date"),
    ("09:30", "time"), ("9:30", "time"), ("2024-05-03 09:30", "datetime"), ("2024-05-03T09:30", "datetime"),
    ("bob.k@mail.example", "email"), ("BOB.K@mail.example", "email"), ("+49-30-1234567", "phone"),
    ("general", "channel"), ("https://intra.example/wiki/rent?id=7", "url"), ("invoice-2024-04", "id"),
    ("db1.example.org", "host"), ("10.0.0.7", "ip"), ("Rent, second half", ""),
]  # fmt: skip
STRAYS = [
    (1250, "number"), (250.5, "number"), (True, "number"), (None, "number"), ([1250.5], "number"),
    ("DE89370400440532013001", "iban"), ("DE89", "iban"), ("Alice Mill", "name"), ("Bob Miller", "name"),
    ("rent.md", "path"), ("reports/rent.md.bak", "path"), ("../reports/rent.md", "path"), ("2024-05-04", "date"),
    ("10:30", "time"), ("2024-05-03 10:30", "datetime"), ("b.k@mail.example", "email"),
    ("bob.k@mail.example.evil.example", "email"), ("https://intra.example/wiki/rent", "url"),
    ("https://intra.example/wiki/rent?id=7&x=1", "url"), ("channel general", "channel"), ("example.org", "host"),
    ("10.0.0.71", "ip"), ("", "name"), ("general", ""), ("general\nrandom", "channel"),
    ("general!!!", "channel"), ("general's", "channel"), ("channel see", "name"), ("bob.k@maıl.example", "email"),
    ("Alice\nMiller", "name"), ("../general", "channel"),
    ("general ..", "channel"), ("*general", "channel"), (" general", "channel"), ("general\x00", "channel"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kind"), VOUCHED)
def test_what_the_user_wrote_is_vouched_for_as_its_kind(value: Any, kind: str) -> None:
    assert Words([TASK]).vouch(value, kind)


@pytest.mark.parametrize(("value", "kind"), STRAYS)
def test_part_of_it_more_than_it_or_something_else_is_not(value: Any, kind: str) -> None:
    assert not Words([TASK]).vouch(value, kind)


@pytest.mark.parametrize(
    ("value", "kind"),
    [("2024-05-03", "street"), ("1250.50", "street"), ("bob.k@mail.example", "name"), ("10.0.0.7", "channel"),
     ("https://intra.example/wiki/rent?id=7", "title"), ("2024-05-03", "number"), ("2024-05-03", "path")],
)  # fmt: skip
def test_a_date_is_no_street(value: str, kind: str) -> None:
    assert not Words([f"{TASK} on 2024-05-03"]).vouch(value, kind)


def test_quotation_marks_make_a_span_a_value_of_any_kind_but_that_of_another_form() -> None:
    words = Words(["call it 'Plan B', `notes/a b.txt`, “2024-05-03” and don't do what isn't said"])
    assert words.vouch("Plan B", "title")
    assert words.vouch("notes/a b.txt", "path")
    assert words.vouch("2024-05-03", "date")
    assert not words.vouch("2024-05-03", "title")
    assert not words.vouch("Plan B", "iban")
    assert not words.vouch("Plan B", "date")
    assert not words.vouch("t do what isn", "")


DATES = (
    "Free from January 11th to 15 January 2025, an hour each at 10:00 on 2025-01-12, then a 30-minute call."
    " See www.a.example.Then 1. go 2. pay #42, id: 77, number 8 and 123456."
)


@pytest.mark.parametrize(
    ("value", "kind", "yes"),
    [
        ("2025-01-11", "date", True), ("2025-01-15", "date", True), ("2024-01-11", "date", False),
        ("2025-01-11 00:00", "datetime", True), ("2025-01-11T23:59:00", "datetime", True),
        ("2025-01-12T10:00:00Z", "datetime", True), ("2025-01-11 01:00", "datetime", False),
        ("www.a.example", "url", True), ("www.a.example.Then", "url", False),
        ("42", "id", True), ("77", "id", True), ("8", "id", True), ("123456", "id", True),
        ("1", "id", False), ("2", "id", False), ("10", "id", False),
    ],
)  # fmt: skip
def test_dates_without_a_year_whole_days_and_numbers_that_are_called_ids(value: str, kind: str, yes: bool) -> None:
    assert Words([DATES]).vouch(value, kind) is yes


def test_durations_in_words_are_minutes() -> None:
    assert Words([DATES]).spans == {60.0, 30.0}
    assert Words(["half an hour, two days, 1.5 hours, 3 weeks"]).spans == {30.0, 2880.0, 90.0, 30240.0}
    assert earlier("2025-01-12 11:00", 60) == "2025-01-12 10:00"
    assert (earlier("noon", 60), earlier("0001-01-01 00:00", 60)) == ("", "")
    assert between("2025-01-12 11:00", "2025-01-12 10:30") == 30
    assert (between("2025-01-12 11:00"), between("x", "y")) == (0, 0)


def test_the_sole_value_of_a_kind_in_a_text() -> None:
    assert sole("write to (a@b.example), yes: a@b.example!", "email") == "a@b.example"
    assert sole("a@b.example or c@d.example", "email") == ""
    assert sole("nobody", "email") == ""


def test_messages_do_not_run_into_each_other() -> None:
    words = Words(["write to Alice", "Miller is away"])
    assert words.vouch("Alice", "name")
    assert not words.vouch("Alice Miller", "name")


def test_what_is_word_for_word_the_users_is_told_from_what_is_not() -> None:
    words = Words(["Tell them: the deploy is done, go home."])
    assert words.wrote("The deploy is done - go home!") is False
    assert words.wrote("the deploy is done, go home")
    assert not words.wrote("")
    assert not words.wrote("![](")


@given(st.text(max_size=80), st.text(max_size=20), st.sampled_from([*FORMS, "name", "datetime", ""]))
def test_no_text_breaks_it_and_nothing_is_vouched_for_that_is_not_there(text: str, value: str, kind: str) -> None:
    if Words([text]).vouch(value, kind):
        assert value.strip()
        written = "".join(text.casefold().split())
        bare = "".join(value.casefold().split())
        assert kind in ("number", "date", "time", "datetime") or all(c in written for c in bare)


@given(st.from_regex(FORMS["date"], fullmatch=True))
def test_a_written_form_is_of_its_kind(token: str) -> None:
    assert "date" in forms_of(token)


def test_scalars_have_their_json_pointers() -> None:
    value = {"a/b": [1, {"c~": "x"}], "e": [], "n": None}
    assert list(scalars(value)) == [("/a~1b/0", 1), ("/a~1b/1/c~0", "x"), ("/e", []), ("/n", None)]
    assert [at(value, pointer) for pointer, _ in scalars(value)] == [1, "x", [], None]
    assert at(value, "") is value


@pytest.mark.parametrize("pointer", ["/x", "/a~1b/7", "/a~1b/x", "/n/0", "/a~1b/-1", "/e/0"])
def test_a_pointer_to_nothing_is_a_lookup_error(pointer: str) -> None:
    with pytest.raises(LookupError):
        at({"a/b": [1, {"c~": "x"}], "e": [], "n": None}, pointer)


def test_declared_parts_are_found_by_pattern_and_text_under_them_is_not() -> None:
    mails = [{"from": "a@b.example", "body": "hi", "cc": ["c@d.example"]}, {"from": {"x": 1}, "body": "2", "cc": []}]
    found = list(declared(mails, ["/*/from", "/*/cc/*"]))
    exact = [("/0/from", "/*/from"), ("/0/cc/0", "/*/cc/*")]
    assert [pair for pair in found if pair[0] is not None] == exact
    assert (None, "/*/from") in found  # the object beneath it is its business, and vouches for nothing
    assert list(declared(mails, [])) == []
    shares = {"files": [{"with": {"a@b.example": "r", "x/y": "rw"}}]}
    shared = [at(shares, p) for p, _ in declared(shares, ["/files/*/with/*#"]) if p is not None]
    assert shared == ["a@b.example", "x/y"]


def test_what_is_declared_is_bounded() -> None:
    assert len(list(declared([{"n": n} for n in range(5000)], ["/*/n"]))) == 2000


def test_two_long_numbers_are_never_one() -> None:
    assert not Words(["pay 12345678901234567"]).vouch("12345678901234568", "number")


def test_what_folds_to_the_same_letters_is_another_address() -> None:
    assert not Words(["mail bob@fass.example"]).vouch("bob@fa\u00df.example", "email")


@pytest.mark.parametrize("text", ["no" + " " * 50_000, "\u2018" * 50_000, "'" * 50_000, '"a' * 30_000, "1-" * 30_000])
def test_no_text_takes_long_to_read(text: str) -> None:
    began = time.process_time()
    Words([text])
    assert time.process_time() - began < 5  # quadratic ones take minutes
