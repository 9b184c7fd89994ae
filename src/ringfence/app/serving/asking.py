"""What runs ask people: shown to whoever may answer, and answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from ringfence.core.turn import State, Turn
from ringfence.core.values import JSON, Principal
from ringfence.engine import consent
from ringfence.engine.consent import Question
from ringfence.engine.step import TOOL

from ..asked import question
from .reading import Reading
from .service import NotFound, Service
from .shown import HIDDEN

_PREVIEW_S = 5.0  # for all that are shown at once
_AT_ONCE = 4  # previews that are made for one who looks


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, what its call would change, and whether whoever looks at it may answer."""

    question: Question
    preview: str
    owner: str
    approvers: tuple[str, ...]
    may_answer: bool
    valid_s: int


class Asking:
    """The questions of a service's runs, for whoever asks."""

    def __init__(self, service: Service, reading: Reading) -> None:
        self._service = service
        self._reading = reading

    async def waiting(self, who: Principal, *, previews: bool = True) -> list[Asked]:
        """What somebody's own runs ask, and what they may answer of others'; the oldest first."""
        turns = await self._reading(lambda log: self._waiting(who, log))
        seen = [turn for turn in turns if self._sees(who, turn)]
        slots = asyncio.Semaphore(_AT_ONCE) if previews else None
        found = await asyncio.gather(*(self._asked(who, turn, slots) for turn in seen))
        return sorted(found, key=lambda one: one.question.asked)

    async def one(self, who: Principal, run: str) -> Asked:
        """What one run asks; raises NotFound if it asks nothing that they may see."""
        return await self._asked(who, await self._turn(who, run), asyncio.Semaphore(1))

    async def answer(
        self, who: Principal, run: str, yes: bool, *, digest: str, endorse: tuple[str, ...] = (), why: str = ""
    ) -> None:
        """Say yes or no to what a run asks, bound to what was shown; then it goes on in its principal's name.

        Raises NotFound; JournalError for an answer that cannot count.
        """
        consent.entitled(self._service.agent._policed(), await self._turn(who, run), who)
        await self._service.answer(who, run, yes, digest=digest, endorse=endorse, why=why)

    async def _turn(self, who: Principal, run: str) -> Turn:
        def work(log: Any) -> Turn | None:
            summary = log.summary(run)
            return self._service.agent.turn(run, log) if summary and summary.state == "waiting" else None

        turn = await self._reading(work)
        if turn is None or turn.state is not State.WAITING or not self._sees(who, turn):
            raise NotFound("the run asks nothing that you may see", todo="`GET /v1/approvals` lists what waits")
        return turn

    def _waiting(self, who: Principal, log: Any) -> list[Turn]:
        named = self._named(who)
        mine = (one for one in log.unfinished() if named or one.principal == who.subject)  # the rest is not even read
        runs = [one.run for one in mine if one.state == "waiting"]
        turns = (self._service.agent.turn(run, log) for run in runs)
        return [turn for turn in turns if turn.state is State.WAITING]

    def _sees(self, who: Principal, turn: Turn) -> bool:
        """Their own, and what the manifest's word lets them answer: nobody approves what they may not look at."""
        if who.tenant != turn.principal.tenant:
            return False
        return who.subject == turn.principal.subject or self._may(who, turn)

    def _may(self, who: Principal, turn: Turn) -> bool:
        return self._service.agent._policed().policy.may_approve(who, turn)

    def _named(self, who: Principal) -> bool:
        """Whether the manifest makes them an approver, and so may show them what others' runs ask."""
        approvers = self._service.agent._policed().policy.approvers
        return approvers is not None and not approvers.isdisjoint(who.member)

    async def _asked(self, who: Principal, turn: Turn, slots: asyncio.Semaphore | None) -> Asked:
        agent = self._service.agent
        asked, preview, reads = question(agent, turn), "", consent.reads(agent._policed(), turn, who)
        if not reads:
            action = replace(asked.action, args={"hidden": HIDDEN})
            asked, preview = replace(asked, action=action, why=HIDDEN, origins=(), texts=()), HIDDEN
        elif slots is not None:
            try:
                async with asyncio.timeout(_PREVIEW_S), slots:
                    preview = await agent.preview(asked)
            except TimeoutError:
                preview = "it takes too long to tell"
        config = agent.manifest.approvals
        owner = turn.principal.subject
        approvers = tuple(config.approvers) if config.approvers is not None else (owner,)
        return Asked(asked, preview, owner, approvers, reads and self._may(who, turn), config.valid_s)


def as_json(asked: Question, preview: str) -> dict[str, JSON]:
    """The question as one JSON object, whole: nothing is cut."""
    origins = [
        {"argument": o.argument, "value": o.value, "type": o.kind, "origin": o.source or None} for o in asked.origins
    ]
    return {
        "run_id": asked.run, "tool": asked.action.sink.removeprefix(TOOL), "args": dict(asked.action.args),
        "rule": asked.rule, "why": asked.why, "digest": asked.digest, "asked_ms": asked.asked,
        "expires_ms": asked.expires or None, "stale": asked.stale,
        "origins": origins, "task": asked.task, "preview": preview, "texts": [name for name, _ in asked.texts],
        "label": asked.action.label.to_json(),
    }  # fmt: skip
