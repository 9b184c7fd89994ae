"""Make a fresh world for the tasks: `python bench/held/theatre/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up municipal theatre, and `expect.json` with the answers, all drawn from the
seed; only the number of processors is the machine's own. A small server for the pages is started; it ends by itself
(see bench/slm/pages.py). `--check` works every answer out a second time, from the files and pages, and compares.
"""

from __future__ import annotations

import itertools
import os
import random
import sqlite3
import sys
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from again import again, ways
from logs import logs
from names import CREW, FIRST, LAST, PLAYS, SERIES, TOWNS
from papers import papers
from tables import costumes, fees, performances, repertoire, rota, takings
from world import Cases, Suite, Words, main, merged, money, page, rounded, says

FOLDERS = "[./notices, ./systems, ./logs, ./tables, ./outbox]"
SCHEMA = """
create table subscribers(subscriber_id integer primary key, first_name text not null, last_name text not null,
  town text, email text);
create table series(series_id integer primary key, name text not null, weekday text, plays integer, price_eur real);
create table subscriptions(subscription_id integer primary key,
  subscriber_id integer not null references subscribers, series_id integer not null references series,
  season text not null, seats integer, status text);
create table payments(payment_id integer primary key,
  subscription_id integer not null references subscriptions, paid_on text, method text, amount_eur real);
"""
SEASONS = ("2023/24", "2024/25", "2025/26")
NOW = SEASONS[-1]


class Subscription(NamedTuple):
    number: int
    person: int
    series: int
    season: str
    seats: int
    status: str


class Payment(NamedTuple):
    subscription: int
    paid_on: date
    method: str
    cents: int


def subscribed(rng: random.Random, count: int) -> list[Subscription]:
    """Who has which series: most keep theirs, some change, a few have two."""
    found = list[Subscription]()
    favourites = {person: rng.randrange(1, len(SERIES) + 1) for person in range(1, count + 1)}
    for season in SEASONS:
        for person, favourite in favourites.items():
            if rng.random() < 0.2:
                continue
            chosen = {favourite if rng.random() < 0.7 else rng.randrange(1, len(SERIES) + 1)}
            if rng.random() < 0.05:
                chosen.add(rng.randrange(1, len(SERIES) + 1))
            for series in sorted(chosen):
                status = "cancelled" if rng.random() < 0.07 else "active"
                number = 4_101 + len(found)
                found.append(Subscription(number, person, series, season, rng.choice((1, 1, 2)), status))
    return found


