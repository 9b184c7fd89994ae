"""Whether a final answer may stand, and what a run ends with. Pure: decided by the record alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Action, Outcome

from .claims import Flag, flags, proved
from .course import INVALID, MISSING, NOTHING, UNSUPPORTED, doubts, has_worked, made, undone
from .deeds import deeds
from .evidence import doubt, inert, restored, says_nothing, unmentioned
from .live import Live
from .step import TOOL


class Verify(StrEnum):
    """How an answer is held against the record: not at all; flagged; or sent back, and then cut to what is proved."""

    OFF = "off"
    WARN = "warn"
    STRICT = "strict"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What speaks against an answer.

    answer  as it may be shown: nothing in it is fetched, clipped values are whole
    why     what it goes back with, in words for the model; empty if it may stand
    kind    of the doubt, for the record
    flags   claims that the record does not prove
    """

    answer: str
    why: str = ""
    kind: str = ""
    flags: tuple[Flag, ...] = ()


def judge(answer: str, turn: Turn, live: Live, verify: Verify) -> Verdict:
    """Hold an answer against everything that was said and shown."""
    shown, task = live.said + texts(turn), turn.start["task"]
    answer = inert(restored(answer, shown))
    if verify is Verify.OFF:
        return Verdict(answer)
    found = tuple(flags(answer, shown=shown, task=task, done=deeds(turn, live.granted), tools=live.granted))
    settled = not live.granted or made(turn, live.granted)  # what was done is no claim about the results
    why = "" if settled else doubt(answer, shown=shown, task=task, chosen=has_worked(turn))
    if why:
        kind = NOTHING if says_nothing(answer) else MISSING if unmentioned(task, shown) else UNSUPPORTED
        return Verdict(answer, why, kind, found)
    if found and verify is Verify.STRICT:
        return Verdict(answer, " ".join(dict.fromkeys(flag.why for flag in found[:3])), UNSUPPORTED, found)
    return Verdict(answer, flags=found)


def checked_before(turn: Turn, action: Action) -> Outcome | None:
    """What a check said of the very same before: what was answered twice is not called twice."""
    args = dict(action.args)
    for record, intent in turn.items:
        if intent is not None and intent.view["sink"] == action.sink and intent.body.get("args") == args:
            return Outcome(record.body["value"], record.label, ok=record.view["ok"])
    return None


def may_go_back(turn: Turn) -> bool:
    """An answer goes back once."""
    return not doubts(turn)


def ended(
    turn: Turn, live: Live, final: Mapping[str, Any], verdict: Verdict, *, verify: Verify, last: bool
) -> tuple[str, dict[str, JSON]]:
    """The status of a run that ends with this answer, and the body of its last record."""
    shown, named = live.said + texts(turn), final.get("artifacts")
    artifacts = [a for a in named if isinstance(a, str) and a and a in shown] if isinstance(named, list) else []
    tools = sorted({name.removeprefix(TOOL) for name in turn.calls if name.startswith(TOOL)})
    unproved = bool(verdict.why or verdict.flags)
    end: dict[str, JSON] = {
        "answer": verdict.answer,
        "artifacts": artifacts,
        "confidence": "low" if unproved else str(final.get("confidence", "")),
        "summary": f"answered in {turn.usage['steps']} steps with {', '.join(tools) or 'no tool'}",
    }
    if verdict.flags:
        end["flags"] = [{"kind": flag.kind, "text": flag.text, "why": flag.why} for flag in verdict.flags]
    status = "partial" if last and len(turn.items) > 2 else "done"
    if verdict.flags and verify is Verify.STRICT:
        end["answer"], status = proved(verdict.answer, verdict.flags, deeds(turn, live.granted)), "partial"
    if verify is Verify.STRICT and verdict.why and verdict.kind != NOTHING:
        status = "partial"
    if verdict.kind == INVALID:  # the operator's check has the last word
        status, end["summary"] = "partial", f"the answer did not pass a check: {verdict.why}"
    if undone(turn, live.granted):  # whatever the answer says of it
        status, end["confidence"] = "partial", "low"
        end["summary"] = f"nothing was changed or sent; {end['summary']}"
    return status, end


def texts(turn: Turn) -> str:
    """The task and what the tools said: what the model's claims are held against."""
    results = (str(r.body["value"]) for r, intent in turn.items if intent is not None and "prompt" not in intent.body)
    return "\n".join((turn.start["task"], *results))
