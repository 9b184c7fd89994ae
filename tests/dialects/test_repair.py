"""Repair: lossless, idempotent, silent about what is right, and blind to the values of control arguments."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.dialects import repaired
from ringfence.dialects.shapes import LONE

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "path": {"type": "string"},
        "max_results": {"type": "integer"},
        "ratio": {"type": "number"},
        "recursive": {"type": "boolean"},
        "unit": {"enum": ["celsius", "kelvin"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "where": {"type": "object", "properties": {"line": {"type": "integer"}}, "required": ["line"]},
        "note": {"type": ["string", "null"]},
        "size": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "mode": {"type": "string", "default": "fast"},
    },
    "required": ["path", "mode"],
    "additionalProperties": False,
}
FINE = {"path": "a", "mode": "x"}


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        ({"max_results": "5"}, {"max_results": 5}),
        ({"max_results": " -7 "}, {"max_results": -7}),
        ({"ratio": "0.5"}, {"ratio": 0.5}),
        ({"ratio": "3"}, {"ratio": 3}),
        ({"recursive": "True"}, {"recursive": True}),
        ({"recursive": ["false"]}, {"recursive": False}),
        ({"path": 5}, {"path": "5"}),
        ({"path": ["a"]}, {"path": "a"}),
        ({"tags": "a"}, {"tags": ["a"]}),
        ({"tags": '["a", "b"]'}, {"tags": ["a", "b"]}),
        ({"tags": [1, 2]}, {"tags": ["1", "2"]}),
        ({"where": '{"line": "3"}'}, {"where": {"line": 3}}),
        ({"where": {"Line": 3}}, {"where": {"line": 3}}),
        ({"unit": " Celsius"}, {"unit": "celsius"}),
        ({"size": "12"}, {"size": 12}),
        ({"size": "null"}, {"size": None}),
        ({"maxResults": 5}, {"max_results": 5}),
        ({"max-result": 5}, {"max_results": 5}),
        ({"recusrive": True}, {"recursive": True}),
        ({"unit": None}, {}),
        ({"verbose": True}, {}),
    ],
)
def test_what_is_off_by_form_alone_is_put_right(given_: dict[str, Any], wanted: dict[str, Any]) -> None:
    result = repaired({**FINE, **given_}, SCHEMA)
    assert result.args == {**FINE, **wanted}
    assert result.changes
    jsonschema.validate(result.args, SCHEMA)


@pytest.mark.parametrize(
    "given_",
    [
        {"max_results": "five"},
        {"max_results": "5.5"},
        {"max_results": True},
        {"max_results": "99999999999999999999"},
        {"ratio": "1e999"},
        {"ratio": "0.30000000000000000000000001"},
        {"recursive": "yes"},
        {"recursive": 1},
        {"unit": "fahrenheit"},
        {"path": None},
        {"path": ["a", "b"]},
        {"where": "3"},
    ],
)
def test_what_would_lose_or_invent_something_stays_wrong(given_: dict[str, Any]) -> None:
    assert repaired({**FINE, **given_}, SCHEMA) == repaired({**FINE, **given_}, None)


def test_a_key_goes_to_no_property_that_is_taken_or_not_the_only_one() -> None:
    schema = {"properties": {"start_line": {}, "start_lime": {}, "path": {}}}
    assert repaired({"start_lixe": 1}, schema).args == {"start_lixe": 1}
    assert repaired({"path": "a", "Path": "b"}, schema).args == {"path": "a", "Path": "b"}
    assert repaired({"PATH": "a", "Path": "b"}, schema).args == {"PATH": "a", "Path": "b"}
    assert repaired({"cc": "a"}, {"properties": {"bcc": {}}}).args == {"cc": "a"}


def test_a_lone_value_is_the_only_argument_there_is() -> None:
    assert repaired({"input": "1 + 1"}, {"properties": {"expression": {}}}).args == {"expression": "1 + 1"}
    assert repaired({"input": "a"}, SCHEMA | {"required": ["path"]}).args == {"path": "a"}
    assert repaired({"input": "a"}, {"properties": {"to": {}, "text": {}}, "required": ["to", "text"]}).args == {
        "input": "a"
    }


def test_a_value_without_a_key_is_the_only_argument_whatever_it_does() -> None:
    assert repaired({LONE: "a"}, SCHEMA | {"required": ["path"]}, ("path",)).args == {"path": "a"}
    assert repaired({LONE: "a"}, {"properties": {"input": {}, "text": {}}}).args == {"input": "a"}
    assert repaired({LONE: "a"}, {"properties": {"to": {}, "text": {}}}).args == {LONE: "a"}


def test_an_input_is_no_control_argument() -> None:
    """It may have been the model's own word for something else."""
    schema = {"properties": {"to": {}, "text": {}}, "required": ["to"]}
    assert repaired({"input": "Hello"}, schema).args == {"to": "Hello"}
    assert repaired({"input": "Hello"}, schema, ("to",)) == repaired({"input": "Hello"}, None)
    assert repaired({"input": "Hello"}, {"properties": {"to": {}}}, ("to",)).args == {"input": "Hello"}
    assert repaired({"input": "Hello"}, schema | {"required": ["text"]}, ("to",)).args == {"text": "Hello"}


