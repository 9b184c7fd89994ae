"""The logs of the solar cooperative: JSON lines, key=value, syslog, and a table with bars."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

from again import days_as, ways
from names import GATEWAYS, Plant
from world import Cases, Words, merged, says, write

EVENTS = {  # of an inverter: its level, and how often
    "feed_in_started": ("info", 5), "feed_in_stopped": ("info", 5), "isolation_test_passed": ("info", 4),
    "isolation_fault": ("error", 5), "grid_overvoltage": ("warn", 3), "fan_blocked": ("warn", 1),
}  # fmt: skip
ALARMS = {
    "DOOR": "cabinet door open", "TEMP": "cabinet above 60 degrees", "VOLT": "grid voltage out of range",
    "WIND": "gust above 75 km/h",
}  # fmt: skip
CALM = ("DOOR", "TEMP", "VOLT", "VOLT", "WIND")
FIRST_DAY = date(2026, 5, 1)


def times(rng: random.Random, count: int, days: int) -> list[datetime]:
    """Moments in order, no two alike."""
    start = datetime.combine(FIRST_DAY, datetime.min.time())
    return [start + timedelta(seconds=n) for n in sorted(rng.sample(range(days * 86_400), count))]


def inverters(rng: random.Random, folder: Path, numbers: list[str]) -> tuple[Cases, Words]:
    """What the inverters report, one object a line."""
    known, weights = list(EVENTS), [often for _, often in EVENTS.values()]
    some = rng.sample(numbers, 9)
    while True:
        faults, lines = Counter[str](), []
        for when in times(rng, rng.randrange(210, 380), 28):
            event, number = rng.choices(known, weights)[0], rng.choice(some)
            faults[number] += event == "isolation_fault"
            told: dict[str, object] = {
                "ts": f"{when:%Y-%m-%dT%H:%M:%SZ}",
                "level": EVENTS[event][0],
                "inverter": number,
            }
            told |= {"event": event, "volts": round(rng.uniform(221, 259), 1)}
            lines.append(json.dumps(told))
        fair = [number for number, often in faults.items() if 4 < often < 18 and often != int(number[-2:])]
        if fair:
            break
    asked = rng.choice(fair)
    write(folder / "logs" / "inverters.jsonl", "\n".join(lines) + "\n")
    return {"isolation-faults": {"answer": {"any": ways(faults[asked])}}}, {"inverter": asked}


def batteries(rng: random.Random, folder: Path, plants: list[Plant]) -> tuple[Cases, Words]:
    """How full the batteries are, every four hours; each is emptiest at one time."""
    sites = [plant.name for plant in plants if plant.battery]
    count = rng.randrange(9, 15)
    lows = {}
    for name in sites:
        n = rng.randrange(6 * count)
        day = FIRST_DAY + timedelta(days=n // 6)
        lows[name] = n, day, rng.choice([low for low in range(6, 20) if low != day.day])
    lines = []
    for n in range(6 * count):
        for late, name in enumerate(sites):
            when = datetime.combine(FIRST_DAY, datetime.min.time()) + timedelta(hours=4 * n, minutes=7 * late)
            charge = lows[name][2] if lows[name][0] == n else rng.randrange(22, 97)
            power = rng.choice((-1, 1)) * rng.randrange(2, 90)
            state = "charging" if power > 0 else "discharging"
            lines.append(f'ts={when:%Y-%m-%dT%H:%M:%S} site="{name}" soc={charge} power_kw={power / 10} state={state}')
    asked = rng.choice(sites)
    write(folder / "logs" / "battery.log", "\n".join(lines) + "\n")
    _, day, low = lows[asked]
    return {"battery-lowest": {"answer": {"any": [[str(low), *way] for way in days_as(day)]}}}, {"battery": asked}


def gateways(rng: random.Random, folder: Path) -> Cases:
    """The gateways' syslog; one loses its link far more often."""
    hosts = list(GATEWAYS)
    rng.shuffle(hosts)
    lost = Counter({host: rng.randrange(4, 12) for host in hosts[1:]})
    lost[hosts[0]] = max(lost.values()) + rng.randrange(5, 9)
    told = [(host, "netd", f"link lost, retry in {rng.choice((10, 20, 40))} s") for host in lost.elements()]
    told += [(host, "netd", f"link up after {rng.randrange(4, 90)} s") for host in lost.elements()]
    for _ in range(rng.randrange(140, 330)):
        program, said = rng.choice(
            (("netd", "link quality low"), ("chronyd", "clock stepped by 0.2 s"), ("meterd", "96 readings sent"))
        )
        told.append((rng.choice(hosts), program, said))
    rng.shuffle(told)
    pids = {(host, program): rng.randrange(300, 990) for host, program, _ in told}
    lines = [
        f"{when:%b} {when.day:2d} {when:%H:%M:%S} {host} {program}[{pids[host, program]}]: {said}"
        for when, (host, program, said) in zip(times(rng, len(told), 29), told, strict=True)
    ]
    write(folder / "logs" / "gateways.log", "\n".join(lines) + "\n")
    return {"lost-link": {"answer": {"any": [[hosts[0], *way] for way in ways(lost[hosts[0]])]}}}


def alarms(rng: random.Random, folder: Path, plants: list[Plant]) -> tuple[Cases, Words]:
    """The alarms of May; in a storm one hatch is blown open, on a few other days others."""
    storm, *others = rng.sample(range(31), 6)
    hit, *rest = rng.sample(plants, 6)
    open_on = dict(zip((storm, *others), (hit, *rest), strict=True))
    lines = []
    for n in range(31):
        day = FIRST_DAY + timedelta(days=n)
        codes = [rng.choice(CALM) for _ in range(rng.randrange(5, 11))] + ["WIND"] * (9 if n == storm else 0)
        told = [(rng.choice(plants).name, code, ALARMS[code]) for code in codes]
        told += [(open_on[n].name, "HATCH", "roof hatch open")] if n in open_on else []
        rng.shuffle(told)
        seconds = sorted(rng.sample(range(86_400), len(told)))
        for second, parts in zip(seconds, told, strict=True):
            when = datetime.combine(day, datetime.min.time()) + timedelta(seconds=second)
            lines.append(" | ".join((f"{when:%Y-%m-%d %H:%M:%S}", *parts)))
    write(folder / "logs" / "alarms.log", "\n".join(lines) + "\n")
    day = FIRST_DAY + timedelta(days=storm)
    held = [plant.holder for plant in plants if plant is not hit]
    return {"hatch-key": says(hit.holder, none=held)}, {"storm_day": f"{day.day} {day:%B %Y}"}


def logs(rng: random.Random, folder: Path, plants: list[Plant], numbers: list[str]) -> tuple[Cases, Words]:
    """All of them, and which is the largest."""
    cases, words = merged(
        inverters(rng, folder, numbers), batteries(rng, folder, plants), alarms(rng, folder, plants),
        (gateways(rng, folder), {}),
    )  # fmt: skip
    sizes = {path.name: path.stat().st_size for path in (folder / "logs").iterdir()}
    most = max(sizes, key=sizes.__getitem__)
    return cases | {"largest-log": says(most, sizes[most])}, words
