"""Logs of a made-up bakery: the deliveries, an oven, the web server."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

from again import ways
from names import DRIVERS
from world import Cases, holds, says, write

PATHS = ("/", "/menu", "/branches", "/order", "/specials", "/contact", "/img/bread.jpg", "/old-menu", "/jobs")
NOTES = {
    "INFO": ("program started", "program finished", "door opened", "door closed", "target temperature reached"),
    "WARN": ("temperature is rising slowly", "steam pressure is low", "door is open for more than a minute"),
    "ERROR": ("burner does not ignite", "temperature sensor does not respond", "fan is blocked"),
}


def lines(told: list[str]) -> str:
    """A text of lines."""
    return "\n".join(told) + "\n"


def deliveries(rng: random.Random, folder: Path) -> Cases:
    """What the drivers report: each of those who drove has at least two lines."""
    drivers = rng.sample(DRIVERS, rng.randrange(6, 11))
    now, told, count = datetime(2025, 10, 6, 6, 30), [], rng.randrange(230, 300)
    driving = [*drivers, *drivers, *rng.choices(drivers, rng.sample(range(1, 20), len(drivers)), k=count)]
    rng.shuffle(driving)
    for name in driving:
        now += timedelta(seconds=rng.randrange(20, 400))
        level, event = rng.choices((("INFO", "delivered"), ("INFO", "departed"), ("WARN", "delayed")), (6, 3, 1))[0]
        told.append(f"{now} {level} driver={name} order={rng.randrange(5_001, 5_400)} event={event}")
    write(folder / "logs" / "delivery.log", lines(told))
    return {"driver-count": {"answer": {"any": ways(len(drivers))}}}


def oven(rng: random.Random, folder: Path) -> Cases:
    """One day of an oven; warnings come before the first error."""
    count = rng.randrange(220, 300)
    levels = ["INFO", "WARN", *rng.choices(("INFO", "WARN"), (8, 1), k=rng.randrange(30, 90)), "ERROR"]
    levels += rng.choices(("INFO", "WARN", "ERROR"), (16, 2, 1), k=count - len(levels) - 2)
    levels += ["ERROR", "INFO"]
    now, told, failed = datetime(2025, 10, 7, 2, 30), [], []
    for level in levels:
        now += timedelta(seconds=rng.randrange(5, 240))
        failed += [f"{now:%H:%M:%S}"] * (level == "ERROR")
        told.append(f"{now} {level} oven {rng.randrange(1, 4)}: {rng.choice(NOTES[level])}")
    write(folder / "logs" / "oven.log", lines(told))
    return {"first-error": says(failed[0], none=[failed[-1]])}


def web(rng: random.Random, folder: Path) -> Cases:
    """Requests: some answers that were fine have 404 bytes."""
    now, told, missed = datetime(2025, 10, 8, 5, 0), [], 0
    statuses = rng.choices((200, 304, 404, 500), (12, 3, 2, 1), k=rng.randrange(260, 380))
    for status in statuses:
        now += timedelta(seconds=rng.randrange(1, 90))
        size = 404 if status == 200 and rng.random() < 0.06 else rng.randrange(500, 9_000)
        at = f"[{now:%d/%b/%Y:%H:%M:%S} +0000]"
        told.append(f'192.0.2.{rng.randrange(1, 255)} - - {at} "GET {rng.choice(PATHS)} HTTP/1.1" {status} {size}')
        missed += status == 404
    write(folder / "logs" / "web.log", lines(told))
    return {"not-found": holds("out/not_found.txt", missed)}
