"""The tools of a world for anybody: one JSON object a line in, one a line out. `python bench/slm/toolbox.py FOLDER`.

{"tools": true}                -> {"tools": [{name, summary, schema}, ...]}: what the agent's own model is offered
{"task": ID}                   -> {"task": text}
{"call": NAME, "args": {...}}  -> {"result": JSON} or {"error": words for a model}
{"judge": ID, "answer": text}  -> {"why": why it is wrong, empty if it is right}
{"server": true}               -> {"url": ..., "key": ..., "model": ...} of the embedded model, started if need be

The tools are ours, with their catalogue's names, words and schemas, in the same sandbox; between them and whoever calls
there is no gate. So a benchmark compares loops, not tools.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ringfence.app.house import House, furnish
from ringfence.app.ids import now_ms
from ringfence.core.errors import RingfenceError, ToolError
from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action
from ringfence.engine.mapreduce import SPEC as READ_ALL
from ringfence.engine.readmore import SPEC as READ_MORE
from ringfence.evals import suite
from ringfence.evals.judge import judge
from ringfence.evals.measure import Measured
from ringfence.manifest.loader import load

OF_THE_LOOP = (READ_MORE.name, READ_ALL.name)  # they read on in results that our loop keeps


class Toolbox:
    """The tools of one world, open as long as it is."""

    def __init__(self, folder: Path, tasks: Path) -> None:
        self.folder = folder
        self.manifest = load(folder / "ringfence.yaml")
        self.house: House = furnish(self.manifest, (), clock=now_ms)
        self.house.note = lambda _run, _attempt: None  # there is no record to put an egress on
        self.suite = {case.id: case for case in suite.load(tasks).cases}
        self.expected, self.values = suite.expected_of(folder / "expect.json")

    async def __aenter__(self) -> Toolbox:
        if self.house.launcher is not None:
            await self.house.launcher.choose()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.house.aclose()

    def tools(self) -> list[dict[str, Any]]:
        """Name, summary and JSON Schema of each tool that a model is offered."""
        shown = [
            spec
            for name, spec in self.house.specs.items()
            if name.startswith("tool:") and name not in OF_THE_LOOP and (spec.opens != "" or name == "tool:sql.query")
        ]
        return [{"name": spec.name[5:], "summary": spec.summary, "schema": shown_schema(spec.schema)} for spec in shown]

    async def call(self, name: str, args: dict[str, Any]) -> dict[str, Any]:
        """One call; what went wrong is said in the words that our own model gets."""
        spec = self.house.specs.get(f"tool:{name}")
        if spec is None or spec.check is None:
            return {"error": f"there is no tool {name}"}
        try:
            full = spec.check(args)
            outcome = await self.house.sinks[spec.name].perform(Action(spec.name, full, IDENTITY))
        except ToolError as error:
            return {"error": f"{error.what}; {error.todo}" if error.todo else error.what}
        except ValueError as error:
            return {"error": str(error)}
        return {"result": outcome.value}

    def judge(self, case: str, answer: str) -> str:
        """Why an answer, or what was left behind, is wrong; empty if nothing is."""
        expected = self.suite[case].with_expected(self.expected.get(case, suite.Expected()))
        ended = {"status": "done", "answer": answer, "seconds": 0.0}
        return "; ".join(judge(expected, suite.Budget(), **ended, ran=Measured(), root=self.folder))

    def task(self, case: str) -> str:
        """A task as it is put."""
        text = self.suite[case].task
        for name, value in self.values.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    async def server(self) -> dict[str, str]:
        """Where the model is served; asking again keeps it there."""
        backend = self.house.backends[0]
        await backend.probe()
        server = backend.sink._server  # nobody else has a use for its address
        state = server.state()
        return {"url": f"http://127.0.0.1:{state.port}/v1", "key": state.key, "model": server.alias}


def shown_schema(node: Any) -> Any:
    """A schema without our own keys, which mean something to our grammar alone."""
    if isinstance(node, list):
        return [shown_schema(item) for item in node]
    if isinstance(node, dict):
        return {key: shown_schema(value) for key, value in node.items() if key != "x-from"}
    return node


async def answer(box: Toolbox, asked: dict[str, Any]) -> dict[str, Any]:
    """One line's answer."""
    match asked:
        case {"tools": True}:
            return {"tools": box.tools()}
        case {"server": True}:
            return await box.server()
        case {"call": str(name), "args": dict(args)}:
            return await box.call(name, args)
        case {"judge": str(case), "answer": str(text)}:
            return {"why": box.judge(case, text)}
        case {"task": str(case)}:
            return {"task": box.task(case)}
    return {"error": "expected tools, server, task, call or judge"}


async def serve(folder: Path, tasks: Path, read: Callable[[], Awaitable[str]], write: Callable[[str], None]) -> None:
    """Answer line after line."""
    async with Toolbox(folder, tasks) as box:
        while line := await read():
            write(json.dumps(await answer(box, json.loads(line)), ensure_ascii=True) + "\n")


def main() -> int:
    """0: the input ended; 2: the world cannot be used."""
    parser = argparse.ArgumentParser(description="the tools of a world, one JSON object a line")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--suite", type=Path, default=Path(__file__).parent, help="where the tasks.yaml is")
    given = parser.parse_args()

    def write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    async def read() -> str:
        return await asyncio.to_thread(sys.stdin.readline)

    try:
        asyncio.run(serve(given.folder.resolve(), given.suite / "tasks.yaml", read, write))
    except RingfenceError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
