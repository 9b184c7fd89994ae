"""Write a world's files: notes, settings, logs, tables, a database and pages."""

from __future__ import annotations

import csv
import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path

from facts import PARTS, TOWNS, Facts

NOTES = {
    "handbook": """# Handbook of the Saltmarsh Boat Trust

## Opening
The yard opens at 8:30 from April to October and at 10:00 in winter. The last one out locks the slipway chain.

## Fuel card
The fuel card hangs behind the office door. One purchase may not exceed {fuel_limit} euros; ask the treasurer for more.
The diesel tank at the pontoon holds {tank} litres when it is full.

## Radio
Launches listen on VHF channel {channel_old}. Answer every call, and write down who called.

## Visitors
Greet visitors at the head of pontoon A. Collect the fee before the evening tide, and give a receipt.

## Keys
Nobody takes a key home without a line in the key book.
""",
    "2024-11-05-mooring-fees": """# Mooring fees
5 November 2024

Visitors pay {fee_old} euros a night for a mooring. Boats over 12 metres are turned away.
Members moor free of charge on pontoon D.
""",
    "2025-04-01-circular": """# Circular of the harbour group
1 April 2025

- The sheet on mooring fees of 5 November 2024 is withdrawn. From today visitors pay {fee_new} euros a night.
- Bins are emptied on Mondays and Thursdays.
- Please rinse the trolleys with fresh water.
""",
    "boathouse": """# Boathouse
10 June 2024

The spare key of the boathouse is with {key_old}. The alarm is off from 7:00 to 21:00.
The roof was tarred in May; do not walk on the north side.
""",
    "committee-2025-08": """# Committee, 19 August 2025

Present: {p0}, {p1}, {p2}, {p3}.

1. Since 12 August the spare key of the boathouse is with {key_new}, who lives closer.
2. The winter cover costs {winter} euros; agreed.
3. {p2} paints the sign for the open day.
""",
    "committee-2025-06": """# Committee, 17 June 2025

Present: {p0}, {p2}, {p4}.

1. The launches changed over on 1 June: they now use VHF channel {channel_new}. The handbook is still to be corrected.
2. {p4} looks for a second-hand trailer.
3. Insurance: {insured} thousand euros for each boat; the policy is in the safe.
""",
    "committee-2025-02": """# Committee, 18 February 2025

Present: {p1}, {p3}, {p5}.

1. The workshop stove smokes. {p5} calls the sweep.
2. Youth evenings move to Wednesdays.
""",
    "suppliers": """# Suppliers

- Rope and rigging: Halfhitch Ltd, {phone_a}, ask for the trade counter
- Timber: Oak & Larch Yard, {phone_b}, delivers on Fridays
- Paint: by mail order alone
""",
    "first-aid": """# First aid

The kit is in the red box under the stairs. Cold water first, then a dry blanket. Write each use into the book.
""",
    "open-day": """# Open day

Tables from the church hall. {p6} bakes, {p7} runs the raffle. Rides in the gig for two euros, children free.
""",
    "trailer": """# Trailer

Tyres at 2.4 bar. The left lamp has a loose contact. Never launch at less than half tide.
""",
    "youth": """# Youth group

Twelve places, ages 10 to 16. Everyone swims 50 metres in clothes before the first trip. {p8} and {p9} lead.
""",
    "workshop-rules": """# Workshop rules

Goggles at the grinder. Varnish only with the door open. Sweep up before tea. The bandsaw is for {p5} and {p6} alone.
""",
}

SETTINGS = {
    "booking.ini": "[site]\nport = 8081\nlanguage = en\n\n[booking]\nmax_days_ahead = 60\nhold_minutes = 20\n",
    "slipway.toml": '[winch]\nmax_load_kg = 1800\nspeed = "slow"\n\n[fuel]\nprice_per_litre = {diesel}  # euros\n',
    "alerts.yaml": "gate:\n  jam: call\n  sensor: mail\nquiet_hours: [22, 6]\n",
}

PAGE = "<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>\n"


def lay(facts: Facts, folder: Path) -> None:
    """Write everything but the manifest. `folder` is there and empty."""
    words = {**facts.kept, **{f"p{n}": name for n, name in enumerate(facts.people)}}
    for name, text in NOTES.items():
        write(folder / "notes" / f"{name}.md", text.format(**words))
    for name, text in SETTINGS.items():
        write(folder / "config" / name, text.format(**words))
    for name, lines in (("gate", facts.gate), ("booking-access", facts.access), ("radio", facts.radio)):
        write(folder / "logs" / f"{name}.log", "\n".join(lines) + "\n")
    write(folder / "out" / "README.txt", "Files that the assistant makes go here.\n")
    tables(facts, folder / "data")
    database(facts, folder / "db" / "trust.db")
    site(facts, folder / "site")


