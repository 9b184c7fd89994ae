"""Files in, text out: what each format says, read in a confined process that hands back blocks and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .bounds import Bounds
    from .confined import ConfinedParser

__all__ = ["Bounds", "ConfinedParser"]


def __getattr__(name: str) -> object:
    """Imported when asked for: the confined process imports its part alone, and that has no numpy."""
    if name == "ConfinedParser":
        from .confined import ConfinedParser

        return ConfinedParser
    if name == "Bounds":
        from .bounds import Bounds

        return Bounds
    raise AttributeError(name)
