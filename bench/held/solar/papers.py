"""Notes, settings and letters of the solar cooperative."""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from again import ways
from names import Plant, nowhere
from world import Cases, Words, money, says, write

ARTICLES = """# Articles of the Sunrise Roofs cooperative

As adopted at the founding meeting on 9 November 2013.

## § 3 Members

Whoever signs the declaration of accession is a member. A member may hold up to {most} shares.

## § 5 General meeting

It is held in the first half of each year. The invitation is sent three weeks before.

## § 7 Giving back shares

A member may give back shares in writing. The period of notice is {old} weeks. The value is paid out at the end of the
quarter in which the period ends.

## § 9 Reserve

One tenth of each year's surplus goes into the reserve until it has reached {reserve},000 euros.
"""
MEETING = """# General meeting, 14 March 2026

Present: {present} members. The chair opened the meeting at 18:00.

- Motion 3 (shorter way out, {rejected} weeks' notice for giving back shares): rejected.
- Motion 4 (counter-proposal of the board): adopted. § 7 of the articles is changed: the period of notice for giving
  back shares is {new} weeks. This applies from 1 April 2026.
- Motion 5 (a second bench in front of the office): adopted.

The accounts of 2025 were approved without a vote against.
"""
WELCOME = """# For new volunteers

- Nobody goes onto a roof alone. Say at the office when you leave and when you are back.
- The list of roofs tells who can let you in; call the day before.
- Snow and leaves are left where they are unless the board asks for them to be removed.
- Helmets hang beside the door of the office.
"""
STORMS = """# After a storm

1. Look at the alarms of that night before anybody drives out.
2. Take photos from the ground first.
3. A hatch that is open is closed the same day: water does more damage than wind.
4. Tell the insurer within {days} days.
"""
MONITORING = """# What the monitoring does, and when
[connection]
poll_seconds = {poll}
offline_after_minutes = {offline}   # an inverter that has said nothing for so long
retry_minutes = {retry}

[yield]
compare_with = "neighbours"
drop_percent = {drop}

[mail]
repeat_after_minutes = {repeat}
quiet_from = "22:00"
quiet_until = "06:30"
"""
PORTAL = """[portal]
title = Sunrise Roofs
session_minutes = {session}
languages = en, pt

[export]
separator = ;
keep_days = {keep}
"""
LETTERS = {  # from the grid operator
    "meter-exchange": "Please have the meter at {0} exchanged by {day}. Our fitter needs access to the cabinet.",
    "meter-exchange-second-site": "Please have the meter at {1} exchanged by {day}. The fitter will call.",
    "annual-statement": "The annual statement for {2} is ready. It was drawn up on {day}.",
    "cable-works": "We are laying a new cable near {0}. The works end on {day}.",
    "feed-in-limit": "From {day} on, {3} is no longer limited to 70 per cent of its power.",
    "new-contact": "Your new contact in the office for connections is there from {day} on.",
    "register-entry": "The entry of {1} in the register of plants was confirmed on {day}.",
    "transformer-check": "The transformer beside {2} is checked on {day}. You need not do anything.",
}


def notes(rng: random.Random, folder: Path, plants: list[Plant]) -> Cases:
    """What the office has written down."""
    office = folder / "office"
    old, new, rejected = rng.randrange(20, 31), rng.choice((10, 11, 12, 13, 15, 16, 17, 18)), rng.choice((6, 8, 9))
    write(
        office / "articles.md", ARTICLES.format(old=old, most=rng.choice((60, 80, 100)), reserve=rng.choice((40, 50)))
    )
    told = {"new": new, "rejected": rejected, "present": rng.randrange(31, 60)}
    write(office / "general-meeting-2026-03-14.md", MEETING.format(**told))
    write(office / "welcome.md", WELCOME)
    write(office / "storms.md", STORMS.format(days=rng.choice((3, 5, 7))))
    lines = ["| Roof | Owner's contact | Key holder | Way up |", "|---|---|---|---|"]
    for plant in sorted(plants, key=lambda plant: plant.name):
        way = rng.choice(("inside stairs", "ladder", "outside stairs"))
        lines.append(f"| {plant.name} | {plant.owner} | {plant.holder} | {way} |")
    write(office / "roofs.md", "# Roofs\n\nWho can let you in, and how you get up.\n\n" + "\n".join(lines) + "\n")
    return {"notice-weeks": {"answer": {"any": ways(new), "none": [str(old), str(rejected)]}}}


