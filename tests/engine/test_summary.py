"""What a model is asked when a conversation is summed up: bounded, whatever was said."""

from __future__ import annotations

import json

import pytest

from ringfence.core.labels import Label, Trust
from ringfence.core.values import Deny, Outcome
from ringfence.engine.context import Said
from ringfence.engine.summary import MAX_CHARS, _prompt, _read
from ringfence.engine.tier import Tier

LABEL = Label(Trust.USER)


def asked(messages: list[Said], *, window: int = 2048, notes: str = "") -> tuple[str, int, int]:
    """The question, its size in bytes, and the messages that are left out."""
    made = _prompt(Tier("model:main", window), messages, Said("assistant", notes, LABEL) if notes else None)
    return json.loads(made.messages[1])["content"], sum(map(len, made.messages)), made.left_out


def test_a_long_message_is_cut_to_its_beginning_and_its_end() -> None:
    text, size, left_out = asked([Said("user", "begin " + "x" * 1_000_000 + " end", LABEL)])
    assert "User: begin" in text
    assert text.count("end") >= 1
    assert (size < 3_000, left_out) == (True, 0)


def test_of_more_messages_than_the_window_holds_the_newest_are_read_and_the_rest_is_counted() -> None:
    said = [Said("user" if n % 2 else "assistant", f"message {n} " + "y" * 600, LABEL) for n in range(60)]
    text, size, left_out = asked(said, notes="They spoke of owls.")
    assert "message 59" in text
    assert "message 0 " not in text
    assert "Notes so far: They spoke of owls." in text
    assert left_out > 40
    assert size * 0.4 < 2048


@pytest.mark.parametrize(
    ("result", "read"),
    [
        (Outcome({"text": '{"summary": " Two   owls. "}'}), ("Two owls.", "")),
        (Outcome({"text": '{"summary": ""}'}), ("", "the model wrote none")),
        (Outcome({"text": "not JSON"}), ("", "the model wrote none")),
        (Outcome({"text": "[1]"}), ("", "the model wrote none")),
        (Outcome({"error": "no server", "todo": ""}, ok=False), ("", "no server")),
        (Deny("POL-5", "readers", "it may not see that"), ("", "it may not see that")),
    ],
)
def test_whatever_a_model_answers_is_a_summary_or_none(result: object, read: tuple[str, str]) -> None:
    assert _read(result) == read


def test_a_summary_is_no_longer_than_it_may_be() -> None:
    assert len(_read(Outcome({"text": json.dumps({"summary": "z" * 5000})}))[0]) == MAX_CHARS
