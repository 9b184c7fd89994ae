"""Make a fresh world for the tasks: `python bench/held/choir/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up amateur choir and its concerts, and `expect.json` with the answers, all
drawn from the seed. A small server for the pages is started; it ends by itself (see bench/slm/pages.py). `--check`
works every answer out a second time, from the files, and compares.
"""

from __future__ import annotations

import itertools
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
from names import FIRST, HALLS, LAST, TICKETS, TITLES, VOICES
from papers import config, logs, notes, scores
from tables import attendance, expenses, music
from world import Cases, Suite, Words, main, merged, money, page, rounded, says, tie

FOLDERS = "[./notes, ./config, ./logs, ./tables, ./scores, ./out]"
SCHEMA = """
create table members(member_id integer primary key, name text, voice text, joined_on text);
create table concerts(concert_id integer primary key, title text, held_on text, hall text);
create table tickets(ticket_id integer primary key, concert_id integer, sold_on text, price_eur real);
"""
PAST = 5  # concerts of TITLES, after a shuffle; the others are to come
PRICES = (850, 1_250, 1_450, 1_890)  # cents
Row = tuple[Any, ...]


def members(rng: random.Random, names: list[str]) -> list[Row]:
    """The members; nobody joined on the same day, and no two voices are equally strong."""
    days = rng.sample(range(6_500), len(names))
    while True:
        voices = rng.choices(VOICES, (14, 12, 7, 8), k=len(names))
        if len({*Counter(voices).values()}) == len(VOICES):
            break
    joined = [date(2007, 1, 8) + timedelta(days=day) for day in days]
    return list(zip(range(1, len(names) + 1), names, voices, joined, strict=True))


def tickets(rng: random.Random) -> list[Row]:
    """What was sold, in cents; of no two concerts the same number."""
    sold = rng.sample(range(38, 95), PAST)
    which = [concert for concert, count in enumerate(sold, 1) for _ in range(count)]
    rng.shuffle(which)
    found, day = [], date(2024, 7, 1)
    for number, concert in enumerate(which, 5_001):
        day += timedelta(days=rng.choice((0, 0, 1)))
        found.append((number, concert, day, rng.choice(PRICES)))
    return found


def database(rng: random.Random, folder: Path, names: list[str], titles: list[str]) -> tuple[Cases, Words]:
    """Members, concerts, tickets."""
    path = folder / "db" / "choir.db"
    path.parent.mkdir(parents=True)
    people, sold = members(rng, names), tickets(rng)
    held = [date(2025, 1, 5) + timedelta(days=28 * n + rng.randrange(20)) for n in range(PAST)]
    concerts = [(n, title, day, rng.choice(HALLS)) for n, (title, day) in enumerate(zip(titles, held, strict=True), 1)]
    counts = Counter(row[1] for row in sold)
    best, asked, voice = max(counts, key=lambda which: counts[which]), rng.randrange(PAST), rng.choice(VOICES)
    income = sum(row[3] for row in sold if row[1] == asked + 1)
    first, second = sorted(people, key=lambda row: row[3])[:2]
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("insert into members values(?, ?, ?, ?)", [(*row[:3], row[3].isoformat()) for row in people])
        db.executemany(
            "insert into concerts values(?, ?, ?, ?)", [(*row[:2], row[2].isoformat(), row[3]) for row in concerts]
        )
        db.executemany(
            "insert into tickets values(?, ?, ?, ?)", [(*row[:2], row[2].isoformat(), row[3] / 100) for row in sold]
        )
    return {
        "voice-count": {"answer": {"any": ways(sum(row[2] == voice for row in people))}},
        "concert-income": says(money(income)),
        "most-tickets": says(titles[best - 1], counts[best]),
        "longest-member": {"files": {"out/longest-member.txt": {"contains": [first[1]], "lacks": [second[1]]}}},
    }, {"voice": voice, "past": titles[asked]}


def day_in_words(day: date) -> str:
    """`4 March 2025`."""
    return f"{day.day} {day:%B %Y}"