def settings(rng: random.Random, folder: Path, plants: list[Plant]) -> tuple[Cases, dict[str, int]]:
    """The settings, and the hundredths of a cent that each plant gets for a kWh."""
    place = folder / "settings"
    offline, retry, repeat, poll = rng.sample(range(21, 75), 4)
    told = {"poll": poll, "offline": offline, "retry": retry, "repeat": repeat + 60, "drop": rng.choice((12, 15, 18))}
    write(place / "monitoring.toml", MONITORING.format(**told))
    write(place / "portal.ini", PORTAL.format(session=rng.choice((80, 90)), keep=rng.choice((400, 730))))
    stored = [plant for plant in plants if plant.battery]
    winter = rng.choice(stored)
    blocks = [
        f"  - site: {plant.name}\n    capacity_kwh: {plant.battery}\n    reserve_percent: {rng.choice((10, 15, 20))}\n"
        f"    mode: {'winter' if plant is winter else rng.choice(('peak-shaving', 'self-use'))}\n"
        for plant in stored
    ]
    write(place / "batteries.yaml", "# one block for each battery\nbatteries:\n" + "".join(blocks))
    rates = {plant.name: n for plant, n in zip(plants, rng.sample(range(611, 1_290), len(plants)), strict=True)}
    paid = [
        {"plant": name, "feed_in_ct_per_kwh": rate / 100, "meter_fee_eur_per_year": rng.choice((20, 30, 50))}
        for name, rate in rates.items()
    ]
    write(place / "tariffs.json", json.dumps({"valid_from": "2025-01-01", "tariffs": paid}, indent=2) + "\n")
    return {
        "offline-minutes": {"answer": {"any": ways(offline)}},
        "winter-battery": says(winter.name, none=[plant.name for plant in stored if plant is not winter]),
    }, rates


def letters(rng: random.Random, folder: Path, plants: list[Plant]) -> tuple[Cases, Words]:
    """The letters that came in; their times are as a mail program leaves them, in no order."""
    *named, asked = (plant.name for plant in rng.sample(plants, 5))
    start, names = datetime(2026, 6, 1, 8, tzinfo=UTC), sorted(LETTERS)
    late = dict(zip(names, rng.sample(range(10 * 24 * 60), len(names)), strict=True))
    last = rng.choice(names[:-1])  # not that which a list ends with
    late[last] = 11 * 24 * 60 + rng.randrange(600)
    for name in names:
        day = date(2026, 2, 1) + timedelta(days=rng.randrange(200))
        said = LETTERS[name].format(*named, day=f"{day.day} {day:%B %Y}")
        path = folder / "inbox" / f"{name}.txt"
        write(path, f"Gridline Networks\nConnections\n\nDear members of the board,\n\n{said}\n\nKind regards\n")
        changed = (start + timedelta(minutes=late[name])).timestamp()
        os.utime(path, (changed, changed))
    return {
        "newest-letter": says(f"{last}.txt", none=[f"{name}.txt" for name in names if name != last]),
        "meter-deadline": nowhere("no deadline", "no letter", "no exchange", "no meter"),
    }, {"unwritten": asked}


def payment(rng: random.Random, read: list[tuple[str, str, int]], rates: dict[str, int]) -> tuple[Cases, Words]:
    """What the grid operator pays for a month; `read` has plants, months as words, and kWh."""
    while True:
        name, month, kwh = rng.choice(read)
        exact = kwh * rates[name]  # hundredths of a cent
        if exact % 100 not in (0, 50) and (exact + 50) // 100 % 10:
            break
    return {"feed-in-payment": says(money((exact + 50) // 100))}, {"paid_plant": name, "paid_month": month}
