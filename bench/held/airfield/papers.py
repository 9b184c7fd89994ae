"""Notes, settings, logs and recordings of the airfield's world."""

from __future__ import annotations

import json
import random
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from again import ways
from names import CALLS, DUTIES, FARMS
from world import Cases, Words, holds, money, says, write

OPENS = "The gate at the east end is closed after the last landing.\n"


def notes(rng: random.Random, folder: Path, people: list[str]) -> tuple[Cases, Words]:
    """The club's papers: fees and what replaced one of them, duties, neighbours, rules."""
    old = rng.randrange(750, 1_000, 50)
    new = old + rng.randrange(150, 400, 50)
    papers = folder / "papers"
    fees = [
        ("Winch launch", old), ("Car launch", 600), ("Self launch", 450), ("Glider, a minute", 35),
        ("Motor glider, a minute", 110),
    ]  # fmt: skip
    write(
        papers / "fees-2025.md",
        "# Fees for members\n\nValid from 1 January 2025, in euros.\n\n| What | Fee |\n|---|---|\n"
        + "".join(f"| {what} | {money(fee)} |\n" for what, fee in fees)
        + "\nFees are debited at the end of each quarter.\n",
    )
    write(
        papers / "committee-2026-03-20.md",
        "# Committee meeting, 20 March 2026\n\n- The new cable was paid for. To cover it, a winch launch costs "
        f"{money(new)} euros from 1 May 2026 on.\n- All other fees stay as they are.\n"
        "- The hangar roof is to be sealed before winter.\n- The youth group goes to the coast in August.\n",
    )
    keepers = list(zip(DUTIES, rng.sample(people, len(DUTIES)), strict=True))
    rng.shuffle(keepers)
    write(
        papers / "who-looks-after-what.txt",
        "Who looks after what (as of October 2026)\n\n" + "".join(f"{duty}: {who}\n" for duty, who in keepers),
    )
    farms = rng.sample(FARMS, 4)
    phones = [f"0{rng.randrange(4_100, 4_999)} {rng.randrange(10_000, 99_999)}" for _ in range(2)]
    lines = [
        f"- {farms[0]}, field north of the runway. Phone {phones[0]}.",
        f"- {farms[1]}, meadow in the west. Takes our hay. Does not like landings before nine.",
        f"- {farms[2]}, maize in the south. Phone {phones[1]}.",
        f"- {farms[3]}, the farm shop on the road. Lends us the big trailer.",
    ]
    write(papers / "neighbours.md", "# Our neighbours\n\n" + "\n".join(lines) + "\n\nBe kind to all of them.\n")
    write(papers / "outlandings.txt", "Outlandings\n\nCall the launch leader first. Leave no gate open.\n" + OPENS)
    write(papers / "hangar-order.md", "# Hangar\n\n- Single-seaters at the back.\n- Doors locked at night.\n")
    duty, keeper = rng.choice(keepers)
    return {
        "winch-fee": says(money(new), none=[money(old)]),
        "keeper": says(keeper),
        "neighbour-email": {"abstains": True},
    }, {"duty": duty, "neighbour": rng.choice((farms[1], farms[3]))}


