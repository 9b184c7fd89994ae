"""What a run was, read off its record: model steps, calls, decisions, tokens. Nothing here asks the engine.

What the model was asked in runs that worked for it (a plan, a reading, a ranking, a second look) is counted with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ringfence.core.chain import Kind, Record
from ringfence.engine.ladder import read
from ringfence.engine.servants import begun_before, begun_during
from ringfence.engine.step import TOOL
from ringfence.stores.log import Log

MODEL = "model:"
_UNFIT = frozenset({"bad-arguments", "bad-ref", "unknown-sink"})  # codes of calls that the tool's schema refuses


@dataclass(slots=True)
class ModelStep:
    """One answer of the model, and what became of it.

    unfit  a call of it did not pass the schema of its tool, or named no tool
    acted  something was done or decided because of it, so that it was read, on whatever rung
    """

    text: str
    tier: str = ""
    model: str = ""  # as its server calls it
    prompt: int = 0
    completion: int = 0
    cached: int = 0
    unfit: bool = False
    acted: bool = False

    @property
    def valid(self) -> bool:
        """Whether it could be read and its calls passed the schema."""
        return not self.unfit and (self.acted or _readable(self.text))


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call: whether it answered, and whether the run made it on its own before the model was asked."""

    tool: str
    ok: bool
    opening: bool


@dataclass(slots=True)
class Measured:
    """One run.

    served   answers of the model to runs that worked for it
    decided  code, rule and verdict of each decision
    faults   kinds of the errors of the model's server, in order
    """

    steps: list[ModelStep] = field(default_factory=list)
    served: list[ModelStep] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)
    decided: list[tuple[str, str, str]] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)

    @property
    def asked(self) -> list[ModelStep]:
        """All that the model answered: its steps, and what served the run."""
        return [*self.steps, *self.served]

    @property
    def tokens(self) -> int:
        """Tokens sent and generated."""
        return sum(one.prompt + one.completion for one in self.asked)


def whole(log: Log, run: str) -> Measured:
    """A run, by its whole id, with the runs that worked for it."""
    ran = measure(log.read(run))
    for servant in _servants(log, run):
        ran.served += measure(log.read(servant)).steps
    return ran


def _servants(log: Log, run: str) -> Iterator[str]:
    """The runs that worked for a run, by their whole ids; what it has begun comes after its own start in the log."""
    yield from begun_before(run)
    begun, before = begun_during(run), None
    while page := log.runs(before=before):
        for one in page:
            if one.run == run:
                return
            if one.run.startswith(begun):
                yield one.run
        before = page[-1].index


def measure(records: Iterable[Record]) -> Measured:
    """The run that these records, in order of `seq`, tell of."""
    found, asked, made = Measured(), dict[int, str](), dict[int, int]()  # tiers and places in calls, by seq of intents
    for record in records:
        if record.kind is Kind.INTENT and str(record.view["sink"]).startswith(MODEL):
            asked[record.seq] = str(record.view["sink"]).removeprefix(MODEL)
        elif record.kind is Kind.INTENT:
            _called(found, record, made)
        elif record.kind is Kind.DECISION:
            _decided(found, record)
        elif record.kind is Kind.OUTCOME:
            _answered(found, record, asked, made)
    return found


def _called(found: Measured, record: Record, made: dict[int, int]) -> None:
    sink, number = str(record.view["sink"]), record.body.get("call", 0)
    if found.steps:
        found.steps[-1].acted = True
    if sink.startswith(TOOL):
        made[record.seq] = len(found.calls)
        found.calls.append(Called(sink.removeprefix(TOOL), False, number < 0))


def _decided(found: Measured, record: Record) -> None:
    code = str(record.view.get("code", ""))
    found.decided.append((code, str(record.view.get("rule", "")), str(record.view.get("verdict", ""))))
    if found.steps and not str(record.view.get("sink", "")).startswith(MODEL):
        found.steps[-1].acted = True
        found.steps[-1].unfit |= code in _UNFIT


def _answered(found: Measured, record: Record, asked: dict[int, str], made: dict[int, int]) -> None:
    of, ok, value = record.view["of"], bool(record.view["ok"]), record.body["value"]
    if of in asked and ok:
        usage = value.get("usage") or {}
        prompt, completion, cached = (int(usage.get(key) or 0) for key in ("prompt", "completion", "cached"))
        found.steps.append(
            ModelStep(value["text"], asked[of], str(value.get("model") or ""), prompt, completion, cached)
        )
    elif of in asked:
        found.faults.append((str(value.get("kind", "")), _words(value)))
    elif of in made:
        before = found.calls[made[of]]
        found.calls[made[of]] = Called(before.tool, ok, before.opening)


def _words(value: Any) -> str:
    return "\n  -> ".join(part for part in (str(value.get("error", "")), str(value.get("todo", ""))) if part)


def _readable(text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def later(steps: Iterable[ModelStep]) -> Iterator[ModelStep]:
    """All steps but the first, whose prompt no server can have seen before."""
    yield from list(steps)[1:]
