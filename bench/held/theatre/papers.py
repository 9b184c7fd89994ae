"""Notices and settings of the theatre."""

from __future__ import annotations

import random
from pathlib import Path

from again import clock, ways
from names import COMPANIES, CUES
from world import Cases, Words, says, write

NOTICES = {
    "stage-rules.md": """# Stage rules

Put up by {p0}, technical director. They hold for our own people and for guests.

## Flying
- Counterweight bars 1 to 16: at most {counterweight} kg each, spread evenly.
- Motor bars M1 to M4: at most {motor} kg each.
- Lighting bridge, with people on it: at most {bridge} kg.
- Nothing is flown while somebody is on the ladder.

## Floor
Screws of up to 40 mm, no nails. Holes are filled by whoever made them.

## Fire and smoke
Naked flames only with a fire watch. Tell the desk before the fog machine is switched on.
""",
    "subscription-terms.txt": """TERMS FOR SUBSCRIBERS
(printed August 2023)

1. A subscription is for one season. It goes on unless it is cancelled by 31 May.
2. Swaps: a ticket can be swapped for another evening of the same play up to {swap_terms} days before the performance.
3. A subscription can be lent to friends and neighbours.
4. The price is due when the card is sent. It may be paid in two instalments.
""",
    "circular-2024-06-11.md": """# To all at the box office, 11 June 2024

- Ticket swaps by subscribers: we now want to know at least {swap_mid} days before the performance. Please cross it out
  in the printed terms.
- The card machine at window 2 is back.
- Lunch hour is covered by {p3} until the holidays.
""",
    "circular-2025-03-04.md": """# To all at the box office, 4 March 2025

- Vouchers are valid for three years. Those that say two were a misprint.
- Please do not promise aisle seats on the telephone.
- {p4} will be back at Easter.
""",
    "circular-2025-09-16.md": """# To all at the box office, 16 September 2025

- The new brochures are in the cellar, six to a bundle.
- The season opens on the 19th, please wear black.
- Ticket swaps by subscribers: from 1 October 2025 it is {swap_new} days before the performance. Everything we sent you
  on this before is void.
- Wheelchair places are sold by window 1 alone.
""",
    "guest-companies.md": """# Sheet for guest companies

Glad to have you! What most of you ask:

| | |
|---|---|
| Unloading of your lorry, dock in the yard | from {unload} |
| Stage is yours | from {stage} |
| Focusing, with one of our technicians | from {focus} |
| Call for everybody | half an hour before we start |
| Get-out | straight after the show, lorry gone by 01:00 |

Bring adaptors for your own dimmers. {p1} is your contact for light, {p2} for sound.
""",
    "front-of-house.md": """# Front of house

Doors open 30 minutes before the show, in the studio 15. Latecomers wait for a sign from the desk.

Coats: two on a hook at most. Whatever is found in the house goes to the cloakroom and is written down.

Wheelchairs: places 1 to 4 in row K.
""",
    "wardrobe.md": """# Costume store

- A piece leaves the store with its number sewn in, never with a paper tag.
- Amateurs and schools may borrow, shoes excepted.
- What comes back is hung on the rail by the door. It goes back to its place when it has been cleaned.
- Moth traps: first Monday of the month.
""",
    "bar-handover.txt": """Bar

Float is counted before the doors open.
Takings are written down evening by evening, drink by drink. {p5} types them in.
Pretzels that are left go to the crew.
Glasses do not go into the auditorium (plastic ones do).
""",
    "production-meeting-2025-10-07.md": """# Production meeting, 7 October 2025

Present: {p0}, {p1}, {p2}, {p6}

1. The revolve squeaks. {p6} looks at the rollers.
2. Dimmers trip more often than last year. {p1} keeps an eye on the log; whichever is worst is to be replaced.
3. The get-in of the puppets was late. No complaints, the lorry had a flat tyre.
4. Next meeting in four weeks.
""",
    "fire-watch.txt": """Fire watch

Two people of the brigade, seats 1 and 2 in the last row, whenever there is a naked flame or more than 300 in the
house. They get a coffee and a programme.
""",
}
SYSTEMS = {
    "ticketing.ini": """; restart the service after a change

[counter]
hold_minutes = {hold0}
max_seats = 30
printer = window-1

[online]
hold_minutes = {hold1}
max_seats = 10
currency = EUR

[groups]
hold_minutes = {hold2}
max_seats = 120
""",
    "lighting.toml": """[desk]
universes = 4
blackout_on_exit = false

[houselights]
fade_seconds = {fade}
half_percent = 45
""",
    "intercom.yaml": """channels:
  A: stage manager
  B: lights
  C: fly floor
buzzer_volume: {buzzer}
mute_on_show: true
""",
}


def notices(rng: random.Random, folder: Path, crew: list[str]) -> Cases:
    """The notices on the board by the stage door; how long before one may swap was changed twice."""
    counterweight, motor, bridge = rng.sample(range(160, 540, 10), 3)
    first, second, now = rng.sample((2, 3, 4, 5, 7, 8, 12, 13, 14), 3)  # no day of the month on which one was sent
    unload = f"{rng.choice((10, 11))}:{rng.randrange(5, 60, 5):02d}"
    kept = {
        "counterweight": counterweight, "motor": motor, "bridge": bridge, "swap_terms": first, "swap_mid": second,
        "swap_new": now, "unload": unload, "stage": f"12:{rng.randrange(10, 60, 5)}",
        "focus": f"14:{rng.randrange(10, 60, 5)}", **{f"p{n}": name for n, name in enumerate(crew)},
    }  # fmt: skip
    for name, text in NOTICES.items():
        write(folder / "notices" / name, text.format(**kept))
    write(folder / "outbox" / "README.txt", "What is put here is collected by the secretary's office.\n")
    return {
        "bar-load": says(counterweight, none=(motor, bridge)),
        "swap-days": {"answer": {"any": ways(now), "none": [str(first), str(second)]}},
        "unload-time": {"answer": {"any": clock(unload), "none": []}},
    }


def systems(rng: random.Random, folder: Path) -> Cases:
    """Settings."""
    counter, online, groups = rng.choice((90, 120, 180)), rng.randrange(12, 46), rng.choice((2_880, 4_320, 10_080))
    kept = {"hold0": counter, "hold1": online, "hold2": groups, "fade": rng.randrange(4, 10)}
    for name, text in SYSTEMS.items():
        write(folder / "systems" / name, text.format(buzzer=rng.randrange(3, 9), **kept))
    return {"hold-minutes": says(online, none=(counter, groups))}


def cues(rng: random.Random, folder: Path) -> Cases:
    """The cue sheet: as cues are cut and put in, the last number says nothing of how many there are."""
    numbers = sorted(rng.sample(range(1, 140), rng.randrange(58, 97)))
    page, lines = 3, []
    for number in numbers:
        page += rng.choice((0, 0, 1, 1, 2))
        lines.append(f"LX {number}\tp. {page}\t{rng.choice(CUES)}")
        if rng.random() < 0.08:
            lines.append(f"LX {number}.5\tp. {page}\t{rng.choice(CUES)} (new)")
    write(folder / "notices" / "cue-sheet.txt", "\n".join(lines) + "\n")
    return {"cue-count": says(len(lines))}


def papers(rng: random.Random, folder: Path, crew: list[str]) -> tuple[Cases, Words]:
    """All of them."""
    cases = notices(rng, folder, crew) | systems(rng, folder) | cues(rng, folder)
    return cases, {"company": rng.choice(COMPANIES)}
