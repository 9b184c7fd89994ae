"""The answers a second time: read from the files of a world, the draw is not known here."""

from __future__ import annotations

import json
import re
import sqlite3
import tomllib
from collections import Counter
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from world import find, rounded, rows, text, ways

PLAIN = (".md", ".txt", ".toml", ".ini", ".yaml", ".json", ".jsonl", ".log", ".csv", ".html")
TOWN = """select town, sum(shares) from share_purchases join members using (member_no)
  group by town order by 2 desc limit 2"""
UNSOLD = """select name from members where not exists (
  select 1 from share_purchases where share_purchases.member_no = members.member_no) order by member_no"""
WITHOUT = "select kwp from plants where battery_kwh is null"


def days_as(day: date) -> list[list[str]]:
    """A day as the data has it, and spelled out."""
    month = f"{day:%B}"
    th = "th" if day.day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    spelled = [f"{day.day}{end} {short}" for short in (month, f"of {month}", f"{day:%b}") for end in ("", th)]
    spelled += [f"{short} {day.day}" for short in (month, f"{day:%b}")]
    return [[way] for way in dict.fromkeys([f"{day}", f"{day:%d/%m/%Y}", f"{day:%d.%m.%Y}", *spelled])]


def hours_as(first: str, last: str) -> list[list[str]]:
    """Two times of a day, the second after noon: on the clock of 24 hours or of 12."""
    hour, minute = last.split(":")
    return [
        [off, on] for off in dict.fromkeys((first, first.lstrip("0"))) for on in (last, f"{int(hour) - 12}:{minute}")
    ]


def euros_as(amount: str) -> list[list[str]]:
    """An amount as the table has it, and as Portuguese has it."""
    whole, cents = amount.split(".")
    grouped = f"{int(whole):,}".replace(",", ".")
    return [[way] for way in dict.fromkeys((amount, f"{whole},{cents}", f"{grouped},{cents}"))]


