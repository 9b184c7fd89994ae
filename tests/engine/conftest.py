"""A whole agent in process: the real gate, journal and loop around a scripted model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from ringfence.core.chain import Record
from ringfence.core.errors import ToolError
from ringfence.core.gate import Gate
from ringfence.core.grants import TaskGrant
from ringfence.core.labels import IDENTITY, NOBODY, Audience, Label, Trust
from ringfence.core.policy import Effect, Policy, SinkSpec
from ringfence.core.turn import fold
from ringfence.core.values import JSON, Action, Outcome, Principal
from ringfence.engine.asking import Routing
from ringfence.engine.ledger import Reconcile
from ringfence.engine.loop import Engine
from ringfence.engine.readmore import SPEC as READ_MORE
from ringfence.engine.readmore import ReadMore
from ringfence.engine.replay import replay
from ringfence.engine.result import Result
from ringfence.engine.router import Budget, Health, Router, Rules
from ringfence.engine.settings import Settings
from ringfence.engine.tier import Tier
from ringfence.stores.memory import MemoryJournal
from ringfence.testing.clock import FakeClock
from ringfence.testing.scripted import ScriptedModel

from .states import check

ALICE = Principal("user:alice", frozenset({"role:ops"}))
OPEN = {"type": "object", "properties": {"of": {"type": "string"}}, "required": ["of"], "additionalProperties": False}


def step(*calls: tuple[str, Mapping[str, JSON]], thought: str = "so") -> str:
    """A model answer that asks for calls."""
    return json.dumps({"thought": thought, "calls": [{"tool": name, "args": dict(args)} for name, args in calls]})


def final(answer: str, *artifacts: str) -> str:
    """A model answer that ends a run."""
    return json.dumps(
        {"thought": "done", "final_answer": {"answer": answer, "artifacts": artifacts, "confidence": "high"}}
    )


class Told(str):
    """What a model says, and what more its server tells: `Told("...", sure=0.3, model="other", truncated=40)`."""

    more: Mapping[str, JSON]

    def __new__(cls, text: str, **more: JSON) -> Told:
        told = super().__new__(cls, text)
        told.more = more
        return told


class Model(ScriptedModel):
    """A scripted model whose server tells more: see `Told`."""

    async def perform(self, action: Action) -> Outcome:
        outcome = await super().perform(action)
        text = outcome.value["text"]
        usage = {**outcome.value["usage"], **(text.more.get("usage", {}) if isinstance(text, Told) else {})}
        more = {k: v for k, v in text.more.items() if k != "usage"} if isinstance(text, Told) else {}
        return Outcome({**outcome.value, "text": str(text), "usage": usage, **more})


@dataclass(frozen=True)
class Rung:
    """A further tier: what its model says, who sees what goes there (None: the principal alone), and its bounds."""

    steps: Sequence[Any] | Callable[[Any], str]
    audience: Audience | None = None
    window: int = 4096
    max_tokens: int = 512
    more: Mapping[str, Any] = field(default_factory=dict)  # of Tier
    clearance: Trust = Trust.UNTRUSTED


class Tool:
    """A sink that answers from a function and keeps what it was called with."""

    def __init__(self, answer: Callable[[Mapping[str, JSON]], JSON]) -> None:
        self.answer = answer
        self.calls: list[Mapping[str, JSON]] = []
        self.keys: list[str] = []

    async def perform(self, action: Action) -> Outcome:
        self.calls.append(action.args)
        self.keys.append(action.key)
        return Outcome(self.answer(action.args))


def fail(args: Mapping[str, JSON]) -> JSON:
    raise ToolError("no such file", todo="try another")


@dataclass
class House:
    """Everything of one agent, in reach of a test. `one_policy`: its runs were decided under that of its gate alone."""

    engine: Engine
    gate: Gate
    model: ScriptedModel
    journal: MemoryJournal
    tools: Mapping[str, Tool]
    grant: TaskGrant
    clock: FakeClock
    one_policy: bool = True
    models: dict[str, ScriptedModel] = field(default_factory=dict)  # by tier; `model` is that of the first, main

    def start(self, task: str = "what is it?", run: str = "run1") -> Any:
        return self.engine.start(task, run=run, principal=ALICE, grant=self.grant)

    async def run(self, task: str = "what is it?", **how: Any) -> Result:
        return await self.engine.drive(self.start(task), **how)

    def records(self, run: str = "run1") -> list[Record]:
        return self.journal.read(run)


Build = Callable[..., House]


def forms(agent: House) -> list[set[str]]:
    """What each step could be, by its grammar."""
    named = {b'"calls":': "calls", b'"final_answer":': "final", b'"plan":': "plan"}
    return [{name for key, name in named.items() if key in (p.schema or b"")} for p in agent.model.prompts]


@pytest.fixture
def house() -> Build:
    return build


_houses: list[tuple[House, Policy]] = []  # of the test that is under way, with the policy that they began with


@pytest.fixture(autouse=True)
def _every_run_of_every_test_is_its_snapshots_and_its_replay() -> Iterator[None]:
    _houses.clear()
    yield
    for made, policy in _houses:
        runs = [made.records(run.run) for run in made.journal.runs(100) if run.records < 200]
        for records in runs:
            check(records)
            if len(_houses) == 1 and made.one_policy and made.gate.policy is policy:
                assert replay(made.engine, made.gate, records, grant=fold(records).grant).differences == []


def build(
    steps: Sequence[Any] | Callable[[Any], str],
    *,
    tools: Mapping[str, Callable[[Mapping[str, JSON]], JSON]] | None = None,
    settings: Settings | None = None,
    window: int = 4096,
    specs: Mapping[str, Mapping[str, Any]] | None = None,
    journal: MemoryJournal | None = None,
    reconcile: Mapping[str, Reconcile] | None = None,
    tiers: Mapping[str, Rung] | None = None,
    main: Mapping[str, Any] | None = None,
    rules: Rules | None = None,
    classes: Mapping[str, Sequence[str]] | None = None,
    health: Health | None = None,
    budget: Budget | None = None,
) -> House:
    """`tiers` come after main, which is made from `steps`, `window` and `main` (what else a Rung has)."""
    settings = settings or Settings()
    rungs = {"main": Rung(steps, window=window, **(main or {})), **(tiers or {})}
    models: dict[str, ScriptedModel] = {name: Model(rung.steps) for name, rung in rungs.items()}
    model = models["main"]
    made = {name: Tool(answer) for name, answer in (tools or {"look": lambda args: {"text": "it is 42"}}).items()}
    default = {
        "schema": OPEN, "effect": Effect.READ, "confined": True, "audience": NOBODY, "repeats": 1,
        "output": Label(Trust.UNTRUSTED),
    }  # fmt: skip
    catalogue = {f"tool:{n}": SinkSpec(f"tool:{n}", **{**default, **(specs or {}).get(n, {})}) for n in made}
    for name, rung in rungs.items():
        catalogue[f"model:{name}"] = SinkSpec(
            f"model:{name}", effect=Effect.READ, confined=rung.audience is None, audience=rung.audience,
            output=IDENTITY, clearance=rung.clearance,
        )  # fmt: skip
    catalogue["reply:local"] = SinkSpec("reply:local", effect=Effect.READ, confined=True, audience=None)
    catalogue[READ_MORE.name] = READ_MORE
    read_more = ReadMore(chars=settings.result_chars)
    sinks: dict[str, Any] = {f"tool:{n}": tool for n, tool in made.items()}
    sinks |= {
        **{f"model:{name}": made for name, made in models.items()},
        "reply:local": Tool(lambda args: None),
        READ_MORE.name: read_more,
    }
    journal = journal or MemoryJournal()
    clock = FakeClock()
    gate = Gate(Policy(catalogue), sinks, journal, clock)
    engine = Engine(
        gate,
        [Tier(f"model:{name}", rung.window, rung.max_tokens, **rung.more) for name, rung in rungs.items()],
        settings,
        reply="reply:local",
        read_more=read_more,
        keep=journal.keep_state,
        reconcile=reconcile,
        routing=Routing(Router(list(rungs), classes=classes), rules or Rules(), health or Health(), clock, budget)
        if tiers
        else None,
    )
    house = House(engine, gate, model, journal, made, TaskGrant(frozenset(catalogue), {}), clock, models=models)
    _houses.append((house, gate.policy))
    return house
