"""Notes, settings and logs of the pottery."""

from __future__ import annotations

import json
import random
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from again import ways
from names import CLAYS, FILLERS, GLAZES, KILN, KILNS, LINES, MATERIALS, NOTES, ROOMS, SHOP, SUPPLIERS, TOWNS, VISITS
from world import Cases, Words, holds, says, write

Row = tuple[Any, ...]


def phone(rng: random.Random) -> str:
    """A phone number of nobody."""
    return f"0555 {rng.randrange(100, 1_000)} {rng.randrange(1_000, 10_000)}"


def recipes(rng: random.Random) -> dict[str, dict[str, int]]:
    """The percents of each glaze: no material has the same share in two glazes, nor two in one."""
    while True:
        found = {}
        for glaze in GLAZES:
            shares = [rng.randrange(30, 50), rng.randrange(17, 29), rng.randrange(10, 22), rng.randrange(3, 13)]
            found[glaze] = dict(zip(MATERIALS, [*shares, 100 - sum(shares)], strict=True))
        alike = [{shares[material] for shares in found.values()} for material in MATERIALS[:4]]
        whole = all(min(shares.values()) > 0 and len({*shares.values()}) == 5 for shares in found.values())
        if whole and all(len(shares) == len(GLAZES) for shares in alike):
            return found


def notes(rng: random.Random, folder: Path, people: list[str], showpiece: str) -> tuple[Cases, Words]:
    """The notes of the pottery."""
    throwing, building, old, new, glazing = (rng.randrange(*ends) for ends in (
        (140, 190), (90, 130), (61, 75), (76, 89), (45, 60),
    ))  # fmt: skip
    keys = {room: rng.sample(people, 2) for room in ROOMS}
    mixed, supplier = recipes(rng), rng.choice(SUPPLIERS)
    kept = {
        "throwing": throwing, "building": building, "old": old, "new": new, "glazing": glazing,
        "keys": "\n".join(f"| {room} | {key} | {spare} |" for room, (key, spare) in keys.items()),
        "recipes": "\n\n".join(
            f"## {glaze}\n\n" + "\n".join(f"- {material}: {share}" for material, share in shares.items())
            for glaze, shares in mixed.items()
        ),
        "supplier": supplier, "showpiece": showpiece, "policy": f"H-{rng.randrange(10_000, 100_000)}",
        **dict(zip(("s1", "s2", "s3"), rng.sample(TOWNS, 3), strict=True)),
        **{f"phone{n}": phone(rng) for n in (1, 2, 3)},
    }  # fmt: skip
    chosen = rng.sample(sorted(FILLERS), rng.randrange(6, len(FILLERS) + 1))  # of each kind some
    found = {**NOTES, **{name: FILLERS[name] for name in chosen}}
    for name, text in found.items():
        write(folder / "notes" / name, text.format(**kept))
    room, glaze, material = rng.choice(ROOMS), rng.choice(GLAZES), rng.choice(MATERIALS[:4])
    kilos = rng.randrange(3, 13)
    return {
        "course-price": says(new, none=(old,)),
        "spare-key": says(keys[room][1]),
        "supplier-email": {"abstains": True},
        "recipe-grams": says(mixed[glaze][material] * kilos * 10),
        "md-notes": {"answer": {"any": ways(sum(name.endswith(".md") for name in found))}},
    }, {"room": room, "supplier": supplier, "glaze": glaze, "material": material, "kilos": str(kilos)}


def config(rng: random.Random, folder: Path) -> Cases:
    """Settings: three kilns, of which one is asked about."""
    tops = rng.sample(range(1_205, 1_285, 5), len(KILNS))
    for (name, (about, kiln)), top in zip(KILNS.items(), tops, strict=True):
        kept = {
            "about": about, "name": kiln, "glaze": top, "bisque": rng.randrange(920, 1_010, 5),
            "zones": rng.randrange(2, 5), "hold1": rng.randrange(8, 20), "hold2": rng.randrange(21, 45),
        }  # fmt: skip
        write(folder / "config" / name, KILN.format(**kept))
    write(folder / "config" / "shop.ini", SHOP.format(width=rng.randrange(40, 60), basket=rng.randrange(15, 60)))
    return {"kiln-top": says(tops[0], none=tops[1:])}