def papers(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Notes, settings and letters; when the meter is due, and how many panels there are, is nowhere."""
    articles, meeting = text(folder, "office/articles.md"), text(folder, "office/general-meeting-2026-03-14.md")
    old = find(r"The period of notice is (\d+) weeks", articles)
    new = find(r"period of notice for giving\s+back shares is (\d+) weeks", meeting)
    rejected = find(r"(\d+) weeks' notice", meeting)
    assert len({old, new, rejected}) == 3
    with (folder / "settings" / "monitoring.toml").open("rb") as stream:
        offline = tomllib.load(stream)["connection"]["offline_after_minutes"]
    winter = find(
        r"site: ([\w ]+)\n +capacity_kwh: \d+\n +reserve_percent: \d+\n +mode: winter",
        text(folder, "settings/batteries.yaml"),
    )
    inbox = sorted((folder / "inbox").iterdir(), key=lambda path: path.stat().st_mtime)
    assert inbox[-1].stat().st_mtime - inbox[-2].stat().st_mtime > 3_600
    assert inbox[-1] != max(inbox)
    assert not [path for path in inbox if words["unwritten"] in path.read_text("utf-8")]
    kept = {path: path.read_text("utf-8") for path in folder.rglob("*") if path.suffix in PLAIN}
    assert not [
        path for path, held in kept.items() if re.search(r"panel|module", held, re.I) and path.name != "expect.json"
    ]
    exchanges = [path for path, held in kept.items() if re.search(r"meter .*exchanged", held)]
    assert {path.parent.name for path in exchanges} <= {"inbox", folder.name}
    return {
        "notice-weeks": ways(int(new)),
        "offline-minutes": ways(offline),
        "winter-battery": [[winter]],
        "newest-letter": [[inbox[-1].name]],
        "meter-deadline": None,
    }


def in_order(stamps: list[str]) -> None:
    """A log goes forward, and is neither short nor endless."""
    assert stamps == sorted(stamps)
    assert 200 <= len(stamps) <= 620


def logs(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Inverters, batteries, gateways, alarms; the key holders are in a note."""
    told = [json.loads(line) for line in text(folder, "logs/inverters.jsonl").splitlines()]
    in_order([line["ts"] for line in told])
    faults = [line for line in told if (line["inverter"], line["event"]) == (words["inverter"], "isolation_fault")]
    pairs = re.findall(r'ts=(\S+) site="([^"]+)" soc=(\d+) ', text(folder, "logs/battery.log"))
    in_order([when for when, _, _ in pairs])
    charges = sorted((int(soc), when) for when, site, soc in pairs if site == words["battery"])
    low, second = charges[:2]
    day = date.fromisoformat(low[1][:10])
    assert low[0] < second[0]
    assert low[0] != day.day
    lines = text(folder, "logs/gateways.log").splitlines()
    in_order([f"{int(line[4:6]):02d}{line[6:15]}" for line in lines])
    assert {line[:3] for line in lines} == {"May"}
    lost = Counter(line.split()[3] for line in lines if ": link lost" in line)
    (host, most), (_, next_most) = lost.most_common(2)
    assert most > next_most + 4
    alarms = text(folder, "logs/alarms.log")
    in_order([line[:19] for line in alarms.splitlines()])
    storm = f"{datetime.strptime(words['storm_day'], '%d %B %Y'):%Y-%m-%d}"
    roof = find(rf"{storm} \S+ \| ([\w ]+) \| HATCH ", alarms)
    assert alarms.count(" HATCH ") > 3
    holder = find(rf"(?m)^\| {roof} \| [\w ]+ \| ([\w ]+) \|", text(folder, "office/roofs.md"))
    sizes = sorted((path.stat().st_size, path.name) for path in (folder / "logs").iterdir())
    assert sizes[-1][0] > sizes[-2][0]
    return {
        "isolation-faults": ways(len(faults)),
        "battery-lowest": [[low[0], *way] for way in days_as(day)],
        "lost-link": [[host, *way] for way in ways(most)],
        "hatch-key": [[holder]],
        "largest-log": [[sizes[-1][1], sizes[-1][0]]],
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Readings, inverters, invoices, visits; the tariffs are in a setting, what is offline on a page."""
    read = rows(folder, "tables/readings.csv", ";")
    own = [int(row["own_use_kwh"]) for row in read if row["plant"] == words["mean_plant"] and row["own_use_kwh"]]
    assert all(bool(row["own_use_kwh"]) == bool(row["fed_in_kwh"]) == bool(row["read_by"]) for row in read)
    month = f"{datetime.strptime(words['paid_month'], '%B %Y'):%Y-%m}"
    (fed,) = [row["fed_in_kwh"] for row in read if (row["plant"], row["month"]) == (words["paid_plant"], month)]
    tariffs = json.loads(text(folder, "settings/tariffs.json"))["tariffs"]
    (rate,) = [Decimal(str(row["feed_in_ct_per_kwh"])) for row in tariffs if row["plant"] == words["paid_plant"]]
    plates = [row for row in rows(folder, "tables/inverters.csv", ";") if row["plant"] == words["rated_plant"]]
    assert len(plates) > 2
    assert len({row["rated power"][-3:] for row in plates}) == 1
    power = sum((Decimal(row["rated power"].removesuffix(" kW")) for row in plates), Decimal())
    bills = [row for row in rows(folder, "tables/invoices.csv", ",") if row["category"] == words["category"]]
    due = sum((Decimal(row["amount_eur"]) for row in bills if not row["paid_on"]), Decimal())
    when = f"{datetime.strptime(words['repair_month'], '%B %Y'):%m/%Y}"
    visits = rows(folder, "tables/visits.csv", ",")
    mine = [row for row in visits if row["technician"] == words["technician"] and row["date"][3:] == when]
    hours = sum((Decimal(row["hours"]) for row in mine if row["kind"] == "repair"), Decimal())
    live = json.loads(text(folder, "site/api/live.json"))["plants"]
    (off,) = [row["plant"] for row in live if row["status"] == "offline"]
    return {
        "missing-readings": ways(sum(not row["fed_in_kwh"] for row in read)),
        "own-use-mean": [[rounded(Decimal(sum(own)) / len(own))]],
        "feed-in-payment": [[rounded(int(fed) * rate / 100)]],
        "rated-power": [[f"{float(power):g}"]],
        "open-invoices": euros_as(f"{due}"),
        "repair-hours": ways(int(hours)) if hours == int(hours) else [[hours]],
        "offline-visits": [[off, *way] for way in ways(sum(row["plant"] == off for row in visits))],
    }


def database(folder: Path) -> dict[str, Any]:
    """Members, plants, shares, payouts; how many panels a plant has is in none of them."""
    with closing(sqlite3.connect(folder / "data" / "coop.db")) as db:
        (town, most), (_, second) = db.execute(TOWN).fetchall()
        assert most > second
        unsold = [name for (name,) in db.execute(UNSOLD)]
        power = sum(Decimal(str(kwp)) for (kwp,) in db.execute(WITHOUT))
        names = [name for (name,) in db.execute("select name from members")]
        assert len(names) == len(set(names))
        assert "panel" not in " ".join(sql for (sql,) in db.execute("select sql from sqlite_master"))
    return {
        "town-shares": [[town, most]],
        "never-bought": [unsold],
        "no-battery-kwp": [[f"{float(power):g}"]],
        "panel-count": None,
    }


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    found = papers(folder, words) | logs(folder, words) | tables(folder, words) | database(folder)
    price, grant, saving = (int(words[name]) for name in ("price", "grant", "saving"))
    months, paid = 0, 0
    while paid < price - grant:
        months, paid = months + 1, paid + saving
    tours = re.findall(r"<td>(\d{4}-\d\d-\d\d)</td><td>[^<]+</td><td>(\d+)</td>", text(folder, "site/tours.html"))
    assert [day for day, _ in tours] == sorted({day for day, _ in tours})
    first = next(date.fromisoformat(day) for day, places in tours if int(places) >= 4)
    times = rf"<td>{words['street']}</td><td>[\d-]+</td><td>(\d\d:\d\d)</td><td>(\d\d:\d\d)</td>"
    ((off, on),) = re.findall(times, text(folder, "site/outages.html"))
    return found | {"payback-months": ways(months), "free-tour": days_as(first), "outage-times": hours_as(off, on)}
