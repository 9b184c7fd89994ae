"""`ringfence redteam`: attacks on an operator's own manifest, judged by what reached a trap, not by what was said."""

from .arena import Arena, Kit, Subject
from .attacks import ATTACKS, Attack, Scored, attack, chosen
from .risks import RISKS, Finding, Verdict, worst

__all__ = [
    "ATTACKS", "RISKS", "Arena", "Attack", "Finding", "Kit", "Scored", "Subject", "Verdict", "attack", "chosen",
    "worst",
]  # fmt: skip
