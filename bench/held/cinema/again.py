"""The answers a second time: read from the files of a world, the draw is not known here."""

from __future__ import annotations

import configparser
import json
import re
import sqlite3
import subprocess
import tomllib
from contextlib import closing
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from world import find, rows, text, ways

PLAIN = (".md", ".toml", ".ini", ".log", ".csv", ".tsv", ".jsonl", ".html", ".json")
KIND = "select count(*) from members where kind = ?"
SPENT = "select total(price_eur), count(*) from tickets join members using (member_id) where name = ?"
POPULAR = "select title, count(*) as n from tickets join films using (film_id) group by title order by n desc limit 2"
PATRONS = "select name from members where kind = 'patron' and town = ? order by member_id"
LENGTH = "select minutes from films where title = ?"


def cents(number: Decimal) -> str:
    """With two decimals, rounded as people do."""
    return str(number.quantize(Decimal("0.01"), ROUND_HALF_UP))


def absent(folder: Path, words: dict[str, str]) -> None:
    """That a contract's end and the price of an hour in the car park are nowhere."""
    kept = {path.name: path.read_text("utf-8") for path in folder.rglob("*") if path.suffix in PLAIN}
    lines = [line for name, held in kept.items() if name != "expect.json" for line in held.splitlines()]
    (contract,) = [line for line in lines if "contract" in line.lower()]
    assert "Brightwater" in contract
    (supplier,) = [line for line in lines if words["distributor"] in line]
    assert re.fullmatch(r"\| [\w ]+ \| \w+ \w+ \| \d\d % \|", supplier)
    (parking,) = [line for line in lines if re.search(r"car park|parking", line, re.I)]
    assert re.findall(r"[\d.]+ euro\w*(?: \w+)*", parking) == ["1.50 euros a day"]
    assert "lockers are 1.50" in parking


