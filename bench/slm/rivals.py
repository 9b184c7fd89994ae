"""The same tasks, model and tools through other frameworks: `python bench/slm/rivals.py --json FILE --minutes 4`.

Run in an environment that has bench/slm/rivals-requirements.txt; Ringfence itself is in another one (`--python`),
behind toolbox.py. Each framework gets a fresh world of the seed, our tools with our words, the embedded model's own
server, the same temperature, and the same bounds on steps and time. FILE keeps what was run: called again, only what is
missing is run. `--frameworks plain-loop` needs httpx alone: a loop under a grammar, the floor of all; `--suite` names
another folder of tasks, one of bench/held.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from plain_loop import solver

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
QUIET = {  # nothing is sent to anybody
    "LANGSMITH_TRACING": "false", "LANGCHAIN_TRACING_V2": "false", "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1", "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "LOGFIRE_SEND_TO_LOGFIRE": "false", "DO_NOT_TRACK": "1",
    "NO_PROXY": "127.0.0.1",
}  # fmt: skip
STEPS = 8  # model calls of one task, at most
SECONDS = 120.0  # of one task, at most
WARM_S = 900.0  # of the first, uncounted request: smolagents alone has about 3,000 tokens of prompt besides the tools
TEMPERATURE, MAX_TOKENS = 0.0, 512
RESULT_CHARS = 4_000  # shown of one result, as our own default
SYSTEM = (
    "You are the assistant of a {what}. Do the task with the tools; look things up instead of guessing. When you "
    "know it, answer in one short sentence. If it cannot be found, say that it was not found."
)


class World:
    """A fresh world and its tools, behind a pipe; counts what is called."""

    def __init__(self, folder: Path, python: Path, suite: Path) -> None:
        env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        command = [str(python), str(HERE / "toolbox.py"), str(folder), "--suite", str(suite)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env)
        self._lock = threading.Lock()
        self.calls: list[str] = []
        self.deadline, self.closed = 0.0, False
        self.tools = self.ask(tools=True)["tools"]
        about = re.match(r"# The assistant of a made-up (.+?);", (folder / "ringfence.yaml").read_text("utf-8"))
        self.system = SYSTEM.format(what=about[1] if about else "small organisation")

    def ask(self, **what: Any) -> dict[str, Any]:
        """One line to the toolbox and its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
            found: dict[str, Any] = json.loads(self._process.stdout.readline())
            return found

    def call(self, name: str, args: dict[str, Any]) -> str:
        """A tool's result as text, or what went wrong."""
        if self.closed or time.monotonic() > self.deadline:
            raise TimeoutError("the time of the task is up")
        answer = self.ask(call=name, args={key: value for key, value in args.items() if value is not None})
        self.calls.append(name if "result" in answer else f"{name}!")
        text = json.dumps(answer["result"], ensure_ascii=False) if "result" in answer else f"error: {answer['error']}"
        return text[:RESULT_CHARS]

    def close(self) -> None:
        """End the toolbox."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


def plain(name: str) -> str:
    """A tool's name as function names may be."""
    return name.replace(".", "_")


def langgraph(world: World, server: dict[str, str]) -> Callable[[str], Any]:
    """LangGraph's ReAct agent, as `langchain.agents.create_agent` makes it."""
    from langchain.agents import create_agent
    from langchain_core.tools import StructuredTool
    from langchain_openai import ChatOpenAI

    def tool(about: dict[str, Any]) -> Any:
        async def run(**args: Any) -> str:
            return await asyncio.to_thread(world.call, about["name"], args)

        return StructuredTool.from_function(
            coroutine=run, name=plain(about["name"]), description=about["summary"], args_schema=about["schema"]
        )

    model = ChatOpenAI(
        model=server["model"], base_url=server["url"], api_key=server["key"], temperature=TEMPERATURE,
        max_tokens=MAX_TOKENS, timeout=SECONDS * 2, max_retries=0,
    )  # fmt: skip
    agent = create_agent(model, [tool(about) for about in world.tools], system_prompt=world.system)

    async def solve(task: str) -> str:
        asked = {"messages": [{"role": "user", "content": task}]}
        state = await agent.ainvoke(asked, {"recursion_limit": 2 * STEPS + 1})
        return str(state["messages"][-1].content)

    return solve


def pydantic_ai(world: World, server: dict[str, str]) -> Callable[[str], Any]:
    """Pydantic AI's agent."""
    from pydantic_ai import Agent, Tool
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider
    from pydantic_ai.usage import UsageLimits

    def tool(about: dict[str, Any]) -> Any:
        async def run(**args: Any) -> str:
            return await asyncio.to_thread(world.call, about["name"], args)

        return Tool.from_schema(run, plain(about["name"]), about["summary"], about["schema"])

    model = OpenAIChatModel(server["model"], provider=OpenAIProvider(base_url=server["url"], api_key=server["key"]))
    settings = {"temperature": TEMPERATURE, "max_tokens": MAX_TOKENS, "timeout": SECONDS * 2}
    agent = Agent(
        model, tools=[tool(a) for a in world.tools], system_prompt=world.system, model_settings=settings, retries=3
    )

    async def solve(task: str) -> str:
        result = await agent.run(task, usage_limits=UsageLimits(request_limit=STEPS))
        return str(result.output)

    return solve


