"""When two texts say the same, and when one contradicts the other."""

from __future__ import annotations

import pytest

from ringfence.knowledge.memory.wording import same, slot, whole_statement


@pytest.mark.parametrize(
    ("text", "of"),
    [
        ("My manager is Bob.", "user manager"),
        ("The user's manager is Carol", "user manager"),
        ("The manager of Alice is Bob", "alice manager"),
        ("Alice's manager is now Carol.", "alice manager"),
        ("Remember that my favourite colour is blue!", "user favourite colour"),
        ("database port: 5432", "database port"),
        ("The database port is 5432.", "database port"),
        ("Mein Passwortmanager ist KeePass", "user passwortmanager"),
        ("My car is in the garage", "user car at"),
        ("My car is red", "user car"),
    ],
)
def test_a_statement_gives_the_value_of_one_thing(text: str, of: str) -> None:
    assert slot(text) == of


@pytest.mark.parametrize(
    "text",
    [
        "The printer is broken.",
        "It is red.",
        "Alice likes tea.",
        "My manager is not Bob.",
        "My manager is Bob. Alice is on leave.",
        "Is my manager Bob?",
        "",
    ],
)
def test_what_gives_no_value_supersedes_nothing(text: str) -> None:
    assert slot(text) == ""


def test_names_numbers_and_denials_tell_texts_apart_however_alike_they_are() -> None:
    assert same("The port is open", "the PORT is open!", similarity=0.0)
    assert not same("The port is 80 today", "The port is 81 today", similarity=0.99)
    assert not same("Ask Bob for the key", "Ask Eve for the key", similarity=0.99)
    assert not same("Alice drinks tea", "Alice never drinks tea", similarity=0.99)
    assert not same("Alice drinks tea", "Alice drinks black tea", similarity=0.7)
    assert same("Alice drinks tea", "Alice drinks the tea", similarity=0.95)


def test_words_taken_out_of_a_statement_are_none_of_their_own() -> None:
    said = "Never delete the backups. Remember that I like tea"
    assert whole_statement("never delete the backups", said)
    assert whole_statement("I like tea.", said)
    assert not whole_statement("delete the backups", said)
    assert not whole_statement("", said)
