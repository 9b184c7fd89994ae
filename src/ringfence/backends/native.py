"""Native tool calls: the tools that the grammar of a step allows, and the calls given back as that step (rung 1)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ringfence.core.values import JSON

Choice = Literal["auto", "required", "none"]
_UNSAFE = re.compile(r"[^a-zA-Z0-9_-]")
_MAX_NAME = 64  # characters of a tool's name: OpenAI and Anthropic take no more
_REF, _SAFE_REF = "$ref", "handle_ref"  # Anthropic takes no `$` in the name of a property


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool as a server is told of it; `safe` is its name there, `args` the JSON Schema of an object."""

    name: str
    safe: str
    args: JSON


@dataclass(frozen=True, slots=True)
class Offer:
    """What a step may be.

    choice    auto: calls or an answer; required: calls alone; none: an answer alone
    parallel  calls of one step, at most
    """

    tools: tuple[Tool, ...]
    choice: Choice
    parallel: int = 1


@lru_cache(maxsize=64)
def offer(schema: bytes) -> Offer | None:
    """What the grammar of a step offers; None for the grammar of anything else."""
    try:
        rule = json.loads(schema)
        forms = [form["properties"] for form in rule.get("anyOf", [rule])]
        calls = next((form["calls"] for form in forms if "calls" in form), None)
        final = any("final_answer" in form for form in forms)
        if calls is None:
            return Offer((), "none") if final else None
        items = calls["items"]
        given = [form["properties"] for form in items.get("anyOf", [items])]
        named = [(str(form["tool"]["const"]), form["args"]) for form in given]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    taken: dict[str, Tool] = {}
    for name, args in named:
        safe = _safe(name, taken)
        taken[safe] = Tool(name, safe, _object(_renamed(args)))
    return Offer(tuple(taken.values()), "auto" if final else "required", int(calls.get("maxItems", 1)))


def step(offered: Offer, content: str, calls: Sequence[tuple[str, JSON]]) -> str:
    """The step that was answered, as JSON: what was said beside calls is its thought, said alone it is the answer.

    Arguments that are no JSON object stay as they came, for the rungs below. So does a text that is a step already,
    and one where only calls were allowed.
    """
    if calls:
        names = {tool.safe: tool.name for tool in offered.tools}
        made = [{"tool": names.get(name, name), "args": _arguments(args)} for name, args in calls]
        return json.dumps({"thought": content.strip(), "calls": made}, ensure_ascii=False)
    if offered.choice == "required" or not content.strip() or _is_step(content, offered):
        return content
    final = {"answer": content.strip(), "artifacts": [], "confidence": "medium"}
    return json.dumps({"thought": "", "final_answer": final}, ensure_ascii=False)


def _is_step(content: str, offered: Offer) -> bool:
    """Whether a text is a step, or prints a call, that the rungs below know how to read."""
    if "{" not in content and "[" not in content and "<" not in content:
        return False
    named = [f"{tool.name}" for tool in offered.tools] + [tool.safe for tool in offered.tools]
    return any(key in content for key in ('"final_answer"', '"calls"', *(f'"{name}"' for name in named)))


def _safe(name: str, taken: Mapping[str, Tool]) -> str:
    """`files.read` as `files__read`; cut and numbered where two would be the same."""
    safe = _UNSAFE.sub("_", name.replace(".", "__"))[:_MAX_NAME]
    number = 2
    while safe in taken:
        end = f"_{number}"
        safe, number = safe[: _MAX_NAME - len(end)].rstrip("_") + end, number + 1
    return safe


def _arguments(args: JSON) -> JSON:
    try:
        value = json.loads(args or "{}") if isinstance(args, str) else args
        restored = _restored(value)
        json.dumps(restored)
    except (ValueError, RecursionError):
        return args if isinstance(args, str) else "nested too deep"
    return restored if isinstance(value, dict) or value is args else args


def _object(rule: JSON) -> JSON:
    """An object's schema without a choice at its top, which most servers take no tool with: the forms are merged."""
    if not isinstance(rule, dict) or "anyOf" not in rule:
        return rule
    forms = [form for form in rule["anyOf"] if isinstance(form, dict)]
    merged: dict[str, JSON] = {}
    for form in forms:
        for name, prop in form.get("properties", {}).items():
            merged[name] = prop if merged.get(name, prop) == prop else _either(merged[name], prop)
    required = [name for name in merged if all(name in form.get("required", ()) for form in forms)]
    return {"type": "object", "properties": merged, "required": required, "additionalProperties": False}


def _either(one: JSON, other: JSON) -> JSON:
    if isinstance(one, dict) and isinstance(other, dict) and set(one) == set(other) == {"enum"}:
        return {"enum": list(dict.fromkeys([*one["enum"], *other["enum"]]))}
    known = one["anyOf"] if isinstance(one, dict) and set(one) == {"anyOf"} else [one]
    return {"anyOf": known if other in known else [*known, other]}


def _renamed(rule: JSON) -> JSON:
    """The schema with handles under a name that every server takes for a property."""
    if isinstance(rule, list):
        return [_renamed(item) for item in rule]
    if not isinstance(rule, dict):
        return rule
    if set(rule.get("properties") or ()) == {_REF}:
        return {**rule, "properties": {_SAFE_REF: rule["properties"][_REF]}, "required": [_SAFE_REF]}
    return {key: value if key in ("enum", "const", "default") else _renamed(value) for key, value in rule.items()}


def _restored(value: JSON) -> JSON:
    if isinstance(value, list):
        return [_restored(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {_SAFE_REF}:
        return {_REF: value[_SAFE_REF]}
    return {key: _restored(item) for key, item in value.items()}
