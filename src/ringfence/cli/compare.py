"""`ringfence runs diff`: two runs side by side, step by step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path

from ..core.chain import Kind, Record
from ..core.values import JSON, canonical
from ..engine.ladder import read
from ..engine.step import TOOL
from .exits import Exit
from .runs import open_log
from .text import one_line
from .timeline import call, short

_MADE = ("answered", "failed")


@dataclass(slots=True)
class Call:
    """A call of a step; `end` says what became of it: "answered", "failed", or the refusal."""

    sink: str
    args: JSON
    end: str = "no outcome"
    value: JSON = None


@dataclass(slots=True)
class Step:
    """An answer of the model and the calls it led to; the first one of a run is what came before any.

    Thoughts are left out: they have no consequence of their own.
    """

    number: int
    answer: str = ""
    calls: list[Call] = field(default_factory=list)

    @property
    def asks(self) -> bytes:
        """What the model wanted, whatever came of it."""
        return canonical([self.answer, [[made.sink, made.args] for made in self.calls]])


@dataclass(frozen=True, slots=True)
class Difference:
    """`what` is otherwise: "run", "call", "end" (what became of a call), "result" or "answer"; None where one has none.

    a_step, b_step  its step in each run; 0 before the first
    """

    what: str
    a_step: int | None
    b_step: int | None
    a: JSON
    b: JSON


def steps_of(records: Sequence[Record]) -> list[Step]:
    """A run as its steps."""
    steps, begun = [Step(0)], dict[int, Call]()
    for record in records:
        view, body = record.view, record.body
        match record.kind:
            case Kind.INTENT if view["sink"].startswith(TOOL):
                begun[record.seq] = _take(steps[-1], record)
            case Kind.DECISION if view["sink"].startswith(TOOL):
                _take(steps[-1], record).end = f"{view['verdict']} {view['rule']} {view['code']}"
            case Kind.OUTCOME if view["of"] in begun:
                made = begun.pop(view["of"])
                made.end, made.value = _MADE[not view["ok"]], body["value"]
            case Kind.OUTCOME if "usage" in view:
                steps.append(Step(len(steps), _answer(body["value"]["text"])))
    return steps


def _take(step: Step, record: Record) -> Call:
    """The call that a record is about: asked about, approved or begun again after a crash, it is still the same one."""
    key = (record.view["sink"], record.body["args"])
    for known in step.calls:
        if (known.sink, known.args) == key and known.end not in _MADE:
            return known
    step.calls.append(Call(*key))
    return step.calls[-1]


def _answer(text: str) -> str:
    """The final answer of a step, nothing for one that calls, its text for one that cannot be read."""
    try:
        step = read(text)
    except ValueError:
        return text
    return str(step.final["answer"]) if step.final else ""


def differences(a: Sequence[Record], b: Sequence[Record]) -> Iterator[Difference]:
    """Everything that differs between two runs: what they are, then each pair of steps in order."""
    for name, first, second in zip(("task", "policy", "status"), _about(a), _about(b), strict=True):
        if first != second:
            yield Difference("run", None, None, {name: first}, {name: second})
    steps, others = steps_of(a), steps_of(b)
    alike = SequenceMatcher(None, [s.asks for s in steps], [s.asks for s in others], autojunk=False)
    for _, start, stop, from_, to in alike.get_opcodes():
        for one, other in zip_longest(steps[start:stop], others[from_:to]):
            yield from _in_step(one, other)


def _about(records: Sequence[Record]) -> tuple[JSON, JSON, JSON]:
    first, last = records[0], records[-1]
    return first.body["task"], first.view.get("policy", ""), last.view.get("status", "open")


def _in_step(one: Step | None, other: Step | None) -> Iterator[Difference]:
    at = (one.number if one else None, other.number if other else None)
    for made, instead in zip_longest(one.calls if one else (), other.calls if other else ()):
        if made is None or instead is None or (made.sink, made.args) != (instead.sink, instead.args):
            yield Difference("call", *at, _whole(made), _whole(instead))
            continue
        named = call(made.sink, made.args)
        if made.end != instead.end:
            yield Difference("end", *at, f"{named}: {made.end}", f"{named}: {instead.end}")
        elif made.value != instead.value:
            yield Difference("result", *at, *({"call": named, "value": each.value} for each in (made, instead)))
    said, instead_said = one and one.answer, other and other.answer
    if (said or "") != (instead_said or ""):
        yield Difference("answer", *at, said or None, instead_said or None)


def _whole(made: Call | None) -> JSON:
    return made and {"call": call(made.sink, made.args), "end": made.end}


def execute(manifest: Path, run: str, other: str, *, as_json: bool) -> Exit:
    """Show what differs between two runs; 1 if anything does."""
    with open_log(manifest) as log:
        a, b = (log.read(log.find(name)) for name in (run, other))
    found = list(differences(a, b))
    if as_json:
        print(json.dumps({"a": a[0].run, "b": b[0].run, "differences": [asdict(each) for each in found]}))
        return Exit.UNANSWERED if found else Exit.DONE
    for name, records in (("A", a), ("B", b)):
        task, _, status = _about(records)
        print(f"{name}  {records[0].run}  {one_line(str(status))}  {one_line(str(task), limit=80)}")
    _show(found)
    return Exit.UNANSWERED if found else Exit.DONE


def _show(found: Sequence[Difference]) -> None:
    parted = [each for each in found if each.what != "run"]
    if not found:
        print("no difference")
    elif not parted:
        print("every step is the same")
    else:
        print(f"they part at {_place(parted[0])}")
    place = ""
    for each in found:
        if each.what != "run" and place != (place := _place(each)):
            print(place)
        print(f"  {_TITLES[each.what]}")
        for name, side in (("A", each.a), ("B", each.b)):
            print(f"    {name}  {_line(each.what, side)}")


_TITLES = {
    "run": "the runs", "call": "another call", "end": "the same call, and another end", "answer": "another answer",
    "result": "the same call, and another result",
}  # fmt: skip


def _place(each: Difference) -> str:
    """`step 2`, or `step 2 of A, 3 of B` where they are not the same."""
    if each.a_step == each.b_step:
        return f"step {each.a_step}" if each.a_step else "what came before the first step"
    sides = ((each.a_step, "A"), (each.b_step, "B"))
    return "step " + ", ".join(f"{number} of {name}" for number, name in sides if number is not None)


def _line(what: str, side: JSON) -> str:
    """One side of a difference, safe to print."""
    if side is None:
        return "(nothing)"
    if what == "run":
        return one_line(" ".join(f"{name}: {value}" for name, value in side.items()))
    if what == "call":
        return f"{side['call']}: {side['end']}"
    if what == "result":
        return f"{side['call']}: {short(side['value'])}"
    return one_line(str(side), limit=300)
