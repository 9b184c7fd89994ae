"""What is quoted is data: no dialect reads a call in it."""

from __future__ import annotations

import pytest

from ringfence.dialects import read

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
