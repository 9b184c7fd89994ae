"""The answers a second time: read from the files of a world, the draw is not known here."""

from __future__ import annotations

import configparser
import json
import re
import sqlite3
import tomllib
from contextlib import closing
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from world import euros, find, rows, text, ways

PLAIN = (".md", ".txt", ".toml", ".ini", ".log", ".jsonl", ".csv", ".html", ".json", ".igc")
LONGEST = "select name, minutes from flights natural join members order by minutes desc limit 2"
MINUTES = "select sum(minutes), count(*) from flights natural join members where name = ?"
WINCH = "select count(*) from flights where launch = 'winch' and strftime('%Y-%m', flown_on) = ?"
MOST = """select name, count(*) as often from flights natural join members where flown_on like '2026-%'
  group by member_id order by often desc limit 2"""


def december(day: str) -> str:
    """`Saturday 12 December` or `12 December` as in the files; a weekday has to be the right one."""
    *named, number, month = day.split()
    found = datetime.strptime(f"{number} {month} 2026", "%d %B %Y")
    assert not named or named == [f"{found:%A}"]
    return f"{found:%Y-%m-%d}"


def papers(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Notes and settings; what cannot be answered is in none of the files."""
    held = {path.name: path.read_text("utf-8") for path in (folder / "papers").iterdir()}
    whole = "\n".join(held.values())
    old = find(r"\| Winch launch \| ([\d.]+) \|", held["fees-2025.md"])
    new = find(r"a winch launch costs ([\d.]+) euros from 1 May 2026 on", held["committee-2026-03-20.md"])
    assert Fraction(old) < Fraction(new)
    assert len(re.findall(r"(?i)winch", whole)) == 2
    assert "@" not in whole
    assert whole.count(words["neighbour"]) == 1
    kept = {path: path.read_text("utf-8") for path in folder.rglob("*") if path.suffix in PLAIN}
    kept = {path: told for path, told in kept.items() if path.name != "expect.json"}
    assert [path.name for path, told in kept.items() if words["neighbour"] in told] == ["neighbours.md"]
    for word in (words["absent_glider"], words["absent"].split()[0]):
        assert not [path for path, told in kept.items() if word.lower() in told.lower()]
    settings = tomllib.loads(text(folder, "config/winch.toml"))
    fees = configparser.ConfigParser()
    fees.read_string(text(folder, "config/fees.ini"))
    stay = Fraction(fees["visitors"]["hangar_night_eur"]) * int(words["nights"])
    return {
        "winch-fee": [[new]],
        "keeper": [[find(rf"(?m)^{words['duty']}: (.+)$", whole)]],
        "crosswind": ways(settings["weather"]["max_crosswind_kt"]),
        "hangar-nights": [[euros(stay)]],
    }


def logs(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The winch, the tower, the weather station, the fuel pump."""
    told = {name: text(folder, f"logs/{name}.log") for name in ("winch", "tower", "fuel")}
    for log in told.values():
        stamps = [line[:16] for line in log.splitlines()]
        assert stamps == sorted(stamps)
        assert 150 <= len(stamps) <= 500
    broken = re.findall(r"(?m)^(\S+) \S+ CABLE_BREAK ", told["winch"])
    assert len(broken) == told["winch"].lower().count("break")
    (duty,) = [row for row in rows(folder, "tables/roster.csv", ",") if row["date"] == broken[-1]]
    day = f"{datetime.strptime(words['tower_day'] + ' 2026', '%d %B %Y'):%Y-%m-%d}"
    starts = re.findall(rf"(?m)^{day} (\S+) TAKEOFF {words['glider']}$", told["tower"])
    assert len(starts) > 1
    warned = re.findall(r"(?m)^\S+ pump WARN ", told["fuel"])
    assert len(warned) == told["fuel"].lower().count("warn")
    seen = [json.loads(line)["gust_kt"] for line in text(folder, "logs/weather.jsonl").splitlines()]
    assert seen.count(max(seen)) == 1
    return {
        "break-driver": [[duty["winch_driver"]]],
        "first-takeoff": [[min(starts)]],
        "top-gust": ways(max(seen)),
        "fuel-warnings": [[len(warned)]],
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Aircraft, roster, tows, maintenance; what a page of the site and the roster say together."""
    fleet = sorted(rows(folder, "tables/aircraft.csv", ","), key=lambda row: row["next_inspection"])
    assert "2026-12-01" < fleet[0]["next_inspection"] < fleet[1]["next_inspection"]
    duty = rows(folder, "tables/roster.csv", ",")
    (on,) = [row for row in duty if row["date"] == december(words["duty_day"])]
    assert on["date"] > "2026-12-01"
    chief = find(r"<td>([^<]+)</td><td>Chief instructor</td>", text(folder, "site/committee.html"))
    paid = [
        Fraction(row["fee_eur"]) for row in rows(folder, "tables/tows.csv", ";") if row["pilot"] == words["tow_pilot"]
    ]
    jobs = rows(folder, "tables/maintenance.csv", ",")
    hours = [Fraction(row["hours"]) for row in jobs if row["kind"] == words["job"]]
    mean = sum(hours) / len(hours)
    assert (mean * 1000) % 10 != 5
    return {
        "next-inspection": [[fleet[0]["registration"]]],
        "launch-leader": [[on["launch_leader"]]],
        "chief-days": ways(sum(row["launch_leader"] == chief for row in duty)),
        "tow-total": [[euros(sum(paid, Fraction(0)))]],
        "job-average": [[euros(Fraction(round(mean * 100), 100))]],
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Members and flights."""
    month = f"{datetime.strptime(words['month'], '%B'):2026-%m}"
    with closing(sqlite3.connect(folder / "db" / "airfield.db")) as db:
        (who, longest), (_, second) = db.execute(LONGEST).fetchall()
        ((minutes, count),) = db.execute(MINUTES, (words["member"],)).fetchall()
        ((launched,),) = db.execute(WINCH, (month,)).fetchall()
        (most, often), (_, less) = db.execute(MOST).fetchall()
        names = [name for (name,) in db.execute("select name from members")]
    assert longest > second
    assert often > less
    assert count > 1
    assert len(names) == len(set(names))
    return {
        "longest-flight": [[who, longest]],
        "member-minutes": [[minutes]],
        "winch-launches": ways(launched),
        "most-flights": [[most]],
    }


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    found = papers(folder, words) | logs(folder, words) | tables(folder, words) | database(folder, words)
    further = (Fraction(words["height"]) - 500) / 100
    slots = json.loads(text(folder, "site/api/trial-flights.json"))["slots"]
    (free,) = [slot["free"] for slot in slots if slot["date"] == december(words["guest_day"])]
    sizes = sorted((path.stat().st_size, path.name) for path in (folder / "igc" / "2025").glob("*.igc"))
    assert sizes[-1][0] > sizes[-2][0]
    return found | {
        "tow-bill": [[euros(Fraction(words["base"]) + further * Fraction(words["step"]))]],
        "free-places": ways(free),
        "recordings": ways(len([*(folder / "igc" / "2026").glob("*.igc")])),
        "largest-recording": [[sizes[-1][1]]],
        "neighbour-email": [],
        "absent-glider": [],
        "absent-course": [],
    }
