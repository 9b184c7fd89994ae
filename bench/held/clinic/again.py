"""The answers a second time: read from the files of a world, the draw is not known here."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

from world import find, rows, text

KINDS = (".md", ".html", ".log", ".toml", ".ini", ".csv", ".tsv", ".txt")
BILL = "select sum(qty * unit_price) from visit_items join items using (item_id) where visit_id = ?"
RANKS = "select vet, count(*) n from visits where strftime('%Y', seen_on) = ? group by vet order by n desc"


def notes(folder: Path) -> dict[str, Any]:
    """Notes and settings."""
    rules, meeting = text(folder, "practice/house-rules.md"), text(folder, "practice/team-meeting-2025-03.md")
    return {
        "isolation-days": [find(r"cat flu stay in isolation for (\d+) days", rules)],
        "night-surcharge": [find(r"Since 1 March 2025 it is (\d+) euros", meeting)],
        "reminder-hours": [find(r"hours_before = (\d+)", text(folder, "settings/reminders.toml"))],
    }


def logs(folder: Path) -> dict[str, Any]:
    """The fridge, the booking site, the telephone."""
    fridge = text(folder, "logs/fridge.log").splitlines()
    access = text(folder, "logs/booking.access.log")
    assert fridge == sorted(fridge)
    warm = [float(degrees) > 8 for degrees in re.findall(r" ([\d.]+)C ", "\n".join(fridge))]
    assert sum("WARM" in line for line in fridge) == sum(warm)
    calls = [line for line in text(folder, "logs/phone.log").splitlines() if "hook" in line]
    hooked = find(r" about (\w+):", "\n".join(calls))
    (weight,) = [row["weight_kg"] for row in rows(folder, "tables/patients.csv", ",") if row["name"] == hooked]
    return {
        "fridge-warm": [sum(line.endswith(" WARM") for line in fridge)],
        "booking-503": [sum(line.split('"')[2].split()[0] == "503" for line in access.splitlines())],
        "last-door-alarm": [[line.split()[1] for line in fridge if " DOOR " in line][-1]],
        "write-log-lines": [access.count("\n")],
        "last-reading": [fridge[-1].split()[3].rstrip("C")],
        "hook-weight": [weight],
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Patients, invoices, stock."""
    stock, pets = rows(folder, "tables/stock.tsv", "\t"), rows(folder, "tables/patients.csv", ",")
    assert len({row["name"] for row in pets}) == len(pets)
    assert len({row["drug"] for row in stock}) == len(stock)
    weights = [float(row["weight_kg"]) for row in pets if row["species"] == words["mean_species"]]
    most = sorted(stock, key=lambda row: int(row["packs"]))
    assert int(most[-1]["packs"]) > int(most[-2]["packs"])
    limit = datetime.strptime(words["expiry_day"], "%d %B %Y").date()
    price = {row["drug"]: float(row["pack_price"]) for row in stock}[words["bulk_drug"]]
    sizes = sorted(((path.stat().st_size, path.name) for path in (folder / "tables").iterdir()), reverse=True)
    assert sizes[0][0] > sizes[1][0]
    due = [
        round(float(row["net_eur"]) * 100)
        for row in rows(folder, "tables/invoices.csv", ";")
        if (row["service"], row["settled"]) == (words["open_service"], "no")
    ]
    recalled = find(r"maker of (\w+) has", text(folder, "site/recall.html"))
    return {
        "unsettled-service": [f"{sum(due) / 100:.2f}"],
        "rabbit-weight": [f"{sum(weights) / len(weights):.2f}"],
        "most-packs": [most[-1]["drug"], most[-1]["packs"]],
        "expiring-drugs": [row["drug"] for row in stock if date.fromisoformat(row["expires"]) < limit],
        "surgery-vat": [f"{float(words['net']) * 1.19:.2f}"],
        "bulk-discount": [f"{int(words['packs']) * price * (1 - int(words['discount']) / 100):.2f}"],
        "largest-table": [sizes[0][1], sizes[0][0]],
        "recalled-packs": [row["packs"] for row in stock if row["drug"] == recalled],
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Owners, visits, items."""
    with closing(sqlite3.connect(folder / "db" / "clinic.db")) as db:

        def sql(query: str, *values: object) -> Any:
            return db.execute(query, values).fetchone()[0]

        assert "email" not in str(sql("select group_concat(sql) from sqlite_master")).lower()
        assert sql("select count(*) from owners where full_name = ?", words["mail_owner"]) == 1
        ranks = db.execute(RANKS, (words["visit_year"],)).fetchall()
        assert ranks[0][1] > ranks[1][1]
        return {
            "visit-bill": [f"{sql(BILL, int(words['visit'])):.2f}"],
            "busiest-vet": [ranks[0][0]],
            "write-follow-ups": [sql("select count(*) - count(follow_up) from visits")],
        }


def site(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The pages."""
    fees, team = (re.sub(r"<[^>]+>", "\n", text(folder, f"site/{name}.html")) for name in ("fees", "team"))
    assert words["mobile_vet"] in team
    days = json.loads(text(folder, "site/api/slots.json"))["days"]
    day = next(day for day in days if day["day"] == words["slot_day"])
    service = re.sub("^a ", "", words["fee_service"]).capitalize()
    return {
        "chip-fee": [find(rf"{service}\s+EUR ([\d.]+)", fees)],
        "free-slots": [day["free"][words["half"]]],
    }


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    whole = "\n".join(path.read_text("utf-8") for path in folder.rglob("*") if path.suffix in KINDS).lower()
    assert "@" not in whole
    assert "mobile" not in whole
    assert not re.search(r"\bphone", whole)
    found = notes(folder) | logs(folder) | tables(folder, words) | database(folder, words) | site(folder, words)
    return {name: [parts] for name, parts in found.items()} | {"owner-email": [], "vet-mobile": []}
