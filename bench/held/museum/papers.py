"""Papers and settings of the museum."""

from __future__ import annotations

PAPERS = {
    "conservation-guidelines.md": """# Conservation guidelines

Issued by {p0}, for everybody who handles objects.

## Handling
Nitrile gloves for metal and photographs, clean bare hands for paper. Two people for anything larger than a door.

## Light
Limits at the surface of the object. Lamps are off when nobody is in the room.

{light}

## Climate
Between 45 and 55 percent of relative humidity. Tell the archivist when a logger reports DAMP or DRY.

## Pests
Sticky traps are read on the first Wednesday of each month.
""",
    "prices-2024.txt": """Prices
valid from 1 April 2024
-----------------------
Adults                     {adult} euros
Students and pensioners    {student} euros
School classes, per pupil  {rate_old} euros (two teachers free)
Guided tour, flat          {tour} euros
Friends of the museum      free
""",
    "minutes/board-2024-11.md": """# Board meeting, 14 November 2024

Present: {p0}, {p1}, {p2}

1. The roof above the Clock Room is repaired in spring.
2. {p1} reports on the new humidifiers. They are quieter.
3. The friends of the museum pay for the guest book.
""",
    "minutes/board-2025-04.md": """# Board meeting, 10 April 2025

Present: {p0}, {p1}, {p3}

1. The rate for school classes on the price list of 2024 is given up. From 1 May 2025 a class pays {rate_new} euros \
per pupil, teachers stay free. The other prices are left as they are.
2. {p3} looks for a second person for the reading room.
3. Summer closing: none this year.
""",
    "minutes/board-2025-06.md": """# Board meeting, 12 June 2025

Present: {p1}, {p2}, {p3}

1. The long night of the museums was full until midnight. Thanks to all volunteers.
2. The lift is inspected in July.
""",
    "vrijwilligers.txt": """Boekje voor vrijwilligers
=========================

Welkom! Fijn dat je meedoet.

Diensten
Wie een dienst niet kan draaien, meldt zich ten minste {signoff} dagen van tevoren af bij {p4}.
Ben je ziek, dan bel je gewoon zo vroeg mogelijk.
Ruilen mag altijd, als je het in het rooster zet.

Kassa
De kassa wordt aan het eind van de dag geteld, altijd met z'n tweeën.

Koffie
Staat in de keuken naast de leeszaal. Kopjes gaan in de vaatwasser.
""",
    "reading-room.md": """# Reading room

Pencils alone, bags in the lockers. A reader gets one box at a time. Boxes that were asked for before noon are \
fetched on the same day.

Photographs without flash are allowed. {p0} decides on copies.
""",
    "loans-checklist.md": """# Loans, checklist

- contract signed by both sides
- condition report with pictures
- crate numbered, tape on all edges
- insurance from nail to nail
- {p1} is told before the lorry leaves
""",
    "keys.txt": """Keys

The key cabinet is in the workshop. Whoever takes a key signs for it. Keys stay in the house overnight.
{p2} has the spare one for the strong room.
""",
}
SETTINGS = {
    "scanner.ini": """[letters]
dpi = {dpi0}
colour = grey

[maps]
dpi = {dpi1}
colour = full

[glass negatives]
dpi = {dpi2}
colour = grey
invert = yes
""",
    "climate.toml": '[loggers]\ninterval_minutes = 20\n\n[limits]\nrh_low = 45\nrh_high = 55\nreport = "archivist"\n',
    "tickets.yaml": "currency: EUR\nprinter: counter-1\nreceipt_footer: Thank you for coming\nlast_entry: '16:30'\n",
}
HEADLINE = "A town that lived off the tide"
SENTENCES = [
    "For three centuries nobody in this town could sleep through high water.",
    "The quay was built of oak, then of brick, and finally of stone that came as ballast.",
    "Pilots waited in the tower, where the stove was kept burning day and night.",
    "Herring made some families rich and kept the others busy.",
    "Every barrel was branded by the coopers before it left the harbour.",
    "A bell called the porters together, and the last one to arrive went home without wages.",
    "Children earned a few cents by counting the ships that lay off the bar.",
    "When the railway came, the large ships stopped coming.",
    "The harbour master wrote down each vessel, its cargo, its master and the weather. "
    "His books have survived, and you may turn their pages on the screen beside you.",
    "Women mended the nets in the streets behind the church.",
    "In a hard winter the river froze, and the market moved onto the ice.",
    "Salt, timber and tar came in; cheese, bricks and herring went out.",
    "The storm of 1825 took the old crane and half of the sea wall.",
    "What you see here was dredged from the mud when the basin was deepened.",
]
GREETINGS = [
    "lovely, we will be back", "the clocks!", "our children did not want to leave", "very friendly people",
    "I went to that school", "too many stairs, but worth it", "thank you for the tour", "great kitchen",
    "my grandfather sailed on the Concordia", "a gem of a museum",
]  # fmt: skip
