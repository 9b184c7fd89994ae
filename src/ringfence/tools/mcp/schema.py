"""JSON Schemas that strangers wrote: made small, closed and finite before anything is checked by them.

Local references are put in place, so that a schema cannot be larger than it looks; remote ones are refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from ringfence.core.values import JSON

MAX_BYTES = 65_536  # of a schema as it came
MAX_NODES = 4_000  # of a schema with its references in place
MAX_DEPTH = 24
MAX_MATCHED = 512  # characters of a text that is held against a pattern: matching may take the square of it
MAX_REPEATS = 2  # of one pattern; a pattern with more is not checked by us

Check = Callable[[JSON], str]  # what is wrong with a value, in one line; empty if nothing is

_VALUES = frozenset({
    "type", "enum", "const", "required", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "dependentRequired",
    "title", "description", "default",
})  # fmt: skip
_ONE = frozenset({"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"})
_MANY = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_REFUSED = frozenset({
    "$dynamicRef", "$recursiveRef", "unevaluatedProperties", "unevaluatedItems", "dependentSchemas", "dependencies",
})  # fmt: skip
_NOTES = frozenset({"title", "description", "default"})
_SHOWN = frozenset({"type", "enum", "const", "required", "description"})  # no default: it would be the server's word
_EXACT = 2**53 - 1


class BadSchema(ValueError):
    """A schema that is none, or that nobody can check by; says why."""


def closed(schema: JSON) -> dict[str, Any]:
    """The schema of an object with its references in place and nothing but keywords that we know.

    Raises BadSchema for what is no schema (JSON Schema 2020-12), for references that leave it or never end, and for
    one that is too large.
    """
    if not isinstance(schema, dict):
        raise BadSchema(f"expected a JSON Schema, got {type(schema).__name__}")
    text = json.dumps(schema)
    if len(text) > MAX_BYTES:
        raise BadSchema(f"the schema is larger than {MAX_BYTES // 1024} kB")
    return dict(_closed(text))


@lru_cache(maxsize=512)  # the same tools are looked at again and again
def _closed(text: str) -> dict[str, Any]:
    schema = json.loads(text)
    found = _Walk(schema).node(schema, ())
    if not isinstance(found, dict):
        raise BadSchema("expected a schema, got true or false")
    from jsonschema import Draft202012Validator, SchemaError  # type: ignore[import-untyped, unused-ignore]

    try:
        Draft202012Validator.check_schema(found)
    except SchemaError as error:
        raise BadSchema(f"it is no JSON Schema: {error.json_path} {error.message[:120]}") from None
    return found


class _Walk:
    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._left = MAX_NODES

    def node(self, node: JSON, trail: tuple[str, ...], depth: int = 0) -> JSON:
        """One schema; `trail` are the references that led to it."""
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise BadSchema(f"the schema has more than {MAX_NODES} parts, or is deeper than {MAX_DEPTH}")
        if isinstance(node, bool):
            return node
        if not isinstance(node, dict):
            raise BadSchema(f"expected a schema, got {type(node).__name__}")
        if "$ref" in node:
            return self._referred(node, trail, depth)
        return dict(self._keywords(node, trail, depth + 1))

    def _referred(self, node: dict[str, Any], trail: tuple[str, ...], depth: int) -> JSON:
        ref = node["$ref"]
        if ref in trail:
            raise BadSchema(f"the schema refers to itself: {str(ref)[:80]}")
        target = self.node(self._target(ref), (*trail, ref), depth + 1)
        beside = dict(self._keywords({k: v for k, v in node.items() if k != "$ref"}, trail, depth + 1))
        if isinstance(target, dict) and set(beside) <= _NOTES:
            return target | beside
        return {"allOf": [target, beside]}

    def _target(self, ref: JSON) -> JSON:
        if not isinstance(ref, str) or not (ref == "#" or ref.startswith("#/")):
            raise BadSchema(f"the schema refers to something outside of itself: {str(ref)[:80]}")
        here: JSON = self._root
        for part in ref.split("/")[1:]:
            part = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(here, dict) or part not in here:
                raise BadSchema(f"the schema refers to nothing: {ref[:80]}")
            here = here[part]
        return here

    def _keywords(self, node: dict[str, Any], trail: tuple[str, ...], depth: int) -> Iterator[tuple[str, JSON]]:
        for key, value in node.items():
            if key in _REFUSED:
                raise BadSchema(f"the schema uses {key}, which is not supported")
            if key == "items" and isinstance(value, list):  # draft 7's way to write a tuple
                key = "prefixItems"
            if key in _VALUES:
                yield key, exact(value)
            elif key == "pattern" and quick(value):
                yield key, value
            elif key in _ONE:
                yield key, self.node(value, trail, depth)
            elif key in _MANY and isinstance(value, list):
                yield key, [self.node(item, trail, depth) for item in value]
            elif key == "properties" and isinstance(value, dict):
                yield key, {name: self.node(item, trail, depth) for name, item in value.items()}
            elif key in _MANY or key in ("properties", "patternProperties"):
                raise BadSchema(f"the schema's {key} cannot be checked")


def quick(pattern: JSON) -> bool:
    """Whether a pattern of a stranger takes bounded time: no repeated group, few repeats, no look-around.

    One that does not is left to its server: `re` backtracks, and cannot be interrupted.
    """
    if not isinstance(pattern, str) or len(pattern) > 500:
        return False
    bare = re.sub(r"\[\^?\]?[^\]]*\]", "x", re.sub(r"\\.", "x", pattern))
    if re.search(r"\)[*+?{]|\(\?", bare) or len(re.findall(r"[*+]|\{\d*,\d*\}", bare)) > MAX_REPEATS:
        return False
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


def checked(schema: Mapping[str, Any]) -> Check:
    """A check by a schema that `closed` has made. Bounded: it never loads, never matches long texts."""

    @cache
    def validator() -> Any:
        from jsonschema import Draft202012Validator, ValidationError, validators
        from referencing import Registry

        def matches(validator: Any, pattern: str, value: JSON, schema: Any) -> Iterator[ValidationError]:
            if isinstance(value, str) and (len(value) > MAX_MATCHED or re.search(pattern, value) is None):
                yield ValidationError(f"does not match {pattern!r}")

        kind = validators.extend(Draft202012Validator, {"pattern": matches})
        return kind(dict(schema), registry=Registry())

    def check(value: JSON) -> str:
        try:
            error = next(iter(validator().iter_errors(value)), None)
        except (RecursionError, ArithmeticError) as fault:
            return f"cannot be checked: {type(fault).__name__}"
        if error is None:
            return ""
        message = error.message if len(error.message) <= 160 else f"breaks the rule {error.validator!r}"
        return f"{error.json_path.removeprefix('$').lstrip('.')[:80] or 'it'}: {message}"

    return check


def shown(schema: JSON) -> JSON:
    """The part of a closed schema that a grammar can enforce and a model reads; `check` holds the rest."""
    if not isinstance(schema, dict):
        return {}
    ways = schema.get("anyOf") or schema.get("oneOf")
    if ways and not schema.get("properties"):
        about = {"description": schema["description"]} if "description" in schema else {}
        return {**about, "anyOf": [shown(way) for way in ways]}
    found = {key: value for key, value in schema.items() if key in _SHOWN}
    if "properties" in schema:
        found["properties"] = {name: shown(rule) for name, rule in schema["properties"].items()}
        found["additionalProperties"] = False
        found["required"] = [name for name in found.get("required", ()) if name in found["properties"]]
    if isinstance(schema.get("items"), dict):
        found["items"] = shown(schema["items"])
    return found


def exact(value: JSON) -> JSON:
    """`value` as a record can carry it (RFC 8785): numbers that are none as text, unpaired surrogates replaced."""
    match value:
        case bool() | None:
            return value
        case int():
            return value if -_EXACT <= value <= _EXACT else float(value) if abs(value) < 2**1000 else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case str():
            return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [exact(item) for item in value]
        case dict():
            return {exact(key): exact(item) for key, item in value.items()}
    return str(value)
