"""The JSON Schema (2020-12) of a manifest as it is written: flat or tiered, with variables."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from .types import BESIDE_TIERS, Manifest, Tier

_VARIABLE = {"type": "string", "pattern": r"\$\{", "description": "a variable: ${NAME} or ${NAME:-default}"}
_TYPED = ("integer", "number", "boolean")


def schema() -> dict[str, Any]:
    """The schema for editors. Where a variable may stand for a number or a name, it says so."""
    _, full = models_json_schema([(Manifest, "validation"), (Tier, "validation")])
    parts = full["$defs"]
    manifest = parts.pop("Manifest")
    del manifest["properties"]["source"]
    beside = {key: parts["Inference"]["properties"][key] for key in BESIDE_TIERS}
    parts["Flat"] = {
        **parts["Tier"],
        "properties": {**parts["Tier"]["properties"], **beside},
        "description": "One model, written flat: the keys of a tier.",
    }
    inference = manifest["properties"]["inference"]
    inference.pop("$ref")
    inference["anyOf"] = [{"$ref": "#/$defs/Flat"}, {"$ref": "#/$defs/Inference"}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Ringfence manifest",
        "description": "One agent: its models, its tools, its bounds. `inference` may be flat or a list of tiers.",
        **{key: _open(value) for key, value in manifest.items() if key not in {"title", "description"}},
        "$defs": {**{name: _open(part) for name, part in parts.items()}, "Variable": _VARIABLE},
    }


def _open(part: Any) -> Any:
    """The part, with a variable accepted wherever a value is bound to a type, a pattern or a choice."""
    if isinstance(part, list):
        return [_open(item) for item in part]
    if not isinstance(part, dict):
        return part
    if "patternProperties" in part:
        part = {**part, "additionalProperties": False}
    bound = part.get("type") in _TYPED or ("pattern" in part and r"\$\{" not in part["pattern"]) or "enum" in part
    if not bound or not isinstance(part.get("type"), str):
        return {key: _open(value) for key, value in part.items()}
    told = {key: part[key] for key in ("title", "description", "default") if key in part}
    rest = {key: value for key, value in part.items() if key not in told}
    return {**told, "anyOf": [rest, {"$ref": "#/$defs/Variable"}]}
