"""Bounds that a task gives in words, and a query asks for as a value. Pure.

A small model that is asked for what weighs more than 16 kg asks for what weighs 16, of which there is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ringfence.core.values import JSON

from .conditions import is_one
from .task import PASTED

_OPS = {">=": "least", "<=": "most", ">": "more", "<": "less"}
_BOUND = re.compile(
    r"\b(?:(?P<least>at least|(?:no|not) (?:less|fewer) than|(?:a )?minimum of|mindestens)"
    r"|(?P<most>at most|(?:no|not) more than|up to|(?:a )?maximum of|höchstens|bis zu)"
    r"|(?P<more>(?:more|greater|larger|bigger|higher|heavier|longer|older|taller) than|over|above|exceed(?:s|ing)?|"
    r"mehr als|über)"
    r"|(?P<less>(?:less|fewer|smaller|lower|lighter|shorter|younger|cheaper) than|under|below|weniger als|unter))"
    r"\s+[€$£]?(?P<n>\d+(?:\.\d+)?)(?!\d|[.,]\d)(?!\s*(?:%|percent))",
    re.I,
)
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:\.\d+)?(?!\d|[.,]\d)")


def bounded(args: Mapping[str, JSON], task: str) -> Mapping[str, JSON]:
    """The arguments of a query, with `=` of a number that the task says as a bound as that bound: more than 16 is > 16.

    Not where the task says that number a second time.
    """
    found = {match["n"]: match for match in _BOUND.finditer(task)} if len(task) <= PASTED else {}
    said = _NUMBER.findall(task) if found else []
    ops = {n: next(op for op in _OPS if match[_OPS[op]]) for n, match in found.items() if said.count(n) == 1}

    def as_said(where: JSON) -> JSON:
        if not isinstance(where, dict) or not is_one(where) or where.get("op", "=") != "=":
            return where
        return {**where, "op": ops.get(str(where["value"]).strip(), "=")}

    lists = {name: value for name, value in args.items() if isinstance(value, list | tuple) and any(map(is_one, value))}
    return {**args, **{name: list(map(as_said, value)) for name, value in lists.items()}} if ops else args
