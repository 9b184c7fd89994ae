"""Notes, settings and logs of the library."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from again import ways
from names import BRANCHES, ERRORS, FEES, FILLERS, NOTES, OTHER, RULES, STOPS, TUNERS
from world import Cases, Words, money, says, write

DAYS = ("tuesday", "wednesday", "thursday", "friday")
CENTS = (15, 25, 35, 45, 65, 75, 85, 95)


def notes(rng: random.Random, folder: Path, people: list[str]) -> tuple[Cases, Words]:
    """The notes: the price of a card in the list was replaced by a circular."""
    old, new = (euros * 100 + rng.choice(CENTS) for euros in (rng.randrange(2, 5), rng.randrange(5, 9)))
    tuner = rng.choice(TUNERS)
    kept = {
        "old": money(old), "new": money(new), "reservation": money(50 + rng.choice(CENTS)), "tuner": tuner,
        "key": money(rng.randrange(10, 20) * 100 + rng.choice(CENTS)), **{f"p{n}": who for n, who in enumerate(people)},
    }  # fmt: skip
    chosen = rng.sample(sorted(FILLERS), rng.randrange(3, len(FILLERS) + 1))
    for name, text in {**NOTES, **{name: FILLERS[name] for name in chosen}}.items():
        write(folder / "notes" / name, text.format(**kept))
    rules = rng.sample(RULES, rng.randrange(6, len(RULES) + 1))
    house = "House rules\n\n" + "\n".join(rules) + "\n"
    write(folder / "notes" / "house-rules.txt", house)
    write(folder / "out" / "README.txt", "Results go here.\n")
    return {
        "card-price": says(money(new), none=(money(old),)),
        "tuner-mail": {"abstains": True},
        "rules-words": says(len(house.split())),
    }, {"tuner": tuner}


def bookmobile(rng: random.Random, folder: Path, drivers: list[str]) -> tuple[Cases, Words]:
    """The rounds of the bookmobile: it is at each stop on two days, and at no time twice."""
    halves = rng.sample(STOPS, len(STOPS))
    swapped = halves[2:4] + halves[:2] + halves[6:] + halves[4:6]
    rounds = dict(zip(DAYS, (halves[:4], halves[4:], swapped[:4], swapped[4:]), strict=True))
    starts = dict(zip(DAYS, rng.sample(range(0, 30, 3), len(DAYS)), strict=True))
    lines, arrives = ["vehicle: Bookmobile 1", "rounds:"], {}
    for day, stops in rounds.items():
        lines += [f"  {day}:", f"    driver: {rng.choice(drivers)}", "    stops:"]
        for number, stop in enumerate(stops):
            minute = 13 * 60 + 1 + starts[day] + number * 60
            come, go = (f"{at // 60}:{at % 60:02d}" for at in (minute, minute + rng.randrange(30, 33)))
            arrives[day, stop] = come
            lines += [f"      - place: {stop}", f'        arrives: "{come}"', f'        leaves: "{go}"']
    write(folder / "config" / "bookmobile.yaml", "\n".join(lines) + "\n")
    day, stop = rng.choice(sorted(arrives))
    others = [time for (on, place), time in arrives.items() if place == stop and on != day]
    return {"stop-time": says(arrives[day, stop], none=others)}, {"stop": stop, "weekday": day.capitalize()}


def config(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The self-checkout, as it is and as it was; the fees."""
    now, before, printer, pickup = rng.sample(range(21, 95), 4)
    for name, seconds in (("selfcheck", now), ("selfcheck-old", before)):
        settings: dict[str, Any] = {
            "language": "en",
            "printer": {"timeout_seconds": printer, "paper_mm": 80},
            "session": {"timeout_seconds": seconds, "max_items": rng.randrange(12, 20)},
            "pickup": {"timeout_seconds": pickup},
        }
        write(folder / "config" / f"{name}.json", json.dumps(settings, indent=2) + "\n")
    book, film = rng.sample((15, 25, 35, 45, 55, 65), 2)
    count, late = rng.randrange(3, 8), rng.randrange(6, 20)
    kept = {"book": money(book), "film": money(film), "keep": rng.randrange(5, 12)}
    write(folder / "config" / "fees.toml", FEES.format(**kept))
    timeout = {"answer": {"any": ways(now), "none": [str(before)]}}
    return {"session-timeout": timeout, "late-fee": says(money(book * count * late))}, {
        "late_books": str(count), "late_days": str(late),
    }  # fmt: skip


def gates(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The log of the gates at the doors."""
    moment, lines, asked = datetime(2026, 3, 2, 9, 1), [], rng.choice(BRANCHES)
    alarms = Counter[str]()
    for _ in range(rng.randrange(260, 430)):
        moment += timedelta(seconds=rng.randrange(40, 1_900))
        branch, told = rng.choice(BRANCHES), f"event=PASS people={rng.randrange(1, 5)}"
        if rng.random() < 0.18:
            alarms[branch] += 1
            told = f"event=ALARM tag=T{rng.randrange(10_000, 100_000)}"
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S} branch={branch} gate={rng.randrange(1, 4)} {told}")
    write(folder / "logs" / "gates.log", "\n".join(lines) + "\n")
    return {"gate-alarms": {"answer": {"any": ways(alarms[asked])}}}, {"gate_branch": asked}


def sorter(rng: random.Random, folder: Path, titles: dict[str, str]) -> Cases:
    """The log of the sorter of returned books: no two jams with the same book."""
    moment, lines, barcodes = datetime(2026, 4, 1, 8, 2), [], sorted(titles)
    count = rng.randrange(260, 430)
    stuck = dict(zip(sorted(rng.sample(range(count - 4), 9)), rng.sample(barcodes, 9), strict=True))
    for number in range(count):
        moment += timedelta(seconds=rng.randrange(20, 1_500))
        told = f"INFO sorted {rng.choice(barcodes)} into bin {rng.randrange(1, 9)}"
        if number in stuck:
            told = f"WARN JAM {stuck[number]} in lane {rng.randrange(1, 4)}"
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S} {told}")
    write(folder / "logs" / "sorter.log", "\n".join(lines) + "\n")
    *before, last = (titles[barcode] for barcode in stuck.values())
    return {"last-jam": says(last, none=(before[0], before[-1]))}


def catalogue(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The log of the catalogue, in JSON; the task is about one day."""
    while True:
        moment, lines, errors = datetime(2026, 5, 4, 7, 2), [], Counter[date]()
        for _ in range(rng.randrange(230, 340)):
            moment += timedelta(seconds=rng.randrange(60, 5_200))
            level = rng.choices(("INFO", "WARN", "ERROR"), (6, 2, 2))[0]
            errors[moment.date()] += level == "ERROR"
            told = rng.choice(ERRORS if level == "ERROR" else OTHER[level])
            lines.append(json.dumps({"time": f"{moment:%Y-%m-%dT%H:%M:%S}", "level": level, "message": told}))
        days = [day for day, count in sorted(errors.items()) if 3 <= count <= 15]
        if days:
            break
    write(folder / "logs" / "catalogue.jsonl", "\n".join(lines) + "\n")
    asked = rng.choice(days)
    count = str(errors[asked])
    return {"day-errors": {"files": {"out/errors.txt": {"contains": [count], "equals": count}}}}, {
        "error_day": f"{asked.day} {asked:%B %Y}"
    }
