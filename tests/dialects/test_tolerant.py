"""JSON as small models print it: what is read, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.dialects import Truncated, loads


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1,}', {"a": 1}),
        ("[1, 2, ]", [1, 2]),
        ("{'a': True, 'b': False, 'c': None}", {"a": True, "b": False, "c": None}),
        ('{a: 1, b_c: "x", $d: [], e-f: {}}', {"a": 1, "b_c": "x", "$d": [], "e-f": {}}),
        ('// first\n{"a": /* one */ 1, # two\n "b": 2} // end', {"a": 1, "b": 2}),
        ('{"a": "line\nbreak\ttab"}', {"a": "line\nbreak\ttab"}),
        ("{“a”: ‘b’}", {"a": "b"}),
        ('{"re": "\\d+\\.txt"}', {"re": "\\d+\\.txt"}),
        ("'it\\'s \"so\"'", 'it\'s "so"'),
        ('{"code": """say "hi" \\n"""}', {"code": 'say "hi" \n'}),
        ('"\\ud83d\\ude00 \\u00e9"', "😀 é"),
        ("'\\x41'", "A"),
        ("[.5, 5., +5, -1e3]", [0.5, 5.0, 5, -1000.0]),
        ("﻿ {} ", {}),
        ('{"url": "http://x/#y", "c": "/* no */"}', {"url": "http://x/#y", "c": "/* no */"}),
    ],
)
def test_what_models_make_of_json_is_read(text: str, value: Any) -> None:
    assert loads(text) == value


@pytest.mark.parametrize(
    ("text", "value", "lost"),
    [
        ('{"path": "notes/20', {}, True),
        ('{"n": 12', {}, True),
        ('{"n": tru', {}, True),
        ('{"a": 1, "b', {"a": 1}, True),
        ('{"a": 1, "b":', {"a": 1}, True),
        ('[{"a": [1, 2', [{"a": [1]}], True),
        ('{"a": {"b": "c"', {"a": {"b": "c"}}, False),
        ('{"a": 1, ', {"a": 1}, False),
        ("[", [], False),
    ],
)
def test_a_text_that_was_cut_says_so_and_drops_the_value_it_was_cut_in(text: str, value: Any, lost: bool) -> None:
    with pytest.raises(Truncated) as caught:
        loads(text)
    assert (caught.value.value, caught.value.lost) == (value, lost)


@pytest.mark.parametrize(
    "text",
    [
        "NaN", "[Infinity]", "-Infinity", "{'a': nan}", "[1e999]", '{"a": "say "hi""}', '{"a": b}', '{"a" 1}',
        '{"a": 1 "b": 2}',
        "[1 2]", '{"a": 1,, "b": 2}', "{} {}", "[01]", '"\\ud800"', "{1: 2}", "undefined", "0x10", '{"a": 1]',
        "\x00", "1_000",
    ],
)  # fmt: skip
def test_what_could_only_be_guessed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected"):
        loads(text)
