"""What was worked out by a tool: what several things cost, and all that a task gives. Pure: decided by the record."""

from __future__ import annotations

from collections.abc import Sequence

from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn

from .evidence import Numbers
from .shares import shares_of
from .task import amounts, given, orders, rated, several


def left_out(turn: Turn, tools: Sequence[SinkSpec]) -> str:
    """The amounts in the question of a task that gives all that is to be calculated with, and how many there are of
    what costs something or a rate is for, which no calculation of the run has taken; empty if there was none, or they
    have taken all.
    """
    task = str(turn.start["task"])
    needed = several(task) or rated(task) or (amounts(task) if given(task) else [])
    able = {spec.name: spec.grounded for spec in tools if spec.grounded}
    taken = [
        str(part)
        for record, intent in turn.items
        if intent is not None and intent.view["sink"] in able and record.view.get("ok")
        for part in (*(intent.body["args"].get(name, "") for name in able[intent.view["sink"]]), record.body["value"])
    ]
    numbers = Numbers(" ".join(taken))
    return ", ".join(one for one in needed if not numbers.have(one.replace(",", ""))) if taken else ""


def all_reckoned(turn: Turn, tools: Sequence[SinkSpec]) -> bool:
    """Whether what several things cost was worked out just now, with how many there are and the one percentage."""
    task, counts = turn.start["task"], several(turn.start["task"])
    record, intent = turn.items[-1] if turn.items else (None, None)
    if not counts or orders(task) or record is None or intent is None or not record.view.get("ok"):
        return False
    grounded = next((spec.grounded for spec in tools if spec.name == intent.view["sink"]), ())
    numbers, shares = Numbers(" ".join(str(intent.body["args"].get(name, "")) for name in grounded)), shares_of(task)
    taken = len(shares) < 2 and all(any(map(numbers.have, ways)) for ways in shares)
    return taken and all(map(numbers.have, counts))
