"""Bounds that a task gives in words, and a query asks for as a value. Pure.

A small model that is asked for what weighs more than 16 kg asks for what weighs 16, of which there is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ringfence.core.policy import SinkSpec
from ringfence.core.values import JSON

from .conditions import is_one
from .facts import is_unit
from .task import PASTED

_OPS = {">=": "least", "<=": "most", ">": "more", "<": "less"}
_BOUND = re.compile(
    r"(?<!\w)(?:(?P<least>at least|(?:no|not) (?:less|fewer) than|(?:a )?minimum of|mindestens)"
    r"|(?P<most>at most|(?:no|not) more than|up to|(?:a )?maximum of|höchstens|bis zu)"
    r"|(?P<more>(?:more|greater|larger|bigger|higher|heavier|longer|older|taller) than|(?P<over>over|above|über)|"
    r"mehr als)"
    r"|(?P<less>(?:less|fewer|smaller|lower|lighter|shorter|younger|cheaper) than|(?P<under>under|below|unter)"
    r"|weniger als))"
    r"\s+(?P<coin>[€$£]?)(?P<n>\d+(?:\.\d+)?)(?!\d|[.,]\d|st\b|nd\b|rd\b|th\b)\s*(?P<unit>[€$°]|[^\W\d_]*)(?!\s*(?:%|percent))",
    re.I,
)
_NOT = re.compile(r"\b(?:no|not|never|nor|nicht|kein\w*)\s+(?:\w+\s+)?\Z|n't\s+(?:\w+\s+)?\Z", re.I)
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:\.\d+)?(?!\d|[.,]\d)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_KEY = re.compile(r"(?:.*_)?(?:id|no|nr|num|number|code|key|room|account|year|month|day)", re.I)


def bounded(args: Mapping[str, JSON], spec: SinkSpec, task: str) -> Mapping[str, JSON]:
    """The arguments of a query, with `=` of a number that the task says as a bound as that bound: more than 16 is > 16.

    For a tool that can compare so. Not of a key or a year, nor where the task says that number a second time. Who asks
    for `!= "<"` means the one bound of the task.
    """
    if len(task) > PASTED:
        return args
    said = _NUMBER.findall(task)
    found = {match["n"]: _op(match, task) for match in _BOUND.finditer(task)}
    ops = {n: op for n, op in found.items() if op and said.count(n) <= 1}
    signs = [(_sign(match), match["n"]) for match in _BOUND.finditer(task) if not _denied(match, task)]

    def as_said(where: JSON, able: Sequence[JSON]) -> JSON:
        if not isinstance(where, dict) or not is_one(where):
            return where
        value = str(where["value"]).strip()
        if where.get("op") in ("!=", *_OPS) and value in able and [sign for sign, _ in signs] == [value]:
            return {**where, "op": value, "value": signs[0][1]}
        op = ops.get(value, "=") if where.get("op") == "=" else "="
        return {**where, "op": op} if op in able and op != "=" and not _KEY.fullmatch(str(where["column"])) else where

    able = {name: _able(spec, name) for name in args} if found else {}
    return {
        name: [as_said(one, able[name]) for one in value]
        if able.get(name) and isinstance(value, list | tuple)
        else value
        for name, value in args.items()
    }


def _op(match: re.Match[str], task: str) -> str:
    """The sign that a bound stands for; empty for what may be none: the second room of two, an account, a denial."""
    unit = match["coin"] or match["unit"]
    counted = bool(unit) and (match["coin"] or unit in "€$°" or len(unit) > 1 or is_unit(unit))
    bare = (match["over"] or match["under"]) and not (match["coin"] or unit in "€$°" or is_unit(unit))
    if (
        _denied(match, task)
        or not counted
        or bare
        or _YEAR.fullmatch(match["n"])
        or unit.lower() in ("percent", "prozent", "per")
    ):
        return ""
    return _sign(match)


def _sign(match: re.Match[str]) -> str:
    return next(op for op in _OPS if match[_OPS[op]])


def _denied(match: re.Match[str], task: str) -> bool:
    before = task[max(0, match.start() - 40) : match.start()]
    return _NOT.search(before) is not None and not (match["least"] or match["most"])


def _able(spec: SinkSpec, name: str) -> Sequence[JSON]:
    """The signs that a list of conditions can have."""
    match (spec.schema or {}).get("properties", {}).get(name):
        case {"items": {"properties": {"op": {"enum": [*signs]}}}}:
            return signs
    return ()
