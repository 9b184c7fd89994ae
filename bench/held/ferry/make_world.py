"""Make a fresh world for the tasks: `python bench/held/ferry/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up island ferry line, and `expect.json` with the answers, all drawn from the
seed; only the kernel is the machine's own. A small server for the pages is started; it ends by itself (see
bench/slm/pages.py). `--check` works every answer out a second time, from the files, and compares.
"""

from __future__ import annotations

import itertools
import json
import platform
import random
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from again import again, ways
from names import FIRST, HOME, ISLANDS, LAST, SHIPS, VEHICLES
from papers import archive, bridge, gates, notes, server, settings
from tables import crew, fuel, sailings, ships, yard
from world import Cases, Suite, Words, main, merged, money, page, says, write

FOLDERS = "[./notes, ./settings, ./logs, ./tables, ./archive, ./out]"
SCHEMA = """
create table customers(customer_id integer primary key, name text, home text, member_since text, phone text);
create table bookings(booking_id integer primary key, customer_id integer, destination text, travel_date text,
  booked_at text, passengers integer, vehicle text, status text, price_eur real);
create table vouchers(voucher_id integer primary key, customer_id integer, issued_on text, amount_eur real);
"""
CREW = 70  # names that are enough for the roster
Row = tuple[Any, ...]


def customers(rng: random.Random, names: list[str]) -> list[Row]:
    """The customers of the ticket office."""
    found = []
    for number, name in enumerate(names, 1):
        since = date(2021, 1, 4) + timedelta(days=rng.randrange(1_400))
        phone = f"0555 {rng.randrange(100, 1_000)} {rng.randrange(1_000, 10_000)}"
        found.append((number, name, rng.choice((HOME, *ISLANDS)), since.isoformat(), phone))
    return found


def bookings(rng: random.Random, count: int) -> list[Row]:
    """What they booked, in the order of the numbers; two offices gave the numbers, so this is not the order in time."""
    moment, moments = datetime(2025, 4, 28, 8, 12, 40), []
    for _ in range(rng.randrange(150, 200)):
        moment += timedelta(seconds=rng.randrange(900, 70_000))
        moments.append(moment)
    rng.shuffle(moments)
    found = []
    for number, booked in enumerate(moments, 30_001):
        heads, vehicle = rng.randrange(1, 8), rng.choices(VEHICLES, (6, 3, 2, 5, 2))[0]
        status = rng.choices(("confirmed", "cancelled", "waiting"), (7, 3, 2))[0]
        price = heads * 860 + VEHICLES.index(vehicle) * 730 + rng.choice((0, 40, 90))
        travels = (booked + timedelta(days=rng.randrange(3, 60))).date()
        who, where = rng.randrange(1, count + 1), rng.choice(ISLANDS)
        found.append((number, who, where, f"{travels}", f"{booked}", heads, vehicle, status, price / 100))
    return found


def fill(path: Path, people: list[Row], booked: list[Row], vouchers: list[Row]) -> None:
    """The database itself."""
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("insert into customers values(?, ?, ?, ?, ?)", people)
        db.executemany("insert into bookings values(?, ?, ?, ?, ?, ?, ?, ?, ?)", booked)
        db.executemany("insert into vouchers values(?, ?, ?, ?)", vouchers)


def database(rng: random.Random, folder: Path, names: list[str]) -> tuple[Cases, Words]:
    """Customers, bookings, vouchers."""
    vehicle, where = rng.choice(VEHICLES[1:]), rng.choice(ISLANDS)
    people = customers(rng, names)
    while True:
        booked = bookings(rng, len(names))
        off = sum(row[6:8] == (vehicle, "cancelled") for row in booked)
        there = [row[1] for row in booked if row[2] == where]
        heads, times = Counter[int](), Counter(row[1] for row in booked)
        for row in booked:
            heads[row[1]] += row[5]
        regulars = [who for who, often in times.items() if 2 < often < 7 and heads[who] > 12]
        order = [row[1] for row in sorted(booked, key=lambda row: row[4])]
        others = {order[1], order[-1], booked[0][1], booked[-1][1]}
        if off > 3 and len({*there}) < len(there) - 2 and regulars and order[0] not in others:
            break
    vouchers = [
        (n, rng.randrange(1, len(names) + 1), f"{date(2025, 1, 6) + timedelta(days=4 * n)}", rng.choice((10.0, 25.0)))
        for n in range(1, rng.randrange(25, 40))
    ]
    fill(folder / "db" / "tickets.db", people, booked, vouchers)
    asked, addressee = rng.choice(regulars), rng.choice(names)
    first = {"contains": [names[order[0] - 1]], "lacks": sorted(names[who - 1] for who in others)}
    return {
        "cancelled-vehicles": {"answer": {"any": ways(off)}},
        "customer-passengers": {"answer": {"any": ways(heads[asked])}},
        "different-customers": {"answer": {"any": ways(len({*there}))}},
        "earliest-booking": {"files": {"out/first-customer.txt": first}},
        "customer-mail": {"abstains": True},
    }, {"vehicle": vehicle, "customer": names[asked - 1], "destination": where, "addressee": addressee}


