"""The tables of the cinema."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from names import ARTICLES, COMMENTS, FILMS, ROOMS, WORKS
from world import Cases, Words, money, rounded, says, table, tie, write

TIMES = ("15:00", "17:30", "20:00", "22:15")


def equipment(rng: random.Random, folder: Path) -> dict[str, str]:
    """What hangs and stands where; returns the rooms of the projectors, by their serial."""
    numbers = rng.sample(range(210, 290), 3 * len(ROOMS))
    found = [
        (f"{letter}-{numbers.pop()}", kind, room, f"{rng.randrange(2014, 2025)}", rng.randrange(300, 4_000))
        for letter, kind in (("P", "projector"), ("A", "amplifier"), ("S", "media server"))
        for room in ROOMS
    ]
    rng.shuffle(found)
    table(folder / "tables" / "equipment.tsv", "\t", ("serial", "kind", "room", "bought", "hours"), found)
    return {row[0]: row[2] for row in found if row[1] == "projector"}


def screenings(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """Films, rooms, tickets."""
    found, sold, day = [], defaultdict[str, int](int), date(2025, 9, 1)
    for _ in range(rng.randrange(170, 230)):
        day += timedelta(days=rng.choice((0, 0, 0, 1)))
        film, tickets = rng.choice(FILMS), rng.randrange(3, 95)
        sold[film] += tickets
        paid = money(tickets * rng.choice((850, 920, 780)))
        found.append((day, rng.choice(TIMES), rng.choice(ROOMS), film, tickets, paid))
    found.sort(key=lambda row: row[:2])
    limit, film = rng.randrange(14, 30), rng.choice(FILMS)
    quiet = sum(row[4] < limit for row in found)
    columns = ("date", "time", "room", "film", "tickets", "takings_eur")
    table(folder / "tables" / "screenings.csv", ",", columns, found)
    return {
        "film-tickets": says(sold[film]),
        "quiet-screenings": {"files": {"out/quiet.txt": {"contains": [str(quiet)]}}},
    }, {"film": film, "limit": str(limit)}


def kiosk(rng: random.Random, folder: Path) -> Cases:
    """What is in the kiosk's store; three articles are short."""
    short, found = set(rng.sample(ARTICLES, 3)), []
    for name in ARTICLES:
        level = rng.randrange(15, 60)
        pieces = level - rng.randrange(2, 14) if name in short else level + rng.randrange(2, 90)
        found.append((name, pieces, level, money(rng.randrange(150, 590, 10))))
    rng.shuffle(found)
    table(folder / "tables" / "kiosk.csv", ",", ("article", "pieces", "reorder_at", "price_eur"), found)
    names = [row[0] for row in found]
    return {"reorder": says(*[n for n in names if n in short], none=[n for n in names if n not in short])}


def maintenance(rng: random.Random, folder: Path, serials: list[str], people: list[str]) -> Cases:
    """Work on the projectors; one job took longer than all the others."""
    found, day = [], date(2025, 1, 7)
    for _ in range(rng.randrange(60, 85)):
        day += timedelta(days=rng.randrange(1, 7))
        took = rng.randrange(15, 160)
        found.append([day, rng.choice(serials), rng.choice(WORKS), rng.choice(people), took])
    longest = rng.choice(found[8:-8])
    longest[-1] = rng.randrange(171, 260)
    columns = ("date", "serial", "work", "technician", "minutes")
    table(folder / "tables" / "maintenance.tsv", "\t", columns, found)
    return {"longest-job": says(*longest[3:], none=[name for name in people if name != longest[3]])}


def feedback(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """Stars that the audience gave, as JSON lines."""
    while True:
        found, given, day = [], defaultdict[str, list[int]](list), date(2025, 9, 2)
        for _ in range(rng.randrange(110, 150)):
            day += timedelta(days=rng.choice((0, 0, 1)))
            film, stars = rng.choice(FILMS), rng.choices((1, 2, 3, 4, 5), (1, 2, 4, 5, 4))[0]
            given[film].append(stars)
            found.append({"date": day.isoformat(), "film": film, "stars": stars, "comment": rng.choice(COMMENTS)})
        means = {film: Decimal(sum(stars)) / len(stars) for film, stars in given.items() if 7 < len(stars) < 20}
        films = [film for film, mean in means.items() if mean * 10 % 1 and not tie(mean)]
        if films:
            break
    film = rng.choice(films)
    write(folder / "tables" / "feedback.jsonl", "".join(json.dumps(row) + "\n" for row in found))
    return {"average-stars": says(rounded(means[film]))}, {"rated": film}
