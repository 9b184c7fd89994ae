"""Make thirty contracts as PDFs: `python make_data.py [FOLDER] [--seed N]`, into FOLDER/data, and FOLDER/truth.json.

All is invented: firms are numbers, services are those that any works buys. What a contract says is drawn from the seed,
in wordings and an order that differ; truth.json keeps what was drawn, and which rules of regulations/ that breaks, for
check.py alone: no collection and no tool reads it. The same seed gives the same bytes. What is here is seed 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date, timedelta
from pathlib import Path
from random import Random

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import rendering  # noqa: E402
from wordings import BESIDE, CLOSING, HEADINGS, WORDINGS, spelled  # noqa: E402

COUNT = 30
SERVICES = (
    "lift maintenance", "window cleaning", "payroll software", "waste disposal", "pest control", "catering",
    "fire alarm service", "pallet rental", "translation", "mail delivery", "server hosting", "forklift lease",
    "laboratory analysis", "plant watering", "shift scheduling software", "security patrols", "workwear laundry",
    "crane inspection", "coffee machines", "water treatment", "customer newsletter service", "snow clearing",
    "archive storage", "video conferencing", "calibration of gauges", "fleet insurance brokerage",
    "training platform", "roof inspection", "gas bottles", "printing",
)  # fmt: skip
DATA = {"payroll", "software", "hosting", "newsletter", "conferencing", "platform", "translation", "insurance"}


def draw(drawn: Random, service: str) -> dict[str, object]:
    """What one contract says; None is what it does not say."""
    pick, fee = drawn.choice, drawn.randrange(4_000, 96_000, 500)
    often = drawn.random
    share = pick((100, 120, 150, 200)) if often() < 0.85 else pick((25, 40, 50))
    cap = pick(("amount", "share")) if often() < 0.8 else pick(("unlimited", "excluded", None))
    personal = any(word in service for word in DATA)
    place = pick(("eea", "eea", "towns", "usa", "any", None)) if personal else "no data"
    return {
        "fee": fee,
        "start": str(date(2024, 1, 1) + timedelta(days=31 * drawn.randrange(26))),
        "term": pick((12, 24, 36, 36, 48)) if often() < 0.9 else pick((60, 72)),
        "notice": pick((30, 42, 60, 90)) if often() < 0.88 else pick((120, 180)),
        "renewal": pick((0, 12, 12)) if often() < 0.88 else pick((24, 36)),
        "payment": pick((30, 30, 45, 60)) if often() < 0.85 else pick((0, 7, 10, 14)),
        "cap": cap,
        "cap_eur": fee * share // 100 if cap == "amount" else None,
        "cap_share": share if cap == "share" else None,
        "penalty": pick((0.5, 1.0, 1.5)) if often() < 0.85 else pick((0.2, 0, None)),
        "place": place,
        "court": pick(("customer", "customer", "neutral")) if often() < 0.88 else "supplier",
    }


def broken(says: dict[str, object]) -> list[str]:
    """The rules of regulations/ that a contract breaks; the reading of check.py is held against it."""
    cap, fee = says["cap"], says["fee"]
    enough = cap == "unlimited" or (says["cap_eur"] or 0) >= fee or (says["cap_share"] or 0) >= 100  # type: ignore[operator]
    found = {
        "R-1": says["term"] > 48,  # type: ignore[operator]
        "R-2": says["notice"] > 90,  # type: ignore[operator]
        "R-3": says["renewal"] > 12,  # type: ignore[operator]
        "R-4": says["court"] == "supplier",
        "R-5": says["payment"] < 30,  # type: ignore[operator]
        "R-6": not enough,
        "R-7": (says["penalty"] or 0) < 0.5,  # type: ignore[operator]
        "R-8": says["place"] in ("usa", "any", None),
    }
    return [rule for rule, yes in found.items() if yes]


def contract(number: int, service: str, says: dict[str, object], drawn: Random) -> str:
    """The text of one contract as Markdown, its clauses in an order of its own."""
    clauses = []
    for kind, wordings in WORDINGS.items():
        for_this = wordings.get(_case(kind, says), ())
        if for_this:
            clauses.append((drawn.choice(HEADINGS[kind]), spelled(drawn.choice(for_this), says)))
    clauses += drawn.sample(BESIDE, 5)
    drawn.shuffle(clauses)
    half = len(clauses) // 2 + drawn.choice((-1, 0, 1))
    lines = [
        f"# Contract C-{number:02} on {service}",
        f"Between the customer, Tarnwick Pumpworks, and the supplier, Firm {100 + number * 3}, it is agreed:",
    ]
    for place, (heading, text) in enumerate((*clauses, CLOSING), 1):
        lines += ["\f" if place == half + 1 else "", f"## {place}. {heading}", text]
    return "\n\n".join(line for line in lines if line)


def _case(kind: str, says: dict[str, object]) -> object:
    match kind:
        case "liability":
            return says["cap"]
        case "place" | "court":
            return says[kind]
        case "renewal":
            return "none" if says["renewal"] == 0 else "some"
        case "payment":
            return "at once" if says["payment"] == 0 else "some"
        case "penalty":
            return None if says["penalty"] is None else "none" if says["penalty"] == 0 else "some"
    return "some"


def lay(folder: Path, seed: int) -> None:
    """Write the contracts and what is true of them."""
    drawn, truth = Random(seed), {}
    place = folder / "data" / "contracts"
    place.mkdir(parents=True, exist_ok=True)
    for number, service in enumerate(SERVICES[:COUNT], 1):
        says = draw(drawn, service)
        (place / f"C-{number:02}.pdf").write_bytes(rendering.pdf(contract(number, service, says, drawn)))
        truth[f"C-{number:02}"] = {"service": service, **says, "broken": broken(says)}
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(what)}" for name, what in truth.items())
    (folder / "truth.json").write_text(f"{{\n{lines}\n}}\n", "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="make thirty contracts as PDFs")
    parser.add_argument("folder", type=Path, nargs="?", default=HERE)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    lay(given.folder, given.seed)
