"""How much work a CEL expression may be: bounded before it is evaluated, since the evaluator takes no time bound.

CEL has no loops but its macros, which go over a list or a map. So what an expression can cost at most follows from its
length, from how many macros stand inside of each other, and from how much they are given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ringfence.core.values import JSON

MAX_EFFORT = 1_000_000  # characters of an expression that are gone over; a third of a second, at worst
_PART = re.compile(
    r"""[bBrR]{0,2}(?:'{3}.*?'{3}|"{3}.*?"{3}|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|//[^\n]*""", re.DOTALL
)
_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|existsOne|map|filter|transformList|transformMap)\s*\(|[()]")
_GROWS = re.compile(r"[+,]")


def depth(expr: str) -> int:
    """How many macros stand inside of each other at most; what stands in quotation marks is none."""
    open_: list[bool] = []
    most = 0
    for found in _MACRO.finditer(_PART.sub("''", expr)):
        if found[0] == ")":
            if open_:
                open_.pop()
            continue
        open_.append(len(found[0]) > 1)
        most = max(most, sum(open_))
    return most


def effort(expr: str, facts: Mapping[str, JSON]) -> int:
    """Characters that are gone over at most, counted up to one more than `MAX_EFFORT`.

    Lists of the facts may be put together by `+`, and the expression may write out lists of its own: so many items at
    most each macro goes over. What one item costs is bounded by the length of the expression.
    """
    most, known = 1, 0
    level: list[JSON] = list(facts.values())
    while level and known <= MAX_EFFORT:
        inner: list[JSON] = []
        for value in level:
            if isinstance(value, list | dict):
                most = max(most, len(value))
                inner.extend(value.values() if isinstance(value, dict) else value)
        known += len(inner)
        level = inner
    plain = _PART.sub("''", expr)
    items = most * (1 + plain.count("+")) + len(_GROWS.findall(plain))
    steps, nested = len(plain), depth(expr)
    for _ in range(nested):
        steps = min(steps * items, MAX_EFFORT + 1)
    return min(known + steps, MAX_EFFORT + 1)
