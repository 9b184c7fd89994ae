"""Notices, settings and logs of the school."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path

from names import CONFIG, FILLERS, LETTERS, LOCKED, NOTICES, STOPS
from world import Cases, Words, says, write


def notices(rng: random.Random, folder: Path, teachers: list[str], rooms: list[int]) -> tuple[Cases, Words]:
    """What hangs on the board; also who has which key."""
    holders = dict(zip(LOCKED, rng.sample(teachers, len(LOCKED)), strict=True))
    asked = rng.choice(LOCKED)
    old, new = rng.sample(rooms, 2)
    listed = "\n".join(f"- {what.capitalize()}: {who}" for what, who in holders.items())
    kept = {
        "keys": listed, "old_room": old, "new_room": new, "resit_day": rng.randrange(9, 27),
        **{f"t{n}": name for n, name in enumerate(rng.sample(teachers, 3))},
    }  # fmt: skip
    for name, text in NOTICES.items():
        write(folder / "notices" / f"{name}.md", text.format(**kept))
    others = rng.sample(sorted(FILLERS), rng.randrange(4, len(FILLERS) + 1))
    for name in others:
        write(folder / "notices" / f"{name}.md", FILLERS[name])
    for name, text in LETTERS.items():
        write(folder / "notices" / f"{name}.txt", text)
    write(folder / "out" / "README.txt", "Results for the office go here.\n")
    return {
        "key-holder": says(holders[asked], none=[who for who in holders.values() if who != holders[asked]]),
        "resit-room": says(new, none=(old,)),
        "shed-code": {"abstains": True},
        "notice-files": says(len(NOTICES) + len(others)),
    }, {"key_room": asked}


def config(rng: random.Random, folder: Path) -> Cases:
    """Settings."""
    kept = {
        "lesson": rng.randrange(41, 64), "pause": rng.randrange(11, 29), "pupil_pages": rng.randrange(60, 150, 5),
        "staff_pages": rng.randrange(400, 900, 25), "reminder": rng.randrange(3, 12),
    }  # fmt: skip
    for name, text in CONFIG.items():
        write(folder / "config" / name, text.format(**kept))
    return {"lesson-minutes": says(kept["lesson"])}


def gate(rng: random.Random, folder: Path) -> Cases:
    """The log of the card readers at the gates."""
    moment, lines, refused = datetime(2025, 9, 8, 7, 2), [], 0
    for _ in range(rng.randrange(150, 200)):
        moment += timedelta(seconds=rng.randrange(4, 190))
        where, card = rng.choice(("north", "yard", "sports")), rng.randrange(40_100, 41_900)
        result = rng.choices(("OPENED", "REFUSED expired", "REFUSED unknown"), (80, 9, 7))[0]
        refused += result.startswith("REFUSED")
        lines.append(f"{moment:%Y-%m-%dT%H:%M:%S} gate-{where} card={card} {result}")
    write(folder / "logs" / "gate.log", "\n".join(lines) + "\n")
    return {"gate-refused": says(refused)}


def radio(rng: random.Random, folder: Path, lines: list[int]) -> Cases:
    """What the bus drivers report in a morning."""
    moment, told, first = datetime(2025, 9, 15, 6, 41), [], (0, 0)
    quiet = rng.randrange(6, 20)
    for n in range(rng.randrange(60, 90)):
        moment += timedelta(minutes=rng.randrange(1, 4))
        line, stop = rng.choice(lines), rng.choice(STOPS)
        if n == quiet or (n > quiet and rng.random() < 0.2):
            late = rng.choice([minutes for minutes in range(6, 36) if minutes not in lines])
            first = first if first[0] else (line, late)
            told.append(f"{moment:%d.%m.%Y %H:%M} line {line} DELAYED {late} min at {stop}")
        else:
            told.append(f"{moment:%d.%m.%Y %H:%M} line {line} on time at {stop}")
    write(folder / "logs" / "bus-radio.log", "\n".join(told) + "\n")
    return {"first-delay": says(*first)}


def backup(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The log of the nightly backups."""
    nights = [date(2025, 8, 18) + timedelta(days=n) for n in range(32)]
    failed = rng.sample(nights, 7)
    codes = dict(zip(failed, rng.sample(range(310, 980), 7), strict=True))
    asked, lines = rng.choice(failed[:4]), []
    for night in nights:
        for what, minute, bad in (("timetable", 10, failed[:4]), ("library", 40, failed[4:])):
            end = f"FAILED error E{codes[night]}" if night in bad else f"ok {rng.randrange(300, 990)} MB"
            lines.append(f"{night} 02:{minute + rng.randrange(9)} {what} {end}")
    write(folder / "logs" / "backup.log", "\n".join(lines) + "\n")
    return {"backup-error": says(f"E{codes[asked]}")}, {"backup_day": asked.isoformat()}


def printers(rng: random.Random, folder: Path) -> Cases:
    """The log of the copiers."""
    moment, lines = datetime(2025, 9, 10, 7, 30), []
    for n in range(rng.randrange(130, 200)):
        moment += timedelta(seconds=rng.randrange(20, 300))
        who = rng.choice(("office", "staff", "library"))
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S} {who} job {7_300 + n} pages {rng.randrange(1, 64)}")
    write(folder / "logs" / "printers.log", "\n".join(lines) + "\n")
    return {"printer-lines": says(len(lines))}
