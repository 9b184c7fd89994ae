"""A record as whoever follows a run is shown it: one schema for the page, the API and the channels.

Every event has `run`, `seq`, `time` (milliseconds since 1970), `kind` and `label`; what else depends on the kind:

| kind | beside these |
|---|---|
| run.started | task, agent, conversation, effects, policy, meta, forked |
| message | text |
| intent | tool and args, or tier; rule |
| decision | tool, args, verdict, rule, code, why; digest of what asks |
| approval | by, endorsed |
| outcome | of (the intent's seq), ok, ms; tool and value, or thought and usage; error; signals |
| checkpoint | steps, or egress, uncertain, tier, policy and was |
| run.finished | status, answer, summary, confidence, artifacts, sources, flags, usage, rungs |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ringfence.core.chain import Kind, Record
from ringfence.core.labels import Label, Member
from ringfence.core.values import JSON
from ringfence.engine.context import render
from ringfence.engine.ladder import read
from ringfence.engine.result import Result
from ringfence.engine.step import TOOL

MAX_CHARS = 4_000  # of one result or argument in an event; `runs/{id}/records/{seq}` has all of it
HIDDEN = "(not yours to read)"
_MODEL = "model:"


def shown(record: Record, member: Member) -> dict[str, JSON]:
    """An event for somebody who shows `member`; what they may not read of it is left out, and said to be."""
    event: dict[str, JSON] = {
        "run": record.run,
        "seq": record.seq,
        "time": record.time,
        "kind": str(record.kind),
        "label": record.label.to_json(),
    }
    if not record.label.readable_by(member):
        return event | {"hidden": True} | {k: record.view[k] for k in ("sink", "rule", "code", "of", "ok", "ms")
                                           if k in record.view}  # fmt: skip
    return event | dict(_ABOUT[record.kind](record.view, record.body))


def told(result: Result, labels: Mapping[int, Label], last: Label, member: Member) -> tuple[Result, bool]:
    """What a run has come to, for somebody who shows `member`, and whether its answer is hidden from them.

    labels  of the records that its steps name, by seq; what has none there is hidden
    last    of its newest record
    """
    steps = tuple(
        one if one.seq in labels and labels[one.seq].readable_by(member) else replace(one, args={"hidden": HIDDEN})
        for one in result.steps
    )
    result = replace(result, steps=steps)
    if last.readable_by(member):
        return result, False
    return replace(result, answer="", summary=HIDDEN, artifacts=(), flags=(), sources=()), True


def whole(record: Record, member: Member) -> dict[str, JSON]:
    """An event with its arguments and its value as they are, however long."""
    event = shown(record, member)
    return event | {key: record.body.get(key, event[key]) for key in ("args", "value") if key in event}


def place(record: Record) -> str:
    """What a follower who comes back names as the last event that they have: `SEQ-TIME`.

    The time tells a record that a crash took from the one that was made again in its place.
    """
    return f"{record.seq}-{record.time}"


def _started(view: Mapping[str, JSON], body: Mapping[str, JSON]) -> Iterator[tuple[str, JSON]]:
    yield "task", body.get("task", "")
    yield "agent", body.get("agent", "")
    yield "effects", [name.removeprefix(TOOL) for name in view.get("effects", ())]
    yield "policy", view.get("policy", "")
    for key in ("conversation", "meta", "before"):
        if key in body:
            yield key, body[key]
    if "forked" in view:
        yield "forked", view["forked"]


def _message(view: Mapping[str, JSON], body: Mapping[str, JSON]) -> Iterator[tuple[str, JSON]]:
    yield "text", body["text"]


def _intent(view: Mapping[str, JSON], body: Mapping[str, JSON]) -> Iterator[tuple[str, JSON]]:
    yield "rule", view.get("rule", "")
    yield from _sink(view, body)
    if "prompt" in body:
        yield "bytes", view.get("bytes", 0)
        yield "left_out", view.get("left_out", 0)


def _decision(view: Mapping[str, JSON], body: Mapping[str, JSON]) -> Iterator[tuple[str, JSON]]:
    yield from ((key, view.get(key, "")) for key in ("verdict", "rule", "code"))
    yield from _sink(view, body)
    yield "why", body.get("why", "")
    if "digest" in body:
        yield "digest", body["digest"]
    if "by" in view:
        yield "by", view["by"]


def _approval(view: Mapping[str, JSON], body: Mapping[str, JSON]) -> Iterator[tuple[str, JSON]]:
    yield "by", body["by"]
    yield "endorsed", [value for _, value in body.get("endorsed", ())]


def _outcome(view: Mapping[str, JSON], body: Mapping[str, JSON]) -> Iterator[tuple[str, JSON]]:
    value: Any = body.get("value")
    yield from ((key, view[key]) for key in ("of", "ok", "ms", "usage", "signals", "settled") if key in view)
    if not view.get("ok") and isinstance(value, Mapping) and "error" in value:
        yield "error", str(value["error"])
    elif isinstance(value, Mapping) and "usage" in view:  # of a model: what it answers is shown when it was judged
        yield "model", str(value.get("model", ""))
        with suppress(ValueError):
            step = read(str(value.get("text", "")))
            yield "thought", step.thought
            yield (
                "calls",
                [{"tool": call.sink.removeprefix(TOOL), "args": _cut(dict(call.args))} for call in step.calls],
            )
    else:
        yield "value", _cut(value)


def _checkpoint(view: Mapping[str, JSON], body: Mapping[str, JSON]) -> Iterator[tuple[str, JSON]]:
    known = ("steps", "egress", "uncertain", "tier", "from", "why", "policy", "was")
    yield from ((key, view[key]) for key in known if key in view)


def _finished(view: Mapping[str, JSON], body: Mapping[str, JSON]) -> Iterator[tuple[str, JSON]]:
    yield "status", body.get("status", view.get("status", ""))
    for key in ("answer", "summary", "reason", "confidence", "artifacts", "sources", "flags", "rungs"):
        if key in body:
            yield key, body[key]
    yield "usage", view.get("usage", {})


def _sink(view: Mapping[str, JSON], body: Mapping[str, JSON]) -> Iterator[tuple[str, JSON]]:
    sink = str(view.get("sink", ""))
    if sink.startswith(_MODEL):
        yield "tier", sink.removeprefix(_MODEL)
        return
    yield "tool", sink.removeprefix(TOOL)
    yield "args", _cut(body.get("args", {}))


def _cut(value: JSON) -> JSON:
    """A value, or the beginning of it as text where it is long: `{"cut": ..., "chars": ...}`."""
    text = render(value)
    return value if len(text) <= MAX_CHARS else {"cut": text[:MAX_CHARS], "chars": len(text)}


_ABOUT = {
    Kind.STARTED: _started,
    Kind.MESSAGE: _message,
    Kind.INTENT: _intent,
    Kind.DECISION: _decision,
    Kind.APPROVAL: _approval,
    Kind.OUTCOME: _outcome,
    Kind.CHECKPOINT: _checkpoint,
    Kind.FINISHED: _finished,
}
