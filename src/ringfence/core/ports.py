"""The seams of the kernel: a Protocol with one verb each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .chain import Record
from .values import Action, Outcome, Principal

Clock = Callable[[], int]  # milliseconds since 1970 UTC
Observer = Callable[[Record], None]  # sees each record after it was appended; may fail without consequence


class Sink(Protocol):
    """Where an action goes. Raises ToolError or BackendError for a failure that a run can survive."""

    async def perform(self, action: Action) -> Outcome:
        """Do it."""


class Journal(Protocol):
    """Where records go. Order of `append` is order in the log."""

    def append(self, record: Record) -> None:
        """Queue a record for the next commit; raises JournalError once a commit has failed."""

    async def flush(self, *, anchored: bool = False) -> None:
        """Return when all that was appended is durable, and (`anchored`) where it must be; else raises JournalError."""


class Meter(Protocol):
    """Counts calls of a principal over a sliding window (POL-7)."""

    def hit(self, principal: Principal, sink: str) -> bool:
        """Count one call, if the rate allows it; whether it does."""
