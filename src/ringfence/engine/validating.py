"""What the operator's own checks (`validate:`) say of results and answers."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.core.chain import Kind
from ringfence.core.gate import Gate
from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Action, Ask, Deny, Outcome

from .answering import checked_before
from .live import since_thought
from .settings import Settings
from .step import LOOK_UP, TOOL

_FAILED = "It did not pass a check of the operator"


class Validating:
    """Asks the validators, tools among them through the gate."""

    def __init__(self, gate: Gate, settings: Settings) -> None:
        self._gate = gate
        self._validators = settings.validators

    async def results(self, turn: Turn) -> str:
        """What they say against the results of the last step, in words; empty if it passes them all."""
        if not self._validators:
            return ""
        said = []
        for record, intent in since_thought(turn)[1:]:
            if intent is not None and record.view.get("ok") and intent.body.get("call", -1) >= 0:
                facts = {"args": intent.body["args"], "result": record.body["value"]}
                said.append(await self._against(turn, intent.view["sink"].removeprefix(TOOL), facts))
        return " ".join(filter(None, said))

    async def answer(self, turn: Turn, answer: str) -> str:
        """What they say against an answer; empty if it passes them all."""
        return await self._against(turn, "answer", {"answer": answer})

    async def _against(self, turn: Turn, on: str, facts: Mapping[str, JSON]) -> str:
        facts = {"task": turn.start["task"], **facts}
        for n, one in enumerate(v for v in self._validators if v.on == on):
            if one.passes is not None and (why := one.passes(facts)):
                return f"{one.why or _FAILED}. {why}".strip()
            if one.tool:
                spec = self._gate.policy.sinks.get(one.tool)
                known = (spec.schema or {}).get("properties", facts) if spec is not None else facts
                args = {name: fact for name, fact in facts.items() if name in known}
                action = Action(one.tool, args, turn.label, call=LOOK_UP - turn.next_seq - n, run=turn.run)
                answer = checked_before(turn, action) or await self._gate.perform(turn, action)
                if isinstance(answer, Ask):  # nobody is asked whether a check may be made
                    self._gate.refuse(turn, action, Deny(answer.rule, answer.code, answer.why))
                if not isinstance(answer, Outcome) or not answer.ok or answer.value is not True:
                    said = answer.value if isinstance(answer, Outcome) and isinstance(answer.value, str) else ""
                    return f"{one.why or _FAILED}. {said}".strip()
        return ""


def told_before(turn: Turn) -> bool:
    """Whether results of a run have failed a check before: to say so again to the same model helps nobody."""
    return any(record.kind is Kind.MESSAGE and record.body.get("invalid") for record, _ in turn.items)
