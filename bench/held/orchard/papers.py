"""The notes and the settings of a world, and what is asked about them."""

from __future__ import annotations

import json
import random
from pathlib import Path

from again import clock, ways
from names import PRESSES
from world import Cases, Words, money, says, write

TEXTS = {
    "rota-july.txt": "Rota for July\n\nTwo people at the till on Saturdays, one on all the other days.\n",
    "tractor.txt": "The small tractor was at the garage in March. New clutch. Oil change is due in the autumn.\n",
    "school-visit.txt": "The second form comes on 3 July. Show them the hives and the sorter, then they press juice.\n",
    "labels.txt": "The new labels have the old logo. Use them up for the dried fruit, then order again.\n",
    "wasps.txt": "Wasps again behind the shop. Keep the bins closed and empty them every evening.\n",
    "car-park.txt": "Gravel for the car park is ordered. Until it is here, people park on the mown strip.\n",
}
CONTACTS = (
    ("Oakhurst Machine Hire", "Tractors, trailers and the cherry picker.", "office@oakhurst-hire.example"),
    ("Farnley Cold Stores", "Service of the three cold stores.", "service@farnley-cold.example"),
    ("Dr. Plantwell, advisory service", "Questions about spraying and pruning.", "advice@plantwell.example"),
)
BEES = "Twelve hives stand in the orchard from the middle of April. No spraying while the trees are in flower.\n"
TEAM = """# Who does what

- Farm shop: rota on the board, two people on Saturdays
- Pick-your-own: one person at the scales, one in the field
- Sorting hall: four people in September, two from November on
"""
FIELD = ("Strawberries", "Raspberries", "Blueberries", "Cherries", "Redcurrants")
PRICES = """# Pick-your-own prices 2025

Written on 12 May 2025. Prices in euros per kilogram, weighed at the gate.

| Fruit | Euros per kg |
| --- | --- |
"""
MEETING = """Team meeting, Monday, 16 June 2025

The sorter gets its yearly service in August.
In the pick-your-own field, strawberries cost {price} euros per kilo from tomorrow on. All the other prices there
stay as they are. Please change the board at the gate.
The toilet at the car park needs a new lock.
"""
FROST = """# frost protection of the orchard, temperatures in degrees Celsius
warning:
  below_c: {warning}
  text_message: true
sprinklers:
  on_below_c: {on}
  off_above_c: {off}
  pressure_bar: 3.5
"""
TILL = """[receipt]
footer = "Thank you, and come again!"
copies = 1

[cash]
float_eur = {cash}
"""
SCALES = """[gate]
model = FS-60
max_kg = 60

[shop]
model = FS-15
max_kg = 15
"""


def phone(rng: random.Random) -> str:
    """A phone number."""
    return f"0{rng.randrange(300, 900)} {rng.randrange(100_000, 999_999)}"


def contacts(rng: random.Random, press: str) -> str:
    """Whom we call; the press has no e-mail address there."""
    sections = [f"## {name}\n\n{what}\nPhone: {phone(rng)}\nE-mail: {mail}\n" for name, what, mail in CONTACTS]
    sections.insert(rng.randrange(4), f"## {press}\n\nPresses our apples in the autumn.\nPhone: {phone(rng)}\n")
    return "# Contacts\n\n" + "\n".join(sections)


def notes(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The notes."""
    before, *rest = rng.sample(range(395, 795, 10), len(FIELD))
    after = rng.choice([before + by for by in (-90, -70, -50, 50, 70, 90) if before + by not in rest])
    old, new, *others = (money(cents) for cents in (before, after, *rest))
    press = rng.choice(PRESSES)
    lines = [f"| {fruit} | {price} |\n" for fruit, price in zip(FIELD, (old, *others), strict=True)]
    rng.shuffle(lines)
    held = {
        "pick-your-own-prices.md": PRICES + "".join(lines),
        "meeting-2025-06-16.txt": MEETING.format(price=new),
        "contacts.md": contacts(rng, press),
        "bees.txt": BEES,
        "team.md": TEAM,
    } | {name: TEXTS[name] for name in rng.sample(sorted(TEXTS), rng.randrange(2, len(TEXTS) + 1))}
    for name, held_text in held.items():
        write(folder / "notes" / name, held_text)
    return {
        "strawberry-price": says(new, none=[old]),
        "press-email": {"abstains": True},
        "txt-notes": {"answer": {"any": ways(sum(name.endswith(".txt") for name in held))}},
    }, {"press": press}


def hours(rng: random.Random, opens: tuple[str, ...], closes: tuple[int, ...]) -> dict[str, dict[str, str]]:
    """When something is open."""
    days = ("monday_to_friday", "saturday", "sunday")
    ends = [f"{hour}:{rng.choice((15, 30, 45))}" for hour in closes]
    return {day: {"opens": rng.choice(opens), "closes": end} for day, end in zip(days, ends, strict=True)}


def config(rng: random.Random, folder: Path) -> Cases:
    """The settings."""
    on = f"0.{rng.randrange(2, 10)}"
    warning, off = f"1.{rng.randrange(2, 10)}", f"3.{rng.randrange(1, 10)}"
    open_at = {
        "pick_your_own": hours(rng, ("8:00", "8:30"), (19, 18, 12)),
        "farm_shop": hours(rng, ("9:00", "9:30"), (18, rng.choice((16, 17)), rng.choice((13, 14, 15)))),
    }
    write(folder / "config" / "frost.yaml", FROST.format(warning=warning, on=on, off=off))
    write(folder / "config" / "opening_hours.json", json.dumps(open_at, indent=2) + "\n")
    write(folder / "config" / "till.toml", TILL.format(cash=rng.randrange(150, 300, 10)))
    write(folder / "config" / "scales.ini", SCALES)
    sunday = open_at["farm_shop"]["sunday"]["closes"]
    return {"frost-sprinklers": says(on), "sunday-closing": {"answer": {"any": clock(sunday)}}}
