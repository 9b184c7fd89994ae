"""The answers a second time: read from the files of a world, the draw is not known here."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import tomllib
from collections import defaultdict
from contextlib import closing
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from world import euros, find, rows, text, ways

PLAIN = (".md", ".txt", ".toml", ".yaml", ".json", ".log", ".csv", ".tsv", ".html")
CANCELLED = "select count(*) from bookings where vehicle = ? and status = 'cancelled'"
HEADS = "select sum(passengers), count(*) from bookings natural join customers where name = ?"
DIFFERENT = "select count(distinct customer_id), count(*) from bookings where destination = ?"
EARLIEST = "select name, booked_at from bookings natural join customers order by booked_at limit 2"


def notes(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The notes; the harbour that is asked for has no phone number in them, nor anywhere else."""
    told = {path.name: path.read_text("utf-8") for path in (folder / "notes").iterdir()}
    old = find(r"Cars have to be in the queue (\d+) minutes", told["handbook.md"])
    new = find(r"From 10 June 2025 cars have to be in the queue (\d+) minutes", told["notice-2025-06-02.txt"])
    assert old != new
    assert len(re.findall(r"(?i)cars have to", "\n".join(told.values()))) == 2
    entries = told["harbours.md"].split("## ")[1:]
    (entry,) = [entry for entry in entries if entry.startswith(f"{words['harbour']}\n")]
    assert not re.search(r"\d", entry)
    assert len([entry for entry in entries if "Phone: 0555" in entry]) == len(entries) - 1
    master = find(r"Harbour master: (\w+ \w+)", entry)
    files = [path for path in folder.rglob("*") if path.suffix in PLAIN and path.name != "expect.json"]
    assert [path.name for path in files if master in path.read_text("utf-8")] == ["harbours.md"]
    pieces = int(find(rf"- {words['garment']}: (\d+)\n", told["uniform-order.md"]))
    prices = json.loads(text(folder, "settings/uniform_prices.json"))["uniforms"]
    cost = Fraction(str(prices[words["garment"].removesuffix("s")])) * pieces
    return {"car-queue": [[new]], "harbour-phone": [], "uniform-cost": [[euros(cost)]]}


