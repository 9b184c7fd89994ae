"""Names of the museum: people, rooms, exhibits, what the shop sells and what is in the archive."""

from __future__ import annotations

FIRST = [
    "Ada", "Bram", "Cleo", "Douwe", "Elsbeth", "Fenna", "Gideon", "Hester", "Ilja", "Joris", "Katinka", "Lambert",
    "Maud", "Nico", "Odile", "Pieter", "Roswitha", "Sybren", "Tamsin", "Ursel", "Veerle", "Wessel", "Yvo", "Zelda",
]  # fmt: skip
LAST = [
    "Alderman", "Brouwer", "Carding", "Dallinga", "Everts", "Fairweather", "Grootveld", "Harkness", "Ingleby",
    "Jonkman", "Kettle", "Loosdrecht", "Merriman", "Nieuwland", "Overbeek", "Pinkney", "Quint", "Reinders", "Stavoren",
    "Tolliver", "Uitgeest", "Veldkamp", "Wragge", "Zandstra", "Ashcombe", "Bleeker", "Coppens", "Dykstra", "Elderkin",
    "Fothergill", "Garrity", "Hoekstra", "Idsinga", "Jessop", "Kuiper", "Lockwood",
]  # fmt: skip
TOWNS = ["Oldhaven", "Steenwijde", "Marfleet", "Zuidkerk", "Barrowby", "Lindermond"]
STORES = ["picture store", "textile store", "reading room"]
DOORS = ["picture store", "textile store", "workshop", "loading bay", "strong room"]
EXHIBITS = {  # what each room shows, and what that is made of
    "Harbour Room": {
        "Brass sextant": "metal", "Ship bell of the Concordia": "metal", "Pilot coat": "textile",
        "Model of a herring lugger": "wood", "Harbour chart of 1788": "paper", "Whale oil lamp": "metal",
        "Marine chronometer": "mixed", "Half model of a ferry": "wood",
    },
    "Guild Hall": {
        "Guild chest of the coopers": "wood", "Silver beaker": "metal", "Militia banner": "textile",
        "Drum of the night watch": "mixed", "Town seal": "metal", "Leather fire bucket": "leather",
        "Glass goblet": "glass", "Portrait of a mayor": "canvas",
    },
    "Clock Room": {
        "Longcase clock": "wood", "Tower clock movement": "metal", "Pocket watch": "metal", "Hourglass": "glass",
        "Sundial of slate": "stone", "Cuckoo clock": "wood", "Carriage clock": "metal", "Water clock": "glass",
    },
    "Kitchen Gallery": {
        "Baker's peel": "wood", "Pewter jug": "metal", "Butter churn": "wood", "Waffle iron": "metal",
        "Copper kettle": "metal", "Spice cupboard": "wood", "Apothecary jar": "ceramic", "Mortar and pestle": "stone",
    },
    "Print Cabinet": {
        "Copperplate of the town": "metal", "Lithograph of the fair": "paper", "Woodcut of a flood": "paper",
        "Etching of the mill": "paper", "Printing block": "wood", "Broadsheet of 1813": "paper",
        "View of the quay": "paper", "Winter scene": "paper",
    },
    "School Room": {
        "School bench": "wood", "Slate with sponge box": "stone", "Map of the dikes": "paper", "Abacus": "wood",
        "Inkwell of stoneware": "ceramic", "Sampler of 1834": "textile", "Travelling desk": "wood",
        "Globe on a stand": "mixed",
    },
}  # fmt: skip
ROOMS = list(EXHIBITS)
BORROWERS = [
    "Maritime Museum Marfleet", "Stadsmuseum Steenwijde", "Barrowby Art Hall", "Clock Museum Lindermond",
    "Zuidkerk Abbey", "County Record Office",
]  # fmt: skip
FRAGILE = ["watercolours", "textiles", "photographs", "prints"]
ROBUST = ["oil paintings", "leather", "furniture"]
SHOP = {  # the shelf of an article, and about what it costs, in cents
    "harbour poster": ("paper", 900), "museum guide": ("paper", 1400), "town map reprint": ("paper", 1900),
    "recipe book": ("paper", 2200), "pencil set": ("paper", 600), "ship model kit": ("toys", 3100),
    "clock puzzle": ("toys", 2400), "sailor doll": ("toys", 1800), "wooden spinning top": ("toys", 500),
    "linen tea towel": ("textiles", 1100), "silk scarf": ("textiles", 3300), "canvas bag": ("textiles", 1000),
    "tile coaster": ("home", 700), "fridge magnet": ("home", 300), "beeswax candle": ("home", 800),
    "enamel mug": ("home", 1300), "lighthouse lamp": ("home", 3500), "glass paperweight": ("home", 2700),
}  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TASKS = ["ticket desk", "shop", "guided tour", "cloakroom", "inventory"]
KINDS = ["letter", "map", "photograph", "council minutes", "parish register", "poster", "newspaper"]
SUBJECTS = [
    "the harbour board", "the fish market", "the town gate", "the rope works", "the orphanage", "the ferry",
    "the night watch", "the brick kilns", "the sea wall", "the weigh house",
]  # fmt: skip
EVENTS = [
    "knot-tying workshop", "clockmaker demonstration", "attic tour", "handwriting course", "print evening",
    "harbour walk",
]  # fmt: skip
