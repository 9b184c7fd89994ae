"""`files.find` by words and by meaning, where an embedding model runs here: files are scanned for words, as they are
large, and the best places for these are put in order by what they mean as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ringfence.core.errors import RingfenceError
from ringfence.core.ports import Sink
from ringfence.core.values import JSON, Action, Outcome
from ringfence.tools.find import ROOM, finished

if TYPE_CHECKING:
    from ringfence.knowledge.ports import Embedder

FIND = "tool:files.find"
CANDIDATES = 12  # places that are weighed by meaning: 0.4 s on two cores
_RANK = 20  # of reciprocal rank fusion, as in `knowledge.ranking`


@dataclass(frozen=True, slots=True)
class Meant:
    """A sink around that of `files.find`. The embedder is one of this machine: what files hold goes nowhere."""

    sink: Sink
    embedder: Embedder

    async def perform(self, action: Action) -> Outcome:
        """The best passages; in the order of words alone where nothing can be embedded."""
        count = int(action.args.get("k", 3))
        wide = {**action.args, "k": max(CANDIDATES, count), "each": ROOM // max(2, min(count, 4))}
        outcome = await self.sink.perform(replace(action, args=wide))
        if not outcome.ok or not isinstance(outcome.value, dict):
            return outcome
        found, question = list(outcome.value["passages"]), str(action.args["question"])
        more = {key: value for key, value in outcome.value.items() if key != "passages"}
        best = [found[n] for n in await self._order(question, found)]
        return replace(outcome, value=finished(_within(best[:count]), question, more))

    async def _order(self, question: str, found: list[dict[str, JSON]]) -> list[int]:
        """Places of what was found by words, the best first by both: reciprocal ranks added up.

        Meaning counts twice: all of these have the words, and questions seldom have the words of their answers.
        """
        words = list(range(len(found)))
        if len(found) < 2:
            return words
        try:
            vectors = await self.embedder.embed([str(one["text"]) for one in found])
            like: Any = vectors @ await self.embedder.embed_query(question)
        except RingfenceError:
            return words
        meant = {n: place for place, n in enumerate(sorted(words, key=lambda n: -float(like[n])))}
        return sorted(words, key=lambda n: -(1 / (_RANK + n) + 2 / (_RANK + meant[n])))


def _within(passages: list[dict[str, JSON]]) -> list[dict[str, JSON]]:
    """As many as a result has room for."""
    left, kept = ROOM, list[dict[str, JSON]]()
    for one in passages:
        left -= len(one["text"]) + 60
        if kept and left < 0:
            break
        kept.append(one)
    return kept
