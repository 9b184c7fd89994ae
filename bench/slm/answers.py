"""What is right in a world: the answers of the tasks, and the words that the tasks are filled in with."""

from __future__ import annotations

import platform
import random
import re
import subprocess
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from facts import MONTHS, Facts
from lay import money

MONTH_NAMES = {"2025-05": "May 2025", "2025-06": "June 2025", "2025-07": "July 2025", "2025-08": "August 2025"}
EVENT_MONTHS = {5: "May", 6: "June", 7: "July", 8: "August"}
Expected = dict[str, Any]


def says(*strings: object, none: tuple[object, ...] = ()) -> Expected:
    """The answer holds all of these strings, and none of those."""
    return {"answer": {"any": [[str(string) for string in strings]], "none": [str(string) for string in none]}}


def holds(path: str, *strings: object) -> Expected:
    """A file is there afterwards, and holds these strings."""
    return {"files": {path: {"contains": [str(string) for string in strings]}}}


def expected(facts: Facts, folder: Path, site: str) -> Expected:
    """`expect.json`: by case, and `vars`. `folder` holds the files, `site` is http://127.0.0.1:PORT."""
    rng = random.Random(f"answers {facts.seed}")
    variables: dict[str, str] = {"site": site}
    cases: Expected = {}
    for part in (notes, logs, tables, database, sums, machine, web):
        made, words = part(facts, folder, rng)
        cases |= made
        variables |= words
    return {**cases, "vars": variables}


def notes(facts: Facts, folder: Path, rng: random.Random) -> tuple[Expected, dict[str, str]]:
    """Answers from the notes."""
    kept = facts.kept
    cases = {
        "fuel-limit": says(kept["fuel_limit"]),
        "mooring-fee": says(kept["fee_new"], none=(kept["fee_old"],)),
        "spare-key": says(kept["key_new"].split()[0], none=(kept["key_old"].split()[0],)),
        "radio-channel": says(kept["channel_new"], none=(kept["channel_old"],)),
        "insurer-phone": {"answer": {"none": [kept["phone_a"], kept["phone_b"]]}},
        "write-sign": {"files": {"out/sign.txt": {"equals": f"Slipway closed until {kept['closed_until']}"}}},
    }
    return cases, {"closed_until": kept["closed_until"]}


def logs(facts: Facts, folder: Path, rng: random.Random) -> tuple[Expected, dict[str, str]]:
    """Answers from the logs."""
    errors = sum(" ERROR " in line for line in facts.gate)
    jam = next(line for line in facts.gate if "code=JAM" in line)
    missing = sum(bool(re.search(r'" 404 \d+$', line)) for line in facts.access)
    berth = next(boat.berth for boat in facts.boats if boat.name == facts.kept["leaking"])
    return {
        "gate-errors": says(errors),
        "access-404": says(missing),
        "first-jam": says(jam[11:19]),
        "leak-berth": says(berth),
    }, {}


