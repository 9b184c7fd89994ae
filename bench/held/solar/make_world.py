"""Make a fresh world for the tasks: `python bench/held/solar/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up cooperative that runs solar plants on other people's roofs, and
`expect.json` with the answers, all drawn from the seed. A small server for the pages is started; it ends by itself (see
bench/slm/pages.py). `--check` works every answer out a second time, from the files, and compares.
"""

from __future__ import annotations

import itertools
import json
import random
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from again import again, days_as, hours_as, ways
from logs import logs
from names import FIRST, LAST, STREETS, TOWNS, Plant, drawn, nowhere
from papers import letters, notes, payment, settings
from tables import inverters, invoices, readings, visits
from world import Cases, Suite, Words, main, merged, page, says, write

FOLDERS = "[./office, ./settings, ./inbox, ./logs, ./tables, ./out]"
SCHEMA = """
create table members(member_no integer primary key, name text, town text, joined_on text);
create table plants(plant_id integer primary key, name text, kwp real, commissioned_on text, battery_kwh integer);
create table share_purchases(purchase_id integer primary key, member_no integer references members(member_no),
  plant_id integer references plants(plant_id), bought_on text, shares integer);
create table payouts(payout_id integer primary key, member_no integer references members(member_no), year integer,
  amount_eur real, transferred_on text);
"""
CREW = 5
Row = tuple[Any, ...]


def purchases(rng: random.Random, plants: list[Plant], buyers: list[int]) -> list[Row]:
    """Who bought how many shares, and for which plant: each buyer once at least."""
    who = buyers + [rng.choice(buyers) for _ in range(rng.randrange(60, 110))]
    rng.shuffle(who)
    days = sorted(plants[0].since + timedelta(days=rng.randrange(4_400)) for _ in who)
    found = []
    for number, (member, day) in enumerate(zip(who, days, strict=True), 501):
        there = [n for n, plant in enumerate(plants, 1) if plant.since - timedelta(days=200) < day]
        found.append((number, member, rng.choice(there), f"{day}", rng.choice((1, 1, 2, 3, 4, 5, 8, 10, 20))))
    return found


def payouts(rng: random.Random, buyers: list[int]) -> list[Row]:
    """What members were paid for two years; some of the last are still to come."""
    found: list[Row] = []
    for year in (2024, 2025):
        for member in buyers:
            day = None if year == 2025 and rng.random() < 0.2 else f"{year + 1}-05-{rng.randrange(4, 29):02d}"
            found.append((900 + len(found), member, year, rng.randrange(210, 24_000) / 100, day))
    return found


def database(rng: random.Random, folder: Path, plants: list[Plant], names: list[str]) -> tuple[Cases, Words]:
    """Members, plants, shares, payouts."""
    days = sorted(date(2013, 11, 9) + timedelta(days=rng.randrange(4_500)) for _ in names)
    people = [(n, name, rng.choice(TOWNS), f"{day}") for n, (name, day) in enumerate(zip(names, days, strict=True), 1)]
    without = set(rng.sample(range(1, len(names) + 1), rng.choice((3, 4, 5))))
    buyers = [row[0] for row in people if row[0] not in without]
    while True:
        bought = purchases(rng, plants, buyers)
        held = Counter[str]()
        for row in bought:
            held[people[row[1] - 1][2]] += row[4]
        (town, most), (_, second) = held.most_common(2)
        if most > second:
            break
    path = folder / "data" / "coop.db"
    path.parent.mkdir(parents=True)
    roofs = [(n, p.name, p.kwp / 10, f"{p.since}", p.battery) for n, p in enumerate(plants, 1)]
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("insert into members values(?, ?, ?, ?)", people)
        db.executemany("insert into plants values(?, ?, ?, ?, ?)", roofs)
        db.executemany("insert into share_purchases values(?, ?, ?, ?, ?)", bought)
        db.executemany("insert into payouts values(?, ?, ?, ?, ?)", payouts(rng, buyers))
    unsold = {
        "contains": [name for n, name in enumerate(names, 1) if n in without],
        "lacks": [name for n, name in enumerate(names, 1) if n not in without],
    }
    power = sum(plant.kwp for plant in plants if plant.battery is None)
    return {
        "town-shares": says(town, most),
        "no-battery-kwp": says(f"{power / 10:g}"),
        "never-bought": {"files": {"out/no-shares.txt": unsold}},
        "panel-count": nowhere("no panel", "no solar panel", "no number of", "no count"),
    }, {"panel_plant": rng.choice(plants).name}


