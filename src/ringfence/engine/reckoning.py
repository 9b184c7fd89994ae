"""Whether a task was worked out by a tool just now, with all that it gives. Pure: decided by the record."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn

from .evidence import Numbers
from .figures import NUMBER
from .shares import shares_of, without_shares
from .task import given, orders, several

_RESULT = re.compile(r"-?\d{1,9}(?:\.\d{1,6})?")
_ROUND = re.compile(r"\b(?:round\w*|decimals?|places|cents?|nearest|whole|gerundet|Nachkomma\w*|ganze)\b", re.I)


def all_reckoned(turn: Turn, tools: Sequence[SinkSpec]) -> bool:
    """Whether the last call worked out what several things cost, with how many there are and the one percentage, or
    a task that gives all its numbers itself, with every one of them.
    """
    task, counts = turn.start["task"], several(turn.start["task"])
    expression, own = _expression(turn, tools), given(turn.start["task"])
    if orders(task) or not expression or not (counts or own):
        return False
    numbers, shares, plain = Numbers(expression), shares_of(task), NUMBER.findall(without_shares(task))
    named = [[number] for number in (plain if own else counts)]
    named += [[way for way in ways if way not in plain] for ways in shares]  # 10 euros are no 10 %
    return (own or len(shares) < 2) and all(any(map(numbers.have, ways)) for ways in named)


def outcome(turn: Turn) -> str:
    """What the last call came to, if that is a short number, which is not to be rounded; else empty."""
    value = turn.items[-1][0].body.get("value") if turn.items else None
    result = value.get("result") if isinstance(value, dict) else None
    if not isinstance(result, str) or not _RESULT.fullmatch(result):
        return ""
    return "" if "." in result and _ROUND.search(turn.start["task"]) else result


def _expression(turn: Turn, tools: Sequence[SinkSpec]) -> str:
    """The calculation that the last item is the outcome of; empty if it is none."""
    record, intent = turn.items[-1] if turn.items else (None, None)
    if record is None or intent is None or not record.view.get("ok"):
        return ""
    grounded = next((spec.grounded for spec in tools if spec.name == intent.view["sink"]), ())
    return " ".join(str(intent.body["args"].get(name, "")) for name in grounded)
