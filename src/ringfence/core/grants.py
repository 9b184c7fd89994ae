"""What a task may touch (POL-3), and a human's yes to one action (POL-9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .values import JSON, Action, digest


@dataclass(frozen=True, slots=True)
class TaskGrant:
    """What a task may touch, fixed before any data is read.

    sinks    names of sinks; nothing else may be called
    budgets  calls per sink; a sink without one is bounded by the run's own limits alone
    objects  per sink, the only values that its control arguments may take; a sink that is not named takes any
    version  a new message of the user may make a new one
    """

    sinks: frozenset[str]
    budgets: Mapping[str, int]
    objects: Mapping[str, Sequence[JSON]] = field(default_factory=dict)
    version: int = 1

    def to_json(self) -> dict[str, Any]:
        """Sorted, for the record of the run's start."""
        objects = {sink: list(values) for sink, values in self.objects.items()}
        return {"sinks": sorted(self.sinks), "budgets": dict(self.budgets), "objects": objects, "version": self.version}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TaskGrant:
        """Inverse of `to_json`."""
        return cls(frozenset(value["sinks"]), dict(value["budgets"]), value.get("objects", {}), value["version"])


@dataclass(frozen=True, slots=True)
class Approval:
    """A yes to one digest by one person until `expires` (milliseconds since 1970)."""

    digest: str
    by: str
    expires: int


def approval_digest(action: Action, *, pin: str, run: str, policy: str) -> str:
    """What an approval is bound to: the pinned tool, the resolved arguments, the labels, the run and the policy."""
    return digest([pin, action.digest, action.label.to_json(), run, policy])


def expired(approval: Approval, *, now: int) -> bool:
    """Whether `now` (milliseconds since 1970) is past the approval's time."""
    return now >= approval.expires
