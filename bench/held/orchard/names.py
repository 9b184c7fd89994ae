"""The names that a world of the fruit farm is drawn from. All of them are made up."""

FIRST = (
    "Ada", "Bela", "Carla", "Dorian", "Elsa", "Fabio", "Greta", "Hedda", "Ilja", "Jonna", "Kamil", "Lotta", "Milo",
    "Nadja", "Orson", "Petra", "Rufus", "Selma", "Tilda", "Vasco", "Wilma",
)  # fmt: skip
LAST = (
    "Aldersey", "Birkholt", "Corvane", "Dunmere", "Eastwick", "Farrowby", "Grenfold", "Hazelbeck", "Ivermoor",
    "Kestling", "Lindquarry", "Marlowen", "Nettlefield", "Oxendale", "Pellworth", "Quarrington", "Rushbeck",
)  # fmt: skip
VILLAGES = ("Appledale", "Brinford", "Castle Lorne", "Dunwick", "Eastrow", "Fernhill", "Greywater")
MARKETS = ("Harrowgate", "Ilmarsh", "Kelby", "Lower Stanton", "Marbeck")
DAYS = ("Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
PLOTS = ("Upper Meadow", "Lower Meadow", "Mill Field", "Church Field", "South Slope", "Long Acre")
FIELDS = ("Brook Patch", "Chapel Patch", "Hill Patch", "Oak Patch", "Pond Patch", "Ridge Patch", "Stable Patch")
CROPS = ("strawberries", "raspberries", "blueberries", "redcurrants")
VARIETIES = ("Elstar", "Braeburn", "Boskoop", "Gala", "Jonagold", "Topaz", "Pinova")
ABSENT = ("gooseberries", "mulberries", "apricots", "quinces", "elderberries")
JAMS = (
    "Strawberry jam", "Strawberry rhubarb jam", "Plum jam", "Plum cinnamon jam", "Raspberry jam", "Cherry jam",
    "Cherry vanilla jam",
)  # fmt: skip
PRODUCTS = {  # by category, and what they cost about, in cents
    "jam": (JAMS, 415),
    "juice": (
        ("Apple juice 1 l", "Apple juice 0.7 l", "Apple carrot juice 1 l", "Pear nectar 1 l", "Cherry nectar"),
        385,
    ),
    "spirits": (("Apple brandy", "Plum brandy", "Pear brandy", "Cherry liqueur"), 2_345),
    "dried fruit": (("Apple rings", "Dried pears", "Dried plums", "Cinnamon apple chips"), 545),
}
ARTICLES = (
    "cardboard punnets", "wooden crates", "paper bags", "cider bottles", "jam jars", "jar lids", "juice cartons",
    "price labels", "bubble wrap", "gift baskets", "cling film", "egg trays", "rubber bands", "wine corks",
)  # fmt: skip
SUPPLIERS = (
    "Packwell", "Glassmere", "Boxley and Sons", "Northern Labels", "Tressel Wrapping", "Kartonia", "Riverside Supplies",
)  # fmt: skip
PRESSES = ("Millbrook Cider Press", "Old Barn Press", "Redstone Juicery", "Valley Press House")
