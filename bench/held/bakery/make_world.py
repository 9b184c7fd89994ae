"""Make a fresh world for the tasks: `python bench/held/bakery/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up bakery with four branches and a delivery service, and `expect.json` with
the answers, all drawn from the seed; only the kernel is the machine's own. A small server for the pages is started; it
ends by itself (see bench/slm/pages.py). `--check` works every answer out a second time, from the files, and compares.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from again import again, ways
from logs import deliveries as driven
from logs import oven, web
from names import BRANCHES, FIRST, LAST, MONTHS, PRODUCTS
from papers import delivery, notes, ovens, tills
from tables import deliveries, orders, reviews, sales
from world import Cases, Suite, Words, main, merged, money, page, rounded, says, tie, write

FOLDERS = "[./notes, ./config, ./logs, ./data, ./out]"
SCHEMA = """
create table branches(branch_id integer primary key, name text, opened_on text);
create table employees(employee_id integer primary key, name text, role text, branch_id integer, hired_on text);
create table products(product_id integer primary key, name text, category text, price real);
create table customers(customer_id integer primary key, name text, phone text);
create table orders(order_id integer primary key, customer_id integer, branch_id integer, ordered_on text);
create table order_items(item_id integer primary key, order_id integer, product_id integer, quantity integer);
"""
KEPT = ("branches", "employees", "products", "customers", "orders", "order_items")
ROLES = ("baker", "baker", "pastry chef", "sales assistant", "sales assistant", "driver")
Row = tuple[Any, ...]


def employees(rng: random.Random, names: list[str], branches: int) -> list[Row]:
    """The employees in any order; the first one was hired alone on that day, and is not the first in the table."""
    days = sorted(rng.sample(range(4_000), len(names)))
    hired = [date(2013, 4, 2) + timedelta(days=day) for day in days]
    rng.shuffle(hired)
    if hired[0] == min(hired):
        hired.reverse()
    each = zip(names, hired, strict=True)
    return [(n, name, rng.choice(ROLES), rng.randrange(branches) + 1, day) for n, (name, day) in enumerate(each, 1)]


def products(rng: random.Random) -> list[Row]:
    """The products, the price in cents; the average of the breads is not a round one."""
    while True:
        chosen = {kind: rng.sample([*prices], len(prices) - rng.randrange(2)) for kind, prices in PRODUCTS.items()}
        named = [(name, kind, PRODUCTS[kind][name]) for kind, names in chosen.items() for name in names]
        rng.shuffle(named)
        found = [(n, name, kind, about + rng.randrange(-20, 45, 5)) for n, (name, kind, about) in enumerate(named, 1)]
        mean = average(found)
        if not tie(mean) and mean != mean.quantize(Decimal("0.01")):
            return found


def average(found: list[Row]) -> Decimal:
    """The average price of the breads."""
    breads = [price for *_, kind, price in found if kind == "bread"]
    return Decimal(sum(breads)) / len(breads) / 100


def ordered(rng: random.Random, customers: int, branches: int, kinds: int) -> tuple[list[Row], list[Row]]:
    """Orders and what is in them."""
    found: list[Row] = []
    items: list[Row] = []
    day = date(2025, 3, 20)
    for number in range(1, rng.randrange(190, 240)):
        day += timedelta(days=rng.choice((0, 1, 1)))
        found.append((number, rng.randrange(customers) + 1, rng.randrange(branches) + 1, day))
        for product in rng.sample(range(1, kinds + 1), rng.randrange(1, 4)):
            items.append((len(items) + 1, number, product, rng.choice((1, 1, 2, 2, 3, 4, 6, 10))))
    return found, items


def keep(path: Path, tables: list[list[Row]]) -> None:
    """The tables of the database."""
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        for name, rows in zip(KEPT, tables, strict=True):
            kept = [[cell.isoformat() if isinstance(cell, date) else cell for cell in row] for row in rows]
            db.executemany(f"insert into {name} values({', '.join('?' * len(kept[0]))})", kept)


def database(rng: random.Random, folder: Path, branches: list[str], staff: list[str]) -> tuple[Cases, Words, list[Row]]:
    """Branches, employees, products, customers and their orders; returns the products as well."""
    others = [name for name in itertools.product(FIRST, LAST) if " ".join(name) not in staff]
    *buyers, stranger = rng.sample(others, rng.randrange(45, 70))
    goods, month = products(rng), rng.randrange(len(MONTHS))
    while True:
        rows, items = ordered(rng, len(buyers), len(branches), len(goods))
        now = [row[1] for row in rows if row[3].month == month + 4]
        sold, times = Counter[int](), Counter(row[2] for row in items)
        for row in items:
            sold[row[2]] += row[3]
        asked = rng.choice(goods)
        if len({*now}) < len(now) and len({*now}) > 9 and sold[asked[0]] > times[asked[0]] > 4:
            break
    team = employees(rng, staff, len(branches))
    opened = [(n, name, date(2013, 4, 2) + timedelta(days=500 * n)) for n, name in enumerate(branches, 1)]
    phones = rng.sample(range(200_000, 999_999), len(buyers))
    people = [(n, " ".join(name), f"0{phones[n - 1]}") for n, name in enumerate(buyers, 1)]
    priced = [(*row[:3], row[3] / 100) for row in goods]
    keep(folder / "db" / "bakery.db", [opened, team, priced, people, rows, items])
    by_day = sorted(team, key=lambda row: row[-1])
    first = {"contains": [by_day[0][1]], "lacks": [by_day[1][1], by_day[-1][1]]}  # the name, not the whole table
    return {
        "product-quantity": {"answer": {"any": ways(sold[asked[0]])}},
        "month-customers": {"answer": {"any": ways(len({*now}))}},
        "bread-average": says(rounded(average(goods))),
        "first-employee": {"files": {"out/first_employee.txt": first}},
        "customer-phone": {"abstains": True},
    }, {"product": asked[1], "month": MONTHS[month], "stranger": " ".join(stranger)}, goods  # fmt: skip


def sums(rng: random.Random) -> tuple[Cases, Words]:
    """What has its numbers in the task."""
    rolls, each = rng.choice((12, 16, 20, 24, 30)), rng.randrange(46, 68)
    more = rolls * rng.randrange(3, 9) + rng.randrange(1, rolls)
    while True:
        net, vat = rng.randrange(18_000, 42_000, 5), rng.choice((7, 9, 13, 19))
        gross = Decimal(net * (100 + vat)) / 10_000
        if not tie(gross):
            break
    return {"flour": says(each * more), "gross-price": says(rounded(gross))}, {
        "rolls": str(rolls), "grams": str(rolls * each), "more": str(more), "net": money(net), "vat": str(vat),
    }  # fmt: skip


def web_site(rng: random.Random, folder: Path, branches: list[str], staff: list[str], goods: list[Row]) -> Cases:
    """The pages of the bakery, and what its API says; the first branch is the one that is asked about."""
    names = [row[1] for row in goods]
    special, stocked = rng.choice(goods), rng.sample(names, 11)
    left = rng.sample(range(3, 120), len(stocked))
    stock = [{"product": name, "pieces": pieces} for name, pieces in zip(stocked, left, strict=True)]
    listed = list(zip(branches, staff, strict=False))
    rng.shuffle(listed)
    cells = "".join(f"<tr><td>{name}</td><td>{who}</td><td>6:30 to 18:00</td></tr>" for name, who in listed)
    head = "<tr><th>Branch</th><th>Manager</th><th>Open</th></tr>"
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("branches", "specials", "jobs"))
    page(folder, "index", "The Bakery", f"<p>Fresh bread in four branches, and at your door.</p><ul>{links}</ul>")
    page(folder, "branches", "Our branches", f"<table>{head}{cells}</table>")
    told = f"<p>Product of the week: <b>{special[1]}</b></p><p>Only while stocks last, in all four branches.</p>"
    page(folder, "specials", "Specials", told)
    page(folder, "jobs", "Jobs", "<p>We look for a baker and a driver. Send us a letter.</p>")
    write(folder / "site" / "api" / "stock.json", json.dumps({"unit": "pieces", "stock": stock}, indent=1) + "\n")
    lowest = stocked[left.index(min(left))]
    return {
        "branch-manager": says(staff[0], none=staff[1 : len(branches)]),
        "lowest-stock": says(lowest, none=[name for name in stocked if name != lowest]),
        "special-price": says(money(special[3])),
    }


def own(folder: Path) -> Cases:
    """What the files and the machine say of themselves, once all is there."""
    largest = max((folder / "data").iterdir(), key=lambda path: path.stat().st_size)
    return {"largest-file": says(largest.name), "kernel-release": says(os.uname().release)}


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    rng = random.Random(f"bakery {seed}")
    branches = rng.sample(BRANCHES, 4)
    staff = [" ".join(name) for name in rng.sample([*itertools.product(FIRST, LAST)], rng.randrange(22, 34))]
    zone, order = deliveries(rng, folder)
    cases, words, goods = database(rng, folder, branches, staff)
    cases |= driven(rng, folder) | oven(rng, folder) | web(rng, folder)
    cases |= tills(rng, folder) | delivery(rng, folder, zone)
    cases |= sales(rng, folder, branches) | reviews(rng, folder, branches)
    cases |= web_site(rng, folder, branches, staff, goods)
    found = merged(
        (cases, {**words, **order, "branch": branches[0]}),
        notes(rng, folder, branches),
        ovens(rng, folder),
        orders(rng, folder, branches),
        sums(rng),
    )
    return merged(found, (own(folder), {}))


BAKERY = Suite("bakery with four branches", "bakery", FOLDERS, "./db/bakery.db", lay, again, "data")

if __name__ == "__main__":
    sys.exit(main(BAKERY))
