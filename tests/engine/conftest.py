"""A whole agent in process: the real gate, journal and loop around a scripted model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from ringfence.core.chain import Record
from ringfence.core.errors import ToolError
from ringfence.core.gate import Gate
from ringfence.core.grants import TaskGrant
from ringfence.core.labels import IDENTITY, NOBODY, Label, Trust
from ringfence.core.policy import Effect, Policy, SinkSpec
from ringfence.core.turn import fold
from ringfence.core.values import JSON, Action, Outcome, Principal
from ringfence.engine.ledger import Reconcile
from ringfence.engine.loop import Engine
from ringfence.engine.readmore import SPEC as READ_MORE
from ringfence.engine.readmore import ReadMore
from ringfence.engine.replay import replay
from ringfence.engine.result import Result
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

    def start(self, task: str = "what is it?", run: str = "run1") -> Any:
        return self.engine.start(task, run=run, principal=ALICE, grant=self.grant)

    async def run(self, task: str = "what is it?", **how: Any) -> Result:
        return await self.engine.drive(self.start(task), **how)

    def records(self, run: str = "run1") -> list[Record]:
        return self.journal.read(run)


Build = Callable[..., House]


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
) -> House:
    settings = settings or Settings()
    model = ScriptedModel(steps)
    made = {name: Tool(answer) for name, answer in (tools or {"look": lambda args: {"text": "it is 42"}}).items()}
    default = {
        "schema": OPEN, "effect": Effect.READ, "confined": True, "audience": NOBODY, "repeats": 1,
        "output": Label(Trust.UNTRUSTED),
    }  # fmt: skip
    catalogue = {f"tool:{n}": SinkSpec(f"tool:{n}", **{**default, **(specs or {}).get(n, {})}) for n in made}
    catalogue["model:main"] = SinkSpec("model:main", effect=Effect.READ, confined=True, audience=None, output=IDENTITY)
    catalogue["reply:local"] = SinkSpec("reply:local", effect=Effect.READ, confined=True, audience=None)
    catalogue[READ_MORE.name] = READ_MORE
    read_more = ReadMore(chars=settings.result_chars)
    sinks: dict[str, Any] = {f"tool:{n}": tool for n, tool in made.items()}
    sinks |= {"model:main": model, "reply:local": Tool(lambda args: None), READ_MORE.name: read_more}
    journal = journal or MemoryJournal()
    clock = FakeClock()
    gate = Gate(Policy(catalogue), sinks, journal, clock)
    engine = Engine(
        gate,
        [Tier("model:main", window)],
        settings,
        reply="reply:local",
        read_more=read_more,
        keep=journal.keep_state,
        reconcile=reconcile,
    )
    house = House(engine, gate, model, journal, made, TaskGrant(frozenset(catalogue), {}), clock)
    _houses.append((house, gate.policy))
    return house
