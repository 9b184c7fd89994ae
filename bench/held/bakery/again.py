"""The answers a second time: read from the files of a world, the draw is not known here."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
from collections import defaultdict
from contextlib import closing
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from world import find, rows, text, ways

PLAIN = (".md", ".txt", ".json", ".env", ".example", ".yaml", ".log", ".csv", ".tsv", ".html")
QUANTITY = """select sum(quantity), count(*) from order_items
  where product_id in (select product_id from products where name = ?)"""
CUSTOMERS = "select distinct customer_id from orders where strftime('%Y-%m', ordered_on) = ?"
HIRED = "select name, hired_on from employees order by hired_on limit 2"


def hundredths(number: Fraction) -> str:
    """Rounded to two decimals. AssertionError in the middle between two."""
    assert (number * 1000) % 10 != 5
    whole = int(number * 100 + Fraction(1, 2))
    return f"{whole // 100}.{whole % 100:02d}"


def papers(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Notes and settings; of one branch no inspection is told, and of one person nothing at all."""
    notes = {path.name: path.read_text("utf-8") for path in (folder / "notes").iterdir()}
    old = find(r"free from an order value of (\d+) euros", notes["delivery-rules.md"])
    new = find(r"From 1 October 2025, delivery is free from .* (\d+) euros", notes["meeting-2025-09-15.txt"])
    assert int(old) < int(new)
    assert len(re.findall(r"is free", "\n".join(notes.values()))) == 2
    files = [path for path in folder.rglob("*") if path.suffix in PLAIN and path.name != "expect.json"]
    kept = {path.name: path.read_text("utf-8") for path in files}
    assert [name for name, held in kept.items() if "inspection" in held.lower()] == ["inspections.md"]
    assert words["uninspected"] not in kept["inspections.md"]
    assert len(re.findall(r"\d{4}-\d\d-\d\d", kept["inspections.md"])) == 3
    assert not [name for name, held in kept.items() if words["stranger"] in held]
    programs = json.loads(text(folder, "config/ovens.json"))["ovens"]
    degrees = [oven["programs"][words["program"]]["temperature_c"] for oven in programs.values()]
    assert len({*degrees}) == len(degrees) == 3
    ports = {name: find(r"PRINTER_PORT=(\d+)", held) for name, held in kept.items() if "PRINTER_PORT" in held}
    assert len({*ports.values()}) == len(ports) == 3
    zone = find(rf"(?m)^{words['order']}\t(\w+)\t", text(folder, "data/deliveries.tsv"))
    return {
        "free-delivery": [[new]],
        "oven-temperature": [[programs[words["oven"]]["programs"][words["program"]]["temperature_c"]]],
        "printer-port": [[ports["till.env"]]],
        "inspection-date": [],
        "zone-fee": [[find(rf"  {zone}:\n    fee_eur: (\S+)\n", text(folder, "config/delivery.yaml"))]],
    }


def logs(folder: Path) -> dict[str, Any]:
    """The deliveries, the oven, the web server."""
    told = {name: text(folder, f"logs/{name}.log") for name in ("delivery", "oven", "web")}
    for log in told.values():
        assert 200 <= len(log.splitlines()) <= 500
    for log in (told["delivery"], told["oven"]):
        stamps = [line[:19] for line in log.splitlines()]
        assert stamps == sorted(stamps)
    assert len({line[:10] for line in told["oven"].splitlines()}) == 1
    failed = [line.split() for line in told["oven"].splitlines() if "error" in line.lower()]
    assert all(line[2] == "ERROR" for line in failed)
    missed = [line for line in told["web"].splitlines() if line.split()[-2] == "404"]
    drivers = {part for part in told["delivery"].split() if part.startswith("driver=")}
    return {
        "driver-count": ways(len(drivers)),
        "first-error": [[failed[0][1]]],
        "not-found": [[len(missed)]],
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Orders, sales, reviews."""
    placed = rows(folder, "data/orders.csv", ",")
    totals = [Fraction(row["total_eur"]) for row in placed if row["channel"] == "phone"]
    assert Fraction(words["limit"]) not in totals
    branches: dict[str, Fraction] = defaultdict(Fraction)
    for row in rows(folder, "data/sales.csv", ","):
        branches[row["branch"]] += Fraction(row["revenue_eur"])
    assert len(branches) == 4
    best, second = sorted(branches, key=lambda name: -branches[name])[:2]
    assert branches[best] > branches[second]
    stars = [row["stars"] for row in rows(folder, "data/reviews.tsv", "\t")]
    sizes = sorted((len(path.read_bytes()), path.name) for path in (folder / "data").iterdir())
    assert sizes[-1][0] > sizes[-2][0]
    return {
        "cancelled-orders": ways(sum(row["status"] == "cancelled" for row in placed)),
        "phone-orders": [[sum(total > Fraction(words["limit"]) for total in totals)]],
        "top-branch": [[best]],
        "five-stars": [[hundredths(Fraction(100 * stars.count("5"), len(stars)))]],
        "largest-file": [[sizes[-1][1]]],
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """What the database and, for one product, a page say."""
    special = find(r"Product of the week: <b>([^<]+)</b>", text(folder, "site/specials.html"))
    month = f"{datetime.strptime(words['month'] + ' 2025', '%B %Y'):%Y-%m}"
    with closing(sqlite3.connect(folder / "db" / "bakery.db")) as db:
        ((sold, count),) = db.execute(QUANTITY, (words["product"],)).fetchall()
        assert sold > count
        buyers = db.execute(CUSTOMERS, (month,)).fetchall()
        breads = [Fraction(str(price)) for (price,) in db.execute("select price from products where category='bread'")]
        ((price,),) = db.execute("select price from products where name = ?", (special,)).fetchall()
        (first, day), (_, next_day) = db.execute(HIRED).fetchall()
        assert day < next_day
        names = [name for (name,) in db.execute("select name from customers union all select name from employees")]
        assert len(names) == len({*names})
        assert words["stranger"] not in names
    return {
        "product-quantity": ways(sold),
        "month-customers": ways(len(buyers)),
        "bread-average": [[hundredths(sum(breads, Fraction()) / len(breads))]],
        "first-employee": [[first]],
        "customer-phone": [],
        "special-price": [[f"{price:.2f}"]],
    }


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    found = papers(folder, words) | logs(folder) | tables(folder, words) | database(folder, words)
    stock = json.loads(text(folder, "site/api/stock.json"))["stock"]
    pieces, lowest = min((entry["pieces"], entry["product"]) for entry in stock)
    assert [entry["pieces"] for entry in stock].count(pieces) == 1
    each = Fraction(words["grams"]) / int(words["rolls"]) * int(words["more"])
    assert each.denominator == 1
    kernel = subprocess.run(["uname", "-r"], capture_output=True, text=True, check=True).stdout.strip()
    return found | {
        "flour": [[each]],
        "gross-price": [[hundredths(Fraction(words["net"]) * (100 + int(words["vat"])) / 100)]],
        "kernel-release": [[kernel]],
        "branch-manager": [[find(rf"<td>{words['branch']}</td><td>([^<]+)</td>", text(folder, "site/branches.html"))]],
        "lowest-stock": [[lowest]],
    }
