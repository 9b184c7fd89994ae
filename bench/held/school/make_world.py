"""Make a fresh world for the tasks: `python bench/held/school/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up school's office, and `expect.json` with the answers, all drawn from the
seed; only the kernel's release is the machine's own. A small server for the pages is started; it ends by itself (see
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
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from again import again
from names import AUTHORS, CLASSES, CLUBS, DAYS, FIRST, LAST, LINES, STOPS, SUBJECTS, TEACHERS, TITLES
from papers import backup, config, gate, notices, printers, radio
from tables import canteen, lockers, repairs, seats, sports
from world import Cases, Suite, Words, holds, main, merged, money, page, rounded, says, tie, write

FOLDERS = "[./notices, ./config, ./logs, ./tables, ./out]"
SCHEMA = """
create table pupils(pupil_id integer primary key, full_name text, class text, bus_line integer);
create table books(book_id integer primary key, title text, author text, shelf text);
create table loans(loan_id integer primary key, book_id integer, pupil_id integer, lent_on text, due_on text,
  returned_on text);
create table lessons(class text, weekday text, period integer, subject text, teacher text, room integer);
"""
PERIODS = 5
Row = tuple[Any, ...]


def lent(rng: random.Random, pupils: int) -> tuple[list[Row], Counter[int], list[Row]]:
    """Loans; how often each book was lent; and the loans that are the only open one of their book."""
    while True:
        loans, day = [], date(2025, 3, 3)
        for number in range(8_001, 8_001 + rng.randrange(130, 170)):
            day += timedelta(days=rng.choice((0, 1, 1, 2)))
            due, back = day + timedelta(days=21), day + timedelta(days=rng.randrange(2, 30))
            returned = back.isoformat() if rng.random() < 0.82 else None
            book = rng.randrange(1, len(TITLES) + 1)
            loans.append((number, book, rng.randrange(1, pupils + 1), day.isoformat(), due.isoformat(), returned))
        counts = Counter(loan[1] for loan in loans)
        (_, most), (_, second) = counts.most_common(2)
        away = Counter(loan[1] for loan in loans if loan[5] is None)
        only = [loan for loan in loans if loan[5] is None and away[loan[1]] == 1 and counts[loan[1]] > 3]
        if most > second and only:
            return loans, counts, only


def timetable(rng: random.Random, teachers: list[str], rooms: list[int]) -> list[Row]:
    """The lessons of a week: no room and no teacher twice at once."""
    lessons = []
    for day, period in itertools.product(DAYS, range(1, PERIODS + 1)):
        places, people = rng.sample(rooms, len(CLASSES)), rng.sample(teachers, len(CLASSES))
        for name, room, who in zip(CLASSES, places, people, strict=True):
            lessons.append((name, day, period, rng.choice(SUBJECTS), who, room))
    return sorted(lessons, key=lambda lesson: (lesson[0], DAYS.index(lesson[1]), lesson[2]))


def database(
    rng: random.Random, folder: Path, pupils: list[tuple[str, str]], lines: list[int], lessons: list[Row]
) -> tuple[Cases, Words]:
    """Pupils, books, loans, lessons."""
    path = folder / "db" / "school.db"
    path.parent.mkdir(parents=True)
    shares = [rng.randrange(3, 9) for _ in lines]
    on_bus = rng.choices([*lines, None], [*shares, 14], k=len(pupils))
    known = [(n, *pupil, line) for n, (pupil, line) in enumerate(zip(pupils, on_bus, strict=True), 1)]
    books = [
        (n, title, rng.choice(AUTHORS), f"{rng.choice('JKLM')}{rng.randrange(1, 15)}")
        for n, title in enumerate(TITLES, 1)
    ]
    loans, counts, only = lent(rng, len(pupils))
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("insert into pupils values(?, ?, ?, ?)", known)
        db.executemany("insert into books values(?, ?, ?, ?)", books)
        db.executemany("insert into loans values(?, ?, ?, ?, ?, ?)", loans)
        db.executemany("insert into lessons values(?, ?, ?, ?, ?, ?)", lessons)
    book, reader = rng.choice(only)[1:3]
    line = rng.choice([line for line in lines if on_bus.count(line) > 9])
    lesson = rng.choice(lessons)
    ((top, times),) = counts.most_common(1)
    return {
        "book-out": says(pupils[reader - 1][0]),
        "most-borrowed": says(TITLES[top - 1], times),
        "bus-riders": holds("out/riders.txt", on_bus.count(line)),
        "lesson-room": says(lesson[5]),
    }, {
        "title": TITLES[book - 1], "ride_line": str(line), "lesson_class": lesson[0], "lesson_day": lesson[1],
        "lesson_period": str(lesson[2]),
    }  # fmt: skip


def buses(rng: random.Random, folder: Path, lines: list[int]) -> None:
    """When the buses leave."""
    rows = ""
    for line in sorted(lines):
        leaves = f"{rng.choice((13, 14, 15))}:{rng.choice(('05', '10', '20', '35', '50', '55'))}"
        rows += f"<tr><td>{line}</td><td>{rng.choice(STOPS)}</td><td>{leaves}</td></tr>"
    head = "<tr><th>Line</th><th>To</th><th>Leaves school at</th></tr>"
    page(folder, "buses", "Buses in the afternoon", f"<table>{head}{rows}</table><p>On schooldays only.</p>")


def web(rng: random.Random, folder: Path, lines: list[int], have: dict[int, int]) -> tuple[Cases, Words]:
    """The pages of the school."""
    shut, ready = rng.sample(sorted(have), 2)
    asked = rng.choice(CLUBS)
    signed = dict(zip(CLUBS, rng.sample(range(7, 30), len(CLUBS)), strict=True))
    clubs = [
        {"club": name, "weekday": rng.choice(DAYS), "places": 30 + rng.randrange(0, 3) * 5, "signed_up": count}
        for name, count in signed.items()
    ]
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("buses", "closures"))
    closures = (
        f"<p>Room {shut} is closed until further notice: a pipe has burst above it.</p>"
        f"<p>Room {ready} has been painted and can be used again.</p>"
    )
    page(folder, "index", "Eastmere School", f"<p>The office is open from 7:30 to 15:00.</p><ul>{links}</ul>")
    page(folder, "closures", "Closed rooms", closures)
    buses(rng, folder, lines)
    write(folder / "site" / "api" / "clubs.json", json.dumps({"term": "autumn", "clubs": clubs}) + "\n")
    ghost = rng.choice([line for line in LINES if line not in lines])
    return {
        "club-sign-ups": says(signed[asked]),
        "no-such-line": {"abstains": True},
        "closed-room-seats": says(have[shut]),
    }, {"club": asked, "ghost_line": str(ghost)}


def sums(rng: random.Random) -> tuple[Cases, Words]:
    """What has its numbers in the task."""
    while True:
        coach, entry, pupils = rng.randrange(38_000, 99_000, 50), rng.randrange(450, 1_450, 10), rng.randrange(23, 58)
        ill, roll = rng.randrange(61, 190), rng.randrange(612, 890)
        each = Decimal(coach) / 100 / pupils + Decimal(entry) / 100
        share = Decimal(ill) * 100 / roll
        if not tie(each) and not tie(share) and coach % pupils:
            break
    return {"trip-price": says(rounded(each)), "sick-percent": says(rounded(share))}, {
        "coach": money(coach), "entry": money(entry), "trip_pupils": str(pupils), "ill": str(ill), "roll": str(roll),
    }  # fmt: skip


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    rng = random.Random(f"school {seed}")
    teachers = rng.sample(TEACHERS, 12)
    lines = rng.sample(LINES, 6)
    rooms = rng.sample([floor * 100 + n for floor in (1, 2, 3) for n in range(1, 25)], 28)
    names = [f"{first} {last}" for first, last in rng.sample(list(itertools.product(FIRST, LAST)), 180)]
    pupils = [(name, rng.choice(CLASSES)) for name in names]
    parts = [
        notices(rng, folder, teachers, rooms),
        backup(rng, folder),
        canteen(rng, folder),
        sports(rng, folder, pupils),
        repairs(rng, folder, rooms),
        lockers(rng, folder, pupils),
        database(rng, folder, pupils, lines, timetable(rng, teachers, rooms)),
        web(rng, folder, lines, seats(rng, folder, rooms)),
        sums(rng),
    ]
    cases = config(rng, folder) | gate(rng, folder) | radio(rng, folder, lines) | printers(rng, folder)
    cases |= {"kernel": says(platform.release())}
    return merged((cases, {}), *parts)


SCHOOL = Suite("school office", "school-office", FOLDERS, "./db/school.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(SCHOOL))
