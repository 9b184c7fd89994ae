"""Make a fresh world for the tasks: `python bench/held/vet/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up veterinary practice, and `expect.json` with the answers, all drawn from
the seed. A small server for the pages is started; it ends by itself (see bench/slm/pages.py). `--check` works every
answer out a second time, from the files, and compares.
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
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from again import again, ways
from names import FIELDS, FIRST, LAST, OTHERS, PETS, PLURALS, REASONS, SERVICES, SPECIES, TOWNS
from papers import config, logs, notes
from tables import invoices, stock, vaccinations
from world import Cases, Suite, Words, main, merged, page, rounded, says, tie, write

FOLDERS = "[./notes, ./config, ./logs, ./tables, ./out]"
SCHEMA = """
create table owners(owner_id integer primary key, name text, town text, phone text);
create table animals(animal_id integer primary key, owner_id integer, name text, species text, born_on text,
  weight_kg real);
create table appointments(appointment_id integer primary key, animal_id integer, vet text, day text, reason text,
  status text);
"""
MONTHS = {1: "January 2025", 2: "February 2025", 3: "March 2025", 4: "April 2025"}
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
Row = tuple[Any, ...]


def animals(rng: random.Random, owners: int) -> list[Row]:
    """The animals; names are used more than once, and one of each species is clearly the heaviest."""
    found = []
    for number in range(1, rng.randrange(105, 140)):
        species = rng.choices(list(SPECIES), [often for often, _, _ in SPECIES.values()])[0]
        born = date(2012, 1, 1) + timedelta(days=rng.randrange(4_500))
        weight = rng.randrange(*SPECIES[species][1:])
        found.append([number, rng.randrange(1, owners + 1), rng.choice(PETS), species, born.isoformat(), weight])
    for species in SPECIES:
        heaviest = max((row for row in found if row[3] == species), key=lambda row: int(row[-1]))
        heaviest[-1] += rng.randrange(3, 25)
    return [(*row[:-1], row[-1] / 100) for row in found]


def appointments(rng: random.Random, vets: list[str], count: int) -> list[Row]:
    """The appointments of four months."""
    found = []
    for day in sorted(rng.choices(range(120), k=rng.randrange(360, 460))):
        status = rng.choices(("done", "cancelled", "no-show"), (7, 3, 1))[0]
        on = (date(2025, 1, 1) + timedelta(days=day)).isoformat()
        found.append(
            (2_001 + len(found), rng.randrange(1, count + 1), rng.choice(vets), on, rng.choice(REASONS), status)
        )
    return found


def database(rng: random.Random, folder: Path, vets: list[str], names: list[str]) -> tuple[Cases, Words]:
    """Owners, animals, appointments; the last of the names is no owner's."""
    *people, absent = names
    owners = [
        (n, name, rng.choice(TOWNS), f"0555 {rng.randrange(100_000, 1_000_000)}") for n, name in enumerate(people, 1)
    ]
    while True:
        pets = animals(rng, len(owners))
        met = appointments(rng, vets, len(pets))
        called = Counter(row[2] for row in pets)
        alone = Counter(row[2:4] for row in pets)
        single = [row for row in pets if alone[row[2:4]] == 1 and called[row[2]] > 2]
        off = Counter((row[2], int(row[3][5:7])) for row in met if row[-1] == "cancelled")
        months = sorted(key for key, often in off.items() if 3 < often < 15)
        if single and months and len({*Counter(row[2] for row in met).values()}) == len(vets):
            break
    asked, heavy, (vet, month) = rng.choice(single), rng.choice(("cat", "rabbit", "guinea pig")), rng.choice(months)
    top = max((row for row in pets if row[3] == heavy), key=lambda row: float(row[-1]))[2]
    path = folder / "db" / "practice.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("insert into owners values(?, ?, ?, ?)", owners)
        db.executemany("insert into animals values(?, ?, ?, ?, ?, ?)", pets)
        db.executemany("insert into appointments values(?, ?, ?, ?, ?, ?)", met)
    cases, words = team(rng, folder, vets, Counter(row[2] for row in met))
    return cases | {
        "vet-cancelled": {"answer": {"any": ways(off[vet, month])}},
        "owner-of": says(people[asked[1] - 1]),
        "owner-phone": {"abstains": True},
        "heaviest": {"files": {"out/heaviest.txt": {"contains": [top], "equals": top}}},
    }, words | {
        "vet": vet, "month": MONTHS[month], "animal": asked[2], "species": asked[3], "owner": absent, "heavy": heavy,
    }  # fmt: skip


