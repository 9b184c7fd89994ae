"""What a task may touch (POL-3), and a human's yes to one action (POL-9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .values import Action, digest


@dataclass(frozen=True, slots=True)
class TaskGrant:
    """The sinks of a task and how often each may be called, fixed before any data is read.

    `budgets` bounds calls per sink name; a sink without a budget is bounded by the run's own limits alone.
    """

    sinks: frozenset[str]
    budgets: Mapping[str, int]
    version: int = 1

    def to_json(self) -> dict[str, Any]:
        """Sorted, for the record of the run's start."""
        return {"sinks": sorted(self.sinks), "budgets": dict(self.budgets), "version": self.version}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TaskGrant:
        """Inverse of `to_json`."""
        return cls(frozenset(value["sinks"]), dict(value["budgets"]), value["version"])


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
