"""The database of a world: what the shop sells, and what customers ordered."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from again import ways
from names import JAMS, PRODUCTS, VILLAGES
from world import Cases, Words, money, says

SCHEMA = """
create table products(product_id integer primary key, name text, category text, price_eur real);
create table sales(sale_id integer primary key, product_id integer, sold_on text, quantity integer);
create table customers(customer_id integer primary key, name text, village text);
create table orders(order_id integer primary key, customer_id integer, ordered_on text, status text, total_eur real);
"""
Row = tuple[Any, ...]


def products(rng: random.Random) -> list[Row]:
    """Number, name, category, price in cents; no price is there twice."""
    found: list[Row] = []
    for category, (names, about) in PRODUCTS.items():
        prices = rng.sample(range(about - 100, about + 200, 10), len(names))
        found += [(name, category, price) for name, price in zip(names, prices, strict=True)]
    rng.shuffle(found)
    return [(n, *row) for n, row in enumerate(found, 1)]


def sales(rng: random.Random, count: int) -> list[Row]:
    """What was sold over the counter."""
    found, day = [], date(2025, 5, 1)
    for number in range(5_001, 5_001 + rng.randrange(240, 330)):
        day += timedelta(days=rng.choice((0, 0, 1)))
        found.append((number, rng.randrange(1, count + 1), day.isoformat(), rng.choice((1, 1, 2, 2, 3, 4, 6))))
    return found


def orders(rng: random.Random, count: int) -> list[Row]:
    """What was ordered, in cents."""
    found, day = [], date(2025, 6, 10)
    for number in range(701, 701 + rng.randrange(120, 170)):
        day += timedelta(days=rng.choice((0, 0, 1)))
        status = rng.choices(("paid", "open", "cancelled"), (12, 4, 2))[0]
        cents = rng.randrange(1_200, 9_800, 10) + rng.randrange(1, 10)
        found.append((number, rng.randrange(1, count + 1), day.isoformat(), status, cents))
    return found


def fill(path: Path, tables: dict[str, list[Row]]) -> None:
    """Write the file; the last column of what costs something is in cents here, and in euros there."""
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        for name, held in tables.items():
            in_euros = [(*row[:-1], row[-1] / 100) if name in ("products", "orders") else row for row in held]
            db.executemany(f"insert into {name} values({', '.join('?' * len(held[0]))})", in_euros)


def database(rng: random.Random, folder: Path, names: list[str]) -> tuple[Cases, Words, Row, Row]:
    """The database; also the product that is on offer this week, and that of next week."""
    goods = products(rng)
    people = [(n, name, rng.choice(VILLAGES)) for n, name in enumerate(names, 1)]
    village, jam = rng.choice(VILLAGES), rng.choice(JAMS)
    here = {row[0] for row in people if row[2] == village}
    (number,) = (row[0] for row in goods if row[1] == jam)
    while True:
        sold, made = sales(rng, len(goods)), orders(rng, len(people))
        paid = sum(row[-1] for row in made if row[1] in here and row[3] == "paid")
        jars = [row[-1] for row in sold if row[1] == number]
        if paid % 10 and len(jars) > 4 and sum(jars) > len(jars):
            break
    category = rng.choice(("jam", "juice", "dried fruit"))
    best, *less = sorted((row for row in goods if row[2] == category), key=lambda row: -row[3])
    fill(folder / "db" / "farm.db", {"products": goods, "sales": sold, "customers": people, "orders": made})
    offer = rng.choice([row for row in goods if row[2] != "spirits"])
    later = rng.choice([row for row in goods if row[2] == "spirits"])  # no price of it is near that of the offer
    dearest = {"contains": [best[1]], "lacks": [row[1] for row in less]}
    return (
        {
            "open-orders": {"answer": {"any": ways(Counter(row[3] for row in made)["open"])}},
            "village-paid": says(money(paid)),
            "jars-sold": {"answer": {"any": ways(sum(jars))}},
            "dearest-product": {"files": {"out/dearest.txt": dearest}},
            "offer-normal-price": says(money(offer[3])),
        },
        {"village": village, "jam": jam, "category": category},
        offer,
        later,
    )
