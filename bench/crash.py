"""The crash battery of P3 as a table: how many points were tried, what was lost, repeated, and put before a person.

    python bench/crash.py [INSTANTS] [SEED]

A run of twelve steps, with reads and effects of every kind, is cut off and resumed; a server on loopback counts what
was done. Each of its seven effects has to have been done once, and a person has to have been asked about exactly those
calls of which nobody else could know. Exits with 1 if anything is otherwise.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.crash.battery import Kills, Tally, kills
from tests.crash.disk_battery import Bench, Fault, bench, leaping

INSTANTS, SEED = 300, "20"
ROW = "{:<44}{:>7}{:>10}{:>7}{:>10}{:>9}{:>8}{:>9}"
KINDS: dict[Fault, str] = {"ENOSPC": "ENOSPC at every write and sync", "EIO": "EIO at every write and sync",
                          "torn": "a torn write, at every write and sync"}  # fmt: skip


def killed(battery: Kills, instants: int, seed: str) -> Iterator[tuple[str, Callable[[], Tally]]]:
    """The rows of the killed subprocess."""
    yield "kill -9 before every record, after every flush", battery.boundaries
    yield f"kill -9 at {instants} random instants", lambda: battery.instants(instants, seed=seed)


def failed(made: Bench, seed: str) -> Iterator[tuple[str, Callable[[], Tally]]]:
    """The rows of bad disks and bad clocks."""
    for kind, title in KINDS.items():
        yield title, lambda kind=kind: made.every_failure(kind)  # type: ignore[misc]
    yield "unsynced writes dropped, at every boundary", made.every_loss_of_power
    yield "a leaping clock, and a cut at every boundary", lambda: made.every_leap(lambda n: leaping(f"{seed}-{n}"))


def show(rows: Iterator[tuple[str, Callable[[], Tally]]]) -> bool:
    """Print the rows as they come; whether all are clean."""
    clean = True
    for title, measure in rows:
        began = time.perf_counter()
        tally = measure()
        took = f"{time.perf_counter() - began:.0f} s"
        print(ROW.format(title, tally.tried, tally.cut, len(tally.lost), len(tally.repeated), tally.hidden,
                         tally.asked, took), flush=True)  # fmt: skip
        for problem in (*tally.lost, *tally.repeated, *tally.wrong):
            print("  " + problem)
        clean = clean and tally.clean
    return clean


def main() -> int:
    """The command line."""
    instants = int(sys.argv[1]) if len(sys.argv) > 1 else INSTANTS
    seed = sys.argv[2] if len(sys.argv) > 2 else SEED
    print(f"seed {seed}; a run has 7 effects, of which 3 can only be looked up by a person")
    print(ROW.format("", "points", "resumed", "lost", "repeated", "unknown", "asked", ""))
    with tempfile.TemporaryDirectory() as folder, kills(Path(folder)) as battery:
        clean = show(killed(battery, instants, seed))
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder)) as made:
        clean = show(failed(made, seed)) and clean
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
