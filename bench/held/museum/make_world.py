"""Make a fresh museum: `python bench/held/museum/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the papers, logbooks, tables, database and pages of a made-up town museum with an archive, and
`expect.json` with the answers, all drawn from the seed. A small server for the pages is started; it ends by itself (see
bench/slm/pages.py). `--check` works every answer out a second time, from the files and pages, and compares.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import sys
import textwrap
from collections import Counter
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from again import again
from logbook import logbook
from museum import Museum
from names import EVENTS, FRAGILE, KINDS, ROBUST, SUBJECTS, TOWNS
from papers import HEADLINE, PAPERS, SENTENCES, SETTINGS
from tables import tables
from world import Cases, Suite, Words, holds, main, money, page, rounded, says, write

FOLDERS = "[./papers, ./settings, ./logbook, ./tables, ./outgoing]"
SCHEMA = """
create table donors(donor_id integer primary key, name text, town text, first_gift text);
create table records(record_no integer primary key, donor_id integer, kind text, title text, year integer,
  box text, digitised_on text);
create table requests(request_id integer primary key, record_no integer, reader text, asked_on text);
"""
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
Record = tuple[int, int, str, str, int, str, str | None]  # number, donor, kind, title, year, box, when digitised
Request = tuple[int, int, str, str]  # number, record, reader, day


def papers(museum: Museum) -> None:
    """Papers and settings."""
    rng, folder = museum.rng("papers"), museum.folder
    limits = dict(zip(FRAGILE, rng.sample(range(35, 80, 5), len(FRAGILE)), strict=True))
    limits |= dict(zip(ROBUST, rng.sample(range(120, 260, 10), len(ROBUST)), strict=True))
    material = rng.choice(sorted(limits))
    old, new = rng.sample(range(210, 690, 10), 2)
    signoff, dpi = rng.randrange(5, 15), rng.sample((300, 600, 800, 1200, 1600, 2400, 3200, 4800), 3)
    words: dict[str, object] = {f"p{n}": name for n, name in enumerate(museum.staff)}
    words |= {"rate_old": money(old), "rate_new": money(new), "signoff": signoff, "tour": rng.randrange(52, 95)}
    words |= {"adult": money(rng.randrange(850, 1300, 50)), "student": money(rng.randrange(710, 840, 10))}
    words |= {f"dpi{n}": value for n, value in enumerate(sorted(dpi))}
    words["light"] = "\n".join(f"- {name.capitalize()}: at most {lux} lux" for name, lux in limits.items())
    for name, text in PAPERS.items():
        write(folder / "papers" / name, text.format(**words))
    for name, text in SETTINGS.items():
        write(folder / "settings" / name, text.format(**words))
    write(folder / "outgoing" / "README.txt", "Files that the assistant makes for us are put here.\n")
    lines = sorted(rng.sample(SENTENCES, rng.randrange(9, 13)), key=SENTENCES.index)
    parts = (" ".join(lines[:3]), " ".join(lines[3:7]), " ".join(lines[7:]))
    body = "\n\n".join(textwrap.fill(part, 90) for part in parts)
    write(folder / "papers" / "wall-text-harbour.txt", f"{HEADLINE}\n\n{body}\n")
    museum.cases["light-limit"] = says(limits[material])
    museum.cases["school-rate"] = says(money(new), none=[money(old)])
    museum.cases["negative-dpi"] = says(max(dpi))
    museum.cases["sign-off-days"] = says(signoff)
    museum.cases["wall-text-words"] = says(sum(len(line.split()) for line in (HEADLINE, *lines)))
    museum.words["lux_material"] = material


def requested(rng: random.Random, records: list[Record], readers: list[str], year: int) -> tuple[list[Request], str]:
    """What readers asked for; also the kind that was asked for most in a year, which no other equals."""
    kinds = {record[0]: record[2] for record in records}
    while True:
        rows = []
        for n in range(rng.randrange(230, 270)):
            day = date(2023, 1, 3) + timedelta(days=rng.randrange(0, 900))
            rows.append((5_001 + n, rng.choice(records)[0], rng.choice(readers), day.isoformat()))
        first, second = Counter(kinds[row[1]] for row in rows if row[3].startswith(str(year))).most_common(2)
        if first[1] > second[1]:
            return rows, first[0]


def database(museum: Museum) -> None:
    """Donors, records and requests of the archive."""
    rng = museum.rng("database")
    path = museum.folder / "archive" / "archive.db"
    path.parent.mkdir(parents=True)
    donors = []
    for n, name in enumerate(museum.donors, 1):
        since = date(1988, 1, 5) + timedelta(days=rng.randrange(0, 12_500))
        donors.append((n, name, rng.choice(TOWNS), since.isoformat()))
    records: list[Record] = []
    for n in range(rng.randrange(170, 210)):
        kind, day = rng.choice(KINDS), date(2021, 2, 1) + timedelta(days=rng.randrange(0, 1_500))
        title, box = f"{kind.capitalize()} on {rng.choice(SUBJECTS)}", f"B{rng.randrange(11, 70)}"
        digitised = day.isoformat() if rng.random() < 0.6 else None
        given = rng.randrange(1, len(donors) + 1)
        records.append((20_101 + 3 * n, given, kind, title, rng.randrange(1720, 1960), box, digitised))
    year = rng.choice((2023, 2024))
    requests, most = requested(rng, records, [*museum.volunteers, *museum.staff[6:]], year)
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("insert into donors values(?, ?, ?, ?)", donors)
        db.executemany("insert into records values(?, ?, ?, ?, ?, ?, ?)", records)
        db.executemany("insert into requests values(?, ?, ?, ?)", requests)
    counts = Counter(record[1] for record in records)
    donor = rng.choice([donor for donor in donors if counts[donor[0]] >= 5])
    museum.cases["donor-records"] = says(counts[donor[0]])
    museum.cases["kind-requested"] = says(most)
    waiting = sum(record[6] is None for record in records)
    museum.cases["write-not-digitised"] = holds("outgoing/not-digitised.txt", waiting)
    museum.cases["donor-birthday"] = {"abstains": True}
    museum.words |= {"donor": donor[1], "request_year": str(year)}
    museum.words["birthday_donor"] = rng.choice([name for name in museum.donors if name != donor[1]])


def sums(museum: Museum) -> None:
    """Calculations, and this machine."""
    rng = museum.rng("sums")
    while True:
        before = rng.randrange(14_200, 28_900)
        now = before + rng.randrange(310, 5_400)
        percent = Decimal(now - before) * 100 / before
        if abs(percent * 100 % 1 - Decimal("0.5")) > Decimal("0.02"):  # no tie in the second decimal
            break
    museum.cases["visitor-growth"] = says(rounded(percent))
    museum.words |= {"visits_before": str(before), "visits_now": str(now)}
    length, depth, height = rng.randrange(110, 260, 10), rng.randrange(45, 90, 5), rng.randrange(60, 200, 20)
    museum.cases["showcase-litres"] = says(length * depth * height // 1000)  # cubic centimetres: always whole litres
    museum.words |= {"case_length": str(length), "case_depth": str(depth), "case_height": str(height)}
    cores = len(os.sched_getaffinity(0))
    named = [[str(cores)], *([[COUNTS[cores]]] if cores < len(COUNTS) else [])]
    museum.cases["cores"] = {"answer": {"any": named, "none": []}}


def site(museum: Museum) -> None:
    """The pages of the museum."""
    rng, folder = museum.rng("site"), museum.folder
    days = ("Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    free = dict(zip(EVENTS, rng.sample(range(3, 10), len(EVENTS)), strict=True))
    events = []
    for name, day in zip(EVENTS, days, strict=True):
        seats = rng.randrange(20, 32, 2)
        events.append({"event": name, "day": day, "seats": seats, "booked": seats - free[name]})
    write(folder / "site" / "api" / "bookings.json", json.dumps({"week": 26, "events": events}) + "\n")
    event = rng.choice(EVENTS)
    museum.cases["free-places"] = says(free[event])
    museum.words["event"] = event
    number = rng.choice(sorted(museum.exhibits))
    title, case = museum.exhibits[number]
    before = rng.choice([key for key, (_, other) in sorted(museum.exhibits.items()) if other != case])
    month = (
        f"<h2>{title}</h2><p>For June we have chosen this one, inventory number {number}. It was cleaned last "
        "winter, and the friends of the museum have paid for that.</p>"
        "<p>Every Sunday at noon one of us tells what is known of it.</p>"
        f"<p>In May we had: {museum.exhibits[before][0]} ({before}).</p>"
    )
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("visit", "month"))
    page(folder, "index", "The town museum", f"<p>Sea, clocks, kitchens and a school.</p><ul>{links}</ul>")
    visit = (
        "<h2>Opening hours</h2><p>Tuesday to Sunday, 10:00 to 17:00. Last entry at 16:30.</p><h2>How to find us</h2>"
        "<p>Bus 4 stops at the weigh house, from there it is five minutes on foot. There are racks for bicycles in the "
        "yard.</p><h2>Good to know</h2><p>A lift goes to all floors but the attic. The lockers take a coin of 1 euro, "
        "which you get back. Dogs wait outside.</p>"
    )
    page(folder, "visit", "Your visit", visit)
    page(folder, "month", "Exhibit of the month", month)
    museum.cases["month-showcase"] = says(case, none=[museum.exhibits[before][1]])
    museum.cases["parking-fee"] = {"abstains": True}


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    museum = Museum(folder, seed)
    for part in (papers, tables, logbook, database, sums, site):
        part(museum)
    return museum.cases, museum.words


MUSEUM = Suite("town museum", "town-museum", FOLDERS, "./archive/archive.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(MUSEUM))
