"""The answers a second time: read from the files of a world, the draw is not known here."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import tomllib
from contextlib import closing
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from world import find, rows, text, ways

PLAIN = (".md", ".toml", ".log", ".csv", ".html", ".ly", ".mid", ".pdf")
SOLD = "select title, count(*) as n, sum(price_eur) from tickets join concerts using (concert_id) group by 1 order by n"


def hundredths(above: int, below: int) -> str:
    """A fraction with two decimals; it does not lie in the middle between two of them."""
    assert above * 1_000 % below or above * 1_000 // below % 10 != 5
    return f"{(Decimal(above) / below).quantize(Decimal('0.01'), ROUND_HALF_UP)}"


def output(*command: str) -> str:
    """What a program prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def papers(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Notes and settings; an e-mail address is in none of them, nor anywhere else."""
    kept = {path: path.read_text("utf-8") for path in folder.rglob("*") if path.suffix in PLAIN}
    assert not [path for path, held in kept.items() if "@" in held or "mail" in held.lower()]
    assert [path.name for path, held in kept.items() if words["tuner"] in held] == ["piano.md"]
    with closing(sqlite3.connect(folder / "db" / "choir.db")) as db:
        dump = "\n".join(db.iterdump())
    assert "@" not in dump
    assert words["tuner"] not in dump
    notes = {path.name: held for path, held in kept.items() if path.parent.name == "notes"}
    whole = "\n".join(notes.values())
    assert whole.count(words["room"]) == 1
    (named,) = [name for name, held in notes.items() if re.search(words["word"], held, re.I)]
    sizes = sorted(((folder / "notes" / name).stat().st_size, name) for name in notes)
    assert sizes[-1][0] > sizes[-2][0]
    tickets, fees = (tomllib.loads(text(folder, f"config/{name}.toml")) for name in ("tickets", "membership"))
    return {
        "key-keeper": [[find(rf"- {words['room']}: (\w+ \w+)\n", whole)]],
        "word-file": [[named]],
        "largest-note": [[sizes[-1][1]]],
        "hold-minutes": ways(tickets["reservation"]["hold_minutes"]),
        "fee-total": [[fees["yearly_fee_eur"]["adults"] * int(words["payers"])]],
        "tuner-email": [],
    }


def logs(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The logs and the scores."""
    told = {path.name: path.read_text("utf-8") for path in (folder / "logs").iterdir()}
    for log in told.values():
        stamps = [line[:19] for line in log.splitlines()]
        assert stamps == sorted(stamps)
    lines = sorted((int(output("wc", "-l", str(folder / "logs" / name)).split()[0]), name) for name in told)
    assert lines[-1][0] > lines[-2][0]
    assert "".join(told.values()).count(words["order"]) == 1
    scores = output("find", str(folder / "scores"), "-type", "f", "-name", f"*.{words['ending']}").splitlines()
    return {
        "order-error": [[find(rf"ERROR order {words['order']} failed: (.+)", told["tickets.log"])]],
        "longest-log": [[lines[-1][1], lines[-1][0]]],
        "score-count": ways(len(scores)),
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Attendance, expenses, sheet music."""
    there = [row for row in rows(folder, "tables/attendance.csv", ",") if row["date"] == words["rehearsal"]]
    assert len(there) == len({row["member"] for row in there})
    spent = rows(folder, "tables/expenses.csv", ",")
    most, second = sorted(spent, key=lambda row: -Decimal(row["amount_eur"]))[:2]
    assert most["amount_eur"] != second["amount_eur"]
    amounts = [Decimal(row["amount_eur"]) for row in spent if row["category"] == words["category"]]
    assert len(amounts) > 2
    music = rows(folder, "tables/sheet_music.csv", ",")
    lengths = [int(row["minutes"]) for row in music if row["language"] == words["language"]]
    return {
        "absent-count": ways([row["status"] for row in there].count("absent")),
        "biggest-expense": [[most["item"], most["amount_eur"]]],
        "category-sum": [[sum(amounts)]],
        "language-average": [[hundredths(sum(lengths), len(lengths))]],
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Members, concerts, tickets."""
    with closing(sqlite3.connect(folder / "db" / "choir.db")) as db:
        ((singing,),) = db.execute("select count(*) from members where voice = ?", (words["voice"],)).fetchall()
        *_, second, best = sold = db.execute(SOLD).fetchall()
        assert best[1] > second[1]
        joined = db.execute("select name, joined_on from members order by joined_on limit 2").fetchall()
        assert joined[0][1] < joined[1][1]
    (income,) = [row[2] for row in sold if row[0] == words["past"]]
    return {
        "voice-count": ways(singing),
        "concert-income": [[f"{income:.2f}"]],
        "most-tickets": [[best[0], best[1]]],
        "longest-member": [[joined[0][0]]],
    }


def site(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The pages."""
    concerts, halls, tickets = (text(folder, f"site/{name}.html") for name in ("concerts", "halls", "tickets"))
    address = find(rf'<a href="/([\w-]+)">{words["linked"]}</a>', concerts)
    large, small = (int(find(rf"<td>{words[name]}</td><td>(\d+)</td>", halls)) for name in ("large", "small"))
    return {
        "concert-begins": [[find(rf"{words['coming']}</a></td><td>[^<]+</td><td>([\d:]+)<", concerts)]],
        "soloist": [[find(r"Soloist: ([^<]+)<", text(folder, f"site/{address}.html"))]],
        "seats-more": [[large - small]],
        "ticket-price": [[find(rf"<td>{words['kind']}</td><td>([\d.]+)<", tickets)]],
    }


def sums(words: dict[str, str]) -> dict[str, Any]:
    """What has its numbers in the task."""
    first, last = (datetime.strptime(words[name], "%d %B %Y").date() for name in ("first", "last"))
    assert date(2026, 1, 1) < first < last
    return {
        "seats-percent": [[hundredths(int(words["sold"]) * 100, int(words["seats"]))]],
        "days-between": [[(last - first).days]],
        "miles-km": [[hundredths(int(words["miles"]) * 1_609, 1_000)]],
    }


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    found = papers(folder, words) | logs(folder, words) | tables(folder, words)
    return found | database(folder, words) | site(folder, words) | sums(words)
