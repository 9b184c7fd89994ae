"""A museum while it is laid out: its folder, its people, and what the tasks will ask of it."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from names import FIRST, LAST
from world import Cases, Words


@dataclass
class Museum:
    """Each part draws from a generator of its own: what one of them draws changes no other."""

    folder: Path
    seed: int
    cases: Cases = field(default_factory=dict)
    words: Words = field(default_factory=dict)
    exhibits: dict[str, tuple[str, str]] = field(default_factory=dict)  # title and showcase by inventory number
    places: dict[str, str] = field(default_factory=dict)  # where each climate logger hangs

    def __post_init__(self) -> None:
        rng = self.rng("people")
        names = [f"{rng.choice(FIRST)} {last}" for last in rng.sample(LAST, 36)]  # no surname twice
        self.staff, self.volunteers, self.donors = names[:12], names[12:22], names[22:]

    def rng(self, part: str) -> random.Random:
        """The generator of a part."""
        return random.Random(f"museum {self.seed} {part}")
