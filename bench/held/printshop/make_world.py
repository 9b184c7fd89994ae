"""Make a fresh world for the tasks: `python bench/held/printshop/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up copy and print shop, and `expect.json` with the answers, all drawn
from the seed. A small server for the pages is started; it ends by itself (see bench/slm/pages.py). `--check` works
every answer out a second time, from the files, and compares.
"""

from __future__ import annotations

import itertools
import json
import random
import sqlite3
import sys
from collections import defaultdict
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from again import again
from names import ABSENT, DISTRICTS, FIRST, LAST, MACHINES, PRODUCTS, STRANGERS
from papers import config, copier, letters, notes, queue, van
from tables import complaints, deliveries, jobs, machines, paper
from world import Cases, Suite, Words, main, merged, money, page, says, write

FOLDERS = "[./notes, ./letters, ./config, ./logs, ./tables, ./out]"
SCHEMA = """
create table customers(customer_id integer primary key, name text, district text);
create table orders(order_id integer primary key, customer_id integer, ordered_on text, product text, copies integer);
create table invoices(invoice_id integer primary key, order_id integer, issued_on text, amount_eur real, status text);
"""
ROLES = ("Owner", "Paper and stock", "Counter", "Counter", "Design", "Van driver")
Row = tuple[Any, ...]


def orders(rng: random.Random, count: int) -> list[Row]:
    """What customers ordered on account; one order has more copies than all others."""
    found, day = [], date(2026, 3, 2)
    for number in range(701, 701 + rng.randrange(130, 170)):
        day += timedelta(days=rng.choice((0, 1, 2, 2)))
        ordered = min(day, date(2026, 11, 20))
        copies = rng.randrange(50, 4_000, 50)
        found.append((number, rng.randrange(1, count + 1), ordered, rng.choice(sorted(PRODUCTS)), copies))
    largest = rng.randrange(20, len(found) - 20)
    found[largest] = (*found[largest][:-1], rng.randrange(4_100, 6_000, 50))
    return found


def invoices(rng: random.Random, ordered: list[Row]) -> list[Row]:
    """An invoice for each order, in cents."""
    return [
        (
            number,
            row[0],
            row[2] + timedelta(days=rng.randrange(1, 7)),
            rng.randrange(1_900, 26_000),
            rng.choices(("paid", "unpaid", "cancelled"), (6, 4, 1))[0],
        )
        for number, row in enumerate(ordered, 20_260)
    ]


def database(rng: random.Random, folder: Path, names: list[str]) -> tuple[Cases, Words]:
    """Customers, orders, invoices; of the customer who is asked for some are paid, and several are not."""
    while True:
        ordered = orders(rng, len(names))
        billed = invoices(rng, ordered)
        whose, owed, settled = {row[0]: row[1] for row in ordered}, defaultdict[int, list[int]](list), set[int]()
        for _, order, _, cents, status in billed:
            if status == "unpaid":
                owed[whose[order]].append(cents)
            else:
                settled.add(whose[order])
        owed_by = {who: cents for who, cents in owed.items() if sum(cents) < 100_000 and sum(cents) % 10}
        debtors = [who for who, cents in owed_by.items() if len(cents) > 1 and who in settled]
        ranks = [row[1] for row in sorted(ordered, key=lambda row: -int(row[-1]))]
        if debtors and ranks[0] != ranks[1]:
            break
    asked, people = rng.choice(debtors), [(n, name, rng.choice(DISTRICTS)) for n, name in enumerate(names, 1)]
    path = folder / "db" / "shop.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("insert into customers values(?, ?, ?)", people)
        db.executemany(
            "insert into orders values(?, ?, ?, ?, ?)", [(*row[:2], row[2].isoformat(), *row[3:]) for row in ordered]
        )
        db.executemany(
            "insert into invoices values(?, ?, ?, ?, ?)",
            [(*row[:2], row[2].isoformat(), row[3] / 100, row[4]) for row in billed],
        )
    largest = {"contains": [names[ranks[0] - 1]], "lacks": [names[ranks[1] - 1]]}  # the name, not a whole table
    stranger = rng.choice(STRANGERS)
    return {
        "unpaid-invoices": says(sum(map(len, owed.values()))),
        "customer-owes": says(money(sum(owed[asked]))),
        "largest-order": {"files": {"out/largest-order.txt": largest}},
        "absent-customer": {"abstains": True},
    }, {"customer": names[asked - 1], "stranger": stranger}


