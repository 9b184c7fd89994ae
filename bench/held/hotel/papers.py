"""Notes, settings and logs of the hotel."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path

from names import CONFIG, FILLERS, LETTER, NOTES, PLACES, ROUNDS
from world import Cases, Words, says, write


def spoken(day: date) -> str:
    """A day as people say it: `4 July`."""
    return f"{day.day} {day:%B}"


def notes(rng: random.Random, folder: Path, people: list[str]) -> Cases:
    """The notes of the house, and the letter that lies in each room."""
    old, new, garage, bike, bed, late = rng.sample([n for n in range(9, 36) if n != 19], 6)  # the meeting was on a 19th
    place = rng.choice(sorted(PLACES))
    kept = {
        "dog_old": min(old, new), "dog_new": max(old, new), "garage": garage, "bike": bike, "bed": bed, "late": late,
        "place": PLACES[place], **{f"p{n}": name for n, name in enumerate(people)},
    }  # fmt: skip
    chosen = rng.sample(sorted(FILLERS), rng.randrange(4, len(FILLERS) + 1))
    for name, text in {**NOTES, **{name: FILLERS[name] for name in chosen}}.items():
        write(folder / "house" / f"{name}.md", text.format(**kept))
    first, *more = LETTER
    told = [first, *rng.sample(more, rng.randrange(3, len(LETTER)))]
    letter = f"Dear guests,\n\n{chr(10).join(told)}\n\nWarm regards from {people[0]} and {people[1]}\n"
    write(folder / "house" / "welcome-letter.txt", letter)
    write(folder / "tray" / "README.txt", "Put here what the office is to pick up.\n")
    return {
        "dog-price": says(kept["dog_new"], none=(kept["dog_old"],)),
        "late-key": says(place),
        "cots": {"abstains": True},
        "letter-words": says(len(letter.split())),
    }


def config(rng: random.Random, folder: Path) -> Cases:
    """Settings."""
    sauna, steam, relax = rng.randrange(78, 96), rng.randrange(41, 49), rng.randrange(22, 28)
    for name, text in CONFIG.items():
        write(folder / "setup" / name, text.format(sauna=sauna, steam=steam, relax=relax, pause=rng.randrange(30, 95)))
    return {"sauna": says(sauna)}


def lift(rng: random.Random, folder: Path) -> Cases:
    """The log of the lift."""
    moment, lines, stuck = datetime(2025, 7, 1, 6, 20), [], 0
    for _ in range(rng.randrange(210, 330)):
        moment += timedelta(seconds=rng.randrange(90, 7_000))
        floor = rng.randrange(0, 4)
        state = rng.choices((f"ARRIVED floor={floor}", f"DOOR-HELD floor={floor}", "STUCK"), (80, 12, 8))[0]
        if state == "STUCK":
            stuck += 1
            lines.append(f"{moment:%Y-%m-%d %H:%M:%S} STUCK near-floor={floor}")
            moment += timedelta(seconds=rng.randrange(100, 900))
            state = f"RESET by={rng.choice(('desk', 'hotline'))}"
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S} {state}")
    write(folder / "logs" / "lift.log", "\n".join(lines) + "\n")
    return {"lift-stuck": says(stuck)}


def wakeup(rng: random.Random, folder: Path, rooms: list[int]) -> tuple[Cases, Words]:
    """The log of the wake-up calls: on some days one room does not answer."""
    days = [date(2025, 6, 23) + timedelta(days=n) for n in range(rng.randrange(24, 34))]
    silent, lines = {}, []
    for day in days:
        called = rng.sample(rooms, rng.randrange(3, 8))
        times = sorted(rng.sample(range(5 * 12 + 6, 9 * 12), len(called)))
        missed = rng.choices((0, 1, 2), (5, 4, 1))[0]
        quiet = rng.sample(called, missed)
        if missed == 1:
            silent[day] = quiet[0]
        for step, room in zip(times, called, strict=True):
            end = "no answer after 3 tries" if room in quiet else "answered"
            lines.append(f"{day} {step // 12:02d}:{step % 12 * 5:02d} room {room} {end}")
    write(folder / "logs" / "wakeup.log", "\n".join(lines) + "\n")
    asked = rng.choice(sorted(silent))
    return {"wake-up": says(silent[asked])}, {"wake_day": spoken(asked)}


def printer(rng: random.Random, folder: Path) -> Cases:
    """The log of the printer in the kitchen, of one evening."""
    moment, lines, count = datetime(2025, 8, 16, 18, 3), [], rng.randrange(110, 160)
    failed = sorted(rng.sample(range(10, count - 5), rng.randrange(4, 9)))
    tables = dict(zip(failed, rng.sample(range(1, 20), len(failed)), strict=True))
    for n in range(count):
        moment += timedelta(seconds=rng.randrange(15, 170))
        end = f"FAILED {rng.choice(('paper jam', 'no paper', 'offline'))}" if n in tables else "printed"
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S} ticket {3_140 + n} table {tables.get(n, rng.randrange(1, 20))} {end}")
    write(folder / "logs" / "kitchen-printer.log", "\n".join(lines) + "\n")
    return {"failed-ticket": says(tables[failed[-1]])}


def porter(rng: random.Random, folder: Path) -> Cases:
    """What the night porter writes down."""
    first = datetime(2025, 8, 11, 21, 30) + timedelta(minutes=rng.randrange(0, 85))
    lines = []
    for night in range(6):
        moment = first if not night else datetime(2025, 8, 11 + night, 21, 30) + timedelta(minutes=rng.randrange(85))
        for said in rng.sample(ROUNDS, rng.randrange(5, len(ROUNDS))):
            lines.append(f"{moment:%Y-%m-%d %H:%M} {said}")
            moment += timedelta(minutes=rng.randrange(12, 70))
    write(folder / "logs" / "night-porter.log", "\n".join(lines) + "\n")
    return {"porter-first": says(f"{first:%H:%M}")}
