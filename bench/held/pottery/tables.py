"""The tables and the database of the pottery."""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from again import ways
from names import CLAYS, GLAZES, SERIES, SHAPES, STATES, TOWNS
from papers import phone
from world import Cases, Words, holds, money, rounded, says, table, tie

SCHEMA = """
create table potters(potter_id integer primary key, name text);
create table pieces(piece_id integer primary key, potter_id integer, made_on text, shape text, glaze text,
  weight_g integer, state text);
create table customers(customer_id integer primary key, name text, town text, phone text);
create table bookings(booking_id integer primary key, customer_id integer, course text, booked_on text, seats integer);
"""
CENTS = (40, 50, 60, 80, 90)
Row = tuple[Any, ...]


def stock(rng: random.Random, folder: Path) -> tuple[Cases, Words, dict[str, int]]:
    """What the shop has; also returns the price of each product, in cents, no two alike."""
    limit = rng.choice((10, 12, 15))
    names = [f"{series} {shape}" for series, shape in itertools.product(SERIES, SHAPES)]
    while True:
        prices = {name: SHAPES[name.partition(" ")[2]] // 100 * 100 + rng.randrange(-500, 900, 100) for name in names}
        prices = {name: price + rng.choice((29, 49, 79, 95)) for name, price in prices.items()}
        if len({*prices.values()}) == len(names):
            break
    pieces = [rng.choice([n for n in range(1, 41) if n != limit]) for _ in names]
    places = rng.sample([f"{letter}{n}" for letter in "ABCDE" for n in range(1, 10)], len(names))
    found = list(zip(range(201, 201 + len(names)), names, places, pieces, prices.values(), strict=True))
    rng.shuffle(found)
    columns = ("item_no", "product", "shelf", "pieces", "price_eur")
    table(folder / "tables" / "stock.csv", ",", columns, [(*row[:-1], money(row[-1])) for row in found])
    few = sum(row[3] < limit for row in found)
    return {"low-stock": {"answer": {"any": ways(few)}}}, {"limit": str(limit)}, prices


def orders(rng: random.Random, folder: Path, prices: dict[str, int]) -> tuple[Cases, list[Row]]:
    """The orders; also returns what the log of the web shop tells of each."""
    while True:
        found, told, day = [], [], date(2025, 3, 3)
        for number in range(4_101, 4_101 + rng.randrange(85, 130)):
            day += timedelta(days=rng.choice((0, 0, 1)))
            failed = rng.random() < 0.12
            state = rng.choice(("open", "cancelled")) if failed else rng.choices(("shipped", "refunded"), (5, 1))[0]
            product, count = rng.choice(list(prices)), rng.choice((1, 1, 2, 3))
            found.append((number, day, product, count, state, prices[product] * count))
            told.append((number, day, product, failed))
        cents = [row[-1] for row in found if row[4] == "refunded"]
        failures = [row[2] for row in told if row[3]]
        tail = len(told) - max(n for n, row in enumerate(told) if row[3])
        if not (len(cents) > 7 and sum(cents) < 100_000 and sum(cents) % 10 and len(failures) > 5 and tail > 3):
            continue
        if failures[-1] not in (failures[0], failures[-2], told[-1][2], told[0][2]):
            break
    columns = ("order_no", "ordered_on", "product", "count", "status", "amount_eur")
    table(folder / "tables" / "orders.csv", ",", columns, [(*row[:-1], money(row[-1])) for row in found])
    return {
        "refund-total": holds("out/refunds.txt", money(sum(cents))),
        "failed-payment": says(failures[-1], none=sorted({failures[0], failures[-2], told[-1][2]})),
    }, told


def drying(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """How long the batches dried."""
    while True:
        found, day = [], date(2025, 2, 3)
        for number in range(701, 701 + rng.randrange(95, 140)):
            day += timedelta(days=rng.choice((0, 1, 1, 2)))
            clay = rng.choice(list(CLAYS))
            found.append((number, day, clay, rng.randrange(4, 40), rng.randrange(*CLAYS[clay])))
        means = {}
        for clay in CLAYS:
            took = [row[-1] for row in found if row[2] == clay]
            mean = Decimal(sum(took)) / len(took)
            if not tie(mean) and not rounded(mean).endswith("0"):  # or it may be said with fewer decimals
                means[clay] = rounded(mean)
        if means:
            break
    asked = rng.choice(sorted(means))
    table(folder / "tables" / "drying.csv", ",", ("batch_no", "formed_on", "clay", "pieces", "hours"), found)
    return {"drying-average": says(means[asked])}, {"clay": asked}


def pieces(rng: random.Random, potters: int) -> list[Row]:
    """What the potters made; one piece is heavier than all others."""
    found, day = [], date(2024, 9, 2)
    weights = rng.sample(range(180, 2_900), 180)
    for number in range(1, rng.randrange(130, 180)):
        day += timedelta(days=rng.choice((0, 1, 1, 2)))
        who, state = rng.randrange(1, potters + 1), rng.choices(STATES, (5, 2, 3, 4))[0]
        found.append((number, who, day, rng.choice(list(SHAPES)), rng.choice(GLAZES), weights.pop(), state))
    return found


def bookings(rng: random.Random, customers: int) -> list[Row]:
    """The courses that customers booked."""
    found, day = [], date(2025, 1, 7)
    for number in range(901, 901 + rng.randrange(120, 160)):
        day += timedelta(days=rng.choice((0, 1, 1)))
        course = rng.choice(("Wheel throwing", "Hand building", "Raku", "Glazing"))
        found.append((number, rng.randrange(1, customers + 1), course, day, rng.choice((1, 1, 2, 2, 3, 4))))
    return found


def database(rng: random.Random, folder: Path, potters: list[str], names: list[str], month: str) -> tuple[Cases, Words]:
    """Potters and pieces, customers and bookings; `month` is the glaze of the month."""
    while True:
        made, booked = pieces(rng, len(potters)), bookings(rng, len(names))
        shape = rng.choice(list(SHAPES))
        cracked = sum(row[3] == shape and row[-1] == "cracked" for row in made)
        heaviest = max(made, key=lambda row: int(row[5]))
        times = Counter(row[1] for row in booked)
        seats = {who: sum(row[-1] for row in booked if row[1] == who) for who in times}
        buyers = sorted(who for who, often in times.items() if 2 < often < 6 and seats[who] != often)
        glazed = Counter(row[4] for row in made)
        if (
            cracked > 2
            and buyers
            and heaviest[1] not in (1, made[0][1], made[-1][1])
            and len({*glazed.values()}) == len(GLAZES)
        ):
            break
    asked = rng.choice(buyers)
    nobody = names[0]
    while nobody in names:
        nobody = " ".join((rng.choice(names).split()[0], rng.choice(names).split()[1]))
    people = [(n, name, rng.choice(TOWNS), phone(rng)) for n, name in enumerate(names, 1)]
    path = folder / "db" / "pottery.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("insert into potters values(?, ?)", enumerate(potters, 1))
        dated = [(*row[:2], row[2].isoformat(), *row[3:]) for row in made]
        db.executemany("insert into pieces values(?, ?, ?, ?, ?, ?, ?)", dated)
        db.executemany("insert into customers values(?, ?, ?, ?)", people)
        dated = [(*row[:3], row[3].isoformat(), row[4]) for row in booked]
        db.executemany("insert into bookings values(?, ?, ?, ?, ?)", dated)
    potter = potters[heaviest[1] - 1]
    written = {"contains": [potter], "lacks": sorted({*potters} - {potter})}  # the name, not the whole table
    return {
        "cracked-shape": {"answer": {"any": ways(cracked)}},
        "booked-seats": {"answer": {"any": ways(seats[asked])}},
        "heaviest-piece": {"files": {"out/potter.txt": written}},
        "customer-phone": {"abstains": True},
        "glaze-of-month": {"answer": {"any": ways(glazed[month])}},
    }, {"shape": shape, "customer": names[asked - 1], "nobody": nobody}
