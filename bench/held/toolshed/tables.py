"""The tables of the tool library."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from again import ways
from names import BRANDS, FAULTS, TOOLS
from world import Cases, Words, holds, money, rounded, says, table, tie


def tools(rng: random.Random, folder: Path) -> tuple[Cases, Words, dict[int, str]]:
    """What can be borrowed, one of it the heaviest; also returns the names, by their numbers."""
    names = rng.sample(list(itertools.product(BRANDS, TOOLS)), rng.randrange(58, 72))
    found = []
    for number, (brand, kind) in zip(itertools.count(1_001), names, strict=False):
        category, about = TOOLS[kind]
        weight = rng.randrange(about * 8 // 10, about * 12 // 10 + 1)
        weight += weight % 10 == 0
        bought = date(2019, 4, 1) + timedelta(days=rng.randrange(2_200))
        shelf = f"{rng.choice('ABCDEFG')}{rng.randrange(1, 9)}"
        found.append([number, f"{brand} {kind}", category, shelf, weight, bought, rng.randrange(10, 95, 5)])
    best, second = sorted(found, key=lambda row: -int(row[4]))[:2]
    best[4] += 3 if best[4] == second[4] else 0
    best[4] += best[4] % 10 == 0
    categories = Counter(row[2] for row in found)
    asked, category = rng.choice(found), rng.choice(sorted(categories))
    columns = ("tool_no", "name", "category", "shelf", "weight_kg", "bought_on", "deposit_eur")
    rows = [(*row[:4], f"{row[4] / 10:.1f}", *row[5:]) for row in found]
    table(folder / "tables" / "tools.csv", ",", columns, rows)
    return (
        {
            "category-count": {"answer": {"any": ways(categories[category])}},
            "heaviest-tool": says(best[1], f"{best[4] / 10:.1f}"),
            "tool-deposit": says(asked[6]),
        },
        {"category": category, "tool_no": str(asked[0])},
        {row[0]: row[1] for row in found},
    )


def repairs(rng: random.Random, folder: Path, numbers: list[int], people: list[str]) -> tuple[Cases, Words]:
    """What the volunteers repaired."""
    found, day, costs = [], date(2025, 1, 7), dict[str, list[int]]()
    for number in range(301, 301 + rng.randrange(90, 130)):
        day += timedelta(days=rng.choice((0, 1, 2, 4)))
        fault = rng.choice(sorted(FAULTS))
        cents = rng.randrange(FAULTS[fault] * 6 // 10, FAULTS[fault] * 15 // 10)
        costs.setdefault(fault, []).append(cents)
        found.append((number, day, rng.choice(numbers), fault, rng.choice(people), money(cents)))
    means = {fault: Decimal(sum(cents)) / 100 / len(cents) for fault, cents in costs.items()}
    exact = {fault: rounded(mean) for fault, mean in means.items() if not tie(mean)}
    asked = rng.choice(sorted(fault for fault, mean in exact.items() if not mean.endswith("0")))
    columns = ("repair_no", "repaired_on", "tool_no", "fault", "repaired_by", "cost_eur")
    table(folder / "tables" / "repairs.csv", ",", columns, found)
    return {"repair-average": says(exact[asked])}, {"fault": asked}


def shifts(rng: random.Random, folder: Path, people: list[str]) -> tuple[Cases, Words]:
    """Who worked when and for how long, in halves of hours; the total that is asked for is not a whole number."""
    while True:
        found, day = [], date(2025, 4, 1)
        for _ in range(rng.randrange(80, 120)):
            day += timedelta(days=rng.choice((0, 0, 2, 3)))
            found.append((day, rng.choice(people), rng.choice(("desk", "shelves", "repairs")), rng.randrange(3, 10)))
        done, times = Counter[str](), Counter(row[1] for row in found)
        for row in found:
            done[row[1]] += row[3]
        asked = [name for name, halves in done.items() if halves % 2 and times[name] > 4]
        if asked:
            break
    who = rng.choice(sorted(asked))
    columns = ("date", "volunteer", "task", "hours")
    table(folder / "tables" / "shifts.csv", ";", columns, [(*row[:3], f"{row[3] / 2:.1f}") for row in found])
    return {"shift-hours": holds("out/hours.txt", f"{done[who] / 2:.1f}")}, {"volunteer": who}


def cards(rng: random.Random, folder: Path, people: list[str]) -> dict[int, str]:
    """The cards of the members, by their numbers."""
    numbers = rng.sample(range(4_100, 9_900), len(people))
    day = date(2023, 5, 2)
    issued = [
        (number, name, day + timedelta(days=rng.randrange(800))) for number, name in zip(numbers, people, strict=True)
    ]
    table(folder / "tables" / "cards.csv", ",", ("card_no", "member", "issued_on"), sorted(issued))
    return dict(zip(numbers, people, strict=True))