def kiln(rng: random.Random, folder: Path) -> Cases:
    """The log of the kiln."""
    moment, lines = datetime(2025, 4, 7, 6, 10), []
    for kind in rng.choices(list(LINES), list(LINES.values()), k=rng.randrange(230, 420)):
        moment += timedelta(seconds=rng.randrange(60, 1_800))
        told = kind.format(
            zone=rng.randrange(1, 5), temp=rng.randrange(200, 1_240), step=rng.randrange(1, 8),
            speed=rng.randrange(200, 900), volt=rng.randrange(180, 220),
        )  # fmt: skip
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S} {told}")
    write(folder / "logs" / "kiln.log", "\n".join(lines) + "\n")
    return {"sensor-faults": {"answer": {"any": ways(sum("sensor fault" in line for line in lines))}}}


def firings(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The firings as JSON lines; no two used as much, and the hottest of all was no bisque firing."""
    day, found, span = date(2025, 1, 6), [], rng.randrange(24, 70)  # in degrees
    used = rng.sample([n for n in range(381, 899) if n % 10], 140)  # in tenths of a kWh
    for number in range(301, 301 + rng.randrange(90, 130)):
        day += timedelta(days=rng.choice((0, 1, 1, 2)))
        kind, about = rng.choice((("bisque", 955), ("glaze", 1_225), ("lustre", 745)))
        found.append({
            "firing": f"F-{number}", "ended_on": day.isoformat(), "kind": kind, "clay": rng.choice(list(CLAYS)),
            "peak_c": about + rng.randrange(span), "kwh": used.pop() / 10,
        })  # fmt: skip
    write(folder / "logs" / "firings.jsonl", "".join(json.dumps(line) + "\n" for line in found))
    asked = rng.choice(found[10:-10])
    before = [f"{used.pop() / 10}" for _ in range(3)]
    write(folder / "out" / "energy.txt", "".join(f"{line}\n" for line in before))
    append = holds("out/energy.txt", asked["kwh"])
    append["files"]["out/energy.txt"]["contains"] = [*before, str(asked["kwh"])]
    return {
        "bisque-peak": says(max(int(str(line["peak_c"])) for line in found if line["kind"] == "bisque")),
        "append-energy": append,
    }, {"firing": str(asked["firing"])}


def shop(rng: random.Random, folder: Path, orders: list[Row]) -> None:
    """The log of the web shop: `orders` are (number, day, product, whether the payment failed)."""
    moment, lines = datetime(2025, 1, 1), []
    for number, day, _, failed in orders:
        moment = max(moment, datetime(day.year, day.month, day.day, 8))
        told = [f"INFO order {number} placed"]
        told += [f"INFO page /shop viewed by {rng.randrange(2, 30)} guests"] * rng.randrange(0, 2)
        told += [f"WARNING payment failed for order {number}" if failed else f"INFO order {number} paid"]
        for line in told:
            moment += timedelta(seconds=rng.randrange(20, 900))
            lines.append(f"{moment:%Y-%m-%d %H:%M:%S} {line}")
    write(folder / "logs" / "shop.log", "\n".join(lines) + "\n")


def visitors(rng: random.Random, folder: Path) -> Cases:
    """The counter at the door, long or short; one of the logs is clearly the largest then."""
    while True:
        moment, lines = datetime(2025, 6, 2, 10), []
        for _ in range(rng.choice((rng.randrange(90, 280), rng.randrange(90, 280), rng.randrange(280, 700)))):
            moment += timedelta(seconds=rng.randrange(60, 2_400))
            lines.append(f"{moment:%Y-%m-%d %H:%M} {rng.randrange(1, 9)} {rng.choice(VISITS)}")
        write(folder / "logs" / "visitors.log", "\n".join(lines) + "\n")
        sizes = {path.name: path.stat().st_size for path in (folder / "logs").iterdir()}
        largest, *others = sorted(sizes, key=lambda name: -sizes[name])
        if sizes[largest] > sizes[others[0]] * 1.1:
            return {"largest-log": says(largest, none=sorted(others))}
