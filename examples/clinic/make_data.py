"""Make the records of twelve made-up patients: `python make_data.py [FOLDER] [--seed N]`, into FOLDER/data.

Nobody is meant, and nothing here is advice: the patients are numbers, the values are drawn from the seed. The same seed
gives the same bytes. What is in data/ here is seed 1. guidelines/ is made as well; rights.yaml is beside data/.
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
from texts import ALLERGIES, CASES, GUIDELINES, HELP, HOMES, RECORD, Case  # noqa: E402

NUMBERS = (4711, 4718, 4725, 4733, 4740, 4756, 4762, 4779, 4784, 4791, 4803, 4810)
RANGES = {  # unit, normal from and to, and by how much a day changes it
    "potassium": ("mmol/l", 3.5, 5.1, 0.3),
    "creatinine": ("mg/dl", 0.6, 1.3, 0.1),
    "CRP": ("mg/l", 0.0, 5.0, 9.0),
    "haemoglobin": ("g/dl", 12.0, 16.5, 0.4),
    "sodium": ("mmol/l", 135.0, 145.0, 2.0),
}


def facts(drawn: Random, number: int, case: Case) -> dict[str, object]:
    """What the record of one patient says."""
    pick, came = drawn.choice, date(2026, 2, 2) + timedelta(days=drawn.randrange(60))
    drug, second = case.drugs
    return {
        "number": number, "age": drawn.randint(34, 88), "sex": pick(("female", "male")), "case": case.name,
        "ward": "A" if number % 2 else "B", "room": drawn.randint(101, 128), "came": came, "complaint": case.complaint,
        "allergy": pick(ALLERGIES), "home": pick(HOMES), "days": pick((2, 3, 5, 9)), "temperature": pick(case.heat),
        "pressure": f"{drawn.randrange(100, 175, 5)}/{drawn.randrange(60, 95, 5)}", "pulse": drawn.randint(62, 118),
        "oxygen": drawn.randint(88, 97), "weight": drawn.randint(49, 104), "finding": case.finding, "drug": drug,
        "dose": pick(case.doses), "often": pick(("twice", "three times")), "second": second,
        "second_at": pick(("in the morning", "in the evening", "at noon")), "day2": came + timedelta(days=1),
        "day3": came + timedelta(days=2), "day5": came + timedelta(days=4), "event": pick(case.events),
        "walked": drawn.randrange(20, 160, 10), "left": came + timedelta(days=drawn.randint(6, 11)),
        "help": pick(HELP), "check": pick((5, 7, 10, 14)), "stop": pick((3, 4, 6)),
    }  # fmt: skip


def labs(drawn: Random, number: int, came: date) -> str:
    """Four days of values as a table."""
    lines = ["patient,date,test,value,unit,from,to"]
    for test, (unit, low, high, step) in RANGES.items():
        value = drawn.uniform(low, high) if test != "CRP" else drawn.uniform(40, 160)
        value += drawn.choice((-1, 0, 0, 1)) * (high - low) / 2 if test != "CRP" else 0
        for day in (0, 1, 3, 5):
            lines.append(f"{number},{came + timedelta(days=day)},{test},{value:.1f},{unit},{low:g},{high:g}")
            value = max(0.2, value + drawn.uniform(-step, step) - (value / 4 if test == "CRP" else 0))
    return "\n".join(lines) + "\n"


def lay(folder: Path, seed: int) -> None:
    """Write the records and the guidelines; the ending of a name says in which format."""
    drawn, made = Random(seed), dict(GUIDELINES)
    for number, case in zip(NUMBERS, CASES * 2, strict=True):
        said = facts(drawn, number, case)
        here = f"records/ward-{str(said['ward']).lower()}/patient-{number}"
        made |= {f"{here}/{name}": text.format(**said) for name, text in RECORD.items()}
        came = said["came"]
        assert isinstance(came, date)
        made[f"{here}/labs.csv"] = labs(drawn, number, came)
    formats = {".pdf": rendering.pdf, ".docx": rendering.docx, ".html": rendering.page}
    for path, text in made.items():
        place = folder / "data" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(formats.get(place.suffix, str.encode)(text.lstrip()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="make the records of twelve made-up patients")
    parser.add_argument("folder", type=Path, nargs="?", default=HERE)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    lay(given.folder, given.seed)
