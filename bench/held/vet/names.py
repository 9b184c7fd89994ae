"""Names, notes, settings and log lines of the veterinary practice."""

from __future__ import annotations

FIRST = [
    "Agnes", "Bruno", "Cecily", "Dorian", "Edda", "Felix", "Greta", "Hector", "Ilse", "Jasper", "Katrin", "Lorenz",
    "Mabel", "Nestor", "Odile", "Percy", "Renate", "Silas", "Tilda", "Ulric", "Vera", "Wilma",
]  # fmt: skip
LAST = [
    "Ackerby", "Bellmont", "Crossley", "Dunmore", "Elverton", "Fairholm", "Garrick", "Hollins", "Ibsley", "Jarrow",
    "Kestrel", "Lindholm", "Marwood", "Netherby", "Oakham", "Pendle", "Quarles", "Redfern", "Selby", "Thorley",
    "Underhay", "Verney",
]  # fmt: skip
TOWNS = ("Alderbrook", "Fennimore", "Highcroft", "Larkfield", "Oxbow", "Stonebridge")
PETS = [
    "Biscuit", "Button", "Caramel", "Clover", "Domino", "Ginger", "Hazel", "Juniper", "Maple", "Misty", "Muffin",
    "Nutmeg", "Olive", "Patch", "Pebble", "Pepper", "Pumpkin", "Rusty", "Smoky", "Snowball", "Socks", "Thistle",
    "Truffle", "Velvet", "Waffle", "Whisker", "Willow", "Ziggy",
]  # fmt: skip
SPECIES = {  # how many of ten, and what they weigh in hundredths of a kilogram
    "dog": (4, 400, 4_200), "cat": (4, 280, 680), "rabbit": (2, 120, 390), "guinea pig": (1, 60, 140),
}  # fmt: skip
PLURALS = {"dog": "dogs", "cat": "cats", "rabbit": "rabbits", "guinea pig": "guinea pigs"}
FIELDS = ("dentistry", "surgery", "eye diseases", "skin diseases")  # one for each vet
OTHERS = (
    ("Anneke Vosper", "Veterinary nurse", "laboratory"), ("Yanis Tolworth", "Veterinary nurse", "ward"),
    ("Xenia Callow", "Receptionist", "invoices"),
)  # fmt: skip
REASONS = ("check-up", "vaccination", "injury", "teeth", "skin", "follow-up")
MEDICINES = {  # their group, and about what they cost in cents
    "Amidor": ("antibiotic", 1_900), "Belvacin": ("antibiotic", 2_700), "Corzidil": ("antibiotic", 3_300),
    "Dolorix": ("painkiller", 1_500), "Enalgor": ("painkiller", 2_300), "Fevrano": ("painkiller", 2_900),
    "Helmizan": ("wormer", 1_200), "Issoverm": ("wormer", 1_700), "Kapritel": ("wormer", 2_100),
    "Lumodex": ("eye medicine", 1_600), "Mirotan": ("eye medicine", 2_000), "Noctilen": ("eye medicine", 2_600),
    "Ostrivel": ("heart medicine", 3_500), "Pulsoran": ("heart medicine", 4_100),
    "Quintafor": ("heart medicine", 4_800),
}  # fmt: skip
FORMS = ("20 ml", "50 ml", "100 ml")
SUPPLIERS = ("Greenvale Pharma", "Hallmark Vet Supplies", "Tannhill Wholesale")
VACCINES = {"Vaxora": "VX", "Immutel": "IM", "Protiva": "PT", "Sanquar": "SQ"}
SERVICES = {  # about what they cost in euros
    "check-up": 35, "vaccination": 48, "nail trimming": 18, "microchip": 42, "dental cleaning": 140, "blood test": 75,
    "X-ray": 95, "neutering": 190,
}  # fmt: skip

