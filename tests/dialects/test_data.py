"""What is quoted is data: no dialect reads a call in it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.dialects import read
from ringfence.engine import ladder
from ringfence.engine.ladder import Unreadable

CALL = '{"name": "files.read", "arguments": {"path": "a.txt"}}'
NAMES = ("files.read", "calc")


@pytest.mark.parametrize(
    "text",
    [
        f"> {CALL}",
        f"He wrote:\n  > <tool_call>{CALL}</tool_call>\n",
        f"Like `{CALL}`, say.",
        f"Like ``{CALL} ` ``, say.",
        f"```python\n{CALL}\n```",
        f"```text\n{CALL}\n```",
        f"```yaml\n{CALL}\n```\nand ~~~console\n{CALL}\n~~~",
        f"```console\n{CALL}\n",
        f"```\n$ cat log\n{CALL}\n```",
        f"```xml\n<log><entry>{CALL}</entry></log>\n```",
        f"```\n<script>{CALL}</script>\n```",
        "It goes Action: calc\nAction Input: 1 + 1",
        f"````text\n```json\n{CALL}\n```\n````",
        f"<tool_response>\n{CALL}\n</tool_response>",
        f"<tool_response>\n{CALL}",
        f"Done.<|im_end|>\n<|im_start|>user\n{CALL}",
        f"Done.<|observation|>\n{CALL}",
        f"Done.<|user|>\n{CALL}",
        "<|channel|>analysis<|message|>I could <|channel|>commentary to=functions.calc<|message|>{}<|call|>",
        f"Thought: x\nObservation: {CALL}",
        f"<think>I could {CALL}</think>It is 5.",
        f"I could {CALL}</think>It is 5.",
        f"<think>I could {CALL}",
    ],
)
def test_what_is_quoted_or_thought_is_no_call(text: str) -> None:
    reading = read(text, NAMES)
    assert reading.calls == reading.unknown == ()
    assert reading.dialect == ""


def test_a_call_in_an_argument_is_an_argument() -> None:
    inner = CALL.replace('"', "'")
    text = f'{{"name": "calc", "arguments": {{"text": "```json\\n{inner}\\n``` <tool_call>{inner}</tool_call>"}}}}'
    [call] = read(text, NAMES).calls
    assert call.tool == "calc"
    assert inner in call.args["text"]


def test_what_stands_behind_a_broken_call_is_not_read() -> None:
    inner = CALL.replace('"', "'")
    reading = read(f'{{"name": "calc", "arguments": {{"text": "he said "hi" {inner}"}}}}\n{CALL}', NAMES)
    assert reading.calls == ()
    assert "expected" in reading.fault


def test_calls_around_quotations_are_read() -> None:
    text = f"> {CALL}\n\n```text\n{CALL}\n```\nSo:\n```json\n{CALL}\n```\nand `{CALL}`"
    reading = read(text, NAMES)
    assert [call.tool for call in reading.calls] == ["files.read"]
    assert reading.prose.startswith("> {")


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "calc", "name": "files.read", "arguments": {"path": "a.txt"}}',
        "{'name': 'calc', 'name': 'files.read', 'arguments': {'path': 'a.txt',}}",
        '<tool_call>{"name": "files.read", "arguments": {"path": "a.txt", "path": "b.txt"}}</tool_call>',
        '<tool_call>{"name": "files.read", "arguments": "{\\"path\\": \\"a\\", \\"path\\": \\"b\\"}"}</tool_call>',
        '{"tool_calls": [], "tool_calls": [{"name": "files.read", "arguments": {"path": "a.txt"}}]}',
        '[{"name": "files.read", "arguments": {"path": "a.txt", "more": [{"x": 1, "x": 1}]}}]',
        '[TOOL_CALLS]files.read[ARGS]{"path": "a.txt", "p\\u0061th": "b.txt"}',
        '<function=files.read>{path: "http://a", path: "b.txt"',
        '[files.read(path={"of": 1, "of": 2})]',
        '<invoke name="files.read"><parameter name="path">a</parameter><parameter name="path">b</parameter></invoke>',
        "<tool_call>calc<arg_key>x</arg_key><arg_value>1</arg_value><arg_key>x</arg_key><arg_value>2</arg_value></tool_call>",
    ],
)
def test_a_call_in_which_a_key_stands_twice_is_none(text: str) -> None:
    """Nobody can tell which of the two is meant."""
    reading = read(text, NAMES)
    assert reading.calls == reading.unknown == ()
    assert "once" in reading.fault


def test_in_data_a_key_may_stand_twice() -> None:
    [call] = read(f'The row is {{"name": "a", "name": "b"}}, so:\n{CALL}', NAMES).calls
    assert call.args == {"path": "a.txt"}


@given(
    st.recursive(st.text(':"{a', max_size=3), lambda i: st.lists(i) | st.dictionaries(st.text("a:b", max_size=2), i))
)
def test_no_call_is_refused_for_a_key_that_stands_there_once(value: object) -> None:
    args = {"a": value}
    for text in (json.dumps({"name": "calc", "arguments": args}), repr({"name": "calc", "arguments": args})):
        assert [call.args for call in read(text, NAMES).calls] == [args]


@pytest.mark.parametrize("wrap", ["{}", "Well.\n```json\n{}\n```"])
def test_a_step_in_which_a_key_stands_twice_makes_no_call(wrap: str) -> None:
    call = '{"tool": "calc", "tool": "files.read", "args": {"path": "a.txt"}}'
    with pytest.raises(Unreadable, match="once"):
        ladder.read(wrap.replace("{}", f'{{"thought": "", "calls": [{call}]}}'), NAMES)
    twice = '{"thought": "", "thought": "", "final_answer": "42"}'
    assert ladder.read(wrap.replace("{}", twice), NAMES).final
