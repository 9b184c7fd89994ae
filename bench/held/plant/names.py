"""Names of the brewery: people, goods, machines, customers."""

from __future__ import annotations

FIRST = [
    "Anke", "Bodo", "Carla", "Dirk", "Elif", "Frieda", "Gerd", "Hanna", "Ivo", "Jutta", "Kamil", "Lena", "Milan",
    "Nadja", "Olaf", "Petra", "Ruben", "Silke", "Timo", "Ute",
]  # fmt: skip
LAST = [
    "Ackermann", "Brandl", "Cerny", "Drexler", "Eichner", "Fuchs", "Gruber", "Hartl", "Immler", "Janda", "Kastner",
    "Lindner", "Moser", "Nagel", "Oswald",
]  # fmt: skip
BEERS = [
    "Harvest Gold", "Cellar Lager", "Black Otter", "River Pils", "Amber Mule", "Smoked Porter", "Linden Wheat",
    "Old Copper", "Night Bock", "Pale Heron", "Maple Stout", "Garden Saison",
]  # fmt: skip
SUPPLIERS = [
    "Ostermann Malt", "Hallertal Hops", "Kronberg Closures", "Glaswerk Nord", "Etikett & Co", "Lambrecht Chemie",
    "Veltin Carbonic", "Tauber Pallets",
]  # fmt: skip
GOODS = {
    "Ostermann Malt": "pale malt", "Hallertal Hops": "hop pellets", "Kronberg Closures": "crown corks",
    "Glaswerk Nord": "bottles 0.5 l", "Etikett & Co": "labels", "Lambrecht Chemie": "cleaning agents",
    "Veltin Carbonic": "carbon dioxide", "Tauber Pallets": "pallets",
}  # fmt: skip
REASONS = ["CROWNER", "BOTTLE_JAM", "NO_BOTTLES", "LABELLER", "LOW_PRESSURE", "CHANGEOVER"]
ASSETS = ["bottle washer", "filler", "labeller", "pasteuriser", "palletiser", "compressor", "mash tun"]
FAULTS = [
    "oil level low", "belt worn", "guard loose", "sensor dirty", "noise in gearbox", "grease nipples", "leaking hose",
    "check calibration", "replace filter", "emergency stop test",
]  # fmt: skip
METERS = ["brewhouse", "cooling", "filling hall", "compressor room"]
CUSTOMERS = [
    "Gasthof Adler", "Zum Anker", "Hotel Seeblick", "Cafe Mirabell", "Getraenke Huber", "Kiosk am Tor",
    "Wirtshaus Linde", "Pension Waldrand", "Bistro Orange", "Sportheim Aue", "Biergarten Insel", "Markthalle Sued",
    "Brasserie Lou", "Landgasthof Rose", "Bar Nachtfalter", "Kantine Stadtwerk", "Hofladen Peters", "Teehaus Ming",
    "Taverna Ithaka", "Segelclub Ost", "Theaterklause", "Ristorante Vela",
]  # fmt: skip
TOWNS = ["Altbach", "Birkenau", "Dornfeld", "Eschental", "Furth", "Grossau"]
TOURS = ["short tour", "evening tour", "family tour", "brewmaster tour"]
DESKS = ["dispatch", "workshop", "bookkeeping", "gatehouse", "quality lab", "brewhouse"]
