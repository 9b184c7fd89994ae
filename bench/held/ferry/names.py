"""Names, notes and settings of the ferry line."""

from __future__ import annotations

FIRST = [
    "Agnes", "Bruno", "Celia", "Dorian", "Elsa", "Felix", "Greta", "Hugo", "Iris", "Jonas", "Karin", "Leon", "Mira",
    "Noah", "Olga", "Piet", "Rosa", "Simon", "Tilda", "Ulrik", "Vera", "Willem", "Yvonne",
]  # fmt: skip
LAST = [
    "Aldous", "Birch", "Calloway", "Dunmore", "Eddison", "Falk", "Garrow", "Holm", "Innes", "Jarvis", "Kirkby",
    "Lund", "Mallory", "Norling", "Osgood", "Pike", "Rask", "Sorley", "Tveit", "Underhill", "Vance", "Wray",
]  # fmt: skip
HOME = "Port Ayle"
SHIPS = ("Fulmar", "Gannet", "Guillemot", "Kittiwake", "Petrel", "Sandpiper", "Shearwater")
ISLANDS = ("Brannock", "Greyholm", "Hesker", "Littlesand", "Sulvay", "Ternmark")
ENGINES = ("diesel", "diesel-electric", "hybrid")
RANKS = {  # how many of each a ship has, at least and at most; one captain each
    "captain": (1, 1), "mate": (1, 1), "engineer": (1, 2), "deckhand": (2, 4), "steward": (1, 2),
}  # fmt: skip
WORKS = (
    "hull paint",
    "propeller check",
    "bow door",
    "railing",
    "pump overhaul",
    "cabling",
    "deck boards",
    "anchor winch",
)
SUPPLIERS = ("Ayle Bunkers", "Norsund Fuel", "Westquay Oil")
VEHICLES = ("none", "bicycle", "motorbike", "car", "camper")
GARMENTS = {  # as the order has them: the key of one piece, and what it costs in cents, about
    "jackets": ("jacket", 6_400), "jumpers": ("jumper", 4_200), "caps": ("cap", 1_300), "belts": ("belt", 1_900),
}  # fmt: skip
NOTES = {
    "handbook.md": """# Handbook of the terminal

## Before departure

- Foot passengers go on board from {foot} minutes before departure.
- Cars have to be in the queue {old} minutes before departure.
- Bicycles wait on the left of the ramp.

## On board

Engines are switched off while the ship is under way. Dogs are kept on a lead.
""",
    "notice-2025-06-02.txt": """NOTICE TO ALL STAFF, 2 June 2025

The new ramp is slower than the old one. From 10 June 2025 cars have to be in the queue {new} minutes before departure.
The time in the handbook is no longer valid. Please tell customers when they book.
""",
    "harbours.md": """# Harbours and harbour masters

{harbours}
""",
    "uniform-order.md": """# Uniform order for the next season

Each crew member gave a size to the office; sizes are in the locker list.

{order}

The order goes out when the tailor is back from leave.
""",
    "shipyard.md": """# Shipyard

The slipway takes one ship at a time. The crane lifts {crane} tonnes. Paint and solvents are kept in the red shed, and
the key of the shed hangs in the foreman's office.
""",
    "ticket-office.md": """# Ticket office

The office opens at 06:{opens} on weekdays. Lost property is kept for {kept} days and then given to the island charity.
Vouchers are only valid with a stamp.
""",
}
FILLERS = {
    "crew-room.txt": "Please empty the kettle of the crew room in the evening. Wet gear hangs in the drying room.\n",
    "storm-plan.txt": "In a storm warning the duty officer decides about sailings and tells the ticket office first.\n",
    "school-trips.md": "# School trips\n\nSchools book by letter. One teacher travels free with each class.\n",
    "bar.md": "# Bar\n\nSoup is served on the long crossings only. The bar closes before the ship comes alongside.\n",
}
SETTINGS = {
    "ticket-machine.toml": """# ticket machine on the quay, in use since March 2025
[display]
start_screen_seconds = {seconds}
brightness = {bright}

[printer]
paper_mm = 80
copies = 1
""",
    "ticket-machine-old.toml": """# the machine that was taken away in March 2025
[display]
start_screen_seconds = {old_seconds}
brightness = {old_bright}

[printer]
paper_mm = 58
copies = 2
""",
    "website.json": """{{
  "title": "Island ferries",
  "languages": ["en", "fr"],
  "cache_minutes": {cache}
}}
""",
}
GATE = {  # lines of the ticket gates, and how often
    "ACCEPTED ticket {n}": 60, "REJECTED ticket {n} expired": 7, "REJECTED ticket {n} already used": 5,
    "REJECTED ticket {n} wrong sailing": 4, "OPENED by staff": 4, "IDLE": 5,
}  # fmt: skip
BRIDGE = {
    "INFO left {place}": 20, "INFO arrived at {place}": 20, "INFO fog, speed reduced": 4, "WARN radar restarted": 3,
    "WARN bow door sensor slow": 3, "ENGINE_ALARM oil pressure low": 2, "ENGINE_ALARM cooling water hot": 2,
}  # fmt: skip
SERVER = {
    "INFO session opened from desk {desk}": 30, "INFO session closed from desk {desk}": 30,
    "INFO {n} bookings written": 14, "WARN slow query took {wait} ms": 8, "ERROR card reader of desk {desk} lost": 3,
}  # fmt: skip
ARCHIVE = (
    "founding-charter.txt", "harbour-works-1961.txt", "jubilee-speech.txt", "old-timetable-1974.txt",
    "ship-register.txt", "storm-report-1987.txt", "strike-minutes.txt", "visitors-book.txt",
)  # fmt: skip
LINES = (
    "The committee met in the old customs house and read the letters that had come with the morning ship.",
    "It was agreed that the quay should be dredged before the winter.",
    "The master reported a fair crossing and little cargo.",
    "Two casks were landed for the inn, and the mail was late.",
    "Nothing further was entered on this day.",
)
