"""The answers a second time: read from the files of a world, the draw is not known here."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from world import find, rows, text

SMALL = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
PLAIN = (".md", ".txt", ".toml", ".ini", ".yaml", ".json", ".log", ".csv", ".tsv", ".html")
OWN = ("expect.json", "ringfence.yaml")  # in a world, but not its data
PAID = """select o.total_eur from orders o join customers c on c.customer_id = o.customer_id
where c.village = ? and o.status = 'paid'"""
SOLD = "select s.quantity from sales s join products p on p.product_id = s.product_id where p.name = ?"
DEAREST = "select name, price_eur from products where category = ? order by price_eur desc limit 2"


def ways(number: int) -> list[list[str]]:
    """A number in digits, or as a word if it is a small one."""
    return [[str(number)], *([word] for word in SMALL[number - 1 : number])]


def clock(time: str) -> list[list[str]]:
    """A time of the day, as it is said in German, too."""
    return [[time], [time.replace(":", ".")]]


def spoken(day: date) -> str:
    """A day as it is written in a sentence."""
    return f"{day.day} {day:%B %Y}"


def dates(day: date) -> list[list[str]]:
    """A day as it may be written in an answer."""
    return [[day.isoformat()], [spoken(day)], [f"{day:%B} {day.day}, {day.year}"]]


def valve_ways(valve: str) -> list[list[str]]:
    """A valve as it may be called."""
    return [[valve], [f"valve {valve[1:]}"]]


def nowhere(folder: Path, words: dict[str, str]) -> None:
    """What has no answer has none: no address of the press, no fruit of that name."""
    files = [path for path in folder.rglob("*") if path.suffix in PLAIN and path.name not in OWN]
    held = {path.name: path.read_text("utf-8").lower() for path in files}
    assert [name for name, what in held.items() if words["press"].lower() in what] == ["contacts.md"]
    (section,) = [part for part in held["contacts.md"].split("## ") if part.startswith(words["press"].lower())]
    assert "@" not in section
    assert "mail" not in section
    assert not [name for name, what in held.items() if words["absent"][:5] in what]
    with closing(sqlite3.connect(folder / "db" / "farm.db")) as db:
        dump = "\n".join(db.iterdump()).lower()
    assert "@" not in dump
    assert words["absent"][:5] not in dump


def papers(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Notes and settings."""
    nowhere(folder, words)
    notes = {path.name: path.read_text("utf-8") for path in (folder / "notes").iterdir()}
    assert sorted(name for name, held in notes.items() if "strawberr" in held.lower()) == [
        "meeting-2025-06-16.txt",
        "pick-your-own-prices.md",
    ]
    old = find(r"\| Strawberries \| ([\d.]+) \|", notes["pick-your-own-prices.md"])
    new = find(r"strawberries cost ([\d.]+) euros per kilo from tomorrow", notes["meeting-2025-06-16.txt"])
    assert old != new
    frost = text(folder, "config/frost.yaml")
    times = json.loads(text(folder, "config/opening_hours.json"))
    closes = [day["closes"] for place in times.values() for day in place.values()]
    sunday = times["farm_shop"]["sunday"]["closes"]
    assert closes.count(sunday) == 1
    return {
        "frost-sprinklers": [[find(r"on_below_c: ([\d.]+)", frost)]],
        "strawberry-price": [[new]],
        "press-email": None,
        "sunday-closing": clock(sunday),
        "txt-notes": ways(len(list((folder / "notes").glob("*.txt")))),
    }


