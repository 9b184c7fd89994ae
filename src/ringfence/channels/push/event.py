"""What a webhook is told of a run: that it ended or asks, and what it said only where everybody there may read it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import RingfenceError
from ringfence.core.labels import ANYONE, Audience, Label, seen_by
from ringfence.core.values import JSON
from ringfence.engine.step import TOOL
from ringfence.manifest.server import Webhook
from ringfence.stores.log import Log

FINISHED, ASKED = "run.finished", "approval.needed"
MAX_CHARS = 64_000  # of an answer or a question
CONTENT = ("answer", "question")


@dataclass(frozen=True, slots=True)
class Event:
    """`args` are those of the action; `content` what of them only the readers of `label` may get, empty for nothing.

    owner, subjects  whose run it is, and whom it is about: what is kept of this goes with what is kept of them
    trace            of the run, as it keeps it
    """

    args: Mapping[str, JSON]
    content: Mapping[str, JSON]
    label: Label
    owner: str
    subjects: tuple[str, ...]
    trace: Mapping[str, str]
    task: str


def ident(log: str, run: str, seq: int, hook: str) -> str:
    """The id of an event for a webhook: the same whoever makes it, and however often."""
    return "msg_" + hashlib.sha256(f"{log}/{run}/{seq}/{hook}".encode()).hexdigest()[:32]


def audience_of(hook: Webhook) -> Audience:
    """Who reads what a webhook gets: those who are named, or else anybody, so that it takes public content alone."""
    return seen_by(hook.audience) if hook.audience else ANYONE


def event(log: Log, run: str, seq: int, kind: str, name: str) -> Event | None:
    """An event from the journal; None where there is nothing to tell: it works for another one, or is gone.

    `name` is its id. What was erased is told without its content.
    """
    try:
        records = log.read(run)
        first, last = records[0], records[seq]
        whole = True
    except RingfenceError:  # the keys are gone, or not here
        records = log.views(run)
        if len(records) <= seq:
            return None
        first, last, whole = records[0], records[seq], False
    except IndexError:
        return None
    if first.body.get("plans") or first.body.get("destroys") or "privacy" in first.view:
        return None
    data: dict[str, JSON] = {
        "run": run, "agent": str(first.body.get("agent", "")), "started": _iso(first.time),
        "status": "waiting" if kind == ASKED else str(last.view.get("status", "done")),
    }  # fmt: skip
    data["asked" if kind == ASKED else "ended"] = _iso(last.time)
    args: dict[str, JSON] = {"id": name, "type": kind, "timestamp": _iso(last.time), "data": data}
    content = (_question(last) if kind == ASKED else _answer(last)) if whole else {}
    subjects = tuple(sorted({first.principal, *first.view.get("subjects", ())}))
    kept: Any = first.body.get("trace", {})
    return Event(args, content, last.label, first.principal, subjects, kept, str(first.body.get("task", "")))


def payload(args: Mapping[str, JSON]) -> bytes:
    """What is sent: type, timestamp and data, with the content or the word that it is withheld."""
    data = dict(args["data"])
    there = [name for name in CONTENT if name in args]
    for name in there:
        data[name] = args[name]
    data["withheld"] = not there
    body = {"type": args["type"], "timestamp": args["timestamp"], "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _answer(last: Record) -> dict[str, JSON]:
    answer = last.body.get("answer")
    return {"answer": answer[:MAX_CHARS]} if last.kind is Kind.FINISHED and isinstance(answer, str) else {}


def _question(asked: Record) -> dict[str, JSON]:
    if asked.kind is not Kind.DECISION:
        return {}
    question: dict[str, JSON] = {
        "tool": str(asked.view.get("sink", "")).removeprefix(TOOL), "args": asked.body.get("args", {}),
        "why": str(asked.body.get("why", "")), "digest": str(asked.body.get("digest", "")),
    }  # fmt: skip
    return {"question": question} if len(json.dumps(question)) <= MAX_CHARS else {}


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