def listed(head: tuple[str, ...], rows: list[Row]) -> str:
    """A table of a page."""
    lines = ["".join(f"<th>{cell}</th>" for cell in head)]
    lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def team(rng: random.Random, folder: Path, vets: list[str], met: Counter[str]) -> tuple[Cases, Words]:
    """The page of the team; who is responsible for what is drawn."""
    fields = dict(zip(rng.sample(FIELDS, len(FIELDS)), vets, strict=True))
    rows: list[Row] = [(name, "Vet", field) for field, name in fields.items()]
    rows += OTHERS
    rng.shuffle(rows)
    page(folder, "team", "Our team", listed(("Name", "Role", "Responsible for"), rows))
    asked = rng.choice(FIELDS)
    return {"specialist": {"answer": {"any": ways(met[fields[asked]])}}}, {"field": asked}


def web(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """Opening hours, prices, and what is in the ward."""
    times = rng.sample(("16:30", "17:15", "17:45", "18:15", "18:45", "19:30"), 5)
    mornings = rng.choices(("07:30 - 12:00", "08:00 - 12:30", "08:30 - 12:15"), k=5)
    hours = [(day, mornings[n], "closed" if n == 2 else f"14:00 - {times[n]}") for n, day in enumerate(DAYS)]
    weekday, kinds = rng.choice([n for n in range(5) if n != 2]), ("dog", "cat", "rabbit")
    while True:
        prices = [(name, *(about * rng.randrange(70, 140) // 100 for _ in kinds)) for name, about in SERVICES.items()]
        if all(len({*row}) == 4 for row in prices):
            break
    price, kind = rng.choice(prices), rng.randrange(3)
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("hours", "prices", "team"))
    page(folder, "index", "Veterinary practice", f"<p>For small animals.</p><ul>{links}</ul>")
    days = listed(("Day", "Morning", "Afternoon"), hours)
    page(folder, "hours", "Opening hours", f"{days}<p>Closed at the weekend. Emergencies by phone.</p>")
    page(folder, "prices", "Prices in euros", listed(("Service", *(k.capitalize() for k in kinds)), prices))
    while True:
        pets = rng.choices(list(SPECIES), (4, 4, 3, 2), k=rng.randrange(22, 31))
        count = {name: pets.count(name) for name in SPECIES}
        if min(count.values()) > 2 and len({*count.values()}) == len(SPECIES):
            break
    called = [rng.choice(PETS) for _ in pets]
    ward = [
        {"kennel": n, "name": name, "species": pet} for n, (name, pet) in enumerate(zip(called, pets, strict=True), 1)
    ]
    write(folder / "site" / "api" / "ward.json", json.dumps({"animals": ward}, indent=1) + "\n")
    inside = rng.choice(list(SPECIES))
    return {
        "closing-time": says_time(times[weekday]),
        "price-cell": says(price[kind + 1]),
        "ward-count": {"answer": {"any": ways(count[inside])}},
    }, {"weekday": DAYS[weekday], "service": price[0], "patient": kinds[kind], "inside": PLURALS[inside]}


def says_time(clock: str) -> dict[str, Any]:
    """A time of the afternoon, in one of the two ways."""
    hour, minute = clock.split(":")
    return {"answer": {"any": [[clock], [f"{int(hour) - 12}:{minute} pm"], [f"{int(hour) - 12}:{minute} p.m."]]}}


def sums(rng: random.Random) -> tuple[Cases, Words]:
    """What has its numbers in the task."""
    weight, dose = rng.randrange(52, 389, 5), rng.choice((3, 4, 6, 7, 9, 12))  # the weight in tenths of a kilogram
    times, days = rng.choice((2, 3)), rng.randrange(5, 15)
    while True:
        grams = rng.sample(range(262, 468), 6)
        mean = Decimal(sum(grams)) / 6
        if not tie(mean) and not rounded(mean).endswith("0"):
            break
    total = Decimal(weight) * dose * times * days / 10
    return {
        "dose": says(f"{total.normalize():f}"),
        "kitten-mean": says(rounded(mean)),
    }, {
        "weight": f"{weight / 10}", "mg": str(dose), "times": {2: "twice", 3: "three times"}[times], "days": str(days),
        "grams": ", ".join(map(str, grams[:-1])) + f" and {grams[-1]}",
    }  # fmt: skip


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    rng = random.Random(f"vet {seed}")
    vets = [" ".join(name) for name in zip(rng.sample(FIRST, 4), rng.sample(LAST, 4), strict=True)]
    names = [" ".join(name) for name in itertools.product(FIRST, LAST)]
    people = rng.sample([name for name in names if name not in vets], rng.randrange(56, 76))
    given, recalled = vaccinations(rng, folder, vets)
    set_up, asked, shelter = config(rng, folder)
    return merged(
        (given | invoices(rng, folder, people[:-1]), {}),
        (set_up, asked),
        notes(rng, folder, vets, recalled),
        logs(rng, folder),
        stock(rng, folder, shelter),
        database(rng, folder, vets, people),
        sums(rng),
        web(rng, folder),
    )


VET = Suite("veterinary practice", "vet-practice", FOLDERS, "./db/practice.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(VET))
