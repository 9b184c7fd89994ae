"""Papers and settings of the brewery."""

from __future__ import annotations

BINDER = {
    "handbook.md": """# Shift handbook, {brewery}

## Start of shift
Read the last page of the shift book and sign it. The early shift starts at 05:45, the late shift at 13:45.

## Filling hall
Ear protection is compulsory. Broken glass goes into the red bin only, and the filler is rinsed after every breakage.

## Stops
Each stop of the filler longer than two minutes is logged with its reason. Stops for a changeover count as well.

## Visitors
Visitors wear a vest and shoe covers. {p0} keeps the list.
""",
    "gaerkeller.txt": """Gärkeller, Hinweise
Stand: Januar 2025

Das Tragen des CO2-Warngeräts ist Pflicht.
Nach einem CO2-Alarm muss der Gärkeller mindestens {vent} Minuten gelüftet werden, erst dann darf wieder jemand hinein.
Die Tür zum Hof bleibt dabei offen. Der Alarm wird im Schichtbuch eingetragen.
Den Kompressor alle sechs Wochen entwässern.
""",
    "procedures/tank-cleaning.md": """# Cleaning of the tanks (weekly)

Issued 14 May 2024 by {p1}

1. Rinse with cold water until it runs clear.
2. Circulate caustic of {caustic_old} % at 70 degrees for half an hour.
3. Rinse again, check with litmus paper.
4. Disinfect, and leave the manhole open.
""",
    "procedures/bottle-washer.md": """# Bottle washer

Check the spray nozzles at the start of each week. Change the water of the last bath daily.
The label press is emptied by whoever finishes the shift.
""",
    "procedures/yeast.md": """# Yeast

Harvest on the third day after the end of fermentation. Never keep yeast for more than ten days. \
{p2} decides what is pitched.
""",
    "procedures/lockout.md": """# Lockout

Main switch off, own padlock on, key in the own pocket. Nobody removes the padlock of somebody else.
""",
    "memos/2025-02-technical-memo.md": """# Technical memo, 24 February 2025

From: {p1}
To: cellar, filling, workshop

- Tank cleaning: the weekly clean is done with caustic of {caustic_new} % from now on. This replaces the strength in the
  cleaning procedure of May 2024; temperature and time stay as they are.
- The forklift charger has moved to gate 2.
- New gloves are with {p3}.
""",
    "memos/2024-11-technical-memo.md": """# Technical memo, 11 November 2024

From: {p1}
To: filling, workshop

- The crowner gets new springs in December.
- Please return borrowed torque wrenches to {p4}.
""",
    "qa/shelf-life.md": """# Shelf life (QA list)

Weeks from the day of filling, as printed on the label.

{shelf}

Samples of each filling are kept twice as long in the sample room.
""",
    "qa/sampling.md": """# Sampling

One bottle at the start, one in the middle and one at the end of each filling. Oxygen first, \
then the microbiological plate.
""",
    "suppliers.txt": """Suppliers, in short
-------------------
Ostermann Malt: delivers on Tuesdays, silo 1 and 2
Hallertal Hops: cold chain, tell the lab
Glaswerk Nord: full pallets only
Lambrecht Chemie: safety sheets are with {p5}
""",
    "meetings/2025-03-06.txt": """Meeting of the shift leads, 6 March 2025
Present: {p0}, {p3}, {p6}

The late shift wants a second pallet truck. {p6} asks for a quote.
The stock count is on the last Friday of the month.
The canteen stays closed over Easter.
""",
}
SETTINGS = {
    "filler.ini": "[filler]\nvalves = 48\nspeed_bph = 12000\n\n[crowner]\npressure_bar = 5.5\nheads = 8\n",
    "cellar.toml": '[cooling]\nmode = "glycol"\nsetpoint_c = 1.5\n\n[alarm]\nhysteresis_c = 0.4\n',
    "notify.yaml": "alarm:\n  cellar: call\n  filler: message\nquiet: false\n",
}
