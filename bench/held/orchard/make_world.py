"""Make a fresh world for the tasks: `python bench/held/orchard/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up fruit farm with a shop and a pick-your-own field, and `expect.json` with
the answers, all drawn from the seed. A small server for the pages is started; it ends by itself (see
bench/slm/pages.py). `--check` works every answer out a second time, from the files, and compares.
"""

from __future__ import annotations

import itertools
import json
import random
import sys
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from again import again
from database import Row, database
from logs import logs
from names import ABSENT, CROPS, DAYS, FIELDS, FIRST, LAST, MARKETS
from papers import config, notes
from tables import apples, packaging, picking, spraying
from world import Cases, Suite, Words, main, merged, money, page, says, write

FOLDERS = "[./notes, ./config, ./logs, ./tables, ./out]"
SEASON = {  # month and day on which the picking begins, about, and for how many days it lasts
    "Strawberries": (5, 24, 38), "Cherries": (6, 18, 25), "Raspberries": (6, 28, 40), "Redcurrants": (7, 1, 24),
    "Blueberries": (7, 8, 45), "Plums": (8, 10, 35), "Pears": (8, 28, 40), "Apples": (9, 5, 50),
}  # fmt: skip


def sums(rng: random.Random) -> tuple[Cases, Words]:
    """What has its numbers in the task."""
    while True:
        brought = [rng.randrange(415, 1_190) for _ in range(3)]  # in tenths of a kilogram
        rate = rng.randrange(55, 98)
        if sum(brought) * rate % 10 == 0 and sum(brought) * rate % 100:
            break
    while True:
        weight, litres = rng.randrange(620, 1_480, 10), rng.randrange(58, 72)
        if (
            weight * litres % 500 > 250 and weight * litres // 500 != 100
        ):  # rounding to the nearest would be one box too many
            break
    return {"picker-pay": says(money(sum(brought) * rate // 10)), "juice-boxes": says(weight * litres // 500)}, {
        **{f"kg_{n}": f"{tenths / 10}" for n, tenths in enumerate(brought, 1)},
        "rate": money(rate), "weight": str(weight), "litres": str(litres),
    }  # fmt: skip


def markets(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """Where the farm has a stall, one market a day."""
    towns, days = rng.sample(MARKETS, 5), rng.sample(DAYS, 5)
    rows = [
        f"<tr><td>{town}</td><td>{day}</td><td>{rng.choice((7, 8))}:00 to {rng.choice((12, 13))}:30</td></tr>"
        for town, day in zip(towns, days, strict=True)
    ]
    head = "<tr><th>Town</th><th>Day</th><th>Time</th></tr>"
    page(folder, "markets", "Our market stalls", f"<table>{head}{''.join(rows)}</table>")
    return {"market-day": says(days[0], none=days[1:])}, {"market": towns[0]}


def fields(rng: random.Random, folder: Path) -> Cases:
    """The fields for guests, as JSON; some that are ripe are closed all the same."""
    names = rng.sample(FIELDS, len(FIELDS))
    guests = set(names[:3])
    told = [
        {"field": name, "crop": rng.choice(CROPS), "ripe": name in names[:5], "open": name in guests,
         "free_baskets": rng.randrange(4, 60)}
        for name in sorted(names)
    ]  # fmt: skip
    write(folder / "site" / "api" / "fields.json", json.dumps({"fields": told}, indent=1) + "\n")
    return {"open-fields": says(*sorted(guests), none=sorted(set(names) - guests))}


def web(rng: random.Random, folder: Path, offer: Row, later: Row) -> tuple[Cases, Words]:
    """The pages of the farm."""
    season = []
    for fruit, (month, day, lasts) in SEASON.items():
        begin = date(2025, month, day) + timedelta(days=rng.randrange(-5, 6))
        end = begin + timedelta(days=lasts + rng.randrange(-4, 5))
        season.append(f"<li>{fruit}: {begin.day} {begin:%B} to {end.day} {end:%B}</li>")
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("markets", "offers", "season"))
    page(folder, "index", "The fruit farm", f"<p>Farm shop and pick-your-own field.</p><ul>{links}</ul>")
    page(folder, "season", "When we pick", f"<ul>{''.join(season)}</ul>")
    cheap, soon = (money(row[3] - rng.randrange(60, 120, 10)) for row in (offer, later))
    week = f"<h2>Offer of the week</h2><p><b>{offer[1]}</b>, now only {cheap} euros.</p>"
    page(folder, "offers", "Offers", f"{week}<h2>Next week</h2><p><b>{later[1]}</b> for {soon} euros.</p>")
    cases, words = markets(rng, folder)
    cases |= fields(rng, folder) | {"absent-season": {"abstains": True}}
    return cases, words | {"absent": rng.choice(ABSENT)}


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    rng = random.Random(f"orchard {seed}")
    names = [" ".join(name) for name in itertools.product(FIRST, LAST)]
    firsts, lasts = rng.sample(FIRST, 9), rng.sample(LAST, 9)
    people = [f"{first} {last}" for first, last in zip(firsts, lasts, strict=True)]
    buyers = rng.sample([name for name in names if name not in people], rng.randrange(60, 90))
    sold, asked, offer, later = database(rng, folder, buyers)
    return merged(
        notes(rng, folder),
        (config(rng, folder) | picking(rng, folder, people), {}),
        logs(rng, folder),
        apples(rng, folder),
        packaging(rng, folder),
        spraying(rng, folder),
        (sold, asked),
        sums(rng),
        web(rng, folder, offer, later),
    )


ORCHARD = Suite("fruit farm with a shop and a pick-your-own field", "fruit-farm", FOLDERS, "./db/farm.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(ORCHARD))
