"""Make a fresh world for the tasks: `python bench/held/pottery/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up pottery with a shop, and `expect.json` with the answers, all drawn from
the seed. A small server for the pages is started; it ends by itself (see bench/slm/pages.py). `--check` works every
answer out a second time, from the files, and compares.
"""

from __future__ import annotations

import itertools
import json
import random
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from again import again, dates, ways
from names import FIRST, GLAZES, LAST, TOWNS
from papers import config, firings, kiln, notes, shop, visitors
from tables import database, drying, orders, stock
from world import Cases, Suite, Words, main, merged, money, page, says, write

FOLDERS = "[./notes, ./config, ./logs, ./tables, ./out]"
TEAM = 7
POTTERS = 5  # of the team, the first
Row = tuple[Any, ...]


def sums(rng: random.Random) -> tuple[Cases, Words]:
    """What has its numbers in the task."""
    kwh, cents, firings = rng.randrange(41, 89), rng.randrange(23, 39), rng.randrange(6, 19)
    width, percent = rng.randrange(183, 338, 2) + 1, rng.choice((7, 9, 11, 12, 13))
    return {
        "firing-cost": says(money(kwh * cents * firings)),
        "shrinkage": says(money(width * (100 - percent))),
    }, {
        "kwh": str(kwh), "cents": str(cents), "firings": str(firings), "width": str(width), "percent": str(percent),
    }  # fmt: skip


def listed(head: tuple[str, ...], rows: list[Row]) -> str:
    """A table of a page."""
    lines = ["".join(f"<th>{cell}</th>" for cell in head)]
    lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def markets(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The page of the markets: each town once, each on a day of two digits of its own."""
    days = [day for n in range(180) if (day := date(2025, 5, 1) + timedelta(days=n)).day > 9]
    towns = rng.sample(TOWNS, 7)
    when = dict(zip(towns, sorted(rng.sample(days, len(towns))), strict=True))
    rows = [(town, f"{day.day} {day:%B %Y}", rng.randrange(1, 9)) for town, day in when.items()]
    page(folder, "markets", "Pottery markets", listed(("Town", "Date", "Stall in row"), rows))
    asked = rng.choice(towns[1:-1])
    none = [f"{day.day} {day:%B}" for town, day in when.items() if town != asked]
    return {"market-date": {"answer": {"any": dates(when[asked]), "none": none}}}, {"town": asked}


def web(rng: random.Random, folder: Path, products: list[str], month: str) -> tuple[Cases, Words]:
    """The pages of the shop; `month` is the glaze of the month."""
    before = rng.choice([glaze for glaze in GLAZES if glaze != month])
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("hours", "markets", "news"))
    page(folder, "index", "The Pottery", f"<p>Workshop, courses and a small shop.</p><ul>{links}</ul>")
    hours = [("Monday", "closed"), ("Tuesday to Friday", "10:00 to 18:00"), ("Saturday", "9:30 to 14:00")]
    page(folder, "hours", "Opening hours", listed(("Day", "Hours"), hours))
    news = f"<p>The large kiln is hot again.</p><p>Our glaze of the month is {month}.</p>"
    page(folder, "news", "News", f"{news}<p>{before} was our glaze of the month before.</p><p>See you soon!</p>")
    counts = rng.sample(range(21, 99), 2 * 16)
    held = [
        {"product": name, "available": counts[2 * n], "reserved": counts[2 * n + 1]}
        for n, name in enumerate(rng.sample(products, 16))
    ]
    write(folder / "site" / "api" / "stock.json", json.dumps({"items": held}, indent=1) + "\n")
    asked = rng.choice(held[2:])
    return {"online-stock": {"answer": {"any": ways(int(str(asked["available"])))}}}, {"product": str(asked["product"])}


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    rng = random.Random(f"pottery {seed}")
    team = list(zip(rng.sample(FIRST, TEAM), rng.sample(LAST, TEAM), strict=True))
    others = [name for name in itertools.product(FIRST, LAST) if name not in team]
    people, buyers = ([" ".join(name) for name in names] for names in (team, rng.sample(others, rng.randrange(60, 85))))
    cases, words, prices = stock(rng, folder)
    more, told = orders(rng, folder, prices)
    shop(rng, folder, told)
    showpiece, month = rng.choice(sorted(prices)), rng.choice(GLAZES)
    cases |= more | config(rng, folder) | kiln(rng, folder) | {"showpiece-price": says(money(prices[showpiece]))}
    return merged(
        (cases, words),
        firings(rng, folder),
        (visitors(rng, folder), {}),
        notes(rng, folder, people, showpiece),
        drying(rng, folder),
        database(rng, folder, people[:POTTERS], buyers, month),
        sums(rng),
        markets(rng, folder),
        web(rng, folder, sorted(prices), month),
    )


POTTERY = Suite("pottery with a shop", "pottery", FOLDERS, "./db/pottery.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(POTTERY))
