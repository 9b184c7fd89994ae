"""Names of the theatre: people, plays, companies, costumes, drinks, and what is left in the stalls."""

from __future__ import annotations

FIRST = [
    "Agnes", "Barnaby", "Celia", "Duncan", "Estelle", "Fergus", "Gemma", "Horace", "Isolde", "Julian", "Kirsten",
    "Leopold", "Marta", "Noel", "Ottilie", "Percy", "Quentin", "Rosalind", "Stefan", "Thea", "Ulrika", "Vernon",
    "Winifred", "Yannick",
]  # fmt: skip
LAST = [
    "Abernathy", "Birkett", "Cadwell", "Draper", "Ellerby", "Finch", "Garside", "Hathersage", "Ibbotson", "Jarrow",
    "Kershaw", "Lomax", "Mundy", "Netherton", "Orrell", "Pickles", "Quayle", "Rushton", "Sedgwick", "Tattersall",
    "Unwin", "Varley", "Whitlow", "Yardley",
]  # fmt: skip
CREW = [  # surnames of those who work here; no subscriber has one of them
    "Bergmoser", "Castellane", "Dobrowski", "Erikson", "Fallow", "Grimaldo", "Hussar", "Ivarsen", "Juncal", "Koppel",
    "Lindqvist", "Moravec", "Nagy", "Ostrander",
]  # fmt: skip
TOWNS = ["Brackwater", "Ellenfeld", "Marwick", "Oberlund", "Saltby", "Thornholm"]
PLAYS = {  # who wrote it, and where it is given
    "Salt Road": ("J. Merrow", "main"), "The Paper Crown": ("A. Lindgate", "main"),
    "Two Left Gloves": ("R. Osterby", "studio"), "Nightingale Street": ("C. Valmont-Hay", "main"),
    "The Clockwork Magpie": ("P. Dunwold", "main"), "Winter Ferry": ("E. Sorrel", "studio"),
    "A House with Nine Doors": ("M. Tarrant", "main"), "The Mayor of Elsewhere": ("J. Merrow", "main"),
    "Beekeepers": ("L. Okonedo-Price", "studio"), "The Glass Orchard": ("H. Fenwright", "main"),
    "Low Tide Cabaret": ("A. Lindgate", "studio"), "Letters to the Lighthouse": ("S. Brandauer", "studio"),
}  # fmt: skip
SEATS = {"main": 412, "studio": 96}
COMPANIES = [
    "Teatro Veleta Azul", "Quarry Players", "Threadbare Puppets", "Lindwurm Dance Group", "Lantern Street Theatre",
    "Compagnie du Vieux Port", "Nordwand Ensemble",
]  # fmt: skip
BORROWERS = [
    "Quarry Players", "Lantern Street Theatre", "Saltby Amateur Society", "Marwick Grammar School",
    "Oberlund Carnival Club",
]  # fmt: skip
GUESTED = ["The Sleepwalkers", "Cardboard Kings", "Moon over Marl", "Seven Suitcases", "Ink", "The Drowned Bell"]
PIECES = [
    "tailcoat", "crinoline", "waistcoat", "ball gown", "uniform jacket", "cape", "breeches", "bonnet", "nightshirt",
    "apron dress", "kimono", "doublet", "petticoat", "frock coat", "monk's habit",
]  # fmt: skip
ERAS = ["baroque", "empire", "1860s", "1900s", "1920s", "1950s", "fantasy"]
REMARKS = ["", "", "", "", "hem torn", "button missing, see wardrobe", "dry clean only", "let out 2024", "smells"]
JOBS = ("lights", "sound", "fly floor", "stage", "wardrobe")
DRINKS = {  # what a glass or a bottle costs, in cents
    "white wine": 520, "red wine": 540, "sparkling wine": 680, "lager": 410, "alcohol-free lager": 390, "water": 260,
    "orange juice": 340, "espresso": 250, "tea": 270, "pretzel": 220,
}  # fmt: skip
SERIES = {  # the weekday, how many plays, and what a seat costs, in cents
    "Premiere": ("Saturday", 7, 21_450), "Thursday Evening": ("Thursday", 6, 14_850),
    "Sunday Matinee": ("Sunday", 5, 11_250), "Music Theatre": ("Friday", 4, 12_980),
    "Young Stage": ("Wednesday", 4, 5_420), "Studio Mix": ("Tuesday", 6, 9_630),
}  # fmt: skip
LOST = [
    "green umbrella", "opera glasses", "silk scarf", "left glove", "house keys", "reading glasses", "walking stick",
    "pearl earring", "velvet handbag", "child's jumper", "bus pass", "woollen hat", "hearing aid", "silver brooch",
    "paperback", "tweed cap", "phone charger", "hip flask", "lipstick", "leather wallet", "folding fan",
    "cough sweets",
]  # fmt: skip
PLACES = ["stalls", "circle", "gallery", "foyer", "cloakroom", "bar", "studio"]
CUES = [
    "door opens, cold blue from stage left", "blackout", "table lamp on", "house to half", "house out",
    "sunrise, 40 seconds", "follow spot on the aunt", "lightning, twice", "footlights up", "corridor, narrow",
    "cross fade to the garden", "gobo leaves, slow", "candles, with the actor", "snow in the window", "warm up centre",
    "cyc to deep red", "train passes, left to right", "snap to dusk", "specials out", "moon", "curtain call",
]  # fmt: skip
