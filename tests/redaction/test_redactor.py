"""Placeholders: stable in a run, put back exactly, and never confused with what only looks like one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.manifest.record import Privacy
from ringfence.redaction import Redactor, from_manifest
from ringfence.redaction.redactor import RUNS

PIECES = st.sampled_from(
    [
        "bob@example.com",
        "BOB@example.com",
        "4111 1111 1111 1111",
        "4111111111111111",
        "<EMAIL_1>",
        "<CARD_9>",
        "<TEXT_1>",
        "DE89 3704 0044 0532 0130 00",
        "10.1.2.3",
        "call 01 23 45 67 89",
        "plain words",
        "12",
        "\n",
        "s3cret/value+x",
    ]
)
TEXTS = st.lists(PIECES, max_size=8).map(" | ".join)
VALUES = st.recursive(
    TEXTS | st.integers(-(2**53), 2**53) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def test_the_same_value_has_one_placeholder_in_a_run_however_it_is_spelled() -> None:
    redactor = Redactor()
    text = (
        "Bob@Example.com bob@example.com, 4111 1111 1111 1111 / 4111-1111-1111-1111,"
        " de89370400440532013000 DE89 3704 0044 0532 0130 00"
    )
    assert redactor.text("r", text) == "<EMAIL_1> <EMAIL_1>, <CARD_1> / <CARD_1>, <IBAN_1> <IBAN_1>"
    assert redactor.text("r", "amy@example.com bob@example.com") == "<EMAIL_2> <EMAIL_1>"


def test_runs_number_on_their_own() -> None:
    redactor = Redactor()
    assert redactor.text("a", "bob@example.com") == redactor.text("b", "amy@example.com") == "<EMAIL_1>"
    assert redactor.restore("a", "<EMAIL_1>") == "bob@example.com"
    assert redactor.restore("b", "<EMAIL_1>") == "amy@example.com"
    assert redactor.restore("c", "<EMAIL_1>") == "<EMAIL_1>"


def test_what_only_looks_like_a_placeholder_is_not_put_back_as_one() -> None:
    redactor = Redactor()
    redacted = redactor.text("r", "bob@example.com wrote <EMAIL_1> and <CARD_7>")
    assert redacted == "<EMAIL_1> wrote <TEXT_1> and <TEXT_2>"
    assert redactor.restore("r", redacted) == "bob@example.com wrote <EMAIL_1> and <CARD_7>"


@given(TEXTS)
def test_what_was_redacted_comes_back_in_the_spelling_it_had_first(text: str) -> None:
    redactor = Redactor(secrets=["s3cret/value+x"])
    redacted = redactor.text("r", text)
    assert "example.com" not in redacted.lower()
    assert "4111" not in redacted
    assert "s3cret" not in redacted
    back = redactor.restore("r", redacted)
    assert Redactor(secrets=["s3cret/value+x"]).text("r", back) == redacted


@given(VALUES)
def test_a_view_has_the_structure_of_the_value_and_comes_back(value: object) -> None:
    redactor = Redactor(secrets=["s3cret/value+x"])
    view = redactor.view("r", value)
    assert shape(view) == shape(value)
    shown = json.dumps(view)
    assert "example.com" not in shown.lower()
    assert "4111111111111111" not in shown
    assert "s3cret" not in shown


def shape(value: object) -> object:
    if isinstance(value, dict):
        return [shape(item) for item in value.values()]
    if isinstance(value, list):
        return [shape(item) for item in value]
    return value if value is None or isinstance(value, bool) else "leaf"


@given(st.lists(VALUES, max_size=4), VALUES)
def test_after_a_restart_the_numbering_goes_on_the_same(before: list[object], then: object) -> None:
    first, second = Redactor(), Redactor()
    for value in before:
        first.view("r", value)
    second.recall("r", before)
    assert second.view("r", then) == first.view("r", then)


def test_a_key_says_what_its_value_is() -> None:
    redactor = Redactor()
    value = {
        "dob": "1984-03-12",
        "created": "2024-03-12",
        "bsn": "111222333",
        "phone": 600123456,
        "orders": 600123456,
        "card": 4111111111111111,
    }
    assert redactor.view("r", value) == {
        "dob": "<DOB_1>",
        "created": "2024-03-12",
        "bsn": "<ID_1>",
        "phone": "<PHONE_1>",
        "orders": 600123456,
        "card": "<CARD_1>",
    }


def test_keys_are_redacted_too_and_what_is_clean_stays_the_very_value() -> None:
    redactor = Redactor()
    assert redactor.view("r", {"bob@example.com": [1]}) == {"<EMAIL_1>": [1]}
    clean = {"a": ["b", 1, None, 2.5, True]}
    assert redactor.view("r", clean) is clean


def test_keys_that_would_become_one_stay_two() -> None:
    redactor = Redactor()
    view = redactor.view("r", {"bob@example.com": 1, "BOB@example.com": 2})
    assert len(view) == 2
    assert "example.com" not in json.dumps(view).lower()


def test_the_run_used_longest_ago_is_forgotten_first_and_one_can_be_forgotten_by_name() -> None:
    redactor = Redactor()
    for number in range(RUNS + 1):
        redactor.text(f"r{number}", "bob@example.com")
    assert redactor.restore("r0", "<EMAIL_1>") == "<EMAIL_1>"
    assert redactor.restore("r1", "<EMAIL_1>") == "bob@example.com"
    redactor.forget("r1")
    assert redactor.restore("r1", "<EMAIL_1>") == "<EMAIL_1>"


def test_values_of_a_run_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.redaction.redactor.VALUES", 2)
    redactor = Redactor()
    assert redactor.text("r", "a@x.org b@x.org c@x.org a@x.org") == "<EMAIL_1> <EMAIL_2> <EMAIL> <EMAIL_1>"
    assert redactor.restore("r", "<EMAIL> <EMAIL_2>") == "<EMAIL> b@x.org"


def test_what_overlaps_goes_as_a_whole() -> None:
    redactor = Redactor(secrets=["example.com/hook9"])
    assert redactor.text("r", "bob@example.com/hook9 x") == "<SECRET_1> x"


def test_a_manifest_makes_a_redactor_without_names() -> None:
    redactor = from_manifest(Privacy(), ["s3cretvalue!"])
    assert redactor.text("r", "Jane Doe has s3cretvalue!") == "Jane Doe has <SECRET_1>"
