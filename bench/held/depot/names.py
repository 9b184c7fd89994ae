"""Names, notes and settings of the depot."""

from __future__ import annotations

FIRST = [
    "Agnes", "Boris", "Celia", "Dorian", "Elin", "Fergus", "Gwen", "Henrik", "Ilse", "Jonas", "Katya", "Lars", "Marta",
    "Niall", "Oona", "Pavel", "Rosa", "Stefan", "Thea", "Ulf",
]  # fmt: skip
LAST = [
    "Ashby", "Bergmann", "Caldwell", "Drummond", "Engstrom", "Fairley", "Gorski", "Hatch", "Iversen", "Jurgens",
    "Kettle", "Lomax", "Mercer", "Nyberg", "Orlov", "Penrose", "Rask", "Sutter", "Tolland", "Wexler",
]  # fmt: skip
CUSTOMERS = [
    "Quillmere Ceramics", "Tarnbeck Tools", "Fennimoor Foods", "Brindlewick Toys", "Corvane Optics", "Dunsallow Paper",
    "Eskerby Cycles", "Glimmerdale Lamps", "Hartlow Pumps", "Ivelsea Glass", "Jorrock Furniture", "Kelderby Seeds",
    "Lindemoor Textiles", "Marrowfen Plastics",
]  # fmt: skip
TOWNS = ("Antwerp", "Bergen", "Gdansk", "Lyon", "Porto", "Rotterdam", "Trieste", "Turku", "Valencia")
TERMS = ("DAP", "DDP", "EXW", "FCA")
BODIES = ("curtainsider", "box", "reefer", "flatbed", "swap body")
HALLS = ("A", "B", "C", "D")
OFFICES = ("Airport", "Border East", "Port North", "Rail Terminal")
STATES = ("released", "queried", "lodged", "rejected")
MONTHS = ("January", "February", "March", "April", "May", "June")
DESKS = ("claims desk", "customs desk", "night dispatch", "transport planning", "warehouse office")
GOODS = {  # by the first digits of their commodity code
    1509: "olive oil", 1701: "cane sugar", 1805: "cocoa powder", 2007: "strawberry jam", 2101: "instant coffee",
    2201: "bottled water", 2523: "portland cement", 3209: "emulsion paint", 3401: "toilet soap", 3506: "wood glue",
    3917: "garden hoses", 3923: "plastic crates", 4011: "bicycle tyres", 4203: "leather gloves",
    4407: "pine planks", 4412: "plywood sheets", 4802: "copy paper", 4819: "cardboard boxes", 4901: "printed books",
    5205: "cotton yarn", 5701: "wool carpets", 6105: "cotton shirts", 6401: "rubber boots", 6505: "felt hats",
    6905: "roof tiles", 7013: "drinking glasses", 7318: "steel screws", 7408: "copper wire", 8202: "hand saws",
    8413: "water pumps", 8467: "electric drills", 8712: "bicycles", 9401: "wooden chairs", 9405: "desk lamps",
    9504: "board games", 9603: "paint brushes",
}  # fmt: skip
SHIFTS = (
    "Two trailers wait for papers; the drivers were sent to the canteen.",
    "The label printer in hall B was cleaned and works again.",
    "Forklift 6 is on the charger and may be used from noon.",
    "The sweeper came late, hall D is still dusty.",
    "All reefers were plugged in and checked at the start of the shift.",
    "A roll of stretch film is missing in hall A.",
)

NOTES = {
    "loading-rules": """# Loading rules

## Pallet heights
- On the upper deck of a double-deck trailer, a pallet may be at most {upper} cm high.
- On the lower deck of a double-deck trailer, a pallet may be at most {lower} cm high.
- In a box body, leave the width of a hand below the roof.

## Securing
Two straps for each row, edge protectors on cartons. Drums stand upright and are netted.

## Dangerous goods
Placards are fixed before the engine is started, and the written instructions lie on the passenger seat.
""",
    "tariff-2024": """# Depot tariff 2024

Valid from 1 January 2024.

| Service | Price |
|---|---|
| Unloading, per pallet | {unload} euros |
| Storage after the free period, per pallet and day | {stored_old} euros |
| Relabelling, per carton | {label} euros |

The free period is {free_days} days.
""",
    "circular-2025-03": """# Circular of 10 March 2025

The canteen opens at 5:30 from now on. High-visibility jackets are exchanged on Fridays at the tool store, {p0} keeps
the list.
""",
    "circular-2025-06": """# Circular of 2 June 2025

The storage charge in the tariff of 2024 is withdrawn.
With effect from 1 June 2025, storage after the free period costs {stored_new} euros per pallet and day.
All other prices of the tariff stay as they are.
""",
    "circular-2025-09": """# Circular of 1 September 2025

{p1} takes over the training of new forklift drivers. Pallets of mixed goods get a yellow sheet on two sides.
""",
    "yard": """# The yard

Drive at walking pace and keep to the right of the fuel pump. The weighbridge lies behind the south gate and is staffed
on working days; ask for the ticket before you leave it. Trailers are parked nose out.
""",
    "customs-desk": """# Customs desk

The desk needs the commercial invoice, the packing list and the number of the seal. Whoever finds a seal broken calls
the desk before a door is opened.
""",
    "new-drivers": """# For new drivers

Ask {p2} for the key card. The shower is next to hall C. Report each scratch on the day on which it happens.
""",
}
CONFIG = {
    "gate.toml": """[entry]
barrier = "north"
timeout_s = {entry_s}
needs_booking = true

[exit]
barrier = "south"
timeout_s = {exit_s}
needs_booking = false
""",
    "labels.ini": "[printer]\nwidth_mm = 105\nspeed = 4\n\n[barcode]\nkind = code128\n",
    "telematics.yaml": "report:\n  interval_s: 120\n  idle_after_s: 600\nunits: metric\n",
}
