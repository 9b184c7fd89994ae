"""The tables of a world, and what is asked about them."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

from again import dates
from names import ARTICLES, PLOTS, SUPPLIERS, VARIETIES
from papers import phone
from world import Cases, Words, money, says, table

HARVEST = ("date", "plot", "variety", "crates", "gross_kg", "net_kg")
SPRAYS = ("copper", "sulphur", "potassium soap", "lime")
FRUIT = ("cherries", "strawberries", "raspberries", "plums")


def harvest(rng: random.Random, folder: Path, year: int) -> Counter[str]:
    """What was picked of each variety of apples, net, in hundredths of a kilogram."""
    day, net, rows = date(year, 8, 25), Counter[str](), []
    for _ in range(rng.randrange(85, 120)):
        day += timedelta(days=rng.choice((0, 1)))
        variety, crates = rng.choice(VARIETIES), rng.randrange(6, 40)
        whole = crates * rng.randrange(1_480, 1_760)
        apples = whole - crates * 165 - rng.randrange(1, 40)
        net[variety] += apples
        rows.append((day, rng.choice(PLOTS), variety, crates, money(whole), money(apples)))
    table(folder / "tables" / f"harvest_{year}.csv", ",", HARVEST, rows)
    return net


def packaging(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The packaging that is in stock, and who delivers it."""
    numbers = rng.sample(range(401, 480), len(SUPPLIERS))
    phones = [phone(rng) for _ in SUPPLIERS]
    articles = rng.sample(ARTICLES, 12)
    few, rows = articles[:3], []
    for place, article in enumerate(articles):
        least = rng.randrange(50, 500, 10)
        stock = least - rng.randrange(2, 45) if article in few else least + rng.randrange(5, 400) * (place > 3)
        supplier = place % len(SUPPLIERS)
        rows.append((article, stock, least, rng.choice(("piece", "pack")), numbers[supplier], supplier))
    rng.shuffle(rows)
    article, *_, supplier = rng.choice(rows)
    table(
        folder / "tables" / "packaging.csv", ";", ("article", "in_stock", "minimum", "unit", "supplier_no"),
        [row[:5] for row in rows],
    )  # fmt: skip
    towns = rng.sample(("Ashby", "Colmouth", "Dray", "Elmstead", "Hartwell", "Penrow", "Wickley"), len(SUPPLIERS))
    firms = list(zip(numbers, SUPPLIERS, towns, phones, strict=True))
    table(folder / "tables" / "suppliers.csv", ";", ("supplier_no", "name", "town", "phone"), sorted(firms))
    short = [row[0] for row in rows if row[0] in few]
    return {
        "below-minimum": says(*short, none=sorted(set(articles) - set(few))),
        "supplier-phone": says(phones[supplier]),
    }, {"article": article}


def spraying(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """When which plot was sprayed, and from when on it may be picked."""
    plot, day, rows = rng.choice(PLOTS), date(2025, 3, 20), []
    while not rows or rows[-1][1] == plot or [row[1] for row in rows].count(plot) < 3:
        day, rows = date(2025, 3, 20), []
        for _ in range(rng.randrange(36, 50)):
            day += timedelta(days=rng.randrange(1, 5))
            until = day + timedelta(days=rng.choice((7, 14, 21, 28)))
            rows.append((day, rng.choice(PLOTS), rng.choice(SPRAYS), rng.randrange(80, 400, 10), until))
    head = ("sprayed_on", "plot", "product", "litres", "harvest_allowed_from")
    table(folder / "tables" / "spraying.csv", ",", head, rows)
    last = max(row[0] for row in rows if row[1] == plot)
    return {"last-spraying": {"answer": {"any": dates(last)}}}, {"plot": plot}


def picking(rng: random.Random, folder: Path, people: list[str]) -> Cases:
    """Who picked how much; the one who has most in total has not the best day."""
    while True:
        day, total, rows = date(2025, 6, 2), Counter[str](), []
        for _ in range(rng.randrange(95, 130)):
            day += timedelta(days=rng.choice((0, 0, 1)))
            name, tenths = rng.choice(people), rng.randrange(180, 980)
            total[name] += tenths
            rows.append((day, name, rng.choice(FRUIT), tenths / 10))
        (best, most), (_, second), *_ = total.most_common()
        if most - second > 200 and max(row[3] for row in rows if row[1] == best) < max(row[3] for row in rows):
            break
    table(folder / "tables" / "picking.tsv", "\t", ("date", "picker", "fruit", "kg"), rows)
    others = [name for name in people if name != best]
    return {"best-picker": {"files": {"out/best-picker.txt": {"contains": [best], "lacks": others}}}}


def apples(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The harvest of two years, of which one is asked about."""
    variety = rng.choice(VARIETIES)
    harvest(rng, folder, 2024)
    net = harvest(rng, folder, 2025)
    while not net[variety] % 10:  # a sum that ends in 0 would be written in more than one way
        net = harvest(rng, folder, 2025)
    return {"harvest-net": says(money(net[variety]))}, {"variety": variety}
