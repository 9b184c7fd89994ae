"""The answers a second time: read from the files of a world, the draw is not known here."""

from __future__ import annotations

import json
import re
import sqlite3
import tomllib
from contextlib import closing
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from world import euros, find, rows, text, ways

PLAIN = (".md", ".txt", ".toml", ".ini", ".yaml", ".log", ".jsonl", ".csv", ".html")
LOGS = ("door.log", "reminders.jsonl", "website.log")
OFTEN = "select name, count(*) from loans join tools using (tool_no) group by tool_no order by 2 desc limit 2"
HELD = "select sum(amount_eur) from deposits where state = 'held'"
LENT = "select count(*) from loans where member_id = (select member_id from members where name = ?)"
EARLY = "select name, joined_on from members order by joined_on limit 2"


def clock(hhmm: str) -> list[list[str]]:
    """A time of the afternoon as people write it."""
    hour, minute = hhmm.split(":")
    early = f"{int(hour) - 12}:{minute}"
    return [[hhmm], [f"{early} pm"], [f"{early}pm"], [f"{early} p.m."]]


def papers(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Notes and settings; a licence plate and a fax number are nowhere."""
    notes = {path.name: path.read_text("utf-8") for path in (folder / "notes").iterdir()}
    whole = "\n".join(notes.values())
    old = find(r"\| Saturday \| 10:00 \| (\d+:\d+) \|", notes["opening-hours.md"])
    new = find(r"closes at (\d+:\d+) on Saturdays", notes["committee-2025-08-18.md"])
    assert old != new
    everything = "\n".join(path.read_text("utf-8") for path in folder.rglob("*") if path.suffix in PLAIN)
    assert len(re.findall(r"Saturday", everything)) == 2
    assert not re.search(r"\b(plates?|licen[cs]e|registration|fax|telefax)\b", everything, re.I)
    assert whole.count(f"- {words['place']}: ") == 1
    settings = tomllib.loads(text(folder, "config/loans.toml"))
    return {
        "saturday-close": clock(new),
        "spare-key": [[find(rf"- {words['place']}: (\w+ \w+)\n", whole)]],
        "power-tool-days": ways(settings["power_tools"]["max_days"]),
        "trailer-plate": [],
        "fax-number": [],
    }


def logs(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The door, the reminders, the web site."""
    told = {name: text(folder, f"logs/{name}") for name in LOGS}
    stamps = [line.split()[0] + line.split()[1] for line in told["door.log"].splitlines()]
    assert stamps == sorted(stamps)
    assert all(100 < len(log.splitlines()) < 900 for log in told.values())
    last = re.findall(r"card (\d+) DENIED", told["door.log"])[-1]
    (holder,) = [row["member"] for row in rows(folder, "tables/cards.csv", ",") if row["card_no"] == last]
    sent = [json.loads(line)["status"] for line in told["reminders.jsonl"].splitlines()]
    assert sent.count("bounced") == told["reminders.jsonl"].count("bounced")
    fields = [line.split() for line in told["website.log"].splitlines()]
    failed = sum(line[4] == words["status"] for line in fields)
    assert failed == len(re.findall(rf"\b{words['status']}\b", told["website.log"]))
    sizes = sorted(((folder / "logs" / name).stat().st_size, name) for name in LOGS)
    assert sizes[-1][0] > sizes[-2][0] * 1.1
    assert sorted(path.name for path in (folder / "logs").iterdir()) == sorted(LOGS)
    return {
        "denied-member": [[holder]],
        "bounced-reminders": [[sent.count("bounced")]],
        "server-errors": ways(failed),
        "largest-log": [[sizes[-1][1]]],
        "door-lines": [[told["door.log"].count("\n")]],
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Tools, repairs, shifts."""
    tools = rows(folder, "tables/tools.csv", ",")
    best, second = sorted(tools, key=lambda row: -Decimal(row["weight_kg"]))[:2]
    assert best["weight_kg"] != second["weight_kg"]
    (deposit,) = [row["deposit_eur"] for row in tools if row["tool_no"] == words["tool_no"]]
    repairs = rows(folder, "tables/repairs.csv", ",")
    costs = [Decimal(row["cost_eur"]) for row in repairs if row["fault"] == words["fault"]]
    mean = (sum(costs, Decimal(0)) / len(costs)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    shifts = rows(folder, "tables/shifts.csv", ";")
    hours = [Decimal(row["hours"]) for row in shifts if row["volunteer"] == words["volunteer"]]
    assert len(hours) > 4
    return {
        "category-count": ways(sum(row["category"] == words["category"] for row in tools)),
        "heaviest-tool": [[best["name"], best["weight_kg"]]],
        "tool-deposit": [[deposit]],
        "repair-average": [[mean]],
        "shift-hours": [[sum(hours, Decimal("0.0"))]],
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Members, tools, loans, deposits."""
    with closing(sqlite3.connect(folder / "db" / "lending.db")) as db:
        ((away,),) = db.execute("select count(*) from loans where returned_on is null").fetchall()
        (often, first), (_, second) = db.execute(OFTEN).fetchall()
        assert first > second + 1
        ((held,),) = db.execute(HELD).fetchall()
        ((lent,),) = db.execute(LENT, (words["member"],)).fetchall()
        (eldest, start), (_, following) = db.execute(EARLY).fetchall()
        assert start < following
        names = [name for table in ("members", "tools") for (name,) in db.execute(f"select name from {table}")]
        assert len(names) == len({*names})
    return {
        "open-loans": ways(away),
        "most-borrowed": [[often]],
        "held-deposits": [[held]],
        "member-loans": ways(lent),
        "first-member": [[eldest]],
    }


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    found = papers(folder, words) | logs(folder, words) | tables(folder, words) | database(folder, words)
    numbers = {name: Fraction(word) for name, word in words.items() if re.fullmatch(r"\d+", word)}
    free = find(
        rf"<td>{words['course']}</td><td>[^<]+</td><td>\d+</td><td>(\d+)</td>", text(folder, "site/courses.html")
    )
    rate = Fraction(find(rf"<td>{words['machine']}</td><td>([\d.]+)</td>", text(folder, "site/hire.html")))
    fees = numbers["fee"] * numbers["persons"]
    return found | {
        "membership-fee": [[euros(fees - fees * numbers["percent"] / 100)]],
        "screws-left": [[numbers["boxes"] * numbers["each"] - numbers["used"]]],
        "course-places": ways(int(free)),
        "hire-total": [[euros(rate * numbers["days"])]],
    }