def config(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The settings: the winch, visitors' fees."""
    cross, tail, other = rng.sample(range(8, 21), 3)
    nights, night = rng.randrange(3, 12), rng.randrange(650, 1_500, 50) + rng.choice((20, 40, 80))
    write(
        folder / "config" / "winch.toml",
        f"[engine]\nwarm_up_minutes = 6\nmax_rpm = 3400\n\n[cable]\nlength_m = {rng.randrange(900, 1_200, 10)}\nkind = "
        f'"plastic"\n\n[weather]\nmax_crosswind_kt = {cross}\nmax_tailwind_kt = {tail}\nmax_gust_spread_kt = {other}\n',
    )
    write(
        folder / "config" / "fees.ini",
        f"[visitors]\nlanding_eur = {money(rng.randrange(400, 640, 20))}\nhangar_night_eur = {money(night)}\n"
        f"camping_night_eur = {money(rng.randrange(300, 600, 20))}\n\n[accounts]\ndebit_day = 28\nreminder_days = 14\n",
    )
    return {
        "crosswind": {"answer": {"any": ways(cross)}},
        "hangar-nights": says(money(nights * night)),
    }, {"nights": str(nights)}


def winch(rng: random.Random, folder: Path, days: list[date]) -> date:
    """What the winch logged on the days of flying; returns the day of the last broken cable."""
    lines, breaks, broken = [], [], set(rng.sample(days[2:-2], rng.randrange(4, 8)))
    for day in days:
        at, count = datetime(day.year, day.month, day.day, 10, rng.randrange(50)), rng.randrange(6, 12)
        bad = rng.randrange(1, count) if day in broken else -1
        for number in range(count):
            at += timedelta(minutes=rng.randrange(6, 35), seconds=rng.randrange(60))
            told = f"LAUNCH no={number + 1} peak_kn={rng.randrange(520, 890) / 100:.2f}"
            if number == bad:
                told = f"CABLE_BREAK at_m={rng.randrange(60, 300)}"
                breaks.append(day)
            lines.append(f"{at:%Y-%m-%d %H:%M:%S} {told}\n")
    write(folder / "logs" / "winch.log", "".join(lines))
    return max(breaks)


def tower(rng: random.Random, folder: Path, gliders: list[str]) -> tuple[Cases, Words]:
    """Starts and landings in September."""
    days = [day for n in range(30) if (day := date(2026, 9, 1) + timedelta(days=n)).weekday() > 4]
    lines, firsts = [], []
    for day in days:
        for glider in rng.sample(gliders, rng.randrange(6, len(gliders))):
            at = datetime(day.year, day.month, day.day, 10, 5) + timedelta(minutes=rng.randrange(150))
            count, first = rng.randrange(1, 5), at
            for _ in range(count):
                down = at + timedelta(minutes=rng.randrange(6, 75))
                lines += [f"{at:%Y-%m-%d %H:%M} TAKEOFF {glider}\n", f"{down:%Y-%m-%d %H:%M} LANDING {glider}\n"]
                at = down + timedelta(minutes=rng.randrange(9, 40))
            if count > 1:
                firsts.append((glider, first))
    asked, when = rng.choice(firsts)
    write(folder / "logs" / "tower.log", "".join(sorted(lines, key=lambda line: line[:16])))
    return {"first-takeoff": says(f"{when:%H:%M}")}, {"glider": asked, "tower_day": f"{when.day} September"}


def weather(rng: random.Random, folder: Path) -> Cases:
    """The weather station, an observation an hour."""
    at, seen = datetime(2026, 10, 5, 8), []
    for _ in range(rng.randrange(18, 24)):
        for hour in range(11):
            wind = rng.randrange(2, 19)
            stamp = (at + timedelta(hours=hour)).isoformat(timespec="minutes")
            degrees = rng.randrange(0, 360, 10)
            seen.append({"at": stamp, "from_deg": degrees, "wind_kt": wind, "gust_kt": wind + rng.randrange(11)})
        at += timedelta(days=1)
    top = rng.randrange(31, 45)
    rng.choice(seen[20:-20])["gust_kt"] = top
    write(folder / "logs" / "weather.jsonl", "".join(json.dumps(line) + "\n" for line in seen))
    return {"top-gust": {"answer": {"any": ways(top)}}}


def fuel(rng: random.Random, folder: Path) -> Cases:
    """The pump at the fuel tank."""
    at, lines, bad = datetime(2026, 11, 2, 7, 40), [], 0
    told = {
        "INFO": ("delivery started", "delivery ended", "self test passed", "card accepted"),
        "WARN": ("low flow", "filter pressure high", "tank below 20 percent"),
        "ERROR": ("card reader does not answer", "meter out of step"),
    }
    for _ in range(rng.randrange(220, 300)):
        at += timedelta(minutes=rng.randrange(20, 190), seconds=rng.randrange(60))
        level = rng.choices(("INFO", "WARN", "ERROR"), (14, 3, 1))[0]
        bad += level == "WARN"
        lines.append(f"{at:%Y-%m-%dT%H:%M:%S} pump {level} {rng.choice(told[level])}\n")
    write(folder / "logs" / "fuel.log", "".join(lines))
    return {"fuel-warnings": holds("out/fuel-warnings.txt", bad)}


def recordings(rng: random.Random, folder: Path) -> Cases:
    """Flights as the gliders' recorders kept them, by year."""
    found: dict[int, list[tuple[int, str]]] = {2025: [], 2026: []}
    fixes = rng.sample(range(40, 260), 40)
    for year, kept in found.items():
        calls = rng.sample(CALLS, rng.randrange(9, len(CALLS)))
        for call in calls:
            day = date(year, 4, 5) + timedelta(days=rng.randrange(150))
            name, count = f"{day:%Y-%m-%d}-{call}.igc", fixes.pop()
            start: Any = datetime(year, day.month, day.day, 11, rng.randrange(60))
            lines = [f"AXXX{call}\n", f"HFDTE{day:%d%m%y}\n"]
            lines += [
                f"B{start + timedelta(seconds=20 * n):%H%M%S}5212{n:03d}N00931{n:03d}EA{rng.randrange(300, 1_900):05}\n"
                for n in range(count)
            ]
            write(folder / "igc" / str(year) / name, "".join(lines))
            kept.append((count, name))
        write(folder / "igc" / str(year) / "readme.txt", "One recording for each flight. Name: day, call sign.\n")
    return {
        "recordings": {"answer": {"any": ways(len(found[2026]))}},
        "largest-recording": says(max(found[2025])[1]),
    }
