"""Make a fresh world for the tasks: `python bench/held/depot/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up freight forwarder's depot, and `expect.json` with the answers, all drawn
from the seed. A small server for the pages is started; it ends by itself (see bench/slm/pages.py). `--check` works
every answer out a second time, from the files, and compares.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from again import again
from names import (
    BODIES,
    CONFIG,
    CUSTOMERS,
    DESKS,
    FIRST,
    GOODS,
    HALLS,
    LAST,
    MONTHS,
    NOTES,
    OFFICES,
    SHIFTS,
    STATES,
    TERMS,
    TOWNS,
)
from world import Cases, Suite, Words, holds, main, merged, money, page, rounded, says, table, tie, write

FOLDERS = "[./handbook, ./config, ./logs, ./tables, ./out]"
SCHEMA = """
create table customers(customer_id integer primary key, customer_name text, city text, account_opened text);
create table drivers(driver_id integer primary key, full_name text, licence_class text, hired_on text);
create table consignments(consignment_id integer primary key, customer_id integer, container_no text, seal_no text,
    pallets integer, arrived_on text);
create table deliveries(delivery_id integer primary key, consignment_id integer, driver_id integer, delivered_on text,
    distance_km integer);
create table declarations(declaration_id integer primary key, consignment_id integer, customs_office text,
    lodged_on text, status text);
