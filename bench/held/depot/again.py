"""The answers a second time: read from the files of a world, the draw is not known here."""

from __future__ import annotations

import json
import re
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path
from statistics import fmean
from typing import Any

from world import find, rows, text

KINDS = (".md", ".html", ".log", ".toml", ".ini", ".yaml", ".csv", ".tsv", ".txt")
PALLETS = "select sum(pallets) from consignments join customers using (customer_id) where customer_name = ?"
QUERIED = "select count(*) from declarations where customs_office = ? and status = 'queried'"
RANKS = """
select full_name, count(*) n from deliveries join drivers using (driver_id)
where strftime('%Y-%m', delivered_on) = ? group by driver_id order by n desc
"""
MONTHS = ("January", "February", "March", "April", "May", "June")


def notes(folder: Path) -> dict[str, Any]:
    """Notes and settings."""
    rules, circular = text(folder, "handbook/loading-rules.md"), text(folder, "handbook/circular-2025-06.md")
    for line in "\n".join(path.read_text("utf-8") for path in (folder / "handbook").rglob("*.md")).splitlines():
        assert not re.search(r"weigh.*(\d|euro)", line.lower())
    return {
        "pallet-height": [find(r"upper deck .* at most (\d+) cm", rules)],
        "storage-charge": [find(r"from 1 June 2025, .* costs (\d+) euros", circular)],
        "exit-timeout": [tomllib.loads(text(folder, "config/gate.toml"))["exit"]["timeout_s"]],
        "handover-files": [len(list((folder / "handbook" / "handovers").iterdir()))],
    }


def logs(folder: Path) -> dict[str, Any]:
    """The gates, the scanners, the dock."""
    scans, gate = text(folder, "logs/scanner.log"), text(folder, "logs/gate.log")
    assert scans.splitlines() == sorted(scans.splitlines())
    damaged = re.findall(r"parcel=(\w+) DAMAGED", scans)
    assert len(damaged) == scans.count("DAMAGED") > 1
    assert len(set(damaged)) == len(damaged)
    plate = find(r"lorry=(\S+) seal=broken", text(folder, "logs/dock.log"))
    fleet = rows(folder, "tables/fleet.tsv", "\t")
    assert len({row["payload_kg"] for row in fleet}) == len(fleet)
    (payload,) = [row["payload_kg"] for row in fleet if row["plate"] == plate]
    sizes = sorted(((path.stat().st_size, path.name) for path in (folder / "logs").iterdir()), reverse=True)
    assert sizes[0][0] > sizes[1][0]
    return {
        "gate-refusals": [sum("REFUSED" in line.split() for line in gate.splitlines())],
        "first-damaged": [damaged[0]],
        "broken-seal": [payload],
        "scanner-lines": [scans.count("\n")],
        "largest-log": [sizes[0][1], sizes[0][0]],
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Shipments, tours, lorries, parcels, duties."""
    shipments = rows(folder, "tables/shipments.csv", ",")
    minutes = [
        int(row["driving_min"])
        for row in rows(folder, "tables/tours.csv", ";")
        if row["driver"] == words["tour_driver"]
    ]
    fleet = sorted(rows(folder, "tables/fleet.tsv", "\t"), key=lambda row: int(row["odometer_km"]))
    assert int(fleet[-1]["odometer_km"]) > int(fleet[-2]["odometer_km"])
    assert len({row["plate"] for row in fleet}) == len(fleet)
    parcels, limit = rows(folder, "tables/parcels.csv", ","), float(words["weight_limit"])
    assert all(float(row["weight_kg"]) != limit for row in parcels)
    (duty,) = [row["duty_pct"] for row in rows(folder, "tables/tariff.csv", ",") if row["hs_code"] == words["hs_code"]]
    return {
        "destination-weight": [
            sum(int(row["gross_kg"]) for row in shipments if row["destination"] == words["destination"])
        ],
        "tour-average": [f"{fmean(minutes):.2f}"],
        "top-odometer": [fleet[-1]["plate"], fleet[-1]["odometer_km"]],
        "heavy-held": [sum(row["status"] == "held" and float(row["weight_kg"]) > limit for row in parcels)],
        "duty-rate": [duty],
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Consignments, deliveries, declarations."""
    month = f"2025-{MONTHS.index(words['month']) + 1:02d}"
    with closing(sqlite3.connect(folder / "db" / "depot.db")) as db:
        ranks = db.execute(RANKS, (month,)).fetchall()
        assert ranks[0][1] > ranks[1][1]
        ((seal,),) = db.execute("select seal_no from consignments where container_no = ?", (words["container"],))
        return {
            "customer-pallets": list(db.execute(PALLETS, (words["customer"],)).fetchone()),
            "busiest-driver": [ranks[0][0]],
            "queried-declarations": list(db.execute(QUERIED, (words["office"],)).fetchone()),
            "container-seal": [seal],
        }


def site(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The pages, and what needs no file."""
    schedule, contacts = (text(folder, f"site/{name}.html") for name in ("schedule", "contacts"))
    assert words["desk"] in contacts.lower()
    halls = json.loads(text(folder, "site/api/halls.json"))["halls"]
    (free,) = [hall["bays"]["chilled"]["free"] for hall in halls if hall["hall"] == words["hall"]]
    value = float(words["value"])
    return {
        "acceptance-time": [find(rf"<td>{words['line_town']}</td><td>([\d:]+)<", schedule)],
        "chilled-bays": [free],
        "diesel": [f"{float(words['per_100']) / 100 * float(words['distance']):.2f}"],
        "import-vat": [f"{(value + value * float(words['duty']) / 100) * 0.19:.2f}"],
    }


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    whole = "\n".join(path.read_text("utf-8") for path in folder.rglob("*") if path.suffix in KINDS).lower()
    assert "@" not in whole
    assert "mail" not in whole
    found = notes(folder) | logs(folder) | tables(folder, words) | database(folder, words) | site(folder, words)
    return {name: [parts] for name, parts in found.items()} | {"weighbridge-fee": [], "desk-email": []}
