"""Arguments brought to their schema's types and names, where nothing is lost and nothing is made up.

What a tool does, and to whom, hangs on its control arguments: their values are never changed but in type, they never
get a default, and no key becomes theirs that is not the same word. What is still wrong stays wrong: the gate's schema
check has the last word.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .shapes import LONE
from .tolerant import JSON, loads

Args = dict[str, JSON]
Schema = Any  # dict[str, JSON] | bool | None
_MAX_KEYS = 64  # of one object; more are left as they are
_MAX_ROOM = 16  # levels
_MAX_PASSES = 8
_MAX_EXACT = 2**53 - 1  # RFC 7493 2.2
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,15})")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?")
_NO = object()
_INPUT = "input"  # what a model calls the only argument


@dataclass(frozen=True, slots=True)
class Repaired:
    """Arguments, and what was changed in them, in short words for the record."""

    args: dict[str, JSON]
    changes: tuple[str, ...] = ()


def repaired(args: dict[str, JSON], schema: Schema, control: Collection[str] = (), *, drops: bool = True) -> Repaired:
    """The arguments as the schema (JSON Schema 2020-12, its common part) wants them, as far as that can be had.

    - keys are renamed that differ in case, underscores or hyphens, or by one edit, if one property alone fits and is
      free; a value without a key is the only argument that can be meant, and so is `input`, but no control argument;
    - types are changed where nothing is lost: "5" and 5, "true" and true, 5.0 and 5, a value and the list of it alone,
      JSON in a string and what it stands for; an enum's value is found whatever its case and blanks;
    - null for what may be left out, and keys that nobody knows, are dropped, the latter only if `additionalProperties`
      is false, no argument is control and the call `drops` them: an unknown `dry_run` may be what made it harmless;
    - a required argument that is missing gets the schema's default.

    control  names of top-level arguments that keep their value. Valid arguments come back as they are, and so do those
             of a schema that is none. Never raises.
    """
    if not isinstance(schema, dict) or not isinstance(args, dict):
        return Repaired(args)
    changes: list[str] = []
    try:
        for _ in range(_MAX_PASSES):  # a key that was dropped may be free for another one
            mender = _Mender(schema, frozenset(control), drops)
            args = mender.object(args, schema, "", _MAX_ROOM, held=False)
            if not mender.changes:
                break
            changes += mender.changes
    except (ValueError, TypeError, RecursionError, AttributeError):
        pass  # a schema that is none: the gate will say so
    return Repaired(args, tuple(changes))


class _Mender:
    def __init__(self, root: dict[str, Any], control: frozenset[str], drops: bool) -> None:
        self.root = root
        self.drops = drops
        self.control = control
        self.changes: list[str] = []

    def object(self, value: Args, rule: dict[str, Any], path: str, room: int, *, held: bool) -> Args:
        """An object by its rule; `held`: it is part of a control argument."""
        properties = rule.get("properties")
        if not isinstance(properties, dict) or not properties or len(value) > _MAX_KEYS:
            return value
        control = self.control if not path else frozenset(properties) if held else frozenset[str]()
        required = rule.get("required", ())
        value = self._renamed(value, properties, required, control, path)
        done: dict[str, JSON] = {}
        for key, item in value.items():
            if key not in properties:
                if rule.get("additionalProperties") is False and not control and self.drops:
                    self.changes.append(f"{path}{key}: dropped")
                else:
                    done[key] = item
                continue
            keeps = key in control
            new = self.value(item, properties[key], f"{path}{key}", room - 1, held=keeps)
            if new is None and item is None and key not in required and not keeps and not _fits(None, properties[key]):
                self.changes.append(f"{path}{key}: dropped null")
                continue
            done[key] = new
        for key in required:
            if key not in done and key not in control and "default" in (properties.get(key) or {}):
                done[key] = deepcopy(properties[key]["default"])
                self.changes.append(f"{path}{key}: default")
        return done

    def _renamed(
        self, value: Args, properties: dict[str, Any], required: Collection[str], control: frozenset[str], path: str
    ) -> Args:
        names: dict[str, str] = {}
        if (key := next(iter(value), "")) in (LONE, _INPUT) and len(value) == 1 and key not in properties:
            may = [_INPUT] if _INPUT in properties else list(properties) if len(properties) == 1 else list(required)
            if len(may) == 1 and may[0] in properties and (key == LONE or may[0] not in control):
                names = {key: may[0]}
        for alike in (_same, _near):
            strange = [key for key in value if key not in properties and key not in names]
            free = [name for name in properties if name not in value and name not in names.values()]
            free = [name for name in free if alike is _same or name not in control]
            for key in strange:
                fits = [name for name in free if alike(key, name)]
                rivals = [other for other in strange if len(fits) == 1 and alike(other, fits[0])]
                if len(fits) == 1 and rivals == [key]:
                    names[key] = fits[0]
        self.changes += [f"{path}{key}: is {name}" for key, name in names.items()]
        return {names.get(key, key): item for key, item in value.items()} if names else value

    def value(self, value: JSON, rule: Schema, path: str, room: int, *, held: bool) -> JSON:
        """A value by its rule."""
        rule = self._resolved(rule)
        if not isinstance(rule, dict) or room <= 0 or _is_handle(value):
            return value
        if branches := rule.get("anyOf") or rule.get("oneOf"):
            return self._branch(value, [self._resolved(branch) for branch in branches], path, room, held=held)
        if "const" in rule or "enum" in rule:
            return self._chosen(value, rule["enum"] if "enum" in rule else [rule["const"]], path, held=held)
        types = _types(rule)
        if types and not any(_IS[kind](value) for kind in types):
            value = self._typed(value, types, path)
        if isinstance(value, dict):
            return self.object(value, rule, f"{path}/", room, held=held)
        if isinstance(value, list) and isinstance(rule.get("items"), dict):
            return [self.value(item, rule["items"], f"{path}/{n}", room - 1, held=held) for n, item in enumerate(value)]
        return value

    def _branch(self, value: JSON, branches: list[Schema], path: str, room: int, *, held: bool) -> JSON:
        """By the branch that it fits as it is, else by the only one that it can be made to fit."""
        before, made = list(self.changes), list[tuple[JSON, list[str]]]()
        for branch in sorted(branches, key=lambda branch: not _fits(value, branch)):
            self.changes = list(before)
            new = self.value(value, branch, path, room - 1, held=held)
            if _fits(new, branch):
                made.append((new, self.changes))
                if _fits(value, branch):
                    break
        self.changes = before
        if len(made) == 1 or (made and all(_equal(new, made[0][0]) for new, _ in made)):
            value, self.changes = made[0]
        return value

    def _chosen(self, value: JSON, members: list[JSON], path: str, *, held: bool) -> JSON:
        if any(_equal(value, member) for member in members):
            return value
        written = value if isinstance(value, str) else json.dumps(value)
        alike = [member for member in members if written == (member if isinstance(member, str) else json.dumps(member))]
        if not alike and not held:
            word = written.strip().casefold()
            alike = [member for member in members if isinstance(member, str) and member.strip().casefold() == word]
        if len(alike) != 1:
            return value
        self.changes.append(f"{path}: as listed")
        return alike[0]

    def _typed(self, value: JSON, types: list[str], path: str) -> JSON:
        """The value as the first of the types that it can be without loss."""
        for kind in types:
            new = _AS[kind](value)
            if new is not _NO:
                self.changes.append(f"{path}: to {kind}")
                return new
        return value

    def _resolved(self, rule: Schema) -> Schema:
        for _ in range(8):
            if not isinstance(rule, dict) or not isinstance(rule.get("$ref"), str):
                return rule
            target: Any = self.root
            for part in rule["$ref"].removeprefix("#").strip("/").split("/"):
                target = target.get(part) if isinstance(target, dict) else None
            rule = target
        return None


def _is_handle(value: JSON) -> bool:
    return isinstance(value, dict) and list(value) == ["$ref"]


def _types(rule: dict[str, Any]) -> list[str]:
    kinds = rule.get("type", [])
    return [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind in _IS]


def _equal(a: JSON, b: JSON) -> bool:
    return type(a) is type(b) and bool(a == b)


def _fits(value: JSON, rule: Schema) -> bool:
    """Whether the value could be valid: by type, choice and required keys; the gate looks closer."""
    if not isinstance(rule, dict):
        return rule is not False
    if branches := rule.get("anyOf") or rule.get("oneOf"):
        return any(_fits(value, branch) for branch in branches)
    if "enum" in rule or "const" in rule:
        return any(_equal(value, member) for member in (rule["enum"] if "enum" in rule else [rule["const"]]))
    types = _types(rule)
    if types and not any(_IS[kind](value) for kind in types):
        return False
    return not isinstance(value, dict) or all(key in value for key in rule.get("required", ()))


def _same(a: str, b: str) -> bool:
    return bool(_fold(a)) and _fold(a) == _fold(b)


def _near(a: str, b: str) -> bool:
    """One letter more, less or other, or two that changed places; in words long enough for that to be a slip."""
    a, b = _fold(a), _fold(b)
    if min(len(a), len(b)) < 5 or abs(len(a) - len(b)) > 1:
        return False
    start = next((n for n, pair in enumerate(zip(a, b, strict=False)) if pair[0] != pair[1]), min(len(a), len(b)))
    a, b = a[start:], b[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[:2][::-1] and a[2:] == b[2:])


def _fold(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _integer(value: JSON) -> JSON:
    if isinstance(value, float) and value.is_integer() and abs(value) <= _MAX_EXACT:
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    return _alone(value, _integer, _IS["integer"])


def _number(value: JSON) -> JSON:
    if isinstance(value, str) and _NUMBER.fullmatch(text := value.strip()):
        if _INTEGER.fullmatch(text):
            return int(text)
        number = float(text)
        return number if math.isfinite(number) and Decimal(repr(number)) == Decimal(text) else _NO
    return _alone(value, _number, _IS["number"])


def _boolean(value: JSON) -> JSON:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().casefold(), _NO)
    return _alone(value, _boolean, _IS["boolean"])


def _text(value: JSON) -> JSON:
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return _alone(value, _text, _IS["string"])


def _null(value: JSON) -> JSON:
    return None if isinstance(value, str) and value.strip() in ("null", "None") else _NO


def _array(value: JSON) -> JSON:
    written = _written(value, "[")
    return written if isinstance(written, list) else _NO if value is None else [value]


def _object(value: JSON) -> JSON:
    written = _written(value, "{")
    return written if isinstance(written, dict) else _alone(value, _object, _IS["object"])


def _written(value: JSON, bracket: str) -> JSON:
    """What a string stands for, if it is JSON that begins with this bracket."""
    if isinstance(value, str) and value.lstrip().startswith(bracket):
        try:
            return loads(value)
        except ValueError:
            return None
    return None


def _alone(value: JSON, made: Callable[[JSON], JSON], right: Callable[[JSON], bool]) -> JSON:
    """The only item of a list."""
    if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], list):
        return value[0] if right(value[0]) else made(value[0])
    return _NO


_IS: dict[str, Callable[[JSON], bool]] = {
    "integer": lambda v: (isinstance(v, int) and not isinstance(v, bool)) or (isinstance(v, float) and v.is_integer()),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "string": lambda v: isinstance(v, str),
    "null": lambda v: v is None,
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}
_AS: dict[str, Callable[[JSON], JSON]] = {
    "integer": _integer, "number": _number, "boolean": _boolean, "string": _text, "null": _null, "array": _array,
    "object": _object,
}  # fmt: skip
