"""How two rankings of chunks, by words and by meaning, become one; shared by every index.

Reciprocal rank fusion after Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and Individual
Rank Learning Methods" (SIGIR 2009): it needs ranks alone, so scores of different kinds never have to be weighed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

RRF_K = 20  # the paper has 60, for runs of a thousand; here first places should count for more (bench/knowledge)
DEPTH = 200  # chunks of each ranking that are fused; at least as many as a query may ask for
MAX_TEXT = 8_000  # characters of a question that are looked for
MAX_LIMIT = 100  # hits of one query
K1, B = 1.2, 0.75  # of BM25: how soon a word's repetition counts no more, and how much a long chunk is held back

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Ranked(Generic[Key]):
    """A fused rank. `words` and `meaning` count from 1; 0: not in that ranking."""

    key: Key
    score: float
    words: int = 0
    meaning: int = 0


def fuse(words: Sequence[Key], meaning: Sequence[Key], *, order: Callable[[Key], Any], limit: int) -> list[Ranked[Key]]:
    """The best `limit` of two rankings, best first; equal scores go by `order` of the key.

    Each ranking has a key once, best first. The score is the sum of 1 / (RRF_K + rank) over the rankings that have it.
    """
    by_words = {key: rank for rank, key in enumerate(words, 1)}
    by_meaning = {key: rank for rank, key in enumerate(meaning, 1)}
    scores = {key: 1 / (RRF_K + rank) for key, rank in by_words.items()}
    for key, rank in by_meaning.items():
        scores[key] = scores.get(key, 0.0) + 1 / (RRF_K + rank)
    best = sorted(scores.values(), reverse=True)[:limit]
    chosen = [key for key, score in scores.items() if score >= best[-1]] if best else []
    chosen.sort(key=lambda key: (-scores[key], order(key)))
    return [Ranked(key, scores[key], by_words.get(key, 0), by_meaning.get(key, 0)) for key in chosen[:limit]]