"""
Row = tuple[Any, ...]


def some_day(rng: random.Random, first: date, days: int) -> str:
    """A day out of so many."""
    return (first + timedelta(days=rng.randrange(days))).isoformat()


def notes(rng: random.Random, folder: Path, people: list[str]) -> Cases:
    """Notes and settings."""
    upper, lower = rng.sample(range(121, 190), 2)
    old, new, unload, label = rng.sample(range(11, 60), 4)
    leave, enter = rng.sample(range(21, 90), 2)
    kept = {
        "upper": upper, "lower": lower, "stored_old": old, "stored_new": new, "unload": unload, "label": label,
        "free_days": rng.randrange(3, 9), "exit_s": leave, "entry_s": enter,
        **{f"p{n}": name for n, name in enumerate(people)},
    }  # fmt: skip
    for name, text in NOTES.items():
        write(folder / "handbook" / f"{name}.md", text.format(**kept))
    for name, text in CONFIG.items():
        write(folder / "config" / name, text.format(**kept))
    write(folder / "out" / "README.txt", "Files that the assistant writes are placed here.\n")
    count, day = rng.randrange(12, 29), date(2025, 5, 5)
    for _ in range(count):
        told = "\n".join(f"- {line}" for line in rng.sample(SHIFTS, 3))
        write(folder / "handbook" / "handovers" / f"{day}.md", f"# Handover of {day}, {rng.choice(people)}\n\n{told}\n")
        day += timedelta(days=rng.randrange(1, 4))
    return {
        "pallet-height": says(upper),
        "storage-charge": says(new, none=(old,)),
        "exit-timeout": says(leave),
        "weighbridge-fee": {"abstains": True},
        "handover-files": says(count),
    }


def gate(rng: random.Random, folder: Path, plates: list[str]) -> Cases:
    """The log of the two gates."""
    moment, lines, refused = datetime(2025, 6, 2, 4, 50), [], 0
    for _ in range(rng.randrange(230, 420)):
        moment += timedelta(seconds=rng.randrange(60, 1_500))
        state = rng.choices(("ADMITTED", "LEFT", "REFUSED"), (45, 44, 11))[0]
        refused += state == "REFUSED"
        side = "south" if state == "LEFT" else "north"
        why = rng.choice(("no-booking", "wrong-day", "no-papers"))
        rest = f"reason={why}" if state == "REFUSED" else f"booking=B{rng.randrange(40_000, 60_000)}"
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S} {side} {state} {rng.choice(plates)} {rest}")
    write(folder / "logs" / "gate.log", "\n".join(lines) + "\n")
    return {"gate-refusals": says(refused)}


def scanner(rng: random.Random, folder: Path, parcels: list[str]) -> Cases:
    """The log of the hand scanners."""
    moment, lines, count = datetime(2025, 6, 4, 5, 30), [], rng.randrange(230, 420)
    where = sorted(rng.sample(range(20, count), rng.randrange(4, 11)))
    broken = dict(zip(where, rng.sample(parcels, len(where)), strict=True))
    for n in range(count):
        moment += timedelta(seconds=rng.randrange(5, 200))
        state = "DAMAGED" if n in broken else rng.choices(("OK", "RESCAN", "NO-LABEL"), (90, 6, 4))[0]
        parcel = broken.get(n, rng.choice(parcels))
        at = f"hall-{rng.choice(HALLS)} handheld-{rng.randrange(1, 8)}"
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S} {at} parcel={parcel} {state}")
    write(folder / "logs" / "scanner.log", "\n".join(lines) + "\n")
    return {"first-damaged": says(broken[where[0]]), "scanner-lines": says(count)}


def dock(rng: random.Random, folder: Path, fleet: list[Row]) -> Cases:
    """The log of the arrivals, and with that all logs are there."""
    moment, lines, count = datetime(2025, 6, 3, 6, 0), [], rng.randrange(40, 70)
    broken, lorry = rng.randrange(8, count - 8), rng.choice(fleet)
    for n in range(count):
        moment += timedelta(minutes=rng.randrange(4, 55))
        plate = lorry[0] if n == broken else rng.choice([row[0] for row in fleet if row is not lorry])
        bay = f"{rng.choice('KLM')}{rng.randrange(1, 13):02d}"
        seal = "broken" if n == broken else "intact"
        lines.append(
            f"{moment:%Y-%m-%d %H:%M} arrival bay={bay} lorry={plate} seal={seal} pallets={rng.randrange(4, 34)}"
        )
    write(folder / "logs" / "dock.log", "\n".join(lines) + "\n")
    charge = [f"2025-06-03 forklift-{n} battery={rng.randrange(30, 100)}%" for n in range(1, 9)]
    write(folder / "logs" / "forklifts.log", "\n".join(charge) + "\n")
    sizes = {path.name: path.stat().st_size for path in (folder / "logs").iterdir()}
    largest = max(sizes, key=lambda name: sizes[name])
    return {"broken-seal": says(lorry[2]), "largest-log": says(largest, sizes[largest])}


def vehicles(rng: random.Random, folder: Path) -> tuple[Cases, list[Row]]:
    """The table of the lorries."""
    count = rng.randrange(24, 34)
    loads, ways = rng.sample(range(7_250, 25_900, 10), count), rng.sample(range(38_000, 780_000), count)
    fleet = []
    for n, (load, way) in enumerate(zip(loads, ways, strict=True)):
        plate = f"{rng.choice(('KX', 'DW', 'TM'))}-{rng.randrange(21, 99)}{n:02d}"
        fleet.append((plate, rng.choice(BODIES), load, way, some_day(rng, date(2025, 7, 1), 500), rng.choice(HALLS)))
    columns = ("plate", "body", "payload_kg", "odometer_km", "next_inspection", "home_hall")
    table(folder / "tables" / "fleet.tsv", "\t", columns, fleet)
    most = max(fleet, key=lambda row: row[3])
    return {"top-odometer": says(most[0], most[3])}, fleet


def shipments(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The table of the shipments."""
    found, day = [], date(2025, 1, 6)
    for number in range(7_101, 7_101 + rng.randrange(110, 160)):
        day += timedelta(days=rng.choice((0, 1, 1, 2)))
        pallets = rng.randrange(1, 30)
        kilos, freight = pallets * rng.randrange(180, 620) + rng.randrange(90), money(rng.randrange(14_000, 390_000))
        town, terms = rng.choice(TOWNS), rng.choice(TERMS)
        found.append((f"S{number}", day, rng.choice(CUSTOMERS), town, terms, pallets, kilos, freight))
    columns = (
        "shipment_no", "booked_on", "customer", "destination", "incoterm", "pallets", "gross_kg", "freight_eur",
    )  # fmt: skip
    table(folder / "tables" / "shipments.csv", ",", columns, found)
    asked = rng.choice(sorted({row[3] for row in found}))
    return {"destination-weight": says(sum(row[6] for row in found if row[3] == asked))}, {"destination": asked}


def tours(rng: random.Random, folder: Path, drivers: list[str], plates: list[str]) -> tuple[Cases, Words]:
    """The table of the tours."""
    found, day = [], date(2025, 4, 1)
    for number in range(501, 501 + rng.randrange(85, 110)):
        day += timedelta(days=rng.choice((0, 0, 1)))
        minutes, way = rng.randrange(95, 560), rng.randrange(60, 640)
        row = f"T{number}", day, rng.choice(drivers), rng.choice(plates), rng.randrange(2, 16), minutes, way
        found.append(row)
    columns = ("tour_no", "tour_date", "driver", "plate", "stops", "driving_min", "distance_km")
    table(folder / "tables" / "tours.csv", ";", columns, found)
    means = {}
    for name in drivers:
        minutes_of = [row[5] for row in found if row[2] == name]
        mean = Decimal(sum(minutes_of)) / max(len(minutes_of), 1)
        if len(minutes_of) > 3 and not tie(mean):
            means[name] = mean
    asked = rng.choice(sorted(means))
    return {"tour-average": says(rounded(means[asked]))}, {"tour_driver": asked}