def sums(rng: random.Random) -> tuple[Cases, Words]:
    """What has its numbers in the task."""
    while True:
        seats, miles = rng.randrange(230, 520), rng.randrange(61, 290)
        sold = rng.randrange(seats // 2, seats - 10)
        share, way = Decimal(sold * 100) / seats, Decimal(miles) * Decimal("1.609")
        if not tie(share) and not tie(way) and not rounded(share).endswith("0") and not rounded(way).endswith("0"):
            break
    first, days = date(2026, 1, 7) + timedelta(days=rng.randrange(40)), rng.randrange(75, 190)
    return {
        "seats-percent": says(rounded(share)),
        "days-between": says(days),
        "miles-km": says(rounded(way)),
    }, {
        "sold": str(sold), "seats": str(seats), "miles": str(miles), "first": day_in_words(first),
        "last": day_in_words(first + timedelta(days=days)),
    }  # fmt: skip


def listed(head: tuple[str, ...], rows: list[Row]) -> str:
    """A table of a page."""
    lines = ["".join(f"<th>{cell}</th>" for cell in head)]
    lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def programme(rng: random.Random, folder: Path, people: list[str], titles: list[str]) -> tuple[Cases, Words]:
    """The concerts to come: a list, and a page for each, whose address does not follow from its title."""
    times = rng.sample(
        [f"{hour}:{minute}" for hour in (16, 17, 18, 19, 20) for minute in ("15", "30", "45")], len(titles)
    )
    addresses = [f"programme-{number}" for number in rng.sample(range(301, 900), len(titles))]
    who = rng.sample(people, 2 * len(titles))
    lines = []
    for n, (title, begins, address) in enumerate(zip(titles, times, addresses, strict=True)):
        day = day_in_words(date(2026, 3, 7) + timedelta(days=21 * n))
        lines.append((f'<a href="/{address}">{title}</a>', day, begins))
        body = f"<p>Soloist: {who[2 * n]}</p><p>Pianist: {who[2 * n + 1]}</p><p>The doors open half an hour before.</p>"
        page(folder, address, title, body)
    page(folder, "concerts", "Our next concerts", listed(("Concert", "Date", "Begins at"), lines))
    asked, linked = rng.sample(range(len(titles)), 2)
    return {
        "concert-begins": says(times[asked], none=[time for time in times if time != times[asked]]),
        "soloist": says(who[2 * linked]),
    }, {"coming": titles[asked], "linked": titles[linked]}


def web(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The other pages: halls and prices."""
    while True:
        seats, rents = rng.sample(range(120, 620), len(HALLS)), rng.sample(range(180, 640, 10), len(HALLS))
        low, high = sorted(rng.sample(range(len(HALLS)), 2), key=lambda n: seats[n])
        more = seats[high] - seats[low]
        if more > 12 and more not in seats + rents:
            break
    prices = dict(zip(TICKETS, rng.sample(range(1_050, 3_900, 50), len(TICKETS)), strict=True))
    asked = rng.choice(TICKETS)
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("concerts", "halls", "tickets"))
    page(folder, "index", "The choir", f"<p>We sing on Tuesdays. New voices are welcome.</p><ul>{links}</ul>")
    page(
        folder,
        "halls",
        "Halls",
        listed(("Hall", "Seats", "Rent in euros"), list(zip(HALLS, seats, rents, strict=True))),
    )
    costs = [(kind, money(cents)) for kind, cents in prices.items()]
    page(folder, "tickets", "Tickets", listed(("Kind", "Price in euros"), costs))
    lacks = [money(cents) for kind, cents in prices.items() if kind != asked]
    return {
        "seats-more": says(more),
        "ticket-price": {"files": {"out/ticket-price.txt": {"contains": [money(prices[asked])], "lacks": lacks}}},
    }, {"large": HALLS[high], "small": HALLS[low], "kind": asked}


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    rng = random.Random(f"choir {seed}")
    names = [" ".join(name) for name in itertools.product(FIRST, LAST)]
    chosen = rng.sample(names, 70)
    singers, guests = chosen[:44], chosen[44:]
    titles = rng.sample(TITLES, len(TITLES))
    return merged(
        notes(rng, folder, singers),
        config(rng, folder),
        logs(rng, folder),
        scores(rng, folder),
        attendance(rng, folder, singers),
        expenses(rng, folder),
        music(rng, folder),
        database(rng, folder, singers, titles[:PAST]),
        sums(rng),
        programme(rng, folder, guests, titles[PAST:]),
        web(rng, folder),
    )


CHOIR = Suite("amateur choir and its concerts", "choir", FOLDERS, "./db/choir.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(CHOIR))
