"""Whether a call rests on what was said and shown: its numbers, its months. Pure: decided by the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ringfence.core.policy import Role, SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Deny

from .answering import invented
from .conditions import unasked
from .course import INVENTED, UNASKED, Become, changes, reckons
from .evidence import hundredths
from .folds import folded
from .live import Live
from .visits import widened


def unfounded(args: Mapping[str, JSON], spec: SinkSpec, turn: Turn, live: Live) -> Deny | None:
    """What a call has from nowhere, in words for the model.

    Numbers to reckon with that stand neither in the task nor in a result; and, once in a run, a total that is written
    down before it was worked out, and a condition that nobody asked for.
    """
    if spec.reads and UNASKED not in folded(turn, Become).sent_back and (why := unasked(args, turn, live.said)):
        return Deny("POL-4", UNASKED, why)
    given = " ".join(str(args.get(name, "")) for name in spec.grounded)
    if given and (strays := invented(given, live.said, turn)):
        return _deny(strays, "look it up first")
    if not changes(spec) or not reckons(turn.start["task"]) or not any(tool.grounded for tool in live.tools):
        return None
    if INVENTED in folded(turn, Become).sent_back:  # it was told: a person's own words may have a number
        return None
    written = " ".join(str(args.get(name, "")) for name, role in spec.roles.items() if role is Role.TEXT)
    strays = invented(written, live.said, turn) if written else []
    return _deny(strays, "work it out first") if strays else None


def as_the_task_has_it(args: Mapping[str, JSON], spec: SinkSpec, task: str) -> Mapping[str, JSON]:
    """The arguments of a read, with the task's percentages and months as such: see `hundredths`, `widened`."""
    if not spec.reads:
        return args
    told = {name: hundredths(text, task) for name in spec.grounded if isinstance(text := args.get(name), str)}
    return {**widened(args, task), **told}


def _deny(strays: Sequence[str], todo: str) -> Deny:
    return Deny("POL-4", INVENTED, f"{', '.join(strays[:3])} stands in no result; {todo}")
