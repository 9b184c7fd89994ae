"""Many runs one after another on one server: does anything of it grow? `python soak.py --runs 100000`.

After each part the server's memory, open files, handles on the journal and threads are read from /proc. The first
part warms up; what is compared is the second one with the last.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import house


@dataclass(frozen=True, slots=True)
class Reading:
    """Of the server, after so many runs."""

    runs: int
    runs_per_s: float
    errors: int
    rss_mb: float
    files: int
    journal_handles: int
    threads: int
    journal_mb: float


def soak(runs: int, at_once: int, parts: int) -> list[Reading]:
    """The readings, each printed as it comes."""
    found: list[Reading] = []
    with house.scripted(1.0) as model, house.ringfence(model) as served:
        for part in range(1, parts + 1):
            told = house.load(served, runs=runs // parts, at_once=at_once)
            files, handles = house.files(served.pid)
            size = sum(one.stat().st_size for one in (served.folder / ".ringfence").glob("journal.db*")) / 1e6
            reading = Reading(
                part * (runs // parts), told["runs_per_s"], told["errors"], house.rss_mb(served.pid), files, handles,
                house.threads(served.pid), size,
            )  # fmt: skip
            found.append(reading)
            print(
                f"{reading.runs:8} runs  {reading.runs_per_s:6.0f} runs/s  {reading.errors:3} errors"
                f"  RSS {reading.rss_mb:6.1f} MB  files {reading.files:4}  on the journal {reading.journal_handles:2}"
                f"  threads {reading.threads:3}  journal {reading.journal_mb:.0f} MB",
                flush=True,
            )
    return found


def grown(found: list[Reading]) -> list[str]:
    """What is not flat, from the second part to the last."""
    warm, last = found[1], found[-1]
    told = [f"{sum(one.errors for one in found)} errors"] if any(one.errors for one in found) else []
    told += [f"RSS {warm.rss_mb:.0f} to {last.rss_mb:.0f} MB"] if last.rss_mb > warm.rss_mb * 1.1 + 5 else []
    told += [f"files {warm.files} to {last.files}"] if last.files > warm.files + 4 else []
    told += (
        [f"handles on the journal {warm.journal_handles} to {last.journal_handles}"]
        if last.journal_handles > warm.journal_handles
        else []
    )
    told += [f"threads {warm.threads} to {last.threads}"] if last.threads > warm.threads else []
    return told


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--parts", type=int, default=20)
    parser.add_argument("--json", type=Path, help="where the readings go")
    args = parser.parse_args()
    found = soak(args.runs, args.at_once, args.parts)
    if args.json:
        args.json.write_text(json.dumps([asdict(one) for one in found], indent=1))
    if told := grown(found):
        raise SystemExit("grown: " + "; ".join(told))
    print("flat")


if __name__ == "__main__":
    main()
