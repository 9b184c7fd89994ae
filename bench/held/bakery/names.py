"""Names for a made-up bakery."""

from __future__ import annotations

FIRST = (
    "Agnes", "Boris", "Celia", "Dario", "Edith", "Fabian", "Greta", "Hugo", "Irene", "Jonas", "Kira", "Leonard",
    "Mabel", "Nils", "Olive", "Percy", "Rosa", "Simon", "Thea", "Victor", "Wanda", "Yannick",
)  # fmt: skip
LAST = (
    "Ashwood", "Birkett", "Crumley", "Dunfield", "Elmore", "Fairlow", "Grainger", "Hollis", "Ingham", "Juniper",
    "Kestrel", "Larkin", "Millward", "Norcott", "Oakden", "Pemble", "Quarry", "Rowntry", "Stanwick", "Thornby",
)  # fmt: skip
DRIVERS = (
    "Anton", "Bea", "Carlos", "Dina", "Emil", "Farah", "Goran", "Hanna", "Ivo", "Jule", "Kofi", "Lotte", "Marek",
)  # fmt: skip
BRANCHES = (
    "Market Square", "Old Mill", "Station Road", "Castle Hill", "Riverside", "Linden Park", "North Gate", "Abbey Lane",
)  # fmt: skip
PRODUCTS = {  # by category, with a price in cents, about
    "bread": {
        "Rye loaf": 420, "Sourdough": 480, "Baguette": 190, "Spelt loaf": 510, "Walnut bread": 560, "Ciabatta": 260,
        "Potato bread": 390, "Focaccia": 450, "Oat loaf": 440, "Pumpernickel": 370, "Milk loaf": 350,
    },
    "roll": {"Poppy roll": 60, "Cheese roll": 120, "Pretzel": 95, "Sesame roll": 65, "Onion roll": 85},
    "pastry": {
        "Croissant": 160, "Cinnamon bun": 220, "Apple turnover": 240, "Almond horn": 260, "Custard tart": 290,
        "Cherry danish": 250,
    },
    "cake": {"Cheesecake": 2_650, "Carrot cake": 2_450, "Plum cake": 2_200, "Chocolate cake": 2_900},
}  # fmt: skip
OVENS = ("deck_oven", "rack_oven", "stone_oven")
PROGRAMS = {"rye_bread": 235, "baguette": 245, "croissant": 190, "sheet_cake": 175, "pizza_bread": 260}
ZONES = ("centre", "north", "east", "south", "west")
MONTHS = ("April", "May", "June", "July", "August")  # of 2025, from the fourth month on