def settings(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The fleet, and the ticket machine, of which there is an older file."""
    machines = [tomllib.loads(text(folder, f"settings/ticket-machine{which}.toml")) for which in ("", "-old")]
    now, before = (machine["display"]["start_screen_seconds"] for machine in machines)
    assert now != before
    fleet = text(folder, "settings/fleet.yaml")
    jackets = find(rf"  {words['ship']}:\n    vhf_channel: \d+\n    safety:\n      life_jackets: (\d+)\n", fleet)
    assert fleet.count(f": {jackets}\n") == 1
    return {"screen-seconds": ways(now), "life-jackets": [[jackets]]}


def logs(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Gates, bridges, the server."""
    told = {path.stem: path.read_text("utf-8") for path in (folder / "logs").iterdir()}
    for log in told.values():
        stamps = [line.lstrip("[")[:19] for line in log.splitlines()]
        assert stamps == sorted(stamps)
        assert 200 <= len(stamps) <= 500
    rejected = {
        name: len(re.findall(rf"(?m) gate {words['gate']} REJECTED ", told[name])) for name in ("gate", "gate-2024")
    }
    assert rejected["gate"] != rejected["gate-2024"]
    ship, *later = re.findall(r"(?m)^\S+ (\w+) ENGINE_ALARM ", told["bridge"])
    assert ship != later[-1]
    crew = rows(folder, "tables/crew.tsv", "\t")
    (captain,) = [row["name"] for row in crew if row["ship"] == ship and row["rank"] == "captain"]
    starts = re.findall(r"(?m)^\[\S+ (\S+)\] INFO server started$", told["server"])
    assert len(starts) == told["server"].count("server started") == len({*starts})
    return {"rejected-tickets": [[rejected["gate"]]], "alarm-captain": [[ship, captain]], "last-start": [[starts[-1]]]}


def mean(numbers: list[int]) -> str:
    """Their average, with two decimals."""
    return f"{(Decimal(sum(numbers)) * 100 / len(numbers)).quantize(Decimal(1), ROUND_HALF_UP) / 100:.2f}"


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Sailings, fuel, the crew, the shipyard."""
    sailed = rows(folder, "tables/sailings.csv", ",")
    first, last = (f"2025-09-{int(words[name]):02d}" for name in ("first_day", "last_day"))
    off = [row for row in sailed if first <= row["date"] <= last and row["status"] == "cancelled"]
    carried: dict[str, int] = defaultdict(int)
    for row in sailed:
        carried[row["destination"]] += int(row["passengers"])
    best, second = sorted(carried, key=lambda name: -carried[name])[:2]
    assert carried[best] > carried[second]
    taken: dict[str, int] = defaultdict(int)
    for row in rows(folder, "tables/fuel.csv", ","):
        taken[row["ship"]] += int(row["litres"])
    crew = rows(folder, "tables/crew.tsv", "\t")
    years = [int(row["years"]) for row in crew if row["rank"] == "deckhand"]
    assert len(crew) == len({row["name"] for row in crew})
    jobs = rows(folder, "tables/yard_jobs.csv", ";")
    hours = [Decimal(row["hours"].replace(",", ".")) for row in jobs if row["ship"] == words["docked"]]
    return {
        "cancelled-sailings": ways(len(off)),
        "busiest-destination": [[best]],
        "fuel-difference": [[taken[words["more"]] - taken[words["less"]]]],
        "deckhand-years": [[mean(years)]],
        "captains": [sorted(row["name"] for row in crew if row["rank"] == "captain")],
        "yard-hours": [[sum(hours, Decimal("0.00"))]],
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Customers and bookings; there is no e-mail address in the database, nor in a file."""
    with closing(sqlite3.connect(folder / "db" / "tickets.db")) as db:
        ((off,),) = db.execute(CANCELLED, (words["vehicle"],)).fetchall()
        ((heads, count),) = db.execute(HEADS, (words["customer"],)).fetchall()
        assert count > 2
        ((different, there),) = db.execute(DIFFERENT, (words["destination"],)).fetchall()
        assert different < there
        (earliest, stamp), (_, later) = db.execute(EARLIEST).fetchall()
        assert stamp < later
        names = [name for (name,) in db.execute("select name from customers")]
        assert len(names) == len(set(names))
        assert names.count(words["addressee"]) == 1
        assert "@" not in "\n".join(db.iterdump())
    files = [path for path in folder.rglob("*") if path.suffix in PLAIN]
    assert not [path for path in files if "@" in path.read_text("utf-8")]
    return {
        "cancelled-vehicles": ways(off),
        "customer-passengers": ways(heads),
        "different-customers": ways(different),
        "earliest-booking": [[earliest]],
        "customer-mail": [],
    }


def site(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The timetable and the departures, which say the same."""
    plan = re.findall(r"<td>(\w+)</td><td>(\d\d:\d\d)</td><td>(\d)</td>", text(folder, "site/timetable.html"))
    told = json.loads(text(folder, "site/api/departures.json"))["departures"]
    assert sorted(plan) == sorted((row["destination"], row["time"], str(row["quay"])) for row in told)
    last = max(leaves for place, leaves, _ in plan if place == words["island"])
    (ship,) = [row["ship"] for row in told if row["time"] == words["time"]]
    (seats,) = [row["seats"] for row in rows(folder, "tables/ships.csv", ",") if row["ship"] == ship]
    return {"last-ferry": [[last]], "departure-seats": [[ship, seats]]}


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    found = notes(folder, words) | settings(folder, words) | logs(folder, words) | tables(folder, words)
    adults, children, adult, child, discount = (
        Fraction(words[name]) for name in ("adults", "children", "adult_fare", "child_fare", "discount")
    )
    kernel = subprocess.run(["uname", "-r"], capture_output=True, text=True, check=True).stdout.strip()
    second, largest = sorted((folder / "archive").iterdir(), key=lambda path: len(path.read_bytes()))[-2:]
    assert second.stat().st_size < largest.stat().st_size
    return found | database(folder, words) | site(folder, words) | {
        "group-fare": [[euros((adults * adult + children * child) * (100 - discount) / 100)]],
        "kernel-release": [[kernel]],
        "largest-file": [[largest.name]],
    }  # fmt: skip