def tables(facts: Facts, folder: Path, rng: random.Random) -> tuple[Expected, dict[str, str]]:
    """Answers from the tables."""
    counts = Counter(hire.boat for hire in facts.hires)
    boat = rng.choice(sorted(name for name in counts if counts[name] > 3))
    month = rng.choice(MONTHS)
    income = sum(hire.cents for hire in facts.hires if hire.day.isoformat().startswith(month))
    top = max(facts.donations, key=lambda gift: gift.cents)
    skippered = [hire.hours for hire in facts.hires if hire.skipper]
    average = (Decimal(sum(skippered)) / len(skippered)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    given = Counter(gift.donor for gift in facts.donations)
    donor = rng.choice(sorted(name for name in given if given[name] > 3))
    total = sum(gift.cents for gift in facts.donations if gift.donor == donor)
    colour = rng.choice([boat.name for boat in facts.boats if boat.status == "in service"])
    cases = {
        "hires-boat": says(counts[boat]),
        "hire-income": says(money(income)),
        "top-donor": says(top.donor, money(top.cents)),
        "average-hours": says(average),
        "boats-in-repair": says(
            *(boat.name for boat in facts.boats if boat.status == "repair"),
            none=tuple(boat.name for boat in facts.boats if boat.status != "repair"),
        ),
        "hull-colour": {"answer": {"none": [f"is {colour}" for colour in ("white", "blue", "red", "green", "black")]}},
        "write-donor-total": holds("out/donor-total.txt", money(total)),
    }
    words = {"hired_boat": boat, "income_month": MONTH_NAMES[month], "donor": donor, "colour_boat": colour}
    return cases, words


def database(facts: Facts, folder: Path, rng: random.Random) -> tuple[Expected, dict[str, str]]:
    """Answers from the database."""
    year = rng.choice(("2019", "2020", "2021", "2022", "2023", "2024"))
    joined = sum(member.joined.isoformat().startswith(year) for member in facts.members)
    town, _ = Counter(member.town for member in facts.members).most_common()[0]
    unpaid = sum(member.fee_cents for member in facts.members if not member.paid)
    still_open = sum(order.closed is None for order in facts.orders)
    order = rng.choice(facts.orders)
    cost = sum(facts.part_cents[part] * count for part, count in order.parts)
    hours: Counter[str] = Counter()
    for one in facts.orders:
        hours[one.mechanic] += one.hours
    names = [member.name for member in facts.members]
    born = rng.choice([member for member in facts.members if names.count(member.name) == 1])
    cases = {
        "members-joined": says(joined),
        "members-town": says(town),
        "unpaid-fees": says(money(unpaid)),
        "write-open-orders": holds("out/open-orders.txt", still_open),
        "order-cost": says(money(cost)),
        "top-mechanic": says(hours.most_common()[0][0]),
        "member-born": {"answer": {"none": ["born on", born.joined.isoformat()]}},
    }
    return cases, {"joined_year": year, "order": str(order.id), "born_member": born.name}


def sums(facts: Facts, folder: Path, rng: random.Random) -> tuple[Expected, dict[str, str]]:
    """Answers that have to be calculated."""
    kept = facts.kept
    rate, base = Decimal(rng.randrange(105, 395)) / 10, rng.randrange(1_205, 8_995)
    tank = Decimal(kept["tank"]) * Decimal(kept["diesel"])
    item, count = rng.choice(facts.items), rng.randrange(6, 30)
    nights, guests = rng.randrange(3, 14), rng.randrange(2, 6)
    gross = Decimal(item.cents * count) / 100 * Decimal("1.19")
    per_month = Counter(hire.day.isoformat()[:7] for hire in facts.hires)
    first, second = max(MONTHS, key=lambda month: per_month[month]), min(MONTHS, key=lambda month: per_month[month])
    cases = {
        "percent": says(cents(rate * base / 100)),
        "full-tank": says(cents(tank)),
        "item-vat": says(cents(gross)),
        "month-difference": says(per_month[first] - per_month[second]),
        "write-quote": holds("out/quote.txt", nights * guests * int(kept["fee_new"])),
    }
    words = {
        "rate": plain(rate), "base": f"{base:,}", "item": item.name, "item_count": str(count),
        "more_month": MONTH_NAMES[first], "less_month": MONTH_NAMES[second],
        "nights": str(nights), "guests": str(guests), "fee": kept["fee_new"],
    }  # fmt: skip
    return cases, words


def plain(number: Decimal) -> str:
    """A number without trailing zeros."""
    return f"{number.normalize():f}"


def cents(number: Decimal) -> str:
    """An amount rounded to cents, as people round."""
    return str(number.quantize(Decimal("0.01"), ROUND_HALF_UP))


def machine(facts: Facts, folder: Path, rng: random.Random) -> tuple[Expected, dict[str, str]]:
    """Answers about this machine and the files on it."""
    sizes = {path.name: path.stat().st_size for path in (folder / "logs").iterdir()}
    largest = max(sizes, key=lambda name: sizes[name])
    text = (folder / "notes" / "handbook.md").read_text("utf-8")
    circular = (folder / "notes" / "2025-04-01-circular.md").read_text("utf-8")
    nproc = subprocess.run(["nproc"], capture_output=True, text=True, check=True).stdout.strip()
    return {
        "handbook-words": says(len(text.split())),
        "largest-log": says(largest, sizes[largest]),
        "kernel": says(platform.release()),
        "processors": {"answer": {"any": [[nproc], [number_word(nproc)]], "none": []}},
        "write-circular-words": holds("out/words.txt", len(circular.split())),
    }, {}


def number_word(digits: str) -> str:
    """A small number in words; as it is otherwise."""
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")
    return dict(enumerate(words)).get(int(digits), digits)


def web(facts: Facts, folder: Path, rng: random.Random) -> tuple[Expected, dict[str, str]]:
    """Answers from the pages."""
    kept = facts.kept
    adults, children = rng.randrange(2, 5), rng.randrange(9, 24)
    trip = adults * int(kept["adult"]) + children * int(kept["child"])
    hired = sum(hire.boat == kept["laid_up"] for hire in facts.hires)
    _, month, day = kept["event_day"].split("-")
    name = EVENT_MONTHS[int(month)]
    return {
        "season-ticket": says(money(int(kept["season"]))),
        "event-day": {
            "answer": {
                "any": [[kept["event_day"]], [f"{name} {int(day)}"], [f"{int(day)} {name}"], [f"{int(day)}th {name}"]],
                "none": [],
            }
        },
        "free-berths": says(kept["free_C"]),
        "school-trip": says(money(trip)),
        "parking": {"answer": {"none": [money(int(kept[key])) for key in ("adult", "child", "season")]}},
        "notice-hires": says(hired),
    }, {"adults": str(adults), "children": str(children), "event": kept["event"]}  # fmt: skip
