"""One step: its grammar (DESIGN 9, rung 2). `ladder` reads it back."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Any, TypeVar

from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON

TOOL = "tool:"
_SHORT = 200  # characters of what a tool is for, where prompts are lean
LOOK_UP = -1000  # the number of a call that finds out about another one: this, less the seq of that one's intent
CLOSING = frozenset({"path", "document"})  # keys of results whose values an argument can be closed to, by `x-from`


@dataclass(frozen=True, slots=True)
class Call:
    """A tool the model wants called."""

    sink: str
    args: dict[str, JSON]


@dataclass(frozen=True, slots=True)
class Step:
    """What the model answered: calls to make, a plan, or a final answer.

    dialect  the form it was printed in, where it was not the one asked for
    """

    thought: str
    calls: tuple[Call, ...] = ()
    final: dict[str, JSON] | None = None
    plan: JSON = None
    dialect: str = ""


_MOST_FOLDERS = 40  # that an argument may name
_MOST_WORDS = 6  # of a command under a grammar
_THOUGHT = {"type": "string", "maxLength": 120}  # a longer one takes more time than it is worth to a small model


T = TypeVar("T")
_Kept = dict[tuple[tuple[int, ...], Hashable], tuple[tuple[SinkSpec, ...], T]]
_MOST_KEPT = 256
_GRAMMARS: _Kept[bytes] = {}
_SIGNATURES: _Kept[str] = {}


def closed(properties: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of an object of exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def leaves(value: JSON) -> Iterator[JSON]:
    """The plain values of arguments."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            stack.extend(item)
        else:
            yield item


def in_words(value: Mapping[str, JSON]) -> str:
    """A failed outcome in words, with what to do about it."""
    return f"{value['error']} -> {value['todo']}" if value["todo"] else str(value["error"])


def takes_words(spec: SinkSpec) -> bool:
    """Whether there is anything to call it with: an overview that opens a run and takes no argument says no more."""
    return spec.opens != "" or bool((spec.schema or {}).get("properties"))


def grammar(
    tools: Sequence[SinkSpec],
    *,
    final: bool,
    parallel: int,
    choices: Mapping[str, Sequence[str]] | None = None,
    handles: Mapping[str, Sequence[str]] | None = None,
    goals: Sequence[int] = (),
    plan: JSON = None,
    says: str = "",
) -> bytes:
    """JSON Schema of a step: a discriminated union of exactly these tools, and the final answer if it is allowed.

    `parallel` bounds the calls of one step. `choices` closes string arguments: one whose rule says
    `"x-from": {"key": "path", "ends": [".csv"]}` can only take a value that a result of this run has shown under that
    key, so a small model cannot misspell a file (`under` names the folders that it is in); `"x-first"` are the words
    that a list may begin with.
    `handles` (by kind of value) may stand for an argument of that kind:
    `{"$ref": "r3/0/sender"}`, and the runtime puts the value in, and knows where it came from. Where both forms are
    open, `enough` is said before one is taken: a small model judges a question better than it picks a key.
    `goals` are the numbers of those of a plan that a call may work on; `plan` is the form in which one may be written
    now; `says` is the only answer there can be. Then `progress` says how far the run is: continue, met or replan.
    """
    if choices or handles or plan is not None:
        return _grammar(tools, choices or {}, handles or {}, final, parallel, goals, plan, says)
    more = final, parallel, tuple(goals), says
    return _kept(_GRAMMARS, tools, more, lambda: _grammar(tools, {}, {}, final, parallel, goals, None, says))


def _grammar(
    tools: Sequence[SinkSpec],
    choices: Mapping[str, Sequence[str]],
    handles: Mapping[str, Sequence[str]],
    final: bool,
    parallel: int,
    goals: Sequence[int],
    plan: JSON,
    says: str,
) -> bytes:
    forms: list[dict[str, Any]] = []
    if tools:
        calls = [
            closed(
                {
                    "tool": {"const": spec.name.removeprefix(TOOL)},
                    "args": _handed(spec, _closed_args(spec.schema, choices), handles),
                }
            )
            for spec in tools
            if _has_choice(spec.schema, choices)
        ]
        array = {"type": "array", "items": {"anyOf": calls}, "minItems": 1, "maxItems": parallel}
        serves = {"goal": {"enum": list(goals)}} if goals else {}
        forms.append({"thought": _THOUGHT, **_judged(False, "continue", goals), **serves, "calls": array})
    if final:
        answer = _final(choices.get("path", ()), says)
        forms.append({"thought": _THOUGHT, **_judged(True, "met", goals), "final_answer": answer})
    if plan is not None:
        forms.append({"thought": _THOUGHT, **_judged(False, "replan", (1,)), "plan": plan})
    if len(forms) == 1:
        forms[0].pop("enough", None)
        forms[0].pop("progress", None)
    whole = [closed(form) for form in forms]
    return json.dumps(whole[0] if len(whole) == 1 else {"anyOf": whole}, separators=(",", ":")).encode()


def _judged(enough: bool, progress: str, goals: Sequence[int]) -> dict[str, Any]:
    """What a form says of the run before it goes on: under a plan how far it is, else whether it has enough."""
    return {"progress": {"const": progress}} if goals else {"enough": {"const": enough}}


def _final(known: Sequence[str], says: str) -> dict[str, Any]:
    """The answer (`says`: the only one), files it rests on (such as results have shown), how sure the model is."""
    artifact = {"enum": list(known)} if known else {"type": "string", "maxLength": 120}
    return closed(
        {
            "answer": {"const": says} if says else {"type": "string", "minLength": 1, "maxLength": 1200},
            "artifacts": {"type": "array", "items": artifact, "maxItems": 3},
            "confidence": {"enum": ["low", "medium", "high"]},
        }
    )


