"""Make a fresh world for the tasks: `python bench/held/bikes/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up bicycle workshop with a rental shop, and `expect.json` with the answers,
all drawn from the seed; only the number of CPUs is the machine's own. A small server for the pages is started; it ends
by itself (see bench/slm/pages.py). `--check` works every answer out a second time, from the files, and compares.
"""

from __future__ import annotations

import itertools
import os
import random
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from again import again, ways
from names import ABSENT, FIRST, LAST, STATIONS, TOWNS
from papers import backup, charging, config, notes, terminal
from tables import CENTS, bikes, parts, repairs, sales
from world import Cases, Suite, Words, main, merged, money, page, says

FOLDERS = "[./notes, ./config, ./logs, ./tables, ./out]"
SCHEMA = """
create table customers(customer_id integer primary key, name text, town text, joined_on text);
create table rentals(rental_id integer primary key, customer_id integer, bike_no integer, started_on text, days integer,
  status text);
create table payments(payment_id integer primary key, customer_id integer, paid_on text, method text, amount_eur real);
"""
ROLES = ("Workshop manager", "Mechanic", "Mechanic", "Mechanic", "Apprentice", "Rental desk", "Rental desk")
MECHANICS = 5  # of those in ROLES, the first
PRICES = {  # for a day, about, in cents
    "City bike": 1_400, "Trekking bike": 1_900, "E-bike": 3_200, "Cargo bike": 4_400, "Children's bike": 800,
    "Trailer": 1_000,
}  # fmt: skip
Row = tuple[Any, ...]


def customers(rng: random.Random, names: list[str]) -> list[Row]:
    """The customers, in the order in which they joined; the last one joined alone on that day."""
    days = sorted(date(2023, 2, 1) + timedelta(days=rng.randrange(900)) for _ in names)
    days[-1] = days[-2] + timedelta(days=rng.randrange(1, 6))
    return [(n, name, rng.choice(TOWNS), day) for n, (name, day) in enumerate(zip(names, days, strict=True), 1)]


def rentals(rng: random.Random, count: int, numbers: int) -> list[Row]:
    """What the customers rented."""
    found, day = [], date(2025, 7, 24)
    for number in range(3_001, 3_001 + rng.randrange(110, 150)):
        day += timedelta(days=rng.choice((0, 0, 0, 1)))
        status = rng.choices(("returned", "rented", "overdue"), (12, 3, 3))[0]
        bike = rng.randrange(101, 101 + numbers)
        found.append((number, rng.randrange(1, count + 1), bike, day, rng.choice((1, 1, 2, 3, 4, 7)), status))
    return found


def payments(rng: random.Random, count: int) -> list[Row]:
    """What the customers paid, in cents."""
    found, day = [], date(2025, 5, 2)
    for number in range(8_001, 8_001 + rng.randrange(115, 150)):
        day += timedelta(days=rng.choice((0, 1, 1)))
        amount = rng.randrange(900, 16_000, 100) + rng.choice(CENTS)
        found.append((number, rng.randrange(1, count + 1), day, rng.choice(("card", "cash", "invoice")), amount))
    return found


