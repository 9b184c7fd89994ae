"""Notes, settings, logs and the archive of the ferry line."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from pathlib import Path

from again import ways
from names import ARCHIVE, BRIDGE, FILLERS, GARMENTS, GATE, HOME, ISLANDS, LINES, NOTES, SERVER, SETTINGS, SHIPS
from world import Cases, Words, money, says, write


def harbours(rng: random.Random, masters: list[str]) -> tuple[str, str]:
    """Who looks after which harbour, and the harbour that has no phone."""
    without, told = rng.choice(ISLANDS), []
    for place, name in zip(rng.sample([HOME, *ISLANDS], len(ISLANDS) + 1), masters, strict=True):
        way = f"Phone: 0555 {rng.randrange(100, 1_000)} {rng.randrange(1_000, 10_000)}"
        if place == without:
            way = "Only to be reached by letter, or on the quay when a ship comes in."
        told.append(f"## {place}\n\nHarbour master: {name}\n{way}")
    return "\n\n".join(told), without


def notes(rng: random.Random, folder: Path, masters: list[str]) -> tuple[Cases, Words]:
    """The notes of the line, and the prices of uniforms, which belong to one of them."""
    told, without = harbours(rng, masters)
    pieces = {name: rng.randrange(6, 15) for name in GARMENTS}
    prices = {name: rng.randrange(about * 8 // 10, about, 10) + 5 for name, about in GARMENTS.values()}
    garment = rng.choice(sorted(GARMENTS))
    old, new = rng.sample(range(25, 41), 2)
    kept = {
        "harbours": told, "foot": rng.randrange(10, 20), "old": old, "new": new, "crane": rng.randrange(4, 12),
        "order": "\n".join(f"- {name}: {count}" for name, count in pieces.items()), "opens": rng.choice((15, 30, 45)),
        "kept": rng.choice((42, 60, 90)),
    }  # fmt: skip
    for name, text in NOTES.items():
        write(folder / "notes" / name, text.format(**kept))
    for name in rng.sample(sorted(FILLERS), rng.randrange(2, len(FILLERS) + 1)):
        write(folder / "notes" / name, FILLERS[name])
    listed = {"currency": "EUR", "uniforms": {name: cents / 100 for name, cents in prices.items()}}
    write(folder / "settings" / "uniform_prices.json", json.dumps(listed, indent=2) + "\n")
    return {
        "car-queue": says(new, none=(old,)),
        "harbour-phone": {"abstains": True},
        "uniform-cost": says(money(pieces[garment] * prices[GARMENTS[garment][0]])),
    }, {"harbour": without, "garment": garment}


def settings(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """Settings: of the fleet, of the ticket machine and of the one before it."""
    seconds, older, bright, dim = rng.sample(range(21, 95), 4)
    kept = {
        "seconds": seconds, "old_seconds": older, "bright": bright, "old_bright": dim, "cache": rng.randrange(5, 60),
    }  # fmt: skip
    for name, text in SETTINGS.items():
        write(folder / "settings" / name, text.format(**kept))
    jackets = dict(zip(SHIPS, rng.sample(range(121, 380), len(SHIPS)), strict=True))
    lines = [f"home_port: {HOME}", "ships:"]
    for ship, count in jackets.items():
        lines += [
            f"  {ship}:",
            f"    vhf_channel: {rng.randrange(6, 78)}",
            "    safety:",
            f"      life_jackets: {count}",
        ]
        lines += [f"      life_rafts: {rng.randrange(4, 12)}", f"      fire_extinguishers: {rng.randrange(12, 40)}"]
    write(folder / "settings" / "fleet.yaml", "\n".join(lines) + "\n")
    asked = rng.choice(SHIPS)
    return {
        "life-jackets": says(jackets[asked]),
        "screen-seconds": {"answer": {"any": ways(seconds), "none": [str(older)]}},
    }, {"ship": asked}


def gate(rng: random.Random, year: int) -> list[tuple[int, str]]:
    """What the gates did: which one, and the line."""
    moment, number, found = datetime(year, 9, 1, 6, 5), rng.randrange(20_000, 60_000), []
    for told in rng.choices(list(GATE), list(GATE.values()), k=rng.randrange(240, 400)):
        moment += timedelta(seconds=rng.randrange(20, 2_400))
        number += "ticket" in told
        which = rng.randrange(1, 5)
        found.append((which, f"{moment:%Y-%m-%d %H:%M:%S} gate {which} {told.format(n=number)}"))
    return found


def gates(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The log of the gates, and that of the year before; no two gates rejected as many."""
    asked = rng.randrange(1, 5)
    while True:
        now, before = gate(rng, 2025), gate(rng, 2024)
        counts = [sum(which == n and " REJECTED " in line for which, line in now) for n in range(1, 5)]
        other = sum(which == asked and " REJECTED " in line for which, line in before)
        if len({*counts, other}) == 5 and min(counts) > 4:
            break
    for name, lines in (("gate", now), ("gate-2024", before)):
        write(folder / "logs" / f"{name}.log", "".join(f"{line}\n" for _, line in lines))
    count = str(counts[asked - 1])
    return {"rejected-tickets": {"files": {"out/rejected.txt": {"contains": [count], "equals": count}}}}, {
        "gate": str(asked)
    }