def openai_agents(world: World, server: dict[str, str]) -> Callable[[str], Any]:
    """The OpenAI Agents SDK over chat completions."""
    from agents import Agent, FunctionTool, ModelSettings, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
    from openai import AsyncOpenAI

    set_tracing_disabled(True)

    def tool(about: dict[str, Any]) -> Any:
        async def run(_context: Any, text: str) -> str:
            try:
                args = json.loads(text or "{}")
            except ValueError as error:
                return f"error: the arguments are no JSON: {error}"
            return await asyncio.to_thread(world.call, about["name"], args)

        return FunctionTool(plain(about["name"]), about["summary"], about["schema"], run, strict_json_schema=False)

    client = AsyncOpenAI(base_url=server["url"], api_key=server["key"], timeout=SECONDS * 2, max_retries=0)
    agent = Agent(
        name="trust", instructions=world.system, tools=[tool(about) for about in world.tools],
        model=OpenAIChatCompletionsModel(server["model"], client),
        model_settings=ModelSettings(temperature=TEMPERATURE, max_tokens=MAX_TOKENS),
    )  # fmt: skip

    async def solve(task: str) -> str:
        return str((await Runner.run(agent, task, max_turns=STEPS)).final_output)

    return solve


def smolagents(world: World, server: dict[str, str], *, code: bool) -> Callable[[str], Any]:
    """smolagents: calls as JSON, or as Python code."""
    from smolagents import CodeAgent, OpenAIModel, Tool, ToolCallingAgent

    class Ours(Tool):
        skip_forward_signature_validation = True

        def __init__(self, about: dict[str, Any]) -> None:
            self.name, self.description, self.output_type = plain(about["name"]), about["summary"], "string"
            self.inputs = inputs(about["schema"])
            self._ours = about["name"]
            super().__init__()

        def forward(self, *given: Any, **args: Any) -> str:
            return world.call(self._ours, {**dict(zip(self.inputs, given, strict=False)), **args})

    class Bounded(OpenAIModel):
        def generate(self, *args: Any, **more: Any) -> Any:
            left = world.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the time of the task is up")
            if world.closed:
                world.deadline = 0.0  # one request is enough
            return super().generate(*args, timeout=left, **more)

    model = Bounded(
        server["model"], api_base=server["url"], api_key=server["key"], client_kwargs={"max_retries": 0},
        temperature=TEMPERATURE, max_tokens=MAX_TOKENS,
    )  # fmt: skip
    kind = CodeAgent if code else ToolCallingAgent
    agent = kind(
        tools=[Ours(about) for about in world.tools],
        model=model,
        max_steps=STEPS,
        verbosity_level=0,
        instructions=world.system,
    )

    async def solve(task: str) -> str:
        return str(await asyncio.to_thread(agent.run, task))

    return solve


def inputs(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A JSON Schema as smolagents has it: one level; what is inside an array is said in words."""
    found = {}
    for name, rule in schema.get("properties", {}).items():
        kind = rule.get("type", "any")
        inside = f"; items: {json.dumps(rule['items'])}" if isinstance(rule.get("items"), dict) else ""
        among = f"; one of {', '.join(map(str, rule['enum']))}" if "enum" in rule else ""
        found[name] = {"type": kind, "description": f"{rule.get('description', name)}{inside}{among}"}
        if name not in schema.get("required", ()):
            found[name]["nullable"] = True
    return found


def plain_loop(world: World, server: dict[str, str]) -> Callable[[str], Any]:
    """A loop under a grammar, and nothing else."""

    def call(name: str, args: dict[str, Any]) -> Any:
        return asyncio.to_thread(world.call, name, args)

    return solver(
        world.tools, call, server, system=world.system, steps=STEPS, max_tokens=MAX_TOKENS, seconds=SECONDS * 2
    )


FRAMEWORKS: dict[str, Callable[[World, dict[str, str]], Callable[[str], Any]]] = {
    "langgraph": langgraph,
    "pydantic-ai": pydantic_ai,
    "openai-agents": openai_agents,
    "plain-loop": plain_loop,
    "smolagents-tools": lambda world, server: smolagents(world, server, code=False),
    "smolagents-code": lambda world, server: smolagents(world, server, code=True),
}


async def attempt(world: World, solve: Callable[[str], Any], case: str) -> dict[str, Any]:
    """One task of one framework."""
    task = world.ask(task=case)["task"]
    world.ask(server=True)  # keeps it there
    world.calls, began = [], time.monotonic()
    world.deadline = began + SECONDS
    answer, status = "", "done"
    try:
        answer = await asyncio.wait_for(solve(task), SECONDS)
    except TimeoutError:
        status = "timeout"
    except Exception as error:  # whatever a framework raises is how it ended
        status = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    seconds = round(time.monotonic() - began, 2)
    world.deadline = 0.0
    why = world.ask(judge=case, answer=answer)["why"] if status == "done" else status
    return {"id": case, "right": not why, "why": why, "seconds": seconds, "calls": world.calls, "answer": answer}


@contextmanager
def fresh(seed: int, python: Path, suite: Path) -> Iterator[World]:
    """A world of its own, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="slm-rival-"))
    try:
        subprocess.run([str(python), str(suite / "make_world.py"), str(folder), "--seed", str(seed)], check=True)
        world = World(folder, python, suite)
        try:
            yield world
        finally:
            world.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Side:
    """A framework in a world of its own. A first, uncounted request puts its prompt into the server's cache."""

    def __init__(self, name: str, world: World, loop: asyncio.Runner) -> None:
        self.name, self.world, self._make, self._loop = name, world, FRAMEWORKS[name], loop
        world.closed = True  # its one answer is not acted upon
        world.deadline = time.monotonic() + WARM_S
        try:
            loop.run(asyncio.wait_for(self._make(world, world.ask(server=True))("Say hello."), WARM_S))
        except Exception as error:
            print(f"{name}: the uncounted request ended with {type(error).__name__}: {str(error)[:200]}")
        world.closed = False

    def play(self, case: str, seed: int) -> dict[str, Any]:
        """One task, by an agent without memory."""
        solve = self._make(self.world, self.world.ask(server=True))
        return {"framework": self.name, "seed": seed, **self._loop.run(attempt(self.world, solve, case))}


