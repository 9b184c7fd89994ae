"""The tables of the airfield's world."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from names import CALLS, KINDS, TUGS, TYPES
from world import Cases, Words, holds, money, rounded, says, table, tie

TODAY = date(2026, 12, 1)
POSTS = ("winch_driver", "launch_leader", "tow_pilot")


def aircraft(rng: random.Random, folder: Path) -> tuple[Cases, Words, list[str], list[str]]:
    """The club's aircraft; also the registrations of the gliders and of the tow planes."""
    numbers = rng.sample(range(201, 980), len(TYPES) + len(TUGS) + 1)
    names = [(f"XG-{numbers.pop()}", *kind) for kind in TYPES] + [(f"XT-{numbers.pop()}", tug, 2) for tug in TUGS]
    days = rng.sample(range(6, 330), len(names))
    calls = rng.sample(CALLS, len(names))
    rows = [
        (*name, rng.randrange(900, 7_600), TODAY + timedelta(days=after), call)
        for name, after, call in zip(names, days, calls, strict=True)
    ]
    rng.shuffle(rows)
    columns = ("registration", "type", "seats", "hours", "next_inspection", "call_sign")
    table(folder / "tables" / "aircraft.csv", ",", columns, rows)
    soonest = min(rows, key=lambda row: row[4])
    gliders, tugs = ([row[0] for row in rows if row[0][:2] == start] for start in ("XG", "XT"))
    return (
        {"next-inspection": says(soonest[0]), "absent-glider": {"abstains": True}},
        {"absent_glider": f"XG-{numbers.pop()}"},
        gliders,
        tugs,
    )


def flying_days() -> list[date]:
    """The Saturdays and Sundays of August to December."""
    days = (date(2026, 8, 1) + timedelta(days=n) for n in range(150))
    return [day for day in days if day.weekday() > 4]


def roster(rng: random.Random, folder: Path, people: list[str], chief: str) -> tuple[Cases, Words, dict[date, Any]]:
    """Who is on duty; also the whole of it, by day."""
    days = flying_days()
    while True:
        duty = {day: rng.sample(people, len(POSTS)) for day in days}
        led = Counter(who[1] for who in duty.values())[chief]
        if led > 2 and led not in (sum(chief in (who[n]) for who in duty.values()) for n in (0, 2)):
            break
    asked = rng.choice([day for day in days if day > TODAY])
    rows = [(day, *who) for day, who in duty.items()]
    table(folder / "tables" / "roster.csv", ",", ("date", *POSTS), rows)
    return {"launch-leader": says(duty[asked][1])}, {"duty_day": f"{asked:%A} {asked.day} December"}, duty


def tows(rng: random.Random, folder: Path, people: list[str], tugs: list[str]) -> tuple[Cases, Words]:
    """The tows of the season, with semicolons."""
    while True:
        day, rows = date(2026, 4, 4), []
        for number in range(1, rng.randrange(90, 130)):
            day += timedelta(days=rng.choice((0, 0, 1, 3)))
            height = rng.randrange(400, 1_300, 50)
            fee = 980 + height * 37 // 10
            rows.append((number, day, rng.choice(tugs), rng.choice(people), height, fee))
        often = Counter(row[3] for row in rows)
        totals = {who: sum(row[-1] for row in rows if row[3] == who) for who in often}
        asked = [who for who in people if 3 < often[who] < 9 and totals[who] % 10]
        if asked:
            break
    who = rng.choice(asked)
    columns = ("tow_no", "date", "tow_plane", "pilot", "height_m", "fee_eur")
    table(folder / "tables" / "tows.csv", ";", columns, [(*row[:-1], money(row[-1])) for row in rows])
    return {"tow-total": holds("out/tow-bill.txt", money(totals[who]))}, {"tow_pilot": who}


def maintenance(rng: random.Random, folder: Path, people: list[str], registrations: list[str]) -> tuple[Cases, Words]:
    """Jobs in the workshop."""
    asked = rng.choice(list(KINDS))
    while True:
        day, rows = date(2025, 11, 3), []
        for number in range(501, rng.randrange(590, 640)):
            day += timedelta(days=rng.randrange(1, 6))
            kind = rng.choice(list(KINDS))
            quarters = KINDS[kind] + rng.randrange(-3, 7)
            row = (number, day, rng.choice(registrations), kind, rng.choice(people), Decimal(quarters) / 4)
            rows.append(row)
        took = [row[-1] for row in rows if row[3] == asked]
        mean = sum(took, Decimal(0)) / len(took)
        if len(took) > 7 and not tie(mean) and day < TODAY and mean * 10 % 1:
            break
    columns = ("job_no", "date", "aircraft", "kind", "mechanic", "hours")
    table(folder / "tables" / "maintenance.csv", ",", columns, rows)
    return {"job-average": says(rounded(mean))}, {"job": asked}
