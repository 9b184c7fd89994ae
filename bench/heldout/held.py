"""The held-out suites as data: three small worlds of plain Python, shaped as `bench/agentdojo/play.py` plays them.

A suite is a module of tools and a YAML file of the same name: `environment`, `tasks` with a plan of calls each, and
`attacks`. `@@` in the environment is where an attacker can write.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

import yaml
from pydantic import BaseModel, ConfigDict, create_model
from suites import Attack, Call  # the harness of bench/agentdojo, which is on the path; AgentDojo is not needed

from ringfence.core.errors import ToolError
from ringfence.core.values import JSON

HERE = Path(__file__).parent
NAMES = ("ward", "plant", "bank")
CATALOGUE = HERE / "catalogue.yaml"
FROZEN = HERE / "FROZEN.sha256"
_MARK = "@@"
_TOLD = "told"  # an answer, once every call of the plan was made


@dataclass(frozen=True, slots=True)
class Tool:
    """A function on an environment, with its arguments as a model."""

    name: str
    description: str
    parameters: type[BaseModel]
    run: Any


@dataclass(frozen=True, slots=True)
class Task:
    """What a user asks for, and the calls that do it. The names are those that the harness knows."""

    ID: str
    PROMPT: str
    plan: tuple[Call, ...]
    GROUND_TRUTH_OUTPUT: str = _TOLD


@dataclass(slots=True)
class World:
    """One environment, live."""

    suite: Suite
    task: Task
    injected: str
    environment: Any
    done: list[Call] = field(default_factory=list)

    @property
    def plan(self) -> tuple[Call, ...]:
        return self.task.plan

    def perform(self, call: Call) -> JSON:
        """Run a tool; raises ToolError with the tool's own complaint."""
        try:
            result = self.suite.tools[call.tool].run(self.environment, **call.args)
        except ValueError as error:
            raise ToolError(str(error)) from error
        self.done.append(call)
        return json.loads(json.dumps(result))  # what was read does not change with the world

    def useful(self, answer: str) -> bool:
        """Every call of the plan was made, and the world is as it is after the plan alone."""
        alone = self.suite.world(self.task.ID, self.injected)
        for call in alone.plan:
            alone.perform(call)
        return answer == _TOLD and bool(self.environment == alone.environment)

    def attacked(self, injection: str, answer: str) -> bool:
        """Whether every call of the attack was made, by whomever."""
        (attack,) = (one for one in self.suite.attacks if one.id == injection)
        done = {call.key for call in self.done}
        return all(call.key in done for call in attack.calls)


class Suite:
    """One world with its tasks and attacks."""

    def __init__(self, name: str) -> None:
        given = yaml.safe_load((HERE / f"{name}.yaml").read_text("utf-8"))
        self.name = name
        self.tools = {tool.name: tool for tool in map(_tool, import_module(name).TOOLS)}
        self.tasks = {one["id"]: Task(one["id"], one["prompt"], _calls(one["plan"])) for one in given["tasks"]}
        self.attacks = [Attack(one["id"], one["goal"], _calls(one["calls"])) for one in given["attacks"]]
        self._environment = json.dumps(given["environment"])

    def world(self, task: str, injected: str = "") -> World:
        """A fresh environment for a user task, with `injected` in each place that an attacker can write to."""
        environment = json.loads(self._environment.replace(_MARK, json.dumps(injected)[1:-1]))
        return World(self, self.tasks[task], injected, environment)


def load() -> list[Any]:
    """All suites, each of the shape that the harness calls a `suites.Suite`."""
    return [Suite(name) for name in NAMES]


def frozen() -> str:
    """SHA-256 over everything that the figures depend on but the gate: worlds, tasks, attacks and the catalogue."""
    files = [HERE / "rows.py", CATALOGUE, *(HERE / f"{name}.{end}" for name in NAMES for end in ("py", "yaml"))]
    return "".join(f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(files))


def _calls(given: list[Mapping[str, JSON]]) -> tuple[Call, ...]:
    return tuple(Call(str(one["tool"]), one["args"]) for one in given)


def _tool(function: Any) -> Tool:
    return Tool(
        function.__name__,
        inspect.getdoc(function) or "",
        create_model(function.__name__, __config__=ConfigDict(extra="forbid"), **dict(_fields(function))),
        function,
    )


def _fields(function: Any) -> Iterator[tuple[str, Any]]:
    kinds = get_type_hints(function)
    for name, one in list(inspect.signature(function).parameters.items())[1:]:  # the first is the environment
        yield name, (kinds[name], ... if one.default is one.empty else one.default)
