"""What a run has done, as its record proves it: each call, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ringfence.core.chain import Kind
from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .mapreduce import SPEC as READ_ALL
from .readmore import SPEC as READ_MORE
from .step import LOOK_UP

State = Literal["done", "failed", "refused"]


@dataclass(frozen=True, slots=True)
class Deed:
    """A call on record and what became of it; `reads` one that changes nothing, `handle` names its result (r5)."""

    sink: str
    args: Mapping[str, JSON]
    state: State
    reads: bool
    handle: str = ""

    def __str__(self) -> str:
        given = ", ".join(f"{name}={str(value)[:60]!r}" for name, value in list(self.args.items())[:3])
        became = {"done": "was done", "failed": "failed", "refused": "was refused"}[self.state]
        return f"{self.sink.partition(':')[2] or self.sink}({given}) {became}"


def deeds(turn: Turn, tools: Sequence[SinkSpec]) -> tuple[Deed, ...]:
    """The tool calls of a run, in order, with what became of each."""
    reads = {spec.name: spec.reads for spec in (*tools, READ_MORE, READ_ALL)}
    found = []
    for record, intent in turn.items:
        source = intent or record
        sink = source.view.get("sink", "")
        if record.kind is Kind.MESSAGE or not sink.startswith("tool:") or source.body.get("call", 0) <= LOOK_UP:
            continue
        state: State = "refused" if intent is None else "done" if record.view["ok"] else "failed"
        found.append(Deed(sink, source.body.get("args", {}), state, reads.get(sink, False), f"r{record.seq}"))
    return tuple(found)
