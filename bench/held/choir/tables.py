"""The tables of a world: attendance, expenses, sheet music."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from again import ways
from names import CATEGORIES, COMPOSERS, KINDS, LANGUAGES, PIECES
from world import Cases, Words, money, rounded, says, table, tie

STATUS = ("present", "late", "absent")


def attendance(rng: random.Random, folder: Path, people: list[str]) -> tuple[Cases, Words]:
    """Who was at which rehearsal."""
    days = [date(2025, 1, 14) + timedelta(days=7 * n) for n in range(6)]
    while True:
        found = [(day, name, rng.choices(STATUS, (14, 3, 5))[0]) for day in days for name in people]
        asked = rng.choice(days)
        counts = Counter(row[2] for row in found if row[0] == asked)
        if len({*counts.values()}) == len(STATUS) and counts["absent"] not in (asked.day, asked.month):
            break
    table(folder / "tables" / "attendance.csv", ",", ("date", "member", "status"), found)
    return {"absent-count": {"answer": {"any": ways(counts["absent"])}}}, {"rehearsal": asked.isoformat()}


def expenses(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """What the choir paid for; the largest amount is there once."""
    asked = rng.choice(list(CATEGORIES))
    while True:
        day, found = date(2025, 1, 7), []
        for amount in rng.sample(range(451, 42_000), rng.randrange(48, 66)):
            day += timedelta(days=rng.randrange(4))
            category = rng.choice(list(CATEGORIES))
            found.append((day, rng.choice(CATEGORIES[category]), category, amount))
        each = [row[3] for row in found if row[2] == asked]
        total = sum(each)
        if len(each) > 4 and total % 10:  # else some write it with one decimal
            break
    most = max(found, key=lambda row: row[3])
    head = ("date", "item", "category", "amount_eur")
    table(folder / "tables" / "expenses.csv", ",", head, [(*row[:3], money(row[3])) for row in found])
    return {
        "biggest-expense": says(most[1], money(most[3])),
        "category-sum": {"files": {"out/category-sum.txt": {"contains": [money(total)]}}},
    }, {"category": asked}


def music(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The library of sheet music."""
    titles = [f"{piece} {kind}" for piece, kind in itertools.product(PIECES, KINDS)]
    asked = rng.choice(LANGUAGES)
    while True:
        found = [
            (title, rng.choice(COMPOSERS), rng.choice(LANGUAGES), rng.randrange(2, 15), rng.randrange(12, 60))
            for title in rng.sample(titles, rng.randrange(36, 45))
        ]
        lengths = [row[3] for row in found if row[2] == asked]
        if len(lengths) < 5:
            continue
        mean = Decimal(sum(lengths)) / len(lengths)
        if not tie(mean) and not rounded(mean).endswith("0"):
            break
    table(folder / "tables" / "sheet_music.csv", ",", ("title", "composer", "language", "minutes", "copies"), found)
    return {"language-average": says(rounded(mean))}, {"language": asked}
