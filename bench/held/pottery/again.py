"""The answers a second time: read from the files of a world, the draw is not known here."""

from __future__ import annotations

import json
import re
import sqlite3
import tomllib
from contextlib import closing
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from world import find, rows, text, ways

PLAIN = (".md", ".txt", ".toml", ".ini", ".yaml", ".log", ".csv", ".html", ".json", ".jsonl")
CRACKED = "select count(*) from pieces where shape = ? and state = 'cracked'"
SEATS = "select total(seats), count(*) from bookings natural join customers where name = ?"
HEAVIEST = "select name, weight_g from pieces natural join potters order by weight_g desc limit 2"
GLAZED = "select count(*) from pieces where glaze = ?"


def dates(day: date) -> list[list[str]]:
    """A day, as people write it."""
    n, month = day.day, f"{day:%B}"
    nth = f"{n}{'th' if n < 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"
    told = [f"{n} {month}", f"{month} {n}", f"{nth} {month}", f"{nth} of {month}", f"{n} {day:%b}", f"{day:%b} {n}"]
    return [[way] for way in (*told, f"{day:%Y-%m-%d}", f"{day:%d.%m.%Y}", f"{day:%d/%m/%Y}", f"{day:%m/%d/%Y}")]


def exact(number: Fraction) -> str:
    """A number that has no more than two decimals."""
    assert (number * 100).denominator == 1
    return f"{float(number):.2f}"


def papers(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Notes and settings; an e-mail address of the clay supplier is in none of them, nor anywhere else."""
    notes = {path.name: path.read_text("utf-8") for path in (folder / "notes").iterdir()}
    whole = "\n".join(notes.values())
    old = find(r"\| Raku \| \d+ \| (\d+) \|", notes["courses.md"])
    new = find(r"From 1 March 2025 a place in the raku course costs (\d+) euros", notes["meeting-2025-02-10.md"])
    assert old != new
    assert len([line for line in whole.splitlines() if re.search(r"\braku\b", line, re.I)]) == 2
    kept = [
        path.read_text("utf-8") for path in folder.rglob("*") if path.suffix in PLAIN and path.name != "expect.json"
    ]
    assert re.findall(r"\S+@\S+", "\n".join(kept)) == ["office@hearthline.example."]
    assert sum(words["supplier"].split()[0] in held for held in kept) == 1
    recipe = find(rf"(?s)## {words['glaze']}\n(.*?)(?=\n## |\Z)", notes["glazes.md"])
    assert sum(map(int, re.findall(r": (\d+)", recipe))) == 100
    share = find(rf"- {words['material']}: (\d+)", recipe)
    with (folder / "config" / "kiln.toml").open("rb") as stream:
        settings = tomllib.load(stream)
    showpiece = find(r"The showpiece is the ([\w ]+)\.", notes["exhibition.md"])
    (price,) = [row["price_eur"] for row in rows(folder, "tables/stock.csv", ",") if row["product"] == showpiece]
    return {
        "course-price": [[new]],
        "spare-key": [[find(rf"\| {words['room']} \| [\w ]+ \| ([\w ]+) \|", notes["keys.md"])]],
        "kiln-top": [[settings["glaze_firing"]["top_c"]]],
        "recipe-grams": [[int(share) * 1000 * int(words["kilos"]) // 100]],
        "showpiece-price": [[price]],
        "md-notes": ways(len([*(folder / "notes").rglob("*.md")])),
    }


def logs(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The kiln, the firings, the web shop."""
    kiln, shop = text(folder, "logs/kiln.log"), text(folder, "logs/shop.log")
    for log in (kiln, shop):
        stamps = [line[:19] for line in log.splitlines()]
        assert stamps == sorted(stamps)
        assert 150 <= len(stamps) <= 500
    firings = [json.loads(line) for line in text(folder, "logs/firings.jsonl").splitlines()]
    peaks = [line["peak_c"] for line in firings if line["kind"] == "bisque"]
    assert max(peaks) < max(line["peak_c"] for line in firings)
    (used,) = [line["kwh"] for line in firings if line["firing"] == words["firing"]]
    before = text(folder, "out/energy.txt").splitlines()
    assert str(used) not in before
    last = re.findall(r"payment failed for order (\d+)", shop)[-1]
    assert shop.count("payment failed") == shop.lower().count("fail")
    (product,) = [row["product"] for row in rows(folder, "tables/orders.csv", ",") if row["order_no"] == last]
    sizes = sorted((len(path.read_bytes()), path.name) for path in (folder / "logs").iterdir())
    assert sizes[-1][0] > sizes[-2][0]
    return {
        "sensor-faults": ways(len(re.findall(r"(?m)^\S+ \S+ WARNING sensor fault ", kiln))),
        "bisque-peak": [[max(peaks)]],
        "append-energy": [[*before, used]],
        "failed-payment": [[product]],
        "largest-log": [[sizes[-1][1]]],
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Stock, orders, drying."""
    stock = rows(folder, "tables/stock.csv", ",")
    few = [row for row in stock if int(row["pieces"]) < int(words["limit"])]
    assert words["limit"] not in [row["pieces"] for row in stock]
    back = [row["amount_eur"] for row in rows(folder, "tables/orders.csv", ",") if row["status"] == "refunded"]
    took = [int(row["hours"]) for row in rows(folder, "tables/drying.csv", ",") if row["clay"] == words["clay"]]
    mean = (Decimal(sum(took)) * 100 / len(took)).quantize(Decimal(1), ROUND_HALF_UP)
    return {
        "low-stock": ways(len(few)),
        "refund-total": [[sum(map(Decimal, back), Decimal("0.00"))]],
        "drying-average": [[f"{mean / 100:.2f}"]],
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Pieces and bookings; a customer of the name that is asked for is not there."""
    month = find(r"Our glaze of the month is ([\w ]+)\.", text(folder, "site/news.html"))
    with closing(sqlite3.connect(folder / "db" / "pottery.db")) as db:
        ((cracked,),) = db.execute(CRACKED, (words["shape"],)).fetchall()
        ((seats, count),) = db.execute(SEATS, (words["customer"],)).fetchall()
        assert count > 2
        (heaviest, most), (_, less) = db.execute(HEAVIEST).fetchall()
        assert most > less
        ((glazed,),) = db.execute(GLAZED, (month,)).fetchall()
        names = [name for table in ("customers", "potters") for (name,) in db.execute(f"select name from {table}")]
    assert len(names) == len(set(names))
    assert words["nobody"] not in names
    for part in words["nobody"].split():
        assert any(part in name.split() for name in names)
    return {
        "cracked-shape": ways(cracked),
        "booked-seats": ways(int(seats)),
        "heaviest-piece": [[heaviest]],
        "glaze-of-month": ways(glazed),
    }


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    found = papers(folder, words) | logs(folder, words) | tables(folder, words) | database(folder, words)
    kwh, cents, firings, width, percent = (
        Fraction(words[name]) for name in ("kwh", "cents", "firings", "width", "percent")
    )
    day = find(rf"<td>{words['town']}</td><td>([\w ]+)</td>", text(folder, "site/markets.html"))
    online = json.loads(text(folder, "site/api/stock.json"))["items"]
    (available,) = [item["available"] for item in online if item["product"] == words["product"]]
    return found | {
        "firing-cost": [[exact(kwh * cents * firings / 100)]],
        "shrinkage": [[exact(width - width * percent / 100)]],
        "market-date": dates(datetime.strptime(day, "%d %B %Y").date()),
        "online-stock": ways(available),
        "supplier-email": [],
        "customer-phone": [],
    }
