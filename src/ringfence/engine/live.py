"""What a run needs in memory beside its folded state."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from ringfence.core.chain import Kind, Record
from ringfence.core.labels import Label
from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn

from .context import Transcript
from .ladder import LOOP, Quoted, Unreadable, read
from .step import TOOL, Step

Progress = Callable[[str], None]


@dataclass
class Live:
    """What a run needs in memory beside its folded state; all of it can be rebuilt."""

    transcript: Transcript
    tools: list[SinkSpec]  # that are shown
    granted: list[SinkSpec]  # and all that may be called
    said: str  # the conversation before this run
    label: Label  # of that conversation
    schemas: dict[Hashable, bytes] = field(default_factory=dict)
    steps: dict[int, Step] = field(default_factory=dict)  # those that were read, by the record of what the model said
    windows: dict[str, int] = field(default_factory=dict)  # in tokens, by model sink, as far as they are known
    progress: Progress | None = None
    tried: dict[str, int] = field(default_factory=dict)  # see `Ledger.clear`
    quoted: tuple[int, Quoted | None] = (0, None)  # with so many of the texts that were shown
    why: str = ""  # nobody knows whether the last effect was done

    def read(self, turn: Turn) -> Step:
        """The step that the last thought asks for; raises ladder.Unreadable if it is none."""
        thought = last_thought(turn)
        if thought.seq not in self.steps:
            self.transcript.sync(turn)  # of a run that goes on, nothing was shown in this process yet
            value, names = thought.body["value"], [spec.name.removeprefix(TOOL) for spec in self.tools]
            cut = value["finish"] == "length"
            step = read(value["text"], names, data=self._quoted(thought.seq), cut=cut)
            looks = {spec.name for spec in self.tools if spec.reads}
            if step.dialect == LOOP and not looks.issuperset(call.sink for call in step.calls):
                raise Unreadable("your call said the same again and again; write it shorter")
            self.steps[thought.seq] = step
        return self.steps[thought.seq]

    def _quoted(self, before: int) -> Quoted:
        """What was said, and what the tools had shown before a record."""
        shown, (taken, quoted) = self.transcript.shown, self.quoted
        upto = bisect_left(shown, before, key=lambda text: text[0])
        if quoted is None or upto < taken:  # a replay asks about an earlier state
            taken, quoted = 0, Quoted(f"{self.said}\n")
        for n in range(taken, upto):
            quoted.add(shown[n][1])
        self.quoted = upto, quoted
        return quoted


def since_thought(turn: Turn) -> list[tuple[Record, Record | None]]:
    """What the model said last, and what came of it, each with its intent."""
    at = next(
        n for n in range(len(turn.items) - 1, -1, -1) if (i := turn.items[n][1]) is not None and "prompt" in i.body
    )
    return turn.items[at:]


def last_thought(turn: Turn) -> Record:
    """What the model said last."""
    return since_thought(turn)[0][0]


def failures(turn: Turn) -> int:
    """Requests in a row that came to nothing: not answered, not read, or cut short by the server."""
    count = 0
    for record, intent in reversed(turn.items):
        if record.kind is Kind.MESSAGE:
            if "escalated" in record.body or "goals" in record.body:  # a plan that could be read, or another model
                break
            count += bool(record.body.get("retry"))
        elif intent is not None and "prompt" in intent.body:
            if turn.tier and intent.view["sink"] != turn.tier:  # which it was before a crash kept it from being said
                return 0
            count += not record.view["ok"]
        elif (intent or record).body.get("call", -1) >= 0:
            break
    return count
