"""The names of the choir's people, pieces, rooms and halls; all are made up."""

FIRST = (
    "Alma", "Bertil", "Carla", "Dario", "Edda", "Falk", "Greta", "Hanno", "Ilka", "Joris", "Katja", "Levin", "Mirja",
    "Nando", "Orla", "Piet", "Quirin", "Runa", "Stine", "Tilo", "Ulla", "Vito", "Wanda", "Yorick",
)  # fmt: skip
LAST = (
    "Ahlborn", "Brinkholt", "Corvane", "Dreesmark", "Ellingsund", "Farnwick", "Gollmar", "Hestvang", "Ivenhorst",
    "Jarlund", "Kressner", "Lorvik", "Mundheim", "Norrwig", "Ostergrund", "Pellmark", "Rosvang", "Sandorf", "Tessmar",
    "Ulmgard", "Vestholm", "Wendrup",
)  # fmt: skip
VOICES = ("soprano", "alto", "tenor", "bass")
TITLES = (
    "Autumn Lanterns", "Bells over the Valley", "Candlelight Evening", "Days of Frost", "Echoes of Spring",
    "Feast of Voices", "Garden Serenade", "Harvest Songs", "Island Melodies", "Journey Home", "Midsummer Night Music",
    "Northern Skies",
)  # fmt: skip
PIECES = (
    "Morning", "Evening", "River", "Meadow", "Winter", "Summer", "Harbour", "Forest", "Pilgrim", "Shepherd", "Star",
    "Swallow",
)  # fmt: skip
KINDS = ("Song", "Hymn", "Prayer", "Dance")
LANGUAGES = ("Latin", "German", "English", "Swedish")
COMPOSERS = ("A. Quellmalm", "B. Torvane", "C. Hindelwig", "D. Masterlund", "E. Ravenholt", "F. Zellbrook")
ROOMS = ("organ loft", "music library", "costume cellar", "rehearsal room", "bicycle shed", "kitchen")
TUNERS = ("Klaas Overbrook", "Senta Millgard", "Rurik Tannwald", "Irma Fellbach")
HALLS = ("Old Granary", "Town Hall", "Abbey Church", "Riverside Theatre", "School Auditorium")
WORDS = ("umbrella", "thermos", "raffle", "ladder", "torch", "blanket")
CATEGORIES = {  # and what is bought
    "travel": ("Bus to the festival", "Train tickets", "Fuel for the van", "Parking"),
    "food": ("Cake for the rehearsal", "Drinks for the interval", "Soup for the choir weekend", "Coffee"),
    "rent": ("Rehearsal hall", "Piano hire", "Lights", "Chairs"),
    "printing": ("Posters", "Programmes", "Flyers", "Tickets"),
    "music": ("Copies of scores", "Folders", "Licence for a score", "Music stands"),
}
TICKETS = ("Adult", "Student", "Child", "Senior", "Family")
ERRORS = (
    "card was declined", "seat already taken", "printer out of paper", "payment timed out", "voucher has expired",
    "bank server unreachable", "invalid postcode",
)  # fmt: skip
