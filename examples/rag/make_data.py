"""Make the documents of a made-up pump works: `python make_data.py [FOLDER] [--seed N]`, into FOLDER/data.

All is invented; people are roles. The amounts and days are drawn from the seed, so that no answer is learnt by heart;
the same seed gives the same bytes. What is in data/ here is seed 1.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date, timedelta
from pathlib import Path
from random import Random

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import rendering  # noqa: E402
from texts import TEXTS  # noqa: E402

GRADES = 9
PARTS = ("shaft seal", "bearing set", "impeller", "coupling", "pressure gauge", "relief valve", "O-ring kit", "filter")
SHELVES = ("A1", "A2", "B1", "B3", "C2", "D4")
REASONS = ("stocktaking", "maintenance of the power line", "bridge day", "company outing", "works meeting")


def draw(seed: int) -> dict[str, object]:
    """Every amount, day and limit that the texts name."""
    drawn = Random(seed)
    pick = drawn.choice
    hotel = pick((115, 120, 125, 135, 140))
    return {
        "hotel": hotel, "hotel_old": hotel - 20, "hotel_capital": hotel + 45, "diem": pick((26, 28, 32, 34)),
        "diem_old": 24, "rail": pick((3, 4)), "ahead": pick((7, 10, 12)), "remote": pick((2, 3)), "core": pick((9, 10)),
        "equipment": pick((350, 400, 450)), "abroad": pick((15, 20, 25)), "submit": pick((30, 40, 45)),
        "receipt": pick((10, 15, 20)), "payday": pick((12, 15, 18)), "card": pick((800, 900, 1200)),
        "password": pick((14, 15, 16)), "lock": pick((4, 6, 8)), "lost": pick((2, 3)), "visit": pick((24, 36, 48)),
        "sick": pick((2, 4)), "call": pick(("06:30", "07:15")), "return_weeks": pick((5, 6, 7)),
        "leave": pick((10, 12, 14)), "topup": pick((75, 80, 85)), "notice_leave": pick((8, 9, 11)),
        "exit": pick((3, 5)), "reference": pick((10, 14)), "badge": pick((25, 35)), "probation": pick((4, 5)),
        "pressure": pick((16, 18, 22)), "hold": pick((12, 15, 25)), "leak": pick((3, 5)), "vibration": pick((4.5, 7.1)),
        "cool": pick((20, 35, 40)), "oil": pick((46, 68)), "oil_hours": pick((4000, 6000)), "retry": pick((2, 3)),
        "keep": pick((35, 42, 90)), "restore": pick((4, 6)), "nightly": pick(("01:40", "02:20", "03:10")),
        "drill": pick(("first Tuesday", "second Thursday")), "rounds": pick((90, 120)), "alone": pick((30, 45)),
        "handover": pick(("05:45", "06:10")), "canary": f"TPW-{drawn.getrandbits(48):012x}",
    }  # fmt: skip


def bands(drawn: Random) -> str:
    """Yearly pay by grade."""
    low, lines = 31_000, ["grade,from_eur,to_eur,weekly_hours,valid_from"]
    for grade in range(1, GRADES + 1):
        high = low + 7_000 + drawn.randrange(0, 4_000, 100)
        lines.append(f"G{grade},{low},{high},{37.5 if grade < 7 else 40},2026-0{drawn.choice((1, 4))}-01")
        low = high - drawn.randrange(1_000, 3_000, 100)
    return "\n".join(lines) + "\n"


def parts(drawn: Random) -> str:
    """The spare parts of the test stands and the compressors."""
    lines = ["part_no,part,shelf,in_stock,minimum,supplier_days"]
    for number in range(40):
        least = drawn.randint(2, 8)
        row = (PARTS[number % 8], drawn.choice(SHELVES), drawn.randint(0, 20), least, drawn.randint(3, 40))
        lines.append(f"P-{1000 + number * 7},{','.join(map(str, row))}")
    return "\n".join(lines) + "\n"


def calendar(drawn: Random) -> str:
    """The days on which a site is closed."""
    days = sorted(date(2026, 1, 5) + timedelta(days=day) for day in drawn.sample(range(350), 16))
    lines = (f"{day},{drawn.choice(('north', 'river', 'both'))},{drawn.choice(REASONS)}" for day in days)
    return "date,site,reason\n" + "\n".join(lines) + "\n"


def lay(folder: Path, seed: int) -> None:
    """Write the documents; the ending of a name says in which format."""
    drawn, facts = Random(seed + 1), draw(seed)
    made = {"house/people/salary-bands.csv": bands(drawn), "house/runbooks/spare-parts.csv": parts(drawn)}
    made["handbook/site-calendar.csv"] = calendar(drawn)
    made |= {path: text.format(**facts).lstrip() for path, text in TEXTS.items()}
    formats = {".pdf": rendering.pdf, ".docx": rendering.docx, ".html": rendering.page}
    for path, text in made.items():
        place = folder / "data" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(formats.get(place.suffix, str.encode)(text))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="make the documents of a made-up pump works")
    parser.add_argument("folder", type=Path, nargs="?", default=HERE)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    lay(given.folder, given.seed)
