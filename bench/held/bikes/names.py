"""Names, notes and settings of the bicycle shop."""

from __future__ import annotations

FIRST = [
    "Adam", "Bella", "Carl", "Diana", "Emil", "Fiona", "George", "Hanna", "Ivan", "Julia", "Kevin", "Laura", "Martin",
    "Nina", "Oscar", "Paula", "Robert", "Sara", "Thomas", "Ursula", "Victor", "Wanda",
]  # fmt: skip
LAST = [
    "Abbott", "Becker", "Carver", "Dalton", "Ellis", "Foster", "Grant", "Hughes", "Irving", "Jensen", "Keller",
    "Larsen", "Morris", "Novak", "Olsen", "Parker", "Quinn", "Rossi", "Sanders", "Turner", "Vogel", "Weber", "Young",
    "Zimmer",
]  # fmt: skip
TOWNS = ("Ashford", "Brookfield", "Eastham", "Greenhill", "Milton", "Norwick", "Riverton", "Westbury")
INSURERS = ("Northgate Mutual", "Safewheel Insurance", "Meridian Assurance", "Copperfield Insurance")
JOBS = (
    "ordering spare parts", "the key cabinet", "the first-aid kit", "the cash box", "training new colleagues",
    "washing the rental bikes",
)  # fmt: skip
MODELS = {
    "city bike": ("Linden", "Promenade", "Marigold"),
    "trekking bike": ("Pathfinder", "Highland", "Wayfarer"),
    "e-bike": ("Voltano", "Galvin", "Tessera", "Lumina"),
    "cargo bike": ("Packhorse", "Freighter"),
}
COLOURS = ("black", "blue", "green", "grey", "red", "white", "yellow")
BRANDS = ("Corvo", "Halden", "Mistral")
PARTS = {  # their group, and about what they cost in cents
    "saddle": ("comfort", 3_900), "seat post": ("comfort", 2_900), "handlebar": ("steering", 3_400),
    "stem": ("steering", 2_700), "headset": ("steering", 3_100), "chain": ("drive", 2_200),
    "cassette": ("drive", 4_500), "crankset": ("drive", 8_900), "rear derailleur": ("drive", 6_800),
    "bottom bracket": ("drive", 3_300),
    "brake lever": ("brakes", 2_600), "brake disc": ("brakes", 2_400), "brake cable": ("brakes", 1_200),
    "front wheel": ("wheels", 7_900), "rear wheel": ("wheels", 9_900), "inner tube": ("wheels", 700),
    "tyre": ("wheels", 2_800), "mudguard": ("body", 2_100), "luggage rack": ("body", 3_800),
    "kickstand": ("body", 1_700), "bell": ("body", 900), "pedal set": ("drive", 2_500),
    "front lamp": ("lights", 3_200), "tail lamp": ("lights", 1_900), "dynamo": ("lights", 5_900),
}  # fmt: skip
SUPPLIERS = ("Bergmann Cycles", "Delta Parts", "Rollwerk")
SALES = {  # what is sold over the counter, and about what it costs in cents
    "bags": 3_400, "clothing": 4_200, "helmets": 5_800, "lights": 2_600, "locks": 3_900, "tools": 1_700,
}  # fmt: skip
REPAIRS = {  # the minutes that they take
    "flat tyre": (12, 36), "brake service": (25, 65), "gear adjustment": (15, 50), "wheel truing": (20, 60),
    "chain replacement": (15, 40), "full service": (80, 170),
}  # fmt: skip
STATIONS = (
    "Castle Hill", "City Hall", "Harbour Square", "Market Street", "Museum Park", "Old Bridge", "South Gate",
    "Stadium", "University", "Water Tower",
)  # fmt: skip
ABSENT = ("tandem", "tricycle", "unicycle", "recumbent bike", "folding bike")  # nowhere in the shop

NOTES = {
    "rental-terms": """# Rental terms

Valid from 1 January 2025.

| Kind | Deposit in euros |
|---|---|
| City bike | {city} |
| Trekking bike | {trekking} |
| E-bike | {old} |
| Cargo bike | {cargo} |

Customers show an identity card. The deposit is paid back when the bike is returned without damage.
""",
    "staff-meeting-2025-03-10": """# Staff meeting, 10 March 2025

- The new work stand has arrived. {p0} puts it together.
- The spring sale starts on 29 March.
- {p1} is on holiday in the last week of March.
""",
    "staff-meeting-2025-05-19": """# Staff meeting, 19 May 2025

- From 1 June 2025 the deposit for an e-bike is {new} euros. The amount in the rental terms is no longer valid.
- {p2} trains for the city race and leaves at four on Fridays.
- We need a second bench in front of the shop.
""",
    "responsibilities": """# Who is responsible for what

{jobs}

If somebody is ill, the rental desk finds a substitute.
""",
    "insurance": """# Insurance

The rental bikes are insured with {insurer} against theft and damage. The number of the policy is {policy}.
Report a theft to the police first, then send the report to the insurance company within two weeks.
""",
    "alarm": """# Alarm system

If the alarm goes off by mistake, call the security company, Lockwell, at {alarm}.
They ask for the password, which is in the sealed envelope in the office.
""",
    "suppliers": """# Suppliers

- Bergmann Cycles delivers on Tuesdays, phone {bergmann}.
- Delta Parts delivers on Thursdays, phone {delta}.
- Rollwerk sends everything by post. Orders are placed on their web site.
""",
}
FILLERS = {
    "opening-the-shop": "# Opening the shop\n\nSwitch on the lights, start the till, and put the bikes outside.\n",
    "closing-the-shop": "# Closing the shop\n\nBring in the bikes, empty the bins, and lock the back door twice.\n",
    "batteries": "# Batteries\n\nStore them indoors in winter. A damaged battery goes into the metal box outside.\n",
    "test-rides": "# Test rides\n\nA test ride takes half an hour. The customer leaves an identity card at the desk.\n",
    "lost-property": "# Lost property\n\nWe keep what is found for three months, then it goes to the city office.\n",
    "school-visits": "# School visits\n\nClasses may visit the workshop on Wednesdays. {p3} shows them around.\n",
    "recycling": "# Recycling\n\nOld tyres are collected once a month. Aluminium goes into the blue container.\n",
}
CONFIG = {
    "rental.toml": "[city_bike]\nmax_days = {city}\n\n[trekking_bike]\nmax_days = {trekking}\n\n"
    "[e_bike]\nmax_days = {electric}\n\n[cargo_bike]\nmax_days = {cargo}\n\n"
    '[late_return]\nfee_per_hour_eur = {fee}\n\n[receipts]\ncopies = 2\nlanguage = "en"\n',
    "workshop.ini": "[bookings]\nslots_per_day = {slots}\nreminder = yes\n\n[stand]\nheight_cm = {height}\n",
    "website.yaml": "title: City Bikes\nlanguage: en\nnewsletter: true\ncache_minutes: {cache}\n",
}
LINES = {  # what the payment terminal logs, and how often
    "INFO payment {n} approved amount={amount}": 60, "INFO payment {n} receipt printed": 30,
    "INFO connection checked": 12, "WARN paper is low": 5,
    "WARN slow connection, answer after {wait} ms": 6,
    "ERROR payment {n} failed, card not readable": 5, "ERROR connection to the bank lost": 3,
    "ERROR printer not ready": 2,
}  # fmt: skip
