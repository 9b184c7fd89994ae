"""The answers a second time: read from the files of a world, the draw is not known here."""

from __future__ import annotations

import configparser
import json
import re
import sqlite3
from contextlib import closing
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from world import euros, find, rows, text, ways

PLAIN = (".md", ".txt", ".toml", ".ini", ".yaml", ".log", ".jsonl", ".csv", ".html", ".json")
OWED = """select i.amount_eur from invoices i, orders o, customers c
where i.order_id = o.order_id and o.customer_id = c.customer_id and c.name = ? and i.status = 'unpaid'"""
LARGEST = "select name, copies from orders natural join customers order by copies desc limit 2"


def papers(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Notes, letters and settings; the phone number of those who service the guillotine is nowhere."""
    notes = {path.name: path.read_text("utf-8") for path in (folder / "notes").iterdir()}
    whole = "\n".join(notes.values())
    old = find(r"order value of (\d+) euros on, delivery is free", notes["delivery.md"])
    new = find(r"free only from an order value of (\d+) euros", notes["meeting-2026-11-09.md"])
    assert int(old) < int(new)
    assert len(re.findall(r"order value", whole)) == 2
    warm = find(r"laminator. It needs (\d+) minutes", notes["opening.md"])
    assert len(re.findall(r"minutes to warm up", whole)) == 2
    settings = configparser.ConfigParser()
    settings.read_string(text(folder, "config/print.ini"))
    kept = {path: path.read_text("utf-8") for path in folder.rglob("*") if path.suffix in PLAIN}
    kept = {path: held for path, held in kept.items() if path.name != "expect.json"}
    lines = [line for held in kept.values() for line in held.splitlines() if words["firm"] in line]
    assert len(lines) == 1
    assert "Guillotine" in lines[0]
    assert not re.search(r"phone|\d{3} \d{3}", lines[0])
    assert sum("guillotine" in held.lower() for held in kept.values()) == 1
    last = words["stranger"].split()[1]
    assert not [path for path, held in kept.items() if last in held or words["absent"].lower() in held.lower()]
    letters = {path.name: path.read_text("utf-8") for path in (folder / "letters").iterdir()}
    (asked,) = [held for held in letters.values() if words["topic"] in held]
    assert whole.count(words["topic"]) == 0
    sizes = sorted(((folder / "letters" / name).stat().st_size, name) for name in letters)
    assert sizes[-1][0] > sizes[-2][0]
    return {
        "free-delivery": [[new]],
        "laminator-warmup": ways(int(warm)),
        "poster-dpi": [[settings["poster"]["dpi"]]],
        "guillotine-phone": [],
        "who-complained": [[find(r"Yours sincerely\n(.+)\n", asked)]],
        "letter-count": [[str(len(letters))]],
        "largest-letter": [[sizes[-1][1]]],
    }


def logs(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The copier, the print server, the van."""
    day = f"{datetime.strptime(words['jam_day'] + ' 2026', '%d %B %Y'):%Y-%m-%d}"
    copier = text(folder, "logs/copier.log").splitlines()
    assert sorted(copier, key=lambda line: line[:19]) == copier
    jams = [line for line in copier if line.startswith(day) and "paper jam" in line]
    assert len(jams) == sum("jam" in line.lower() for line in copier if line.startswith(day))
    queue = [json.loads(line) for line in text(folder, "logs/queue.jsonl").splitlines()]
    assert sorted(queue, key=lambda event: str(event["at"])) == queue
    failed = [event["job"] for event in queue if event["event"] == "failed"]
    (job,) = [row for row in rows(folder, "tables/jobs.csv", ",") if row["job_no"] == str(failed[-1])]
    stops = re.findall(r'(?m)^(\S+ \S+) stop="([^"]+)" minutes=(\d+) parcels=\d+$', text(folder, "logs/van.log"))
    assert len(stops) == len(text(folder, "logs/van.log").splitlines())
    assert sorted(stops, key=lambda stop: str(stop[0])) == stops
    (_, place, minutes), second = sorted(stops, key=lambda stop: -int(stop[2]))[:2]
    assert int(minutes) > int(second[2])
    return {
        "jam-count": ways(len(jams)),
        "failed-customer": [[job["customer"]]],
        "longest-stop": [[place, minutes]],
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Paper, machines, jobs, complaints, deliveries."""
    packs = [int(row["packs"]) for row in rows(folder, "tables/paper.csv", ",")]
    assert int(words["limit"]) not in packs
    kinds = [(row["paper"], row["grams"]) for row in rows(folder, "tables/paper.csv", ",")]
    assert len(kinds) == len(set(kinds))
    machines = rows(folder, "tables/machines.csv", ";")
    top, second = sorted(machines, key=lambda row: -int(row["pages_printed"]))[:2]
    assert top["pages_printed"] != second["pages_printed"]
    jobs = rows(folder, "tables/jobs.csv", ",")
    sold = [Decimal(row["amount_eur"]) for row in jobs if row["product"] == words["product"]]
    complaints = rows(folder, "tables/complaints.csv", ",")
    still = [row for row in complaints if (row["cause"], row["status"]) == (words["cause"], "open")]
    driven = rows(folder, "tables/deliveries.csv", ",")
    took = [int(row["minutes"]) for row in driven if row["district"] == words["district"]]
    mean = (Decimal(sum(took)) * 100 / len(took)).quantize(Decimal(1), ROUND_HALF_UP)
    for found, day in ((jobs, "ordered_on"), (complaints, "received_on"), (driven, "day")):
        assert max(row[day] for row in found) < "2026-12-01"
    return {
        "paper-low": ways(sum(count < int(words["limit"]) for count in packs)),
        "most-pages": [[top["machine"], top["pages_printed"]]],
        "product-total": [[str(sum(sold, Decimal("0.00")))]],
        "open-complaints": ways(len(still)),
        "delivery-average": [[f"{mean / 100:.2f}"]],
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Customers, orders, invoices; the stranger is none of the customers."""
    with closing(sqlite3.connect(folder / "db" / "shop.db")) as db:
        ((unpaid,),) = db.execute("select count(*) from invoices where status = 'unpaid'").fetchall()
        owed = [Decimal(str(amount)) for (amount,) in db.execute(OWED, (words["customer"],))]
        (largest, copies), (_, fewer) = db.execute(LARGEST).fetchall()
        names = [str(name) for (name,) in db.execute("select name from customers")]
    assert copies > fewer
    assert len(owed) > 1
    assert len(names) == len(set(names))
    assert not [name for name in names if {*name.split()} & {*words["stranger"].split()}]
    return {
        "unpaid-invoices": [[str(unpaid)]],
        "customer-owes": [[f"{sum(owed, Decimal(0)):.2f}"]],
        "largest-order": [[largest]],
        "absent-customer": [],
    }


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    found = papers(folder, words) | logs(folder, words) | tables(folder, words) | database(folder, words)
    flyers, each, percent, setup = (Fraction(words[name]) for name in ("flyers", "each", "percent", "setup"))
    pages, copies, spare = (int(words[name]) for name in ("pages", "copies", "spare"))
    assert pages % 4 == 0
    price = Fraction(find(rf"<td>Poster {words['size']}</td><td>([\d.]+)</td>", text(folder, "site/prices.html")))
    queue = json.loads(text(folder, "site/api/queue.json"))["waiting"]
    (machine,) = [row for row in rows(folder, "tables/machines.csv", ";") if row["kind"] == words["kind"]]
    (wait,) = [row["pages"] for row in queue if row["machine"] == machine["machine"]]
    return found | {
        "flyer-total": [[euros(flyers * each / 100 * (1 - percent / 100) + setup)]],
        "booklet-sheets": [[str(copies * (pages // 4) + spare)]],
        "poster-price": [[euros(price * int(words["posters"]))]],
        "waiting-pages": [[str(wait)]],
        "absent-service": [],
    }
