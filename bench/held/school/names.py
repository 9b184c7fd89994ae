"""Names, notices and settings of the school."""

from __future__ import annotations

FIRST = [
    "Ada", "Bastian", "Cleo", "Dario", "Elif", "Finn", "Gesa", "Hamid", "Ida", "Jonte", "Kaja", "Levin", "Mila", "Noor",
    "Oskar", "Pia", "Ravi", "Selma", "Timo", "Ugne", "Vera", "Wim", "Yara", "Zeno",
]  # fmt: skip
LAST = [
    "Abel", "Brook", "Calder", "Dietz", "Engel", "Fenn", "Gruber", "Hartog", "Iversen", "Jokela", "Kemper", "Lund",
    "Mertens", "Nagy", "Ortiz", "Pohl", "Quinn", "Reuter", "Sato", "Teller", "Unger", "Vogt", "Winter", "Zeller",
]  # fmt: skip
TEACHERS = [
    "Ashdown", "Birk", "Cavell", "Drummond", "Eames", "Falk", "Goddard", "Hennig", "Ingram", "Jarvis", "Keller",
    "Lorimer", "Maddox", "Norling", "Osterman", "Pryce",
]  # fmt: skip
CLASSES = ("6a", "6b", "7a", "7b", "8a", "8b", "9a", "9b")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
SUBJECTS = ("Maths", "English", "French", "Physics", "Biology", "History", "Art", "Music", "Geography", "PE")
LOCKED = ("boiler room", "chemistry store", "drama cupboard", "archive cellar", "gym store", "server closet")
LINES = (14, 23, 31, 37, 46, 52, 58, 63, 75, 82)
STOPS = ("Mill Lane", "Old Station", "Chapel Hill", "Quarry Road", "Lower Green", "Ferry Steps")
DISHES = ("lasagne", "lentil curry", "fish fingers", "jacket potato", "goulash", "pancakes", "noodle soup")
TRADES = ("plumbing", "electrical", "joinery", "painting", "glazing")
FAULTS = {
    "plumbing": ("tap drips", "sink blocked", "cistern runs"),
    "electrical": ("socket loose", "tube light flickers", "bell silent"),
    "joinery": ("door sticks", "drawer jammed", "chair leg off"),
    "painting": ("wall scratched", "damp stain", "ink on ceiling"),
    "glazing": ("pane cracked", "window won't shut", "putty gone"),
}
CLUBS = ("chess", "robotics", "choir", "pottery", "debating", "climbing", "beekeeping", "photography")
TITLES = (
    "The Paper Lighthouse", "Eleven Foxes", "A Map of Rain", "The Clockmaker's Goat", "Salt and Starlight",
    "The Boy Who Sold Fog", "Under the Copper Moon", "Seven Borrowed Keys", "The Glass Orchard", "Owls at Noon",
    "A Short Guide to Volcanoes", "The Last Ferry North", "Marbles and Thunder", "The Quiet Submarine",
    "Letters to a Hedgehog", "Numbers for the Bold", "The Winter Bakery", "Nobody's Kite", "How Bridges Stand",
    "The Tin Astronomer",
)  # fmt: skip
AUTHORS = ("H. Ellery", "M. Vandt", "S. Okoro", "T. Lindh", "P. Arbour", "C. Demir")

NOTICES = {
    "keys": "# Who has which key\n\nSpare keys of classrooms hang in the office. For everything else:\n\n{keys}\n",
    "resits-autumn": """# Autumn re-sits

25 August 2025

The re-sits of this autumn are written in room {old_room}, {resit_day} September, from 13:15.
Dictionaries are allowed in French, phones go into the box.
""",
    "staff-briefing-2025-09-04": """# Staff briefing, 4 September 2025

- Resits: room {old_room} has water damage. They take place in room {new_room} instead, day and hour stay as they are.
- {t0} collects the trip money, {t1} stands in for {t2} until Friday.
- Please close the windows in the east wing.
""",
    "bikes": """# Bikes

The bike shed is open from 7:15 to 16:30. It has had a new lock since June.
Scooters stand beside the shed, not in it. Helmets go home with their owners.
""",
}
FILLERS = {
    "photo-day": "# School photos\n\nThe photographer is in the hall on 2 October, youngest classes first.\n",
    "head-lice": "# Head lice\n\nThere were two cases in year 6. Please hand out the leaflet from the grey drawer.\n",
    "wet-break": "# Wet break\n\nWhen it pours, classes stay in their rooms. Two long rings announce it.\n",
    "lost-property": "# Lost property\n\nThe box stands by the stairs. What nobody fetches goes to the jumble sale.\n",
    "lunch-queue": "# Lunch queue\n\nYears 6 and 7 eat first, the others from 12:40. Trays go back to the hatch.\n",
    "choir-concert": "# Concert\n\nThe choir rehearses in the hall all week. Chairs are set out by year 9.\n",
    "visitors": "# Visitors\n\nEverybody signs in at the office and wears a badge.\n",
    "first-aid": "# First aid\n\nPlasters are in the office, the stretcher hangs in the gym. Write every case down.\n",
    "snow": "# Snow\n\nIf buses do not run, pupils stay at home. The site says so by 6:30.\n",
}
LETTERS = {
    "parents-evening": "Parents' evening\n\nThe form tutors are in their rooms from 18:00.\n",
    "welcome": "Welcome to the office\n\nThe kettle is ours, the biscuits are the head's.\n",
}
CONFIG = {
    "bells.ini": "[bells]\nfirst_bell = 07:55\nlesson_minutes = {lesson}\nbreak_minutes = {pause}\n\n"
    "[gong]\nvolume = 6\nhall = yes\n",
    "printing.yaml": "copier: office\nquota:\n  pupils: {pupil_pages}\n  staff: {staff_pages}\nduplex: true\n",
    "library.toml": '[loans]\ndays = 21\nrenewals = 2\n\n[mail]\nsender = "library"\nreminder_days = {reminder}\n',
}
