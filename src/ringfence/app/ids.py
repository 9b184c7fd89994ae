"""The clock of runs, and their names."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def new_run_id(now: int) -> str:
    """A ULID-like id: sorts by time, 20 characters, the last 11 random."""
    stamp = "".join(_ALPHABET[(now >> shift) & 31] for shift in range(40, -1, -5))
    number = secrets.randbits(55)
    return stamp + "".join(_ALPHABET[(number >> shift) & 31] for shift in range(50, -1, -5))
