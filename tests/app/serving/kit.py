"""A service with a journal on disk, and a model that answers when a test lets it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ringfence import app as composition
from ringfence import tool
from ringfence.app.agent import Agent
from ringfence.app.serving.service import Service
from ringfence.core.ports import Sink
from ringfence.core.values import Action, Outcome, Principal
from ringfence.manifest.loader import load
from ringfence.testing.scripted import ScriptedModel

ANSWER = '{"thought": "easy", "final_answer": {"answer": "Yes, it is so.", "artifacts": [], "confidence": "high"}}'
ALICE, BOB = Principal("user:alice", frozenset({"role:ops"})), Principal("user:bob", frozenset({"role:hr"}))
AUDITOR = Principal("user:carol", frozenset({"role:auditor"}))


class Patient:
    """A model that answers only when it is let, and knows what it was asked, in order."""

    def __init__(self, *answers: str) -> None:
        self._answers = deque(answers)  # then it says the usual
        self._model = ScriptedModel(lambda _: self._answers.popleft() if self._answers else ANSWER)
        self._may = asyncio.Semaphore(0)
        self.asked: list[str] = []  # runs
        self.at_once = self.most = 0

    async def perform(self, action: Action) -> Outcome:
        self.asked.append(action.run)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await self._may.acquire()
            return await self._model.perform(action)
        finally:
            self.at_once -= 1

    def say(self, *answers: str) -> None:
        """Have it say these next."""
        self._answers.extend(answers)

    def let(self, answers: int = 1) -> None:
        """Let so many requests be answered, now or later."""
        for _ in range(answers):
            self._may.release()


def manifest_of(limits: str = "{}", more: str = "") -> str:
    return f"""
runtime: {{name: kit}}
inference: {{provider: openai, model: scripted, endpoint: "http://127.0.0.1:1/v1"}}
workflow: {{tool_first: false}}
sandbox: unsafe-none
server: {{limits: {limits}}}
{more}
"""


def agent_in(folder: Path, model: Sink, *, limits: str = "{}", more: str = "") -> Agent:
    """An agent on the journal of a folder, with a tool that asks; a second one stands for another process."""
    file = folder / "ringfence.yaml"
    file.write_text(manifest_of(limits, more))

    @tool("write", roles={"text": "text"}, audience=["self"], ask=True)
    def note(text: str) -> str:
        """Keep a note."""
        with (folder / "notes.txt").open("a") as kept:
            kept.write(text + "\n")
        return "kept"

    return composition.from_manifest(load(file), functions=[note], model=model)


@asynccontextmanager
async def serving(
    folder: Path, model: Sink, *, limits: str = "{}", more: str = "", drain_s: float = 0.0
) -> AsyncIterator[Service]:
    """A service that was started, and is closed at the end; what is under way then is interrupted."""
    async with agent_in(folder, model, limits=limits, more=more) as agent:
        service = Service(agent)
        await service.start()
        try:
            yield service
        finally:
            await service.close(drain_s)


async def until(found: Callable[[], object], seconds: float = 60.0) -> None:
    """Return when something holds; fail if it never does."""
    async with asyncio.timeout(seconds):
        while not found():  # noqa: ASYNC110 - of many kinds, and most tell nobody
            await asyncio.sleep(0.005)


async def followed(service: Service, who: Principal, run: str, after: int = -1) -> list[Any]:
    """Everything that a follower is given, to the end."""
    return [item async for item in service.events(who, run, after)]