def parcels(rng: random.Random, folder: Path) -> tuple[Cases, Words, list[str]]:
    """The table of the parcels; also their numbers."""
    limit, found = rng.randrange(11, 18), []
    for number in rng.sample(range(104_000, 109_999), rng.randrange(150, 195)):
        grams = rng.choice([n for n in range(4, 315) if n != limit * 10])
        state = rng.choices(("delivered", "held", "loaded", "sorted"), (30, 32, 18, 20))[0]
        row = f"PX{number}", some_day(rng, date(2025, 5, 26), 10), rng.choice(HALLS), f"{grams / 10:.1f}", state
        found.append((*row, rng.choice(("yes", "no"))))
    columns = ("tracking_no", "received_on", "hall", "weight_kg", "status", "cleared")
    table(folder / "tables" / "parcels.csv", ",", columns, found)
    heavy = sum(row[4] == "held" and Decimal(row[3]) > limit for row in found)
    return {"heavy-held": says(heavy)}, {"weight_limit": str(limit)}, [row[0] for row in found]


def tariff(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The table of the duties."""
    rates, found = rng.sample([n for n in range(11, 149) if n % 10], len(GOODS)), []
    for (heading, name), rate in zip(GOODS.items(), rates, strict=True):
        found.append((f"{heading}{rng.randrange(10, 99)}{rng.choice((0, 10, 90)):02d}", name, f"{rate / 10:.1f}"))
    table(folder / "tables" / "tariff.csv", ",", ("hs_code", "goods", "duty_pct"), found)
    asked = rng.choice(found)
    return {"duty-rate": says(asked[2])}, {"hs_code": asked[0]}


def freight(rng: random.Random) -> tuple[list[Row], list[Row], list[Row]]:
    """Consignments, and how they were delivered and declared."""
    boxes = rng.sample(range(2_000_000, 9_999_999), rng.randrange(110, 140))
    seals = rng.sample(range(410_000, 499_999), len(boxes))
    sent, brought, declared = [], [], []
    for n, (box, seal) in enumerate(zip(boxes, seals, strict=True), 1):
        prefix, owner = rng.choice(("TRQU", "KWNU", "ZELU")), rng.randrange(1, len(CUSTOMERS) + 1)
        arrived = some_day(rng, date(2025, 1, 2), 150)
        sent.append((n, owner, f"{prefix}{box}", f"SL-{seal}", rng.randrange(2, 34), arrived))
    for n in range(1, rng.randrange(190, 200)):
        day, way = some_day(rng, date(2025, 1, 2), 179), rng.randrange(12, 480)
        brought.append((n, rng.randrange(1, len(sent) + 1), rng.randrange(1, 11), day, way))
    for n in range(1, rng.randrange(180, 200)):
        day, state = some_day(rng, date(2025, 1, 2), 179), rng.choices(STATES, (38, 40, 12, 10))[0]
        declared.append((n, rng.randrange(1, len(sent) + 1), rng.choice(OFFICES), day, state))
    return sent, brought, declared


def database(rng: random.Random, folder: Path, people: list[str]) -> tuple[Cases, Words]:
    """Customers, drivers, and what freight() drew."""
    path, month = folder / "db" / "depot.db", rng.randrange(1, 7)
    path.parent.mkdir(parents=True)
    customers = [
        (n, name, rng.choice(TOWNS), some_day(rng, date(2015, 1, 1), 3_000)) for n, name in enumerate(CUSTOMERS, 1)
    ]
    drivers = []
    for n, name in enumerate(people[:10], 1):
        drivers.append((n, name, rng.choice(("C", "C1E", "CE")), some_day(rng, date(2012, 1, 1), 4_000)))
    while True:
        sent, brought, declared = freight(rng)
        ranks = Counter(row[2] for row in brought if row[3].startswith(f"2025-{month:02d}")).most_common()
        queried = Counter(row[2] for row in declared if row[4] == "queried")
        if ranks[0][1] > ranks[1][1] and min(queried[office] for office in OFFICES) > 9:
            break
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("insert into customers values(?, ?, ?, ?)", customers)
        db.executemany("insert into drivers values(?, ?, ?, ?)", drivers)
        db.executemany("insert into consignments values(?, ?, ?, ?, ?, ?)", sent)
        db.executemany("insert into deliveries values(?, ?, ?, ?, ?)", brought)
        db.executemany("insert into declarations values(?, ?, ?, ?, ?)", declared)
    owner = rng.choice([n for n, *_ in customers if sum(row[1] == n for row in sent) > 3])
    office, box = rng.choice(OFFICES), rng.choice(sent)
    return {
        "customer-pallets": says(sum(row[4] for row in sent if row[1] == owner)),
        "busiest-driver": says(drivers[ranks[0][0] - 1][1]),
        "queried-declarations": holds("out/queried.txt", queried[office]),
        "container-seal": says(box[3]),
    }, {"customer": CUSTOMERS[owner - 1], "month": MONTHS[month - 1], "office": office, "container": box[2]}


def calculations(rng: random.Random) -> tuple[Cases, Words]:
    """What needs no file."""
    while True:
        rate, way = Decimal(rng.randrange(241, 389)) / 10, rng.randrange(213, 1_480)
        value, duty = rng.randrange(3_100, 88_000, 10), Decimal(rng.choice([n for n in range(21, 140) if n % 10])) / 10
        litres, vat = rate * way / 100, value * (100 + duty) / 100 * Decimal("0.19")
        if not tie(litres) and not tie(vat):
            break
    words = {"per_100": str(rate), "distance": str(way), "value": str(value), "duty": str(duty)}
    return {"diesel": says(rounded(litres)), "import-vat": says(rounded(vat))}, words


def web(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The pages of the depot."""
    closes = dict(zip(TOWNS, rng.sample(range(11 * 12, 20 * 12), len(TOWNS)), strict=True))  # in steps of 5 minutes
    clock = {town: f"{step // 12}:{step % 12 * 5:02d}" for town, step in closes.items()}
    lines = ""
    for n, town in enumerate(TOWNS, 1):
        leaves = closes[town] + rng.randrange(12, 40)
        lines += (
            f"<tr><td>L{n}</td><td>{town}</td><td>{clock[town]}</td><td>{leaves // 12}:{leaves % 12 * 5:02d}</td></tr>"
        )
    head = "<tr><th>Line</th><th>Destination</th><th>Acceptance closes</th><th>Departure</th></tr>"
    halls, free = [], {}
    for hall in HALLS:
        dry, cold = rng.sample(range(11, 40), 2)
        free[hall] = cold
        bays = {"dry": {"total": dry + rng.randrange(2, 30), "free": dry}}
        halls.append({"hall": hall, "bays": bays | {"chilled": {"total": cold + rng.randrange(2, 30), "free": cold}}})
    town, hall, desk = rng.choice(TOWNS), rng.choice(HALLS), rng.choice(DESKS)
    inner = dict(zip(DESKS, rng.sample(range(210, 299), len(DESKS)), strict=True))
    desks = "".join(f"<dt>{name.capitalize()}</dt><dd>Extension {number}</dd>" for name, number in inner.items())
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("schedule", "contacts"))
    page(folder, "index", "Tarn Cross Depot", f"<p>Groupage, customs and storage under one roof.</p><ul>{links}</ul>")
    page(folder, "schedule", "Groupage timetable", f"<table>{head}{lines}</table><p>All times are local times.</p>")
    page(folder, "contacts", "Contacts", f"<dl>{desks}</dl><p>Visitors report at the north gate.</p>")
    write(folder / "site" / "api" / "halls.json", json.dumps({"updated": "2025-06-05T06:00", "halls": halls}) + "\n")
    return {
        "acceptance-time": says(clock[town]),
        "chilled-bays": says(free[hall]),
        "desk-email": {"abstains": True},
    }, {"line_town": town, "hall": hall, "desk": desk}


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    rng = random.Random(f"depot {seed}")
    people = [f"{first} {last}" for first, last in zip(rng.sample(FIRST, 14), rng.sample(LAST, 14), strict=True)]
    cases = notes(rng, folder, people[10:])
    listed, fleet = vehicles(rng, folder)
    plates = [row[0] for row in fleet]
    held, words, numbers = parcels(rng, folder)
    cases |= listed | held | gate(rng, folder, plates) | scanner(rng, folder, numbers) | dock(rng, folder, fleet)
    drawn = (
        shipments(rng, folder), tours(rng, folder, people[:10], plates), tariff(rng, folder),
        database(rng, folder, people), calculations(rng), web(rng, folder),
    )  # fmt: skip
    return merged((cases, words), *drawn)


DEPOT = Suite("freight forwarder's depot", "freight-depot", FOLDERS, "./db/depot.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(DEPOT))