def bridge(rng: random.Random, folder: Path, captains: dict[str, str]) -> Cases:
    """The log of the bridges: the first alarm is of no ship that has the last one, or the first line."""
    while True:
        moment, lines, alarms = datetime(2025, 9, 1, 5, 40), [], []
        for told in rng.choices(list(BRIDGE), list(BRIDGE.values()), k=rng.randrange(220, 360)):
            moment += timedelta(seconds=rng.randrange(120, 3_600))
            ship, place = rng.choice(SHIPS), rng.choice((HOME, *ISLANDS))
            lines.append((ship, f"{moment:%Y-%m-%dT%H:%M:%S} {ship} {told.format(place=place)}"))
            if "ENGINE_ALARM" in told:
                alarms.append(ship)
        if 5 < len(alarms) < 25 and alarms[0] not in (alarms[1], alarms[-1], lines[0][0], lines[-1][0]):
            break
    write(folder / "logs" / "bridge.log", "".join(f"{line}\n" for _, line in lines))
    right = captains[alarms[0]]
    return {"alarm-captain": says(alarms[0], right, none=sorted({*captains.values()} - {right}))}


def server(rng: random.Random, folder: Path) -> Cases:
    """The log of the ticket server; it was started a few times, last well before the end."""
    moment, lines, starts = datetime(2025, 8, 25, 4, 10, 7), [], []
    count, often = rng.randrange(260, 380), rng.randrange(4, 8)
    started = {0, *rng.sample(range(20, count - 40), often)}
    for n, told in enumerate(rng.choices(list(SERVER), list(SERVER.values()), k=count)):
        moment += timedelta(seconds=rng.randrange(60, 5_400))
        said = told.format(desk=rng.randrange(1, 5), n=rng.randrange(2, 60), wait=rng.randrange(900, 9_000))
        if n in started:
            lines.append(f"[{moment - timedelta(seconds=31):%Y-%m-%d %H:%M:%S}] INFO server stopped")
            said = "INFO server started"
            starts.append(f"{moment:%H:%M:%S}")
        lines.append(f"[{moment:%Y-%m-%d %H:%M:%S}] {said}")
    write(folder / "logs" / "server.log", "\n".join(lines[1:]) + "\n")
    return {"last-start": says(starts[-1], none=sorted({*starts} - {starts[-1]}))}


def archive(rng: random.Random, folder: Path) -> Cases:
    """Old papers, one of them longer than all others."""
    sizes = rng.sample(range(8, 60, 4), len(ARCHIVE))
    for name, size in zip(ARCHIVE, sizes, strict=True):
        write(folder / "archive" / name, "\n".join([LINES[0], *rng.choices(LINES, k=size - 1)]) + "\n")
    order = sorted(ARCHIVE, key=lambda name: (folder / "archive" / name).stat().st_size)
    return {"largest-file": says(order[-1], none=sorted(order[:-1]))}