def write(path: Path, text: str) -> None:
    """A text file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def money(cents: int) -> str:
    """Cents as `12.34`."""
    return f"{cents // 100}.{cents % 100:02d}"


def tables(facts: Facts, folder: Path) -> None:
    """Four tables, each with another separator, and a list that is none."""
    table(
        folder / "boats.csv", ",", ("boat", "rig", "berth", "length_m", "status"),
        [(boat.name, boat.rig, boat.berth, boat.length_m, boat.status) for boat in facts.boats],
    )  # fmt: skip
    table(
        folder / "hires.csv", ";", ("date", "boat", "hours", "amount_eur", "skipper"),
        [(h.day.isoformat(), h.boat, h.hours, money(h.cents), "yes" if h.skipper else "no") for h in facts.hires],
    )  # fmt: skip
    table(
        folder / "donations.tsv", "\t", ("date", "donor", "amount_eur", "purpose"),
        [(gift.day.isoformat(), gift.donor, money(gift.cents), gift.purpose) for gift in facts.donations],
    )  # fmt: skip
    table(
        folder / "stock.csv", "|", ("code", "item", "place", "count", "price_eur"),
        [(item.code, item.name, item.shelf, item.count, money(item.cents)) for item in facts.items],
    )  # fmt: skip
    rota = [f"week {week}: {facts.people[week % 11]} opens, {facts.people[week % 7]} closes" for week in range(31, 41)]
    write(folder / "rota.txt", "\n".join(rota) + "\n")


def table(path: Path, separator: str, columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    """A table with a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=separator, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def database(facts: Facts, path: Path) -> None:
    """Members, orders of the workshop, parts, and which parts an order took."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(
            "create table members(id integer primary key, name text, town text, joined text, fee real, paid integer);"
            "create table orders("
            " id integer primary key, boat text, opened text, closed text, mechanic text, hours integer);"
            "create table parts(id integer primary key, name text, price real);"
            "create table order_parts(order_id integer, part_id integer, quantity integer);"
        )
        members = [(m.id, m.name, m.town, m.joined.isoformat(), m.fee_cents / 100, int(m.paid)) for m in facts.members]
        db.executemany("insert into members values(?, ?, ?, ?, ?, ?)", members)
        orders = [
            (o.id, o.boat, o.opened.isoformat(), o.closed and o.closed.isoformat(), o.mechanic, o.hours)
            for o in facts.orders
        ]
        db.executemany("insert into orders values(?, ?, ?, ?, ?, ?)", orders)
        parts = [(n, name, cents / 100) for n, (name, cents) in enumerate(zip(PARTS, facts.part_cents, strict=True), 1)]
        db.executemany("insert into parts values(?, ?, ?)", parts)
        used = [(order.id, part + 1, count) for order in facts.orders for part, count in order.parts]
        db.executemany("insert into order_parts values(?, ?, ?)", used)


def site(facts: Facts, folder: Path) -> None:
    """The pages of the trust."""
    kept, rng = facts.kept, random.Random(f"events {facts.seed}")
    days = {name: f"2026-0{rng.randrange(5, 9)}-{rng.randrange(10, 28)}" for name in ("Jumble Sale", "Knot Evening")}
    days[kept["event"]] = kept["event_day"]
    rows = [
        ("Day ticket, adult", kept["adult"]), ("Day ticket, child", kept["child"]), ("Season ticket", kept["season"]),
        ("Locker, a month", "450"),
    ]  # fmt: skip
    prices = "".join(f"<tr><td>{name}</td><td>{money(int(cents))} euros</td></tr>" for name, cents in rows)
    events = "".join(f"<li>{name}: {day}, at the slipway</li>" for name, day in sorted(days.items()))
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("prices", "events", "visit", "notice"))
    visit = (
        f"<p>Weekdays from 8:30 to 18:00.</p><p>Sundays from {kept['sunday_from']} to 16:00.</p><p>Dogs on a lead.</p>"
    )
    notice = (
        f"<p>The {kept['laid_up']} is laid up until spring: rot in the keel. All other boats can be booked.</p>"
        "<p>The café is closed on Tuesdays.</p>"
    )
    towns = f"<p>Members come from {', '.join(TOWNS)}.</p>"
    for name, title, body in (
        ("index", "Saltmarsh Boat Trust", f"<ul>{links}</ul>{towns}"),
        ("prices", "Prices", f"<table>{prices}</table><p>Tickets are sold at the kiosk.</p>"),
        ("events", "Events", f"<ul>{events}</ul>"),
        ("visit", "Visit us", visit),
        ("notice", "Notice board", notice),
    ):
        write(folder / f"{name}.html", PAGE.format(title=title, body=body))
    berths = [{"pontoon": pontoon, "berths": 14, "free": int(kept[f"free_{pontoon}"])} for pontoon in "ABCD"]
    write(folder / "api" / "berths.json", json.dumps({"updated": "2025-09-21T06:00:00Z", "pontoons": berths}) + "\n")
