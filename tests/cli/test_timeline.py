"""The lines of a run, while another one works for it: their records come one among the other."""

from __future__ import annotations

from typing import Any

from ringfence.cli.timeline import Timeline
from ringfence.core.chain import Kind, Record
from ringfence.core.labels import IDENTITY

USAGE = {"prompt": 10, "completion": 2, "cached": 0}


def record(run: str, seq: int, kind: Kind, view: dict[str, Any], **body: Any) -> Record:
    return Record(run, seq, 0, kind, "user:alice", IDENTITY, view, body)


def started(run: str, task: str, **more: Any) -> Record:
    return record(run, 0, Kind.STARTED, {}, task=task, grant={"sinks": [], "budgets": {}}, **more)


def thought(run: str, of: int, text: str) -> list[Record]:
    view = {"of": of, "ok": True, "ms": 1, "usage": USAGE}
    return [
        record(run, of, Kind.INTENT, {"sink": "model:main"}, prompt="x"),
        record(run, of + 1, Kind.OUTCOME, view, value={"text": text}),
    ]


def test_a_run_goes_on_as_itself_after_another_one_has_read_for_it() -> None:
    asked = record("run1", 3, Kind.INTENT, {"sink": "tool:read_all", "rule": "POL-8"}, args={"handle": "r2"}, call=0)
    done = record("run1", 4, Kind.OUTCOME, {"of": 3, "ok": True, "ms": 9}, value={"read": "all"})
    ended = {"status": "done", "usage": USAGE}
    records = [
        started("run1", "what is it?"),
        *thought("run1", 1, '{"thought": "I read", "calls": [{"tool": "read_all", "args": {"handle": "r2"}}]}'),
        asked,
        started("map-run1", "what is the code?", reads=["run1", "r2"], plans=True),
        *thought("map-run1", 1, '{"found": []}'),
        *thought("map-run1", 3, '{"found": []}'),
        record("map-run1", 5, Kind.FINISHED, ended, status="done"),
        done,
        record("run1", 5, Kind.MESSAGE, {}, role="user", text=""),
        *thought("run1", 6, '{"thought": "I know", "final_answer": {"answer": "42"}}'),
        record("run1", 8, Kind.CHECKPOINT, {"tier": "model:large", "from": "model:small", "why": "empty"}),
        record("run1", 9, Kind.FINISHED, ended, status="done"),
    ]
    timeline = Timeline()
    lines = [line.text for one in records for line in timeline.lines(one)]
    assert lines == [
        "run run1: what is it?",
        "1  I read",
        "run map-run1: what is the code?",
        "reads a part of the text",
        "reads a part of the text",
        "done",
        'read_all(handle="r2")',
        "read: all",
        "2  I know",
        "goes on with large, not small (empty)",
        "done",
    ]
    assert not list(timeline.unanswered())
