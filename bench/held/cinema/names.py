"""Made-up names and words of a small independent cinema."""

FIRST = (
    "Alma", "Bram", "Cleo", "Dario", "Edda", "Felix", "Greta", "Hanno", "Iris", "Jonas", "Kira", "Leon", "Mina", "Nils",
    "Olga", "Piet", "Rosa", "Sven", "Thea", "Ugo", "Vera", "Wim", "Yara", "Zeno",
)  # fmt: skip
LAST = (
    "Abendroth", "Birkmoor", "Castellane", "Dunwick", "Eberlin", "Fennimore", "Garrach", "Holmsen", "Iversloh",
    "Jansky", "Kestrup", "Lomber", "Marquand", "Nettlefield", "Oduwa", "Pellgrin", "Quarles", "Rosvik", "Sandholm",
    "Tavener", "Ulmer", "Vantreight", "Wexcombe", "Zielke",
)  # fmt: skip
TOWNS = ("Larnow", "Ostwick", "Velmstead", "Brackley Mere", "Tarnholm", "Hexbridge")
FILMS = (
    "The Glass Ferryman", "Moths over Larnow", "The Quiet Furnace", "Letters to Ostwick", "Snow on the Viaduct",
    "Pigeon Street", "A Kettle for Juno", "The Last Tram to Velm", "Copper Sunday", "Wren and the Weather",
    "My Uncle the Lighthouse", "Borrowed Violins",
)  # fmt: skip
COUNTRIES = ("France", "Denmark", "Chile", "Japan", "Poland", "Senegal", "Ireland")
ROOMS = ("Blue Room", "Velvet Hall", "Attic", "Studio", "Courtyard", "Little Stage")
DOORS = ("projection booth", "kiosk store", "cash office", "cellar", "roof hatch", "poster archive")
KINDS = ("regular", "student", "senior", "patron")
DISTRIBUTORS = ("Salamander Film Hire", "Grey Heron Pictures", "Tallow and Finch", "Ostravik Releasing")
ARTICLES = (
    "Salted popcorn", "Sweet popcorn", "Nachos", "Liquorice", "Wine gums", "Apple juice", "Cola", "Lemonade",
    "Sparkling water", "Pale ale", "Peanuts", "Chocolate bar", "Ice cream tub", "Pretzels", "Ginger beer", "Iced tea",
)  # fmt: skip
WORKS = (
    "lamp replaced", "filter cleaned", "lens aligned", "fan replaced", "firmware updated", "colour calibrated",
    "cables checked", "mirror cleaned",
)  # fmt: skip
COMMENTS = (
    "lovely evening", "sound a bit loud", "would come again", "cold in the back rows", "great score", "too long for me",
    "my favourite this year", "fell asleep", "nice seats", "subtitles hard to read",
)  # fmt: skip
