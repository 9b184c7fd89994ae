"""The tables of the ferry line."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from again import ways
from names import ENGINES, HOME, ISLANDS, RANKS, SHIPS, SUPPLIERS, WORKS
from world import Cases, Words, money, rounded, says, table, tie


def sailings(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """What sailed from August to October; the busiest destination is not the one with most sailings."""
    first, last = date(2025, 9, rng.randrange(3, 9)), date(2025, 9, rng.randrange(19, 28))
    while True:
        found, number = [], 4_000
        for n in range(92):
            for _ in range(rng.randrange(2, 4)):
                number += 1
                status = rng.choices(("on time", "delayed", "cancelled"), (12, 4, 3))[0]
                load = (0, 0) if status == "cancelled" else (rng.randrange(20, 210), rng.randrange(3, 45))
                day = date(2025, 8, 1) + timedelta(days=n)
                found.append((number, day, rng.choice(SHIPS), rng.choice(ISLANDS), status, *load))
        carried, often = Counter[str](), Counter(row[3] for row in found)
        for row in found:
            carried[row[3]] += row[5]
        (best, most), (_, second) = carried.most_common(2)
        off = [row[1] for row in found if row[4] == "cancelled"]
        count, month = sum(first <= day <= last for day in off), sum(day.month == 9 for day in off)
        if most - second > 200 and often.most_common(1)[0][0] != best and {first, last} < {*off} and count < month:
            break
    columns = ("sailing_no", "date", "ship", "destination", "status", "passengers", "vehicles")
    table(folder / "tables" / "sailings.csv", ",", columns, found)
    return {
        "cancelled-sailings": {"answer": {"any": ways(count)}},
        "busiest-destination": says(best, none=sorted({*ISLANDS} - {best})),
    }, {"first_day": str(first.day), "last_day": str(last.day)}


def crew(rng: random.Random, folder: Path, names: list[str]) -> tuple[Cases, dict[str, str]]:
    """The crew roster; also returns the captains, by their ships."""
    while True:
        left, found = list(names), []
        for ship in SHIPS:
            for rank, (low, high) in RANKS.items():
                for _ in range(rng.randint(low, high)):
                    port = rng.choice((HOME, *ISLANDS))
                    found.append((left.pop(), rank, ship, port, rng.randrange(1, 31), rng.randrange(0, 9)))
        years = [row[4] for row in found if row[1] == "deckhand"]
        mean, all_ = Decimal(sum(years)) / len(years), Decimal(sum(row[4] for row in found)) / len(found)
        if not tie(mean) and not rounded(mean).endswith("0") and rounded(mean) != rounded(all_):
            break
    rng.shuffle(found)
    columns = ("name", "rank", "ship", "home", "years", "days_off_left")
    table(folder / "tables" / "crew.tsv", "\t", columns, found)
    captains = {row[2]: row[0] for row in found if row[1] == "captain"}
    lacks = sorted(row[0] for row in found if row[1] != "captain")
    return {
        "deckhand-years": says(rounded(mean)),
        "captains": {"files": {"out/captains.txt": {"contains": sorted(captains.values()), "lacks": lacks}}},
    }, captains


def ships(rng: random.Random, folder: Path) -> dict[str, int]:
    """The ships; returns the seats of each."""
    seats = dict(zip(SHIPS, rng.sample(range(110, 360, 2), len(SHIPS)), strict=True))
    found = [
        (ship, rng.randrange(1986, 2022), seats[ship], rng.randrange(12, 60), rng.choice(ENGINES))
        for ship in rng.sample(SHIPS, len(SHIPS))
    ]
    table(folder / "tables" / "ships.csv", ",", ("ship", "built", "seats", "car_spaces", "engine"), found)
    return seats


def fuel(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """What the ships took on, in whole litres; the two that are compared are far apart."""
    while True:
        found, day = [], date(2025, 6, 1)
        for _ in range(rng.randrange(95, 130)):
            day += timedelta(days=rng.choice((0, 1, 1, 2)))
            found.append((day, rng.choice(SHIPS), rng.randrange(640, 2_900), rng.choice(SUPPLIERS)))
        totals = Counter[str]()
        for row in found:
            totals[row[1]] += row[2]
        more, less = rng.sample(SHIPS, 2)
        if totals[more] - totals[less] > 1_200:
            break
    table(folder / "tables" / "fuel.csv", ",", ("date", "ship", "litres", "supplier"), found)
    return {"fuel-difference": says(totals[more] - totals[less])}, {"more": more, "less": less}


def yard(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The jobs of the shipyard, in quarters of an hour, with decimal commas."""
    asked = rng.choice(SHIPS)
    while True:
        found = []
        for number in range(701, 701 + rng.randrange(60, 85)):
            quarters = rng.randrange(3, 70)
            found.append((number, rng.choice(SHIPS), rng.choice(WORKS), quarters * 25, quarters * 1_250 + 1_990))
        hours = [row[3] for row in found if row[1] == asked]
        if 5 < len(hours) < 15 and sum(hours) % 10 and sum(hours) < 100_000:
            break
    listed = [(*row[:3], money(row[3]).replace(".", ","), money(row[4]).replace(".", ",")) for row in found]
    table(folder / "tables" / "yard_jobs.csv", ";", ("job", "ship", "work", "hours", "cost_eur"), listed)
    return {"yard-hours": says(money(sum(hours)))}, {"docked": asked}
