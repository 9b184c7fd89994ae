"""The logs of a world, and what is asked about them."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path

from again import spoken, valve_ways, ways
from world import Cases, Words, says, write

CAUSES = (
    "leaf in front of the camera", "apple stuck at the gate", "cup missing", "crate full", "belt too slow",
    "emergency stop pressed",
)  # fmt: skip
SIZES = ("60-65", "65-70", "70-75", "75-80", "80-85")
Lines = list[str]


def cold_store(rng: random.Random) -> tuple[Lines, date, int, int]:
    """Temperatures of three cold stores; a day, a store, and how many alarms it had then: not as many as its number."""
    first, days = datetime(2025, 9, rng.randrange(8, 18)), rng.randrange(7, 12)
    while True:
        lines, alarms = [], []
        for step in range(days * 12):
            at = first + timedelta(hours=2 * step)
            for store in (1, 2, 3):
                high = rng.random() < 0.2
                degrees = rng.randrange(42, 69) if high else rng.randrange(8, 36)
                alarms += [(at.date(), store)] * high
                state = "ALARM above limit" if high else "ok"
                lines.append(f"{at:%Y-%m-%d %H:%M}:0{store} store {store} temperature {degrees / 10} C {state}")
        asked = rng.choice(alarms)
        here = alarms.count(asked)
        if 3 < here < sum(day == asked[0] for day, _ in alarms):
            return lines, *asked, here


def irrigation(rng: random.Random, year: int, days: int) -> tuple[Lines, str]:
    """A line for each valve that was opened and closed; the last valve that did not open."""
    while True:
        lines: Lines = []
        failed: list[tuple[str, bool]] = []
        for day in range(days):
            at = datetime(year, 7, 3, 4) + timedelta(days=day, minutes=rng.randrange(20))
            for valve in sorted(rng.sample(range(10, 35), 11)):
                for word in ("open", "close"):
                    at += timedelta(seconds=rng.randrange(70, 190))
                    fails = rng.random() < 0.04
                    said = f"did not {word}" if fails else f"{word.removesuffix('e')}ed"
                    failed += [(f"V{valve}", word == "open")] * fails
                    head = f"{at:%b} {at.day:2} {at:%H:%M:%S} pumphouse irrigation[{600 + day}]:"
                    lines.append(f"{head} valve V{valve} {said}, {rng.randrange(18, 33) / 10} bar")
        shut = [valve for valve, opening in failed if opening]
        if len(shut) > 3 and not failed[-1][1] and failed[-1][0] != shut[-1] != shut[-2]:
            return lines, shut[-1]


def sorter(rng: random.Random) -> tuple[Lines, Lines]:
    """The sorting machine; also the lines in which it was blocked."""
    at, lines, stops = datetime(2025, 9, 18, 7), Lines(), rng.randrange(4, 7)
    count = rng.randrange(230, 420)
    blocked = set(rng.sample(range(20, count - 20), stops))
    for number in range(count):
        at += timedelta(seconds=rng.randrange(30, 100))
        said = f"INFO {rng.randrange(40, 400)} apples, size {rng.choice(SIZES)} mm"
        if number in blocked:
            said = f"BLOCKED {rng.choice(CAUSES)}"
        lines.append(f"{at:%Y-%m-%d %H:%M:%S} lane {rng.randrange(1, 7)} {said}")
    return lines, [lines[number] for number in sorted(blocked)]


def logs(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The four logs, one of them clearly the largest."""
    while True:
        cold, day, store, alarms = cold_store(rng)
        pump, valve = irrigation(rng, 2025, rng.randrange(11, 16))
        before, other = irrigation(rng, 2024, rng.randrange(11, 16))
        sorted_, blocked = sorter(rng)
        held = {"cold_store.log": cold, "irrigation.log": pump, "irrigation-2024.log": before, "sorter.log": sorted_}
        texts = {name: "\n".join(lines) + "\n" for name, lines in held.items()}
        second, first = sorted(texts, key=lambda name: len(texts[name]))[-2:]
        if len(texts[first]) > 1.05 * len(texts[second]) and valve != other:
            break
    for name, log in texts.items():
        write(folder / "logs" / name, log)
    quiet = [line for line in sorted_ if line not in blocked]
    return {
        "store-alarms": {"answer": {"any": ways(alarms)}},
        "failed-valve": {"answer": {"any": valve_ways(valve), "none": [other]}},
        "blocked-lines": {"files": {"out/blocked.txt": {"contains": blocked, "lacks": [quiet[0], quiet[-1]]}}},
        "largest-log": says(first, none=[name for name in texts if name != first]),
    }, {"store": str(store), "store_day": spoken(day)}
