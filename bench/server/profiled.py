"""`ringfence serve` under a profiler, to see what a run costs: `python profiled.py MANIFEST FILE`."""

from __future__ import annotations

import asyncio
import cProfile
import sys
import time
from pathlib import Path

import uvloop

from ringfence import app
from ringfence.channels.http.life import Life, Plan
from ringfence.manifest.loader import load


def say(words: str) -> None:
    """A line on stderr."""
    print(words, file=sys.stderr, flush=True)


def main() -> None:
    """Serve until a signal."""
    manifest = load(Path(sys.argv[1]))
    app.keep_log(manifest)
    manifest = manifest.model_copy(update={"server": manifest.server.model_copy(update={"port": 0})})
    told = lambda where: say(f"bench is served on {where.url}")  # noqa: E731
    life = Life(Plan(manifest, lambda: manifest, say, told))
    profile = cProfile.Profile(time.thread_time)  # of the event loop, whatever else the machine does
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        profile.enable()
        runner.run(life.run())
    profile.disable()
    profile.dump_stats(sys.argv[2])


if __name__ == "__main__":
    main()
