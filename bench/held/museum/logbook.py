"""The logbooks of the museum."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from museum import Museum
from names import DOORS, FIRST, LAST, TOWNS
from papers import GREETINGS
from world import holds, money, says, write


def climate(rng: random.Random, museum: Museum) -> None:
    """What the climate loggers measure; one of them has an empty battery, and says so a few times."""
    loggers = sorted(museum.places)
    weak, now, lines = rng.choice(loggers), datetime(2025, 5, 12, 0, 4), []
    rounds = rng.randrange(34, 44)
    warnings = sorted(rng.sample(range(12, rounds), 3))
    for n in range(rounds):
        for logger in loggers:
            now += timedelta(seconds=rng.randrange(40, 200))
            damp = rng.choices((rng.randrange(45, 56), rng.randrange(56, 66), rng.randrange(37, 45)), (18, 2, 1))[0]
            state = "DAMP" if damp > 55 else "DRY" if damp < 45 else "OK"
            warmth = rng.randrange(176, 214) / 10
            lines.append(f"{now:%Y-%m-%d %H:%M:%S} {logger} {warmth:.1f}C {damp}%RH {state}")
            if logger == weak and n in warnings:
                left = 9 - 2 * warnings.index(n)
                lines.append(f"{now:%Y-%m-%d %H:%M:%S} {logger} battery low ({left}%), please replace")
        now += timedelta(minutes=rng.randrange(60, 90))
    write(museum.folder / "logbook" / "climate.log", "\n".join(lines) + "\n")
    others = [place for logger, place in museum.places.items() if logger != weak]
    museum.cases["flat-battery"] = says(museum.places[weak], none=others)


def doors(rng: random.Random, museum: Museum) -> None:
    """Who went where: each comes out of a door again before they go through another."""
    passed, left = [], []
    for n in range(8):
        day = datetime(2025, 6, 3) + timedelta(days=n)
        *crew, locker = rng.sample(museum.staff, 10)
        used = ["picture store", "picture store", *rng.choices(DOORS, k=7)]
        for person, door in zip(crew, used, strict=True):
            entered = day + timedelta(seconds=rng.randrange(30_600, 57_000))
            stayed = entered + timedelta(seconds=rng.randrange(240, 4_800))
            passed += [(entered, "IN", door, person), (stayed, "OUT", door, person)]
            if door == "picture store":
                left.append((stayed, person))
        closing = day + timedelta(seconds=rng.randrange(62_400, 63_600))
        passed.append((closing, "IN", "loading bay", locker))
        passed.append((closing + timedelta(seconds=rng.randrange(90, 600)), "OUT", "loading bay", locker))
    lines = [f"{at:%Y-%m-%d %H:%M:%S} | {way} | {door} | {who}" for at, way, door, who in sorted(passed)]
    write(museum.folder / "logbook" / "doors.log", "\n".join(lines) + "\n")
    last = max(left)[1]
    museum.cases["last-out"] = says(last, none=[person for person in museum.staff if person != last])


def till(rng: random.Random, museum: Museum) -> None:
    """What was paid at the counter."""
    lines, declined, now, receipt = [], 0, datetime(2025, 6, 7, 10, 2), rng.randrange(20_000, 60_000)
    for _ in range(rng.randrange(230, 290)):
        now += timedelta(seconds=rng.randrange(20, 180))
        receipt += 1
        way = rng.choices(("card", "cash"), (7, 3))[0]
        state = rng.choices(("APPROVED", "DECLINED", "VOID"), (84, 11, 5))[0] if way == "card" else "PAID"
        declined += state == "DECLINED"
        amount = money(rng.randrange(350, 8_800, 50))
        lines.append(f"{now:%d.%m.%Y %H:%M:%S} receipt={receipt} {way} {amount} {state}")
    write(museum.folder / "logbook" / "till.log", "\n".join(lines) + "\n")
    museum.cases["write-declined"] = holds("outgoing/declined.txt", declined)


def guestbook(rng: random.Random, museum: Museum) -> None:
    """Who signed, in that order."""
    guests = [f"{first} {last}" for first, last in zip(rng.sample(FIRST, 20), rng.sample(LAST, 20), strict=True)]
    now, lines = datetime(2025, 5, 3), []
    for guest in guests:
        lines.append(f"{now:%d.%m.%Y}  {guest}, {rng.choice(TOWNS)}: {rng.choice(GREETINGS)}")
        now += timedelta(days=rng.randrange(3))
    write(museum.folder / "logbook" / "guestbook.txt", "\n".join(lines) + "\n")
    museum.cases["first-guest"] = says(guests[0], none=guests[1:])


def logbook(museum: Museum) -> None:
    """All of them."""
    rng = museum.rng("logbook")
    for part in (climate, doors, till, guestbook):
        part(rng, museum)
