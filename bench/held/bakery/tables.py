"""Tables of a made-up bakery."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from again import ways
from names import DRIVERS, PRODUCTS, ZONES
from world import Cases, Words, holds, money, rounded, says, table, tie

Row = tuple[object, ...]
CHANNELS = ("phone", "web", "shop")
ORDERS = ("order_id", "ordered_on", "branch", "channel", "total_eur", "status")


def ordered(rng: random.Random, branches: list[str], first: date, number: int, count: int) -> list[list[object]]:
    """Orders, the total in cents."""
    found, day = [], first
    for order in range(number, number + count):
        day += timedelta(days=rng.choice((0, 0, 1)))
        channel = rng.choices(CHANNELS, (4, 5, 3))[0]
        status = rng.choices(("delivered", "cancelled", "open"), (14, 3, 2))[0]
        found.append([order, day, rng.choice(branches), channel, rng.randrange(450, 12_000, 5), status])
    return found


def orders(rng: random.Random, folder: Path, branches: list[str]) -> tuple[Cases, Words]:
    """The orders, and a table with a similar name from the year before."""
    limit = rng.randrange(40, 80, 5)
    while True:
        now = ordered(rng, branches, date(2025, 5, 1), 5_001, rng.randrange(180, 260))
        old = ordered(rng, branches, date(2024, 5, 1), 2_001, rng.randrange(150, 260))
        cancelled, before = (sum(row[-1] == "cancelled" for row in rows) for rows in (now, old))
        large = sum(row[3] == "phone" and row[4] > limit * 100 for row in now)
        if cancelled != before and large > 9 and all(row[4] != limit * 100 for row in now):
            break
    for name, rows in (("orders", now), ("orders_2024", old)):
        table(folder / "data" / f"{name}.csv", ",", ORDERS, [[*row[:4], money(row[4]), row[5]] for row in rows])
    return {
        "cancelled-orders": {"answer": {"any": ways(cancelled)}},
        "phone-orders": holds("out/result.txt", large),
    }, {"limit": str(limit)}


def sales(rng: random.Random, folder: Path, branches: list[str]) -> Cases:
    """What the branches sold: the best one has neither the most rows nor the largest amount."""
    while True:
        rows: list[tuple[date, str, str, int]] = []
        shares, day = rng.sample(range(7, 14), len(branches)), date(2025, 6, 1)
        for _ in range(rng.randrange(150, 330)):
            day += timedelta(days=rng.choice((0, 0, 0, 1)))
            name, category = rng.choices(branches, shares)[0], rng.choice([*PRODUCTS])
            rows.append((day, name, category, rng.randrange(4_000, 60_000)))
        totals, times = Counter[str](), Counter(row[1] for row in rows)
        for row in rows:
            totals[row[1]] += row[-1]
        (best, most), (_, next_most) = totals.most_common(2)
        often = times.most_common(1)[0]
        if most > next_most * 1.02 and often[1] > times[best] and max(rows, key=lambda row: row[-1])[1] != best:
            break
    head = ("date", "branch", "category", "revenue_eur")
    table(folder / "data" / "sales.csv", ",", head, [[*row[:3], money(row[3])] for row in rows])
    return {"top-branch": says(best, none=[name for name in branches if name != best])}


def reviews(rng: random.Random, folder: Path, branches: list[str]) -> Cases:
    """What customers think."""
    while True:
        count, day = rng.randrange(110, 190), date(2025, 7, 1)
        stars = rng.choices((1, 2, 3, 4, 5), (1, 2, 4, 8, 9), k=count)
        share = Decimal(stars.count(5) * 100) / count
        if not tie(share) and share != share.quantize(Decimal("0.1")):
            break
    rows: list[Row] = []
    for number, given in enumerate(stars, 1):
        day += timedelta(days=rng.choice((0, 0, 1)))
        rows.append((number, day, rng.choice(branches), given))
    table(folder / "data" / "reviews.tsv", "\t", ("review_id", "date", "branch", "stars"), rows)
    return {"five-stars": says(rounded(share))}


def deliveries(rng: random.Random, folder: Path) -> tuple[str, Words]:
    """What was delivered; returns the zone of the order that is asked for."""
    rows = [
        (order, rng.choice(ZONES), rng.choice(DRIVERS), rng.randrange(8, 60))
        for order in sorted(rng.sample(range(5_001, 5_400), rng.randrange(120, 200)))
    ]
    asked = rng.choice(rows[20:-20])
    table(folder / "data" / "deliveries.tsv", "\t", ("order_id", "zone", "driver", "minutes"), rows)
    return asked[1], {"order": str(asked[0])}
