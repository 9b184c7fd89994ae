"""Names, notes and settings of the clinic."""

from __future__ import annotations

PETS = [
    "Biscuit", "Pumpkin", "Mango", "Tinker", "Socks", "Pepper", "Waffles", "Ziggy", "Clover", "Domino", "Figaro",
    "Ginger", "Hazel", "Igor", "Jasper", "Kiwi", "Luna", "Maple", "Nougat", "Olive", "Pickles", "Quincy", "Rusty",
    "Saffron", "Truffle", "Umber", "Velvet", "Willow", "Yoshi", "Bramble", "Cosmo", "Dash", "Ember", "Fudge", "Gizmo",
    "Hopper", "Indigo", "Juno", "Kipper", "Lentil", "Moss", "Nutmeg", "Otis", "Paprika", "Radish", "Sprout", "Teasel",
    "Vesper",
]  # fmt: skip
FIRST = [
    "Alma", "Bernd", "Carla", "Dennis", "Edith", "Frank", "Greta", "Hugo", "Irene", "Jakob", "Kerstin", "Leo", "Mona",
    "Nils", "Olga", "Paul", "Rita", "Simon", "Tilda", "Viktor",
]  # fmt: skip
LAST = [
    "Hale", "Brandt", "Cortez", "Dunmore", "Eklund", "Farrow", "Grieg", "Holloway", "Ibsen", "Jansen", "Kowal",
    "Lindqvist", "Marsh", "Novak", "Oakes", "Prentice", "Quist", "Rowntree", "Sander", "Thorne", "Ulrich", "Vickers",
    "Wendt", "Yates",
]  # fmt: skip
VETS = ["Varga", "Okafor", "Steinmann", "Delacroix", "Pettersen", "Moreau", "Tanaka", "Bielski"]
VILLAGES = ["Millbrook", "Ashford", "Nettleton", "Oakham", "Ferndale"]
SPECIES = ("dog", "cat", "rabbit", "ferret", "parrot")
KILOS = {"dog": (60, 420), "cat": (28, 75), "rabbit": (11, 48), "ferret": (7, 21), "parrot": (2, 13)}  # tenths
DRUGS = [
    "Meloxicam", "Amoxicillin", "Ketamine", "Cefalexin", "Enrofloxacin", "Prednisolone", "Furosemide", "Maropitant",
    "Gabapentin", "Doxycycline", "Ivermectin", "Fenbendazole", "Insulin", "Lidocaine", "Metronidazole", "Omeprazole",
    "Pimobendan", "Selamectin", "Tramadol", "Phenobarbital",
]  # fmt: skip
SUPPLIERS = ("Vetline", "Pharmavet", "Nordmed")
SERVICES = ("vaccination", "dental", "x-ray", "surgery", "grooming", "lab")
ITEMS = (
    "syringe", "bandage", "suture kit", "saline bag", "ear drops", "collar", "catheter", "gauze", "blood test",
    "wormer",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
MONTHS = ("January", "February", "March", "April", "May", "June")

NOTES = {
    "house-rules": """# House rules

## Doors
Two doors between every animal and the street. The back door is for deliveries alone.

## Isolation
- Cats with cat flu stay in isolation for {flu_days} days.
- Dogs with kennel cough wait in the car and are called in.
- Rabbits never sit beside ferrets.

## Fridge
The medicine fridge is kept between 2 and 8 degrees. Whoever sees the lamp blink \
closes the door and tells the vet on duty.

## Waiting room
Dogs on a lead, cats in a box. Water bowls are filled at noon.
""",
    "fee-sheet-2024": """# Fee sheet
Valid from 2 January 2024

- Consultation: {consult} euros
- Emergency surcharge after 19:00: {night_old} euros
- House call: {house} euros and the mileage
""",
    "team-meeting-2025-03": """# Team meeting, 11 March 2025

At the table: Dr {v0}, Dr {v1}, {p0}, {p1}.

* The emergency surcharge of the 2024 fee sheet no longer holds. Since 1 March 2025 it is {night_new} euros.
* {p1} orders a second cat scale.
* Coffee money goes to {p0}.
""",
    "team-meeting-2025-05": """# Team meeting, 20 May 2025

At the table: Dr {v1}, Dr {v2}, {p0}.

* The new autoclave runs. Keep the old one until autumn.
* Leaflets on ticks are in the left drawer.
""",
    "lab": """# Samples

The courier comes at 14:30. Blood goes into the fridge door, never into the freezer. Label with the tag and the date.
""",
    "new-colleagues": """# For new colleagues

Your locker key is with {p1}. Scrubs are washed on Tuesdays. Lunch is from 12:30, one of us stays at the desk.
""",
    "parrots": """# Handling parrots

Dim the light, close the window, use the small towel. Never hold the chest.
""",
}
SETTINGS = {
    "reminders.toml": """[sms]
enabled = true
hours_before = {sms_hours}
sender = "Clinic"

[letter]
days_before = {letter_days}
""",
    "booking.ini": "[booking]\nslot_minutes = 15\nmax_days_ahead = 45\n\n[site]\nlanguage = en\n",
    "fridge.yaml": "sensor: med-1\ninterval_minutes: 30\nlimits:\n  low: 2.0\n  high: 8.0\n",
}
