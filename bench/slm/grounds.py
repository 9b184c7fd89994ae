"""What a request says and no call has, and what a call has and the request does not say: numbers, by their value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from ringfence.core.values import JSON
from ringfence.engine.evidence import Numbers
from ringfence.engine.step import leaves

_NUMBER = re.compile(r"(?<![\w.^*])\d+(?:,\d{3})*(?:\.\d+)?")
_UNITS = tuple(map(Decimal, (7, 12, 24, 30, 52, 60, 100, 365, 1000, 3600, 10**6)))  # of time, per cent, milli, million
_NOTHING = ("0", "1")  # `= 0` and `1/2` are no values that are asked for


def left_out(request: str, calls: Iterable[Mapping[str, JSON]]) -> list[str]:
    """The numbers of a request that no call has, nor as a hundredth: 5 % is 0.05 for some tools."""
    known = Numbers(_text(list(calls)))
    found = (number.replace(",", "") for number in dict.fromkeys(_NUMBER.findall(request[:20_000])))
    return [one for one in found if one not in _NOTHING and not _has(known, one)]


def takes(call: Mapping[str, JSON], left: Iterable[str]) -> bool:
    """Whether a call has one of the numbers that were left out."""
    known = Numbers(_text(call))
    return any(_has(known, number) for number in left)


def has_all(call: Mapping[str, JSON], other: Mapping[str, JSON]) -> bool:
    """Whether a call has all the values of another one, and so was meant instead of it."""
    values = [str(leaf) for leaf in leaves(dict(call))]
    return all(str(leaf) in values for leaf in leaves(dict(other)))


def invented(request: str, call: Mapping[str, JSON], required: Iterable[str]) -> list[str]:
    """The numbers of a call's required arguments that the request does not say, in its own unit or in another one."""
    said, found = Numbers(request), []
    for leaf in (leaf for name in required for leaf in leaves(call.get(name))):
        if isinstance(leaf, int | float) and not isinstance(leaf, bool) and abs(leaf) > 1:
            value = abs(Decimal(str(leaf)))
            ways = (value, *(value * unit for unit in _UNITS), *(value / unit for unit in _UNITS))
            if not any(way in said.values or said.mean(way) for way in ways) and not said.have(f"{value:f}"):
                found.append(str(leaf))
    return found


def _has(known: Numbers, number: str) -> bool:
    value = Decimal(number)
    return known.have(number) or value / 100 in known.values or known.mean(value)


def _text(args: JSON | Mapping[str, JSON] | list[Mapping[str, JSON]]) -> str:
    return json.dumps(args, ensure_ascii=False)