def paid(rng: random.Random, subscriptions: list[Subscription]) -> list[Payment]:
    """What came in: at once, or in two parts, of which the second one may still be due."""
    prices, found = [price for *_, price in SERIES.values()], []
    for one in subscriptions:
        if one.status == "cancelled" or (one.season == NOW and rng.random() < 0.22):
            continue
        whole = prices[one.series - 1] * one.seats
        parts = [whole] if rng.random() < 0.75 else [whole // 2, whole - whole // 2]
        if one.season == NOW and len(parts) == 2 and rng.random() < 0.5:
            parts.pop()
        day = date(int(one.season[:4]), 6, 10) + timedelta(days=rng.randrange(0, 80))
        for cents in parts:
            found.append(Payment(one.number, day, rng.choice(("transfer", "transfer", "card", "cash")), cents))
            day += timedelta(days=rng.randrange(20, 70))
    return sorted(found, key=lambda payment: payment.paid_on)


def store(path: Path, people: list[tuple[str, str]], taken: list[Subscription], payments: list[Payment]) -> None:
    """The file of the database."""
    rng = random.Random(f"{people}")
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        for n, (first, last) in enumerate(people, 1):
            mail = f"{first}.{last}@example.org".lower() if rng.random() < 0.7 else None
            db.execute("insert into subscribers values(?, ?, ?, ?, ?)", (n, first, last, rng.choice(TOWNS), mail))
        for n, (name, (weekday, plays, price)) in enumerate(SERIES.items(), 1):
            db.execute("insert into series values(?, ?, ?, ?, ?)", (n, name, weekday, plays, price / 100))
        db.executemany("insert into subscriptions values(?, ?, ?, ?, ?, ?)", taken)
        for n, payment in enumerate(payments, 9_001):
            row = n, payment.subscription, payment.paid_on.isoformat(), payment.method, payment.cents / 100
            db.execute("insert into payments values(?, ?, ?, ?, ?)", row)


def database(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """Subscribers, series, subscriptions, payments."""
    people, names = rng.sample(list(itertools.product(FIRST, LAST)), 165), list(SERIES)
    taken = subscribed(rng, len(people))
    payments = paid(rng, taken)
    store(folder / "office" / "subscribers.db", people, taken, payments)
    settled = {payment.subscription for payment in payments}
    unpaid = sum(one.season == NOW and one.status == "active" and one.number not in settled for one in taken)
    changed = []  # who has one series now, and had one other before
    for person in range(1, len(people) + 1):
        own = [one for one in taken if one.person == person]
        now, before = ({one.series for one in own if (one.season == NOW) == late} for late in (True, False))
        if len(now) == 1 and len(before) == 1 and now != before and all(one.status == "active" for one in own):
            changed.append((person, *now, *before))
    person, series, old = rng.choice(changed)
    asked = rng.randrange(1, len(names) + 1)
    about = {one.number for one in taken if one.season == NOW and one.series == asked}
    owner = rng.choice([one for n, one in enumerate(people, 1) if n != person])
    return {
        "subscriber-series": says(names[series - 1], none=(names[old - 1],)),
        "unpaid": says(unpaid),
        "series-revenue": says(money(sum(payment.cents for payment in payments if payment.subscription in about))),
        "phone-number": {"abstains": True},
    }, {"subscriber": " ".join(people[person - 1]), "series": names[asked - 1], "owner": " ".join(owner)}


def sums(rng: random.Random) -> tuple[Cases, Words]:
    """What has its numbers in the task, and what this machine has."""
    big, small = rng.randrange(6, 19), rng.randrange(11, 31)
    watts = big * 1_000 + small * 650
    while True:
        subsidy, spectators = rng.randrange(280_000, 640_000, 500), rng.randrange(21_000, 48_000)
        each = Decimal(subsidy) / spectators
        if abs(each * 100 % 1 - Decimal("0.5")) > Decimal("0.02"):  # no tie in the second decimal
            break
    return {
        "lamp-load": {"answer": {"any": [[f"{watts / 1_000:g}"], [str(watts)]], "none": []}},
        "subsidy": says(rounded(each)),
        "processors": {"answer": {"any": ways(len(os.sched_getaffinity(0)))}},
    }, {"big": str(big), "small": str(small), "subsidy": str(subsidy), "spectators": str(spectators)}


def prices(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The price list: a row for each play, a column for each category."""
    cells, asked, letters = {}, rng.choice(sorted(PLAYS)), "ABCD"
    for title, (_, stage) in PLAYS.items():
        top = rng.randrange(3_200, 5_600, 50) if stage == "main" else rng.randrange(2_400, 3_000, 50)
        cells[title] = [top - step * rng.randrange(450, 700, 50) for step in range(4 if stage == "main" else 2)]
    shown = {title: [money(cents) for cents in row] + ["-"] * (4 - len(row)) for title, row in cells.items()}
    head = "".join(f"<th>{name}</th>" for name in ("Play", *letters))
    body = "".join(
        f"<tr><td>{title}</td>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for title, row in shown.items()
    )
    told = "<p>Euros for one seat, by category. Pupils and students pay half from ten minutes before we start.</p>"
    page(folder, "prices", "Prices", f"{told}<table><tr>{head}</tr>{body}</table><p>The studio has A and B only.</p>")
    column = rng.randrange(len(cells[asked]))
    return {"seat-price": says(money(cells[asked][column]))}, {"play": asked, "category": letters[column]}


def web(rng: random.Random, folder: Path, minutes: dict[str, int]) -> Cases:
    """The other pages."""
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("tonight", "prices", "hire"))
    page(folder, "index", "Municipal Theatre", f"<p>Drama, dance and puppets since 1891.</p><ul>{links}</ul>")
    rents = [(room, rng.randrange(low, 2 * low, 20)) for room, low in (("Main house", 1_600), ("Studio", 420))]
    rents.append(("Upper foyer", rng.randrange(260, 400, 20)))
    rows = "".join(f"<tr><td>{room}</td><td>{euros} euros</td></tr>" for room, euros in rents)
    hire = (
        "<p>On days without a show you can have us for yourself.</p>"
        f"<table><tr><th>Room</th><th>Per day</th></tr>{rows}</table>"
        "<p>A technician is included for the first four hours. Catering is by our bar.</p>"
    )
    page(folder, "hire", "Hire a room", hire)
    today, tomorrow = rng.sample(sorted(PLAYS), 2)
    tonight = (
        f"<h2>{today}</h2><p>By {PLAYS[today][0]}. Doors open half an hour before we start.</p>"
        f"<p>Introduction in the upper foyer at 18:45.</p><h2>Tomorrow</h2><p>{tomorrow}, by {PLAYS[tomorrow][0]}.</p>"
    )
    page(folder, "tonight", "Tonight", tonight)
    return {"tonight-minutes": says(minutes[today], none=(minutes[tomorrow],)), "room-hire": {"abstains": True}}


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks. Each part draws from a generator of its own."""

    def rng(part: str) -> random.Random:
        return random.Random(f"theatre {seed} {part}")

    first = rng("crew").sample(FIRST, len(CREW))
    crew = [" ".join(name) for name in zip(first, rng("crew").sample(CREW, len(CREW)), strict=True)]
    cases = performances(rng("performances"), folder) | fees(rng("fees"), folder)
    cases |= web(rng("web"), folder, repertoire(rng("repertoire"), folder))
    return merged(
        (cases, {}),
        papers(rng("papers"), folder, crew),
        logs(rng("logs"), folder),
        costumes(rng("costumes"), folder),
        rota(rng("rota"), folder, crew),
        takings(rng("bar"), folder),
        database(rng("database"), folder),
        sums(rng("sums")),
        prices(rng("prices"), folder),
    )


THEATRE = Suite("municipal theatre", "municipal-theatre", FOLDERS, "./office/subscribers.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(THEATRE))
