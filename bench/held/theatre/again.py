"""The answers a second time: read from the files and pages of a world, the draw is not known here."""

from __future__ import annotations

import configparser
import re
import sqlite3
import subprocess
import urllib.request
from collections import Counter
from contextlib import closing
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from world import find, rows, text

SMALL = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen",
]  # fmt: skip
REASONS = {  # why a gate refuses a ticket, and how else one can say it
    "already scanned": ("already been scanned", "scanned already", "already used", "already been used"),
    "wrong date": ("wrong day", "wrong evening", "different date", "another date"),
    "ticket cancelled": ("cancelled", "canceled"),
    "not paid": ("unpaid", "not been paid", "never paid", "wasn't paid", "hasn't been paid"),
}
PLAIN = (".md", ".txt", ".toml", ".ini", ".yaml", ".log", ".csv", ".html")
TAKEN = """
select season, name, status from subscribers join subscriptions using (subscriber_id) join series using (series_id)
where first_name || ' ' || last_name = ? order by season
"""
UNPAID = """
select count(*) from subscriptions where season = '2025/26' and status = 'active'
and subscription_id not in (select subscription_id from payments)
"""
RECEIVED = """
select sum(cast(round(amount_eur * 100) as integer)) from payments join subscriptions using (subscription_id)
join series using (series_id) where season = '2025/26' and name = ? {}
"""


def ways(number: int) -> list[list[str]]:
    """A number in digits, or as a word if it is a small one."""
    return [[str(number)], *([word] for word in SMALL[number - 1 : number])]


def clock(told: str) -> list[list[str]]:
    """A time of the day as it is written here, and as it is in Spain."""
    return [[told], [told.replace(":", ".")], [told.replace(":", "h")]]


def dimmer(name: str) -> list[list[str]]:
    """A dimmer by its name or its number."""
    return [[name], [name[1:]]]


def reason(why: str) -> list[list[str]]:
    """Why a ticket was refused, in the words of the gate and of people."""
    return [[why], *([other] for other in REASONS[why])]


