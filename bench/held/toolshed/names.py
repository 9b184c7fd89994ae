"""Names, notes and settings of the tool library."""

from __future__ import annotations

FIRST = [
    "Agnes", "Bruno", "Celia", "Dario", "Edith", "Felix", "Greta", "Hugo", "Ines", "Jonas", "Katrin", "Leo", "Mira",
    "Nils", "Olga", "Pavel", "Rita", "Simon", "Tilda", "Urs", "Vera", "Wim",
]  # fmt: skip
LAST = [
    "Alder", "Brandt", "Corso", "Dunn", "Everts", "Fink", "Gower", "Holm", "Ibsen", "Jarvis", "Kramer", "Lund", "Mayer",
    "Nash", "Orban", "Petty", "Reeve", "Stone", "Thorne", "Unger", "Voss", "Wells", "Yates",
]  # fmt: skip
STREETS = ("Bell Lane", "Canal Row", "Elm Street", "Hill Road", "Mill Street", "Rose Walk")
PLACES = ("back door", "sharpening room", "ladder rack", "deposit safe", "letter box", "trailer lock")
BRANDS = ("Aquila", "Ferrum", "Tarn")
TOOLS = {  # their category, and about how many tenths of a kilogram they weigh
    "hammer drill": ("power tools", 28), "jigsaw": ("power tools", 24), "angle grinder": ("power tools", 25),
    "belt sander": ("power tools", 41), "heat gun": ("power tools", 9), "cordless screwdriver": ("power tools", 12),
    "step ladder": ("ladders", 74), "extension ladder": ("ladders", 168), "work platform": ("ladders", 121),
    "hedge trimmer": ("garden", 37), "lawn aerator": ("garden", 154), "pruning saw": ("garden", 6),
    "leaf blower": ("garden", 43), "wheelbarrow": ("garden", 136),
    "tile cutter": ("building", 92), "cement mixer": ("building", 560), "spirit level": ("building", 8),
    "trestle": ("building", 63),
    "wallpaper table": ("decorating", 78), "paint sprayer": ("decorating", 33), "steam stripper": ("decorating", 45),
    "torque wrench": ("hand tools", 15), "bolt cutter": ("hand tools", 26), "bench vice": ("hand tools", 85),
    "socket set": ("hand tools", 58), "pipe wrench": ("hand tools", 17),
}  # fmt: skip
FAULTS = {  # about what their repair costs, in cents
    "worn brushes": 1_400, "broken cable": 1_900, "dull blade": 900, "loose handle": 700, "flat battery": 3_900,
    "stuck switch": 1_600,
}  # fmt: skip
COURSES = (
    "Sharpening for Beginners", "Safe on the Ladder", "Laying Tiles", "Drilling into Concrete", "Building a Nest Box",
    "Mending a Chair", "Hanging Wallpaper", "First Steps with the Router",
)  # fmt: skip
MACHINES = {  # for a day, about, in cents
    "wood chipper": 4_800, "floor sander": 3_600, "pressure washer": 2_200, "tile saw": 2_900, "earth auger": 3_100,
    "scaffold tower": 5_400,
}  # fmt: skip
PATHS = ("/", "/courses", "/hire", "/contact", "/tools", "/join", "/login", "/search")

NOTES = {
    "opening-hours": """# Opening hours

| Day | Opens | Closes |
|---|---|---|
| Tuesday | 16:00 | 19:00 |
| Thursday | 17:00 | 20:00 |
| Saturday | 10:00 | {old} |

On all other days the shutters are down.
""",
    "committee-2025-06-16": """# Committee, 16 June 2025

- The new shelves for the drills are up. Thanks to {p4}.
- The members' barbecue is on 12 July in the yard.
- Two hedge trimmers were given to us; {p5} checks them before they go on the shelf.
""",
    "committee-2025-08-18": """# Committee, 18 August 2025

- From 1 September 2025 the tool library closes at {new} on Saturdays. The table with the hours is out of date.
- {p6} looks after the battery cupboard from now on.
- We want to try a stall at the street market.
""",
    "keys": """# Spare keys

{keys}

Whoever goes on holiday hands the key over before leaving.
""",
    "trailer": """# The trailer

The trailer stands in the yard behind the shutters. It carries up to {load} kg and needs a 13-pin plug.
Members may borrow it for one day. Check the tyres and both lamps before it leaves the yard.
""",
    "deposits": """# Deposits

A deposit is taken when a tool goes out and is given back when the tool comes home clean and whole.
Above {limit} euros it has to be paid by card. Damage is talked about at the desk, never on the phone.
""",
}
FILLERS = {
    "desk-duty": "# Desk duty\n\nTwo volunteers at the desk, one at the shelves. Switch the scanner on first.\n",
    "cleaning": "# Cleaning\n\nGarden tools come back without soil. The brush and the hose are in the yard.\n",
    "sharpening": "# Sharpening\n\nBlades are sharpened on the last Thursday of the month. {p0} shows how.\n",
    "donations": "# Donations\n\nWe take working tools only. No petrol engines, no ladders without a label.\n",
    "new-members": "# New members\n\nShow them the shelves, explain the deposit, and give them a card.\n",
    "lost-tools": "# Lost tools\n\nA tool that has been away for three months counts as lost. {p1} writes a letter.\n",
}
CONFIG = {
    "loans.toml": "[hand_tools]\nmax_days = {hand}\nrenewals = 2\n\n[power_tools]\nmax_days = {power}\nrenewals = 1\n\n"
    '[ladders]\nmax_days = {ladder}\nrenewals = 0\n\n[reminders]\ndays_before = 1\nchannels = ["email", "sms"]\n',
    "scanner.ini": "[scanner]\nbeep = yes\nport = {port}\n\n[labels]\nwidth_mm = {width}\n",
    "website.yaml": "title: Tool Library\nlanguage: en\ncache_minutes: {cache}\nshow_weights: true\n",
}
