"""Notes and settings of a made-up bakery."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from pathlib import Path

from names import OVENS, PROGRAMS, ZONES
from world import Cases, Words, money, says, write

RULES = """# Delivery rules

- We deliver from Monday to Saturday, between 6:30 and 13:00.
- Delivery is free from an order value of {old} euros.
- Orders for the next day are accepted until 18:00.
- A delivery that nobody accepts goes back to the branch.
"""
MEETING = """Branch managers' meeting, 15 September 2025

1. The flour price stays the same until the end of the year.
2. From 1 October 2025, delivery is free from an order value of {new} euros.
3. The new paper bags arrive in week 42.
"""
SUPPLIERS = """# Suppliers

| Goods | Supplier | Delivery day |
|---|---|---|
| Flour | Weirside Mill | Tuesday |
| Butter and milk | Meadow Dairy | Monday, Thursday |
| Eggs | Hillcrest Farm | Wednesday |
| Packaging | Boxwell | every second Friday |
"""
IDEAS = """Ideas for next year

- a loyalty card with a stamp for each loaf
- a baking course for children on Saturdays
- half loaves in all branches
"""
ENV = """# {what}
TILL_NAME={till}
PRINTER_HOST=printer.local
PRINTER_PORT={port}
RECEIPT_COPIES={copies}
CURRENCY=EUR
"""
DELIVERY = """# Settings of the delivery service
vans: {vans}
start: "06:30"
end: "13:00"
max_stops_per_tour: {stops}
zones:
{zones}"""
ZONE = """  {name}:
    fee_eur: {fee}
    minutes: {minutes}
"""


def notes(rng: random.Random, folder: Path, branches: list[str]) -> tuple[Cases, Words]:
    """The notes: one rule was replaced, and one branch has no entry in the list of inspections."""
    old = rng.randrange(25, 45, 5)
    new = old + rng.randrange(5, 25, 5)
    missing = rng.choice(branches)
    lines = ["# Hygiene inspections", "", "| Branch | Last inspection | Result |", "|---|---|---|"]
    for name in branches:
        day = date(2025, 1, 8) + timedelta(days=rng.randrange(200))
        lines += [f"| {name} | {day} | {rng.choice(('passed', 'passed', 'minor defects'))} |"] * (name != missing)
    write(folder / "notes" / "delivery-rules.md", RULES.format(old=old))
    write(folder / "notes" / "meeting-2025-09-15.txt", MEETING.format(new=new))
    write(folder / "notes" / "inspections.md", "\n".join(lines) + "\n")
    write(folder / "notes" / "suppliers.md", SUPPLIERS)
    write(folder / "notes" / "ideas.txt", IDEAS)
    return {
        "free-delivery": says(new, none=[old]),
        "inspection-date": {"abstains": True},
    }, {"uninspected": missing}


def ovens(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The programs of the ovens: each has all of them, no two have the same temperature."""
    steps = {name: rng.sample(range(-15, 16, 5), len(OVENS)) for name in PROGRAMS}
    settings = {
        oven: {
            "power_kw": rng.randrange(12, 40),
            "programs": {
                name: {"temperature_c": about + steps[name][n], "minutes": rng.randrange(14, 60)}
                for name, about in PROGRAMS.items()
            },
        }
        for n, oven in enumerate(OVENS)
    }
    oven, program = rng.choice(OVENS), rng.choice([*PROGRAMS])
    write(folder / "config" / "ovens.json", json.dumps({"version": 3, "ovens": settings}, indent=2) + "\n")
    asked = PROGRAMS[program] + steps[program][OVENS.index(oven)]
    return {"oven-temperature": says(asked)}, {"oven": oven, "program": program}


def tills(rng: random.Random, folder: Path) -> Cases:
    """The settings of a till, and two files with similar names."""
    port, old, example = rng.sample(range(9_101, 9_999), 3)
    kinds = {
        "till.env": ("Till", port),
        "till-old.env": ("Till until 2024", old),
        "till.env.example": ("Copy", example),
    }
    for name, (what, number) in kinds.items():
        told = ENV.format(what=what, till=f"T{rng.randrange(10, 99)}", port=number, copies=rng.randrange(1, 4))
        write(folder / "config" / name, told)
    return {"printer-port": says(port, none=[old, example])}


def delivery(rng: random.Random, folder: Path, zone: str) -> Cases:
    """The settings of the delivery service; no two zones have the same fee."""
    fees = rng.sample(range(190, 790, 10), len(ZONES))
    minutes = rng.sample(range(10, 50), len(ZONES))
    each = zip(ZONES, fees, minutes, strict=True)
    zones = "".join(ZONE.format(name=name, fee=money(fee), minutes=took) for name, fee, took in each)
    told = DELIVERY.format(vans=rng.randrange(3, 7), stops=rng.randrange(12, 20), zones=zones)
    write(folder / "config" / "delivery.yaml", told)
    return {"zone-fee": says(money(fees[ZONES.index(zone)]))}
