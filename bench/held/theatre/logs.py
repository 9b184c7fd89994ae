"""The logs of the theatre."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path

from again import REASONS, dimmer, reason
from names import LOST, PLACES
from world import Cases, Words, holds, write


def lay(path: Path, lines: list[str]) -> None:
    """A log."""
    write(path, "\n".join(lines) + "\n")


def dimmers(rng: random.Random, folder: Path) -> Cases:
    """What the dimmers report: one trips more often than the others, and another one is only warm."""
    names = [f"D{n}" for n in sorted(rng.sample(range(11, 60), 24))]
    worst, warm, *rest = rng.sample(names, 8)
    most = rng.randrange(6, 10)
    events = [(worst, "TRIP")] * most
    events += [(name, "TRIP") for name in rest for _ in range(rng.randrange(1, most - 1))]
    events += [(warm, "WARM")] * (most + 3) + [(name, "WARM") for name in rng.choices(names, k=8)]
    rng.shuffle(events)
    whole = rng.randrange(330, 420)
    at, lines = sorted(rng.sample(range(whole), len(events))), []
    told = dict(zip(at, events, strict=True))
    now = datetime(2025, 10, 27, 17, 55)
    for n in range(whole):
        now += timedelta(seconds=rng.randrange(15, 700))
        if now.hour < 17:
            now = now.replace(hour=18, minute=2)
        name, what = told.get(n, (rng.choice(names), "LEVEL"))
        value = {"LEVEL": rng.randrange(5, 101, 5), "WARM": f"{rng.randrange(68, 84)}C", "TRIP": "overload"}[what]
        lines.append(f"{now:%Y-%m-%d %H:%M:%S} {name} {what} {value}")
        if what == "TRIP":
            now += timedelta(seconds=rng.randrange(20, 240))
            lines.append(f"{now:%Y-%m-%d %H:%M:%S} {name} RESET by {rng.choice(('hand', 'desk'))}")
    lay(folder / "logs" / "dimmers.log", lines)
    return {"worst-dimmer": {"answer": {"any": dimmer(worst), "none": []}}}


def entry(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """What the gates say of each ticket, on three evenings; who is sent away does not come again."""
    numbers = iter(rng.sample(range(200_000, 900_000), 700))
    lines, refused = [], {}
    for day in (14, 15, 16):
        now, seen = datetime(2025, 11, day, 18, 58), list[int]()
        count = rng.randrange(130, 170)
        away = rng.sample(range(20, count), rng.randrange(4, 8))
        for n in range(count):
            now += timedelta(seconds=rng.randrange(2, 26))
            ticket, state = next(numbers), "ok"
            if n in away:
                why = rng.choice(sorted(REASONS))
                if why == "already scanned":
                    ticket = rng.choice([other for other in seen if other not in refused])
                refused[ticket], state = why, f"REFUSED {why}"
            else:
                seen.append(ticket)
            lines.append(f"{now:%Y-%m-%d %H:%M:%S} gate {rng.randrange(1, 4)} ticket {ticket} {state}")
    lay(folder / "logs" / "entry.log", lines)
    asked = rng.choice(sorted(refused))
    others = [why for why in REASONS if why != refused[asked]]
    answer = {"any": reason(refused[asked]), "none": others}
    return {"refused-ticket": {"answer": answer}}, {"ticket": str(asked)}


def phone(rng: random.Random, folder: Path) -> Cases:
    """The calls to the three lines of the box office."""
    lines, missed = [], 0
    for day in (date(2025, 11, 3) + timedelta(days=n) for n in range(13)):
        if day.weekday() == 6:
            continue
        now = datetime(day.year, day.month, day.day, 10, 0)
        for _ in range(rng.randrange(26, 38)):
            now += timedelta(seconds=rng.randrange(30, 1_400))
            line, wait = rng.choice((11, 11, 14, 17)), rng.randrange(3, 95)
            state = rng.choices(("ANSWERED", "MISSED", "BUSY"), (78, 16, 6))[0]
            missed += (line, state) == (14, "MISSED")
            talk = f" talk={rng.randrange(20, 600)}s" if state == "ANSWERED" else ""
            lines.append(f"{now:%d.%m.%Y %H:%M:%S} ext={line} {state} wait={wait}s{talk}")
    lay(folder / "logs" / "phone.log", lines)
    return {"write-missed": holds("outbox/missed-calls.txt", missed)}


def lost(rng: random.Random, folder: Path) -> Cases:
    """What was found in the house, in that order."""
    day, lines = date(2025, 9, 19), []
    things = rng.sample(LOST, rng.randrange(17, len(LOST) + 1))
    for thing in things:
        where = rng.choice(PLACES)
        seat = f" row {rng.choice('ABCDEGHJK')} seat {rng.randrange(1, 27)}" if where == "stalls" else ""
        lines.append(f"{day:%d.%m.%Y}  {where}{seat}: {thing}{rng.choice(('', '', ' (fetched)', ' (box 2)'))}")
        day += timedelta(days=rng.randrange(1, 4))
    lay(folder / "logs" / "lost-property.txt", lines)
    return {"last-found": {"answer": {"any": [[things[-1]]], "none": things[:-1]}}}


def logs(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """All of them."""
    cases, words = entry(rng, folder)
    return cases | dimmers(rng, folder) | phone(rng, folder) | lost(rng, folder), words
