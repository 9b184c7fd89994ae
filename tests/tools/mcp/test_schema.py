"""Schemas that strangers wrote: finite, closed, and checked in bounded time."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.core.values import canonical
from ringfence.tools.mcp.schema import MAX_MATCHED, BadSchema, checked, closed, exact, quick, shown


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"x": schema}}
    return schema


def doubling(levels: int) -> dict[str, Any]:
    each = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": {**each, f"d{levels}": {"type": "object"}}}


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (None, "expected a JSON Schema"),
        ([], "expected a JSON Schema"),
        ({"type": "thing"}, "is no JSON Schema"),
        ({"properties": [1]}, "cannot be checked"),
        ({"properties": {"x": 7}}, "expected a schema, got int"),
        ({"required": "x"}, "is no JSON Schema"),
        ({"$ref": "http://127.0.0.1/s.json"}, "outside of itself"),
        ({"$ref": "other.json#/x"}, "outside of itself"),
        ({"$ref": 7}, "outside of itself"),
        ({"$ref": "#/$defs/none"}, "refers to nothing"),
        ({"$ref": "#"}, "refers to itself"),
        ({"properties": {"x": {"items": {"$ref": "#"}}}}, "refers to itself"),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, "refers to itself"),
        ({"unevaluatedProperties": False}, "not supported"),
        ({"$dynamicRef": "#x"}, "not supported"),
        ({"patternProperties": {"^x": {}}}, "cannot be checked"),
        (deep(60), "deeper than"),
        (doubling(20), "more than"),
        ({"description": "x" * 70_000}, "larger than 64 kB"),
    ],
)
def test_a_schema_that_nobody_can_check_by_is_refused_in_words(schema: Any, why: str) -> None:
    with pytest.raises(BadSchema, match=why):
        closed(schema)


def test_references_are_put_in_place_and_what_is_unknown_is_left_out() -> None:
    schema = {
        "type": "object",
        "x-mine": {"$ref": "http://never.looked.at"},
        "properties": {"a": {"$ref": "#/$defs/A", "description": "the first"}, "b": {"items": [{"type": "string"}]}},
        "$defs": {"A": {"type": "integer", "minimum": 1, "maximum": 2**64}},
    }
    assert closed(schema) == {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "minimum": 1, "maximum": 1.8446744073709552e19, "description": "the first"},
            "b": {"prefixItems": [{"type": "string"}]},
        },
    }


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer", "minimum": 1}, 1, 0),
        ({"type": "integer"}, 3, True),
        ({"type": "string", "pattern": "^[a-z]+$"}, "abc", "ABC"),
        ({"type": "string", "pattern": "^[a-z]*$"}, "a" * MAX_MATCHED, "a" * (MAX_MATCHED + 1)),
        ({"enum": ["a"]}, "a", "b"),
        ({"properties": {"a": {"type": "string"}}, "additionalProperties": False}, {"a": "x"}, {"b": "x"}),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, None, 1),
        ({"$ref": "#/$defs/A", "maxLength": 3, "$defs": {"A": {"type": "string"}}}, "abc", "abcd"),
    ],
)
def test_values_are_held_against_a_schema(schema: dict[str, Any], good: Any, bad: Any) -> None:
    check = checked(closed(schema))
    assert check(good) == ""
    assert check(bad) != ""
    assert len(check(bad)) < 300


@pytest.mark.parametrize("pattern", ["(a+)+$", "^(a|a)*$", "(?=a)b", "a*a*a*b", "x{1,}y{1,}z{1,}", "[", "a" * 501, 7])
def test_a_pattern_that_may_take_for_ever_is_not_tried(pattern: Any) -> None:
    assert not quick(pattern)
    assert closed({"type": "string", "pattern": pattern}) == {"type": "string"}


@pytest.mark.parametrize("pattern", [r"^\d{4}-\d{2}-\d{2}$", "^[a-z0-9-]+$", r"^[^@]+@[^@]+$", "^(a|b)$", "^.*x.*$"])
def test_a_pattern_that_is_tried_takes_no_time(pattern: str) -> None:
    assert quick(pattern)
    check = checked(closed({"type": "string", "pattern": pattern}))
    began = time.process_time()
    for text in ("a" * MAX_MATCHED, "@" * MAX_MATCHED, "1" * MAX_MATCHED):
        check(text)
    assert time.process_time() - began < 1


def test_a_server_gives_no_default_that_would_count_as_vouched_for() -> None:
    schema = closed({"type": "object", "properties": {"to": {"type": "string", "default": "eve@example.com"}}})
    assert shown(schema)["properties"] == {"to": {"type": "string"}}


def test_a_model_is_shown_what_a_grammar_can_hold() -> None:
    schema = {
        "type": "object",
        "title": "Args",
        "properties": {
            "a": {"anyOf": [{"type": "string", "pattern": "^x"}, {"type": "null"}], "description": "one"},
            "b": {"type": "array", "items": {"type": "integer", "minimum": 1}, "maxItems": 10_000},
            "c": {"type": "object", "properties": {"d": {"const": 1}}, "required": ["d", "gone"]},
        },
        "required": ["a"],
    }
    assert shown(closed(schema)) == {
        "type": "object",
        "properties": {
            "a": {"description": "one", "anyOf": [{"type": "string"}, {"type": "null"}]},
            "b": {"type": "array", "items": {"type": "integer"}},
            "c": {
                "type": "object",
                "properties": {"d": {"const": 1}},
                "additionalProperties": False,
                "required": ["d"],
            },
        },
        "additionalProperties": False,
        "required": ["a"],
    }


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(JSONS)
@settings(max_examples=200, deadline=None)
def test_whatever_is_sent_can_be_recorded(value: Any) -> None:
    canonical(exact(value))


KEYWORDS = st.sampled_from(
    ["type", "properties", "items", "allOf", "anyOf", "$ref", "$defs", "required", "enum", "pattern", "not", "minimum"]
)
SCHEMAS = st.recursive(
    st.sampled_from(["object", "string", "#", "#/$defs/a", True, False, None, 1, -1, 1.5, "^(a+)+$"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS, inner, max_size=4),
    max_leaves=20,
)


@given(SCHEMAS, JSONS)
@settings(max_examples=300, deadline=None)
def test_any_schema_is_refused_or_checks_any_value(schema: Any, value: Any) -> None:
    try:
        check = checked(closed(schema))
    except BadSchema:
        return
    assert isinstance(check(value), str)
