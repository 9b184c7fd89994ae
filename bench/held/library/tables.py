"""The tables of the library."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from again import ways
from names import ADJECTIVES, BRANCHES, ITEMS, KINDS, NOUNS, SECTIONS, STOPS, WRITERS
from world import Cases, Words, money, rounded, says, table, tie

BOOKS = ("barcode", "title", "author", "section", "branch", "year", "pages")
Row = tuple[Any, ...]


def shelf(rng: random.Random, titles: list[str], first: int) -> list[Row]:
    """Books in any order; no two have as many pages."""
    pages = rng.sample(range(96, 880), len(titles))
    return [
        (f"LB{first + 7 * n}", title, rng.choice(WRITERS), rng.choice(SECTIONS), rng.choice(BRANCHES),
         rng.randrange(1984, 2026), pages[n])
        for n, title in enumerate(titles)
    ]  # fmt: skip


def books(rng: random.Random, folder: Path) -> tuple[Cases, Words, dict[str, str]]:
    """The books, and those that were withdrawn, of which one is the longest of all; also returns titles by barcode."""
    titles = [f"The {adjective} {noun}" for adjective, noun in itertools.product(ADJECTIVES, NOUNS)]
    rng.shuffle(titles)
    count = rng.randrange(110, 140)
    kept, gone = shelf(rng, titles[:count], 40_211), shelf(rng, titles[count : count + 45], 20_118)
    gone[20] = (*gone[20][:-1], rng.randrange(900, 1_200))
    table(folder / "tables" / "books.csv", ",", BOOKS, kept)
    table(folder / "tables" / "books-withdrawn.csv", ",", BOOKS, gone)
    section = rng.choice(SECTIONS)
    writers = {row[2] for row in kept if row[3] == section}
    second, longest = sorted(kept, key=lambda row: int(row[-1]))[-2:]
    state = {"contains": [longest[1]], "lacks": [second[1], gone[20][1]]}
    return (
        {
            "section-authors": {"answer": {"any": ways(len(writers))}},
            "longest-book": {"files": {"out/longest-book.txt": state}},
        },
        {"section": section},
        {row[0]: row[1] for row in kept},
    )


def events(rng: random.Random, folder: Path, heads: dict[str, str]) -> tuple[Cases, Words]:
    """What took place at the branches; the heads are by branch."""
    more, fewer = rng.sample(KINDS, 2)
    branch, other = rng.sample(BRANCHES, 2)
    while True:
        found, day = [], date(2025, 9, 3)
        for number in range(301, 301 + rng.randrange(100, 145)):
            day += timedelta(days=rng.choice((0, 1, 2, 3)))
            found.append((number, day, rng.choice(BRANCHES), rng.choice(KINDS), rng.randrange(6, 75)))
        at, visitors = Counter(row[2] for row in found), Counter[str]()
        for row in found:
            visitors[row[3]] += row[4]
        share = Decimal(100 * at[branch]) / len(found)
        difference = visitors[more] - visitors[fewer]
        if 20 < difference < 900 and not tie(share) and not rounded(share).endswith("0"):
            break
    table(folder / "tables" / "events.csv", ",", ("event_no", "held_on", "branch", "kind", "visitors"), found)
    return {
        "branch-share": says(rounded(share)),
        "visitors-difference": {"answer": {"any": ways(difference)}},
        "head-events": {"answer": {"any": ways(at[other])}},
    }, {"share_branch": branch, "more": more, "fewer": fewer, "head": heads[other]}


def cafe(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """What the café sold, from January to May."""
    asked, month = rng.choice(sorted(ITEMS)), rng.choice((2, 3, 4))
    while True:
        found, day = [], date(2026, 1, 5)
        while day < date(2026, 5, 30):
            for item in sorted(rng.sample(sorted(ITEMS), 2)):
                pieces = rng.randrange(4, 32)
                found.append((day, item, pieces, pieces * ITEMS[item]))
            day += timedelta(days=rng.choice((1, 1, 2)))
        cents = [row[-1] for row in found if row[1] == asked and row[0].month == month]
        if len(cents) > 3 and sum(cents) < 100_000 and sum(cents) % 10:
            break
    columns = ("sold_on", "item", "pieces", "amount_eur")
    table(folder / "tables" / "cafe.tsv", "\t", columns, [(*row[:-1], money(row[-1])) for row in found])
    return {"cafe-month": says(money(sum(cents)))}, {"item": asked, "month": f"{date(2026, month, 1):%B}"}


def stops(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """What was lent at the stops of the bookmobile."""
    asked = rng.choice(STOPS)
    while True:
        found, day = [], date(2026, 1, 6)
        for _ in range(rng.randrange(95, 140)):
            day += timedelta(days=rng.choice((0, 0, 1, 2)))
            found.append((day, rng.choice(STOPS), rng.randrange(5, 60), rng.randrange(4, 60), rng.randrange(3, 30)))
        lent = [row[2] for row in found if row[1] == asked]
        mean = Decimal(sum(lent)) / max(len(lent), 1)
        if len(lent) > 6 and not tie(mean) and not rounded(mean).endswith("0"):
            break
    table(folder / "tables" / "bookmobile.csv", ",", ("day", "stop", "loans", "returns", "visitors"), found)
    return {"stop-average": says(rounded(mean))}, {"average_stop": asked}
