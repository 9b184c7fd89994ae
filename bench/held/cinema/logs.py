"""The logs of the cinema: the projectors, the doors, the ticket scanners."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, datetime, time, timedelta
from pathlib import Path

from again import ways
from world import Cases, Words, says, write

START = date(2025, 10, 1)
DAYS = 24
FINE = ("lamp on", "lamp off", "film loaded", "film ended", "fan at normal speed")
ODD = ("lamp temperature high", "fan slow", "server answers late")
DOOR = ("front", "fire", "yard", "booth")


def stamps(rng: random.Random, count: int) -> list[datetime]:
    """Minutes of afternoons and evenings, in order, no two the same."""
    found = rng.sample(range(DAYS * 600), count)
    return [datetime.combine(START, time(13)) + timedelta(days=n // 600, minutes=n % 600) for n in sorted(found)]


def projectors(rng: random.Random, folder: Path, rooms: dict[str, str]) -> tuple[Cases, Words]:
    """Levels, projectors by their serial; a few lamps failed, the last one not where the others did."""
    last, *others = rng.sample(sorted(rooms), len(rooms))
    while True:
        at = stamps(rng, rng.randrange(330, 420))
        failed = sorted(rng.sample(range(len(at)), rng.randrange(4, 7)))
        lines, warned = [], Counter[date]()
        for n, when in enumerate(at):
            level, what = rng.choices(("INFO", "WARN", "ERROR"), (14, 5, 1))[0], rng.choice(FINE)
            serial = rng.choice(sorted(rooms))
            if n in failed:
                level, what, serial = "ERROR", "LAMP_FAIL", last if n == failed[-1] else rng.choice(others)
            elif level != "INFO":
                what = rng.choice(ODD) if level == "WARN" else "no signal"
            warned[when.date()] += level == "WARN"
            lines.append(f"{when:%Y-%m-%d %H:%M} {level} {serial} {what}\n")
        days = [day for day, count in warned.items() if 3 < count < 10 and count != day.day]
        if days:
            break
    day = rng.choice(days)
    write(folder / "logs" / "projector.log", "".join(lines))
    return {
        "projector-warnings": {"answer": {"any": ways(warned[day])}},
        "failed-lamp": says(rooms[last], none=[room for room in rooms.values() if room != rooms[last]]),
    }, {"warn_day": day.isoformat()}


def moments(when: datetime) -> list[list[str]]:
    """How a day and a time can be written."""
    clock = f"{when:%H:%M}"
    days = (f"{when:%Y-%m-%d}", f"{when.day} {when:%B}", f"{when:%B} {when.day}", f"{when.day}. {when:%B}")
    return [[day, clock] for day in days]


def doors(rng: random.Random, folder: Path, people: list[str]) -> Cases:
    """Which door was opened and closed, and by whom."""
    lines, opened, at = [], [], stamps(rng, rng.randrange(210, 260))
    drill = rng.sample(range(20, len(at) - 20), 4)  # so that there are some
    for n, when in enumerate(at):
        door, event = rng.choices(DOOR, (9, 1, 4, 5))[0], rng.choice(("opened", "closed"))
        door, event = ("fire", "opened") if n in drill else (door, event)
        who = rng.choice(people).split()[0].lower()
        lines.append(f"{when:%Y-%m-%d %H:%M} door={door} event={event} by={who}\n")
        opened += [when] if (door, event) == ("fire", "opened") else []
    write(folder / "logs" / "doors.log", "".join(lines))
    return {"fire-door": {"answer": {"any": moments(opened[-1]), "none": [f"{opened[0]:%Y-%m-%d %H:%M}"]}}}


def scanners(rng: random.Random, folder: Path) -> None:
    """Tickets that were read at the door; nothing is asked about them."""
    told = [
        f"{when:%Y-%m-%d %H:%M} scanner={rng.choice('AB')} ticket={rng.randrange(10_000, 99_999)} ok\n"
        for when in stamps(rng, rng.choice((165, 560)) + rng.randrange(35))
    ]
    write(folder / "logs" / "scanner.log", "".join(told))


def logs(rng: random.Random, folder: Path, rooms: dict[str, str], people: list[str]) -> tuple[Cases, Words]:
    """All of them, and which of them is the largest."""
    cases, words = projectors(rng, folder, rooms)
    cases |= doors(rng, folder, people)
    scanners(rng, folder)
    sizes = sorted((path.stat().st_size, path.name) for path in (folder / "logs").iterdir())
    *others, largest = [name for _, name in sizes]
    return cases | {"largest-log": says(largest, none=others)}, words
