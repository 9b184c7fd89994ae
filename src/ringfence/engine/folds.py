"""What a run's items come to, taken in once: a step late in a run costs what an early one does.

A fold is rebuilt from the items alone, in their order, so a resumed run has the very same one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Protocol, TypeVar

from ringfence.core.chain import Record
from ringfence.core.turn import Turn


class Fold(Protocol):
    """Takes in one item of a run after another."""

    def take(self, record: Record, intent: Record | None) -> None:
        """The next item: a record, and the intent that it answers."""
        ...


F = TypeVar("F", bound=Fold)


def folded(turn: Turn, make: Callable[..., F], *given: Hashable) -> F:
    """The fold `make(*given)` of all items of a run so far; only those are taken in that are new since then.

    It is kept with the run and must not be changed by whoever reads it.
    """
    key, upto = (make, given), len(turn.items)
    taken, fold = turn.folds.get(key, (-1, None))
    if taken != upto:
        turn.folds.pop(key, None)  # one that stops half way is not kept
        if fold is None or taken > upto:  # items are only ever added; else nothing that was kept holds
            taken, fold = 0, make(*given)
        for n in range(taken, upto):
            fold.take(*turn.items[n])
        turn.folds[key] = (upto, fold)
    kept: F = fold
    return kept
