"""The tables of the school."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from names import CLASSES, DISHES, FAULTS, TRADES
from world import Cases, Words, holds, money, rounded, says, table, tie


def canteen(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """What the canteen sold."""
    prices = dict(zip(DISHES, rng.sample(range(285, 560, 5), len(DISHES)), strict=True))
    rows, total = [], dict.fromkeys(DISHES, 0)
    for n in range(44):
        day = date(2025, 6, 2) + timedelta(days=n // 5 * 7 + n % 5)
        for dish in rng.sample(DISHES, 3):
            sold = rng.randrange(21, 96)
            cents = sold * prices[dish] - rng.randrange(1, 190)  # some pay with vouchers
            rows.append((day.isoformat(), dish, sold, money(cents)))
            total[dish] += cents
    table(folder / "tables" / "canteen.csv", ";", ("day", "dish", "sold", "takings_eur"), rows)
    asked = rng.choice([dish for dish in DISHES if total[dish] % 10])  # or a file could have it with one decimal
    return {"canteen-takings": holds("out/canteen.txt", money(total[asked]))}, {"dish": asked}


def sports(rng: random.Random, folder: Path, pupils: list[tuple[str, str]]) -> tuple[Cases, Words]:
    """The results of the sports day."""
    ran = rng.sample([pupil for pupil in pupils if pupil[1] in CLASSES[:6]], 84)
    times = rng.sample(range(1_010, 1_690), len(ran))
    rows = [
        (101 + n, *pupil, money(time), money(rng.randrange(231, 498)), money(rng.randrange(420, 985)))
        for n, (pupil, time) in enumerate(zip(ran, times, strict=True))
    ]
    columns = ("start_no", "pupil", "class", "sprint_s", "long_jump_m", "shot_put_m")
    table(folder / "tables" / "sports_day.csv", ",", columns, rows)
    means = {}
    for name in CLASSES[:6]:
        jumps = [Decimal(row[4]) for row in rows if row[2] == name]
        if len(jumps) > 4 and not tie(sum(jumps) / Decimal(len(jumps))):
            means[name] = sum(jumps) / Decimal(len(jumps))
    asked = rng.choice(sorted(means))
    best = min(rows, key=lambda row: Decimal(row[3]))
    return {"long-jump": says(rounded(means[asked])), "fastest": says(best[1], best[3])}, {"jump_class": asked}


def repairs(rng: random.Random, folder: Path, rooms: list[int]) -> tuple[Cases, Words]:
    """What the caretaker has to mend."""
    rows, day = [], date(2025, 2, 3)
    for number in range(613, 613 + rng.randrange(120, 160)):
        day += timedelta(days=rng.randrange(0, 4))
        trade = rng.choice(TRADES)
        state = rng.choices(("done", "open", "ordered"), (5, 4, 2))[0]
        cost = money(rng.randrange(900, 32_000)) if state == "done" else ""
        rows.append((f"W{number}", day.isoformat(), rng.choice(rooms), trade, rng.choice(FAULTS[trade]), state, cost))
    columns = ("ticket", "reported", "room", "trade", "fault", "state", "cost_eur")
    table(folder / "tables" / "repairs.csv", ",", columns, rows)
    asked = rng.choice(TRADES)
    return {"open-repairs": says(sum(row[3] == asked and row[5] == "open" for row in rows))}, {"trade": asked}


def lockers(rng: random.Random, folder: Path, pupils: list[tuple[str, str]]) -> tuple[Cases, Words]:
    """Who has which locker."""
    numbers = sorted(rng.sample(range(101, 399), 90))
    keys = rng.sample(range(5_010, 5_990), 90)
    rows = [
        (f"{rng.choice('BCD')}-{number}", *pupil, key, rng.choice(("5.00", "10.00", "0.00")))
        for number, key, pupil in zip(numbers, keys, rng.sample(pupils, 90), strict=True)
    ]
    table(folder / "tables" / "lockers.tsv", "\t", ("locker", "pupil", "class", "key_no", "deposit_eur"), rows)
    asked = rng.choice(rows)
    return {"locker": says(asked[0])}, {"locker_pupil": asked[1]}


def seats(rng: random.Random, folder: Path, rooms: list[int]) -> dict[int, int]:
    """The rooms; returns their seats."""
    kinds = ("classroom", "lab", "art room", "computer room", "library")
    found = {room: rng.randrange(12, 41) for room in sorted(rooms)}
    rows = [(room, room // 100, rng.choice(kinds), have, rng.choice(("yes", "no"))) for room, have in found.items()]
    table(folder / "tables" / "rooms.tsv", "\t", ("room", "floor", "kind", "seats", "projector"), rows)
    return found
