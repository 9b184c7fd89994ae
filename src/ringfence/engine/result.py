"""What a run came to: a projection of its folded state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ringfence.core.chain import Kind
from ringfence.core.turn import State, Turn

from .grounding import Source
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
    rungs       how often each rung of the ladder was used: native, grammar, text, dialect, repair, retry, escalate
    flags       claims of the answer that the record does not prove, in words
    sources     passages of documents that the answer cites as [n], checked
    notes       what the run has to say of its models: what was left out, cut by the server, or asked of another tier
    """

    run_id: str
    status: str
    answer: str
    summary: str
    artifacts: tuple[str, ...] = ()
    confidence: str = ""
    steps: tuple[StepTaken, ...] = ()
    usage: dict[str, int] = field(default_factory=dict)
    rungs: dict[str, int] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()


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
        rungs=dict(end.get("rungs", {})),
        flags=tuple(f"{flag['kind']}: {flag['text']} ({flag['why']})" for flag in end.get("flags", ())),
        sources=tuple(map(Source.of, end.get("sources", ()))),
        notes=tuple(_notes(turn)),
    )


def _notes(turn: Turn) -> Iterator[str]:
    """What went otherwise than it was asked for, from the requests on record."""
    asked = [(record, intent) for record, intent in turn.items if intent is not None and "prompt" in intent.body]
    if left_out := max((intent.view["left_out"] for _, intent in asked), default=0):
        yield f"{left_out} earlier messages did not fit the model's window, and were left out"
    shorter = sum(record.view.get("truncated", 0) for record, _ in turn.items)  # of messages: the answer was put aside
    used = sum(r.body["value"].get("truncated", 0) for r, _ in asked if r.view["ok"]) - shorter
    if shorter:
        yield f"the model server cut {shorter} tokens off a request; it was made again, shorter"
    if used > 0:
        yield f"the model server cut {used} tokens off a request, and what it answered was used all the same"
    tiers = dict.fromkeys(intent.view["sink"] for _, intent in asked)
    for sink in tiers:
        yield from _models([r.body["value"] for r, i in asked if i.view["sink"] == sink and r.view["ok"]])
    if len(tiers) > 1:
        yield f"asked {', then '.join(sink.removeprefix('model:') for sink in tiers)}"


def _models(answers: list[dict[str, Any]]) -> Iterator[str]:
    """Which models gave the answers of one tier, where it is not the one that was expected."""
    models = dict.fromkeys(filter(None, (str(value.get("model", "")) for value in answers)))
    if len(models) > 1:
        yield f"the model changed in the middle of the run: {', then '.join(models)}"
    swaps = dict.fromkeys((value.get("model"), value.get("instead_of")) for value in answers)
    for model, expected in swaps:
        if expected and expected not in models:  # else it is told above
            yield f"another model answered: {model} instead of {expected}"
