"""Whether a final answer claims what the record does not prove: actions, numbers, quotations, sources, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON

FlagKind = Literal["action", "number", "quote", "citation", "artifact"]
State = Literal["done", "failed", "refused"]


@dataclass(frozen=True, slots=True)
class Flag:
    """A claim that the record does not prove.

    text  the words of the answer that make it
    why   what was expected instead, in words for the model
    at    where in the answer the sentence that carries it lies: first and last character, half open
    """

    kind: FlagKind
    text: str
    why: str
    at: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Deed:
    """A call on record and what became of it; `reads` one that changes nothing."""

    sink: str
    args: Mapping[str, JSON]
    state: State
    reads: bool


def deeds(turn: Turn, tools: Sequence[SinkSpec]) -> tuple[Deed, ...]:
    """The tool calls of a run, in order."""
    raise NotImplementedError


def flags(answer: str, *, shown: str, task: str, done: Sequence[Deed], tools: Sequence[SinkSpec]) -> list[Flag]:
    """The claims of an answer that nothing proves, in the order of the answer.

    shown  everything the tools and the user said; task: the user's words alone
    done   the calls on record, as `deeds` gives them; tools: what the run was granted
    """
    raise NotImplementedError


def proved(answer: str, flags: Sequence[Flag], done: Sequence[Deed] = ()) -> str:
    """The answer without the sentences that carry a flag; if none is left, what is on record."""
    raise NotImplementedError


def abstains(answer: str) -> bool:
    """Whether the answer is that it is not known, not there or not possible."""
    raise NotImplementedError
