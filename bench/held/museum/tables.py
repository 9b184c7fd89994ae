"""The tables of the museum."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from museum import Museum
from names import BORROWERS, EXHIBITS, ROOMS, SHOP, STORES, TASKS, WEEKDAYS
from world import holds, money, rounded, says, table, tie

MONTHS = {3: "March", 4: "April", 5: "May", 6: "June"}


def exhibits(rng: random.Random, museum: Museum) -> None:
    """What is on show, where, and what it is insured for."""
    shown = [(room, title, of) for room, titles in EXHIBITS.items() for title, of in titles.items()]
    rows, worth = [], dict.fromkeys(ROOMS, 0)
    rng.shuffle(shown)
    for number, (room, title, of) in zip(sorted(rng.sample(range(1011, 3980), 48)), shown, strict=True):
        case = f"C{10 * (ROOMS.index(room) + 1) + rng.randrange(1, 8)}"  # the showcases of a room have one ten
        insured = rng.randrange(180, 24_000, 10)
        worth[room] += insured
        museum.exhibits[f"M-{number}"] = title, case
        acquired = rng.randrange(1904, 2024)
        rows.append((f"M-{number}", title, room, case, of, acquired, insured))
    columns = ("inv_no", "title", "room", "case_no", "material", "acquired", "insured_eur")
    table(museum.folder / "tables" / "exhibits.csv", ",", columns, rows)
    room = rng.choice(ROOMS)
    museum.cases["write-insured"] = holds("outgoing/insured.txt", worth[room])
    museum.words["value_room"] = room


def loans(rng: random.Random, museum: Museum) -> None:
    """What is away; three or four of these should have been back before the day that is asked about."""
    count = rng.randrange(38, 46)
    limit = date(2025, rng.choice(sorted(MONTHS)), 1)
    late, objects = set(rng.sample(range(count), rng.choice((3, 4)))), rng.sample(sorted(museum.exhibits), count)
    number, rows = rng.randrange(310, 640), []
    for n in range(count):
        overdue = n in late or rng.random() < 0.6
        due = limit + timedelta(days=-rng.randrange(1, 240) if overdue else rng.randrange(0, 200))
        left = due - timedelta(days=rng.randrange(80, 300))
        back = (due + timedelta(days=rng.randrange(-20, 12))).isoformat()
        away = n in late or (due >= limit and rng.random() < 0.7)
        dates = (left.isoformat(), due.isoformat(), "" if away else back)
        rows.append((f"L-{number + n}", objects[n], rng.choice(BORROWERS), *dates))
    columns = ("loan_no", "inv_no", "borrower", "left_on", "due_back", "returned")
    table(museum.folder / "tables" / "loans.csv", ";", columns, rows)
    hits = [rows[n][0] for n in sorted(late)]
    museum.cases["late-loans"] = says(*hits, none=[row[0] for row in rows if row[0] not in hits])
    museum.words["due_day"] = f"1 {MONTHS[limit.month]} {limit.year}"


def visitors(rng: random.Random, museum: Museum) -> None:
    """Who came, day by day; on Mondays the museum is closed."""
    while True:
        day, rows = date(2025, 3, 4), []
        children: dict[str, list[int]] = {weekday: [] for weekday in WEEKDAYS[1:]}
        for _ in range(rng.randrange(88, 118)):
            weekday, busy = WEEKDAYS[day.weekday()], 2 if day.weekday() >= 5 else 1
            if day.weekday():
                children[weekday].append(rng.randrange(4, 46) * busy + rng.randrange(2))
                adults, groups = rng.randrange(18, 120) * busy, rng.randrange(0, 5)
                rows.append((day.isoformat(), weekday, adults, children[weekday][-1], groups))
            day += timedelta(days=1)
        weekday = rng.choice(sorted(children))
        mean = Decimal(sum(children[weekday])) / len(children[weekday])
        if not tie(mean):
            break
    table(museum.folder / "tables" / "visitors.tsv", "\t", ("day", "weekday", "adults", "children", "groups"), rows)
    museum.cases["children-average"] = says(rounded(mean))
    museum.words["weekday"] = weekday


def shop(rng: random.Random, museum: Museum) -> None:
    """What the shop sells, no two things at one price."""
    articles = rng.sample(sorted(SHOP), 15)
    while True:
        prices = {article: SHOP[article][1] * rng.randrange(70, 140) // 500 * 5 for article in articles}
        if len(set(prices.values())) == len(prices):
            break
    rows = [
        (rng.randrange(100, 1000) * 100 + n, article, SHOP[article][0], money(prices[article]), rng.randrange(0, 60))
        for n, article in enumerate(articles)
    ]
    table(museum.folder / "tables" / "shop.csv", ";", ("article_no", "article", "shelf", "price_eur", "in_stock"), rows)
    dearest = max(prices, key=lambda article: prices[article])
    museum.cases["priciest-article"] = says(dearest, money(prices[dearest]))


def shifts(rng: random.Random, museum: Museum) -> None:
    """What the volunteers do; they have shifts of half hours, too."""
    halves, rows, day = dict.fromkeys(museum.volunteers, 0), [], date(2025, 4, 1)
    for _ in range(rng.randrange(40, 52)):
        for name in rng.sample(museum.volunteers, 3):
            long = rng.randrange(4, 14)
            halves[name] += long
            rows.append((day.isoformat(), name, rng.choice(TASKS), f"{long / 2:g}"))
        day += timedelta(days=rng.choice((1, 1, 2)))
    table(museum.folder / "tables" / "shifts.csv", ",", ("day", "volunteer", "task", "hours"), rows)
    name = rng.choice(museum.volunteers)
    museum.cases["own-hours"] = says(f"{halves[name] / 2:g}")
    museum.words["volunteer"] = name


def loggers(rng: random.Random, museum: Museum) -> None:
    """The climate loggers, and where they hang."""
    places = rng.sample([*ROOMS, *STORES], 9)
    numbers = sorted(rng.sample(range(11, 60), 9))
    museum.places = {f"CL-{number}": place for number, place in zip(numbers, places, strict=True)}
    rows = []
    for logger, place in museum.places.items():
        bought, height = rng.randrange(2017, 2025), rng.randrange(110, 230, 10)
        rows.append((logger, place, height, rng.choice(("Hygra 2", "Hygra 3", "Klimalog")), bought))
    table(museum.folder / "tables" / "loggers.csv", ",", ("logger", "room", "height_cm", "model", "bought"), rows)


def tables(museum: Museum) -> None:
    """All of them."""
    rng = museum.rng("tables")
    for part in (exhibits, loans, visitors, shop, shifts, loggers):
        part(rng, museum)
