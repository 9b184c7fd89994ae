"""Make a fresh world for the tasks: `python bench/held/hotel/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up family hotel, and `expect.json` with the answers, all drawn from the seed;
only the number of CPUs is the machine's own. A small server for the pages is started; it ends by itself (see
bench/slm/pages.py). `--check` works every answer out a second time, from the files, and compares.
"""

from __future__ import annotations

import itertools
import json
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
from names import BOARD, CAKES, CHANNELS, DISHES, EXTRAS, FIRST, KINDS, LAST, STRANGERS, TOWNS, WINES
from papers import config, lift, notes, porter, printer, spoken, wakeup
from tables import cellar, cleaning, rates, restaurant, reviews
from world import Cases, Suite, Words, holds, main, merged, money, page, says, write

FOLDERS = "[./house, ./setup, ./logs, ./tables, ./tray]"
SCHEMA = """
create table guests(guest_id integer primary key, full_name text, home_town text, language text);
create table bookings(booking_id integer primary key, guest_id integer, room integer, arrival text, departure text,
  persons integer, board text, channel text, status text);
create table charges(charge_id integer primary key, booking_id integer, charged_on text, item text, amount_eur real);
"""
TODAY = date(2025, 8, 18)
MONTHS = ("April", "May", "June", "July")
NEVER = ("cancelled", "no-show")
Row = tuple[Any, ...]


def status(rng: random.Random, arrival: date, departure: date) -> str:
    """What became of a booking until today."""
    if arrival > TODAY:
        return rng.choices(("booked", "cancelled"), (9, 1))[0]
    return rng.choices(("stayed" if departure <= TODAY else "in house", *NEVER), (80, 12, 8))[0]


def stays(rng: random.Random, rooms: list[int], guests: int) -> list[Row]:
    """Bookings: room by room one after the other, so that none is booked twice for a night."""
    favourite, found = rng.choice(CHANNELS), []
    shares = [5 if channel == favourite else 3 for channel in CHANNELS]
    for room in rooms:
        arrival = date(2025, 4, 1) + timedelta(days=rng.randrange(12))
        while arrival < date(2025, 9, 14):
            departure = arrival + timedelta(days=rng.choice((1, 2, 2, 3, 4, 5, 7, 7, 10)))
            state = status(rng, arrival, departure)
            rest = rng.randrange(1, 5), rng.choice(BOARD), rng.choices(CHANNELS, shares)[0], state
            found.append((rng.randrange(1, guests + 1), room, arrival, departure, *rest))
            arrival = departure + timedelta(days=rng.choice((0, 0, 1, 3, 6, 9, 14)))
    found.sort(key=lambda row: row[2] - timedelta(days=rng.randrange(5, 120)))
    return [(n, *row) for n, row in enumerate(found, 2_301)]


def leads(bookings: list[Row]) -> str | None:
    """The channel of the most bookings, if it is the same with those that came to nothing and without."""
    ranks = Counter(row[7] for row in bookings).most_common(2)
    real = Counter(row[7] for row in bookings if row[8] not in NEVER).most_common(2)
    clear = ranks[0][1] > ranks[1][1] and real[0][1] > real[1][1]
    return ranks[0][0] if clear and ranks[0][0] == real[0][0] else None


def charged(rng: random.Random, bookings: list[Row]) -> list[Row]:
    """What guests had beside the room."""
    found = []
    for booking in bookings:
        if booking[8] in ("stayed", "in house"):
            for _ in range(rng.choice((0, 1, 2, 3, 4, 5, 6))):
                day = min(booking[3] + timedelta(days=rng.randrange((booking[4] - booking[3]).days)), TODAY)
                found.append((booking[0], day, rng.choice(EXTRAS), rng.randrange(350, 9_800, 10)))
    found.sort(key=lambda row: row[1])
    return [(n, *row) for n, row in enumerate(found, 70_001)]


def database(rng: random.Random, folder: Path, rooms: list[int], names: list[str]) -> tuple[Cases, Words]:
    """Guests, bookings, charges."""
    path, month = folder / "db" / "hotel.db", rng.choice(MONTHS)
    path.parent.mkdir(parents=True)
    guests = [(n, name, rng.choice(TOWNS), rng.choice(("de", "en", "fr", "it"))) for n, name in enumerate(names, 1)]
    while True:
        bookings = stays(rng, rooms, len(guests))
        charges, top = charged(rng, bookings), leads(bookings)
        missed = sum(row[8] == "no-show" and f"{row[3]:%B}" == month for row in bookings)
        visits = Counter(row[1] for row in bookings)
        items = Counter(row[1] for row in charges)
        here = [row for row in bookings if row[8] == "in house" and visits[row[1]] == 1 and items[row[0]] > 2]
        if top and missed > 3 and here:
            break
    bill = rng.choice(here)
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("insert into guests values(?, ?, ?, ?)", guests)
        db.executemany(
            "insert into bookings values(?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(*row[:3], row[3].isoformat(), row[4].isoformat(), *row[5:]) for row in bookings],
        )
        db.executemany(
            "insert into charges values(?, ?, ?, ?, ?)",
            [(*row[:2], row[2].isoformat(), row[3], row[4] / 100) for row in charges],
        )
    return {
        "extras-bill": says(money(sum(row[4] for row in charges if row[1] == bill[0]))),
        "top-channel": says(top),
        "no-shows": holds("tray/no-shows.txt", missed),
        "caller-room": {"abstains": True},
    }, {
        "bill_guest": names[bill[1] - 1], "month": month, "caller": f"{rng.choice(FIRST)} {rng.choice(STRANGERS)}",
    }  # fmt: skip