def papers(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Notes and settings."""
    notes = {path.name: path.read_text("utf-8") for path in (folder / "notes").iterdir()}
    matinee = [line for held in notes.values() for line in held.splitlines() if "matinee" in line]
    assert len(matinee) == 2
    old = find(r"family matinee at (\d+:\d\d)", notes["programme.md"])
    new = find(r"From October on the family matinee starts at (\d+:\d\d)\.", notes["team-meeting-2025-09-08.md"])
    assert old != new
    with (folder / "config" / "screens.toml").open("rb") as stream:
        trailers = tomllib.load(stream)["before_film"]["trailers_minutes"]
    shop = configparser.ConfigParser()
    shop.read(folder / "config" / "webshop.ini")
    each = Decimal(words["price"]) + Decimal(shop["fees"]["booking_per_ticket_eur"])
    assert int(words["count"]) <= int(shop["orders"]["max_tickets"])
    return {
        "matinee-start": [[new]],
        "spare-key": [[find(rf"- {words['door']}: (\w+ \w+)\n", "".join(notes.values()))]],
        "trailer-minutes": ways(trailers),
        "contract-end": [],
        "school-booking": [[cents(each * int(words["count"]))]],
    }


def moments(day: str, clock: str) -> list[list[str]]:
    """How a day and a time can be written."""
    when = datetime.strptime(day, "%Y-%m-%d")
    number, month = when.strftime("%d").lstrip("0"), when.strftime("%B")
    return [[name, clock] for name in (day, f"{number} {month}", f"{month} {number}", f"{number}. {month}")]


def logs(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The projectors, the doors."""
    told = {path.name: path.read_text("utf-8") for path in (folder / "logs").iterdir()}
    for log in told.values():
        stamps = [line[:16] for line in log.splitlines()]
        assert stamps == sorted(set(stamps))
        assert 150 < len(stamps) < 600
    warned = [line for line in told["projector.log"].splitlines() if line.startswith(words["warn_day"])]
    warned = [line for line in warned if " WARN " in line]
    failed = re.findall(r"ERROR (P-\d+) LAMP_FAIL", told["projector.log"])
    assert failed[-1] not in failed[:-1]
    gear = rows(folder, "tables/equipment.tsv", "\t")
    (room,) = [row["room"] for row in gear if row["serial"] == failed[-1]]
    opened = re.findall(r"(?m)^(\S+) (\S+) door=fire event=opened ", told["doors.log"])
    assert len(opened) > 2
    small, large = sorted(len(log.encode()) for log in told.values())[-2:]
    assert large > 1.1 * small
    return {
        "projector-warnings": ways(len(warned)),
        "failed-lamp": [[room]],
        "fire-door": moments(*opened[-1]),
        "largest-log": [[name for name, log in told.items() if len(log.encode()) == large]],
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Screenings, the kiosk, maintenance, feedback."""
    shows = rows(folder, "tables/screenings.csv", ",")
    stock = rows(folder, "tables/kiosk.csv", ",")
    short = [row["article"] for row in stock if int(row["pieces"]) < int(row["reorder_at"])]
    assert len(short) == 3
    jobs = sorted(rows(folder, "tables/maintenance.tsv", "\t"), key=lambda row: -int(row["minutes"]))
    assert int(jobs[0]["minutes"]) > int(jobs[1]["minutes"])
    given = [json.loads(line) for line in text(folder, "tables/feedback.jsonl").splitlines()]
    stars = [row["stars"] for row in given if row["film"] == words["rated"]]
    assert len(stars) > 7
    return {
        "film-tickets": [[sum(int(row["tickets"]) for row in shows if row["film"] == words["film"])]],
        "quiet-screenings": [[len([row for row in shows if int(row["tickets"]) < int(words["limit"])])]],
        "reorder": [short],
        "longest-job": [[jobs[0]["technician"], jobs[0]["minutes"]]],
        "average-stars": [[cents(Decimal(sum(stars)) / len(stars))]],
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Members, films, tickets; and a film that a page names."""
    opening = find(r"It opens on \d+ December with <b>([^<]+)</b>", text(folder, "site/festival.html"))
    with closing(sqlite3.connect(folder / "db" / "cinema.db")) as db:
        ((kind,),) = db.execute(KIND, (words["kind"],)).fetchall()
        ((spent, bought),) = db.execute(SPENT, (words["member"],)).fetchall()
        (best, most), (_, second) = db.execute(POPULAR).fetchall()
        patrons = [name for (name,) in db.execute(PATRONS, (words["town"],))]
        ((minutes,),) = db.execute(LENGTH, (opening,)).fetchall()
        names = [name for (name,) in db.execute("select name from members")]
    assert len(names) == len(set(names))
    assert bought > 3
    assert most > second
    return {
        "member-kind": [[kind]],
        "member-spent": [[f"{spent:.2f}"]],
        "popular-film": [[best]],
        "patron-list": [patrons],
        "festival-opening": [[opening, minutes]],
    }


def sums(words: dict[str, str]) -> dict[str, Any]:
    """What has its numbers in the task."""
    share = Decimal(words["taken"]) / Decimal(words["seats"]) * 100
    length = timedelta(minutes=int(words["minutes"]) + int(words["pause"]))
    ends = datetime.strptime(words["start"], "%H:%M") + length
    assert ends.day == 1
    clock, short = f"{ends:%H:%M}", f"{ends:%I:%M}".lstrip("0")
    return {"occupancy": [[cents(share)]], "film-end": [[clock], [f"{short} pm"], [f"{short} p.m."]]}


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    absent(folder, words)
    found = papers(folder, words) | logs(folder, words) | tables(folder, words) | database(folder, words) | sums(words)
    (free,) = [
        show["seats_free"]
        for show in json.loads(text(folder, "site/api/tonight.json"))
        if show["film"] == words["tonight"]
    ]
    kernel = subprocess.run(["uname", "-r"], capture_output=True, text=True, check=True).stdout.strip()
    return found | {"seats-free": [[free]], "kernel": [[kernel]], "car-park": []}