def page(words: dict[str, str], path: str) -> str:
    """A page, as it is served."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(words["site"] + path, timeout=10) as answer:
        return str(answer.read().decode())


def day_of(spoken: str) -> datetime:
    """`4 November`, of this season."""
    return datetime.strptime(f"{spoken} 2025", "%d %B %Y")


def notices(folder: Path) -> dict[str, Any]:
    """Notices and settings; the circulars are read by their dates, and the last one that says something counts."""
    told = {path.name: path.read_text("utf-8") for path in sorted((folder / "notices").iterdir())}
    circulars = [body for name, body in told.items() if name.startswith("circular-")]
    swaps = re.findall(r"(?s)Ticket swaps.*?(\d+) days before", re.sub(r"from 1 October 2025", "", "".join(circulars)))
    swaps.insert(0, find(r"(?s)Swaps:.*up to (\d+) days", told["subscription-terms.txt"]))
    assert len(set(swaps)) == len(swaps) == 3
    settings = configparser.ConfigParser()
    settings.read_string(text(folder, "systems/ticketing.ini"))
    cues = told["cue-sheet.txt"].splitlines()
    assert all(line.startswith("LX ") for line in cues)
    return {
        "bar-load": [[find(r"Counterweight bars .*: at most (\d+) kg", "\n".join(told.values()))]],
        "swap-days": ways(int(swaps[-1])),
        "unload-time": clock(find(r"(?m)^\| Unloading.*\| from ([\d:]+) \|$", told["guest-companies.md"])),
        "hold-minutes": [[settings["online"]["hold_minutes"]]],
        "cue-count": [[len(cues)]],
    }


def logs(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Dimmers, the gates, the telephone, what was found."""
    told = {name: text(folder, f"logs/{name}.log") for name in ("dimmers", "entry", "phone")}
    assert all(230 < log.count("\n") < 600 for log in told.values())
    for stamps in (re.findall(r"(?m)^[\d-]+ [\d:]+", told[name]) for name in ("dimmers", "entry")):
        assert stamps == sorted(stamps)
    first, second = Counter(re.findall(r"(D\d+) TRIP", told["dimmers"])).most_common(2)
    assert first[1] > second[1]
    assert told["dimmers"].count("TRIP") == told["dimmers"].count("RESET")
    at_gate = re.findall(rf"ticket {words['ticket']} (.*)", told["entry"])
    why = at_gate.pop().removeprefix("REFUSED ")
    assert at_gate == (["ok"] if why == "already scanned" else [])
    calls = [line.split() for line in told["phone"].splitlines()]
    found = re.findall(r"(?m): ([^(\n]+?)(?: \(.*)?$", text(folder, "logs/lost-property.txt"))
    assert len(set(found)) == len(found)
    return {
        "worst-dimmer": dimmer(first[0]),
        "refused-ticket": reason(why),
        "write-missed": [[sum(call[2:4] == ["ext=14", "MISSED"] for call in calls)]],
        "last-found": [[found[-1]]],
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Costumes, the rota, the bar, performances, guests."""
    costumes, fees = rows(folder, "tables/costumes.csv", ";"), rows(folder, "tables/guest-fees.csv", ",")
    out = [row["no"] for row in costumes if row["lent_to"] == words["borrower"] and not row["back_on"]]
    assert len(out) >= 3
    rota, day = rows(folder, "tables/rota.csv", ","), f"{day_of(words['rota_day']):%Y-%m-%d}"
    (lights,) = [row["name"] for row in rota if (row["day"], row["job"]) == (day, "lights")]
    bar, evening = rows(folder, "tables/bar.csv", ";"), f"{day_of(words['bar_day']):%d.%m.%Y}"
    assert all(datetime.strptime(row["day"], "%d.%m.%Y").weekday() for row in bar)  # dark on Mondays
    assert all(int(row["sold"]) * Decimal(row["price_eur"]) == Decimal(row["takings_eur"]) for row in bar)
    sold = Counter[str]()
    for row in rows(folder, "tables/performances.csv", ","):
        assert int(row["sold"]) <= int(row["seats"])
        sold[row["title"]] += int(row["sold"])
    first, second = sold.most_common(2)
    assert first[1] > second[1]
    assert all(30 <= len(name) <= 200 for name in (costumes, fees, bar)), [len(costumes), len(fees), len(bar)]
    assert 30 <= len(rota) <= 200
    return {
        "costumes-out": [out],
        "who-lights": [[lights]],
        "bar-evening": [[sum(Decimal(row["takings_eur"]) for row in bar if row["day"] == evening)]],
        "best-production": [[first[0]]],
        "write-open-fees": [[sum(int(row["fee_eur"]) for row in fees if not row["paid_on"])]],
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The subscribers; there is one of that name, and nobody's telephone number."""
    with closing(sqlite3.connect(folder / "office" / "subscribers.db")) as db:

        def ask(sql: str, *values: object) -> list[Any]:
            return db.execute(sql, values).fetchall()

        assert not ask("pragma foreign_key_check")
        assert not re.search(
            "phone|mobile|cell|number", "".join(sql for (sql,) in ask("select sql from sqlite_master"))
        )
        for name in (words["subscriber"], words["owner"]):
            assert len(ask("select 1 from subscribers where first_name || ' ' || last_name = ?", name)) == 1
        *before, last = ask(TAKEN, words["subscriber"])
        assert (last[0], last[2]) == ("2025/26", "active")
        assert before
        assert all(one[0] < "2025/26" and one[1] != last[1] for one in before)
        received = {ask(RECEIVED.format(more), words["series"])[0][0] for more in ("", "and status = 'active'")}
        (cents,) = received
        return {
            "subscriber-series": [[last[1]]],
            "unpaid": [[ask(UNPAID)[0][0]]],
            "series-revenue": [[f"{Decimal(cents) / 100:.2f}"]],
        }


def site(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The pages; the rehearsal room is on none of them, nor anywhere else."""
    line = find(rf"<tr><td>{words['play']}</td>(.*?)</tr>", page(words, "/prices"))
    cells = re.findall(r"<td>([\d.]+|-)</td>", line)
    tonight = find(r"<h2>([^<]+)</h2><p>By", page(words, "/tonight"))
    plays = rows(folder, "tables/repertoire.csv", ";")
    assert len({row["running_min"] for row in plays}) == len(plays)
    assert "minute" not in page(words, "/tonight")
    assert "rehears" not in page(words, "/hire").lower()
    return {
        "seat-price": [[cells["ABCD".index(words["category"])]]],
        "tonight-minutes": [[row["running_min"] for row in plays if row["title"] == tonight]],
    }


def sums(words: dict[str, str]) -> dict[str, Any]:
    """What the tasks themselves have the numbers of, and what the machine says."""
    kilowatts = Decimal(words["big"]) + Decimal(words["small"]) * Decimal("0.65")
    each = Decimal(words["subsidy"]) / Decimal(words["spectators"])
    count = subprocess.run(["nproc"], capture_output=True, text=True, check=True).stdout.strip()
    return {
        "lamp-load": [[f"{kilowatts.normalize():f}"], [f"{kilowatts * 1000:.0f}"]],
        "subsidy": [[each.quantize(Decimal("0.01"), ROUND_HALF_UP)]],
        "processors": ways(int(count)),
    }


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    files = [path for path in folder.rglob("*") if path.suffix in PLAIN and path.name != "ringfence.yaml"]
    whole = "\n".join(path.read_text("utf-8") for path in files).lower()
    assert "rehears" not in whole
    assert words["owner"].lower() not in whole
    found = notices(folder) | logs(folder, words) | tables(folder, words) | database(folder, words)
    return found | site(folder, words) | sums(words) | {"room-hire": [], "phone-number": []}
