"""Make a fresh world for the tasks: `python bench/held/airfield/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up gliding club's airfield, and `expect.json` with the answers, all drawn
from the seed. A small server for the pages is started; it ends by itself (see bench/slm/pages.py). `--check` works
every answer out a second time, from the files, and compares.
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

from again import again, ways
from names import ABSENT, COURSES, FIRST, LAST, MONTHS, TOWNS
from papers import config, fuel, notes, recordings, tower, weather, winch
from tables import TODAY, aircraft, flying_days, maintenance, roster, tows
from world import Cases, Suite, Words, main, merged, money, page, says, write

FOLDERS = "[./papers, ./config, ./logs, ./tables, ./igc, ./out]"
SCHEMA = """
create table members(member_id integer primary key, name text, kind text, town text, joined_on text);
create table flights(flight_id integer primary key, member_id integer, registration text, flown_on text, launch text,
  minutes integer);
create table dues(due_id integer primary key, member_id integer, year integer, amount_eur real, status text);
"""
CLUB = (
    "Chair", "Treasurer", "Chief instructor", "Technical officer", "Youth officer", "Secretary",
)  # fmt: skip
TEAM = 16
Row = tuple[Any, ...]


def flights(rng: random.Random, members: int, gliders: list[str]) -> list[Row]:
    """The flights of two seasons."""
    found, number = [], 4_001
    for year in (2025, 2026):
        day = date(year, 4, 1)
        while day < date(year, 10, 1):
            day += timedelta(days=rng.choice((1, 1, 1, 2, 3)))
            for _ in range(rng.choice((0, 1, 1, 2, 2, 3))):
                launch = rng.choices(("winch", "aerotow"), (3, 1))[0]
                minutes = rng.randrange(5, 12) if rng.random() < 0.4 else rng.randrange(20, 290)
                found.append((number, rng.randrange(1, members + 1), rng.choice(gliders), day, launch, minutes))
                number += 1
    return found


def leaders(rows: list[Row]) -> list[int]:
    """Those with the most flights, and who comes next: two, unless there are equals."""
    often = Counter(row[1] for row in rows).most_common(2)
    return [who for who, count in often] if often[0][1] > often[1][1] else []


def database(rng: random.Random, folder: Path, names: list[str], gliders: list[str]) -> tuple[Cases, Words]:
    """Members, flights, dues."""
    path = folder / "db" / "airfield.db"
    path.parent.mkdir(parents=True)
    month = rng.randrange(len(MONTHS))
    while True:
        flown = flights(rng, len(names), gliders)
        best = leaders(now := [row for row in flown if row[3].year == 2026])
        longest, second = sorted(flown, key=lambda row: -row[-1])[:2]
        here = [row for row in now if row[3].month == month + 4]
        towed, total = [row for row in here if row[4] == "winch"], Counter(row[1] for row in flown)
        asked = [who for who, count in total.items() if 4 < count < 9]
        if best and leaders(flown)[:1] not in ([], best[:1]) and longest[-1] > second[-1] and asked and len(towed) > 9:
            break
    who = rng.choice(asked)
    people = [
        (n, name, rng.choice(("full", "full", "youth", "friend")), rng.choice(TOWNS), date(2015 + n % 9, 1 + n % 12, 1))
        for n, name in enumerate(names, 1)
    ]
    dues = [
        (2 * n + year - 2024, n, year, 480.0 if kind == "full" else 190.0, rng.choice(("paid", "paid", "paid", "open")))
        for (n, _, kind, *_), year in itertools.product(people, (2025, 2026))
    ]
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("insert into members values(?, ?, ?, ?, ?)", [(*row[:4], row[4].isoformat()) for row in people])
        db.executemany(
            "insert into flights values(?, ?, ?, ?, ?, ?)", [(*row[:3], row[3].isoformat(), *row[4:]) for row in flown]
        )
        db.executemany("insert into dues values(?, ?, ?, ?, ?)", dues)
    most = {"contains": [names[best[0] - 1]], "lacks": [names[best[1] - 1], names[leaders(flown)[0] - 1]]}
    return {
        "longest-flight": says(names[longest[1] - 1], longest[-1]),
        "member-minutes": says(sum(row[-1] for row in flown if row[1] == who)),
        "winch-launches": {"answer": {"any": ways(len(towed))}},
        "most-flights": {"files": {"out/most-flights.txt": most}},
    }, {"member": names[who - 1], "month": MONTHS[month]}


def sums(rng: random.Random) -> tuple[Cases, Words]:
    """What has its numbers in the task."""
    base, step, more = rng.randrange(2_450, 3_900, 50), rng.randrange(310, 480, 10), rng.randrange(3, 10)
    return {"tow-bill": says(money(base + step * more))}, {
        "base": money(base), "step": money(step), "height": str(500 + 100 * more),
    }  # fmt: skip


def listed(head: tuple[str, ...], rows: list[Row]) -> str:
    """A table of a page."""
    lines = ["".join(f"<th>{cell}</th>" for cell in head)]
    lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def web(rng: random.Random, folder: Path, officers: list[str]) -> tuple[Cases, Words]:
    """The pages of the club, and the free places for guests."""
    courses = [(name, about + rng.randrange(-3, 6) * 5, rng.randrange(2, 9)) for name, about in COURSES.items()]
    posts = list(zip(officers, CLUB, strict=True))
    rng.shuffle(posts)
    days = [day for day in flying_days() if day > TODAY]
    slots = [{"date": day.isoformat(), "places": 20, "free": rng.randrange(2, 19)} for day in days]
    asked = rng.choice([n for n, day in enumerate(days) if slots[n]["free"] != day.day and slots[n]["free"] != 12])
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("committee", "courses"))
    page(folder, "index", "Gliding club", f"<p>We fly at weekends. Guests are welcome.</p><ul>{links}</ul>")
    page(folder, "courses", "Courses", listed(("Course", "Euros", "Places"), courses) + "<p>Lunch is included.</p>")
    page(folder, "committee", "Committee", listed(("Name", "Post"), posts))
    write(folder / "site" / "api" / "trial-flights.json", json.dumps({"slots": slots}, indent=1) + "\n")
    return {
        "free-places": {"answer": {"any": ways(int(str(slots[asked]["free"])))}},
        "absent-course": {"abstains": True},
    }, {"guest_day": f"{days[asked].day} December", "absent": rng.choice(ABSENT)}


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    rng = random.Random(f"airfield {seed}")
    firsts, lasts = rng.sample(FIRST, TEAM), rng.sample(LAST, TEAM)
    team = [f"{first} {last}" for first, last in zip(firsts, lasts, strict=True)]
    others = [name for pair in itertools.product(FIRST, LAST) if (name := " ".join(pair)) not in team]
    officers, crew = team[: len(CLUB)], team[2:]
    cases, words, gliders, tugs = aircraft(rng, folder)
    on, asked, duty = roster(rng, folder, crew, officers[CLUB.index("Chief instructor")])
    last = winch(rng, folder, [day for day in duty if day < TODAY])
    led = sum(who[1] == officers[CLUB.index("Chief instructor")] for who in duty.values())
    cases |= weather(rng, folder) | fuel(rng, folder) | recordings(rng, folder)
    cases |= {"break-driver": says(duty[last][0]), "chief-days": {"answer": {"any": ways(led)}}}
    return merged(
        (cases, words),
        (on, asked),
        notes(rng, folder, team),
        config(rng, folder),
        tower(rng, folder, gliders),
        tows(rng, folder, team, tugs),
        maintenance(rng, folder, rng.sample(team, 5), gliders + tugs),
        database(rng, folder, team + rng.sample(others, rng.randrange(22, 35)), gliders),
        sums(rng),
        web(rng, folder, officers),
    )


AIRFIELD = Suite("gliding club's airfield", "airfield", FOLDERS, "./db/airfield.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(AIRFIELD))