def group(rng: random.Random) -> tuple[Cases, Words]:
    """What has its numbers in the task: no part of a cent is left."""
    adults, children, discount = rng.randrange(11, 28), rng.randrange(4, 15), rng.choice((5, 10, 15, 20))
    adult, child = rng.randrange(760, 1_240, 20), rng.randrange(320, 580, 20)
    whole = adults * adult + children * child
    return {"group-fare": says(money(whole * (100 - discount) // 100))}, {
        "adults": str(adults), "children": str(children), "adult_fare": money(adult), "child_fare": money(child),
        "discount": str(discount),
    }  # fmt: skip


def departures(rng: random.Random) -> list[tuple[str, str, str, int]]:
    """When which ship leaves for where, in the order of the day: no two at the same time."""
    minutes = sorted(rng.sample(range(6 * 60, 21 * 60 + 30, 5), rng.randrange(20, 27)))
    where = [*ISLANDS, *ISLANDS, *rng.choices(ISLANDS, k=len(minutes) - 2 * len(ISLANDS))]
    rng.shuffle(where)
    return [
        (f"{minute // 60:02d}:{minute % 60:02d}", place, rng.choice(SHIPS), rng.randrange(1, 4))
        for minute, place in zip(minutes, where, strict=True)
    ]


def web(rng: random.Random, folder: Path, seats: dict[str, int]) -> tuple[Cases, Words]:
    """The pages of the line: the timetable is sorted by destination, and the last ferry of all is not asked for."""
    plan = departures(rng)
    lines = [
        f"<tr><td>{place}</td><td>{leaves}</td><td>{quay}</td></tr>" for leaves, place, _, quay in
        sorted(plan, key=lambda row: (row[1], row[0]))
    ]  # fmt: skip
    head = "<tr><th>Destination</th><th>Departure</th><th>Quay</th></tr>"
    links = '<ul><li><a href="/timetable">timetable</a></li><li><a href="/fares">fares</a></li></ul>'
    page(folder, "index", "Island ferries", f"<p>From {HOME} to the islands, every day.</p>{links}")
    page(
        folder, "timetable", "Timetable", f"<p>All ferries leave from {HOME}.</p><table>{head}{''.join(lines)}</table>"
    )
    page(folder, "fares", "Fares", "<p>Fares are told at the ticket office. Children under four travel free.</p>")
    told = [{"time": row[0], "destination": row[1], "ship": row[2], "quay": row[3]} for row in plan]
    write(folder / "site" / "api" / "departures.json", json.dumps({"from": HOME, "departures": told}, indent=1) + "\n")
    island = rng.choice([place for place in ISLANDS if place != plan[-1][1]])
    times = [row[0] for row in plan if row[1] == island]
    asked = rng.choice(plan[2:-2])
    return {
        "last-ferry": says(times[-1], none=times[:-1]),
        "departure-seats": says(asked[2], seats[asked[2]]),
    }, {"island": island, "time": asked[0]}


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    rng = random.Random(f"ferry {seed}")
    names = [" ".join(name) for name in itertools.product(FIRST, LAST)]
    rng.shuffle(names)
    masters, team, buyers = names[:7], names[7 : 7 + CREW], names[7 + CREW : 7 + CREW + rng.randrange(45, 60)]
    write(folder / "out" / "README.txt", "Results are written into this folder.\n")
    cases, captains = crew(rng, folder, team)
    cases |= bridge(rng, folder, captains) | server(rng, folder) | archive(rng, folder)
    cases |= {"kernel-release": says(platform.release())}
    return merged(
        (cases, Words()),
        notes(rng, folder, masters),
        settings(rng, folder),
        gates(rng, folder),
        sailings(rng, folder),
        fuel(rng, folder),
        yard(rng, folder),
        database(rng, folder, buyers),
        group(rng),
        web(rng, folder, ships(rng, folder)),
    )


FERRY = Suite("island ferry line", "ferry-line", FOLDERS, "./db/tickets.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(FERRY))
