"""What runs ask people: looked at, answered, and given up in time. For any number of processes on one journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.core.turn import State, Turn
from ringfence.engine import consent
from ringfence.engine.consent import Question

from .ids import now_ms
from .traces import at_work

if TYPE_CHECKING:
    from .agent import Agent


def question(agent: Agent, turn: Turn) -> Question:
    """What a run waits for, and until when; raises JournalError if it waits for nobody."""
    return consent.question(agent._policed(), turn, waits_s=agent.manifest.approvals.waits_s)


async def answer(
    agent: Agent, run_id: str, yes: bool, *, digest: str = "", endorse: tuple[str, ...] = (), why: str = ""
) -> Turn:
    """As `Agent.answer`; the run as it stands then. Every channel's answer comes through here."""
    run, config = agent.journal.log.find(run_id), agent.manifest.approvals
    with agent._answering(run):
        gate, turn = agent._policed(), await agent.folded(run)
        now, by, waits_s = now_ms(), agent.principal, config.waits_s
        with at_work(turn):
            if yes:
                expires = now + config.valid_s * 1000
                consent.approve(
                    gate, turn, by=by, expires=expires, digest=digest, endorse=endorse, now=now, waits_s=waits_s
                )
            else:
                consent.deny(gate, turn, by=by, why=why, digest=digest, now=now, waits_s=waits_s)
        await gate.flush()
    return turn


async def renew(agent: Agent, run: str) -> Turn:
    """A run, whose question was given up if nobody answered it in time, and asked anew if the policy has changed."""
    turn = await agent.folded(run)
    if not _old(agent, turn):
        return turn
    with agent._answering(run):
        gate, turn = agent._policed(), await agent.folded(run)
        if _old(agent, turn):
            with at_work(turn):
                now = now_ms()
                if not consent.expire(gate, turn, now=now, waits_s=agent.manifest.approvals.waits_s):
                    consent.renew(gate, turn, now=now)
            await gate.flush()
    return turn


def _old(agent: Agent, turn: Turn) -> bool:
    """Whether it waits for an answer that cannot count any more."""
    if turn.state is not State.WAITING:
        return False
    asked = question(agent, turn)
    return asked.stale or asked.overdue(now_ms())
