"""The tables of the bicycle shop."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from again import ways
from names import BRANDS, COLOURS, MODELS, PARTS, REPAIRS, SALES, SUPPLIERS
from world import Cases, Words, holds, money, rounded, says, table, tie

CENTS = (9, 19, 29, 49, 59, 79, 95, 99)  # no price ends in a zero


def bikes(rng: random.Random, folder: Path) -> tuple[Cases, Words, dict[int, str]]:
    """The rental bikes; also returns the models of the e-bikes, by their numbers."""
    limit, found = rng.choice((3_000, 4_000, 5_000)), []
    for number in range(101, 101 + rng.randrange(74, 112)):
        kind = rng.choices(list(MODELS), (5, 3, 4, 1))[0]
        bought = date(2021, 3, 1) + timedelta(days=rng.randrange(1_500))
        rest = rng.choice(range(46, 62, 2)), rng.choice(COLOURS), bought
        ridden = rng.choice([n for n in range(180, 7_900) if n % 1_000])
        found.append((number, kind, rng.choice(MODELS[kind]), *rest, ridden))
    columns = ("bike_no", "kind", "model", "frame_cm", "colour", "bought_on", "km")
    table(folder / "tables" / "bikes.csv", ",", columns, found)
    count = sum(row[-1] > limit for row in found)
    electric = {row[0]: row[2] for row in found if row[1] == "e-bike"}
    return {"high-mileage": {"answer": {"any": ways(count)}}}, {"limit": str(limit)}, electric


def parts(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The parts in the store room: each has a shelf of its own, and one costs more than all others."""
    names = list(itertools.product(BRANDS, PARTS))
    shelves = rng.sample([f"{letter}{n:02d}" for letter in "ABCDEF" for n in range(11, 40)], len(names))
    found = []
    for (brand, part), shelf in zip(names, shelves, strict=True):
        group, about = PARTS[part]
        price = rng.randrange(about * 7 // 10, about * 14 // 10) // 100 * 100 + rng.choice(CENTS)
        found.append([f"{brand} {part}", group, rng.choice(SUPPLIERS), shelf, rng.randrange(0, 45), price])
    ranks = sorted(found, key=lambda row: -int(row[-1]))
    ranks[0][-1] += rng.randrange(100, 3_000, 100)
    rng.shuffle(found)
    asked = rng.choice([row for row in found if row is not ranks[0]])
    columns = ("part", "group", "supplier", "shelf", "in_stock", "price_eur")
    table(folder / "tables" / "parts.csv", ",", columns, [(*row[:-1], money(row[-1])) for row in found])
    return {
        "dearest-part": says(ranks[0][0], money(ranks[0][-1])),
        "part-shelf": says(asked[3]),
    }, {"part": asked[0]}


def sales(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """What was sold over the counter; a total of a thousand and more could be written in several ways."""
    asked = rng.choice(sorted(SALES))
    while True:
        found, day = [], date(2025, 6, 2)
        for number in range(7_001, 7_001 + rng.randrange(90, 145)):
            day += timedelta(days=rng.choice((0, 0, 1)))
            category = rng.choice(sorted(SALES))
            price = rng.randrange(SALES[category] * 6 // 10, SALES[category] * 13 // 10) // 100 * 100
            found.append((number, day, category, rng.choice(("card", "cash")), price + rng.choice(CENTS)))
        cents = [row[-1] for row in found if row[2] == asked]
        if len(cents) > 9 and sum(cents) < 100_000 and sum(cents) % 10:
            break
    columns = ("receipt", "sold_on", "category", "paid_by", "amount_eur")
    table(folder / "tables" / "sales.csv", ",", columns, [(*row[:-1], money(row[-1])) for row in found])
    return {"category-total": holds("out/category-total.txt", money(sum(cents)))}, {"category": asked}


def repairs(rng: random.Random, folder: Path, mechanics: list[str]) -> tuple[Cases, Words]:
    """What the workshop repaired; the first of the mechanics is its manager, and no two did as many."""
    while True:
        found, day = [], date(2025, 4, 1)
        for number in range(501, 501 + rng.randrange(100, 150)):
            day += timedelta(days=rng.choice((0, 1, 1, 2)))
            kind = rng.choice(list(REPAIRS))
            minutes, who = rng.randrange(*REPAIRS[kind]), rng.choice(mechanics)
            found.append((number, day, kind, who, minutes, money(minutes * 90 + rng.randrange(500, 6_000, 10))))
        done = Counter(row[3] for row in found)
        if min(done.values()) > 9 and len({*done.values()}) == len(mechanics):
            break
    means = {}
    for kind in REPAIRS:
        took = [row[4] for row in found if row[2] == kind]
        mean = Decimal(sum(took)) / len(took)
        if not tie(mean) and not rounded(mean).endswith("0"):  # or it may be said with fewer decimals
            means[kind] = rounded(mean)
    asked = rng.choice(sorted(means))
    columns = ("repair_no", "received_on", "kind", "mechanic", "minutes", "price_eur")
    path = folder / "tables" / "repairs.csv"
    table(path, ",", columns, found)
    return {
        "repair-average": says(means[asked]),
        "manager-repairs": {"answer": {"any": ways(done[mechanics[0]])}},
        "file-size": says(path.stat().st_size),
    }, {"kind": asked}
