"""Whether a tool is made for what is asked."""

from __future__ import annotations

import importlib
import math
import sys
from pathlib import Path

import pytest

from ringfence.core.policy import SinkSpec

sys.path.insert(0, str(Path(__file__).parents[2] / "bench" / "slm"))
fit = importlib.import_module("fit")

CONVERT = SinkSpec("tool:currency.convert", summary="Convert an amount from one currency to another.")
BRACKETS = SinkSpec("tool:playoff_brackets", summary="Display the brackets of a playoff for a year.")


def test_a_tool_whose_words_the_request_uses_covers_it_and_another_does_not() -> None:
    request = "Convert 100 dollars into another currency, in euros."
    assert fit.cover(request, CONVERT) > 0.7
    assert fit.cover(request, BRACKETS) == 0


def test_words_meet_whatever_their_endings_case_and_humps() -> None:
    tool = SinkSpec("tool:countWords", summary="")
    assert fit.cover("COUNTING the word", tool) == 1


@pytest.mark.parametrize("request_", ["", "?", "\u0000" * 10, "日本の首都はどこですか", "x" * 1_000_000])
def test_what_has_no_words_of_a_tool_covers_nothing(request_: str) -> None:
    assert fit.cover(request_, CONVERT) == 0


def test_a_tool_without_words_is_covered_by_nothing() -> None:
    assert fit.cover("anything at all", SinkSpec("tool:")) == 0


@pytest.mark.parametrize(
    ("text", "sure", "odds"),
    [
        ('{"fits": true}', 0.75, math.log(3)),
        ('{"fits": false}', 0.75, -math.log(3)),
        ('{"fits": true}', None, fit.UNKNOWN),
        ('{"fits": false}', None, -fit.UNKNOWN),
        ('{"fits": "true"}', 0.9, 0.0),
        ("[true]", 0.9, 0.0),
        ("yes", 0.9, 0.0),
        ("", None, 0.0),
    ],
)
def test_an_answer_is_read_as_log_odds_and_what_is_none_says_nothing(
    text: str, sure: float | None, odds: float
) -> None:
    assert fit.judged(text, sure) == pytest.approx(odds)


@pytest.mark.parametrize("sure", [0.0, 1.0])
def test_a_probability_at_either_end_is_finite(sure: float) -> None:
    assert math.isfinite(fit.judged('{"fits": true}', sure))


def test_words_save_what_the_model_doubts_and_a_sure_model_what_uses_other_words() -> None:
    assert fit.fits(fit.judged('{"fits": false}', 0.55), 0.8)
    assert fit.fits(fit.judged('{"fits": true}', 0.9), 0.0)
    assert not fit.fits(fit.judged('{"fits": true}', 0.55), 0.0)
    assert not fit.fits(fit.judged('{"fits": false}', 0.9), 0.5)
