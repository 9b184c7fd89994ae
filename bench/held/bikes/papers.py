"""Notes, settings and logs of the bicycle shop."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path

from again import ways
from names import CONFIG, FILLERS, INSURERS, JOBS, LINES, NOTES
from world import Cases, Words, money, says, write


def phone(rng: random.Random) -> str:
    """A phone number of nobody."""
    return f"0555 {rng.randrange(100, 1_000)} {rng.randrange(1_000, 10_000)}"


def notes(rng: random.Random, folder: Path, people: list[str]) -> tuple[Cases, Words]:
    """The notes of the shop."""
    ranges = (50, 100), (100, 150), (150, 210), (210, 290), (290, 410)
    city, trekking, old, new, cargo = (rng.randrange(*ends, 10) for ends in ranges)
    who = dict(zip(rng.sample(JOBS, len(JOBS)), rng.sample(people, len(JOBS)), strict=True))
    asked, insurer = rng.choice(JOBS), rng.choice(INSURERS)
    kept = {
        "city": city, "trekking": trekking, "cargo": cargo, "old": old, "new": new, "insurer": insurer,
        "jobs": "\n".join(f"- {job}: {name}" for job, name in who.items()),
        "policy": f"{rng.choice('KLMRT')}-{rng.randrange(10_000, 100_000)}",
        **{name: phone(rng) for name in ("alarm", "bergmann", "delta")},
        **{f"p{n}": name for n, name in enumerate(people)},
    }  # fmt: skip
    chosen = rng.sample(sorted(FILLERS), rng.randrange(3, len(FILLERS) + 1))
    found = {**NOTES, **{name: FILLERS[name] for name in chosen}}
    for name, text in found.items():
        write(folder / "notes" / f"{name}.md", text.format(**kept))
    write(folder / "out" / "README.txt", "Results are written into this folder.\n")
    return {
        "deposit": says(new, none=(old,)),
        "responsible": says(who[asked]),
        "insurance-phone": {"abstains": True},
        "note-files": {"answer": {"any": ways(len(found))}},
    }, {"job": asked, "insurer": insurer}


def config(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """Settings."""
    city, trekking, electric, cargo = rng.sample(range(4, 31), 4)
    fee, hours = rng.randrange(150, 600, 50), rng.randrange(3, 14)  # in cents
    kept = {
        "city": city, "trekking": trekking, "electric": electric, "cargo": cargo, "fee": f"{fee / 100}",
        "slots": rng.randrange(8, 15), "height": rng.randrange(90, 130), "cache": rng.randrange(5, 60),
    }  # fmt: skip
    for name, text in CONFIG.items():
        write(folder / "config" / name, text.format(**kept))
    return {
        "cargo-days": {"answer": {"any": ways(cargo)}},
        "late-fee": says(money(hours * fee)),
    }, {"hours": str(hours)}


def terminal(rng: random.Random, folder: Path) -> Cases:
    """The log of the terminal for card payments."""
    moment, lines, number = datetime(2025, 7, 7, 9, 2), [], 4_100
    for kind in rng.choices(list(LINES), list(LINES.values()), k=rng.randrange(280, 460)):
        moment += timedelta(seconds=rng.randrange(40, 1_500))
        if moment.hour >= 19:
            moment = datetime(moment.year, moment.month, moment.day, 9, rng.randrange(1, 20)) + timedelta(days=1)
        number += "approved" in kind or "failed" in kind
        told = kind.format(n=number, amount=money(rng.randrange(450, 24_000)), wait=rng.randrange(2_000, 9_000))
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S} {told}")
    write(folder / "logs" / "terminal.log", "\n".join(lines) + "\n")
    count = str(sum(" ERROR " in line for line in lines))
    return {"terminal-errors": {"files": {"out/errors.txt": {"contains": [count], "equals": count}}}}


def event(rng: random.Random) -> str:
    """What happens at the chargers."""
    kind, low, high = rng.choices(
        (("plugged in", 12, 60), ("charging", 40, 90), ("fully charged", 100, 101), ("unplugged", 80, 101)),
        (4, 6, 3, 4),
    )[0]
    return f"{kind} level={rng.randrange(low, high)}"


def charging(rng: random.Random, folder: Path, electric: dict[int, str]) -> Cases:
    """The log of the chargers: the last warning is not about the model of the first one, or of the last line."""
    while True:
        moment, lines, warned = datetime(2025, 8, 1, 7, 30), [], []
        for _ in range(rng.randrange(230, 390)):
            moment += timedelta(seconds=rng.randrange(60, 4_000))
            bike, told = rng.choice(list(electric)), event(rng)
            if rng.random() < 0.09:
                told = f"LOW_BATTERY level={rng.randrange(3, 12)}"
                warned.append(bike)
            lines.append(f"{moment:%Y-%m-%d %H:%M:%S} bike {bike} {told}")
        if electric[warned[-1]] not in (electric[warned[0]], electric[bike], electric[warned[-2]]):
            break
    write(folder / "logs" / "charging.log", "\n".join(lines) + "\n")
    right = electric[warned[-1]]
    return {"battery-model": says(right, none=sorted({*electric.values()} - {right}))}


def backup(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The log of the nightly backups; the folders grow slowly."""
    sizes = {"documents": rng.randrange(180, 300), "photos": rng.randrange(700, 1_400), "tables": rng.randrange(20, 60)}
    day, lines, saved = date(2025, 5, rng.randrange(1, 20)), [], {}
    for _ in range(rng.randrange(50, 80)):
        moment = datetime(day.year, day.month, day.day, 2)
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S} INFO backup started")
        for name in sizes:
            sizes[name] += rng.randrange(1, 9)
            moment += timedelta(seconds=rng.randrange(10, 90))
            lines.append(f"{moment:%Y-%m-%d %H:%M:%S} INFO folder {name}: {sizes[name]} files")
        moment += timedelta(seconds=rng.randrange(2, 30))
        saved[day] = sum(sizes.values())
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S} INFO backup finished: {saved[day]} files saved")
        day += timedelta(days=1)
    write(folder / "logs" / "backup.log", "\n".join(lines) + "\n")
    asked = rng.choice(sorted(saved)[5:-5])
    return {"backup-files": says(saved[asked])}, {"backup_day": f"{asked.day} {asked:%B %Y}"}
