"""The tables of the hotel."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from names import CLEANERS, KINDS, PORTALS, SERVERS, VIEWS, WINES
from world import Cases, Words, holds, money, rounded, says, table, tie


def rates(rng: random.Random, folder: Path, rooms: list[int]) -> tuple[Cases, Words]:
    """The list of the rooms."""
    found, kinds = [], [kind for kind, (count, *_) in KINDS.items() for _ in range(count)]
    rng.shuffle(kinds)
    for room, kind in zip(rooms, kinds, strict=True):
        _, beds, low, high = KINDS[kind]
        size = rng.randrange(13, 22) + 7 * beds
        found.append((room, kind, room // 100, beds, size, rng.choice(VIEWS), rng.randrange(low, high)))
    table(folder / "tables" / "rooms.csv", ",", ("room", "kind", "floor", "beds", "size_m2", "view", "rate_eur"), found)
    asked = rng.choice([row for row in found if row[0] != row[-1]])
    return {"room-rate": says(asked[-1])}, {"rate_room": str(asked[0])}


def restaurant(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """What each of the restaurant's people sold."""
    found, drinks = [], dict.fromkeys(SERVERS, 0)
    for n in range(rng.randrange(42, 56)):
        day = date(2025, 6, 16) + timedelta(days=n)
        for meal, crew in (("lunch", 1), ("dinner", 3)):
            for who in rng.sample(SERVERS, crew):
                covers = rng.randrange(6, 29)
                food, drank = covers * rng.randrange(1_650, 3_100), covers * rng.randrange(480, 1_400)
                drinks[who] += drank
                found.append((day, meal, who, covers, money(food), money(drank)))
    table(
        folder / "tables" / "restaurant.csv", ";", ("day", "meal", "server", "covers", "food_eur", "drinks_eur"), found
    )
    asked = rng.choice([who for who in SERVERS if drinks[who] % 10])  # or a file could have it with one decimal
    return {"drinks-total": holds("tray/drinks.txt", money(drinks[asked]))}, {"server": asked}


def cellar(rng: random.Random, folder: Path) -> tuple[Cases, dict[str, int]]:
    """The wines; also returns how many bottles there are of each."""
    prices = rng.sample(range(24, 140), len(WINES))
    counts = rng.sample(range(7, 90), len(WINES))
    found = [
        (f"{rng.choice('ABCD')}{n:02d}", name, region, rng.randrange(2012, 2024), count, money(price * 100))
        for n, ((name, region), count, price) in enumerate(zip(WINES.items(), counts, prices, strict=True), 1)
    ]
    rng.shuffle(found)
    table(folder / "tables" / "cellar.csv", ",", ("shelf", "wine", "region", "vintage", "bottles", "price_eur"), found)
    best = max(found, key=lambda row: Decimal(row[-1]))
    return {"dearest-wine": says(best[1], best[-1])}, dict(zip(WINES, counts, strict=True))


def cleaning(rng: random.Random, folder: Path, rooms: list[int]) -> tuple[Cases, Words]:
    """What housekeeping did."""
    usual = {"departure": (26, 62), "stayover": (9, 27), "deep clean": (70, 150)}
    found = []
    for n in range(rng.randrange(18, 24)):
        day = date(2025, 7, 14) + timedelta(days=n)
        for room in sorted(rng.sample(rooms, rng.randrange(9, 14))):
            kind = rng.choices(list(usual), (9, 10, 1))[0]
            found.append((day, room, rng.choice(CLEANERS), kind, rng.randrange(*usual[kind])))
    table(folder / "tables" / "housekeeping.tsv", "\t", ("day", "room", "cleaned_by", "kind", "minutes"), found)
    means = {}
    for who in CLEANERS:
        took = [row[4] for row in found if row[2:4] == (who, "departure")]
        if len(took) > 4 and not tie(Decimal(sum(took)) / len(took)):
            means[who] = Decimal(sum(took)) / len(took)
    asked = rng.choice(sorted(means))
    return {"departure-minutes": says(rounded(means[asked]))}, {"cleaner": asked}


def reviews(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """What guests wrote about the house."""
    asked, limit = rng.choice(PORTALS), rng.choice((6, 7, 8))
    while True:
        found, day = [], date(2025, 1, 3)
        for _ in range(rng.randrange(130, 180)):
            day += timedelta(days=rng.choice((0, 1, 1, 2, 3)))
            score = rng.choices(range(3, 11), (2, 3, 4, 6, 8, 10, 9, 6))[0]
            kind = rng.choice(("couple", "family", "alone", "friends"))
            found.append((day, rng.choice(PORTALS), score, rng.randrange(1, 9), kind, rng.choice(("yes", "no"))))
        count = sum(row[1] == asked and row[2] < limit for row in found)
        if count > 4 and count != limit:
            break
    columns = ("written_on", "portal", "score", "nights", "travelled_as", "answered")
    table(folder / "tables" / "reviews.csv", ",", columns, found)
    return {"low-reviews": says(count)}, {"portal": asked, "score": str(limit)}
