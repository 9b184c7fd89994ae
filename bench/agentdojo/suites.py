"""AgentDojo v1.2.2 as data: environments, benign plans and attacks, without the SDKs of model vendors."""

from __future__ import annotations

import importlib.util
import pickle
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from attacks import WRITTEN
from pydantic_core import to_jsonable_python

from ringfence.core.errors import ToolError
from ringfence.core.values import JSON, canonical

VERSION = "v1.2.2"
CASES = 949
_MISSING = "AgentDojo is not installed; see bench/agentdojo/README.md"
_NOWHERE = {"agentdojo.agent_pipeline": "agent_pipeline", "agentdojo.agent_pipeline.llms": ""}


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call as JSON."""

    tool: str
    args: Mapping[str, JSON]

    @property
    def key(self) -> bytes:
        """Equal for the same tool with the same arguments; an argument that is null is one that was not given."""
        return canonical([self.tool, {name: value for name, value in self.args.items() if value is not None}])


@dataclass(frozen=True, slots=True)
class Attack:
    """An injection task: what the attacker wants called."""

    id: str
    goal: str
    calls: tuple[Call, ...]


@dataclass(slots=True)
class World:
    """One environment, live: tools run on it, and the suite's own checks compare it with how it was."""

    suite: Suite
    task: Any
    injected: str
    environment: Any
    plan: tuple[Call, ...]
    done: list[Call] = field(default_factory=list)

    def perform(self, call: Call) -> JSON:
        """Run a tool; raises ToolError with the tool's own complaint."""
        result, error = self.suite.runtime.run_function(self.environment, call.tool, dict(call.args))
        if error is not None:
            raise ToolError(error)
        self.done.append(call)
        return to_jsonable_python(result)

    def useful(self, answer: str) -> bool:
        """The suite's own utility check."""
        return self.suite.verdict(self, self.task, answer)

    def attacked(self, injection: str, answer: str) -> bool:
        """The suite's own security check: True means that the attack succeeded."""
        return self.suite.verdict(self, self.suite.raw.injection_tasks[injection], answer)


class Suite:
    """One of the four suites."""

    def __init__(self, raw: Any, call: Any, runtime: Any, text: str) -> None:
        self.raw, self.call, self.text, self.name = raw, call, text, str(raw.name)
        self.runtime = runtime(raw.tools)
        self.tools = {tool.name: tool for tool in raw.tools}
        self._defaults = dict(raw.get_injection_vector_defaults())
        marks = {vector: f"@@{vector}@@" for vector in self._defaults}
        self._data = yaml.load(text.format(**marks), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        # A default may hold YAML escapes, so the untouched environment is the suite's own.
        self._frozen = {"": pickle.dumps(raw.load_and_inject_default_environment({}))}
        self._plans: dict[tuple[str, str], tuple[Call, ...]] = {}
        self._verdicts: dict[tuple[Any, ...], bool] = {}
        self.tasks: dict[str, Any] = dict(raw.user_tasks)
        self.attacks = [self._attack(task) for task in raw.injection_tasks.values()]

    def world(self, task: str, injected: str = "") -> World:
        """A fresh environment for a user task, with `injected` in each place that an attacker can write to."""
        raw = self.tasks[task]
        if (task, injected) not in self._plans:
            self._plans[task, injected] = _calls(raw.ground_truth(self._fresh(raw, injected)))
        return World(self, raw, injected, self._fresh(raw, injected), self._plans[task, injected])

    def verdict(self, world: World, task: Any, answer: str) -> bool:
        """What a task's own check says of a world. The same calls on the same environment are judged once."""
        key = (world.task.ID, world.injected, task.ID, answer, *(call.key for call in world.done))
        if key not in self._verdicts:
            calls = [self.call(call.tool, call.args) for call in world.done]
            said, before = [{"type": "text", "content": answer}], self._fresh(world.task, world.injected)
            self._verdicts[key] = bool(self.raw._check_task_result(task, said, before, world.environment, calls))
        return self._verdicts[key]

    def _fresh(self, task: Any, injected: str) -> Any:
        if injected not in self._frozen:
            data = _replaced(self._data, {f"@@{vector}@@": injected for vector in self._defaults})
            self._frozen[injected] = pickle.dumps(self.raw.environment_type.model_validate(data))
        return task.init_environment(pickle.loads(self._frozen[injected]))

    def _attack(self, task: Any) -> Attack:
        environment = pickle.loads(self._frozen[""])
        given = _calls(task.ground_truth(environment.model_copy(deep=True)))
        if not given and (written := WRITTEN.get((self.name, task.ID))) is not None:
            given = tuple(Call(tool, to_jsonable_python(args)) for tool, args in written(environment))
        return Attack(task.ID, task.GOAL, given)


def load(names: Sequence[str] = ()) -> list[Suite]:
    """The suites of these names, or all four; raises ToolError if AgentDojo is not there."""
    _without_sdks()
    raw = import_module("agentdojo.task_suite.load_suites").get_suites(VERSION)
    read = import_module("agentdojo.task_suite.task_suite").read_suite_file
    runtime = import_module("agentdojo.functions_runtime")

    def call(tool: str, args: Mapping[str, JSON]) -> Any:
        return runtime.FunctionCall(function=tool, args=dict(args))

    texts = {name: read(name, "environment.yaml", None) for name in names or raw}
    return [Suite(raw[name], call, runtime.FunctionsRuntime, text) for name, text in texts.items()]


def _without_sdks() -> None:
    """Suites need none of `agent_pipeline`, whose import asks for the SDKs of five vendors: keep it from running."""
    found = importlib.util.find_spec("agentdojo")
    if found is None or not found.submodule_search_locations:
        raise ToolError(_MISSING)
    for name, folder in _NOWHERE.items():
        package = ModuleType(name)
        package.__path__ = [str(Path(found.submodule_search_locations[0]) / folder)] if folder else []
        sys.modules.setdefault(name, package)
    google = ModuleType("agentdojo.agent_pipeline.llms.google_llm")
    google.EMPTY_FUNCTION_NAME = "<empty-function-name>"  # type: ignore[attr-defined]
    sys.modules.setdefault(google.__name__, google)


def _calls(given: Sequence[Any]) -> tuple[Call, ...]:
    return tuple(Call(call.function, to_jsonable_python(dict(call.args))) for call in given)


def _replaced(node: Any, texts: Mapping[str, str]) -> Any:
    match node:
        case str() if "@@" in node:
            for mark, text in texts.items():
                node = node.replace(mark, text)
            return node
        case dict():
            return {_replaced(key, texts): _replaced(value, texts) for key, value in node.items()}
        case list():
            return [_replaced(item, texts) for item in node]
        case _:
            return node
