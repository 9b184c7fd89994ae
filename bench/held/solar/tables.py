"""The tables of the solar cooperative."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from again import euros_as, ways
from names import CATEGORIES, KINDS, MAKERS, SMALL_HOURS, SUPPLIERS, Plant
from world import Cases, Words, holds, money, rounded, says, table, tie

MONTHS = [date(2025 + n // 12, 1 + n % 12, 1) for n in range(6, 17)]  # July 2025 to May 2026
SUN = (6, 9, 14, 19, 23, 25, 26, 23, 17, 12, 7, 5)  # how much of it a month has
Row = tuple[object, ...]


def readings(rng: random.Random, folder: Path, plants: list[Plant]) -> tuple[Cases, Words, list[tuple[str, str, int]]]:
    """What the meters say each month; some were not read."""
    while True:
        lines: list[Row] = []
        read, own, missing = [], {plant.name: list[int]() for plant in plants}, 0
        for month in MONTHS:
            for n, plant in enumerate(plants):
                head = (f"M-{4_011 + 7 * n}", plant.name, f"{month:%Y-%m}")
                if rng.random() < 0.09:
                    lines.append((*head, "", "", ""))
                    missing += 1
                    continue
                whole = plant.kwp * SUN[month.month - 1] * rng.randrange(38, 53) // 100
                used = whole * rng.randrange(18, 55) // 100
                lines.append((*head, whole - used, used, rng.choice(("manual", "remote", "remote"))))
                own[plant.name].append(used)
                read.append((plant.name, f"{month:%B %Y}", whole - used))
        means = {name: Decimal(sum(used)) / len(used) for name, used in own.items()}
        fair = [name for name, used in own.items() if 0 < len(MONTHS) - len(used) < 4 and not tie(means[name])]
        if fair and 5 < missing < 20:
            break
    asked = rng.choice(fair)
    columns = ("meter_no", "plant", "month", "fed_in_kwh", "own_use_kwh", "read_by")
    table(folder / "tables" / "readings.csv", ";", columns, lines)
    cases = {"missing-readings": {"answer": {"any": ways(missing)}}, "own-use-mean": says(rounded(means[asked]))}
    return cases, {"mean_plant": asked}, read


def inverters(rng: random.Random, folder: Path, plants: list[Plant]) -> tuple[Cases, Words, list[str]]:
    """The inverters, with their power as it is on the plate."""
    lines: list[Row] = []
    power = {plant.name: list[int]() for plant in plants}
    few = [1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5]
    rng.shuffle(few)
    owned = [plant for plant, count in zip(plants, few, strict=True) for _ in range(count)]
    for n, plant in enumerate(owned, 1):
        tenths = rng.choice((36, 50, 75, 82, 100, 125, 150, 175, 200, 276))
        power[plant.name].append(tenths)
        until = date(plant.since.year + rng.choice((5, 10, 12)), plant.since.month, 1)
        plate = f"{tenths / 10:g} kW"
        ends = rng.choice(("", f"{until:%m/%Y}"))
        lines.append((f"INV-{n:02d}", plant.name, rng.choice(MAKERS), plate, f"{plant.since:%d.%m.%Y}", ends))
    asked = rng.choice([name for name, rated in power.items() if len(rated) > 2])
    columns = ("inverter", "plant", "maker", "rated power", "installed", "warranty until")
    table(folder / "tables" / "inverters.csv", ";", columns, lines)
    numbers = [str(row[0]) for row in lines]
    return {"rated-power": holds("out/rated-power.txt", f"{sum(power[asked]) / 10:g}")}, {"rated_plant": asked}, numbers


def invoices(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """What the cooperative has to pay; an invoice without a day of payment is open."""
    while True:
        lines: list[Row] = []
        due, often, day = Counter[str](), Counter[str](), date(2025, 9, 1)
        for n in range(rng.randrange(120, 160)):
            day += timedelta(days=rng.choice((0, 1, 2, 3)))
            category = rng.choice(CATEGORIES)
            cents, unpaid = rng.randrange(4_000, 98_000), rng.random() < (0.05 if n < 90 else 0.3)
            paid = "" if unpaid else f"{day + timedelta(days=rng.randrange(3, 30)):%Y-%m-%d}"
            supplier, until = rng.choice(SUPPLIERS[category]), day + timedelta(days=30)
            lines.append((f"R{2_301 + n}", f"{day}", supplier, category, money(cents), f"{until}", paid))
            due[category] += cents * unpaid
            often[category] += unpaid
        fair = [name for name in CATEGORIES if 2 < often[name] < 8 and due[name] % 10]
        if fair:
            break
    asked = rng.choice(fair)
    columns = ("invoice_no", "issued", "supplier", "category", "amount_eur", "due", "paid_on")
    table(folder / "tables" / "invoices.csv", ",", columns, lines)
    return {"open-invoices": {"answer": {"any": euros_as(money(due[asked]))}}}, {"category": asked}


def visits(
    rng: random.Random, folder: Path, plants: list[Plant], crew: list[str]
) -> tuple[Cases, Words, dict[str, int]]:
    """The maintenance visits, their days as people here write them; and how many each plant had."""
    while True:
        lines: list[Row] = []
        spent, often, seen, day = (
            Counter[tuple[str, int]](),
            Counter[tuple[str, int]](),
            Counter[str](),
            date(2026, 1, 2),
        )
        while day < date(2026, 6, 12):
            for _ in range(rng.choice((0, 1, 1, 2))):
                who, kind, plant = rng.choice(crew), rng.choice(KINDS), rng.choice(plants).name
                halves = int(2 * rng.choice(SMALL_HOURS))
                remark = rng.choice(("", "", "", "come back in autumn", "photos taken", "access was late"))
                lines.append((f"{day:%d/%m/%Y}", plant, who, kind, f"{halves / 2:g}", remark))
                seen[plant] += 1
                if kind == "repair":
                    spent[who, day.month] += halves
                    often[who, day.month] += 1
            day += timedelta(days=1)
        fair = [key for key in spent if 1 < often[key] < 7 and spent[key] > 6 and key[1] < 6]
        if fair and min(seen[plant.name] for plant in plants) > 3:
            break
    who, month = rng.choice(fair)
    table(folder / "tables" / "visits.csv", ",", ("date", "plant", "technician", "kind", "hours", "remark"), lines)
    hours, half = divmod(spent[who, month], 2)
    answer = [[f"{hours}.5"]] if half else ways(hours)
    words = {"technician": who, "repair_month": f"{date(2026, month, 1):%B %Y}"}
    return {"repair-hours": {"answer": {"any": answer}}}, words, dict(seen)