def payback(rng: random.Random) -> tuple[Cases, Words]:
    """What has its numbers in the task."""
    while True:
        price, grant, saving = rng.randrange(9_000, 24_000, 50), rng.randrange(1_000, 4_000, 50), rng.randrange(95, 260)
        if (price - grant) % saving:
            break
    months = -((grant - price) // saving)
    return {"payback-months": {"answer": {"any": ways(months)}}}, {
        "price": f"{price}",
        "grant": f"{grant}",
        "saving": f"{saving}",
    }


def listed(head: tuple[str, ...], rows: list[Row]) -> str:
    """A table of a page."""
    lines = ["".join(f"<th>{cell}</th>" for cell in head)]
    lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def tours(rng: random.Random, folder: Path, plants: list[Plant]) -> Cases:
    """The guided tours, in order; the first ones have hardly a place left."""
    days = [date(2026, 6, 20) + timedelta(days=7 * n + rng.randrange(2)) for n in range(7)]
    first = rng.randrange(2, 5)
    places = [rng.randrange(4) for _ in range(first)] + [rng.randrange(4, 13)] + [rng.randrange(15) for _ in range(7)]
    rows = [(f"{day}", rng.choice(plants).name, n) for day, n in zip(days, places, strict=False)]
    page(folder, "tours", "Guided tours", listed(("Date", "Plant", "Places left"), rows) + "<p>Tours are free.</p>")
    others = [f"{day}" for day in days if day != days[first]]
    return {"free-tour": {"answer": {"any": days_as(days[first]), "none": others}}}


def outages(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """When the grid operator switches the power off."""
    rows = []
    for street in rng.sample(STREETS, 6):
        day = date(2026, 6, 22) + timedelta(days=rng.randrange(40))
        off, on = (f"{rng.choice(hours)}:{rng.choice((15, 30, 45))}" for hours in ((8, 9, 10, 11), (13, 14, 15, 16)))
        rows.append((street, f"{day}", f"{off:0>5}", on))
    street, _, off, on = rng.choice(rows)
    note = "<p>Plants in these streets feed nothing in meanwhile.</p>"
    page(folder, "outages", "Planned outages", listed(("Street", "Day", "Off from", "Back at"), rows) + note)
    return {"outage-times": {"answer": {"any": hours_as(off, on)}}}, {"street": street}


def web(rng: random.Random, folder: Path, plants: list[Plant], seen: dict[str, int]) -> tuple[Cases, Words]:
    """The pages of the cooperative, and what its plants do just now."""
    off, idle = rng.sample(plants, 2)
    now = []
    for plant in rng.sample(plants, len(plants)):
        status = "offline" if plant is off else "standby" if plant is idle else "online"
        power = round(plant.kwp * rng.uniform(0.02, 0.08), 1) if status == "online" else 0.0
        now.append({"plant": plant.name, "status": status, "power_kw": power})
    live = {"time": "2026-06-15T12:30:00+02:00", "plants": now}
    write(folder / "site" / "api" / "live.json", json.dumps(live, indent=1) + "\n")
    titles = {"about": "About us", "outages": "Planned outages", "tours": "Guided tours", "api/live.json": "Live data"}
    links = "".join(f'<li><a href="/{name}">{title}</a></li>' for name, title in titles.items())
    page(folder, "index", "Sunrise Roofs", f"<p>Our members' power comes from above.</p><ul>{links}</ul>")
    page(folder, "about", "About us", f"<p>Founded in 2013; {len(plants)} plants. The office is open on Thursdays.</p>")
    told, words = outages(rng, folder)
    visited = {"answer": {"any": [[off.name, *way] for way in ways(seen[off.name])]}}
    return {"offline-visits": visited} | tours(rng, folder, plants) | told, words


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    rng = random.Random(f"solar {seed}")
    names = [
        " ".join(name) for name in rng.sample([*itertools.product(FIRST, LAST)], 24 + CREW + rng.randrange(60, 85))
    ]
    plants, crew = drawn(rng, names[:24]), names[24 : 24 + CREW]
    paid, rates = settings(rng, folder, plants)
    counted, words, read = readings(rng, folder, plants)
    rated, more, numbers = inverters(rng, folder, plants)
    spent, asked, seen = visits(rng, folder, plants, crew)
    return merged(
        (paid | counted | rated | spent, words | more | asked),
        (notes(rng, folder, plants), {}),
        letters(rng, folder, plants),
        payment(rng, read, rates),
        invoices(rng, folder),
        logs(rng, folder, plants, numbers),
        database(rng, folder, plants, names[24 + CREW :]),
        payback(rng),
        web(rng, folder, plants, seen),
    )


SOLAR = Suite("cooperative with solar plants", "solar-cooperative", FOLDERS, "./data/coop.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(SOLAR))
