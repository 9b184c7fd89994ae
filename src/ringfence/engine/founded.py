"""Whether a call rests on what was said and shown: its numbers, its months. Pure: decided by the record."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.core.policy import Role, SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Deny

from .answering import shown_numbers
from .conditions import asked
from .course import INVENTED, Become, changes
from .evidence import clipped, hundredths, invented_numbers
from .folds import folded
from .live import Live
from .task import reckons
from .visits import widened


def unfounded(args: Mapping[str, JSON], spec: SinkSpec, turn: Turn, live: Live) -> Deny | None:
    """What a call has from nowhere, in words for the model.

    Numbers to reckon with that stand neither in the task nor in a result; and, once in a run, one that is the beginning
    of another, and a total that is written down before it was worked out.
    """
    told, task = folded(turn, Become).invented, turn.start["task"]
    if given := " ".join(str(args.get(name, "")) for name in spec.grounded):
        shown = shown_numbers(live.said, turn)
        if strays := invented_numbers(given, *shown):
            return _deny(f"{', '.join(strays[:3])} stands in no result; look it up first")
        if not told and (cut := clipped(given, *shown)):
            return _deny("{} stands in no result, but {} does".format(*cut))
    if told or not changes(spec) or not reckons(task) or not any(tool.grounded for tool in live.tools):
        return None  # who was told once may mean it: a person's own words may have a number
    written = " ".join(str(args.get(name, "")) for name, role in spec.roles.items() if role is Role.TEXT)
    strays = invented_numbers(written, *shown_numbers(live.said, turn)) if written else []
    return _deny(f"{', '.join(strays[:3])} stands in no result; work it out first") if strays else None


def _deny(why: str) -> Deny:
    return Deny("POL-4", INVENTED, why)


def as_the_task_has_it(args: Mapping[str, JSON], spec: SinkSpec, turn: Turn, said: str) -> Mapping[str, JSON]:
    """The arguments of a read, with the task's percentages and months as such, and its conditions alone.

    See `hundredths`, `widened`, and `asked`, which is for a tool that has not answered yet: after that a model may know
    better what to ask for.
    """
    if not spec.reads:
        return args
    task = turn.start["task"]
    told = {name: hundredths(text, task) for name in spec.grounded if isinstance(text := args.get(name), str)}
    args = {**widened(args, task), **told}
    return args if spec.name in folded(turn, Become).answered else asked(args, turn, said)
