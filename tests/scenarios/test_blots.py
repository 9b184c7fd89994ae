"""Secrets are blotted out of what comes back, and nothing beside them is touched."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ringfence.app.blots import MARK, Blots, Blotted
from ringfence.core.errors import ToolError
from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action, Outcome

SECRET = "mt/2Wx+4Kl=canary.Mcp-c05e7f62"
ENCODED = base64.b64encode(SECRET.encode()).decode()
BLOTS = Blots([SECRET])


class Says:
    """A sink that answers, or fails, with what it was told to."""

    def __init__(self, said: Any) -> None:
        self.said = said

    async def perform(self, action: Action) -> Outcome:
        if isinstance(self.said, Exception):
            raise self.said
        return Outcome(self.said)


def test_only_the_secret_goes_and_no_key_or_character_beside_it() -> None:
    said = {"base64": ENCODED, "within": 3, "hex": SECRET.encode().hex(), "rows": [{"a": f"x {SECRET} y"}, None, 1.5]}
    clean = {"base64": MARK, "within": 3, "hex": MARK, "rows": [{"a": f"x {MARK} y"}, None, 1.5]}
    assert BLOTS.value(said) == clean


def test_a_key_of_a_result_that_is_a_secret_goes_too() -> None:
    assert BLOTS.value({SECRET: True, "b": [SECRET]}) == {MARK: True, "b": [MARK]}


def test_a_secret_that_is_split_over_the_lines_of_a_list_goes_and_the_list_keeps_its_length() -> None:
    clean = BLOTS.value(["first", SECRET[:11], SECRET[11:], "last"])
    assert clean == ["first", MARK, "", "last"]


def test_what_holds_no_secret_is_handed_on_as_it_is() -> None:
    said = {"text": "nothing\0here", "rows": [["a", "b"], []]}
    assert BLOTS.value(said) is said


def test_a_short_word_or_one_of_letters_alone_is_no_secret_that_could_be_told_from_text() -> None:
    blots = Blots(["password", "a1b2c3", "correcthorsebattery"])
    assert (
        blots.text("the password of a1b2c3 is correcthorsebattery") == "the password of a1b2c3 is correcthorsebattery"
    )


async def test_a_fault_says_no_secret() -> None:
    sink = Blotted(Says(ToolError(f"no {SECRET}", todo=f"try {ENCODED}")), BLOTS)
    with pytest.raises(ToolError) as fault:
        await sink.perform(Action("tool:birds", {}, IDENTITY))
    assert (fault.value.what, fault.value.todo, fault.value.args) == (f"no {MARK}", f"try {MARK}", (f"no {MARK}",))