def test_a_default_is_given_only_where_one_must_be() -> None:
    assert repaired({"path": "a"}, SCHEMA).args == {"path": "a", "mode": "fast"}
    assert repaired({"path": "a"}, SCHEMA, control=("mode",)).args == {"path": "a"}
    assert repaired({"mode": "x"}, SCHEMA).args == {"mode": "x"}


def test_a_control_argument_keeps_its_value_and_its_unknown_neighbours() -> None:
    control = ("path", "unit", "recursive", "max_results")
    assert repaired({**FINE, "unit": " Celsius"}, SCHEMA, control).args["unit"] == " Celsius"
    assert repaired({**FINE, "unit": None}, SCHEMA, control).args["unit"] is None
    assert repaired({**FINE, "max_results": "5"}, SCHEMA, control).args["max_results"] == 5
    assert repaired({**FINE, "maxResults": 5}, SCHEMA, control).args == {**FINE, "max_results": 5}
    assert repaired({**FINE, "max_result": 5}, SCHEMA, control).args == {**FINE, "max_result": 5}
    assert repaired({**FINE, "dry_run": True}, SCHEMA, control).args == {**FINE, "dry_run": True}


def test_a_handle_is_left_to_the_runtime() -> None:
    args = {"path": {"$ref": "r3/0/path"}, "mode": "x", "tags": {"$ref": "r3/1"}}
    assert repaired(args, SCHEMA).args == args


@pytest.mark.parametrize(
    "schema",
    [
        None,
        True,
        {},
        {"required": 5},
        {"properties": []},
        {"properties": {"path": 5}},
        {"properties": {"path": {"enum": 5}}},
        {"properties": {"path": {"type": 5}}},
        {"properties": {"path": {"anyOf": 5}}},
        {"properties": {"path": {"$ref": "#/properties/path"}}},
    ],
)
def test_a_schema_that_is_none_changes_nothing(schema: Any) -> None:
    assert repaired({"path": "a"}, schema).args == {"path": "a"}


scalars = st.sampled_from(["5", "5.0", "true", "null", "celsius", " Celsius ", "[1]", '{"line": "1"}', "", "x", "é"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | scalars,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["line", "Line", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)
names = st.sampled_from(
    [*SCHEMA["properties"], "Path", "maxResults", "max_result", "modes", "input", "zz", "tag", "__"]
)
arguments = st.dictionaries(names, values, max_size=6)


@given(args=arguments, control=st.sets(st.sampled_from(list(SCHEMA["properties"])), max_size=3))
@settings(max_examples=1000)
def test_a_second_repair_changes_nothing(args: dict[str, Any], control: set[str]) -> None:
    once = repaired(args, SCHEMA, control)
    twice = repaired(once.args, SCHEMA, control)
    assert json.dumps(twice.args) == json.dumps(once.args)
    assert twice.changes == ()
    assert bool(once.changes) or json.dumps(once.args) == json.dumps(args)


@given(args=arguments)
@settings(max_examples=1000)
def test_valid_arguments_come_back_as_they_are(args: dict[str, Any]) -> None:
    if jsonschema.Draft202012Validator(SCHEMA).is_valid(args):
        assert repaired(args, SCHEMA) == repaired(args, None)


@given(args=arguments, control=st.sets(st.sampled_from(list(SCHEMA["properties"])), min_size=1, max_size=5))
@settings(max_examples=1000)
def test_a_control_argument_never_changes_in_value_and_never_appears_from_nowhere(
    args: dict[str, Any], control: set[str]
) -> None:
    result = repaired(args, SCHEMA, control).args
    for name in control:
        if name in args:
            assert _plain(result[name]) == _plain(args[name])
        elif name in result:
            alike = [args[key] for key in args if _letters(key) == _letters(name)]
            assert _plain(result[name]) == _plain(alike[0])


def _letters(key: str) -> str:
    return key.replace("_", "").lower()


def _plain(value: Any) -> Any:
    """What a value says, whatever its type: scalars as text, a list of one as its item, JSON in a string as JSON."""
    if isinstance(value, str):
        try:
            return _plain(json.loads(value))
        except ValueError:
            return value.strip()
    if isinstance(value, list):
        return _plain(value[0]) if len(value) == 1 else [_plain(item) for item in value]
    if isinstance(value, dict):
        return {_letters(key): _plain(item) for key, item in value.items()}
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
