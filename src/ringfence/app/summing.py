"""What a run of a conversation is shown of it: the newest messages, and a summary of those before them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ringfence.core.chain import Record
from ringfence.core.errors import RingfenceError
from ringfence.core.gate import Gate
from ringfence.core.turn import Turn
from ringfence.core.values import Principal
from ringfence.engine import summary
from ringfence.engine.context import Said
from ringfence.engine.loop import Engine
from ringfence.stores.log import Log
from ringfence.stores.vault import Sealed
from ringfence.tracing import Trace

from . import past

if TYPE_CHECKING:
    from .agent import Agent

Pair = tuple[Record, Record]


def due(agent: Agent, conversation: str) -> bool:
    """Whether the next run of a conversation may have to be shown a summary that is not made yet."""
    history = agent.manifest.workflow.history
    full = -(-history // 2) // 2  # answered runs in the window, from which on older ones are looked at
    if not (agent.manifest.memory.summary and conversation and history):
        return False
    return len(past.before(agent.journal.log, conversation, history)) >= full


async def before(
    agent: Agent,
    gate: Gate,
    engine: Engine,
    *,
    conversation: str,
    run: str,
    trace: Trace,
    earlier: Sequence[str | past.Quoted] | None = None,
) -> past.Runs:
    """The runs that the next one is shown, oldest first; the first of them sums up all that came before it.

    A summary is made when the window is full, of its older half and of the summary before: it serves until that much
    has been said again. Where none can be made the window alone is shown, and the agent says so. `earlier` takes the
    place of all of it, where it is given.
    """
    log, history = agent.journal.log, agent.manifest.workflow.history
    if earlier is not None:
        return past.named(log, earlier[max(0, len(earlier) - history) :])
    window = past.before(log, conversation, history)
    limit = -(-history // 2)
    if not (agent.manifest.memory.summary and conversation and limit and len(window) >= limit // 2):
        return window
    pairs = [(started, ended) for started, ended in log.window(conversation, 2 * limit + 1) if ended is not None]
    answered = [(started, ended) for started, ended in pairs if ended.body["answer"]]
    known = _newest(log, answered, agent.principal)
    since = _since(answered, known)
    if len(since) <= limit:
        return [*([known] if known else []), *since]
    older, newer = since[: -max(1, limit // 2)], since[-max(1, limit // 2) :]
    readable = [pair for pair in older if all(r.label.readable_by(agent.principal.member) for r in pair)]
    if not readable:
        return [*([known] if known else []), *newer]
    sums = [*(known[0].body[summary.SUMS] if known else ()), *(started.run for started, _ in older)]
    try:
        made = await summary.sum_up(
            gate, engine.tier(Turn()), past.said(readable, 2 * len(readable)), run=run, principal=agent.principal,
            sums=sums[-4 * limit :], notes=_notes(known), trace=trace,
            about=_about([*readable, *([known] if known else [])]),
        )  # fmt: skip
    except RingfenceError as fault:
        return _alone(agent, window, fault.what)
    if made[1].body["status"] != "done":
        return _alone(agent, window, str(made[1].body.get("why", "")))
    return [made, *newer]


def _newest(log: Log, pairs: Sequence[Pair], who: Principal) -> Pair | None:
    """The newest summary of a conversation that was made for this principal, who may read what went into it."""
    seen: set[str] = set()
    for started, _ in reversed(pairs):
        first = str(next(iter(started.body.get("before", ())), ""))
        if not first.startswith(summary.PREFIX) or first in seen:
            continue
        seen.add(first)
        try:
            records = log.read(first)
        except Sealed as error:
            if not error.destroyed:
                raise
            continue
        made = bool(records) and records[-1].body.get("status") == "done" and records[0].principal == who.subject
        if made and records[-1].label.readable_by(who.member):
            return records[0], records[-1]
    return None


def _since(pairs: Sequence[Pair], known: Pair | None) -> list[Pair]:
    """The runs that a summary does not cover."""
    covered = set(known[0].body[summary.SUMS]) if known else set()
    return [(started, ended) for started, ended in pairs if started.run not in covered]


def _notes(known: Pair | None) -> Said | None:
    return Said("assistant", str(known[1].body["answer"]), known[1].label) if known else None


def _about(pairs: Iterable[Pair]) -> list[str]:
    """Whom all of it is about, so that to erase one of them reaches what was summed up."""
    found: set[str] = set()
    for started, ended in pairs:
        named = {*started.view.get("subjects", ()), *ended.view.get("subjects", ())}
        found |= named or {started.principal}
    return sorted(found)


def _alone(agent: Agent, window: past.Runs, why: str) -> past.Runs:
    text = f"what was said before the last {agent.manifest.workflow.history} messages is left out: {why}"
    if text not in agent.house.notes:
        agent.house.notes.append(text)
    return window
