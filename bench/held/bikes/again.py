"""The answers a second time: read from the files of a world, the draw is not known here."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import tomllib
from contextlib import closing
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from world import euros, find, rows, text, ways

PLAIN = (".md", ".txt", ".toml", ".ini", ".yaml", ".log", ".csv", ".html")
PHONE = r"\d{3,} \d{3,}"
FROM_TOWN = "select count(*) from rentals where customer_id in (select customer_id from customers where town = ?)"
PAID = "select total(amount_eur), count(*) from payments natural join customers where name = ?"
NEWEST = "select name, joined_on from customers order by joined_on desc limit 2"


def papers(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Notes and settings; a phone number of the insurance company is in none of them, nor anywhere else."""
    notes = {path.name: path.read_text("utf-8") for path in (folder / "notes").iterdir()}
    whole = "\n".join(notes.values())
    old = find(r"\| E-bike \| (\d+) \|", notes["rental-terms.md"])
    new = find(r"From 1 June 2025 the deposit for an e-bike is (\d+) euros", notes["staff-meeting-2025-05-19.md"])
    assert int(old) < int(new)
    assert (
        len([line for line in whole.splitlines() if re.search(r"e-bike", line, re.I) and re.search(r"\d", line)]) == 2
    )
    assert not re.search(PHONE, notes["insurance.md"])
    assert notes["insurance.md"].count(words["insurer"]) == 1
    files = [path for path in folder.rglob("*") if path.suffix in PLAIN]
    kept = {path.name: path.read_text("utf-8") for path in files}
    name = words["insurer"].split()[0]
    assert [path for path, held in kept.items() if name in held or "insur" in held] == ["insurance.md"]
    assert not [path for path, held in kept.items() if words["absent"].split()[0] in held.lower()]
    with (folder / "config" / "rental.toml").open("rb") as stream:
        settings = tomllib.load(stream)
    fee = Fraction(str(settings["late_return"]["fee_per_hour_eur"])) * int(words["hours"])
    assert whole.count(words["job"]) == 1
    return {
        "deposit": [[new]],
        "responsible": [[find(rf"- {words['job']}: (\w+ \w+)\n", whole)]],
        "cargo-days": ways(settings["cargo_bike"]["max_days"]),
        "late-fee": [[euros(fee)]],
        "note-files": ways(len(notes)),
    }


def logs(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The terminal for cards, the chargers, the backups."""
    told = {name: text(folder, f"logs/{name}.log") for name in ("terminal", "charging", "backup")}
    for log in told.values():
        stamps = [line[:19] for line in log.splitlines()]
        assert stamps == sorted(stamps)
        assert 200 <= len(stamps) <= 500
    failed = re.findall(r"(?m)^\S+ \S+ ERROR ", told["terminal"])
    assert len(failed) == told["terminal"].lower().count("error")
    low = re.findall(r"bike (\d+) LOW_BATTERY", told["charging"])
    assert len(low) == told["charging"].lower().count("low")
    (bike,) = [row for row in rows(folder, "tables/bikes.csv", ",") if row["bike_no"] == low[-1]]
    day = f"{datetime.strptime(words['backup_day'], '%d %B %Y'):%Y-%m-%d}"
    ended = find(rf"{day} \S+ INFO backup finished: (\d+) files saved", told["backup"])
    assert int(ended) == sum(int(n) for n in re.findall(rf"{day} \S+ INFO folder \w+: (\d+) files", told["backup"]))
    return {"terminal-errors": [[len(failed)]], "battery-model": [[bike["model"]]], "backup-files": [[ended]]}


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Bikes, parts, sales, repairs."""
    ridden = [int(row["km"]) for row in rows(folder, "tables/bikes.csv", ",")]
    assert int(words["limit"]) not in ridden
    sold = [row["amount_eur"] for row in rows(folder, "tables/sales.csv", ",") if row["category"] == words["category"]]
    store = rows(folder, "tables/parts.csv", ",")
    best, second = sorted(store, key=lambda row: -float(row["price_eur"]))[:2]
    assert best["price_eur"] != second["price_eur"]
    (shelf,) = [row["shelf"] for row in store if words["part"] in row["part"]]
    assert len([row for row in store if row["shelf"] == shelf]) == 1
    repairs = rows(folder, "tables/repairs.csv", ",")
    took = [int(row["minutes"]) for row in repairs if row["kind"] == words["kind"]]
    mean = (Decimal(sum(took)) * 100 / len(took)).quantize(Decimal(1), ROUND_HALF_UP)
    manager = find(r"<td>([^<]+)</td><td>Workshop manager</td>", text(folder, "site/team.html"))
    return {
        "high-mileage": ways(sum(km > int(words["limit"]) for km in ridden)),
        "category-total": [[sum(map(Decimal, sold), Decimal("0.00"))]],
        "dearest-part": [[best["part"], best["price_eur"]]],
        "part-shelf": [[shelf]],
        "repair-average": [[f"{mean / 100:.2f}"]],
        "manager-repairs": ways(len([row for row in repairs if row["mechanic"] == manager])),
        "file-size": [[len((folder / "tables" / "repairs.csv").read_bytes())]],
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Customers, rentals, payments."""
    with closing(sqlite3.connect(folder / "db" / "shop.db")) as db:
        ((overdue,),) = db.execute("select count(*) from rentals where status = 'overdue'").fetchall()
        ((made,),) = db.execute(FROM_TOWN, (words["town"],)).fetchall()
        ((paid, count),) = db.execute(PAID, (words["customer"],)).fetchall()
        assert count > 2
        (newest, latest), (_, before) = db.execute(NEWEST).fetchall()
        assert latest > before
        names = [name for (name,) in db.execute("select name from customers")]
        assert len(names) == len(set(names))
    return {
        "overdue-rentals": ways(overdue),
        "town-rentals": ways(made),
        "customer-payments": [[f"{paid:.2f}"]],
        "newest-customer": [[newest]],
    }


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    found = papers(folder, words) | logs(folder, words) | tables(folder, words) | database(folder, words)
    price, discount, delivery = (Fraction(words[name]) for name in ("price", "discount", "delivery"))
    free = find(rf"<td>{words['station']}</td><td>(\d+)</td>", text(folder, "site/stations.html"))
    count = subprocess.run(["nproc"], capture_output=True, text=True, check=True).stdout.strip()
    return found | {
        "sale-price": [[euros(price - price * discount / 100 + delivery)]],
        "station-bikes": ways(int(free)),
        "cpu-count": ways(int(count)),
        "insurance-phone": [],
        "absent-price": [],
    }
