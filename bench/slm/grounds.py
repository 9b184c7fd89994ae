"""What a request says and no call has: its numbers, by their value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from ringfence.core.values import JSON
from ringfence.engine.evidence import Numbers

_NUMBER = re.compile(r"(?<![\w.^*])\d+(?:,\d{3})*(?:\.\d+)?")
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


def _has(known: Numbers, number: str) -> bool:
    value = Decimal(number)
    return known.have(number) or value / 100 in known.values or known.mean(value)


def _text(args: JSON | Mapping[str, JSON] | list[Mapping[str, JSON]]) -> str:
    return json.dumps(args, ensure_ascii=False)
