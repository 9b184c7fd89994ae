"""Runs that work for another one, each granted the model alone. Their ids say for which: a prefix, and its own id."""

from __future__ import annotations

from . import mapreduce, planner, rerank, stated, summary

BEFORE = (planner.PREFIX, summary.PREFIX)  # one of each at most, made before the run that was asked for
DURING = (mapreduce.PREFIX, rerank.PREFIX, stated.PREFIX)  # any number, begun while it is under way


def begun_before(run: str) -> tuple[str, ...]:
    """The ids of those that a run may have had made before it."""
    return tuple(prefix + run for prefix in BEFORE)


def begun_during(run: str) -> tuple[str, ...]:
    """What the ids of those begin with that a run has begun."""
    return tuple(f"{prefix}{run}-" for prefix in DURING)