NOTES = {
    "appointments": """# Appointments

- A check-up takes 20 minutes, a first visit 30 minutes.
- A missed appointment costs the owner {old} euros.
- Emergencies are always seen first. Tell the others in the waiting room how long it will take.
""",
    "meeting-2025-03-10": """# Team meeting, 10 March 2025

- From 1 April 2025 a missed appointment costs the owner {new} euros. The amount in appointments.md is out of date.
- The scales in the second room are repaired.
- {p0} goes to the congress in May.
""",
    "recall": """# Recall of a vaccine

On 2 June 2025 the maker of {vaccine} recalled the batch {batch}. The bottles that are left go back to the wholesaler.
The owners get a letter; {p1} writes it.
""",
    "on-call": """# On call at the weekend

| Weekend | Vet |
|---|---|
{rota}

The phone of the practice is switched over to the vet on Saturday at eight.
""",
    "equipment": """# Equipment

- The X-ray machine is in room 3. Only with an apron!
- The centrifuge is in the laboratory. It is cleaned on Fridays.
- The autoclave has its own plug, the one with the red dot.
""",
}
MEETINGS = {
    "meeting-2025-01-13": "# Team meeting, 13 January 2025\n\n- The new leashes have come.\n- {p2} paints kennels.\n",
    "meeting-2025-02-10": "# Team meeting, 10 February 2025\n\n- The waiting room gets a second bench for cats.\n",
    "meeting-2025-04-14": "# Team meeting, 14 April 2025\n\n- Spring clean on Saturday. {p3} brings cake.\n",
    "meeting-2025-05-12": "# Team meeting, 12 May 2025\n\n- The tick season has begun. Put out the leaflets.\n",
    "meeting-2025-06-16": "# Team meeting, 16 June 2025\n\n- It gets hot: more water in the kennels twice a day.\n",
    "meeting-2025-07-14": "# Team meeting, 14 July 2025\n\n- The parking space next to the door is for emergencies.\n",
}
FILLERS = {
    "cleaning": "# Cleaning\n\nTables after each animal, floors twice a day, kennels every morning.\n",
    "keys": "# Keys\n\nThe key of the medicine cupboard stays in the practice. Nobody takes it home.\n",
    "post": "# Post\n\nSamples go out at four in the afternoon, in the box with the ice packs.\n",
    "waste": "# Waste\n\nNeedles go into the yellow box. It is collected when it is three quarters full.\n",
    "strays": "# Strays\n\nLook for a chip first, then call the shelter. Write down where the animal was found.\n",
}
SMS = "# text messages to owners\n[appointment]\nhours_before = {hours}\n\n[vaccination]\ndays_before = {days}\n"
CONFIG = {
    "reminder-sms.toml": SMS,
    "reminder-mail.toml": '# letters to owners\n[vaccination]\ndays_before = {mail}\n\n[letter]\npaper = "A5"\n',
    "fees.toml": "[house_call]\nbase_fee_eur = {base}\nfee_per_km_eur = {per_km}\n\n[medicine_discount]\n"
    "animal_shelter_percent = {shelter}\nbreeders_percent = {breeders}\n",
    "booking.ini": "[web]\nslots_per_hour = {slots}\nlanguage = en\n\n[waiting_list]\nlength = {waiting}\n",
}
OLD = "reminder-sms-2023.toml"  # the decoy: the same settings, of two years ago
BOOKING = {  # what the booking system logs, and how often
    "INFO booking {n} created on the web site": 14, "INFO booking {n} created by phone": 9,
    "INFO booking {n} cancelled by the owner": 7, "INFO booking {n} moved to another day": 5,
    "INFO reminder for booking {n} sent": 12, "WARN calendar slow, {ms} ms": 3, "ERROR printer not ready": 1,
}  # fmt: skip
DOOR = {
    "front door opened": 12, "front door closed": 12, "back door opened": 3, "back door closed": 3,
    "medicine cupboard opened": 4, "medicine cupboard locked": 4,
}  # fmt: skip
BACKUP = {"INFO {n} files copied": 8, "INFO {n} files unchanged": 6, "INFO disk checked": 3, "WARN {n} ms late": 1}
