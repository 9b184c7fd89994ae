"""Native tool calls: the tools of a step's grammar, and the calls given back as that step."""

import json
from typing import Any

import pytest

from ringfence.backends.native import offer, step
from ringfence.core.policy import SinkSpec
from ringfence.core.values import JSON
from ringfence.engine.ladder import read as parse
from ringfence.engine.step import grammar


def tool(name: str, properties: JSON, *required: str, **more: Any) -> SinkSpec:
    rule = {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}
    return SinkSpec(f"tool:{name}", pin="p", schema=rule, **more)


READ = tool("files.read", {"path": {"type": "string"}}, "path")
SEND = tool("mail.send", {"to": {"type": "string"}, "text": {"type": "string"}}, "to", types={"to": "email"})


@pytest.mark.parametrize(
    ("tools", "final", "choice"), [([READ, SEND], True, "auto"), ([READ], False, "required"), ([], True, "none")]
)
def test_what_the_grammar_allows_is_what_is_offered(tools: list[SinkSpec], final: bool, choice: str) -> None:
    offered = offer(grammar(tools, final=final, parallel=3))
    assert offered is not None
    assert offered.choice == choice
    assert [(one.name, one.safe) for one in offered.tools] == [
        (spec.name.removeprefix("tool:"), spec.name.removeprefix("tool:").replace(".", "__")) for spec in tools
    ]


def test_a_call_comes_back_under_its_own_name_with_what_was_said_beside_it_as_the_thought() -> None:
    offered = offer(grammar([READ, SEND], final=True, parallel=3))
    assert offered is not None
    calls = [("files__read", '{"path": "a.txt"}'), ("mail__send", {"to": "x@y.z"}), ("unknown.tool", "")]
    read = parse(step(offered, " I look. ", calls))
    assert read.thought == "I look."
    assert [(call.sink, call.args) for call in read.calls] == [
        ("tool:files.read", {"path": "a.txt"}), ("tool:mail.send", {"to": "x@y.z"}), ("tool:unknown.tool", {})
    ]  # fmt: skip


def test_words_alone_are_the_answer_where_one_is_allowed_and_stay_words_where_none_is() -> None:
    both, calls = (offer(grammar([READ], final=final, parallel=1)) for final in (True, False))
    assert both is not None
    assert calls is not None
    final = {"answer": "It is 19.", "artifacts": [], "confidence": "medium"}
    assert parse(step(both, "It is 19.\n", ())).final == final
    assert step(calls, "It is 19.", ()) == "It is 19."
    assert step(both, "  ", ()) == "  "


@pytest.mark.parametrize(
    "text",
    [
        '{"thought":"","final_answer":{"answer":"x"}}',
        '```json\n{"name": "files__read", "arguments": {"path": "a"}}\n```',
        '<tool_call>{"name": "files.read", "arguments": {}}</tool_call>',
    ],
)
def test_a_step_or_a_call_that_was_printed_as_text_is_left_to_the_rungs_that_read_it(text: str) -> None:
    offered = offer(grammar([READ], final=True, parallel=1))
    assert offered is not None
    assert step(offered, text, ()) == text


def test_arguments_that_are_no_object_stay_as_they_came() -> None:
    offered = offer(grammar([READ], final=True, parallel=1))
    assert offered is not None
    made = json.loads(step(offered, "", [("files__read", '{"path": "a'), ("files__read", "[1]")]))
    assert [call["args"] for call in made["calls"]] == ['{"path": "a', "[1]"]


def test_arguments_that_are_nested_without_end_are_none() -> None:
    offered = offer(grammar([READ], final=True, parallel=3))
    assert offered is not None
    deep: JSON = "x"
    for _ in range(100_000):
        deep = {"a": deep}
    made = json.loads(step(offered, "", [("files__read", deep), ("files__read", '{"a":' * 900 + "1" + "}" * 900)]))
    assert isinstance(made["calls"][0]["args"], str)


def test_names_that_would_be_the_same_are_told_apart() -> None:
    long = "a." + "b" * 80
    specs = [tool("a.b", {}), tool("a__b", {}), tool(long, {}), tool(long + "c", {})]
    offered = offer(grammar(specs, final=False, parallel=1))
    assert offered is not None
    safe = [one.safe for one in offered.tools]
    assert len(set(safe)) == 4
    assert all(len(name) <= 64 and name.replace("_", "").isalnum() for name in safe)
    assert json.loads(step(offered, "", [(safe[3], "{}")]))["calls"][0]["tool"] == long + "c"


def test_a_choice_at_the_top_of_the_arguments_is_merged_for_no_server_takes_a_tool_with_one() -> None:
    """A tool of a server may have such a schema."""
    ways = [{"path": {"enum": [path]}, "of": {"enum": ["id", of]}} for path, of in (("a.csv", "n"), ("b.csv", "m"))]
    rule = {"type": "object", "required": ["path", "of"], "additionalProperties": False}
    spec = SinkSpec("tool:pick", schema={"anyOf": [{**rule, "properties": way} for way in ways]})
    offered = offer(grammar([spec], final=False, parallel=1))
    assert offered is not None
    args = offered.tools[0].args
    assert args["type"] == "object"
    assert "anyOf" not in args
    assert args["required"] == ["path", "of"]
    assert args["properties"] == {"path": {"enum": ["a.csv", "b.csv"]}, "of": {"enum": ["id", "n", "m"]}}


def test_a_handle_goes_out_under_a_name_that_servers_take_and_comes_back_as_a_handle() -> None:
    schema = grammar([SEND], final=False, parallel=1, handles={"email": ["r3/0/sender"]})
    offered = offer(schema)
    assert offered is not None
    assert "$ref" not in json.dumps(offered.tools[0].args)
    said = step(offered, "", [("mail__send", '{"to": {"handle_ref": "r3/0/sender"}, "text": "$ref"}')])
    assert json.loads(said)["calls"][0]["args"] == {"to": {"$ref": "r3/0/sender"}, "text": "$ref"}


@pytest.mark.parametrize("schema", [b"", b"[]", b"3", b'{"type":"object"}', b'{"properties":{"calls":{}}}', b"{" * 9])
def test_the_grammar_of_anything_else_offers_nothing(schema: bytes) -> None:
    assert offer(schema) is None
