"""A run that remembers something, killed at one point of it: `python -m tests.crash.memory_writer FOLDER POINT`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringfence.app import Agent, from_manifest
from ringfence.app.knowing import remembering
from ringfence.core.values import Principal
from ringfence.knowledge.memory import notes
from ringfence.knowledge.sqlite import SqliteIndex
from ringfence.manifest.loader import load
from ringfence.testing.scripted import ScriptedModel

from ..scenarios.test_effects import done, step

MANIFEST = """\
inference: {provider: llamacpp, model: scripted}
memory: {enabled: true, notes: ./diary}
tools: [{name: calc, type: builtin, callers: [role:ops]}]
"""
ALICE = Principal("user:alice", frozenset({"role:ops"}))
FIRST, TASK = "Remember that my manager is Bob.", "Remember that my manager is Carol."
POINTS = ("before put 1", "after put 1", "before put 2", "after put 2", "noted")


def agent_of(folder: Path, *script: str) -> Agent:
    """An agent that finds by words alone, if `by_words_alone` was said before."""
    (folder / "ringfence.yaml").write_text(MANIFEST)
    agent = from_manifest(load(folder / "ringfence.yaml"), model=ScriptedModel(script))
    agent.principal = ALICE
    return agent


def save(name: str) -> str:
    """What the model says to have it remembered."""
    return step("memory.save", text=f"my manager is {name}")


def by_words_alone(put: Callable[[object, str, object], None] = setattr) -> None:
    """No model makes vectors: with `setattr` in this process for good, with a monkeypatch's until a test ends."""
    put(remembering, "embedder_of", lambda *_: None)
    put(remembering.models, "paths", lambda *_: ())


async def work(folder: Path, point: str) -> None:
    """Remember two managers; at the point, in the second run, the process is gone."""
    by_words_alone()
    async with agent_of(folder, save("Bob"), done("Noted."), save("Carol"), done("Noted.")) as agent:
        await agent.run(FIRST)
        _armed(point)
        await agent.run(TASK)


def _armed(point: str) -> None:
    puts, put, note = 0, SqliteIndex.put, notes.note

    async def counted(self: SqliteIndex, *args: Any, **more: Any) -> None:
        nonlocal puts
        puts += 1
        _die(point, f"before put {puts}")
        await put(self, *args, **more)
        _die(point, f"after put {puts}")

    def noted(*args: Any) -> None:
        note(*args)
        _die(point, "noted")

    SqliteIndex.put = counted  # type: ignore[method-assign,assignment]
    notes.note = noted  # type: ignore[assignment]


def _die(wanted: str, here: str) -> None:
    if wanted == here:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), sys.argv[2]))
