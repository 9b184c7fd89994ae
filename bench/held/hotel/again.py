"""The answers a second time: read from the files of a world, the draw is not known here."""

from __future__ import annotations

import itertools
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

from world import find, rows, text

SMALL = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen",
]  # fmt: skip
PLAIN = (".md", ".txt", ".toml", ".ini", ".yaml", ".log", ".csv", ".tsv", ".html", ".json")
SPOTS = "milk churn|letterbox|lantern|flower pot|ski locker|wood basket"
EXTRAS = """
select booking_id, status, total(amount_eur), count(*) from guests join bookings using (guest_id)
left join charges using (booking_id) where full_name = ? group by booking_id
"""
CHANNELS = "select channel, count(*) n from bookings where status not in ({}) group by channel order by n desc limit 2"
NO_SHOWS = "select count(*) from bookings where status = 'no-show' and strftime('%Y-%m', arrival) = ?"


def ways(number: int) -> list[list[str]]:
    """A number in digits, or as a word if it is a small one."""
    return [[str(number)], *([word] for word in SMALL[number - 1 : number])]


def day_of(spoken: str) -> str:
    """`4 July` as in the files."""
    return f"{datetime.strptime(f'{spoken} 2025', '%d %B %Y'):%Y-%m-%d}"


def house(folder: Path) -> dict[str, Any]:
    """Notes and settings; how many cots there are is in none of them, nor anywhere else."""
    notes = {path.name: path.read_text("utf-8") for path in (folder / "house").iterdir()}
    whole = "\n".join(notes.values())
    old = find(r"\| Dog, per night \| (\d+) euros", notes["price-sheet-2025.md"])
    new = find(r"Dogs: from 1 June they cost (\d+) euros per night", notes["team-meeting-2025-05-19.md"])
    assert int(old) < int(new)
    assert len(re.findall(r"\bdogs?\b[^\n]*\d", whole.lower())) == 2
    files = [path for path in folder.rglob("*") if path.suffix in PLAIN and path.name != "expect.json"]
    lines = [line for path in files for line in path.read_text("utf-8").lower().splitlines()]
    cots = [line for line in lines if re.search(r"\b(cots?|cribs?)\b", line)]
    assert len(cots) == 1
    assert not re.search(rf"\d|\b({'|'.join(SMALL[1:])}|dozen)\b", cots[0])
    assert len(re.findall(SPOTS, whole)) == 1
    letter = text(folder, "house/welcome-letter.txt")
    return {
        "dog-price": [new],
        "late-key": [find(rf"key lies in an envelope with their name .*({SPOTS})", whole)],
        "sauna": [tomllib.loads(text(folder, "setup/wellness.toml"))["sauna"]["temperature_c"]],
        "letter-words": [len(re.findall(r"\S+", letter))],
    }


