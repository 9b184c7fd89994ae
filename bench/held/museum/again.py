"""The answers a second time: read from the files and pages of a world, the draw is not known here."""

from __future__ import annotations

import json
import re
import sqlite3
import urllib.request
from contextlib import closing
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from world import find, rows, text

READABLE = ("papers", "settings", "logbook", "tables", "outgoing", "site")
GIVEN = "select count(*) from records join donors using (donor_id) where name = ?"
RANKS = (
    "select kind, count(*) n from requests join records using (record_no) "
    "where strftime('%Y', asked_on) = ? group by kind order by n desc limit 2"
)


def page(words: dict[str, str], path: str) -> str:
    """A page, as it is served."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(words["site"] + path, timeout=10) as answer:
        return str(answer.read().decode())


def cents(number: float | Decimal) -> str:
    """Two decimals."""
    return str(Decimal(number).quantize(Decimal("0.01"), ROUND_HALF_UP))


def papers(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Papers and settings."""
    whole = "\n".join(path.read_text("utf-8") for path in (folder / "papers").rglob("*") if path.is_file())
    old, new = find(r"per pupil +([\d.]+) euros", whole), find(r"a class pays ([\d.]+) euros per pupil", whole)
    assert float(old) != float(new)
    wall = re.findall(r"\S+", text(folder, "papers/wall-text-harbour.txt"))
    assert all(re.search(r"\w", word) for word in wall)
    return {
        "light-limit": [find(rf"(?im)^- {words['lux_material']}: at most (\d+) lux$", whole)],
        "school-rate": [new],
        "negative-dpi": [find(r"\[glass negatives\]\ndpi = (\d+)", text(folder, "settings/scanner.ini"))],
        "sign-off-days": [find(r"(\d+) dagen", whole)],
        "wall-text-words": [len(wall)],
    }


def logbook(folder: Path) -> dict[str, Any]:
    """Logbooks."""
    climate, doors = text(folder, "logbook/climate.log"), text(folder, "logbook/doors.log").splitlines()
    (weak,) = {line.split()[2] for line in climate.splitlines() if "battery" in line}
    passed = [line.split(" | ") for line in doors]
    assert passed == sorted(passed)
    inside: dict[str, str] = {}
    for _, way, door, who in passed:
        assert inside.pop(who, None) == (door if way == "OUT" else None), who
        if way == "IN":
            inside[who] = door
    assert not inside
    left = [who for _, way, door, who in passed if (way, door) == ("OUT", "picture store")]
    signed = re.findall(r"(?m)^[\d.]+  ([^,]+), ", text(folder, "logbook/guestbook.txt"))
    assert len(set(signed)) == len(signed)
    return {
        "flat-battery": [*(row["room"] for row in rows(folder, "tables/loggers.csv", ",") if row["logger"] == weak)],
        "last-out": [left[-1]],
        "write-declined": [text(folder, "logbook/till.log").count("DECLINED")],
        "first-guest": [signed[0]],
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Tables."""
    exhibits, shop = rows(folder, "tables/exhibits.csv", ","), rows(folder, "tables/shop.csv", ";")
    assert len({row["inv_no"] for row in exhibits}) == len(exhibits)
    insured = [int(row["insured_eur"]) for row in exhibits if row["room"] == words["value_room"]]
    limit = datetime.strptime(words["due_day"], "%d %B %Y").date()
    loans = rows(folder, "tables/loans.csv", ";")
    late = [row["loan_no"] for row in loans if not row["returned"] and date.fromisoformat(row["due_back"]) < limit]
    assert len(insured) >= 3
    assert len(late) >= 3
    days = rows(folder, "tables/visitors.tsv", "\t")
    assert all(f"{date.fromisoformat(row['day']):%A}" == row["weekday"] for row in days)
    children = [int(row["children"]) for row in days if row["weekday"] == words["weekday"]]
    first, second = sorted(shop, key=lambda row: float(row["price_eur"]), reverse=True)[:2]
    assert float(first["price_eur"]) > float(second["price_eur"])
    shifts = rows(folder, "tables/shifts.csv", ",")
    hours = [float(row["hours"]) for row in shifts if row["volunteer"] == words["volunteer"]]
    shown = find(r"inventory number (M-\d+)", page(words, "/month"))
    return {
        "write-insured": [sum(insured)],
        "late-loans": late,
        "children-average": [cents(Decimal(sum(children)) / len(children))],
        "priciest-article": [first["article"], first["price_eur"]],
        "own-hours": [f"{sum(hours):g}"],
        "month-showcase": [*(row["case_no"] for row in exhibits if row["inv_no"] == shown)],
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The archive."""
    with closing(sqlite3.connect(folder / "archive" / "archive.db")) as db:

        def ask(sql: str, *values: object) -> list[Any]:
            return db.execute(sql, values).fetchall()

        assert not re.search("birth|born", str(ask("select sql from sqlite_master")).lower())
        for donor in (words["donor"], words["birthday_donor"]):
            assert len(ask("select 1 from donors where name = ?", donor)) == 1
        first, second = ask(RANKS, words["request_year"])
        assert first[1] > second[1]
        return {
            "donor-records": [ask(GIVEN, words["donor"])[0][0]],
            "kind-requested": [first[0]],
            "write-not-digitised": [ask("select count(*) - count(digitised_on) from records")[0][0]],
        }


def rest(words: dict[str, str]) -> dict[str, Any]:
    """What the tasks themselves have the numbers of, and the bookings."""
    events = json.loads(page(words, "/api/bookings.json"))["events"]
    (booked,) = [event for event in events if event["event"] == words["event"]]
    sides = [float(words[f"case_{side}"]) / 10 for side in ("length", "depth", "height")]  # decimetres
    return {
        "free-places": [booked["seats"] - booked["booked"]],
        "visitor-growth": [cents((float(words["visits_now"]) / float(words["visits_before"]) - 1) * 100)],
        "showcase-litres": [f"{sides[0] * sides[1] * sides[2]:g}"],
    }


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    files = [path for name in READABLE for path in (folder / name).rglob("*") if path.is_file()]
    whole = "\n".join(path.read_text("utf-8") for path in files) + page(words, "/visit")
    assert not re.search(r"\bpark|\bcars?\b|birth|\bborn\b", whole.lower())
    found = papers(folder, words) | logbook(folder) | tables(folder, words) | database(folder, words) | rest(words)
    absent: dict[str, Any] = {"donor-birthday": [], "parking-fee": [], "cores": None}  # None: not in the files
    return {name: [parts] for name, parts in found.items()} | absent
