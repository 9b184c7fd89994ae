"""Make a fresh world for the tasks: `python bench/held/toolshed/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up community tool library, and `expect.json` with the answers, all drawn from
the seed. A small server for the pages is started; it ends by itself (see bench/slm/pages.py). `--check` works every
answer out a second time, from the files, and compares.
"""

from __future__ import annotations

import itertools
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
from names import COURSES, FIRST, LAST, MACHINES, STREETS
from papers import logs, notes
from tables import cards, repairs, shifts, tools
from world import Cases, Suite, Words, main, merged, money, page, says

FOLDERS = "[./notes, ./config, ./logs, ./tables, ./out]"
SCHEMA = """
create table members(member_id integer primary key, name text, street text, joined_on text);
create table tools(tool_no integer primary key, name text);
create table loans(loan_id integer primary key, member_id integer, tool_no integer, lent_on text, returned_on text);
create table deposits(deposit_id integer primary key, loan_id integer, amount_eur integer, state text);
"""
VOLUNTEERS = 9
Row = tuple[Any, ...]


def members(rng: random.Random, names: list[str]) -> list[Row]:
    """The members; the one who joined first joined alone on that day, and is neither at the top nor at the end."""
    days = sorted(date(2023, 3, 6) + timedelta(days=rng.randrange(2, 880)) for _ in names)
    days[0] = days[1] - timedelta(days=rng.randrange(1, 3))
    rng.shuffle(days)
    at = days.index(min(days))
    if at in (0, len(days) - 1):
        days[at], days[7] = days[7], days[at]
    return [(n, name, rng.choice(STREETS), day) for n, (name, day) in enumerate(zip(names, days, strict=True), 1)]


def loans(rng: random.Random, count: int, numbers: list[int]) -> list[Row]:
    """What was borrowed, one tool more often than the others; some of it is still away."""
    favourite, day, found = rng.choice(numbers), date(2025, 6, 3), []
    for number in range(5_001, 5_001 + rng.randrange(120, 175)):
        day += timedelta(days=rng.choice((0, 0, 1, 2)))
        tool = favourite if rng.random() < 0.07 else rng.choice(numbers)
        back = None if rng.random() < 0.2 else day + timedelta(days=rng.randrange(1, 15))
        found.append((number, rng.randrange(1, count + 1), tool, day, back))
    return found


def database(rng: random.Random, folder: Path, names: list[str], stock: dict[int, str]) -> tuple[Cases, Words]:
    """Members, tools, loans, deposits."""
    path = folder / "db" / "lending.db"
    path.parent.mkdir(parents=True)
    while True:
        people, lent = members(rng, names), loans(rng, len(names), sorted(stock))
        (most, often), (_, second) = Counter(row[2] for row in lent).most_common(2)
        times = Counter(row[1] for row in lent)
        regular = sorted(who for who, count in times.items() if 3 < count < 9)
        if often > second + 1 and regular:
            break
    asked = rng.choice(regular)
    paid = [(n, row[0], rng.randrange(10, 95, 5), "returned" if row[4] else "held") for n, row in enumerate(lent, 901)]
    ranked = sorted(people, key=lambda row: str(row[3]))
    first = {"contains": [ranked[0][1]], "lacks": [ranked[1][1], ranked[-1][1]]}  # the name, not the whole table
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("insert into members values(?, ?, ?, ?)", [(*row[:3], str(row[3])) for row in people])
        db.executemany("insert into tools values(?, ?)", sorted(stock.items()))
        db.executemany(
            "insert into loans values(?, ?, ?, ?, ?)",
            [(*row[:3], str(row[3]), row[4].isoformat() if row[4] else None) for row in lent],
        )
        db.executemany("insert into deposits values(?, ?, ?, ?)", paid)
    return {
        "open-loans": {"answer": {"any": ways(sum(row[4] is None for row in lent))}},
        "most-borrowed": says(stock[most]),
        "held-deposits": says(sum(row[2] for row in paid if row[3] == "held")),
        "member-loans": {"answer": {"any": ways(times[asked])}},
        "first-member": {"files": {"out/first-member.txt": first}},
    }, {"member": names[asked - 1]}


def sums(rng: random.Random) -> tuple[Cases, Words]:
    """What has its numbers in the task."""
    fee, persons, percent = rng.randrange(21, 48), rng.randrange(3, 7), rng.choice((5, 8, 12, 15))
    boxes, each = rng.randrange(12, 38), rng.choice((120, 150, 200, 250))
    used = rng.randrange(boxes * each // 5, boxes * each * 4 // 5)
    return {
        "membership-fee": says(money(fee * persons * (100 - percent))),
        "screws-left": says(boxes * each - used),
    }, {
        "fee": str(fee), "persons": str(persons), "percent": str(percent),
        "boxes": str(boxes), "each": str(each), "used": str(used),
    }  # fmt: skip


def listed(head: tuple[str, ...], rows: list[Row]) -> str:
    """A table of a page."""
    lines = ["".join(f"<th>{cell}</th>" for cell in head)]
    lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def web(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The pages of the library."""
    free = rng.sample(range(1, 13), len(COURSES))
    dates = [date(2025, 11, 4) + timedelta(days=7 * n) for n in range(len(COURSES))]
    planned = [
        (name, f"{day.day} {day:%B}", rng.randrange(13, 19), free[n])
        for n, (name, day) in enumerate(zip(rng.sample(COURSES, len(COURSES)), dates, strict=True))
    ]
    hired = [
        (name, about + rng.randrange(-300, 500, 50) + 25, rng.randrange(80, 260, 10))
        for name, about in MACHINES.items()
    ]
    course, machine, days = rng.choice(planned), rng.choice(hired), rng.randrange(3, 10)
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("courses", "hire", "contact"))
    page(folder, "index", "Tool Library", f"<p>Borrow it, use it, bring it back.</p><ul>{links}</ul>")
    page(folder, "courses", "Courses", listed(("Course", "Date", "Places", "Places free"), planned))
    machines = [(name, money(cents), deposit) for name, cents, deposit in hired]
    page(folder, "hire", "Large machines for hire", listed(("Machine", "Euros per day", "Deposit in euros"), machines))
    where = f"{rng.randrange(2, 60)} {rng.choice(STREETS)}"
    phone = f"0555 {rng.randrange(100, 1_000)} {rng.randrange(1_000, 10_000)}"
    page(folder, "contact", "Contact", f"<p>Address: {where}</p><p>Phone: {phone}</p><p>desk@toolshed.example</p>")
    return {
        "course-places": {"answer": {"any": ways(course[3])}},
        "hire-total": says(money(machine[1] * days)),
    }, {"course": course[0], "machine": machine[0], "days": str(days)}


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    rng = random.Random(f"toolshed {seed}")
    drawn = [" ".join(name) for name in rng.sample(list(itertools.product(FIRST, LAST)), rng.randrange(60, 85))]
    people, borrowers = drawn[:VOLUNTEERS], drawn[VOLUNTEERS:]
    cases, words, stock = tools(rng, folder)
    return merged(
        (cases, words),
        notes(rng, folder, people),
        logs(rng, folder, cards(rng, folder, borrowers)),
        repairs(rng, folder, sorted(stock), people),
        shifts(rng, folder, people),
        database(rng, folder, borrowers, stock),
        sums(rng),
        web(rng, folder),
    )


TOOLSHED = Suite("community tool library", "tool-library", FOLDERS, "./db/lending.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(TOOLSHED))
