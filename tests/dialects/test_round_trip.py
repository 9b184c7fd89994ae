"""A call rendered in any dialect is read as the same call, and what is no call raises nothing."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ringfence.dialects import loads, read, repaired, steps

from .corpus import cases

NAMES = ("files.read", "calc", "notes.add")
Args = dict[str, Any]

# Text without what a dialect ends with: there is no escape in a tag's text, nor in FunctionGemma's.
text = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\x0b\x0c\r\x1c\x1d\x1e\x85\u2028\u2029"), max_size=40
)
safe = st.text(st.sampled_from("abc XYZ019.,;:!?'\"`{}[]()#/\\-_=+\n\té€<&"), max_size=40).filter(
    lambda t: "</" not in t
)
keys = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
scalars = (
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars | text, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3)
)
calls = st.tuples(st.sampled_from(NAMES), st.dictionaries(keys, values, max_size=4))


def _object(name: str, args: Args) -> str:
    return json.dumps({"name": name, "arguments": args})


def _pythonic(name: str, args: Args) -> str:
    return f"{name}({', '.join(f'{key}={_literal(value)}' for key, value in args.items())})"


def _literal(value: Any) -> str:
    return repr(value) if not isinstance(value, str) else json.dumps(value)


JSON_DIALECTS: dict[str, Callable[[str, Args], str]] = {
    "bare": _object,
    "spaced": lambda name, args: json.dumps({"tool": name, "parameters": args}, indent=2, ensure_ascii=False),
    "stringified": lambda name, args: json.dumps({"function": {"name": name, "arguments": json.dumps(args)}}),
    "list": lambda name, args: f"[{_object(name, args)}]",
    "step": lambda name, args: json.dumps({"thought": "x", "calls": [{"tool": name, "args": args}]}),
    "prose": lambda name, args: f"I will call it: {_object(name, args)} now.",
    "fenced": lambda name, args: f"```json\n{_object(name, args)}\n```",
    "bare fence": lambda name, args: f"Here:\n\n```\n{_object(name, args)}\n```\n",
    "underscores": lambda name, args: _object(name.replace(".", "_"), args),
    "hermes": lambda name, args: f"<tool_call>\n{_object(name, args)}\n</tool_call>",
    "qwen": lambda name, args: f"<tools>\n{_object(name, args)}\n</tools>",
    "llama": lambda name, args: f"<|python_tag|>{_object(name, args)}",
    "llama function": lambda name, args: f"<function={name}>{json.dumps(args)}</function>",
    "mistral": lambda name, args: f"[TOOL_CALLS] [{_object(name, args)}]",
    "mistral 11": lambda name, args: f"[TOOL_CALLS]{name}[ARGS]{json.dumps(args)}",
    "functionary": lambda name, args: f"all\nHm.>>>{name}\n{json.dumps(args)}",
    "functionary 2": lambda name, args: f"<|recipient|>{name}\n<|content|>{json.dumps(args)}<|stop|>",
    "deepseek": lambda name, args: (
        f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n"
        f"```json\n{json.dumps(args)}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
    ),
    "deepseek 3.1": lambda name, args: (
        f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>{name}<｜tool▁sep｜>{json.dumps(args)}<｜tool▁call▁end｜>"
    ),
    "granite": lambda name, args: f"<|tool_call|>[{_object(name, args)}]",
    "phi": lambda name, args: f"functools[{_object(name, args)}]",
    "kimi": lambda name, args: (
        f"<|tool_call_begin|>functions.{name}:0<|tool_call_argument_begin|>{json.dumps(args)}<|tool_call_end|>"
    ),
    "harmony": lambda name, args: (
        f"<|channel|>commentary to=functions.{name} json<|message|>{json.dumps(args)}<|call|>"
    ),
    "react": lambda name, args: f"Thought: hm\nAction: {name}\nAction Input: {json.dumps(args)}\nObservation: 1",
}
TEXT_DIALECTS: dict[str, Callable[[str, dict[str, str]], str]] = {
    "pythonic": lambda name, args: f"[{_pythonic(name, args)}]",
    "tool_code": lambda name, args: f"```tool_code\n{_pythonic(name, args)}\n```",
    "olmo": lambda name, args: f"<function_calls>\n{_pythonic(name, args)}\n</function_calls>",
    "xml": lambda name, args: (
        f"<function={name}>"
        + "".join(f"\n<parameter={key}>\n{value}\n</parameter>" for key, value in args.items())
        + "\n</function>"
    ),
    "invoke": lambda name, args: (
        f'<invoke name="{name}">'
        + "".join(f'\n<parameter name="{key}">\n{value}\n</parameter>' for key, value in args.items())
        + "\n</invoke>"
    ),
    "glm": lambda name, args: (
        f"<tool_call>{name}"
        + "".join(f"\n<arg_key>{key}</arg_key>\n<arg_value>\n{value}\n</arg_value>" for key, value in args.items())
        + "\n</tool_call>"
    ),
    "gemma": lambda name, args: (
        f"<start_function_call>call:{name}{{"
        + ",".join(f"{key}:<escape>{value}<escape>" for key, value in args.items())
        + "}<end_function_call>"
    ),
}


@pytest.mark.parametrize("dialect", JSON_DIALECTS)
@given(call=calls)
@settings(max_examples=25)
def test_a_call_as_json_comes_back_as_it_was(dialect: str, call: tuple[str, Args]) -> None:
    reading = read(JSON_DIALECTS[dialect](*call), NAMES)
    assert [(printed.tool, printed.args) for printed in reading.calls] == [call]
    assert not reading.fault


@pytest.mark.parametrize("dialect", TEXT_DIALECTS)
@given(name=st.sampled_from(NAMES), args=st.dictionaries(keys, safe, max_size=4))
@settings(max_examples=25)
def test_a_call_as_text_comes_back_as_it_was(dialect: str, name: str, args: dict[str, str]) -> None:
    reading = read(TEXT_DIALECTS[dialect](name, args), NAMES)
    assert [(printed.tool, printed.args) for printed in reading.calls] == [(name, args)]
    assert not reading.fault


@given(value=values)
@settings(max_examples=200)
def test_json_and_its_python_form_are_read_as_what_they_stand_for(value: Any) -> None:
    assert loads(json.dumps(value)) == value
    assert loads(json.dumps(value, indent=1, ensure_ascii=False)) == value
    assert loads(repr(value)) == value


PIECES = [
    "<tool_call>", "</tool_call>", "<tools>", "```json\n", "```", "```python\n", "\n", "> ", "`", "[TOOL_CALLS]",
    "[ARGS]",
    "<|python_tag|>", "<function=calc>", "</function>", "<parameter=a>", "</parameter>", ">>>calc\n", "<think>",
    "</think>",
    "<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<|tool_call|>", "functools", "[calc(a=", ")",
    "]", "[",
    "<start_function_call>call:calc{", "<escape>", "}", "{", '"name"', ":", '"calc"', ",", '"arguments"', "'", '"',
    "\\",
    "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>", "<|tool_call_begin|>functions.calc:0", "Action: calc\n",
    "<|tool_call_argument_begin|>", "Action Input: ", "Observation:", "<|im_end|>", "<invoke name=\"calc\">",
    "</invoke>",
    "<|channel|>commentary to=functions.calc json<|message|>", "/*", "//", "#", "1e999", "NaN", "\ud800", "\x00",
    "“", "’",
    "calc\n", "<tool_response>", "<function_calls>\n", "calc(", "=", "print(", "```tool_code\n",
    '{"name": "calc", "arguments": {}}', "{'name': 'calc', 'arguments': {'a': ",
]  # fmt: skip


@given(text=st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=40).map("".join), cut=st.booleans())
@example(text="\ud800", cut=False)
@settings(max_examples=1500)
def test_nothing_raises_and_every_source_stands_in_the_text(text: str, cut: bool) -> None:
    reading = read(text, ("calc",), cut=cut)
    for call in (*reading.calls, *reading.unknown):
        assert call.source
        assert call.source in text
        assert isinstance(call.args, dict)
        repaired(call.args, {"type": "object", "properties": {"a": {"type": "integer"}}})
    assert all(call.tool == "calc" for call in reading.calls)
    assert isinstance(steps(text), tuple)
    with contextlib.suppress(ValueError):
        loads(text)


@pytest.mark.parametrize(("file", "case"), [row[1:] for row in cases()], ids=[row[0] for row in cases()])
def test_a_text_that_was_cut_gives_no_call_that_the_whole_does_not(file: Args, case: Args) -> None:
    text = case["text"]
    whole = read(text, file["names"]).calls
    for end in range(text.rfind("</think>") + 1, len(text)):  # what comes before that tag was a thought
        part = read(text[:end], file["names"], cut=True)
        assert all(call in whole for call in part.calls), text[:end]
