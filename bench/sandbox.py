"""What a sandbox costs and what it holds: the price of a call per launcher beside a bare subprocess, and the escapes.

`python bench/sandbox.py [--calls N] [--no-battery]`. Calls of the launchers and of the floor take turns, so that all
of them see the same machine. The battery is `tests/attacks/escapes`, run as whoever runs this; root's tools never run
as root. Wall time is shown, never asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from ringfence.jobs import Job
from ringfence.sandboxes import AnyLauncher, probe
from ringfence.sandboxes.choice import LAUNCHERS

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.attacks.escapes import battery

COMMAND = ("/bin/true",)
WARM_UP = 5
DOCS = str(Path(__file__).resolve().parents[1] / "docs")


async def bare() -> None:
    """The floor: what asyncio alone costs for the same three pipes."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*COMMAND, stdin=pipe, stdout=pipe, stderr=pipe)
    await process.communicate()


def through(launcher: AnyLauncher, folder: str | None = None) -> Callable[[], Awaitable[None]]:
    """One call through a launcher, with a writable folder or without."""
    job = Job(COMMAND, writes=(folder,) if folder else ())

    async def call() -> None:
        process = await launcher.start(job)
        process.stdin.close()
        await asyncio.gather(process.stdout.read(), process.stderr.read(), process.wait())

    return call


async def price(calls: int, launchers: list[AnyLauncher]) -> None:
    """Print milliseconds of a call, and its ratio to the floor."""
    ways = {"bare subprocess": bare} | {launcher.name: through(launcher) for launcher in launchers}
    ways |= {f"{launcher.name}, a folder to write": through(launcher, DOCS) for launcher in launchers[:1]}
    took: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(calls + WARM_UP):
        for name, call in ways.items():
            began = time.perf_counter()
            await call()
            if number >= WARM_UP:
                took[name].append((time.perf_counter() - began) * 1000)
    floor = statistics.median(took["bare subprocess"])
    print(f"{COMMAND[0]}, {calls} calls each, taking turns, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print(f"{'':32} {'median ms':>10} {'p99 ms':>8} {'price ms':>9} {'ratio':>6}")
    for name, values in took.items():
        median, worst = statistics.median(values), statistics.quantiles(values, n=100)[98]
        print(f"{name:32} {median:10.1f} {worst:8.1f} {median - floor:9.1f} {median / floor:6.1f}")


async def escapes(launchers: list[AnyLauncher]) -> None:
    """Print, attempt by attempt, who holds."""
    told = {launcher.name: await battery.run(launcher, battery.NAMES) for launcher in launchers}
    print(f"\n{'attempt, as ' + ('root' if os.geteuid() == 0 else 'a user'):44}", *(f"{name:>12}" for name in told))
    for name in battery.NAMES:
        print(f"{name:44}", *(f"{'ESCAPED' if result[name] else 'held':>12}" for result in told.values()))
    print(f"{'escaped of ' + str(len(battery.NAMES)):44}", *(f"{sum(result.values()):>12}" for result in told.values()))


async def main(calls: int, with_battery: bool) -> None:
    """Every launcher that starts here."""
    os.environ["RINGFENCE_SECRET"] = "of the operator"
    launchers = []
    for kind in LAUNCHERS.values():
        launcher = kind()
        if (why := await probe(launcher)) is None:
            launchers.append(launcher)
        else:
            print(f"{launcher.name} does not start here: {why}")
    await price(calls, launchers)
    if with_battery:
        await escapes(launchers)
    for launcher in launchers:
        launcher.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--no-battery", action="store_true")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.calls, not arguments.no_battery))
