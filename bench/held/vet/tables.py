"""The tables of the practice."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from again import ways
from names import FORMS, MEDICINES, PETS, SPECIES, SUPPLIERS, VACCINES
from world import Cases, Words, holds, money, rounded, says, table, tie

CENTS = (9, 19, 29, 49, 59, 79, 95, 99)  # no price ends in a zero


def stock(rng: random.Random, folder: Path, discount: int) -> tuple[Cases, Words]:
    """The medicines: the one of the asked group that expires first is not the first of all."""
    supplier, limit = rng.choice(SUPPLIERS), rng.choice((8, 10, 12))
    while True:
        found, days = [], rng.sample(range(700), len(MEDICINES) * len(FORMS))
        for base, (group, about) in MEDICINES.items():
            for form in FORMS:
                price = rng.randrange(about * 7 // 10, about * 15 // 10) // 100 * 100 + rng.choice(CENTS)
                packs = rng.choice([n for n in range(1, 40) if n != limit])
                expires = date(2025, 9, 1) + timedelta(days=days.pop())
                found.append((f"{base} {form}", group, rng.choice(SUPPLIERS), packs, price, expires))
        low = sum(row[2] == supplier and row[3] < limit for row in found)
        left = sum(row[2] == supplier for row in found)
        if 3 <= low < left - 3:
            break
    rng.shuffle(found)
    first = {row[1]: row for row in sorted(found, key=lambda row: row[-1], reverse=True)}  # the earliest is kept
    soonest = min(found, key=lambda row: row[-1])[1]
    group = rng.choice(sorted(first.keys() - {soonest}))
    paid = {row[0]: Decimal(row[4] * (100 - discount)) / 10_000 for row in found}
    asked = rng.choice([n for n, cost in sorted(paid.items()) if not tie(cost) and not rounded(cost).endswith("0")])
    columns = ("medicine", "group", "supplier", "packs", "price_eur", "expires_on")
    table(folder / "tables" / "stock.csv", ",", columns, [(*row[:4], money(row[4]), row[5]) for row in found])
    return {
        "low-stock": {"answer": {"any": ways(low)}},
        "first-expiry": says(first[group][0]),
        "shelter-price": says(rounded(paid[asked])),
    }, {"supplier": supplier, "limit": str(limit), "group": group, "medicine": asked}


def invoices(rng: random.Random, folder: Path, owners: list[str]) -> Cases:
    """The invoices; a total of a thousand and more could be written in several ways."""
    while True:
        found, day = [], date(2025, 4, 1)
        for number in range(25_101, 25_101 + rng.randrange(80, 120)):
            day += timedelta(days=rng.choice((0, 1, 1)))
            status = rng.choices(("paid", "open", "cancelled"), (15, 3, 2))[0]
            amount = rng.randrange(1_800, 9_500) // 100 * 100 + rng.choice(CENTS)
            found.append((number, day, rng.choice(owners), status, amount))
        cents = [row[-1] for row in found if row[3] == "open"]
        if len(cents) > 9 and sum(cents) < 100_000 and sum(cents) % 10:
            break
    columns = ("invoice_no", "issued_on", "owner", "status", "amount_eur")
    table(folder / "tables" / "invoices.csv", ",", columns, [(*row[:-1], money(row[-1])) for row in found])
    return {"open-total": holds("out/open-invoices.txt", money(sum(cents)))}


def vaccinations(rng: random.Random, folder: Path, vets: list[str]) -> tuple[Cases, tuple[str, str]]:
    """What was vaccinated; also returns the vaccine and the batch that are recalled."""
    numbers = rng.sample(range(1_000, 10_000), 3 * len(VACCINES))
    batches = [(name, f"{short}-{numbers.pop()}") for name, short in VACCINES.items() for _ in range(3)]
    while True:
        found, day = [], date(2025, 1, 7)
        for number in range(901, 901 + rng.randrange(110, 170)):
            day += timedelta(days=rng.choice((0, 1, 1, 2)))
            who = rng.choice(PETS), rng.choice(list(SPECIES))
            found.append((number, day, *who, *rng.choice(batches), rng.choice(vets)))
        given = Counter(row[4:6] for row in found)
        if min(given.values()) > 4:
            break
    recalled = rng.choice(batches)
    columns = ("vaccination_no", "given_on", "animal", "species", "vaccine", "batch", "vet")
    table(folder / "tables" / "vaccinations.csv", ",", columns, found)
    return {"recalled-batch": {"answer": {"any": ways(given[recalled])}}}, recalled
