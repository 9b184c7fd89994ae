"""A clock that stands still until it is told to go on."""

from __future__ import annotations


class FakeClock:
    """A `core.ports.Clock`: milliseconds since 1970 UTC, moved by `advance` alone."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = now_ms

    def __call__(self) -> int:
        """The time, in milliseconds."""
        return self._now_ms

    def advance(self, ms: int) -> None:
        """Let `ms` milliseconds pass; never backwards."""
        if ms < 0:
            raise ValueError(f"time does not go back: {ms} ms")
        self._now_ms += ms