def database(rng: random.Random, folder: Path, names: list[str]) -> tuple[Cases, Words]:
    """Customers, rentals, payments."""
    path = folder / "db" / "shop.db"
    path.parent.mkdir(parents=True)
    town = rng.choice(TOWNS)
    while True:
        people, paid = customers(rng, names), payments(rng, len(names))
        rented = rentals(rng, len(names), 70)
        here = {row[0] for row in people if row[2] == town}
        made = [row[1] for row in rented if row[1] in here]
        totals, times = Counter[int](), Counter(row[1] for row in paid)
        for row in paid:
            totals[row[1]] += row[-1]
        buyers = [who for who, often in times.items() if 2 < often < 7 and totals[who] % 10]
        if buyers and len(made) > 9 and len(made) not in (len(here), len({*made})):
            break
    asked = rng.choice(buyers)
    newest = {"contains": [people[-1][1]], "lacks": [people[0][1], people[-2][1]]}  # the name, not the whole table
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("insert into customers values(?, ?, ?, ?)", [(*row[:3], row[3].isoformat()) for row in people])
        db.executemany(
            "insert into rentals values(?, ?, ?, ?, ?, ?)", [(*row[:3], row[3].isoformat(), *row[4:]) for row in rented]
        )
        db.executemany(
            "insert into payments values(?, ?, ?, ?, ?)",
            [(*row[:2], row[2].isoformat(), row[3], row[4] / 100) for row in paid],
        )
    return {
        "overdue-rentals": {"answer": {"any": ways(sum(row[-1] == "overdue" for row in rented))}},
        "town-rentals": {"answer": {"any": ways(len(made))}},
        "customer-payments": says(money(totals[asked])),
        "newest-customer": {"files": {"out/newest-customer.txt": newest}},
    }, {"town": town, "customer": names[asked - 1]}


def sums(rng: random.Random) -> tuple[Cases, Words]:
    """What has its numbers in the task."""
    price, discount, delivery = rng.randrange(420, 1_900), rng.choice((5, 8, 12, 15, 20)), rng.randrange(19, 60)
    return {"sale-price": says(money(price * (100 - discount) + delivery * 100))}, {
        "price": str(price), "discount": str(discount), "delivery": str(delivery),
    }  # fmt: skip


def listed(head: tuple[str, ...], rows: list[Row]) -> str:
    """A table of a page."""
    lines = ["".join(f"<th>{cell}</th>" for cell in head)]
    lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def web(rng: random.Random, folder: Path, people: list[str]) -> tuple[Cases, Words]:
    """The pages of the shop."""
    free = rng.sample(range(3, 40), 2 * len(STATIONS))
    docks = [(name, free[2 * n], free[2 * n + 1]) for n, name in enumerate(STATIONS)]
    prices = [(name, money(about + rng.randrange(-200, 350, 50))) for name, about in PRICES.items()]
    team = list(zip(people, ROLES, strict=True))
    rng.shuffle(team)
    asked, absent = rng.choice(docks), rng.choice(ABSENT)
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("prices", "stations", "team"))
    page(folder, "index", "City Bikes", f"<p>Workshop and rental in the city centre.</p><ul>{links}</ul>")
    page(folder, "prices", "Rental prices", listed(("Kind", "Euros per day"), prices) + "<p>Helmets are free.</p>")
    page(folder, "stations", "Stations", listed(("Station", "Bikes available", "Free docks"), docks))
    page(folder, "team", "Our team", listed(("Name", "Role"), team))
    return {
        "station-bikes": {"answer": {"any": ways(asked[1])}},
        "absent-price": {"abstains": True},
    }, {"station": asked[0], "absent": absent}


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    rng = random.Random(f"bikes {seed}")
    team = list(zip(rng.sample(FIRST, len(ROLES)), rng.sample(LAST, len(ROLES)), strict=True))
    others = [name for name in itertools.product(FIRST, LAST) if name not in team]
    people, buyers = (
        [" ".join(name) for name in names] for names in (team, rng.sample(others, rng.randrange(75, 101)))
    )
    cases, words, electric = bikes(rng, folder)
    cases |= charging(rng, folder, electric) | terminal(rng, folder)
    cases |= {"cpu-count": {"answer": {"any": ways(len(os.sched_getaffinity(0)))}}}
    return merged(
        (cases, words),
        notes(rng, folder, people),
        config(rng, folder),
        backup(rng, folder),
        parts(rng, folder),
        sales(rng, folder),
        repairs(rng, folder, people[:MECHANICS]),
        database(rng, folder, buyers),
        sums(rng),
        web(rng, folder, people),
    )


BIKES = Suite("bicycle workshop with a rental shop", "bicycle-shop", FOLDERS, "./db/shop.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(BIKES))
