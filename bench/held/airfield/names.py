"""The words that the airfield's world is drawn from; everybody in it is made up."""

from __future__ import annotations

FIRST = (
    "Anneke", "Bertil", "Carmen", "Dorian", "Elfriede", "Fabio", "Gesine", "Hedda", "Ignaz", "Jorinde", "Korbinian",
    "Liselotte", "Mattis", "Nadja", "Oswin", "Petra", "Quintus", "Ragna", "Silvio", "Thekla", "Ulf", "Verena",
    "Wendelin", "Ylva", "Zeno",
)  # fmt: skip
LAST = (
    "Aldering", "Brackwede", "Cordes", "Dunkelberg", "Ehrlinger", "Fassbender", "Grothe", "Hollmann", "Isenbart",
    "Jessen", "Kettler", "Lindqvist", "Mooshammer", "Nierhoff", "Ostrander", "Pellworm", "Rautenberg", "Sievert",
    "Tannhof", "Uhlenbrock", "Vossberg", "Wiesner", "Zellmann",
)  # fmt: skip
FARMS = ("Ahrenkamp", "Bruchholz", "Dieckhoff", "Eschenbach", "Feldmeier", "Gersten")  # the neighbours' last names
TYPES = (  # of gliders: the type, its seats
    ("Heron 2", 2), ("Heron 2b", 2), ("Plover T", 2), ("Sandpiper", 1), ("Sandpiper C", 1), ("Lapwing 15", 1),
    ("Lapwing 18", 1), ("Avocet", 1), ("Dunlin", 1), ("Curlew Duo", 2), ("Kittiwake", 1),
)  # fmt: skip
TUGS = ("Ox 180", "Ox 235")
DUTIES = (
    "parachutes", "workshop keys", "first-aid boxes", "fire extinguishers", "mowing of the runway", "club bus",
    "barographs", "oxygen bottles", "clubhouse kitchen",
)  # fmt: skip
KINDS = {  # of maintenance: about how many quarters of an hour
    "annual inspection": 34, "tyre change": 5, "canopy polish": 9, "release hook check": 7, "battery replacement": 4,
}  # fmt: skip
COURSES = {  # in euros, about
    "Trial day": 90, "One-week course": 460, "Solo course": 980, "Radio certificate": 140, "Cross-country course": 350,
    "Refresher": 120,
}  # fmt: skip
ABSENT = ("aerobatics", "mountain flying", "wave flying")
CALLS = ("AB", "C4", "DX", "F7", "HN", "K2", "LR", "M9", "PZ", "Q3", "RT", "S8", "UV", "W5", "X1", "YK", "Z6")
MONTHS = ("April", "May", "June", "July", "August", "September")
TOWNS = ("Altenhude", "Brunsrode", "Fahrenwalde", "Kleinseggen", "Oberlohe")
