"""A server on loopback, as clients from elsewhere meet it: uvicorn, a scripted model, callers alice and bob."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from openai import AsyncOpenAI

from ringfence import app as composition
from ringfence.app.serving.service import Service
from ringfence.channels.http.app import application
from ringfence.core.ports import Sink
from ringfence.core.values import Action, Outcome
from ringfence.manifest.loader import load
from ringfence.testing.scripted import ScriptedModel

from .kit import ALICE, ANSWER, BOB, MANIFEST, Known


@dataclass
class Online:
    """Where it listens, the app, and its model."""

    url: str
    app: FastAPI
    model: ScriptedModel

    @property
    def service(self) -> Service:
        """What is behind it."""
        found: Service = self.app.state.service
        return found

    def openai(self, name: str = "alice") -> AsyncOpenAI:
        """OpenAI's own client, which tries nothing twice."""
        return AsyncOpenAI(base_url=f"{self.url}/v1", api_key=name, max_retries=0)


class Aloud(ScriptedModel):
    """It says what it says in pieces, as a model does that has to think about each."""

    async def perform(self, action: Action) -> Outcome:
        """Its next answer."""
        outcome = await super().perform(replace(action, progress=None))
        text = str(outcome.value["text"])
        for place in range(0, len(text), 7):
            if action.progress is not None:
                action.progress(text[place : place + 7])
            for _ in range(5):
                await asyncio.sleep(0)
        return outcome


@asynccontextmanager
async def online(
    folder: Path, steps: Any = (ANSWER,), *, manifest: str = MANIFEST, model: Sink | None = None, **more: Any
) -> AsyncIterator[Online]:
    """It, with a journal of its own in `folder`; `steps` are the model's."""
    file = folder / "ringfence.yaml"
    file.write_text(manifest)
    scripted = ScriptedModel(steps if callable(steps) else list(steps))
    agent = composition.from_manifest(load(file), model=model or scripted, **more)
    web = application(Service(agent), Known({"alice": ALICE, "bob": BOB}))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(web, log_level="error", timeout_graceful_shutdown=5))
    async with agent:
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield Online(f"http://127.0.0.1:{listener.getsockname()[1]}", web, scripted)
        finally:
            server.should_exit = True
            await serving
            listener.close()
