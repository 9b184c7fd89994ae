"""Hostile sizes and shapes: bounded time, no crash."""

from __future__ import annotations

import time

import pytest

from ringfence.dialects import loads, read
from ringfence.dialects.tolerant import MAX_DEPTH, MAX_TEXT

FLOODS = [
    "[", "{", "[{", "(", '"', "'", "`", "``` ", "~~~", "\\", " ", "\n", "\t\n", "> ", "\n> ", "<", "<think>",
    "</think>",
    "<tool_call>", "<tool_call>{", "<tools>", "[TOOL_CALLS]", "[TOOL_CALLS][{", "<|python_tag|>",
    "<function=calc>",
    "<function=calc><parameter=a>", "<parameter=a>", "<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>calc",
    ">>>calc\n{",
    "functools[", "\nAction: calc\nAction Input: ", "\nObservation: ", "[calc(", "[calc(a=", "calc(", "/*", "//", "#",
    '{"a":', '{"a":1}', '{"name":"calc","arguments":{}}', "<tool_response>", "<start_function_call>call:calc{",
    "<escape>",
    "<tool_call>calc<arg_key>", "<|tool_call_begin|>calc<|tool_call_argument_begin|>{", '<invoke name="calc">',
    "a`b``c",
    "```json\n{", "```python\n", "“", "<|channel|>analysis<|message|>", "\u2028", "é", "{'a': '", "[1,",
]  # fmt: skip


@pytest.mark.parametrize("piece", FLOODS)
def test_a_flood_of_one_piece_is_over_in_time_linear_in_it(piece: str) -> None:
    text = piece * (MAX_TEXT // len(piece))
    began = time.process_time()
    read(text, ("calc",))
    read("<tool_call>{" + text[:-20], ("calc",))
    assert time.process_time() - began < 4.0  # 0.1 to 0.5 s here; a quadratic walk takes minutes


def test_ten_megabytes_are_refused_unread() -> None:
    reading = read("[" * 10_000_000, ("calc",))
    assert reading.calls == ()
    assert "at most" in reading.fault
    with pytest.raises(ValueError, match="at most"):
        loads("[" * 10_000_000)


def test_depth_is_bounded() -> None:
    assert loads("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    for deep in ("[" * 40 + "]" * 40, '{"a":' * 40 + "1" + "}" * 40, "{'a':" * 40 + "1" + "}" * 40, "[" * 100_000):
        with pytest.raises(ValueError, match="levels"):
            loads(deep)


def test_a_model_that_prints_the_same_call_without_end_is_stopped() -> None:
    reading = read('{"name": "calc", "arguments": {}}\n' * 1000, ("calc",))
    assert len(reading.calls) <= 64
    assert "at most" in reading.fault
