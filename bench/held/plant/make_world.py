"""Make a fresh brewery: `python bench/held/plant/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the papers, logs, tables, database and pages of a made-up brewery, and `expect.json` with the
answers, all drawn from the seed. A small server for the pages is started; it ends by itself (see bench/slm/pages.py).
`--check` works every answer out a second time, from the files and pages, and compares.
"""

from __future__ import annotations

import json
import platform
import random
import sqlite3
import sys
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from again import again
from brewery import Brewery
from journal import journal
from names import BEERS, CUSTOMERS, DESKS, TOURS, TOWNS
from papers import BINDER, SETTINGS
from tables import tables
from world import Cases, Suite, Words, holds, main, money, page, rounded, says, write

FOLDERS = "[./binder, ./settings, ./journal, ./tables, ./outbox]"
SCHEMA = """
create table customers(id integer primary key, name text, town text, terms_days integer);
create table products(sku text primary key, title text, unit_price real);
create table orders(order_no integer primary key, customer_id integer, placed_on text, shipped_on text);
create table order_lines(order_no integer, sku text, qty integer);
"""
Product = tuple[str, str, int]  # its number, its title, cents
Order = tuple[int, int, str, str | None]  # its number, the customer's, the days it was placed and shipped
Line = tuple[int, str, int]  # the order's number, the product's, how many


def binder(plant: Brewery) -> None:
    """Papers and settings."""
    rng = plant.rng("binder")
    vent = rng.randrange(16, 55)
    old, new = rng.sample([n / 10 for n in range(11, 30) if n % 10], 2)
    beers = rng.sample(BEERS, 8)
    weeks = rng.sample(range(14, 46), 8)
    pick = rng.randrange(8)
    rows = [f"| {beer} | {count} |" for beer, count in zip(beers, weeks, strict=True)]
    words: dict[str, object] = {f"p{n}": name for n, name in enumerate(plant.people)}
    words |= {"brewery": plant.name, "vent": vent, "caustic_old": old, "caustic_new": new}
    words["shelf"] = "\n".join(["| beer | weeks |", "|---|---|", *rows])
    for name, text in BINDER.items():
        write(plant.folder / "binder" / name, text.format(**words))
    for name, text in SETTINGS.items():
        write(plant.folder / "settings" / name, text)
    write(plant.folder / "outbox" / "readme.txt", "What the assistant writes for us is put here.\n")
    plant.cases["vent-minutes"] = says(vent)
    plant.cases["caustic-strength"] = says(new, none=[old])
    plant.cases["shelf-life"] = says(weeks[pick])
    plant.words["shelf_beer"] = beers[pick]


def ordered(rng: random.Random, products: list[Product]) -> tuple[list[Order], list[Line], str]:
    """Orders and their lines; also the product that is ordered most, well ahead of the second."""
    pieces = dict.fromkeys((sku for sku, _, _ in products), 0)
    orders: list[Order] = []
    lines: list[Line] = []
    first, day = rng.randrange(7_100, 8_300), date(2025, 1, 7)
    for number in range(first, first + rng.randrange(110, 140)):
        day += timedelta(days=rng.choice((0, 0, 1)))
        shipped = None if rng.random() < 0.17 else (day + timedelta(days=rng.randrange(1, 9))).isoformat()
        orders.append((number, rng.randrange(1, 19), day.isoformat(), shipped))
        for sku, _, _ in rng.sample(products, rng.randrange(2, 5)):
            quantity = rng.randrange(2, 40)
            pieces[sku] += quantity
            lines.append((number, sku, quantity))
    best = max(sorted(pieces), key=lambda sku: pieces[sku])
    extra = next(n for n, (_, sku, _) in enumerate(lines) if sku == best)
    lines[extra] = (*lines[extra][:2], lines[extra][2] + 45)
    return orders, lines, best


