"""The tables of the theatre."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

from names import BORROWERS, COMPANIES, DRINKS, ERAS, GUESTED, JOBS, PIECES, PLAYS, REMARKS, SEATS, TOWNS
from world import Cases, Words, holds, money, says, table


def spoken(day: date) -> str:
    """A day as people say it: `4 November`."""
    return f"{day.day} {day:%B}"


def costumes(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The costume store: what never left it has no dates, and what is out has no back_on."""
    numbers, asked, found = sorted(rng.sample(range(1_002, 1_900), 128)), rng.choice(BORROWERS), []
    out = set(rng.sample(range(len(numbers)), rng.choice((3, 4))))
    others = [name for name in BORROWERS if name != asked]
    for n, number in enumerate(numbers):
        piece = f"K{number}", rng.choice(PIECES), rng.choice(ERAS), rng.randrange(34, 58, 2), rng.randrange(1, 19)
        lent = date(2025, 3, 1) + timedelta(days=rng.randrange(0, 250))
        back = (lent + timedelta(days=rng.randrange(6, 60))).isoformat()
        if n in out:
            away = asked, lent.isoformat(), ""
        elif rng.random() < 0.45:
            name = rng.choice(BORROWERS)
            away = name, lent.isoformat(), "" if name in others and rng.random() < 0.3 else back
        else:
            away = "", "", ""
        found.append((*piece, *away, rng.choice(REMARKS)))
    columns = ("no", "piece", "era", "size", "rail", "lent_to", "lent_on", "back_on", "remark")
    table(folder / "tables" / "costumes.csv", ";", columns, found)
    hits = [found[n][0] for n in sorted(out)]
    rest = [row[0] for row in found if row[0] not in hits]
    return {"costumes-out": says(*hits, none=rest)}, {"borrower": asked}


def rota(rng: random.Random, folder: Path, crew: list[str]) -> tuple[Cases, Words]:
    """Who works when."""
    found, lights = [], {}
    for day in (date(2025, 10, 20) + timedelta(days=n) for n in range(42)):
        if day.weekday() == 0:
            continue  # dark on Mondays
        people = rng.sample(crew, 7)
        jobs = [*JOBS[: rng.choice((4, 5, 5))], *rng.choices(("stage", "fly floor"), k=rng.randrange(0, 2))]
        for job, who in zip(jobs, people, strict=False):
            found.append((day.isoformat(), job, who, f"{rng.randrange(13, 18)}:{rng.choice(('00', '30'))}"))
        lights[day] = people[0]
    table(folder / "tables" / "rota.csv", ",", ("day", "job", "name", "call"), found)
    asked = rng.choice([day for day in lights if day > date(2025, 11, 18)])
    others = [name for name in crew if name != lights[asked]]
    return {"who-lights": says(lights[asked], none=others)}, {"rota_day": spoken(asked)}


def takings(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """What the bar sold, evening by evening."""
    found, took, day = [], dict[date, int](), date(2025, 10, 24)
    for _ in range(18):
        for drink, cents in DRINKS.items():
            sold = rng.randrange(0, 48)
            if sold:
                took[day] = took.get(day, 0) + sold * cents
                found.append((f"{day:%d.%m.%Y}", drink, sold, money(cents), money(sold * cents)))
        day += timedelta(days=rng.choice((1, 1, 2)))
        day += timedelta(days=not day.weekday())  # dark on Mondays
    table(folder / "tables" / "bar.csv", ";", ("day", "drink", "sold", "price_eur", "takings_eur"), found)
    asked = rng.choice(sorted(took))
    return {"bar-evening": says(money(took[asked]))}, {"bar_day": spoken(asked)}


def performances(rng: random.Random, folder: Path) -> Cases:
    """What has been given this season; two productions may be close, but not equal."""
    plays = rng.sample(sorted(PLAYS), 9)
    while True:
        sums = Counter[str]()
        found, day = list[tuple[object, ...]](), date(2025, 9, 19)
        while day < date(2025, 11, 19):
            if day.weekday():
                title = rng.choice(plays)
                stage = PLAYS[title][1]
                sold = SEATS[stage] * rng.randrange(38, 101) // 100
                sums[title] += sold
                start = "17:00" if day.weekday() == 6 else "20:00" if stage == "studio" else "19:30"
                found.append((2_600 + len(found), day.isoformat(), start, title, stage, SEATS[stage], sold))
            day += timedelta(days=1)
        first, second = sums.most_common(2)
        if first[1] - second[1] > 20:
            break
    columns = ("perf_no", "day", "start", "title", "stage", "seats", "sold")
    table(folder / "tables" / "performances.csv", ",", columns, found)
    return {"best-production": says(first[0])}


def fees(rng: random.Random, folder: Path) -> Cases:
    """What guest companies get."""
    found, owed, invoice, day = [], 0, rng.randrange(140, 400), date(2024, 9, 28)
    for n in range(rng.randrange(38, 47)):
        fee = rng.randrange(900, 6_400, 50)
        paid = day + timedelta(days=rng.randrange(9, 70))
        open_ = rng.random() < (0.06 if n < 30 else 0.5) or n == 36
        owed += fee * open_
        visit = rng.choice(COMPANIES), rng.choice(TOWNS), day.isoformat(), rng.choice(GUESTED), fee
        found.append((*visit, f"G-{invoice}", "" if open_ else paid.isoformat()))
        invoice += rng.randrange(1, 9)
        day += timedelta(days=rng.randrange(5, 14))
    columns = ("company", "from", "day", "piece", "fee_eur", "invoice", "paid_on")
    table(folder / "tables" / "guest-fees.csv", ",", columns, found)
    return {"write-open-fees": holds("outbox/open-fees.txt", owed)}


def repertoire(rng: random.Random, folder: Path) -> dict[str, int]:
    """All plays, and how long each of them takes; no two take the same time."""
    minutes = dict(zip(PLAYS, rng.sample(range(68, 186), len(PLAYS)), strict=True))
    found = []
    for title, (author, stage) in PLAYS.items():
        first = date(2023, 9, 15) + timedelta(days=rng.randrange(0, 780))
        found.append((title, author, stage, first.isoformat(), rng.randrange(3, 14), minutes[title]))
    rng.shuffle(found)
    columns = ("title", "author", "stage", "first_night", "cast", "running_min")
    table(folder / "tables" / "repertoire.csv", ";", columns, found)
    return minutes
