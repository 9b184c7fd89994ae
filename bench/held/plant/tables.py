"""The tables of the brewery."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from brewery import START, Brewery
from names import ASSETS, BEERS, FAULTS, GOODS, METERS, SUPPLIERS
from world import money, rounded, says, table

FITTINGS = (
    ("V-belt", "labeller"), ("drive chain", "conveyor"), ("crowner spring", "filler"),
    ("spray nozzle", "bottle washer"), ("oil filter", "compressor"), ("proximity switch", "palletiser"),
    ("glue roller", "labeller"), ("gauge glass", "boiler"),
)  # fmt: skip


def deliveries(rng: random.Random, plant: Brewery) -> None:
    """What came, and whether it is paid."""
    owed, unsettled, rows = dict.fromkeys(SUPPLIERS, 0), dict.fromkeys(SUPPLIERS, 0), []
    day = START - timedelta(days=58)
    for n in range(rng.randrange(70, 90)):
        day += timedelta(days=rng.choice((0, 1, 1, 2)))
        name, cents, settled = rng.choice(SUPPLIERS), rng.randrange(12_000, 420_000), rng.random() < 0.55
        if not settled:
            owed[name] += cents
            unsettled[name] += 1
        rows.append((f"L{5100 + n}", day.isoformat(), name, GOODS[name], money(cents), "yes" if settled else "no"))
    columns = ("delivery", "arrived", "supplier", "goods", "invoice_eur", "settled")
    table(plant.folder / "tables" / "deliveries.csv", ";", columns, rows)
    name = rng.choice([supplier for supplier in SUPPLIERS if unsettled[supplier] >= 3])
    plant.cases["owed-supplier"] = says(money(owed[name]))
    plant.words["owed_supplier"] = name


def energy(rng: random.Random, plant: Brewery) -> None:
    """What the meters say."""
    use: dict[str, list[int]] = {meter: [] for meter in METERS}
    rows = []
    for n in range(31):
        for meter, base in zip(METERS, (900, 640, 410, 230), strict=True):
            kwh = base + rng.randrange(-110, 140)
            use[meter].append(kwh)
            rows.append(((START + timedelta(days=n)).isoformat(), meter, kwh))
    table(plant.folder / "tables" / "energy.tsv", "\t", ("day", "meter", "kwh"), rows)
    meter = rng.choice(METERS)
    plant.cases["average-kwh"] = says(rounded(Decimal(sum(use[meter])) / 31))
    plant.words["kwh_meter"] = meter


def batches(rng: random.Random, plant: Brewery) -> None:
    """What was brewed."""
    numbers = rng.sample(range(2501, 2600), 46)
    beers = rng.sample(BEERS, 7)
    rows: list[list[object]] = []
    volumes = rng.sample(range(1205, 3990), 46)
    for n, number in enumerate(sorted(numbers)):
        brewed = date(2025, 1, 2) + timedelta(days=n * 2 - n // 4)
        abv = rng.randrange(42, 71) / 10
        beer, tank = rng.choice(beers), f"T{rng.randrange(1, 13):02d}"
        rows.append([f"B{number}", beer, tank, brewed.isoformat(), abv, volumes[n] / 10])
    strongest = rng.randrange(5, 40)
    rows[strongest][4] = rng.randrange(74, 91) / 10
    table(plant.folder / "tables" / "batches.csv", ",", ("batch", "beer", "tank", "brewed", "abv", "hl"), rows)
    plant.cases["strongest-batch"] = says(rows[strongest][0], rows[strongest][4])
    hold = rng.choice([row for n, row in enumerate(rows) if n != strongest])
    plant.hold = str(hold[0])
    plant.cases["batch-on-hold"] = says(hold[5])


def workorders(rng: random.Random, plant: Brewery) -> None:
    """What is to be repaired; the asset that is asked for has two to four open ones."""
    first = rng.randrange(1020, 1900)
    rows = []
    for n in range(60):
        state = rng.choices(("open", "done", "cancelled"), (3, 6, 1))[0]
        rows.append((f"WO-{first + n}", rng.choice(ASSETS), rng.choice(FAULTS), rng.choice("ABC"), state))
    asset = rng.choice(ASSETS)
    due = [n for n, row in enumerate(rows) if row[1] == asset and row[4] == "open"]
    for n in due[4:]:
        rows[n] = (*rows[n][:4], "done")
    others = [n for n, row in enumerate(rows) if row[1] != asset][::11]
    for n in others[: max(0, 2 - len(due))]:
        rows[n] = (rows[n][0], asset, rows[n][2], rows[n][3], "open")
    table(plant.folder / "tables" / "workorders.csv", ",", ("order_no", "asset", "what", "prio", "state"), rows)
    hits = [row[0] for row in rows if row[1] == asset and row[4] == "open"]
    plant.cases["open-workorders"] = says(*hits, none=[row[0] for row in rows if row[0] not in hits])
    plant.words["wo_asset"] = asset


def spares(rng: random.Random, plant: Brewery) -> None:
    """Parts, and where they lie."""
    places = [f"{letter}{n}" for letter in "ABCDEFG" for n in range(11, 30)]
    shelves = rng.sample(places, len(plant.pumps) * 2 + 8)
    parts = [(kind, pump, shelves.pop()) for pump in plant.pumps for kind in ("seal kit", "bearing")]
    (shelf,) = [shelf for kind, pump, shelf in parts if (kind, pump) == ("seal kit", plant.leaking)]
    plant.cases["leaking-pump"] = says(shelf)
    parts += [(item, asset, shelves.pop()) for item, asset in FITTINGS]
    rng.shuffle(parts)
    rows = []
    for n, (item, fits, shelf) in enumerate(parts):
        number, stock = f"{40_000 + 7 * n + rng.randrange(7)}", rng.randrange(1, 14)
        rows.append((number, item, fits, shelf, stock, money(rng.randrange(450, 38_000))))
    columns = ("part_no", "item", "fits", "shelf", "on_hand", "price_eur")
    table(plant.folder / "tables" / "spares.tsv", "\t", columns, rows)


def others(rng: random.Random, plant: Brewery) -> None:
    """Tables that nothing is asked of."""
    rows: list[tuple[object, ...]] = []
    for n in range(20):
        day = (START + timedelta(days=n)).isoformat()
        for person in rng.sample(plant.people[7:], 4):
            rows.append((day, person, rng.choice(("early", "late", "night")), rng.choice((6, 7.5, 8, 8, 8, 9.5))))
    table(plant.folder / "tables" / "hours.csv", "|", ("date", "name", "shift", "hours"), rows)
    rows = []
    for n in range(1, 13):
        size, kind = rng.choice((120, 180, 240, 360)), rng.choice(("fermenter", "bright beer", "storage"))
        rows.append((f"T{n:02d}", size, kind, rng.choice(("2025-06", "2025-09", "2026-02"))))
    table(plant.folder / "tables" / "tanks.csv", ";", ("tank", "size_hl", "kind", "next_test"), rows)


def tables(plant: Brewery) -> None:
    """All of them."""
    rng = plant.rng("tables")
    for part in (deliveries, energy, batches, workorders, spares, others):
        part(rng, plant)
