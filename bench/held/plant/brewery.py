"""A brewery while it is laid out: its folder, its people, and what the tasks will ask of it."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from names import FIRST, LAST
from world import Cases, Words

START = date(2025, 3, 1)


@dataclass
class Brewery:
    """Each part draws from a generator of its own: what one of them draws changes no other."""

    folder: Path
    seed: int
    cases: Cases = field(default_factory=dict)
    words: Words = field(default_factory=dict)
    pumps: list[str] = field(default_factory=list)
    leaking: str = ""  # one of the pumps
    hold: str = ""  # the batch that is on hold

    def __post_init__(self) -> None:
        rng = self.rng("people")
        names = zip(rng.sample(FIRST, 14), rng.sample(LAST, 14), strict=True)
        self.people = [f"{first} {last}" for first, last in names]
        self.name = rng.choice(["Talmuehle", "Sternberg", "Kupferkessel", "Weidenhof"]) + " Brewery"

    def rng(self, part: str) -> random.Random:
        """The generator of a part."""
        return random.Random(f"plant {self.seed} {part}")
