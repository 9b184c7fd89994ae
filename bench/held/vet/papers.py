"""Notes, settings and logs of the practice."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path

from again import ways
from names import BACKUP, BOOKING, CONFIG, DOOR, FILLERS, MEETINGS, NOTES, OLD, SMS
from world import Cases, Words, money, says, write


def weekend(day: date) -> str:
    """A Saturday and the Sunday after it."""
    after = day + timedelta(days=1)
    if day.month == after.month:
        return f"{day.day} and {after.day} {day:%B %Y}"
    return f"{day.day} {day:%B} and {after.day} {after:%B %Y}"


def notes(rng: random.Random, folder: Path, people: list[str], recalled: tuple[str, str]) -> tuple[Cases, Words]:
    """The notes: the fee in the first one was raised later; the rota ends before the weekend that is asked about."""
    old, new = rng.randrange(12, 25), rng.randrange(26, 45)
    first, count = date(2025, 1, 4), rng.randrange(16, 24)
    asked = first + timedelta(days=7 * (count + rng.randrange(6, 16)))
    rota = [weekend(first + timedelta(days=7 * n)) for n in range(count)]
    kept = {
        "old": old, "new": new, "vaccine": recalled[0], "batch": recalled[1],
        "rota": "\n".join(f"| {days} | {rng.choice(people[:4])} |" for days in rota),
        **{f"p{n}": name for n, name in enumerate(people)},
    }  # fmt: skip
    meetings = rng.sample(sorted(MEETINGS), rng.randrange(3, len(MEETINGS) + 1))
    others = rng.sample(sorted(FILLERS), rng.randrange(3, len(FILLERS) + 1))
    found = NOTES | {name: MEETINGS[name] for name in meetings} | {name: FILLERS[name] for name in others}
    for name, text in found.items():
        write(folder / "notes" / f"{name}.md", text.format(**kept))
    write(folder / "out" / "README.txt", "What is written goes into this folder.\n")
    return {
        "no-show-fee": says(new),
        "weekend-duty": {"abstains": True},
        "meeting-notes": {"answer": {"any": ways(len(meetings) + 1)}},  # the one with the new fee is always there
    }, {"weekend": weekend(asked)}


def config(rng: random.Random, folder: Path) -> tuple[Cases, Words, int]:
    """Settings, and an old file with the same keys; also returns the shelter's discount in percent."""
    hours, before = rng.sample((12, 18, 24, 30, 36, 48), 2)
    base, per_km, km = rng.randrange(2_150, 3_950, 100), rng.choice((85, 95, 115, 135, 145)), rng.randrange(6, 38)
    while (base + per_km * km) % 10 == 0:
        km += 1
    shelter, breeders = rng.sample((8, 12, 14, 16, 18, 22), 2)
    kept = {
        "hours": hours, "days": rng.randrange(5, 12), "mail": rng.randrange(21, 40), "base": money(base),
        "per_km": money(per_km), "shelter": shelter, "breeders": breeders, "slots": rng.randrange(3, 6),
        "waiting": rng.randrange(8, 20),
    }  # fmt: skip
    for name, text in CONFIG.items():
        write(folder / "config" / name, text.format(**kept))
    write(folder / "config" / OLD, SMS.format(hours=before, days=rng.randrange(13, 20)))
    return {
        "sms-hours": {"answer": {"any": ways(hours)}},
        "house-call": says(money(base + per_km * km)),
    }, {"km": str(km)}, shelter  # fmt: skip


def stamped(rng: random.Random, kinds: dict[str, int], lines: int, wait_s: tuple[int, int]) -> list[str]:
    """Lines in the order of their time; the practice is empty at night."""
    moment, number, found = (
        datetime(2025, 5, 5, 8, rng.randrange(60), rng.randrange(60)),
        rng.randrange(2_000, 6_000),
        [],
    )
    for kind in rng.choices(list(kinds), list(kinds.values()), k=lines):
        moment += timedelta(seconds=rng.randrange(*wait_s))
        if moment.hour >= 19:
            moment = datetime(moment.year, moment.month, moment.day, 8, rng.randrange(20)) + timedelta(days=1)
        number += rng.randrange(1, 4)
        found.append(f"{moment:%Y-%m-%d %H:%M:%S} {kind.format(n=number, ms=rng.randrange(900, 7_000))}")
    return found


def fridge(rng: random.Random, lines: int) -> list[str]:
    """The temperature of the fridge for vaccines."""
    moment, found = datetime(2025, 6, 2), []
    for _ in range(lines):
        found.append(f"{moment:%Y-%m-%d %H:%M:%S} fridge 1 temperature {rng.randrange(28, 71) / 10} C")
        moment += timedelta(minutes=30)
    return found


def logs(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The logs; one is clearly larger than the others."""
    while True:
        told = {
            "booking": stamped(rng, BOOKING, rng.randrange(210, 310), (120, 1_900)),
            "door": stamped(rng, DOOR, rng.randrange(280, 460), (60, 2_400)),
            "backup": stamped(rng, BACKUP, rng.randrange(260, 460), (300, 3_000)),
            "fridge": fridge(rng, rng.randrange(250, 380)),
        }
        sizes = sorted((sum(len(line) + 1 for line in lines), name) for name, lines in told.items())
        cancelled = [line[:10] for line in told["booking"] if "cancelled" in line]
        days = sorted(day for day in {*cancelled} if 4 <= cancelled.count(day) <= 12)
        if sizes[-1][0] - sizes[-2][0] > 900 and len(days) > 2:
            break
    for name, lines in told.items():
        write(folder / "logs" / f"{name}.log", "\n".join(lines) + "\n")
    asked, count = rng.choice(days), str(len(told["fridge"]))
    day = date.fromisoformat(asked)
    return {
        "cancelled-day": {"answer": {"any": ways(cancelled.count(asked))}},
        "fridge-lines": {"files": {"out/fridge-lines.txt": {"contains": [count]}}},
        "largest-log": says(f"{sizes[-1][1]}.log"),
        "last-entry": says(told["door"][-1][11:19]),
    }, {"log_day": f"{day.day} {day:%B %Y}"}
