"""Names, notes and settings of the pottery."""

from __future__ import annotations

FIRST = [
    "Agnes", "Bruno", "Clara", "Dennis", "Elena", "Felix", "Greta", "Henry", "Irene", "Jonas", "Karin", "Leon", "Mara",
    "Nils", "Olivia", "Peter", "Rosa", "Simon", "Tessa", "Vera", "Walter", "Yvonne",
]  # fmt: skip
LAST = [
    "Alder", "Brandt", "Cooper", "Draper", "Engel", "Fowler", "Graves", "Holm", "Iverson", "Jarvis", "Kroll",
    "Lindgren", "Marsh", "Nolan", "Osborn", "Pryce", "Reeves", "Stone", "Tanner", "Upton", "Voss", "Winter",
]  # fmt: skip
TOWNS = ("Aldbrook", "Carrow", "Dunmere", "Elmstead", "Harrowgate Mill", "Lowick", "Penfold", "Stanbury", "Thornley")
SUPPLIERS = ("Marlpit Clays", "Fernhill Clay Works", "Oxbow Clay Company", "Greystone Clays")
ROOMS = ("the glaze room", "the kiln shed", "the shop", "the clay store", "the office", "the course room")
SERIES = ("Birch", "Fjord", "Heather", "Pebble")
SHAPES = {  # what a piece of that shape costs, about, in cents
    "mug": 1_800, "bowl": 2_400, "plate": 2_600, "vase": 4_800, "jug": 4_200, "teapot": 6_900, "butter dish": 3_300,
    "planter": 3_900,
}  # fmt: skip
CLAYS = {"stoneware": (40, 95), "porcelain": (60, 130), "earthenware": (30, 80), "terracotta": (25, 70)}  # hours
GLAZES = ("Celadon", "Tenmoku", "Shino", "Copper Red", "Moss Green", "Oatmeal")
MATERIALS = ("feldspar", "silica", "whiting", "kaolin", "iron oxide")
STATES = ("finished", "bisque", "cracked", "sold")
LINES = {  # of the log of the kiln, and how often
    "INFO zone {zone} at {temp} degrees": 14,
    "INFO program step {step} started": 5,
    "INFO sensor check passed": 3,
    "INFO door closed": 2,
    "INFO door opened": 2,
    "WARNING sensor fault in zone {zone}": 3,
    "WARNING fan fault, speed {speed}": 2,
    "WARNING power dip, {volt} volts": 1,
}
VISITS = ("visitors came in", "visitors went out", "visitors in the course room", "visitors at the counter")

NOTES = {
    "courses.md": """# Courses

All prices are per person and include the clay.

| Course | Evenings | Price in euros |
|---|---|---|
| Wheel throwing | 6 | {throwing} |
| Hand building | 4 | {building} |
| Raku | 2 | {old} |
| Glazing | 3 | {glazing} |

Courses begin at 18:30. Please bring an apron.
""",
    "meeting-2025-02-10.md": """# Staff meeting of 10 February 2025

- The new shelves for the shop are ordered.
- From 1 March 2025 a place in the raku course costs {new} euros per person. The list in courses.md shows the old price.
- The window in the kiln shed has to be mended before Easter.
""",
    "keys.md": """# Keys

| Door | Key | Spare key |
|---|---|---|
{keys}

Nobody lends a key to a guest.
""",
    "glazes.md": """# Glaze recipes

All numbers are percent of the dry weight. Sieve twice, then let the glaze stand overnight.

{recipes}
""",
    "suppliers.md": """# Suppliers

| Supplier | What | Town | Phone | Delivers on |
|---|---|---|---|---|
| {supplier} | clay | {s1} | {phone1} | Tuesday |
| Bellweather Packaging | boxes and straw | {s2} | {phone2} | Thursday |
| Tindal Kiln Parts | elements and shelves | {s3} | {phone3} | by parcel |
""",
    "exhibition.md": """# Autumn exhibition

- Place: the town hall in {s2}, first floor.
- Set up on the evening before, with the van.
- The showpiece is the {showpiece}. It stands alone on the plinth at the entrance.
- Bring the visitors' book and the price cards.
""",
    "insurance.md": """# Insurance

The workshop is insured with Hearthline Mutual, policy {policy}. Report damage by mail to office@hearthline.example.
""",
}
FILLERS = {
    "kiln-shelves.md": "# Kiln shelves\n\nScrape the old wash off and paint them again after every fifth firing.\n",
    "throwing-tips.md": "# Throwing tips\n\nWedge the clay well. Centre with wet hands, open with a dry sponge.\n",
    "window-display.md": "# Window display\n\nOnly three colours at a time, large pieces at the back.\n",
    "packing.md": "# Packing\n\nTwo layers of paper, then straw. Mark the box as fragile on two sides.\n",
    "recycling.md": "# Reclaiming clay\n\nLet scraps dry completely before they are soaked in the grey bucket.\n",
    "studio-rules.md": "# Studio rules\n\nWipe the tables wet, never sweep them dry. Wear a mask in the glaze room.\n",
    "shopping.txt": "sponges\nwire\nwashing-up liquid\n",
    "ideas.txt": "a tile panel for the entrance\nsmall lids with birds\n",
    "playlist.txt": "rain sounds\npiano in the evening\n",
    "old-labels.txt": "print on cream paper, cut by hand\n",
}

KILN = """# {about}
name = "{name}"
zones = {zones}

[bisque_firing]
top_c = {bisque}
hold_minutes = {hold1}

[glaze_firing]
top_c = {glaze}
hold_minutes = {hold2}
"""
KILNS = {  # their settings' files
    "kiln.toml": ("The kiln in the shed", "large"),
    "kiln-old.toml": ("The kiln that was sold", "old"),
    "kiln-test.toml": ("The test kiln for tiles", "test"),
}
SHOP = """[till]
receipt_width = {width}
printer = counter

[web]
basket_minutes = {basket}
currency = EUR
"""
