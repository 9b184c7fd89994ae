"""Names, notes and settings of the hotel."""

from __future__ import annotations

FIRST = [
    "Alba", "Bruno", "Carlotta", "Desmond", "Edda", "Florian", "Greta", "Hugo", "Imke", "Jasper", "Klara", "Lorenz",
    "Maren", "Nils", "Odile", "Piers", "Ramona", "Silvan", "Tilda", "Urs", "Vilma", "Walter", "Xenia", "Yorick",
]  # fmt: skip
LAST = [
    "Amsel", "Bellweather", "Corradi", "Dunmore", "Eklund", "Farrow", "Gadient", "Hollis", "Immler", "Jessop", "Kolb",
    "Lanzer", "Marchetti", "Nordin", "Oakes", "Pellegrin", "Quarles", "Rothery", "Salzer", "Thorne", "Ulrich", "Vance",
    "Wetherby", "Zoller",
]  # fmt: skip
STRANGERS = ["Brackenridge", "Castellan", "Fothergill", "Hohenbrink", "Montalto", "Silberhorn", "Tredwell"]  # no guests
SERVERS = ("Aurelia", "Benno", "Chiara", "Dragan", "Elsbeth", "Fabio")
CLEANERS = ("Branka", "Dolores", "Ines", "Milena", "Rahel", "Teodor")
TOWNS = ("Aarbridge", "Castelmora", "Felsenau", "Grimsholm", "Lindach", "Porto Vecchiano", "Steinfurt", "Wexcombe")
CHANNELS = ("Bedfinch", "Roamnest", "Staymole", "e-mail", "phone", "website")
PORTALS = ("Bedfinch", "Roamnest", "Staymole", "Wanderwell")
BOARD = ("breakfast", "half board", "room only")
EXTRAS = ("bike hire", "dinner", "laundry", "massage", "minibar", "packed lunch", "parking", "wine")
KINDS = {  # how many rooms, their beds, and what they cost
    "single": (5, 1, 78, 98), "double": (13, 2, 112, 158), "family": (6, 4, 165, 208), "suite": (2, 2, 215, 268),
}  # fmt: skip
VIEWS = ("lake", "garden", "courtyard", "street")
WINES = {
    "Colle Verrino": "Tuscany", "Domaine Saulmont": "Burgundy", "Bodega Tresaguas": "Rioja", "Rebhof Kranich": "Pfalz",
    "Tenuta Ombrosa": "Piedmont", "Clos des Hirondelles": "Loire", "Quinta do Sobral Alto": "Douro",
    "Weingut Steinach": "Wachau", "Masseria Falcone": "Apulia", "Val d'Aubrac": "Languedoc", "Podere Lucente": "Umbria",
    "Finca Almirez": "Navarra", "Schloss Eibenfels": "Rheingau", "Cantina Rondine": "Veneto",
    "Mas de l'Olivette": "Provence", "Kellerei Moosberg": "South Tyrol",
}  # fmt: skip
DISHES = (
    "trout with almonds", "mushroom risotto", "venison stew", "spinach dumplings", "duck breast", "beetroot gnocchi",
    "veal schnitzel", "lamb shank", "chickpea curry",
)  # fmt: skip
CAKES = ("plum tart", "poppy seed cake", "hazelnut roll", "apricot strudel")
PLACES = {  # where the keys of late guests wait
    "milk churn": "in the milk churn beside the kitchen door",
    "letterbox": "in the letterbox of the annexe",
    "lantern": "inside the copper lantern on the porch",
    "flower pot": "under the flower pot with the rosemary",
    "ski locker": "in the first ski locker on the left",
    "wood basket": "in the wood basket by the side entrance",
}

NOTES = {
    "price-sheet-2025": """# Price sheet 2025

Valid from 1 January 2025. Rooms are in the room list, this is everything else.

| What | Price |
|---|---|
| Dog, per night | {dog_old} euros |
| Garage, per night | {garage} euros |
| Bike, per day | {bike} euros |
| Extra bed, per night | {bed} euros |
| Late check-out until 16:00 | {late} euros |
""",
    "team-meeting-2025-03-24": """# Team meeting, 24 March 2025

- {p0} takes over the flower orders from {p1}.
- The terrace opens on the first warm weekend, cushions are in the attic.
- Garage: please write the number plate on the slip.
""",
    "team-meeting-2025-05-19": """# Team meeting, 19 May 2025

- Dogs: from 1 June they cost {dog_new} euros per night, blanket and bowl included. We do not reprint the price sheet.
- {p2} is on holiday for two weeks, {p3} does the breakfast buffet.
- New aprons are in the linen room. Old ones go to the workshop.
""",
    "night-arrivals": """# Arrivals at night

The desk is closed from 23:00. Guests who come later get a text with the door code in the afternoon.
Their room key lies in an envelope with their name {place}.
The registration form goes into the envelope, they fill it in at breakfast.
""",
    "families": """# Families

Cots stand in the linen room next to the ironing board, folded. Please check the brakes before one goes upstairs.
High chairs are behind the buffet. There is a box with toys in the lounge; what is broken goes to {p1}.
""",
    "check-in": """# Check-in

Rooms are ready from 15:00, in the season often earlier: ask housekeeping. Passports are looked at, never copied.
Point out the fire exit on the floor and where breakfast is.
""",
}
FILLERS = {
    "breakfast": "# Breakfast\n\nFrom 7:00 to 10:30. Eggs are made to order. The honey comes from {p0}'s brother.\n",
    "dogs-in-the-house": "# Dogs in the house\n\nThey may come everywhere but to the buffet and the sauna.\n",
    "laundry": "# Laundry\n\nThe van comes on Mondays and Thursdays. Count the bags, the driver signs for them.\n",
    "lost-and-found": "# Lost and found\n\nWrite room and day on a bag. After half a year it goes to charity.\n",
    "fire-drill": "# Fire drill\n\nMeet at the fountain. The desk brings the guest list, {p2} checks the top floor.\n",
    "allergies": "# Allergies\n\nThe kitchen needs to know before 17:00. The folder with all recipes is by the pass.\n",
    "weddings": "# Weddings\n\nNo confetti on the gravel. Music ends at midnight, the band eats in the staff room.\n",
}
LETTER = (
    "we are happy that you are here and wish you a good rest with us.",
    "If you need another pillow, a hot water bottle or simply somebody to talk to, come to the desk.",
    "The footpath to the lake starts behind the orchard and takes about a quarter of an hour.",
    "In the lounge there are books in five languages, and you may take one home if you leave another.",
    "Our kitchen cooks with what the farms around us bring, so the menu changes when the weather does.",
    "Please tell us at breakfast if you would like your room to be left in peace today.",
    "The little train stops twice an hour at the bottom of the garden and costs our guests nothing.",
)
CONFIG = {
    "wellness.toml": '[sauna]\ntemperature_c = {sauna}\nheats_from = "15:30"\n\n'
    '[steam_bath]\ntemperature_c = {steam}\nscent = "mint"\n\n[relax_room]\ntemperature_c = {relax}\n',
    "till.ini": "[receipt]\ncopies = 2\nfooter = Come again soon\n\n[drawer]\nopen_on_card = no\n",
    "phones.yaml": "wake_up:\n  tries: 3\n  pause_s: {pause}\nhold_music: off\n",
}
ROUNDS = (
    "front door locked", "candles in the lounge out", "garage closed", "ice machine rattles", "sauna off",
    "guest asked for water", "taxi called", "bread delivery taken in", "terrace cushions brought in", "bar shut",
)  # fmt: skip