def database(plant: Brewery) -> None:
    """Customers, products, orders."""
    rng = plant.rng("database")
    path = plant.folder / "store" / "brewery.db"
    path.parent.mkdir(parents=True)
    names = rng.sample(CUSTOMERS, 18)
    products = []
    for n, beer in enumerate(rng.sample(BEERS, 9), 11):
        size = rng.choice(("0.33 l", "0.5 l", "keg 30 l"))
        products.append((f"{beer[:2].upper()}{n}", f"{beer} {size}", rng.randrange(89, 9_900)))
    orders, lines, best = ordered(rng, products)
    customers = [(n, name, rng.choice(TOWNS), rng.choice((14, 21, 30))) for n, name in enumerate(names, 1)]
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("insert into customers values(?, ?, ?, ?)", customers)
        db.executemany("insert into products values(?, ?, ?)", [(sku, title, c / 100) for sku, title, c in products])
        db.executemany("insert into orders values(?, ?, ?, ?)", orders)
        db.executemany("insert into order_lines values(?, ?, ?)", lines)
    number = rng.choice(orders)[0]
    price = {sku: cents for sku, _, cents in products}
    value = sum(price[sku] * quantity for order, sku, quantity in lines if order == number)
    (beer,) = [beer for beer in BEERS for sku, title, _ in products if sku == best and title.startswith(beer)]
    plant.cases["order-value"] = says(money(value))
    plant.cases["top-product"] = {"answer": {"any": [[beer], [best]], "none": []}}
    plant.cases["write-unshipped"] = holds("outbox/unshipped.txt", sum(order[3] is None for order in orders))
    plant.cases["customer-email"] = {"answer": {"none": ["@"]}}
    plant.words |= {"order_no": str(number), "mail_customer": rng.choice(names)}


def sums(plant: Brewery) -> None:
    """Calculations, and this machine."""
    rng = plant.rng("sums")
    while True:
        brewed = rng.randrange(311, 989)
        filled = brewed - rng.randrange(12, 48)
        percent = Decimal(brewed - filled) * 100 / brewed
        if abs(percent * 100 % 1 - Decimal("0.5")) > Decimal("0.02"):  # no tie in the second decimal
            break
    plant.cases["filling-loss"] = says(rounded(percent))
    cents, crates = rng.choice([c for c in range(41, 139) if c % 10 and c != 100]), rng.randrange(14, 70)
    plant.cases["write-bottle-price"] = holds("outbox/bottle-price.txt", money(cents))
    plant.words |= {"brewed": str(brewed), "filled": str(filled)}
    plant.words |= {"crates": str(crates), "crates_total": money(cents * 20 * crates)}
    names = {"x86_64": ("x86_64", "x86-64", "amd64"), "aarch64": ("aarch64", "arm64")}
    machine = platform.machine()
    plant.cases["architecture"] = {"answer": {"any": [[name] for name in names.get(machine, (machine,))], "none": []}}


def site(plant: Brewery) -> None:
    """The intranet."""
    rng, folder = plant.rng("site"), plant.folder
    prices = dict(zip(TOURS, rng.sample(range(750, 3_900, 50), 4), strict=True))
    starts = dict(zip(TOURS, ("11:00", "18:30", "15:00", "17:00"), strict=True))
    tour = rng.choice(TOURS)
    cells = ((name.capitalize(), starts[name], f"{money(prices[name])} euros") for name in TOURS)
    rows = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in cells)
    head = "<tr><th>Tour</th><th>Start</th><th>Price per person</th></tr>"
    desks = rng.sample(DESKS, 6)
    missing = desks.pop()
    extensions = dict(zip(desks, rng.sample(range(201, 299), 5), strict=True))
    contacts = "".join(f"<dt>{desk.capitalize()}</dt><dd>extension {n}</dd>" for desk, n in extensions.items())
    notice = (
        f"<p>The stock count is on the last Friday of the month.</p><p>Batch {plant.hold} is on hold: the lab has not "
        "released it. Do not fill it.</p><p>Lost: a blue thermos flask, please return it to the gatehouse.</p>"
    )
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("tours", "contacts", "notice"))
    page(folder, "index", f"{plant.name}, intranet", f"<ul>{links}</ul>")
    groups = "<p>Groups of up to 25. Book at the gatehouse.</p>"
    page(folder, "tours", "Guided tours", f"<table>{head}{rows}</table>{groups}")
    page(folder, "contacts", "Contacts", f"<p>From outside, dial 0 first.</p><dl>{contacts}</dl>")
    page(folder, "notice", "Notice board", notice)
    rejects = rng.sample(range(31, 290), 4)
    lines = [{"line": n, "bottles": rng.randrange(11_000, 48_000), "rejects": rejects[n - 1]} for n in range(1, 5)]
    state = {"shift": "early", "day": "2025-03-14", "lines": lines}
    write(folder / "site" / "api" / "lines.json", json.dumps(state) + "\n")
    line = rng.randrange(1, 5)
    plant.cases["tour-price"] = says(money(prices[tour]))
    plant.cases["line-rejects"] = says(rejects[line - 1])
    plant.cases["lab-extension"] = {"answer": {"none": [f"is {number}" for number in extensions.values()]}}
    plant.words |= {"tour": tour, "line": str(line), "missing_desk": missing}


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    plant = Brewery(folder, seed)
    for part in (binder, journal, tables, database, sums, site):
        part(plant)
    return plant.cases, plant.words


PLANT = Suite("brewery", "brewery", FOLDERS, "./store/brewery.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(PLANT))
