"""`time.now`."""

from __future__ import annotations

from datetime import UTC, datetime

from ringfence.core.ports import Clock
from ringfence.core.values import JSON

from .tool import Args, Tool, Use, define

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")  # strftime is the locale's


class NowArgs(Args):
    """Arguments of time.now: none."""


def now(clock: Clock, use: Use) -> Tool:
    """The tool `time.now`: ISO 8601 in UTC and in this machine's zone."""

    def run(args: NowArgs) -> JSON:
        utc = datetime.fromtimestamp(clock() // 1000, UTC)
        local = utc.astimezone()
        return {
            "utc": utc.isoformat().replace("+00:00", "Z"),
            "local": local.isoformat(),
            "weekday": WEEKDAYS[local.weekday()],
        }

    return define("time.now", "The current date, time and weekday.", NowArgs, run, use=use)
