"""What is rewritten for the strict decoder is what our own reads, and a long text takes no more than its share."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.dialects import Truncated, loads, tolerant

PIECES = [
    "{", "}", "[", "]", ",", ":", '"', "'", "“", "”", "‘", "’", '"""', '""', "\\", "\\\\", "\\n", "\\d", "\\x41",
    "\\u00e9",
    "\\U0001F600", "\\'", '\\"', "\n", " ", "True", "None", "false", "null", "a", "b:", "$x", "$", "1", ".5", "5.",
    "+5", "+.5", "-.5", "5.e3", "-1e3", "1e999", "NaN", "// c\n", "# c\n", "/* c */", "/*", '"a"', "'b'", '"k":',
    "'k':", '{"a":1}', "[1,2]", '"a":1,', "1,", "'x',", "```", "</t>", "\ufeff", "e5", "\x00", "\ue000", "é",
    "{a:1,}", '[{"x":[1]},', '/* \' */', '# "\n',
]  # fmt: skip


def _read(text: str, window: int, monkeypatch: pytest.MonkeyPatch) -> tuple[str, object]:
    monkeypatch.setattr(tolerant, "_WINDOW", window)
    try:
        return "read", tolerant.decode(text, 0, ("</t>", "```"))
    except Truncated as short:
        return "cut", (short.value, short.lost)
    except ValueError:
        return "refused", None


def _by_hand(text: str) -> tuple[str, object]:
    """Without the rewriting, and without the strict decoder but for parts."""
    parser = tolerant._Parser(text, ("</t>", "```"), lambda at: text[at:])
    try:
        value, end = parser.value(0, tolerant.MAX_DEPTH)
        tolerant._whole(parser, value, end)
        return "read", (value, end)
    except Truncated as short:
        return "cut", (short.value, short.lost)
    except ValueError:
        return "refused", None


@settings(max_examples=1500)
@given(st.sampled_from("{["), st.lists(st.sampled_from(PIECES), max_size=14).map("".join), st.sampled_from([4, 1024]))
def test_rewriting_makes_nothing_of_a_text_that_reading_by_hand_does_not(first: str, rest: str, window: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        found, by_hand = _read(first + rest, window, patch), _by_hand(first + rest)
        try:
            json.loads(first + rest, strict=False)
        except ValueError:
            assert repr(found) == repr(by_hand)


WORST = {
    "literals": "{'a': True}, ",
    "words": "'w', ",
    "comments": "1, /* x */ ",
    "open strings": "'",
    "commas": ", /* x */",
    "bare keys": "{a: 1}, ",
    "escapes": '"\\d", ',
    "tripled": '"""',
    "points": "5., .5, +5, ",
    "nested": "[{a: [",
    "both marks": "\"a\", 'b', True, ",
    "open comments": "/* ",
    "commas before blanks": ",   ",
}


@pytest.mark.parametrize("piece", WORST.values(), ids=WORST)
def test_six_times_the_text_takes_about_six_times_the_time(piece: str) -> None:
    def took(size: int) -> float:
        text = "[" + piece * (size // len(piece))
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            with contextlib.suppress(ValueError):
                loads(text)
            best = min(best, time.process_time() - began)
        return best

    assert took(240_000) < 12 * took(40_000) + 0.05  # six times the text; quadratic would be thirty-six times