def logs(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Cold stores, valves, the sorter."""
    told = {path.name: path.read_text("utf-8") for path in (folder / "logs").iterdir()}
    sizes = sorted((len(log.encode()), name) for name, log in told.items())
    assert sizes[-1][0] > sizes[-2][0] * 1.05
    day = datetime.strptime(words["store_day"], "%d %B %Y").date().isoformat()
    alarms = re.findall(rf"(?m)^{day} \S+ store {words['store']} .* ALARM", told["cold_store.log"])
    shut = re.findall(r"valve (V\d+) did not open", told["irrigation.log"])
    before = re.findall(r"valve (V\d+) did not open", told["irrigation-2024.log"])
    assert shut[-1] != before[-1]
    blocked = [line for line in told["sorter.log"].splitlines() if "BLOCKED" in line]
    assert len(blocked) == told["sorter.log"].lower().count("blocked")
    return {
        "store-alarms": ways(len(alarms)),
        "failed-valve": valve_ways(shut[-1]),
        "blocked-lines": [blocked],
        "largest-log": [[sizes[-1][1]]],
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Harvest, packaging, spraying, picking."""
    apples = rows(folder, "tables/harvest_2025.csv", ",")
    net = [Decimal(row["net_kg"]) for row in apples if row["variety"] == words["variety"]]
    stock = rows(folder, "tables/packaging.csv", ";")
    names = [row["article"] for row in stock]
    assert not [(one, other) for one in names for other in names if one != other and one in other]
    (number,) = [row["supplier_no"] for row in stock if row["article"] == words["article"]]
    firms = rows(folder, "tables/suppliers.csv", ";")
    (phone,) = [row["phone"] for row in firms if row["supplier_no"] == number]
    sprayed = [row["sprayed_on"] for row in rows(folder, "tables/spraying.csv", ",") if row["plot"] == words["plot"]]
    assert len(sprayed) > 2
    picked: dict[str, Decimal] = {}
    for row in rows(folder, "tables/picking.tsv", "\t"):
        picked[row["picker"]] = picked.get(row["picker"], Decimal(0)) + Decimal(row["kg"])
    second, best = sorted(picked, key=lambda name: picked[name])[-2:]
    assert picked[second] < picked[best]
    return {
        "harvest-net": [[sum(net)]],
        "below-minimum": [[row["article"] for row in stock if int(row["in_stock"]) < int(row["minimum"])]],
        "supplier-phone": [[phone]],
        "last-spraying": dates(date.fromisoformat(max(sprayed))),
        "best-picker": [[best]],
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Products, sales, orders; the page with the offer."""
    offer = find(r"Offer of the week</h2><p><b>([^<]+)</b>", text(folder, "site/offers.html"))
    with closing(sqlite3.connect(folder / "db" / "farm.db")) as db:
        ((waiting,),) = db.execute("select count(*) from orders where status = 'open'").fetchall()
        paid = [Decimal(str(euros)) for (euros,) in db.execute(PAID, (words["village"],))]
        jars = [quantity for (quantity,) in db.execute(SOLD, (words["jam"],))]
        (dearest, price), (_, other) = db.execute(DEAREST, (words["category"],)).fetchall()
        ((normal,),) = db.execute("select price_eur from products where name = ?", (offer,)).fetchall()
    assert price > other
    assert len(paid) > 1
    assert sum(jars) != len(jars)
    assert f"{normal:.2f}" not in text(folder, "site/offers.html")
    return {
        "open-orders": ways(waiting),
        "village-paid": [[sum(paid)]],
        "jars-sold": ways(sum(jars)),
        "dearest-product": [[dearest]],
        "offer-normal-price": [[f"{normal:.2f}"]],
    }


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    found = papers(folder, words) | logs(folder, words) | tables(folder, words) | database(folder, words)
    pay = sum(Fraction(words[f"kg_{n}"]) for n in (1, 2, 3)) * Fraction(words["rate"])
    assert (pay * 100).denominator == 1
    juice = Fraction(words["weight"]) * Fraction(words["litres"]) / 100
    fields = json.loads(text(folder, "site/api/fields.json"))["fields"]
    day = find(rf"<td>{words['market']}</td><td>(\w+)</td>", text(folder, "site/markets.html"))
    return found | {
        "picker-pay": [[f"{float(pay):.2f}"]],
        "juice-boxes": [[juice // 5]],
        "market-day": [[day]],
        "open-fields": [[field["field"] for field in fields if field["open"]]],
        "absent-season": None,
    }
