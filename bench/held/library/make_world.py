"""Make a fresh world for the tasks: `python bench/held/library/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up public library with three branches, a bookmobile and a café, and
`expect.json` with the answers, all drawn from the seed. A small server for the pages is started; it ends by itself
(see bench/slm/pages.py). `--check` works every answer out a second time, from the files, and compares.
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
from names import BRANCHES, FIRST, LAST, MEMBERS, ROOMS
from papers import bookmobile, catalogue, config, gates, notes, sorter
from tables import books, cafe, events, stops
from world import Cases, Suite, Words, main, merged, money, page, says, write

FOLDERS = "[./notes, ./config, ./logs, ./tables, ./out]"
SCHEMA = """
create table members(member_id integer primary key, name text, type text, home_branch text, joined_on text);
create table loans(loan_id integer primary key, member_id integer, title text, lent_on text, returned_on text);
create table fines(fine_id integer primary key, member_id integer, issued_on text, amount_eur real, status text);
"""
STAFF = 8
Row = tuple[Any, ...]


def members(rng: random.Random, names: list[str]) -> list[Row]:
    """Who may borrow, in any order; no two joined on the same day."""
    days = rng.sample(range(2_300), len(names))
    return [
        (1_001 + n, name, rng.choice(MEMBERS), rng.choice(BRANCHES), date(2019, 8, 1) + timedelta(days=days[n]))
        for n, name in enumerate(names)
    ]


def loans(rng: random.Random, people: list[Row], titles: list[str]) -> list[Row]:
    """What they borrowed; what is not yet back has no date of return."""
    found, day = [], date(2026, 2, 2)
    for number in range(7_001, 7_001 + rng.randrange(150, 210)):
        day += timedelta(days=rng.choice((0, 0, 1)))
        back = None if rng.random() < 0.2 else (day + timedelta(days=rng.randrange(2, 28))).isoformat()
        found.append((number, rng.choice(people)[0], rng.choice(titles), day.isoformat(), back))
    return found


def fines(rng: random.Random, people: list[Row]) -> list[Row]:
    """What they had to pay, in cents."""
    found, day = [], date(2025, 10, 1)
    for number in range(501, 501 + rng.randrange(120, 160)):
        day += timedelta(days=rng.choice((0, 1, 2)))
        status = rng.choice(("paid", "unpaid"))
        found.append((number, rng.choice(people)[0], day.isoformat(), rng.randrange(105, 1_900, 10), status))
    return found


def debts(charged: list[Row]) -> dict[int, int]:
    """Who owes how much, of those who did not pay two fines or more, and paid another."""
    times = Counter((row[1], row[-1]) for row in charged)
    found = Counter[int]()
    for row in charged:
        if row[-1] == "unpaid" and times[row[1], "unpaid"] > 1 and times[row[1], "paid"]:
            found[row[1]] += row[3]
    return found


def database(rng: random.Random, folder: Path, names: list[str], titles: list[str]) -> tuple[Cases, Words]:
    """Members, loans, fines."""
    *names, stranger = names
    while True:
        people = members(rng, names)
        lent, charged = loans(rng, people, titles), fines(rng, people)
        owed = debts(charged)
        (best, most), (second, fewer) = Counter(row[1] for row in lent).most_common(2)
        students = sorted((row[-1], row[1]) for row in people if row[2] == "student")
        if most > fewer and owed and len(students) > 5 and students[0][0] > min(row[-1] for row in people):
            break
    debtor = rng.choice(sorted(owed))
    path = folder / "db" / "library.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("insert into members values(?, ?, ?, ?, ?)", [(*row[:4], row[4].isoformat()) for row in people])
        db.executemany("insert into loans values(?, ?, ?, ?, ?)", lent)
        db.executemany("insert into fines values(?, ?, ?, ?, ?)", [(*row[:3], row[3] / 100, row[4]) for row in charged])
    who = {row[0]: row[1] for row in people}
    return {
        "open-loans": {"answer": {"any": ways(sum(row[-1] is None for row in lent))}},
        "member-debt": says(money(owed[debtor])),
        "top-reader": {"files": {"out/top-reader.txt": {"contains": [who[best]], "lacks": [who[second]]}}},
        "first-student": says(students[0][1], none=(students[1][1], students[-1][1])),
        "absent-member": {"abstains": True},
    }, {"debtor": who[debtor], "stranger": stranger}


def sums(rng: random.Random) -> tuple[Cases, Words]:
    """What has its numbers in the task."""
    novels, guides, discount = rng.randrange(12, 40), rng.randrange(5, 12), rng.choice((10, 15, 20))
    novel, guide = rng.randrange(900, 1_600, 20), rng.randrange(1_700, 2_800, 20)
    total = (novels * novel + guides * guide) * (100 - discount)
    return {"book-order": says(money(total // 100))}, {
        "novels": str(novels), "novel_price": money(novel), "guides": str(guides), "guide_price": money(guide),
        "discount": str(discount),
    }  # fmt: skip


def web(rng: random.Random, folder: Path, heads: dict[str, str]) -> tuple[Cases, Words]:
    """The pages of the library, and what other programs may ask it."""
    seats = dict(zip(ROOMS, rng.sample(range(12, 120), len(ROOMS)), strict=True))
    rooms = [
        {"room": room, "branch": rng.choice(BRANCHES), "seats": seats[room], "projector": rng.random() < 0.5}
        for room in rng.sample(ROOMS, len(ROOMS))
    ]
    lines = [f"<td>{branch}</td><td>{heads[branch]}</td><td>Monday</td>" for branch in rng.sample(BRANCHES, 3)]
    lines.insert(0, "<th>Branch</th><th>Head of the branch</th><th>Closed on</th>")
    listed = "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"
    links = '<ul><li><a href="/branches">Branches</a></li><li><a href="/api/rooms.json">Rooms</a></li></ul>'
    page(folder, "index", "Public library", f"<p>Three branches, a bookmobile and a café.</p>{links}")
    page(folder, "branches", "Our branches", f"<p>All branches lend and take back books.</p>{listed}")
    write(folder / "site" / "api" / "rooms.json", json.dumps({"rooms": rooms}, indent=1) + "\n")
    asked = rng.choice(ROOMS)
    return {"room-seats": {"answer": {"any": ways(seats[asked])}}}, {"room": asked}


def largest(folder: Path) -> Cases:
    """Which log is the largest file."""
    *others, best = sorted((folder / "logs").iterdir(), key=lambda path: path.stat().st_size)
    return {"largest-log": says(best.name, none=[path.name for path in others])}


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    rng = random.Random(f"library {seed}")
    everybody = [" ".join(name) for name in itertools.product(FIRST, LAST)]
    rng.shuffle(everybody)
    staff, readers = everybody[:STAFF], everybody[STAFF : STAFF + rng.randrange(60, 86)]
    heads = dict(zip(BRANCHES, staff[5:], strict=True))
    cases, words, titles = books(rng, folder)
    cases |= sorter(rng, folder, titles)
    made = merged(
        (cases, words),
        notes(rng, folder, staff[:5]),
        bookmobile(rng, folder, staff[:5]),
        config(rng, folder),
        gates(rng, folder),
        catalogue(rng, folder),
        events(rng, folder, heads),
        cafe(rng, folder),
        stops(rng, folder),
        database(rng, folder, readers, sorted(titles.values())),
        sums(rng),
        web(rng, folder, heads),
    )
    return merged(made, (largest(folder), {}))


LIBRARY = Suite("public library with three branches", "public-library", FOLDERS, "./db/library.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(LIBRARY))
