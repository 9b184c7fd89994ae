"""The answers a second time: read from the files of a world, the draw is not known here."""

from __future__ import annotations

import json
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

from world import find, rows, text, ways

PLAIN = (".md", ".txt", ".toml", ".ini", ".log", ".csv", ".html", ".json")
OWNER = (
    "select o.name, (select count(*) from animals where name = a.name) from animals a join owners o using(owner_id) "
)
CANCELLED = "select count(*) from appointments where vet = ? and status = 'cancelled' and substr(day, 1, 7) = ?"


def cents(number: Fraction) -> str:
    """An amount with two decimals, rounded as people do; it does not lie in the middle, nor end in a zero."""
    assert (number * 1_000) % 10 != 5
    found = str((Decimal(number.numerator) / number.denominator).quantize(Decimal("0.01"), ROUND_HALF_UP))
    assert not found.endswith("0")
    return found


def papers(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Notes and settings; the weekend is in no file, nor is its month in the rota."""
    notes = {path.name: path.read_text("utf-8") for path in (folder / "notes").iterdir()}
    old = find(r"missed appointment costs the owner (\d+) euros\.\n", notes["appointments.md"])
    new = find(r"From 1 April 2025 a missed appointment costs the owner (\d+) euros", notes["meeting-2025-03-10.md"])
    assert int(old) < int(new)
    assert sum(note.count("missed") for note in notes.values()) == 2
    files = [path for path in folder.rglob("*") if path.suffix in PLAIN and path.name != "expect.json"]
    assert not [path for path in files if words["weekend"] in path.read_text("utf-8")]
    month = words["weekend"].split()[-2]
    assert month not in notes["on-call.md"]
    settings = tomllib.loads(text(folder, "config/reminder-sms.toml"))
    before = tomllib.loads(text(folder, "config/reminder-sms-2023.toml"))
    assert settings["appointment"] != before["appointment"]
    fees = tomllib.loads(text(folder, "config/fees.toml"))
    call = {name: Fraction(str(fee)) for name, fee in fees["house_call"].items()}
    discount = fees["medicine_discount"]["animal_shelter_percent"]
    (price,) = [r["price_eur"] for r in rows(folder, "tables/stock.csv", ",") if r["medicine"] == words["medicine"]]
    return {
        "no-show-fee": [[new]],
        "sms-hours": ways(settings["appointment"]["hours_before"]),
        "weekend-duty": [],
        "meeting-notes": ways(len([name for name in notes if name.startswith("meeting")])),
        "house-call": [[cents(call["base_fee_eur"] + int(words["km"]) * call["fee_per_km_eur"])]],
        "shelter-price": [[cents(Fraction(price) - Fraction(price) * discount / 100)]],
    }


def logs(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The booking system, the doors, the fridge, the backups."""
    for name in ("booking", "door", "fridge", "backup"):
        stamps = [line[:19] for line in text(folder, f"logs/{name}.log").splitlines()]
        assert stamps == sorted(stamps)
        assert len(stamps) > 200
    day = f"{datetime.strptime(words['log_day'], '%d %B %Y'):%Y-%m-%d}"
    cancelled = re.findall(rf"(?m)^{day} .* booking (\d+) .*cancel", text(folder, "logs/booking.log"))
    assert len(cancelled) == len({*cancelled})
    counted = subprocess.run(["wc", "-l", folder / "logs" / "fridge.log"], capture_output=True, text=True, check=True)
    sizes = {path.stat().st_size: path.name for path in (folder / "logs").iterdir()}
    return {
        "cancelled-day": ways(len(cancelled)),
        "fridge-lines": [[counted.stdout.split()[0]]],
        "largest-log": [[sizes[max(sizes)]]],
        "last-entry": [[text(folder, "logs/door.log").splitlines()[-1].split()[1]]],
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Medicines, invoices, vaccinations."""
    stock = rows(folder, "tables/stock.csv", ",")
    assert len({row["expires_on"] for row in stock}) == len(stock) == len({row["medicine"] for row in stock})
    assert words["limit"] not in {row["packs"] for row in stock}
    low = [r for r in stock if r["supplier"] == words["supplier"] and int(r["packs"]) < int(words["limit"])]
    first = min((row for row in stock if row["group"] == words["group"]), key=lambda row: row["expires_on"])
    assert first["expires_on"] > min(row["expires_on"] for row in stock)
    opened = [row["amount_eur"] for row in rows(folder, "tables/invoices.csv", ",") if row["status"] == "open"]
    batch = find(r"recalled the batch (\S+)\.", text(folder, "notes/recall.md"))
    given = [row for row in rows(folder, "tables/vaccinations.csv", ",") if row["batch"] == batch]
    assert len({row["vaccine"] for row in given}) == 1
    return {
        "low-stock": ways(len(low)),
        "first-expiry": [[first["medicine"]]],
        "open-total": [[sum(map(Decimal, opened), Decimal("0.00"))]],
        "recalled-batch": ways(len(given)),
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Owners, animals, appointments; one owner is nowhere."""
    month = f"{datetime.strptime(words['month'], '%B %Y'):%Y-%m}"
    page = text(folder, "site/team.html")
    specialist = find(rf"<td>([^<]+)</td><td>Vet</td><td>{words['field']}</td>", page)
    with closing(sqlite3.connect(folder / "db" / "practice.db")) as db:
        ((off,),) = db.execute(CANCELLED, (words["vet"], month)).fetchall()
        pet = words["species"], words["animal"]
        ((owner, called),) = db.execute(OWNER + "where a.species = ? and a.name = ?", pet).fetchall()
        assert called > 1
        ((met,),) = db.execute("select count(*) from appointments where vet = ?", (specialist,)).fetchall()
        weights = db.execute("select weight_kg, name, species from animals order by 1 desc").fetchall()
        names = [name for (name,) in db.execute("select name from owners")]
    (heaviest, top, _), (second, _, _), *_ = [row for row in weights if row[2] == words["heavy"]]
    assert heaviest > second
    assert weights[0][2] != words["heavy"]
    assert len({*names}) == len(names)
    files = [path for path in folder.rglob("*") if path.suffix in PLAIN and path.name != "expect.json"]
    assert words["owner"] not in names
    assert not [path for path in files if words["owner"] in path.read_text("utf-8")]
    return {
        "vet-cancelled": ways(off),
        "owner-of": [[owner]],
        "owner-phone": [],
        "heaviest": [[top]],
        "specialist": ways(met),
    }


def web(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Opening hours, prices, the ward."""
    pattern = rf"<td>{words['weekday']}</td><td>[^<]+</td><td>[^<]+ - (\d+:\d+)</td>"
    closes = find(pattern, text(folder, "site/hours.html"))
    short = f"{datetime.strptime(closes, '%H:%M'):%I:%M}".lstrip("0")
    head, *lines = [re.findall(r"<t[hd]>([^<]+)<", line) for line in text(folder, "site/prices.html").split("<tr>")[1:]]
    (prices,) = [line for line in lines if line[0] == words["service"]]
    ward = json.loads(text(folder, "site/api/ward.json"))["animals"]
    inside = [animal for animal in ward if f"{animal['species']}s" == words["inside"]]
    return {
        "closing-time": [[closes], [f"{short} pm"], [f"{short} p.m."]],
        "price-cell": [[prices[head.index(words["patient"].capitalize())]]],
        "ward-count": ways(len(inside)),
    }


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    found = papers(folder, words) | logs(folder, words) | tables(folder, words)
    often = {"twice": 2, "three times": 3}[words["times"]]
    dose = Fraction(words["weight"]) * int(words["mg"]) * often * int(words["days"])
    grams = [int(gram) for gram in re.findall(r"\d+", words["grams"])]
    assert len(grams) == 6
    return found | database(folder, words) | web(folder, words) | {
        "dose": [[f"{float(dose):g}" if dose.denominator > 1 else str(dose)]],
        "kitten-mean": [[cents(Fraction(sum(grams), 6))]],
    }  # fmt: skip
