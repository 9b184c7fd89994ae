"""Notes and settings of the cinema."""

from __future__ import annotations

import random
from pathlib import Path

from again import ways
from names import DISTRIBUTORS, DOORS
from world import Cases, Words, money, says, write

OPENING = """# Opening the house

1. Switch on the foyer lights and the heating, then the servers in the booth.
2. Put the till drawer in. The float is {till} euros.
3. Unlock the front door half an hour before the first film.
"""
PROGRAMME = """# Programme, as it has been since spring

- Monday: films in the original language
- Wednesday: seniors' afternoon at {seniors}
- Saturday: family matinee at {old}
- Last Thursday of the month: short films at 20:40
"""
MEETING = """# Team meeting, 8 September 2025

- The popcorn machine gets a new kettle next week.
- From October on the family matinee starts at {new}. The programme leaflet is not reprinted.
- {one} orders new ticket rolls, {two} repairs the seat in row F.
"""
KEYS = """# Spare keys

Who has which, so that nobody has to climb through a window again:

"""
SUPPLY = """# Distributors

| Distributor | Contact | Share of the takings |
|---|---|---|
"""
CLEANING = """# Cleaning

The floors are done by Brightwater Cleaning on Tuesday and Friday mornings. The contract with Brightwater runs until
31 March 2026. Seats are hoovered by ourselves.
"""
HIRE = """# Hiring a room

Birthday parties get a room for at most {people} guests. Food from outside is fine, confetti is not. {one} makes the
offers.
"""
SCREENS = """# what runs before and between films

[before_film]
adverts_minutes = {adverts}
trailers_minutes = {trailers}

[between_films]
cleaning_minutes = {cleaning}

[light]
fade_seconds = {fade}
"""
SHOP = """; the ticket shop on the web site
[orders]
hold_minutes = {hold}
max_tickets = 80

[fees]
booking_per_ticket_eur = {fee}
refund_per_order_eur = {refund}
"""


def notes(rng: random.Random, folder: Path, people: list[str]) -> tuple[Cases, Words]:
    """What the team wrote down."""
    old, new = rng.sample([f"{hour}:{minute}" for hour in (10, 11) for minute in ("05", "10", "25", "35", "50")], 2)
    holders = dict(zip(DOORS, rng.sample(people, len(DOORS)), strict=True))
    doors = rng.sample(DOORS, len(DOORS))
    asked, distributor = rng.choice(DOORS), rng.choice(DISTRIBUTORS)
    shares = zip(rng.sample(DISTRIBUTORS, 4), rng.sample(people, 4), rng.sample(range(38, 56), 4), strict=True)
    kept = {
        "opening": OPENING.format(till=rng.randrange(150, 300, 10)),
        "programme": PROGRAMME.format(old=old, seniors=rng.choice(("14:15", "14:45", "15:20"))),
        "team-meeting-2025-09-08": MEETING.format(new=new, one=people[0], two=people[1]),
        "keys": KEYS + "".join(f"- {door}: {holders[door]}\n" for door in doors),
        "distributors": SUPPLY + "".join(f"| {name} | {who} | {share} % |\n" for name, who, share in shares),
        "cleaning": CLEANING,
        "room-hire": HIRE.format(people=rng.randrange(18, 40), one=people[2]),
    }
    for name, held in kept.items():
        write(folder / "notes" / f"{name}.md", held)
    return {
        "matinee-start": says(new, none=[old]),
        "spare-key": says(holders[asked], none=[name for name in people if name != holders[asked]]),
        "contract-end": {"abstains": True},
    }, {"door": asked, "distributor": distributor}


def config(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The settings, and what is calculated with one of them."""
    trailers, adverts, cleaning, fade = rng.sample(range(6, 30), 4)
    fee, refund = rng.choice((35, 45, 55, 65, 85, 95)), rng.choice((150, 200, 250))
    count, price = rng.randrange(23, 68), rng.randrange(520, 890, 10)
    hold = rng.choice((10, 15, 20))
    told = SCREENS.format(trailers=trailers, adverts=adverts, cleaning=cleaning, fade=fade)
    write(folder / "config" / "screens.toml", told)
    write(folder / "config" / "webshop.ini", SHOP.format(hold=hold, fee=money(fee), refund=money(refund)))
    return {
        "trailer-minutes": {"answer": {"any": ways(trailers), "none": [str(adverts)]}},
        "school-booking": says(money(count * (price + fee))),
    }, {"count": str(count), "price": money(price)}
