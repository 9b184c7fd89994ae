"""Which model a run is with, and why, is told by its records: a crash, a fork or another manifest changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import BackendError, ContextOverflow
from ringfence.core.gate import Gate
from ringfence.core.grants import TaskGrant
from ringfence.core.labels import IDENTITY, NOBODY, Label, Trust
from ringfence.core.policy import Effect, Policy, SinkSpec
from ringfence.core.turn import State, fold
from ringfence.core.values import Prompt
from ringfence.engine import branch
from ringfence.engine.asking import Routing, shrunk
from ringfence.engine.live import failures
from ringfence.engine.loop import Engine
from ringfence.engine.router import Health, Router, Rules
from ringfence.engine.settings import Settings
from ringfence.engine.tier import Tier
from ringfence.stores.memory import MemoryJournal
from ringfence.testing.clock import FakeClock
from ringfence.testing.scripted import ScriptedModel

from .conftest import ALICE, OPEN, Tool, final, step

LOOK = step(("look", {"of": "it"}))
HR = Label(Trust.UNTRUSTED, frozenset({frozenset({"role:hr"})}))


class Agent:
    """An engine with a tier for each script, cheapest first."""

    def __init__(
        self,
        *scripts: Sequence[Any],
        past: Sequence[Record] = (),
        rules: Rules | None = None,
        reads: Label = IDENTITY,
        **tier: Any,
    ) -> None:
        names = [f"model:t{n}" for n in range(len(scripts))]
        self.models = [ScriptedModel(script) for script in scripts]
        model = {"effect": Effect.READ, "confined": True, "audience": None, "output": IDENTITY}
        specs = {name: SinkSpec(name, **model) for name in names}
        specs["reply:local"] = SinkSpec("reply:local", effect=Effect.READ, confined=True, audience=None)
        specs["tool:look"] = SinkSpec(
            "tool:look", schema=OPEN, effect=Effect.READ, confined=True, audience=NOBODY, output=reads, repeats=1
        )
        sinks: dict[str, Any] = dict(zip(names, self.models, strict=True))
        sinks |= {"reply:local": Tool(lambda args: None), "tool:look": Tool(lambda args: {"text": "it is 42 " * 120})}
        self.journal, clock = MemoryJournal(), FakeClock()
        for record in past:
            self.journal.append(record)
        gate = Gate(Policy(specs), sinks, self.journal, clock)
        routing = Routing(Router([name[6:] for name in names]), rules or Rules(), Health(), clock)
        tiers = [Tier(name, 4096, **tier) for name in names]
        self.engine = Engine(gate, tiers, Settings(), reply="reply:local", routing=routing)
        self.gate, self.grant = gate, TaskGrant(frozenset(specs), {})

    async def run(self) -> list[Record]:
        turn = self.engine.start("what is it?", run="run1", principal=ALICE, grant=self.grant)
        await self.engine.drive(turn)
        return self.records

    @property
    def records(self) -> list[Record]:
        return self.journal.read("run1")

    async def resume(self) -> str:
        return (await self.engine.drive(fold(self.records))).status


def moves(records: Sequence[Record]) -> list[str]:
    return [record.view["why"] for record in records if record.kind is Kind.CHECKPOINT and "tier" in record.view]


async def test_a_tier_that_was_passed_over_is_no_escalation() -> None:
    records = await Agent([LOOK, ""], [final("it is 42")], []).run()
    (at,) = (n for n, record in enumerate(records) if record.view.get("why") == "empty")
    again = Agent([], ["", ""], [final("it is 42")] * 2, past=records[:at])
    moved = {"tier": "model:t1", "from": "model:t0", "why": "cooling-off"}
    again.gate.record(fold(again.records), Kind.CHECKPOINT, label=IDENTITY, view=moved, body={})
    await again.resume()
    assert moves(again.records) == ["cooling-off", "empty"]


async def test_failures_in_a_row_are_counted_from_the_record() -> None:
    agent = Agent(["no", "no", "no"], rules=Rules(at_most=0))
    records = await agent.run()
    retries = [n for n, record in enumerate(records) if record.kind is Kind.MESSAGE and record.body.get("retry")]
    assert len(retries) == 2
    kept = records[: retries[1] + 1]
    assert failures(fold(kept)) == 2
    again = Agent(["no", "no", "no"], past=kept, rules=Rules(at_most=0))
    assert await again.resume() == "failed"
    assert len(again.models[0].prompts) == 1


async def test_a_window_that_was_too_large_is_known_after_a_crash() -> None:
    agent = Agent([LOOK, ContextOverflow("too long"), BackendError("gone")], rules=Rules(at_most=0))
    records = await agent.run()
    (at,) = (n for n, r in enumerate(records) if r.kind is Kind.OUTCOME and "too long" in str(r.body))
    again = Agent([final("it is 42")], past=records[: at + 1])
    assert shrunk(fold(again.records), Tier("model:t0", 4096), 4096) == 4096 * 3 // 4


async def test_a_fork_goes_on_with_the_model_of_its_origin() -> None:
    agent = Agent([LOOK, ""], [LOOK, final("it is 42")])
    records = await agent.run()
    kept = records[: max(branch.forkable(records)) + 1]
    made = {
        task: await branch.fork(
            agent.engine, agent.gate, kept, run=f"fork{n}", principal=ALICE, grant=agent.grant, task=task
        )
        for n, task in enumerate(("", "what else is it?"))
    }
    assert [turn.tier for turn in made.values()] == ["model:t1", ""]


async def test_a_server_that_may_not_read_a_request_is_not_asked_how_long_it_is() -> None:
    counted: list[Prompt] = []

    async def count(prompt: Prompt) -> int | None:
        counted.append(prompt)
        return 100

    allowed = Agent([LOOK, final("it is 42")], count=count, max_tokens=3300)
    await allowed.run()
    assert counted
    counted.clear()
    secret = Agent([LOOK, final("it is 42")], count=count, max_tokens=3300, reads=HR)
    records = await secret.run()
    assert [record.view["code"] for record in records if record.kind is Kind.DECISION][:1] == ["readers"]
    assert not any(b"it is 42" in message for prompt in counted for message in prompt.messages)
    assert fold(records).state is State.DONE
