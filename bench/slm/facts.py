"""A made-up boat trust, drawn from a seed: every name, number and line of the world that the tasks ask about.

Everything is invented; any likeness is an accident. Money is in cents, so that sums are exact.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

FIRST = """
    Ada Bram Cleo Dario Edda Femke Gwen Hasan Iris Jonas Kaja Leif Mirela Nils Odette Piet Quinta Rurik Saskia Tarek
    Ulla Viggo Wanda Xenia Yannick Zora
""".split()  # noqa: SIM905
LAST = """
    Aldric Brandt Calder Dunmore Eskola Fenwick Garrity Holm Ibsen Jarvis Kestrel Lindqvist Marsh Novak Oakes Pryor
    Quill Rasmus Sorley Thorne Udall Vance Wexley Yarrow
""".split()  # noqa: SIM905
BOATS = """
    Avocet Bittern Curlew Dunlin Eider Fulmar Godwit Heron Ibis Jackdaw Kittiwake Lapwing Merlin Nightjar Osprey
    Plover Redshank Sanderling Tern Whimbrel
""".split()  # noqa: SIM905
TOWNS = ("Eastquay", "Little Spit", "Marlow Sands", "Oldhaven", "Reedham Ferry", "Thornmouth")
ITEMS = (
    "bilge pump", "bow shackle", "cleat", "deck brush", "fender", "flare", "gasket", "halyard", "impeller", "jerrycan",
    "keel bolt", "life jacket", "mooring line", "oar", "paddle", "rowlock", "sail batten", "tiller extension",
    "varnish tin", "winch handle",
)  # fmt: skip
PARTS = (
    "anode", "bearing", "bolt set", "cable", "drain plug", "filter", "float", "gear wheel", "hose", "hinge", "knob",
    "lamp", "nozzle", "o-ring", "pin", "rivet pack", "seal", "spring", "valve", "washer set",
)  # fmt: skip
PLACES = ("loft", "shed", "store", "van")
PURPOSES = ("new boats", "slipway", "youth", "workshop", "general")
MONTHS = ("2025-05", "2025-06", "2025-07", "2025-08")


@dataclass(frozen=True)
class Boat:
    name: str
    rig: str
    berth: str
    length_m: str
    status: str


@dataclass(frozen=True)
class Hire:
    day: date
    boat: str
    hours: int
    cents: int
    skipper: bool


@dataclass(frozen=True)
class Donation:
    day: date
    donor: str
    cents: int
    purpose: str


@dataclass(frozen=True)
class Item:
    code: str
    name: str
    shelf: str
    count: int
    cents: int


@dataclass(frozen=True)
class Member:
    id: int
    name: str
    town: str
    joined: date
    fee_cents: int
    paid: bool


@dataclass(frozen=True)
class Order:
    id: int
    boat: str
    opened: date
    closed: date | None
    mechanic: str
    hours: int
    parts: tuple[tuple[int, int], ...]  # number of the part, how many


@dataclass
class Facts:
    """All of one world. `kept`: single facts of notes, pages and settings, by name."""

    seed: int
    people: list[str] = field(default_factory=list)
    boats: list[Boat] = field(default_factory=list)
    hires: list[Hire] = field(default_factory=list)
    donations: list[Donation] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    part_cents: list[int] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    gate: list[str] = field(default_factory=list)
    access: list[str] = field(default_factory=list)
    radio: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)


def draw(seed: int) -> Facts:
    """The world of a seed; the same one each time."""
    rng = random.Random(f"boat trust {seed}")
    facts = Facts(seed)
    names = [f"{first} {last}" for first, last in zip(rng.sample(FIRST, 24), rng.sample(LAST, 24), strict=True)]
    facts.people = names
    facts.boats = _boats(rng)
    facts.hires = _hires(rng, facts.boats)
    facts.donations = _donations(rng, names)
    facts.items = _items(rng)
    facts.members = _members(rng)
    facts.part_cents = [rng.randrange(120, 9_000) for _ in PARTS]
    facts.orders = _orders(rng, facts.boats, names[20:24])
    facts.kept = _kept(rng, facts)
    facts.gate = _gate(rng)
    facts.access = _access(rng)
    facts.radio = _radio(rng, facts)
    return facts


def _day(rng: random.Random, first: date, days: int) -> date:
    return first + timedelta(days=rng.randrange(days))


def _boats(rng: random.Random) -> list[Boat]:
    names = rng.sample(BOATS, 14)
    berths = rng.sample([f"{pontoon}{n}" for pontoon in "ABCD" for n in range(1, 15)], 14)
    states = ["repair"] * 3 + ["laid up"] * 2 + ["in service"] * 9
    rng.shuffle(states)
    rigs = ("cutter", "dinghy", "gig", "ketch", "skiff")
    lengths = [f"{rng.randrange(32, 98) / 10:.1f}" for _ in names]
    return [
        Boat(name, rng.choice(rigs), berth, length, state)
        for name, berth, length, state in zip(names, berths, lengths, states, strict=True)
    ]


def _hires(rng: random.Random, boats: list[Boat]) -> list[Hire]:
    weights = [rng.randrange(2, 12) for _ in boats]
    hires = []
    for _ in range(260):
        boat = rng.choices(boats, weights)[0]
        hours = rng.randrange(1, 9)
        cents = hours * rng.choice((1450, 1875, 2200, 2690)) + rng.choice((0, 350, 500))
        hires.append(Hire(_day(rng, date(2025, 5, 1), 123), boat.name, hours, cents, rng.random() < 0.4))
    return sorted(hires, key=lambda hire: (hire.day, hire.boat))


def _donations(rng: random.Random, people: list[str]) -> list[Donation]:
    donors = people[:18]
    made = [
        Donation(_day(rng, date(2025, 1, 3), 270), rng.choice(donors), rng.randrange(500, 42_000), rng.choice(PURPOSES))
        for _ in range(118)
    ]
    largest = max(gift.cents for gift in made)
    top = Donation(_day(rng, date(2025, 3, 1), 120), rng.choice(donors), largest + rng.randrange(900, 9_000), "slipway")
    return sorted([*made, top], key=lambda gift: (gift.day, gift.donor))


def _items(rng: random.Random) -> list[Item]:
    codes = rng.sample(range(1000, 9999), len(ITEMS))
    return [
        Item(f"S-{code}", name, rng.choice(PLACES), rng.randrange(2, 90), rng.randrange(195, 8_995))
        for code, name in zip(codes, ITEMS, strict=True)
    ]


def _members(rng: random.Random) -> list[Member]:
    while True:
        weights = [rng.randrange(1, 9) for _ in TOWNS]
        members = [
            Member(
                100 + n,
                f"{rng.choice(FIRST)} {rng.choice(LAST)}",
                rng.choices(TOWNS, weights)[0],
                _day(rng, date(2018, 1, 10), 2_780),
                rng.choice((4_500, 6_050, 8_275, 12_000)),
                rng.random() < 0.8,
            )
            for n in range(94)
        ]
        names = [member.name for member in members]
        (_, most), (_, next_most), *_ = Counter(member.town for member in members).most_common()
        if most > next_most and any(names.count(name) == 1 for name in names):
            return members


def _orders(rng: random.Random, boats: list[Boat], mechanics: list[str]) -> list[Order]:
    while True:
        orders = []
        for n in range(1, 58):
            opened = _day(rng, date(2025, 2, 1), 230)
            closed = opened + timedelta(days=rng.randrange(1, 40)) if rng.random() < 0.7 else None
            chosen = rng.sample(range(len(PARTS)), rng.randrange(2, 6))
            parts = tuple((part, rng.randrange(1, 7)) for part in chosen)
            boat, mechanic = rng.choice(boats).name, rng.choice(mechanics)
            orders.append(Order(2_000 + n, boat, opened, closed, mechanic, rng.randrange(1, 15), parts))
        hours: Counter[str] = Counter()
        for order in orders:
            hours[order.mechanic] += order.hours
        (_, most), (_, next_most), *_ = hours.most_common()
        if most > next_most and {order.closed is None for order in orders} == {True, False}:
            return orders


def _kept(rng: random.Random, facts: Facts) -> dict[str, str]:
    """Facts that stand once: in a note, a setting or a page."""
    fee, keepers = rng.randrange(14, 24), rng.sample(facts.people[:18], 2)
    channels = rng.sample((6, 8, 10, 37, 69, 72, 77), 2)
    event = rng.choice(("Regatta of Oars", "Lantern Row", "Mudlark Day", "Open Workshop"))
    adult, child = rng.randrange(700, 1_400), rng.randrange(250, 650)
    berths = {pontoon: rng.randrange(1, 14) for pontoon in "ABCD"}
    return {
        "fuel_limit": str(rng.randrange(61, 149)),
        "fee_old": str(fee), "fee_new": str(fee + rng.randrange(3, 9)),
        "key_old": keepers[0], "key_new": keepers[1],
        "channel_old": str(channels[0]), "channel_new": str(channels[1]),
        "tank": str(rng.randrange(140, 390)), "diesel": f"1.{rng.randrange(411, 899)}",
        "phone_a": f"0555 {rng.randrange(100_000, 499_999)}", "phone_b": f"0555 {rng.randrange(500_000, 899_999)}",
        "winter": str(rng.randrange(210, 480)), "insured": str(rng.randrange(31, 78)),
        "event": event, "event_day": _day(rng, date(2026, 5, 2), 110).isoformat(),
        "adult": str(adult), "child": str(child), "season": str(rng.randrange(6_100, 14_900)),
        "sunday_from": f"{rng.randrange(8, 12)}:{rng.choice(('00', '15', '30', '45'))}",
        **{f"free_{pontoon}": str(free) for pontoon, free in berths.items()},
        "laid_up": next(boat.name for boat in facts.boats if boat.status == "laid up"),
        "leaking": next(boat.name for boat in facts.boats if boat.status == "in service"),
        "closed_until": f"{rng.randrange(10, 18)}:{rng.choice(('10', '20', '40', '50'))}",
    }  # fmt: skip


def _gate(rng: random.Random) -> list[str]:
    """The log of the tide gate: 430 lines."""
    at, lines = datetime(2025, 9, 14, 4, rng.randrange(60), rng.randrange(60)), []
    jams = sorted(rng.sample(range(60, 400), rng.randrange(3, 8)))
    for n in range(430):
        at += timedelta(seconds=rng.randrange(20, 400))
        gate, level = rng.choice(("north", "south")), rng.randrange(120, 460)
        if n in jams:
            lines.append(f'{at:%Y-%m-%dT%H:%M:%SZ} ERROR gate={gate} code=JAM level_cm={level} msg="gate jammed"')
        elif rng.random() < 0.05:
            lines.append(f'{at:%Y-%m-%dT%H:%M:%SZ} ERROR gate={gate} code=SENSOR level_cm={level} msg="no reading"')
        elif rng.random() < 0.1:
            lines.append(f'{at:%Y-%m-%dT%H:%M:%SZ} WARN gate={gate} code=SLOW level_cm={level} msg="moves slowly"')
        else:
            said = rng.choice(("opened", "closed", "level reported", "level reported", "self-test passed"))
            lines.append(f'{at:%Y-%m-%dT%H:%M:%SZ} INFO gate={gate} code=OK level_cm={level} msg="{said}"')
    return lines


def _access(rng: random.Random) -> list[str]:
    """The access log of the booking site: 540 lines in the common log format."""
    at, lines = datetime(2025, 9, 20, 5, 0, 0), []
    paths = (
        "/",
        "/boats",
        "/boats/4",
        "/book",
        "/book/confirm",
        "/prices",
        "/old-prices",
        "/img/logo.png",
        "/404.html",
    )
    for _ in range(540):
        at += timedelta(seconds=rng.randrange(3, 150))
        address = f"198.51.100.{rng.randrange(2, 60)}"
        status = rng.choices((200, 302, 304, 404, 500), (70, 8, 9, 7, 3))[0]
        size = rng.choice((404, *(rng.randrange(300, 9_000) for _ in range(40))))
        path = rng.choice(paths)
        lines.append(f'{address} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET {path} HTTP/1.1" {status} {size}')
    return lines


def _radio(rng: random.Random, facts: Facts) -> list[str]:
    """What was said on the radio: 320 lines, in one of which a boat is taking on water."""
    at, lines, names = datetime(2025, 8, 2, 6, 0), [], [boat.name for boat in facts.boats]
    said = (
        "leaving the berth", "back at the pontoon", "passing the spit", "radio check, please", "all well aboard",
        "fog at the bar, turning round", "bilge is dry", "two aboard, heading out", "waiting for the tide",
    )  # fmt: skip
    leak = rng.randrange(120, 300)
    for n in range(320):
        at += timedelta(minutes=rng.randrange(2, 90))
        name, words = rng.choice(names), rng.choice(said)
        if n == leak:
            name, words = facts.kept["leaking"], "we are taking on water, need a tow"
        lines.append(f"{at:%Y-%m-%d %H:%M} {name.upper()}: {words}")
    return lines
