"""What a run came to: a projection of its folded state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ringfence.core.chain import Kind
from ringfence.core.turn import State, Turn
from ringfence.core.values import JSON

from .step import TOOL


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One tool call of a run: what was called, with what, and whether it answered."""

    tool: str
    args: dict[str, Any]
    ok: bool
    seq: int


@dataclass(frozen=True, slots=True)
class Result:
    """The end of a run, or where it stands.

    status      done | partial | failed | cancelled | waiting | uncertain | running
    answer      the final answer, or what is known so far
    summary     one sentence on how it came about
    artifacts   files that the answer names and that a tool has shown
    confidence  the model's own word: low | medium | high, or "" if it gave none
    usage       steps, and prompt, completion and cached tokens
    """

    run_id: str
    status: str
    answer: str
    summary: str
    artifacts: tuple[str, ...] = ()
    confidence: str = ""
    steps: tuple[StepTaken, ...] = ()
    usage: dict[str, int] = field(default_factory=dict)


def in_words(value: Mapping[str, JSON]) -> str:
    """A failed outcome in words, with what to do about it."""
    return f"{value['error']} -> {value['todo']}" if value["todo"] else str(value["error"])


def result_of(turn: Turn) -> Result:
    """Project a run to its result."""
    steps = tuple(
        StepTaken(source.view["sink"].removeprefix(TOOL), source.body["args"], bool(record.view.get("ok")), record.seq)
        for record, intent in turn.items
        if (source := intent or record).view.get("sink", "").startswith(TOOL) and record.kind is not Kind.MESSAGE
    )
    end, live, unsure = turn.end, "waiting" if turn.state is State.WAITING else "running", ""
    if turn.uncertain is not None:
        names = (turn.open[seq].view["sink"].removeprefix(TOOL) for seq in turn.uncertain.view["uncertain"])
        live, unsure = "uncertain", f"it is not known whether {', '.join(names)} was done"
    return Result(
        run_id=turn.run,
        status=end.get("status", live),
        answer=end.get("answer", ""),
        summary=end.get("summary") or end.get("reason", unsure),
        artifacts=tuple(end.get("artifacts", ())),
        confidence=end.get("confidence", ""),
        steps=steps,
        usage=dict(turn.usage),
    )
