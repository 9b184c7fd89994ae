"""Names, notes and settings of the library."""

from __future__ import annotations

FIRST = [
    "Agnes", "Bruno", "Clara", "Dennis", "Edith", "Felix", "Greta", "Hugo", "Irene", "Jonas", "Karin", "Leo", "Mabel",
    "Nils", "Olive", "Peter", "Rosa", "Simon", "Tilda", "Vera", "Walter", "Yvonne",
]  # fmt: skip
LAST = [
    "Archer", "Bishop", "Cooper", "Draper", "Ekman", "Fisher", "Gardner", "Holm", "Ingram", "Jansen", "Kessler",
    "Lindgren", "Mason", "Norton", "Osborne", "Porter", "Quist", "Rowe", "Sander", "Thorpe", "Usher", "Webster",
]  # fmt: skip
WRITERS = [
    "A. Bellweather", "B. Castellan", "C. Dunmore", "D. Everard", "E. Falkenrath", "F. Greystone", "G. Hollander",
    "H. Ivarsson", "I. Juniper", "J. Kestrel", "K. Lovelock", "L. Merriman", "M. Nightshade", "N. Oakhurst",
    "O. Pendleton", "P. Quillfeather", "R. Ravensdale", "S. Silverton", "T. Underhill", "V. Wintergreen",
]  # fmt: skip
ADJECTIVES = (
    "Silent", "Crooked", "Golden", "Hidden", "Broken", "Distant", "Hollow", "Painted", "Restless", "Northern", "Frozen",
    "Forgotten", "Velvet", "Second", "Burning", "Wandering",
)  # fmt: skip
NOUNS = (
    "Harbour", "Orchard", "Lantern", "Staircase", "Mountain", "Garden", "Compass", "Kitchen", "Railway", "Winter",
    "Letter", "Island", "Mirror",
)  # fmt: skip
SECTIONS = ("children", "cooking", "crime", "fiction", "history", "travel")
BRANCHES = ("Central", "Oakfield", "Riverside")
KINDS = ("reading", "workshop", "concert", "story hour", "film night")
ITEMS = {  # what the café sells, and its price in cents
    "espresso": 215, "cappuccino": 345, "tea": 265, "lemonade": 295, "sandwich": 485, "carrot cake": 375, "muffin": 255,
}  # fmt: skip
STOPS = (
    "Chapel Hill", "Fire Station", "Market Cross", "Mill Lane", "Sports Hall", "Station Road", "Village Green",
    "Vineyard Close",
)  # fmt: skip
ROOMS = ("Attic", "Blue Room", "Cellar Stage", "Lecture Hall", "Map Room", "Reading Garden", "Studio")
TUNERS = ("Caspar Brandt", "Dorothea Lange-Voss", "Emmerich Stahl", "Philippa Crane")  # in one note, and no address
MEMBERS = ("adult", "child", "senior", "student")

NOTES = {
    "fees.md": """# List of fees

Valid from 1 September 2024.

| What | Euros |
|---|---|
| Reservation | {reservation} |
| Replacement library card | {old} |
| Lost locker key | {key} |

Fees are paid at the desk or at the machine next to the entrance.
""",
    "circular-2026-02.md": """# Circular to all branches, February 2026

- From 1 February 2026 a replacement library card costs {new} euros. The list of fees is out of date there.
- {p0} looks after the noticeboards until Easter.
- The lift at Central is serviced on 17 February.
""",
    "circular-2025-11.md": """# Circular to all branches, November 2025

- All branches are closed on 24 and 31 December.
- {p1} collects ideas for the summer programme.
- Please do not put returned books on the radiators.
""",
    "piano.txt": """The piano in the reading room

It is tuned twice a year by {tuner}, in January and in August.
The key to the lid is in the top drawer of the desk. Nobody puts cups on it.
""",
    "contacts.md": """# Contacts

- Printing of posters: Fernhill Press, office@fernhill.example
- Repair of the shelves: Thicket Joinery, post@thicket.example
- Newspapers and magazines: Daybreak Distribution, orders@daybreak.example
""",
    "cafe.txt": """Café

Opens half an hour after the library and closes half an hour before it.
Milk comes on Mondays and Thursdays, cakes come every morning. {p2} has the key to the store room.
""",
}
FILLERS = {
    "book-donations.md": "# Book donations\n\nWe take books in good condition, at most two boxes for each person.\n",
    "lost-property.md": "# Lost property\n\nUmbrellas are kept for a month, everything else for half a year.\n",
    "school-classes.md": "# School classes\n\nClasses come on Wednesday mornings. {p3} plans the visits.\n",
    "volunteers.txt": "Volunteers\n\nThey read to children on Saturdays and help at the book sale in autumn.\n",
    "stocktaking.md": "# Stocktaking\n\nOne section each month, before opening. {p4} prints the lists.\n",
}
RULES = (
    "Please speak quietly in the reading room.", "Food and hot drinks stay in the café.",
    "Bags go into the lockers on the ground floor.", "Dogs wait outside, guide dogs are welcome.",
    "Return books before their date or renew them at the desk.", "Ask before you take photographs of other visitors.",
    "Put books that you have read on the trolley, not back on the shelf.", "Children under eight come with an adult.",
    "The computers can be used for one hour.", "Switch your phone to silent.",
    "Report damage to a book when you return it, and do not try to mend it yourself.",
)  # fmt: skip
FEES = """currency = "EUR"

[overdue.book]
per_day_eur = {book}
grace_days = 0

[overdue.film]
per_day_eur = {film}
grace_days = 0

[reservation]
keep_days = {keep}
"""
ERRORS = ("search index not reachable", "cover image not found", "reservation could not be saved")
OTHER = {  # what else the catalogue logs
    "INFO": ("search finished", "reader signed in", "reservation saved", "reader signed out"),
    "WARN": ("search took long", "session expired"),
}
