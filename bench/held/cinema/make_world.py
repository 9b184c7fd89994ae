"""Make a fresh world for the tasks: `python bench/held/cinema/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up small cinema, and `expect.json` with the answers, all drawn from the seed;
only the kernel is the machine's own. A small server for the pages is started; it ends by itself (see
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
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from again import again
from logs import logs
from names import COUNTRIES, FILMS, FIRST, KINDS, LAST, ROOMS, TOWNS
from papers import config, notes
from tables import equipment, feedback, kiosk, maintenance, screenings
from world import Cases, Suite, Words, main, merged, money, page, rounded, says, tie, write

FOLDERS = "[./notes, ./config, ./logs, ./tables, ./out]"
STAFF = 7
TECHNICIANS = 4  # of the staff, the last
PRICES = {"regular": 910, "student": 670, "senior": 740, "patron": 580}  # of a ticket, in cents
SCHEMA = """
create table members(member_id integer primary key, name text, kind text, town text, joined_on text);
create table films(film_id integer primary key, title text, country text, year integer, minutes integer);
create table tickets(ticket_id integer primary key, member_id integer, film_id integer, sold_on text, price_eur real);
"""
Row = tuple[Any, ...]


def members(rng: random.Random, names: list[str]) -> list[Row]:
    """Who is a member, and of which kind."""
    days = sorted(date(2021, 3, 1) + timedelta(days=rng.randrange(1_500)) for _ in names)
    kinds = rng.choices(KINDS, (6, 3, 3, 3), k=len(names))
    return [
        (n, name, kind, rng.choice(TOWNS), day.isoformat())
        for n, (name, kind, day) in enumerate(zip(names, kinds, days, strict=True), 1)
    ]


def tickets(rng: random.Random, people: list[Row]) -> list[Row]:
    """What the members bought, in cents."""
    found, day, likes = [], date(2025, 3, 3), [rng.randrange(4, 14) for _ in FILMS]
    for number in range(5_001, 5_001 + rng.randrange(330, 420)):
        day += timedelta(days=rng.choice((0, 0, 1)))
        who = rng.choice(people)
        film = rng.choices(range(1, len(FILMS) + 1), likes)[0]
        found.append((number, who[0], film, day.isoformat(), PRICES[who[2]] + rng.choice((0, 0, 0, 120))))
    return found


def filled(folder: Path, people: list[Row], films: list[Row], sold: list[Row]) -> None:
    """The database."""
    path = folder / "db" / "cinema.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("insert into members values(?, ?, ?, ?, ?)", people)
        db.executemany("insert into films values(?, ?, ?, ?, ?)", films)
        db.executemany("insert into tickets values(?, ?, ?, ?, ?)", [(*row[:4], row[4] / 100) for row in sold])


def database(rng: random.Random, folder: Path, names: list[str], films: list[Row]) -> tuple[Cases, Words]:
    """Members, films, tickets."""
    town, kind = rng.choice(TOWNS), rng.choice(KINDS[1:3])
    while True:
        people = members(rng, names)
        sold = tickets(rng, people)
        patrons = [row[1] for row in people if row[2:4] == ("patron", town)]
        (best, most), (_, second) = Counter(row[2] for row in sold).most_common(2)
        often = Counter(row[1] for row in sold)
        buyers = [who for who, times in often.items() if 3 < times < 8]
        if 2 < len(patrons) < 6 and most > second + 2 and buyers:
            break
    asked = rng.choice(buyers)
    filled(folder, people, films, sold)
    near = [row[1] for row in people if "patron" in row and town not in row][:2]
    near += [row[1] for row in people if "patron" not in row and town in row][:2]
    return {
        "member-kind": says(sum(row[2] == kind for row in people)),
        "member-spent": says(money(sum(row[-1] for row in sold if row[1] == asked))),
        "popular-film": says(FILMS[best - 1], none=[title for title in FILMS if title != FILMS[best - 1]]),
        "patron-list": {"files": {"out/patrons.txt": {"contains": patrons, "lacks": near}}},
    }, {"kind": kind, "member": names[asked - 1], "town": town}


def sums(rng: random.Random) -> tuple[Cases, Words]:
    """What has its numbers in the task."""
    while True:
        seats, taken = rng.randrange(84, 190), rng.randrange(31, 80)
        share = Decimal(taken) * 100 / seats
        if not tie(share) and share * 10 % 1:
            break
    minutes, pause = rng.randrange(98, 176), rng.choice((10, 12, 15, 20))
    start = rng.choice((18, 19)) * 60 + rng.choice((10, 15, 20, 40, 45))
    hour, minute = divmod(start + minutes + pause, 60)
    ends = [[f"{hour}:{minute:02d}"], [f"{hour - 12}:{minute:02d} pm"], [f"{hour - 12}:{minute:02d} p.m."]]
    return {"occupancy": says(rounded(share)), "film-end": {"answer": {"any": ends}}}, {
        "seats": str(seats), "taken": str(taken), "minutes": str(minutes), "pause": str(pause),
        "start": f"{start // 60}:{start % 60}",
    }  # fmt: skip


def web(rng: random.Random, folder: Path, films: list[Row]) -> tuple[Cases, Words]:
    """The pages of the cinema."""
    opening, closing_film = rng.sample(films, 2)
    tonight = rng.sample(FILMS, len(ROOMS))
    free = rng.sample(range(21, 80), len(ROOMS))
    shows = [
        {"film": film, "room": room, "starts": rng.choice(("18:00", "20:15")), "seats_free": left}
        for film, room, left in zip(tonight, ROOMS, free, strict=True)
    ]
    asked = rng.choice(shows)
    prices = "".join(f"<tr><td>{kind}</td><td>{money(cents)}</td></tr>" for kind, cents in PRICES.items())
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("prices", "festival", "visit"))
    page(folder, "index", "Lantern Cinema", f"<p>Films for the whole valley.</p><ul>{links}</ul>")
    page(folder, "prices", "Tickets", f"<table><tr><th>Kind</th><th>Euros</th></tr>{prices}</table>")
    told = f"<p>It opens on 5 December with <b>{opening[1]}</b> and closes on 9 December with <b>{closing_film[1]}</b>."
    page(folder, "festival", "Winter Festival", told + "</p><p>Passes are sold in the foyer.</p>")
    told = "<p>Trams stop in front of the house. Bicycle lockers are 1.50 euros a day.</p><p>By car, take the car park"
    page(folder, "visit", "How to find us", f"{told} under the market hall; it is open until midnight.</p>")
    write(folder / "site" / "api" / "tonight.json", json.dumps(shows, indent=1) + "\n")
    return {
        "seats-free": says(asked["seats_free"]),
        "festival-opening": says(opening[1], opening[4]),
        "car-park": {"abstains": True},
    }, {"tonight": str(asked["film"])}


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    rng = random.Random(f"cinema {seed}")
    team = list(zip(rng.sample(FIRST, STAFF), rng.sample(LAST, STAFF), strict=True))
    others = [name for name in itertools.product(FIRST, LAST) if name not in team]
    staff, names = ([" ".join(name) for name in who] for who in (team, rng.sample(others, rng.randrange(80, 106))))
    lengths = rng.sample(range(82, 168), len(FILMS))
    films = [
        (n, title, rng.choice(COUNTRIES), rng.randrange(2019, 2026), long)
        for n, (title, long) in enumerate(zip(FILMS, lengths, strict=True), 1)
    ]
    rooms = equipment(rng, folder)
    cases = kiosk(rng, folder) | maintenance(rng, folder, sorted(rooms), staff[-TECHNICIANS:])
    return merged(
        (cases | {"kernel": says(os.uname().release)}, {}),
        notes(rng, folder, staff),
        config(rng, folder),
        logs(rng, folder, rooms, staff),
        screenings(rng, folder),
        feedback(rng, folder),
        database(rng, folder, names, films),
        sums(rng),
        web(rng, folder, films),
    )


CINEMA = Suite("small cinema", "lantern-cinema", FOLDERS, "./db/cinema.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(CINEMA))
