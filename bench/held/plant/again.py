"""The answers a second time: read from the files and pages of a world, the draw is not known here."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
import urllib.request
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

READABLE = ("binder", "settings", "journal", "tables", "outbox", "site")
VALUE = "select sum(l.qty * p.unit_price) from order_lines l join products p using (sku) where l.order_no = ?"
RANKS = (
    "select p.title, l.sku, sum(l.qty) n from order_lines l join products p using (sku) "
    "group by l.sku order by n desc limit 2"
)


def text(folder: Path, name: str) -> str:
    """A file."""
    return (folder / name).read_text("utf-8")


def rows(folder: Path, name: str, separator: str) -> list[dict[str, str]]:
    """A table."""
    with (folder / "tables" / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=separator))


def page(words: dict[str, str], path: str) -> str:
    """A page, as it is served."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(words["site"] + path, timeout=10) as answer:
        return str(answer.read().decode())


def only(found: list[Any]) -> Any:
    """What is there once."""
    assert len(found) == 1, found
    return found[0]


def binder(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Papers."""
    files = [path for path in sorted((folder / "binder").rglob("*")) if path.is_file()]
    papers = "\n".join(path.read_text("utf-8") for path in files)
    caustic, memo = r"caustic of ([\d.]+) %", text(folder, "binder/memos/2025-02-technical-memo.md")
    assert len(set(re.findall(caustic, papers))) == len(re.findall(caustic, papers)) == 2
    return {
        "vent-minutes": [only(re.findall(r"mindestens (\d+) Minuten", papers))],
        "caustic-strength": [only(re.findall(caustic, memo))],
        "shelf-life": [only(re.findall(rf"^\| {re.escape(words['shelf_beer'])} \| (\d+) \|$", papers, re.M))],
    }


def journal(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Logs."""
    cellar = text(folder, "journal/cellar.log")
    alarms = [line.split()[3] for line in cellar.splitlines() if line.split()[2] == "ALARM"]
    workshop = text(folder, "journal/workshop.log")
    pump = only(re.findall(r"(P-\d+) is leaking", workshop))
    assert workshop.count(pump) == workshop.count("leak") == 1
    spares = rows(folder, "spares.tsv", "\t")
    last = text(folder, "journal/forklift.log").splitlines()[-1]
    seen = re.fullmatch(r"\S+ (\S+) truck=\S+ driver=(.+) battery=(\d+)% gate=\d", last)
    assert seen
    return {
        "filler-stops": [text(folder, "journal/filler.log").count(f"reason={words['stop_reason']} ")],
        "last-alarm": [alarms[-1]],
        "write-api-500": [len(re.findall(r'"status": 500\b', text(folder, "journal/order-api.log")))],
        "cellar-lines": [cellar.count("\n")],
        "forklift-last": list(seen.groups()),
        "leaking-pump": [only([row["shelf"] for row in spares if (row["fits"], row["item"]) == (pump, "seal kit")])],
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Tables, and sums of what the tasks say."""
    batches = rows(folder, "batches.csv", ",")
    top = max(Decimal(row["abv"]) for row in batches)
    strongest = only([row for row in batches if Decimal(row["abv"]) == top])
    meter = [Decimal(row["kwh"]) for row in rows(folder, "energy.tsv", "\t") if row["meter"] == words["kwh_meter"]]
    assert len(meter) == 31
    due = [
        Decimal(row["invoice_eur"])
        for row in rows(folder, "deliveries.csv", ";")
        if (row["supplier"], row["settled"]) == (words["owed_supplier"], "no")
    ]
    assert len(due) >= 3
    orders = rows(folder, "workorders.csv", ",")
    work = [row["order_no"] for row in orders if (row["asset"], row["state"]) == (words["wo_asset"], "open")]
    assert 2 <= len(work) <= 4, work
    hold = only(re.findall(r"B\d{4}", page(words, "/notice")))
    brewed, filled = float(words["brewed"]), float(words["filled"])
    return {
        "owed-supplier": [f"{sum(due):.2f}"],
        "average-kwh": [f"{float(sum(meter)) / len(meter):.2f}"],
        "strongest-batch": [strongest["batch"], strongest["abv"]],
        "open-workorders": work,
        "batch-on-hold": [only([row["hl"] for row in batches if row["batch"] == hold])],
        "filling-loss": [f"{(brewed - filled) / brewed * 100:.2f}"],
        "write-bottle-price": [f"{float(words['crates_total']) / int(words['crates']) / 20:.2f}"],
    }


def database(folder: Path, words: dict[str, str]) -> tuple[dict[str, Any], list[list[str]]]:
    """Orders; also the names of the product that is ordered most, one of which is enough."""
    with closing(sqlite3.connect(folder / "store" / "brewery.db")) as db:

        def ask(sql: str, *values: object) -> list[Any]:
            return db.execute(sql, values).fetchall()

        first, second = ask(RANKS)
        assert first[2] > second[2]
        waiting = ask("select count(*) from orders where shipped_on is null")[0][0]
        assert waiting == ask("select count(*) - count(shipped_on) from orders")[0][0]
        assert len(ask("select 1 from customers where name = ?", words["mail_customer"])) == 1
        assert "mail" not in str(ask("select sql from sqlite_master")).lower()
        assert "@" not in str(ask("select * from customers"))
        value = ask(VALUE, int(words["order_no"]))[0][0]
    beer = re.sub(r" (0\.33 l|0\.5 l|keg 30 l)$", "", first[0])
    return {"order-value": [f"{value:.2f}"], "write-unshipped": [waiting]}, [[beer], [first[1]]]


def site(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Pages; nowhere is a number of the desk that has none, or an address of mail."""
    contacts = page(words, "/contacts").lower()
    assert words["missing_desk"] not in contacts + page(words, "/").lower()
    assert contacts.count("extension") == 5
    files = [path for name in READABLE for path in (folder / name).rglob("*") if path.is_file()]
    assert not any("@" in path.read_text("utf-8") for path in files)
    assert not any("extension" in path.read_text("utf-8") for path in files if path.name != "contacts.html")
    lines = json.loads(page(words, "/api/lines.json"))["lines"]
    price = rf"<td>{words['tour'].capitalize()}</td><td>[\d:]+</td><td>([\d.]+) euros"
    return {
        "tour-price": [only(re.findall(price, page(words, "/tours")))],
        "line-rejects": [only([entry["rejects"] for entry in lines if str(entry["line"]) == words["line"]])],
    }


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    kept, product = database(folder, words)
    found = binder(folder, words) | journal(folder, words) | tables(folder, words) | kept | site(folder, words)
    absent: dict[str, Any] = {"customer-email": [], "lab-extension": [], "architecture": None}  # None: not in the files
    return {name: [parts] for name, parts in found.items()} | {"top-product": product} | absent