def sums(rng: random.Random) -> tuple[Cases, Words]:
    """What has its numbers in the task."""
    flyers, each, percent, setup = (
        rng.randrange(300, 2_500, 100),
        rng.randrange(7, 24),
        rng.randrange(3, 18),
        rng.randrange(15, 35),
    )
    pages, copies, spare = rng.randrange(12, 61, 4), rng.randrange(35, 180), rng.randrange(11, 60)
    return {
        "flyer-total": says(money(flyers * each * (100 - percent) // 100 + setup * 100)),
        "booklet-sheets": says(pages // 4 * copies + spare),
    }, {
        "flyers": str(flyers), "each": str(each), "percent": str(percent), "setup": str(setup),
        "pages": str(pages), "copies": str(copies), "spare": str(spare),
    }  # fmt: skip


def listed(head: tuple[str, ...], lines: list[Row]) -> str:
    """A table of a page."""
    cells = ["".join(f"<th>{cell}</th>" for cell in head)]
    cells += ["".join(f"<td>{cell}</td>" for cell in line) for line in lines]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in cells) + "</table>"


def web(rng: random.Random, folder: Path, team: list[str]) -> tuple[Cases, Words]:
    """The pages of the shop."""
    posters = {size: rng.randrange(low, low * 3 // 2) for size, low in
               {"A3": 390, "A2": 890, "A1": 1_690, "A0": 2_890}.items()}  # fmt: skip
    others = {"Copy A4, black": 10, "Copy A4, colour": 55, "Binding of a thesis": 1_850, "Laminating A4": 220}
    prices = [(f"Poster {size}", money(cents)) for size, cents in posters.items()]
    prices += [(name, money(about + rng.randrange(0, about // 2 + 1))) for name, about in others.items()]
    numbers = rng.sample(range(25, 900), len(MACHINES))
    waits = [{"machine": name, "jobs": rng.randrange(1, 24), "pages": n}
             for name, n in zip(MACHINES, numbers, strict=True)]  # fmt: skip
    wait, absent = rng.choice(waits), rng.choice(ABSENT)
    size, count = rng.choice(sorted(posters)), rng.randrange(6, 28)
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("prices", "hours", "team"))
    page(folder, "index", "Copy and Print", f"<p>Your print shop at the market place.</p><ul>{links}</ul>")
    page(folder, "prices", "Price list", listed(("What", "Euros each"), prices) + "<p>All prices include VAT.</p>")
    page(folder, "hours", "Opening hours", "<p>Monday to Friday 8:30 to 18:30, Saturday 9:00 to 13:00.</p>")
    page(folder, "team", "Who we are", listed(("Name", "Job"), list(zip(team, ROLES, strict=True))))
    write(folder / "site" / "api" / "queue.json", json.dumps({"updated": "2026-12-01T09:00", "waiting": waits}) + "\n")
    return {
        "poster-price": says(money(posters[size] * count)),
        "waiting-pages": says(wait["pages"]),
        "absent-service": {"abstains": True},
    }, {"kind": MACHINES[str(wait["machine"])], "size": size, "posters": str(count), "absent": absent}


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    rng = random.Random(f"printshop {seed}")
    whole = list(itertools.product(FIRST, LAST))
    senders = list(zip(rng.sample(FIRST, 16), rng.sample(LAST, 16), strict=True))[: rng.randrange(11, 17)]
    drawn = rng.sample([name for name in whole if name not in senders], len(ROLES) + rng.randrange(38, 50))
    people = [" ".join(name) for name in drawn]
    team, buyers = people[: len(ROLES)], people[len(ROLES) :]
    cases, words, whose = jobs(rng, folder, buyers)
    cases |= config(rng, folder) | queue(rng, folder, whose) | van(rng, folder) | machines(rng, folder)
    return merged(
        (cases, words),
        notes(rng, folder, team),
        letters(rng, folder, senders),
        copier(rng, folder),
        paper(rng, folder),
        complaints(rng, folder),
        deliveries(rng, folder),
        database(rng, folder, buyers),
        sums(rng),
        web(rng, folder, team),
    )


PRINTSHOP = Suite("copy and print shop", "print-shop", FOLDERS, "./db/shop.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(PRINTSHOP))
