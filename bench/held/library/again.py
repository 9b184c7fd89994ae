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

import yaml
from world import euros, find, rows, text, ways

PLAIN = {".md", ".txt", ".yaml", ".json", ".toml", ".log", ".jsonl", ".csv", ".tsv", ".html"}
OWED = """select total(amount_eur), count(*) from fines where status = 'unpaid'
and member_id = (select member_id from members where name = ?)"""
TOP = """select name, count(*) as often from loans join members using(member_id)
group by member_id order by often desc limit 2"""
STUDENTS = "select name, joined_on from members where type = 'student' order by joined_on limit 2"


def hundredths(above: int, below: int) -> str:
    """A quotient with two decimals."""
    return str((Decimal(above) / Decimal(below)).quantize(Decimal("0.01"), ROUND_HALF_UP))


def papers(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Notes: the tuner is in one of them, and nowhere with an address; a card has a price in two."""
    kept = {path.name: path.read_text("utf-8") for path in (folder / "notes").iterdir()}
    old = find(r"\| Replacement library card \| ([\d.]+) \|", kept["fees.md"])
    new = find(r"From 1 February 2026 a replacement library card costs ([\d.]+) euros", kept["circular-2026-02.md"])
    assert float(old) < float(new)
    assert len(re.findall("(?i)replacement", "\n".join(kept.values()))) == 2
    files = [path for path in folder.rglob("*") if path.suffix in PLAIN and path.name != "expect.json"]
    held = {path.name: path.read_text("utf-8") for path in files}
    assert [name for name, told in held.items() if words["tuner"].split()[-1] in told] == ["piano.txt"]
    assert "@" not in held["piano.txt"]
    assert [name for name, told in held.items() if "@" in told] == ["contacts.md"]
    assert not [name for name, told in held.items() if words["stranger"] in told]
    counted = subprocess.run(["wc", "-w", folder / "notes" / "house-rules.txt"], capture_output=True, text=True)
    return {"card-price": [[new]], "tuner-mail": [], "rules-words": [[counted.stdout.split()[0]]]}


def config(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Settings."""
    now, old = (json.loads(text(folder, f"config/{name}.json")) for name in ("selfcheck", "selfcheck-old"))
    assert now["session"]["timeout_seconds"] != old["session"]["timeout_seconds"]
    rounds = yaml.safe_load(text(folder, "config/bookmobile.yaml"))["rounds"]
    stops = rounds[words["weekday"].lower()]["stops"]
    (time,) = [stop["arrives"] for stop in stops if stop["place"] == words["stop"]]
    times = [stop["arrives"] for day in rounds.values() for stop in day["stops"]]
    assert times.count(time) == 1
    fee = Fraction(str(tomllib.loads(text(folder, "config/fees.toml"))["overdue"]["book"]["per_day_eur"]))
    return {
        "session-timeout": ways(now["session"]["timeout_seconds"]),
        "stop-time": [[time]],
        "late-fee": [[euros(fee * int(words["late_books"]) * int(words["late_days"]))]],
    }


def logs(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The gates, the sorter, the catalogue; and which of them is the largest."""
    alarms = re.findall(rf"(?m)^.* branch={words['gate_branch']} .* event=ALARM ", text(folder, "logs/gates.log"))
    jams = re.findall(r"JAM (\w+)", text(folder, "logs/sorter.log"))
    assert len(jams) == len(set(jams)) == text(folder, "logs/sorter.log").lower().count("jam")
    (title,) = [row["title"] for row in rows(folder, "tables/books.csv", ",") if row["barcode"] == jams[-1]]
    day = f"{datetime.strptime(words['error_day'], '%d %B %Y'):%Y-%m-%d}"
    told = [json.loads(line) for line in text(folder, "logs/catalogue.jsonl").splitlines()]
    errors = [line for line in told if line["level"] == "ERROR" and line["time"].startswith(day)]
    assert not [line for line in told if "error" in line["message"].lower()]
    assert 0 < len(errors) < len([line for line in told if line["level"] == "ERROR"])
    sizes = sorted((len(path.read_bytes()), path.name) for path in (folder / "logs").iterdir())
    assert sizes[-1][0] > sizes[-2][0]
    return {
        "gate-alarms": ways(len(alarms)),
        "last-jam": [[title]],
        "day-errors": [[len(errors)]],
        "largest-log": [[sizes[-1][1]]],
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Books, events, the café, the bookmobile."""
    books, gone = (rows(folder, f"tables/{name}.csv", ",") for name in ("books", "books-withdrawn"))
    longest = max(books, key=lambda row: int(row["pages"]))
    assert [row["pages"] for row in books].count(longest["pages"]) == 1
    assert max(int(row["pages"]) for row in gone) > int(longest["pages"])
    assert not {row["title"] for row in books} & {row["title"] for row in gone}
    events = rows(folder, "tables/events.csv", ",")
    at = [row["branch"] for row in events]
    more, fewer = (
        sum(int(row["visitors"]) for row in events if row["kind"] == words[name]) for name in ("more", "fewer")
    )
    month = f"{datetime.strptime(words['month'], '%B'):2026-%m-}"
    sales = [row for row in rows(folder, "tables/cafe.tsv", "\t") if row["item"] == words["item"]]
    taken = sum((Fraction(row["amount_eur"]) for row in sales if row["sold_on"].startswith(month)), Fraction(0))
    visits = rows(folder, "tables/bookmobile.csv", ",")
    lent = [int(row["loans"]) for row in visits if row["stop"] == words["average_stop"]]
    branch = find(rf"<td>([^<]+)</td><td>{words['head']}</td>", text(folder, "site/branches.html"))
    return {
        "longest-book": [[longest["title"]]],
        "section-authors": ways(len({row["author"] for row in books if row["section"] == words["section"]})),
        "branch-share": [[hundredths(100 * at.count(words["share_branch"]), len(at))]],
        "visitors-difference": ways(more - fewer),
        "head-events": ways(at.count(branch)),
        "cafe-month": [[euros(taken)]],
        "stop-average": [[hundredths(sum(lent), len(lent))]],
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Members, loans, fines."""
    with closing(sqlite3.connect(folder / "db" / "library.db")) as db:
        ((out,),) = db.execute("select count(*) from loans where returned_on is null").fetchall()
        ((owed, count),) = db.execute(OWED, (words["debtor"],)).fetchall()
        (best, most), (_, fewer) = db.execute(TOP).fetchall()
        (student, first), (_, second) = db.execute(STUDENTS).fetchall()
        names = [name for (name,) in db.execute("select name from members")]
    assert count > 1
    assert most > fewer
    assert first < second
    assert len(names) == len(set(names))
    assert words["stranger"] not in names
    return {
        "open-loans": ways(out),
        "member-debt": [[f"{owed:.2f}"]],
        "top-reader": [[best]],
        "first-student": [[student]],
        "absent-member": [],
    }


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    found = papers(folder, words) | config(folder, words) | logs(folder, words)
    found |= tables(folder, words) | database(folder, words)
    rooms = json.loads(text(folder, "site/api/rooms.json"))["rooms"]
    (seats,) = [room["seats"] for room in rooms if room["room"] == words["room"]]
    prices = [int(words[f"{kind}s"]) * Fraction(words[f"{kind}_price"]) for kind in ("novel", "guide")]
    return found | {
        "room-seats": ways(seats),
        "book-order": [[euros(sum(prices) * (100 - int(words["discount"])) / 100)]],
    }
