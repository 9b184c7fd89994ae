"""Names, notes and settings of the print shop."""

from __future__ import annotations

FIRST = [
    "Agnes", "Boris", "Celia", "Dorian", "Edith", "Felix", "Greta", "Hector", "Irene", "Jasper", "Klara", "Leon",
    "Mabel", "Nolan", "Olive", "Pavel", "Quentin", "Rosalind", "Stefan", "Tilda", "Ulrich", "Verena",
]  # fmt: skip
LAST = [
    "Amsel", "Birk", "Cramer", "Dorn", "Eberle", "Fenwick", "Gossart", "Hollis", "Isaksen", "Jarvis", "Kestrel",
    "Lomax", "Mercer", "Nyberg", "Oakes", "Penrose", "Quarles", "Rademaker", "Sorrel", "Thorley", "Umber", "Vance",
    "Wexler", "Yarrow",
]  # fmt: skip
STRANGERS = ("Ottilie Zander", "Barnaby Ickes", "Mirella Zoltan", "Cosmo Iverdale")  # in none of the lists
GUILLOTINE = ("Halvorsen Blades", "Tarrant Cutting", "Osterby Knives", "Pell and Rowe")  # who services it
MACHINES = {  # what we have, and what it is
    "Condor": "copier", "Heron": "proof printer", "Magpie": "colour printer", "Swift": "book printer",
    "Osprey": "plotter", "Wren": "label printer", "Puffin": "envelope printer", "Kite": "photo printer",
}  # fmt: skip
PRODUCTS = {  # what is printed, and what it costs, about, in cents
    "business cards": 3_400, "flyers": 5_200, "posters": 4_100, "brochures": 7_800, "postcards": 2_900,
    "invitations": 6_300, "theses": 4_700,
}  # fmt: skip
PAPERS = ("Alba", "Birchwhite", "Corona", "Drift", "Ecoline", "Fjord", "Glacier")
GRAMS = (80, 90, 100, 120, 160, 200, 250, 300)
CAUSES = ("crooked cut", "late delivery", "missing pages", "smudged ink", "wrong colours", "wrong paper")
DISTRICTS = ("Castle Hill", "Harbour", "Mill Quarter", "Northfield", "Old Town", "Riverside")
STOPS = (
    "Amber Hotel", "Bell Street Dentist", "Corner Bakery", "Garden Centre", "Harbour School", "Lighthouse Cafe",
    "Music School", "Rowing Club", "Sunrise Travel", "Town Hall", "Village Theatre", "Westgate Pharmacy",
)  # fmt: skip
ABSENT = ("laser engraving", "embroidery", "3D printing", "T-shirt printing", "photo mugs")
TOPICS = (  # what the letters are about, each of them once
    "wedding invitations", "restaurant menus", "table cards", "concert tickets", "recipe booklets", "choir programmes",
    "name badges", "garden signs", "raffle tickets", "yearbooks", "birth announcements", "city maps", "wine labels",
    "gift vouchers", "window stickers", "parking permits",
)  # fmt: skip
FAULTS = (
    "the ink came off as soon as we touched them",
    "they had been cut so crookedly that we could not use them",
    "the blue turned out nearly green",
    "they were ready two days after we had needed them",
    "every tenth one was blank on the back",
)
EXTRAS = (
    "My neighbour had the same trouble in spring.",
    "I have been your customer for many years and was always content until now.",
    "Please tell me how you want to make up for it.",
    "I enclose one of them, so that you can see it for yourselves.",
    "At the counter I was told to put it in writing.",
    "A new print would be more use to me than the money.",
    "I shall be away in the second half of the month.",
    "The colleague on the telephone was very friendly, I should like to add.",
)
LETTER = """Dear print shop,

on {day} I collected the {topic} that I had ordered from you. Unfortunately {fault}.
{extras}

Yours sincerely
{name}
"""
NOTES = {
    "opening": """# Opening the shop

1. Alarm off, lights on, shutters up. The counter opens at 8:30.
2. Switch on the big copier first: it needs {copier} minutes to warm up.
3. Then the laminator. It needs {laminator} minutes to warm up, nothing may be put in before that.
4. The binding machine is ready after {binder} minutes.
5. Count the cash in the till: {cash} euros in change.
6. Look into the letter box and the mailbox, and hang out the sign.
""",
    "delivery": """# Delivery

The van goes out at 10:00 and at 15:00, Monday to Friday.
Delivery costs {fee} euros. From an order value of {old} euros on, delivery is free.
The customer signs on the tablet. Parcels that nobody takes come back to the shop.
""",
    "meeting-2026-11-09": """# Team meeting, 9 November 2026

- The advent calendars are sold out, no more orders for them.
- Delivery: since petrol has become dearer, delivery is free only from an order value of {new} euros on, as of today.
- The coffee machine is repaired.
- {p2} and {p3} swap their Saturdays in December.
""",
    "meeting-2026-09-14": """# Team meeting, 14 September 2026

- {p1} orders the paper from now on.
- The students are back: theses have to be bound within two days.
- The plotter gets a new place by the window.
""",
    "service": """# Who repairs what

- Big copier: Nordlicht Office, phone {tel1}, contract {c1}
- Plotter: Wideprint, phone {tel2}, contract {c2}
- Guillotine: {firm}, contract {c3}, runs until the end of 2028
- Laminator: Glossy and Sons, phone {tel3}, no contract
- Till: Counterpoint, phone {tel4}
""",
    "complaints": """# Complaints

Letters go into the folder letters, whatever is said at the counter into the table of complaints.
Answer within {answer} working days. Up to {limit} euros anybody may settle it on the spot; beyond that, ask {p0}.
Never argue about a colour: compare it with the proof.
""",
}
FILLERS = {
    "copyright": "# Copying books\n\nSingle chapters for private use, never a whole book. When in doubt, ask {p0}.\n",
    "kitchen": "# Kitchen\n\nThe dishwasher is emptied by whoever comes first. Milk is in the small fridge.\n",
    "recycling": "# Waste paper\n\nCut-offs go into the blue bin, toner cartridges into the box by the back door.\n",
    "usb-sticks": "# USB sticks\n\nForgotten sticks are kept for four weeks in the drawer below the till.\n",
    "window": "# Shop window\n\nNew posters on the first Monday of the month. {p4} has the tape and the ladder.\n",
}
CONFIG = {
    "print.ini": """; settings of the print server
[flyer]
dpi = {flyer}
bleed_mm = {bleed}

[poster]
dpi = {poster}
bleed_mm = {margin}

[photo]
dpi = {photo}
bleed_mm = 0
""",
    "counter.toml": '[screen]\nlanguage = "en"\nsleep_minutes = {sleep}\n\n[receipt]\ncopies = {copies}\n',
}
