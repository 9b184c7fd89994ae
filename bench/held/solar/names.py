"""Names of the solar cooperative, and its plants."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

FIRST = [
    "Agnes", "Bruno", "Clara", "Dario", "Elena", "Felix", "Greta", "Hugo", "Irene", "Jonas", "Karin", "Leon", "Marta",
    "Niels", "Olga", "Peter", "Rita", "Simon", "Teresa", "Urs", "Vera", "Walter",
]  # fmt: skip
LAST = [
    "Aldridge", "Barros", "Collins", "Dietz", "Eklund", "Ferrer", "Gruber", "Holm", "Ivers", "Jung", "Kovacs", "Lind",
    "Moreau", "Nunes", "Osborne", "Pinto", "Reuter", "Sandoval", "Tanner", "Ulrich", "Varga", "Wolff", "Ziegler",
]  # fmt: skip
PLANTS = [
    "Town Hall", "Fire Station", "Primary School", "Swimming Pool", "Old Mill", "Library", "Sports Arena", "Tram Depot",
    "Water Works", "Market House", "Kindergarten", "Dairy Barn", "Music Academy", "Bus Garage", "Health Centre",
    "Sawmill",
]  # fmt: skip
TOWNS = ("Aldermoor", "Birkfeld", "Coldwater", "Dunmere", "Elmstead", "Fallowby", "Grasmoor")
STREETS = (
    "Acacia Lane", "Bridge Street", "Chapel Road", "Foundry Street", "Harbour Way", "Orchard Close", "Quarry Road",
    "Station Street", "Vineyard Lane",
)  # fmt: skip
GATEWAYS = ("gw-creek", "gw-hill", "gw-north", "gw-park", "gw-tower")
MAKERS = ("Helios", "Nordlys", "Sunvolt")
CATEGORIES = ("cleaning", "insurance", "metering", "repairs", "roof rent")
SUPPLIERS = {
    "cleaning": ("Bright Roof Services", "Clearwater Cleaning"),
    "insurance": ("Harbour Mutual",),
    "metering": ("Gridline Networks", "Metering Partners"),
    "repairs": ("Lindgren Electric", "Volt and Sons"),
    "roof rent": ("Housing Association", "Municipality"),
}
KINDS = ("cleaning", "inspection", "repair", "replacement")
SMALL_HOURS = (0.5, 1, 1.5, 2, 2.5, 3, 4.5)
NOWHERE = (  # how an answer says that something is not there
    "not found", "not in the", "not available", "not given", "not listed", "not provided", "not specified",
    "not stated", "not hold", "not mention", "not contain", "not include", "not known", "not exist", "not present",
    "not there", "not say", "not have", "not recorded", "not stored", "not kept", "not tracked", "not find",
    "not know", "not appear", "not tell", "not answer", "not show", "not any", "no information", "no mention",
    "no such", "no record", "no entry", "no data", "no column", "no field", "no date", "nowhere", "unknown",
    "unable to", "cannot find", "cannot be found", "cannot be determined", "cannot be answered", "can't find",
    "couldn't find", "doesn't", "don't have", "don't know", "didn't find", "isn't", "aren't", "wasn't", "missing",
    "none of the", "there is no", "there are no",
)  # fmt: skip


def nowhere(*more: str) -> dict[str, Any]:
    """The answer says that it is not there, in these words or others."""
    return {"abstains": True, "answer": {"any": [[words] for words in (*more, *NOWHERE)], "none": ["no answer:"]}}


@dataclass(frozen=True)
class Plant:
    """A plant on a roof."""

    name: str
    kwp: int  # tenths of a kWp
    battery: int | None  # kWh
    since: date
    holder: str  # who has the key
    owner: str


def drawn(rng: random.Random, people: list[str]) -> list[Plant]:
    """Twelve plants, the oldest first; five or six have a battery."""
    names, count = rng.sample(PLANTS, 12), rng.choice((5, 6))
    sizes = [*rng.sample(range(10, 60), count), *([None] * (12 - count))]
    rng.shuffle(sizes)
    days = sorted(date(2014, 3, 1) + timedelta(days=n) for n in rng.sample(range(3_700), 12))
    return [
        Plant(name, rng.randrange(120, 990), size, day, people[2 * n], people[2 * n + 1])
        for n, (name, size, day) in enumerate(zip(names, sizes, days, strict=True))
    ]
