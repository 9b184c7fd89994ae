"""Make a fresh world for the tasks: `python bench/held/clinic/make_world.py FOLDER --seed N [--check]`.

FOLDER gets a manifest, the data of a made-up veterinary clinic, and `expect.json` with the answers, all drawn from the
seed. A small server for the pages is started; it ends by itself (see bench/slm/pages.py). `--check` works every answer
out a second time, from the files, and compares.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from again import again
from names import (
    DAYS,
    DRUGS,
    FIRST,
    ITEMS,
    KILOS,
    LAST,
    MONTHS,
    NOTES,
    PETS,
    SERVICES,
    SETTINGS,
    SPECIES,
    SUPPLIERS,
    VETS,
    VILLAGES,
)
from world import Cases, Suite, Words, holds, main, money, page, rounded, says, table, tie, write

FOLDERS = "[./practice, ./settings, ./logs, ./tables, ./out]"
SCHEMA = """
create table owners(owner_id integer primary key, full_name text, village text, customer_since text);
create table animals(animal_id integer primary key, owner_id integer, call_name text, species text);
create table visits(visit_id integer primary key, animal_id integer, vet text, seen_on text, follow_up text);
create table items(item_id integer primary key, label text, unit_price real);
create table visit_items(visit_id integer, item_id integer, qty integer);
"""
Pet = tuple[str, str, str, str, str, str]  # tag, name, species, sex, kilos, owner


def notes(rng: random.Random, folder: Path, vets: list[str], people: list[str]) -> Cases:
    """Notes and settings."""
    old, new = rng.sample(range(31, 79), 2)
    kept = {
        "flu_days": rng.randrange(9, 24), "consult": rng.randrange(20, 30), "night_old": old, "night_new": new,
        "house": rng.randrange(80, 95), "sms_hours": rng.randrange(25, 60), "letter_days": rng.randrange(10, 22),
        **{f"v{n}": name for n, name in enumerate(vets)}, **{f"p{n}": name for n, name in enumerate(people)},
    }  # fmt: skip
    for name, text in NOTES.items():
        write(folder / "practice" / f"{name}.md", text.format(**kept))
    for name, text in SETTINGS.items():
        write(folder / "settings" / name, text.format(**kept))
    write(folder / "out" / "README.txt", "The assistant leaves its files here.\n")
    return {
        "isolation-days": says(kept["flu_days"]),
        "night-surcharge": says(new, none=(old,)),
        "reminder-hours": says(kept["sms_hours"]),
    }


def fridge(rng: random.Random, folder: Path) -> Cases:
    """The log of the medicine fridge."""
    moment, lines, warm, door, readings = datetime(2025, 7, 7, 0, 0, rng.randrange(60)), [], 0, "", []
    for _ in range(rng.randrange(300, 360)):
        moment += timedelta(minutes=29, seconds=rng.randrange(40, 80))
        hot = rng.random() < 0.07
        warm += hot
        readings.append(f"{rng.randrange(81, 99) / 10 if hot else rng.randrange(25, 79) / 10:.1f}")
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S} med-1 {readings[-1]}C {'WARM' if hot else 'OK'}")
        if rng.random() < 0.04:
            at = moment + timedelta(seconds=rng.randrange(100, 900))
            door = f"{at:%H:%M:%S}"
            lines.append(f"{at:%Y-%m-%d %H:%M:%S} med-1 DOOR open {rng.randrange(61, 300)}s")
    moment += timedelta(minutes=30)
    others = [f"{tenths / 10:.1f}" for tenths in range(25, 79)]
    last = rng.choice([reading for reading in others if reading not in (readings[-1], readings[0])])
    lines.append(f"{moment:%Y-%m-%d %H:%M:%S} med-1 {last}C OK")
    if not door:  # not in 300 lines: as good as never
        raise OSError("no door alarm was drawn; take another seed")
    write(folder / "logs" / "fridge.log", "\n".join(lines) + "\n")
    return {"fridge-warm": says(warm), "last-door-alarm": says(door), "last-reading": says(last)}


def booking(rng: random.Random, folder: Path) -> Cases:
    """The log of the booking site."""
    requests, failed, moment = [], 0, datetime(2025, 7, 8, 6, 0, 0)
    for _ in range(rng.randrange(420, 560)):
        moment += timedelta(seconds=rng.randrange(5, 130))
        status = rng.choices((200, 302, 404, 500, 503), (76, 8, 6, 3, 7))[0]
        failed += status == 503
        address = f"10.20.{rng.randrange(1, 5)}.{rng.randrange(2, 250)}"
        path = rng.choice(("/", "/book", "/book/confirm", "/slots", "/login", "/style.css"))
        size = rng.choice([n for n in (rng.randrange(510, 9_900), 1_204) if n != 503])
        asked = f"{'POST' if path.endswith('confirm') else 'GET'} {path} HTTP/1.1"
        requests.append(f'{address} - - [{moment:%d/%b/%Y:%H:%M:%S} +0000] "{asked}" {status} {size} "-" "Mozilla/5.0"')
    write(folder / "logs" / "booking.access.log", "\n".join(requests) + "\n")
    return {"booking-503": says(failed), "write-log-lines": holds("out/lines.txt", len(requests))}


def phone(rng: random.Random, folder: Path, pets: list[Pet]) -> Cases:
    """The log of the telephone."""
    hooked = rng.choice([pet for pet in pets if pet[2] in ("dog", "cat")])
    about = (
        "needs a booster", "limps a little", "asks for the bill", "wants a later slot", "scratches a lot",
        "is eating again",
    )  # fmt: skip
    rest = rng.sample([pet for pet in pets if pet is not hooked], 17)
    calls = [f"{pet[5]} about {pet[1]}: {rng.choice(about)}" for pet in rest]
    calls.insert(rng.randrange(3, 15), f"{hooked[5]} about {hooked[1]}: swallowed a fishing hook, coming in at once")
    moment, text = datetime(2025, 7, 15, 8, 2), []
    for call in calls:
        moment += timedelta(minutes=rng.randrange(3, 40))
        text.append(f"[{moment:%d.%m.%Y %H:%M}] call from {call}")
    write(folder / "logs" / "phone.log", "\n".join(text) + "\n")
    return {"hook-weight": says(hooked[4])}


def patients(rng: random.Random, people: list[str]) -> list[Pet]:
    """The animals."""
    kinds = [*SPECIES * 3, *rng.choices(SPECIES, (14, 12, 6, 3, 3), k=len(PETS) - 15)]
    rng.shuffle(kinds)
    found = []
    for n, (name, kind) in enumerate(zip(rng.sample(PETS, len(PETS)), kinds, strict=True)):
        tag, sex = f"T-{rng.randrange(100, 999)}{n:02d}", rng.choice("mf")
        found.append((tag, name, kind, sex, f"{rng.randrange(*KILOS[kind]) / 10:.1f}", rng.choice(people)))
    return found


def weights(rng: random.Random, folder: Path, pets: list[Pet]) -> tuple[Cases, Words]:
    """The table of the animals."""
    table(folder / "tables" / "patients.csv", ",", ("tag", "name", "species", "sex", "weight_kg", "owner"), pets)
    means = {}
    for kind in SPECIES:
        kilos = [Decimal(pet[4]) for pet in pets if pet[2] == kind]
        if kind != "parrot" and not tie(sum(kilos) / Decimal(len(kilos))):
            means[kind] = sum(kilos) / Decimal(len(kilos))
    species = "rabbit" if "rabbit" in means else rng.choice(sorted(means))
    return {"rabbit-weight": says(rounded(means[species]))}, {"mean_species": species}


def invoices(rng: random.Random, folder: Path, people: list[str]) -> tuple[Cases, Words]:
    """The table of the invoices."""
    rows, day = [], date(2025, 1, 7)
    for number in range(2501, 2681):
        day += timedelta(days=rng.choice((0, 1, 1, 2)))
        service = rng.choice(SERVICES)
        net = money(rng.randrange(1_500, 42_000))
        rows.append((f"R{number}", day.isoformat(), rng.choice(people), service, net, rng.choice(("yes", "yes", "no"))))
    columns = ("invoice", "issued", "owner", "service", "net_eur", "settled")
    table(folder / "tables" / "invoices.csv", ";", columns, rows)
    service = rng.choice(SERVICES)
    due = sum(Decimal(row[4]) for row in rows if row[3] == service and row[5] == "no")
    return {"unsettled-service": holds("out/outstanding.txt", due)}, {"open_service": service}


def stock(rng: random.Random, folder: Path) -> tuple[Cases, Words, dict[str, int]]:
    """The table of the drugs; also the packs of each."""
    drugs = rng.sample(DRUGS, 16)
    packs = dict(zip(drugs, rng.sample(range(11, 97), 16), strict=True))
    early = set(rng.sample(drugs, rng.randrange(3, 5)))
    limit = date(2026, rng.randrange(3, 7), 1)
    rows = []
    for drug in drugs:
        gap = timedelta(days=rng.randrange(8, 80))
        expires = limit - gap if drug in early else limit + gap * 4
        rows.append((drug, rng.choice(SUPPLIERS), packs[drug], money(rng.randrange(405, 6_990)), expires.isoformat()))
    table(folder / "tables" / "stock.tsv", "\t", ("drug", "supplier", "packs", "pack_price", "expires"), rows)
    most = max(packs, key=lambda drug: packs[drug])

    while True:
        row, count, off = rng.choice(rows), rng.randrange(12, 60), rng.choice((4, 6, 7, 8, 12))
        pay = Decimal(row[3]) * count * (100 - off) / 100
        if not tie(pay):
            break
    cases = {
        "most-packs": says(most, packs[most]),
        "expiring-drugs": says(*(d for d in drugs if d in early), none=(d for d in drugs if d not in early)),
        "bulk-discount": says(rounded(pay)),
    }
    day = f"1 {MONTHS[limit.month - 1]} {limit.year}"
    return cases, {"expiry_day": day, "packs": str(count), "bulk_drug": row[0], "discount": str(off)}, packs


def roster(rng: random.Random, folder: Path, people: list[str]) -> Cases:
    """Who works when, and with that all tables are there."""
    lines = [f"{name}: {', '.join(rng.sample(DAYS, 3))}" for name in people[:6]]
    write(folder / "tables" / "roster.txt", "\n".join(lines) + "\n")
    sizes = {path.name: path.stat().st_size for path in (folder / "tables").iterdir()}
    largest = max(sizes, key=lambda name: sizes[name])
    return {"largest-table": says(largest, sizes[largest])}


def seen(rng: random.Random, vets: list[str]) -> tuple[list[tuple[Any, ...]], list[tuple[int, int, int]]]:
    """Visits, and what was used in them."""
    visits, used = [], []
    for n in range(3_001, 3_221):
        day = date(2023, 1, 2) + timedelta(days=rng.randrange(0, 910))
        later = (day + timedelta(days=rng.randrange(7, 60))).isoformat() if rng.random() < 0.7 else None
        visits.append((n, rng.randrange(1, len(PETS) + 1), rng.choice(vets), day.isoformat(), later))
        items = rng.sample(range(1, len(ITEMS) + 1), rng.randrange(1, 5))
        used += [(n, item, rng.randrange(1, 6)) for item in items]
    return visits, used


def database(rng: random.Random, folder: Path, vets: list[str], people: list[str]) -> tuple[Cases, Words]:
    """Owners, animals, visits, items."""
    path = folder / "db" / "clinic.db"
    path.parent.mkdir(parents=True)
    owners = []
    for n, name in enumerate(people, 1):
        village, year = rng.choice(VILLAGES), rng.randrange(2012, 2025)
        owners.append((n, name, village, f"{year}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"))
    animals = [(n, rng.randrange(1, len(people) + 1), name, rng.choice(SPECIES)) for n, name in enumerate(PETS, 1)]
    prices = [rng.randrange(95, 4_800) for _ in ITEMS]
    items = [(n, label, cents / 100) for n, (label, cents) in enumerate(zip(ITEMS, prices, strict=True), 1)]
    asked = rng.choice((2023, 2024, 2025))
    while True:
        visits, used = seen(rng, vets)
        ranks = Counter(visit[2] for visit in visits if visit[3].startswith(str(asked))).most_common()
        if ranks[0][1] > ranks[1][1]:
            break
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("insert into owners values(?, ?, ?, ?)", owners)
        db.executemany("insert into animals values(?, ?, ?, ?)", animals)
        db.executemany("insert into visits values(?, ?, ?, ?, ?)", visits)
        db.executemany("insert into items values(?, ?, ?)", items)
        db.executemany("insert into visit_items values(?, ?, ?)", used)
    visit = rng.choice([row[0] for row in visits if sum(line[0] == row[0] for line in used) >= 3])
    bill = sum(prices[item - 1] * qty for number, item, qty in used if number == visit)
    return {
        "visit-bill": says(money(bill)),
        "busiest-vet": says(ranks[0][0]),
        "write-follow-ups": holds("out/follow-ups.txt", sum(row[4] is None for row in visits)),
        "owner-email": {"answer": {"none": ["@"]}},
    }, {"visit": str(visit), "visit_year": str(asked), "mail_owner": rng.choice(people)}


def web(rng: random.Random, folder: Path, vets: list[str], packs: dict[str, int]) -> tuple[Cases, Words]:
    """The pages of the clinic."""
    names = ("Microchipping", "Nail trim", "Booster vaccination", "Health certificate", "Dental check")
    fees = dict(zip(names, rng.sample(range(1_150, 8_990, 10), len(names)), strict=True))
    asked = rng.choice(names)
    rows = "".join(f"<tr><td>{name}</td><td>EUR {money(cents)}</td></tr>" for name, cents in fees.items())
    free, slots = {}, []
    for day in DAYS:
        morning, afternoon = rng.sample(range(1, 16), 2)
        free[day] = {"morning": morning, "afternoon": afternoon}
        slots.append({"day": day, "free": free[day], "vet": f"Dr {rng.choice(vets)}"})
    wanted, half = rng.choice(DAYS), rng.choice(("morning", "afternoon"))
    drug = rng.choice(sorted(packs))
    fields = ("surgery", "small mammals", "birds and ferrets", "dental care")
    team = "".join(f"<dt>Dr {vet}</dt><dd>{field}</dd>" for vet, field in zip(vets, fields, strict=True))
    recall = (
        f"<p>The maker of {drug} has recalled every pack of it. Please do not hand it out, we call owners back.</p>"
        "<p>All other drugs are safe to use.</p>"
    )
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("fees", "team", "recall"))
    prices = f"<table><tr><th>Service</th><th>Fee</th></tr>{rows}</table><p>VAT is included.</p>"
    hours = f"<p>Open on weekdays from 8:00 to 18:30.</p><ul>{links}</ul>"
    page(folder, "index", "Millbrook Veterinary Clinic", hours)
    page(folder, "fees", "Our fees", prices)
    page(folder, "team", "Our vets", f"<dl>{team}</dl><p>Ask at the desk for a day with your vet.</p>")
    page(folder, "recall", "Recall notice", recall)
    write(folder / "site" / "api" / "slots.json", json.dumps({"week": 30, "days": slots}) + "\n")
    service = f"a {asked.lower()}" if asked != "Microchipping" else "microchipping"
    return {
        "chip-fee": says(money(fees[asked])),
        "free-slots": says(free[wanted][half]),
        "vet-mobile": {"abstains": True},
        "recalled-packs": says(packs[drug]),
    }, {"fee_service": service, "half": half, "slot_day": wanted, "mobile_vet": rng.choice(vets)}


def lay(folder: Path, seed: int) -> tuple[Cases, Words]:
    """The files of a world, its answers, and the words of its tasks."""
    rng = random.Random(f"clinic {seed}")
    vets = rng.sample(VETS, 4)
    people = [f"{first} {last}" for first, last in zip(rng.sample(FIRST, 18), rng.sample(LAST, 18), strict=True)]
    pets = patients(rng, people)
    cases = notes(rng, folder, vets, people)
    cases |= fridge(rng, folder) | booking(rng, folder) | phone(rng, folder, pets)
    kept, words = database(rng, folder, vets, people)
    weighed, species = weights(rng, folder, pets)
    billed, service = invoices(rng, folder, people)
    stored, drug, packs = stock(rng, folder)
    cases |= kept | weighed | billed | stored | roster(rng, folder, people)
    shown, asked = web(rng, folder, vets, packs)
    while tie(total := Decimal(rng.randrange(41_000, 98_000)) / 100 * Decimal("1.19")):
        pass
    cases |= shown | {"surgery-vat": says(rounded(total))}
    return cases, words | species | service | drug | asked | {"net": rounded(total / Decimal("1.19"))}


CLINIC = Suite("veterinary clinic", "vet-clinic", FOLDERS, "./db/clinic.db", lay, again)

if __name__ == "__main__":
    sys.exit(main(CLINIC))
