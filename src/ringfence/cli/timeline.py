"""A run's records as lines for people: one projection, shown live and drawn as a tree."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from ..core.chain import Kind, Record
from ..core.values import JSON
from ..engine.context import render
from ..engine.ladder import read
from ..engine.step import TOOL
from .text import duration, one_line, plain

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

Tone = Literal["", "bold", "dim", "red", "yellow", "green"]  # styles of rich


@dataclass(frozen=True, slots=True)
class Line:
    """One line, safe to print. `depth`: 0 the run and its steps, 1 calls, 2 results. `aside`: rule, time and tokens."""

    depth: int
    text: str
    aside: str = ""
    tone: Tone = ""


@dataclass
class _Run:
    """What is known of one run. `serves`: what it is for, where that is another run: a plan, or a text to read."""

    task: str = ""
    serves: str = ""
    steps: int = 0
    open: dict[int, Record] = field(default_factory=dict)


class Timeline:
    """Folds records into lines, also those of a run and of one that works for it as they come, one among the other.

    `full` shows whole results, and the rule behind each call.
    """

    def __init__(self, *, full: bool = False, rules: bool = False) -> None:
        self._full = full
        self._rules = rules
        self._runs: dict[str, _Run] = {}

    def lines(self, record: Record) -> Iterator[Line]:
        """What a record adds to the picture."""
        run = self._runs.setdefault(record.run, _Run())
        match record.kind:
            case Kind.STARTED:
                run.task, run.serves = str(record.body["task"]), _serves(record)
                yield Line(0, f"run {record.run}: {one_line(run.task)}", tone="dim" if run.serves else "bold")
                if origin := record.view.get("forked"):
                    yield Line(1, f"begins with records 0 to {origin['seq']} of run {origin['run']}", tone="dim")
                if record.body.get("sandbox") == "unsafe-none":
                    yield Line(1, "UNSAFE: nothing confined the tools of this run", tone="red")
                if may := _effects(record.body["grant"], record.view.get("effects", ())):
                    yield Line(1, f"may also call {may}", tone="dim")
            case Kind.MESSAGE if record.body["text"] not in ("", run.task):
                yield Line(1, f"told the model: {one_line(record.body['text'])}", tone="yellow")
            case Kind.INTENT:
                run.open[record.seq] = record
            case Kind.DECISION:
                yield from self._refused(record)
            case Kind.APPROVAL:
                trusted = ", ".join(one_line(str(value)) for _, value in record.body.get("endorsed", ()))
                also = f", who trusts {trusted} for this run" if trusted else ""
                yield Line(1, f"approved by {one_line(str(record.body['by']))}{also}", tone="green")
            case Kind.CHECKPOINT if "egress" in record.view:
                tried = record.view["egress"]
                where = f"{tried['method']} {tried['host']}:{tried['port']}{tried['path']}"
                tone: Tone = "dim" if tried["state"] in ("open", "done") else "yellow"
                words = ", ".join(filter(None, (tried["state"], one_line(str(tried["why"])))))
                yield Line(
                    2, f"egress {one_line(where)}: {words}", f"{tried['sent']} + {tried['received']} bytes", tone
                )
            case Kind.CHECKPOINT if "uncertain" in record.view:
                calls = (call_of(run.open[seq]) for seq in record.view["uncertain"])
                yield from (Line(2, f"nobody knows whether it was done: {call}", tone="red") for call in calls)
            case Kind.CHECKPOINT if "tier" in record.view:
                here, there = (str(record.view[key]).removeprefix("model:") for key in ("from", "tier"))
                yield Line(1, f"goes on with {there}, not {here} ({record.view['why']})", tone="yellow")
            case Kind.CHECKPOINT if "was" in record.view:
                new, old = (one_line(str(record.view[key])) for key in ("policy", "was"))
                yield Line(1, f"goes on under policy {new}, not {old}: the manifest was read anew", tone="yellow")
            case Kind.OUTCOME:
                yield from self._outcome(run, run.open.pop(record.view["of"]), record)
            case Kind.FINISHED:
                if not run.open:
                    del self._runs[record.run]
                yield from self._finished(record)

    def unanswered(self) -> Iterator[Line]:
        """What was begun and has no outcome: under way, or cut off."""
        for intent in [intent for run in self._runs.values() for intent in run.open.values()]:
            text = call_of(intent) if "args" in intent.body else f"{intent.view['sink']} was asked"
            yield Line(1, text, "no outcome recorded", "yellow")

    def _outcome(self, run: _Run, intent: Record, outcome: Record) -> Iterator[Line]:
        view, value = outcome.view, outcome.body["value"]
        took = duration(view["ms"])
        if "prompt" in intent.body:
            yield self._thought(run, value, took, view)
            return
        rule = [f"allowed by {intent.view['rule']}"] if self._rules else []
        if intent.view["sink"].startswith(TOOL):
            yield Line(1, call_of(intent), ", ".join([*rule, took]))
        if "settled" in view:
            word = "done" if view["ok"] else "not done"
            yield Line(2, f"{word}, as {one_line(str(view['settled']))} says", tone="green" if view["ok"] else "yellow")
        elif "reconciled" in view:
            yield Line(2, f"{'done' if view['ok'] else 'not done'}, as record {view['reconciled']} says", tone="dim")
        if not view["ok"]:
            yield Line(2, "failed: " + one_line(str(value["error"])), tone="red")
        elif intent.view["sink"].startswith(TOOL):
            yield Line(2, plain(render(value)) if self._full else short(value), tone="dim")
            if signals := view.get("signals"):
                yield Line(2, f"looks like an injection ({', '.join(signals)}); it is data all the same", tone="yellow")

    def _thought(self, run: _Run, value: JSON, took: str, view: JSON) -> Line:
        if not view["ok"]:
            return Line(0, "the model failed: " + one_line(str(value["error"])), took, "red")
        run.steps += 1
        usage = view["usage"]
        if run.serves:
            return Line(0, run.serves, took, "dim")
        aside = f"{took}, {usage.get('prompt', 0)} + {usage.get('completion', 0)} tokens"
        try:
            step = read(value["text"])
        except ValueError as problem:
            return Line(0, f"{run.steps}  {one_line(str(problem))}", aside, "yellow")
        thought = plain(step.thought) if self._full else one_line(step.thought)
        return Line(0, f"{run.steps}  {thought or ('answers' if step.final else 'acts')}", aside)

    def _refused(self, record: Record) -> Iterator[Line]:
        view = record.view
        yield Line(1, call_of(record) if "args" in record.body else str(view["sink"]))
        verb = "a person has to say yes" if view["verdict"] == "ask" else "refused"
        yield Line(2, f"{verb} ({view['rule']} {view['code']}): {one_line(record.body['why'])}", tone="yellow")

    def _finished(self, record: Record) -> Iterator[Line]:
        body, usage = record.body, record.view["usage"]
        why = one_line(str(body.get("summary") or body.get("reason") or ("needs" in body and body["answer"]) or ""))
        tokens = f"{usage.get('prompt', 0)} + {usage.get('completion', 0)} tokens"
        tone: Tone = "green" if body["status"] == "done" else "yellow"
        yield Line(0, f"{body['status']}: {why}" if why else str(body["status"]), tokens, tone)


def _serves(started: Record) -> str:
    """What a run does for another one, in words; empty if it has a task of its own."""
    if "reads" in started.body:
        return "reads a part of the text"
    if "ranks" in started.body:
        return "puts passages in order"
    if "checks" in started.body:
        return "looks again whether a passage states the answer"
    return "plans what the task may do, from its words alone" if started.body.get("plans") else ""


def _effects(grant: JSON, effects: Iterable[str]) -> str:
    """What a task may do beyond reading, with how often."""
    named = ((name, grant["budgets"].get(name)) for name in sorted(effects) if name in grant["sinks"])
    return ", ".join(f"{name.removeprefix(TOOL)}{'' if calls is None else f' x{calls}'}" for name, calls in named)


def call_of(record: Record) -> str:
    """`files.read(path="a.log")`, safe to print."""
    return call(record.view["sink"], record.body["args"])


def call(sink: str, args: JSON) -> str:
    """The same, from the sink and the arguments."""
    shown = ", ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in args.items())
    return one_line(f"{sink.removeprefix(TOOL)}({shown})", limit=400)


def short(value: JSON) -> str:
    """A result on one line, with how long it is."""
    shown = render(value)
    lines = shown.count("\n") + 1
    return (one_line(shown, limit=120) or "(nothing)") + (f"  ({lines} lines)" if lines > 1 else "")


def tree(records: Iterable[Record], *, full: bool = False, seqs: bool = False) -> Tree:
    """A run as a tree: the run, its steps, their calls, the results; with `seqs` the record behind each line."""
    from rich.tree import Tree

    timeline = Timeline(full=full, rules=True)
    lines = [_numbered(line, record.seq, seqs) for record in records for line in timeline.lines(record)]
    lines += timeline.unanswered()
    root = Tree(text(lines[0]))
    above = [(-1, root)]
    for line in lines[1:]:
        while above[-1][0] >= line.depth:
            above.pop()
        above.append((line.depth, above[-1][1].add(text(line))))
    return root


def _numbered(line: Line, seq: int, seqs: bool) -> Line:
    return replace(line, aside=", ".join(filter(None, (line.aside, f"record {seq}")))) if seqs else line


def text(line: Line) -> Text:
    """A line in its colour, what stands aside dimmed. Never markup: the words may be a file's."""
    from rich.text import Text

    return Text.assemble((plain(line.text), line.tone), (f"  {plain(line.aside)}" if line.aside else "", "dim"))
