"""The logs of the brewery."""

from __future__ import annotations

import json
import random
from datetime import datetime, time, timedelta

from brewery import Brewery
from names import REASONS
from world import holds, says, write


def shift(at: time) -> str:
    """Which shift it is."""
    if time(5, 45) <= at < time(13, 45):
        return "early"
    return "late" if time(13, 45) <= at < time(21, 45) else "night"


def filler(rng: random.Random, plant: Brewery) -> None:
    """Stops of the filler, with their reasons."""
    lines, counts = [], dict.fromkeys(REASONS, 0)
    now = datetime(2025, 3, 3, 5, 47, 12)
    for _ in range(rng.randrange(70, 95)):
        now += timedelta(seconds=rng.randrange(600, 6000))
        reason = rng.choices(REASONS, (7, 9, 4, 5, 3, 2))[0]
        counts[reason] += 1
        lines.append(f"{now:%Y-%m-%d %H:%M:%S} | STOP | reason={reason} | shift={shift(now.time())}")
        minutes = rng.randrange(2, 34)
        now += timedelta(minutes=minutes, seconds=rng.randrange(60))
        lines.append(f"{now:%Y-%m-%d %H:%M:%S} | RUN | speed={rng.randrange(90, 121) * 100} | down_min={minutes}")
    write(plant.folder / "journal" / "filler.log", "\n".join(lines) + "\n")
    reason = rng.choice([reason for reason in REASONS if counts[reason] >= 5])
    plant.cases["filler-stops"] = says(counts[reason])
    plant.words["stop_reason"] = reason


def cellar(rng: random.Random, plant: Brewery) -> None:
    """Temperatures of the tanks, and alarms."""
    tanks = [f"T{n:02d}" for n in range(1, 13)]
    total = rng.randrange(180, 260)
    alarms = sorted(rng.sample(range(10, total - 8), rng.randrange(5, 9)))
    raised = rng.sample(tanks, len(alarms))
    lines, now = [], datetime(2025, 3, 8, 0, 3, 0)
    for n in range(total):
        now += timedelta(seconds=rng.randrange(120, 900))
        tank, level, temp = rng.choice(tanks), "OK", rng.randrange(8, 55) / 10
        if n in alarms:
            tank, level, temp = raised[alarms.index(n)], "ALARM", rng.randrange(91, 138) / 10
        elif rng.random() < 0.06:
            level, temp = "WARN", rng.randrange(60, 88) / 10
        lines.append(f"[{now:%d/%b/%Y %H:%M:%S}] {level} {tank} temp={temp} pressure={rng.randrange(6, 19) / 10}")
    write(plant.folder / "journal" / "cellar.log", "\n".join(lines) + "\n")
    plant.cases["last-alarm"] = says(raised[-1], none=[tank for tank in tanks if tank != raised[-1]])
    plant.cases["cellar-lines"] = says(total)


def api(rng: random.Random, plant: Brewery) -> None:
    """Requests of those who order."""
    lines, failed, now = [], 0, datetime(2025, 3, 11, 6, 0, 4)
    for _ in range(rng.randrange(150, 210)):
        now += timedelta(seconds=rng.randrange(2, 240))
        status = rng.choices([200, 201, 404, 500, 503], (60, 15, 6, 12, 4))[0]
        failed += status == 500
        route = rng.choice(["/orders", "/customers", "/stock", "/login"])
        request = {"at": f"{now:%Y-%m-%dT%H:%M:%S}", "route": route, "status": status, "ms": rng.randrange(11, 480)}
        lines.append(json.dumps(request))
    write(plant.folder / "journal" / "order-api.log", "\n".join(lines) + "\n")
    plant.cases["write-api-500"] = holds("outbox/api-500.txt", failed)


def forklift(rng: random.Random, plant: Brewery) -> None:
    """Who took which truck."""
    lines, now, driver, battery = [], datetime(2025, 3, 12, 5, 50), "", 0
    for _ in range(rng.randrange(30, 46)):
        now += timedelta(minutes=rng.randrange(4, 24))
        driver, battery = rng.choice(plant.people[7:]), rng.randrange(21, 99)
        truck, gate = rng.randrange(1, 4), rng.randrange(1, 5)
        lines.append(f"{now:%Y-%m-%d %H:%M} truck=FL{truck} driver={driver} battery={battery}% gate={gate}")
    write(plant.folder / "journal" / "forklift.log", "\n".join(lines) + "\n")
    plant.cases["forklift-last"] = says(f"{now:%H:%M}", driver, battery)


def workshop(rng: random.Random, plant: Brewery) -> None:
    """What was repaired, and the pump that leaks."""
    plant.pumps = [f"P-{n}" for n in rng.sample(range(11, 40), 9)]
    plant.leaking = rng.choice(plant.pumps)
    others = [pump for pump in plant.pumps if pump != plant.leaking]
    said = [
        "greased, runs fine", "new coupling fitted", "strainer cleaned", "motor changed, tested",
        "vibration measured, ok",
    ]  # fmt: skip
    entries = [f"{pump} {rng.choice(said)}" for pump in rng.sample(others * 2, 13)]
    entries += ["conveyor 2 chain tightened", "lamp above gate 3 replaced", "air filter of the compressor changed"]
    rng.shuffle(entries)
    leak = f"{plant.leaking} is leaking at the shaft, drip tray put under it"
    entries.insert(rng.randrange(4, len(entries) - 2), leak)
    lines, now = [], datetime(2025, 3, 10, 6, 5)
    for entry in entries:
        now += timedelta(minutes=rng.randrange(45, 300))
        lines.append(f"{now:%d.%m.%Y %H:%M}  {rng.choice(plant.people[7:12])}: {entry}")
    write(plant.folder / "journal" / "workshop.log", "\n".join(lines) + "\n")


def journal(plant: Brewery) -> None:
    """All of them."""
    rng = plant.rng("journal")
    for part in (filler, cellar, api, forklift, workshop):
        part(rng, plant)
