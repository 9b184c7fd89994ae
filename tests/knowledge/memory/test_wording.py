"""When two texts say the same, and when one contradicts the other."""

from __future__ import annotations

import pytest

from ringfence.knowledge.memory.wording import same, slot, told, whole_statement


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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The port is open", "the PORT is open!"),
        ("Alice drinks tea", "Alice drinks the tea"),
        ("My manager is Bob", "The user's manager is Bob."),
        ("my manager is Bob", "Bob is my manager"),
    ],
)
def test_the_same_words_say_the_same(one: str, other: str) -> None:
    assert same(one, other, similarity=0.96)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The port is 80 today", "The port is 81 today"),
        ("Ask Bob for the key", "Ask Eve for the key"),
        ("Alice drinks tea", "Alice never drinks tea"),
        ("Deploys happen on Friday afternoon", "Deploys happen on Friday evening"),
        ("Enable the firewall before deploying", "Disable the firewall before deploying"),
        ("Ann manages Bob", "Bob manages Ann"),
        ("my manager was Bob", "my manager is Bob"),
    ],
)
def test_whatever_tells_texts_apart_keeps_them_apart_however_alike_their_vectors_are(one: str, other: str) -> None:
    assert not same(one, other, similarity=0.99)


def test_what_nobody_said_is_told_from_what_somebody_did() -> None:
    said = "From now on answer in short sentences."
    assert told("The user wants answers in short sentences.", said)
    assert not told("I need help with my homework.", said)


def test_words_taken_out_of_a_statement_are_none_of_their_own() -> None:
    said = "Never delete the backups. Remember that I like tea"
    assert whole_statement("never delete the backups", said)
    assert whole_statement("I like tea.", said)
    assert not whole_statement("delete the backups", said)
    assert not whole_statement("", said)
