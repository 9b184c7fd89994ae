"""What the benchmarks take from `ringfence eval` to judge answers and read records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ringfence.engine.ladder import read
from ringfence.evals.checks import Check
from ringfence.evals.measure import measure

__all__ = ["Check", "is_step", "thoughts"]


def is_step(text: str) -> bool:
    """Whether a model's answer can be read as a step."""
    try:
        read(text)
    except ValueError:
        return False
    return True


def thoughts(records: Iterable[Any]) -> list[str]:
    """The texts that the model answered in a run."""
    return [step.text for step in measure(records).steps]