def play(given: argparse.Namespace, cases: Sequence[str], runs: list[dict[str, Any]]) -> None:
    """Task after task, each by every framework, until all is there or the time is up."""
    until = time.monotonic() + given.minutes * 60
    done = {(run["framework"], run["seed"], run["id"]) for run in runs}
    with ExitStack() as stack:
        sides: dict[str, Side] = {}
        loop = stack.enter_context(asyncio.Runner())  # one for all: clients of frameworks outlive their agents
        for case, name in product(cases, given.frameworks):
            if (name, given.seed, case) in done:
                continue
            if time.monotonic() > until:
                return
            if name not in sides:
                sides[name] = Side(name, stack.enter_context(fresh(given.seed, given.python, given.suite)), loop)
            made = sides[name].play(case, given.seed)
            runs.append(made)
            write(given.json, runs)
            verdict, said = "ok   " if made["right"] else "wrong", made["answer"] or made["why"]
            print(f"{verdict} {name:<17} {case:<20} {made['seconds']:6.1f} s  {' '.join(made['calls']) or '-'}")
            print(f"        {' '.join(said.split())[:150]}", flush=True)


def write(path: Path, runs: Sequence[dict[str, Any]]) -> None:
    """All runs so far, replaced in one step."""
    draft = path.with_name(path.name + ".part")
    draft.write_text(json.dumps(runs, ensure_ascii=False, indent=1) + "\n", "utf-8")
    draft.replace(path)


def table(runs: Sequence[dict[str, Any]]) -> str:
    """Success, calls and seconds of each framework, as Markdown."""
    lines = [
        "| framework | correct | tool calls executed | tasks without a call | median seconds |",
        "|---|---|---|---|---|",
    ]
    for name in FRAMEWORKS:
        mine = [run for run in runs if run["framework"] == name]
        if mine:
            right, calls = sum(run["right"] for run in mine), [call for run in mine for call in run["calls"]]
            answered = sum(not call.endswith("!") for call in calls)
            idle, median = sum(not run["calls"] for run in mine), statistics.median(run["seconds"] for run in mine)
            score = f"{right} of {len(mine)} ({right / len(mine):.0%})"
            lines.append(f"| {name} | {score} | {len(calls)}, {answered} of them answered | {idle} | {median:.1f} |")
    return "\n".join(lines)


def main() -> int:
    """0: all that there was time for was run."""
    parser = argparse.ArgumentParser(description="the same tasks through other frameworks")
    parser.add_argument("--json", type=Path, default=Path("rivals.json"))
    parser.add_argument("--suite", type=Path, default=HERE, help="the folder of the tasks and their make_world.py")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9, help="start no further task after N minutes")
    parser.add_argument("--frameworks", type=lambda text: text.split(","), default=list(FRAMEWORKS))
    parser.add_argument("--only", type=lambda text: set(text.split(",")), default=None, metavar="ID,ID")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv" / "bin" / "python", help="has Ringfence")
    given = parser.parse_args()
    os.environ |= QUIET
    cases = [case["id"] for case in yaml.safe_load((given.suite / "tasks.yaml").read_text("utf-8"))["cases"]]
    cases = [case for case in cases if given.only is None or case in given.only]
    runs: list[dict[str, Any]] = json.loads(given.json.read_text("utf-8")) if given.json.exists() else []
    random.Random("order").shuffle(cases)  # what an interrupted measurement has is a sample of all
    play(given, cases, runs)
    print(f"\n{table([run for run in runs if run['seed'] == given.seed])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