def logs(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The lift, the wake-up calls, the printer in the kitchen, the night porter."""
    told = {name: text(folder, f"logs/{name}.log") for name in ("lift", "wakeup", "kitchen-printer", "night-porter")}
    for log in told.values():
        stamps = [line[:16] for line in log.splitlines()]
        assert stamps == sorted(stamps)
    stuck = told["lift"].count(" STUCK ")
    assert stuck == told["lift"].lower().count("stuck") == told["lift"].count("RESET")
    failed = re.findall(r"table (\d+) FAILED", told["kitchen-printer"])
    assert len(failed) == told["kitchen-printer"].lower().count("failed")
    return {
        "lift-stuck": [stuck],
        "wake-up": [find(rf"{day_of(words['wake_day'])} \S+ room (\d+) no answer", told["wakeup"])],
        "failed-ticket": [failed[-1]],
        "porter-first": [told["night-porter"].split()[1]],
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Rooms, the restaurant, wines, housekeeping, reviews."""
    (rate,) = [row["rate_eur"] for row in rows(folder, "tables/rooms.csv", ",") if row["room"] == words["rate_room"]]
    sold = [row for row in rows(folder, "tables/restaurant.csv", ";") if row["server"] == words["server"]]
    best, second = sorted(rows(folder, "tables/cellar.csv", ","), key=lambda row: -float(row["price_eur"]))[:2]
    assert best["price_eur"] != second["price_eur"]
    took = [
        int(row["minutes"])
        for row in rows(folder, "tables/housekeeping.tsv", "\t")
        if row["cleaned_by"] == words["cleaner"] and row["kind"] == "departure"
    ]
    mean = Fraction(sum(took), len(took))
    cents = Decimal(mean.numerator * 100) / mean.denominator
    low = [row["portal"] for row in rows(folder, "tables/reviews.csv", ",") if int(row["score"]) < int(words["score"])]
    return {
        "room-rate": [rate],
        "drinks-total": [sum((Decimal(row["drinks_eur"]) for row in sold), Decimal("0.00"))],
        "dearest-wine": [best["wine"], best["price_eur"]],
        "departure-minutes": [f"{cents.quantize(Decimal(1), ROUND_HALF_UP) / 100:.2f}"],
        "low-reviews": [low.count(words["portal"])],
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Guests, bookings, charges; nobody has the caller's name."""
    month = f"{datetime.strptime(words['month'] + ' 2025', '%B %Y'):%Y-%m}"
    with closing(sqlite3.connect(folder / "db" / "hotel.db")) as db:
        ((_, state, extras, count),) = db.execute(EXTRAS, (words["bill_guest"],)).fetchall()
        assert state == "in house"
        assert count > 2
        tops = [db.execute(CHANNELS.format(out)).fetchall() for out in ("''", "'cancelled'", "'cancelled', 'no-show'")]
        assert all(first[1] > second[1] for first, second in tops)
        (top,) = {first[0] for first, _ in tops}
        ((missed,),) = db.execute(NO_SHOWS, (month,)).fetchall()
        surname = words["caller"].split()[-1]
        assert not db.execute("select * from guests where full_name like ?", (f"%{surname}%",)).fetchall()
        names = [name for (name,) in db.execute("select full_name from guests")]
        assert len(names) == len(set(names))
        stays = db.execute("select room, arrival, departure from bookings order by room, arrival").fetchall()
    assert all(one[0] != two[0] or one[2] <= two[1] for one, two in itertools.pairwise(stays))
    return {"extras-bill": [f"{extras:.2f}"], "top-channel": [top], "no-shows": [missed]}


def site(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The pages."""
    nights = json.loads(text(folder, "site/api/availability.json"))["nights"]
    (left,) = [night["free"][words["kind"]] for night in nights if night["night"] == day_of(words["free_day"])]
    wine = find(r"Wine of the month</h2><p>([^,]+),", text(folder, "site/specials.html"))
    (bottles,) = [row["bottles"] for row in rows(folder, "tables/cellar.csv", ",") if row["wine"] == wine]
    dish = words["dish"].capitalize()
    return {
        "dish-price": [find(rf"<td>{dish}</td><td>([\d.]+)</td>", text(folder, "site/menu.html"))],
        "rooms-free": [left],
        "month-wine": [bottles],
    }


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    found = house(folder) | logs(folder, words) | tables(folder, words) | database(folder, words) | site(folder, words)
    rooms, nights, rate, discount = (Fraction(words[name]) for name in ("rooms", "nights", "rate", "discount"))
    rice = Fraction(words["rice"]) / int(words["serves"]) * int(words["diners"])
    assert rice.denominator == 1
    whole = rooms * nights * rate * (1 - discount / 100)
    assert (whole * 100).denominator == 1
    found |= {"risotto-rice": [rice], "group-offer": [f"{float(whole):.2f}"]}
    count = subprocess.run(["nproc"], capture_output=True, text=True, check=True).stdout.strip()
    either = {"rooms-free": ways(*found.pop("rooms-free")), "processors": ways(int(count))}
    return {name: [parts] for name, parts in found.items()} | either | {"cots": [], "caller-room": []}