def _handed(spec: SinkSpec, schema: JSON, handles: Mapping[str, Sequence[str]]) -> JSON:
    """The arguments' schema, with handles wherever values of an argument's kind are known: those of effects alone."""
    kinds = {name: kind for name, kind in spec.types.items() if handles.get(kind) and not spec.reads}
    if not kinds or "properties" not in schema:
        return schema
    refs = {name: closed({"$ref": {"enum": list(handles[kind])}}) for name, kind in kinds.items()}
    given = {
        name: {"anyOf": [rule, refs[name]]} if name in refs else rule for name, rule in schema["properties"].items()
    }
    return {**schema, "properties": given}


def handles(turn: Turn, at_most: int) -> dict[str, list[str]]:
    """The newest handles of typed values that results have shown, by kind."""
    found: dict[str, list[str]] = {}
    for (kind, _), source in reversed(turn.typed.items()):
        if source.startswith("r") and "/" in source and len(found.setdefault(kind, [])) < at_most:
            found[kind].append(source)
    return found


def _has_choice(schema: JSON, choices: Mapping[str, Sequence[str]]) -> bool:
    """Whether every argument that must be given has a value to take: a table tool has none where no table is known."""
    properties = (schema or {}).get("properties", {})
    for name in (schema or {}).get("required", ()):
        match properties.get(name):
            case {"x-from": {"key": str(key), "ends": list()} as rule}:
                if key in choices and not any(may_be(value, rule) for value in choices[key]):
                    return False
    return True


def _asked_for(schema: JSON) -> JSON:
    """The arguments' schema without those that the runtime alone fills in (`x-ours`)."""
    properties = (schema or {}).get("properties", {})
    ours = {name for name, rule in properties.items() if isinstance(rule, dict) and "x-ours" in rule}
    if not ours:
        return schema
    shown = {name: rule for name, rule in properties.items() if name not in ours}
    return {
        **schema,
        "properties": shown,
        "required": [name for name in schema.get("required", ()) if name not in ours],
    }


def _closed_args(schema: JSON, choices: Mapping[str, Sequence[str]]) -> JSON:
    """The schema of the arguments that a model gives, its choices closed."""
    return closed({}) if schema is None else _chosen(_asked_for(schema), choices)


def _tuple(items: list[JSON]) -> JSON:
    return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}


def may_be(value: str, rule: Mapping[str, JSON]) -> bool:
    """Whether a value is one that an argument takes: by how it `ends`, and the folders that it is `under`."""
    ends, under = (
        tuple(map(str, known)) if isinstance(known := rule.get(key), list) else () for key in ("ends", "under")
    )
    beneath = any(value == one or value.startswith(f"{one}/") for one in under)
    return (not ends or value.endswith(ends)) and (not under or beneath)


def _folders(paths: Sequence[str]) -> list[str]:
    """The folders of files, those above them too."""
    parts = (path.split("/")[:-1] for path in paths)
    return list(dict.fromkeys("/".join(above[:n]) for above in parts for n in range(1, len(above) + 1)))[:_MOST_FOLDERS]


def _chosen(schema: JSON, choices: Mapping[str, Sequence[str]]) -> JSON:
    """The schema with every `x-from` argument closed to the values known for it, where there are any."""
    match schema:
        case {"x-from": {"key": str(key)} as how, **rest}:
            known = [value for value in choices.get(key, ()) if may_be(value, how)]
            if how.get("folders"):
                known += _folders(known)
            if known:
                return {"enum": [""] * (rest.get("default") == "") + known}
            return rest
        case {"type": "array", "items": {"x-from": _}}:
            items = _chosen(schema["items"], choices)
            count = len(items.get("enum", ()))
            bound = {"maxItems": min(int(schema.get("maxItems", count)), count)} if count else {}
            return {**schema, "items": items, **bound}  # each of them once, no more
        case {"x-first": [*words]}:
            word = {"type": "string", "maxLength": 200}
            return {"anyOf": [_tuple([{"enum": words}, *[word] * more]) for more in range(_MOST_WORDS)]}
        case dict():
            return {key: _chosen(value, choices) for key, value in schema.items()}
        case list():
            return [_chosen(item, choices) for item in schema]
        case _:
            return schema


def signatures(tools: Sequence[SinkSpec], *, short: bool = False) -> str:
    """How tools are shown to the model, one a line."""
    return _kept(_SIGNATURES, tools, short, lambda: "\n".join(signature(spec, short=short) for spec in tools))


def signature(spec: SinkSpec, *, short: bool = False) -> str:
    """How a tool is shown to the model: `name(argument, ...): what it is for`; `short`: in one sentence, no notes."""
    properties: dict[str, dict[str, JSON]] = (_asked_for(spec.schema) or {}).get("properties", {})
    required = set((spec.schema or {}).get("required", ()))
    shown = []
    for name, rule in properties.items():
        default = "" if name in required else f"={json.dumps(rule.get('default'))}"
        note = f" ({rule['description']})" if "description" in rule and not short else ""
        shown.append(f"{name}{default}{note}")
    summary = shorten(spec.summary.split(". ")[0], _SHORT, placeholder=" ...") if short else spec.summary
    return f"- {spec.name.removeprefix(TOOL)}({', '.join(shown)}): {summary}"


def _kept(known: _Kept[T], tools: Sequence[SinkSpec], more: Hashable, make: Callable[[], T]) -> T:
    """What was made of these very tools and of nothing that a run has: runs of an agent are shown the same ones."""
    key = tuple(map(id, tools)), more
    found = known.get(key)
    if found is None:
        if len(known) >= _MOST_KEPT:
            known.clear()
        found = known[key] = tuple(tools), make()  # the tools stay with it: no other one can have their ids
    return found[1]