def sums(rng: random.Random) -> tuple[Cases, Words]:
    """What has its numbers in the task."""
    serves, each, diners = rng.choice((4, 6, 8)), rng.randrange(60, 96, 5), rng.randrange(23, 88)
    rooms, nights, discount = rng.randrange(6, 19), rng.randrange(2, 6), rng.choice((5, 8, 10, 12, 15))
    rate = rng.randrange(86, 155)
    whole = rooms * nights * rate * (100 - discount)  # in cents
    return {"risotto-rice": says(each * diners), "group-offer": says(money(whole))}, {
        "rice": str(each * serves), "serves": str(serves), "diners": str(diners), "rooms": str(rooms),
        "nights": str(nights), "rate": str(rate), "discount": str(discount),
    }  # fmt: skip


def free(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The rooms that can still be had, as the site has them."""
    nights, choices = [], []
    for day in (TODAY + timedelta(days=n) for n in range(1, 13)):
        left = {kind: rng.randrange(0, count + 1) for kind, (count, *_) in KINDS.items()}
        nights.append({"night": day.isoformat(), "free": left})
        numbers = (day.day, day.month, 0, 1)  # the answer is none of these
        choices += [(day, kind, count) for kind, count in left.items() if count not in numbers]
    told = json.dumps({"updated": f"{TODAY}T07:00", "nights": nights}, indent=1)
    write(folder / "site" / "api" / "availability.json", f"{told}\n")
    day, kind, count = rng.choice(choices)
    return {"rooms-free": {"answer": {"any": ways(count)}}}, {"kind": kind, "free_day": spoken(day)}


def web(rng: random.Random, folder: Path, bottles: dict[str, int]) -> tuple[Cases, Words]:
    """The pages of the hotel."""
    prices = dict(zip(DISHES, rng.sample(range(1_450, 3_350, 50), len(DISHES)), strict=True))
    asked, wine = rng.choice(DISHES), rng.choice(sorted(WINES))
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("menu", "specials"))
    dishes = "".join(f"<tr><td>{name.capitalize()}</td><td>{money(cents)}</td></tr>" for name, cents in prices.items())
    head = "<tr><th>Dish</th><th>Euros</th></tr>"
    glass = money(rng.randrange(650, 1_150, 50))
    specials = (
        f"<h2>Wine of the month</h2><p>{wine}, from {WINES[wine]}. {glass} euros a glass.</p>"
        f"<h2>Cake of the week</h2><p>{rng.choice(CAKES).capitalize()} with whipped cream.</p>"
    )
    page(folder, "index", "Hotel Quillmoor", f"<p>Family-run, by the lake. Come as you are.</p><ul>{links}</ul>")
    page(folder, "menu", "Menu", f"<table>{head}{dishes}</table><p>The kitchen is open from 18:00 to 21:30.</p>")
    page(folder, "specials", "Specials", specials)
    return {"dish-price": says(money(prices[asked])), "month-wine": says(bottles[wine])}, {"dish": asked}


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    rng = random.Random(f"hotel {seed}")
    rooms = [*range(101, 109), *range(201, 211), *range(301, 309)]
    people = [f"{first} {last}" for first, last in rng.sample(list(itertools.product(FIRST, LAST)), 204)]
    dearest, bottles = cellar(rng, folder)
    parts = [
        wakeup(rng, folder, rooms),
        rates(rng, folder, rooms),
        restaurant(rng, folder),
        cleaning(rng, folder, rooms),
        reviews(rng, folder),
        database(rng, folder, rooms, people[4:]),
        sums(rng),
        free(rng, folder),
        web(rng, folder, bottles),
    ]
    cases = notes(rng, folder, people[:4]) | config(rng, folder) | lift(rng, folder) | printer(rng, folder)
    cases |= porter(rng, folder) | dearest
    cases |= {"processors": {"answer": {"any": ways(len(os.sched_getaffinity(0)))}}}
    return merged((cases, {}), *parts)


HOTEL = Suite("family hotel", "family-hotel", FOLDERS, "./db/hotel.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(HOTEL))
