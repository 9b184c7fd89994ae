"""Notes, settings and logs of the tool library."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path

from again import LOGS, clock, ways
from names import CONFIG, FILLERS, NOTES, PATHS, PLACES
from world import Cases, Words, says, write

HOURS = ("13:30", "14:00", "14:30", "15:30", "16:30")


def notes(rng: random.Random, folder: Path, people: list[str]) -> tuple[Cases, Words]:
    """The notes and settings of the library."""
    old, new = rng.sample(HOURS, 2)
    who = dict(zip(rng.sample(PLACES, len(PLACES)), rng.sample(people, len(PLACES)), strict=True))
    asked = rng.choice(PLACES)
    hand, power, ladder = rng.sample(range(5, 29), 3)
    kept = {
        "old": old, "new": new, "load": rng.randrange(350, 760, 10), "limit": rng.randrange(60, 110, 10),
        "keys": "\n".join(f"- {place}: {name}" for place, name in who.items()),
        "hand": hand, "power": power, "ladder": ladder, "port": rng.randrange(4_000, 9_000),
        "width": rng.randrange(40, 80), "cache": rng.randrange(31, 59),
        **{f"p{n}": name for n, name in enumerate(people)},
    }  # fmt: skip
    chosen = rng.sample(sorted(FILLERS), rng.randrange(3, len(FILLERS) + 1))
    for name, told in (NOTES | {name: FILLERS[name] for name in chosen}).items():
        write(folder / "notes" / f"{name}.md", told.format(**kept))
    for name, told in CONFIG.items():
        write(folder / "config" / name, told.format(**kept))
    write(folder / "out" / "README.txt", "Results are written into this folder.\n")
    return {
        "saturday-close": {"answer": {"any": clock(new), "none": [old]}},
        "spare-key": says(who[asked]),
        "power-tool-days": {"answer": {"any": ways(power)}},
        "trailer-plate": {"abstains": True},
        "fax-number": {"abstains": True},
    }, {"place": asked}


def moments(rng: random.Random, longest: int) -> Iterator[datetime]:
    """One after the other, in the opening hours."""
    moment = datetime(2025, 9, 9, 10, rng.randrange(1, 30))
    while True:
        moment += timedelta(seconds=rng.randrange(20, longest))
        if moment.hour > 19:
            moment = datetime(moment.year, moment.month, moment.day, 10, rng.randrange(1, 30)) + timedelta(days=2)
        yield moment


def filled(lines: Iterator[str], size: int) -> list[str]:
    """Lines until there are about so many bytes."""
    total = 0

    def fits(line: str) -> bool:
        nonlocal total
        total += len(line) + 1
        return total < size

    return list(takewhile(fits, lines))


def door(rng: random.Random, cards: dict[int, str], size: int) -> tuple[list[str], Cases]:
    """The lock of the door: the last one who was kept out is neither the one before, nor in the last line."""

    def told() -> Iterator[str]:
        for moment in moments(rng, 2_400):
            what = rng.choices(("OPENED", "DENIED", "LEFT"), (12, 2, 9))[0]
            yield f"{moment:%Y-%m-%d %H:%M:%S} front-door card {rng.choice(list(cards))} {what}"

    while True:
        lines = filled(told(), size)
        kept_out = [int(line.split()[4]) for line in lines if line.endswith("DENIED")]
        others = {cards[int(line.split()[4])] for line in lines[-1:]} | {cards[card] for card in kept_out[:1]}
        others.add(cards[kept_out[-2]])
        right = cards[kept_out[-1]]
        if right not in others and not lines[-1].endswith("DENIED"):
            return lines, {"denied-member": says(right, none=sorted(others)), "door-lines": says(len(lines))}


def reminders(rng: random.Random, size: int) -> tuple[list[str], Cases]:
    """What was sent to members, as JSON lines."""

    def told() -> Iterator[str]:
        for moment in moments(rng, 4_000):
            channel, status = (
                rng.choice(("email", "sms")),
                rng.choices(("delivered", "bounced", "queued"), (9, 2, 1))[0],
            )
            kind = rng.choice(("due tomorrow", "due today", "overdue"))
            one = {"sent_at": moment.isoformat(), "loan_id": rng.randrange(5_001, 5_180), "channel": channel}
            yield json.dumps(one | {"kind": kind, "status": status})

    lines = filled(told(), size)
    count = str(sum('"bounced"' in line for line in lines))
    return lines, {"bounced-reminders": {"files": {"out/bounced.txt": {"contains": [count], "equals": count}}}}


def website(rng: random.Random, status: str, size: int) -> tuple[list[str], Cases]:
    """The requests to the web site."""

    def told() -> Iterator[str]:
        for moment in moments(rng, 1_500):
            code = rng.choices(("200", "304", "404", "500", "503"), (60, 9, 6, 5, 4))[0]
            yield f"{moment:%Y-%m-%d %H:%M:%S} GET {rng.choice(PATHS)} {code} {rng.randrange(3, 190)}ms"

    lines = filled(told(), size)
    return lines, {"server-errors": {"answer": {"any": ways(sum(f" {status} " in line for line in lines))}}}


def logs(rng: random.Random, folder: Path, cards: dict[int, str]) -> tuple[Cases, Words]:
    """Three logs; which of them is the largest is drawn."""
    status = rng.choice(("404", "500", "503"))
    sizes = [size + rng.randrange(1_500) for size in rng.sample((15_000, 19_000, 24_000), 3)]
    kept, cases = [], Cases()
    for lines, more in (
        door(rng, cards, sizes[0]),
        reminders(rng, sizes[1]),
        website(rng, status, sizes[2]),
    ):
        kept.append("\n".join(lines) + "\n")
        cases |= more
    for name, told in zip(LOGS, kept, strict=True):
        write(folder / "logs" / name, told)
    largest = max(zip(sizes, LOGS, strict=True))[1]
    others = [name for name in LOGS if name != largest]
    return cases | {"largest-log": says(largest, none=others)}, {"status": status}
