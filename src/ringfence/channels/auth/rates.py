"""How often somebody may ask, by principal and by address.

Of everybody one number is kept: the time until which what they asked is used up (GCRA, the leaky bucket as a meter,
ITU-T I.371). So a check costs a microsecond, and what is kept has a bound.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from ringfence.channels.http.problems import Problem
from ringfence.manifest.fields import window

KEPT: Final = 100_000


class Rates:
    """Counts in this process alone: two processes on one journal, as while one takes over, count each for itself."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._used: dict[str, float] = {}

    def hit(self, who: str, rate: str) -> None:
        """Count one request; raises Problem 429 with Retry-After if it is one too many."""
        calls, seconds = _window(rate)
        now = self._clock()
        each = seconds / calls
        used = max(self._used.get(who, now), now) + each
        if (over := used - now - seconds) > each * 1e-6:
            raise Problem(429, "rate", f"expected at most {rate}, got more", todo="wait as long as Retry-After says",
                          headers={"Retry-After": str(max(1, math.ceil(over)))})  # fmt: skip
        if len(self._used) >= KEPT and who not in self._used:
            self._tidy(now)
        self._used[who] = used

    def _tidy(self, now: float) -> None:
        """Forget who has nothing used up; if that is not enough, who has the least."""
        kept = sorted(((used, who) for who, used in self._used.items() if used > now), reverse=True)
        self._used = {who: used for used, who in kept[: KEPT // 2]}


@lru_cache(64)
def _window(rate: str) -> tuple[int, int]:
    return window(rate)


@lru_cache(4096)
def network(address: str) -> str:
    """What counts as one address: of IPv6 a /64, for a single house has as many as it likes in it."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if known.version == 4:
        return str(known)
    mapped = known.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network((known, 64), strict=False))
