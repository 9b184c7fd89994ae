"""The tables of the print shop."""

from __future__ import annotations

import itertools
import random
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from again import ways
from names import CAUSES, DISTRICTS, GRAMS, MACHINES, PAPERS, PRODUCTS
from world import Cases, Words, holds, money, rounded, says, table, tie


def later(rng: random.Random, day: date, steps: tuple[int, ...]) -> date:
    """The same working day, or a later one, in November at the latest."""
    day += timedelta(days=rng.choice(steps))
    return min(day + timedelta(days=7 - day.weekday() if day.weekday() > 4 else 0), date(2026, 11, 27))


def paper(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The paper in stock; of none there are just as many packs as are asked for."""
    limit, found = rng.choice((8, 10, 12, 15)), list[tuple[str, int, str, int, str]]()
    counts = [n for n in range(60) if n != limit]
    low = rng.sample(counts[:limit], 3)  # so that there are some
    kinds = rng.sample(list(itertools.product(PAPERS, GRAMS)), rng.randrange(36, 48))
    for name, grams in kinds:
        packs = low.pop() if low else rng.choice(counts)
        found.append((name, grams, rng.choice(("A4", "A3", "SRA3")), packs, money(rng.randrange(490, 3_900, 10))))
    rng.shuffle(found)
    table(folder / "tables" / "paper.csv", ",", ("paper", "grams", "size", "packs", "pack_price_eur"), found)
    few = sum(row[3] < limit for row in found)
    return {"paper-low": {"answer": {"any": ways(few)}}}, {"limit": str(limit)}


def machines(rng: random.Random, folder: Path) -> Cases:
    """The machines, and how many pages each has printed; the one with the most pages is neither first nor last."""
    while True:
        counters = rng.sample(range(12_001, 980_000), len(MACHINES))
        top = counters.index(max(counters))
        if top not in (0, len(counters) - 1):
            break
    bought = [date(2018, 1, 8) + timedelta(days=rng.randrange(2_900)) for _ in counters]
    found = [(*pair, day, count) for pair, day, count in zip(MACHINES.items(), bought, counters, strict=True)]
    table(folder / "tables" / "machines.csv", ";", ("machine", "kind", "bought_on", "pages_printed"), found)
    return {"most-pages": says(found[top][0], counters[top])}


def jobs(rng: random.Random, folder: Path, people: list[str]) -> tuple[Cases, Words, dict[int, tuple[str, date]]]:
    """The jobs of November; also returns whose each is and when it came, by its number."""
    while True:
        asked, found, day = rng.choice(sorted(PRODUCTS)), [], date(2026, 11, 2)
        for number in range(4_101, 4_101 + rng.randrange(85, 120)):
            day = later(rng, day, (0, 0, 0, 0, 1))
            product = rng.choice(sorted(PRODUCTS))
            price = rng.randrange(PRODUCTS[product] * 5 // 10, PRODUCTS[product] * 14 // 10)
            found.append((number, day, rng.choice(people), product, rng.randrange(50, 1_500, 50), price))
        cents = [row[-1] for row in found if row[3] == asked]
        if len(cents) > 7 and sum(cents) < 100_000 and sum(cents) % 10:  # a thousand may be written in several ways
            break
    columns = ("job_no", "ordered_on", "customer", "product", "copies", "amount_eur")
    table(folder / "tables" / "jobs.csv", ",", columns, [(*row[:-1], money(row[-1])) for row in found])
    cases = {"product-total": holds("out/product-total.txt", money(sum(cents)))}
    return cases, {"product": asked}, {row[0]: (row[2], row[1]) for row in found}


def complaints(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """What customers complained about at the counter."""
    while True:
        found, day = [], date(2026, 6, 1)
        for number in range(201, 201 + rng.randrange(70, 105)):
            day = later(rng, day, (0, 1, 1, 2))
            status = rng.choices(("settled", "open", "rejected"), (5, 4, 1))[0]
            found.append((number, day, rng.choice(CAUSES), status, rng.randrange(5, 90)))
        asked = rng.choice(CAUSES)
        still, about = [row for row in found if row[3] == "open"], [row for row in found if row[2] == asked]
        both = [row for row in still if row in about]
        if 2 < len(both) < min(len(still), len(about)):
            break
    columns = ("complaint_no", "received_on", "cause", "status", "value_eur")
    table(folder / "tables" / "complaints.csv", ",", columns, found)
    return {"open-complaints": {"answer": {"any": ways(len(both))}}}, {"cause": asked}


def deliveries(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """What was delivered, and how long it took; the mean that is asked for has two decimals."""
    while True:
        found, day = [], date(2026, 8, 3)
        for number in range(901, 901 + rng.randrange(90, 130)):
            day = later(rng, day, (0, 0, 1))
            found.append((number, day, rng.choice(DISTRICTS), rng.randrange(1, 9), rng.randrange(9, 68)))
        means = {}
        for district in DISTRICTS:
            took = [row[4] for row in found if row[2] == district]
            mean = Decimal(sum(took)) / max(len(took), 1)
            if len(took) > 7 and not tie(mean) and not rounded(mean).endswith("0"):
                means[district] = rounded(mean)
        if means:
            break
    asked = rng.choice(sorted(means))
    table(folder / "tables" / "deliveries.csv", ",", ("delivery_no", "day", "district", "parcels", "minutes"), found)
    return {"delivery-average": says(means[asked])}, {"district": asked}
