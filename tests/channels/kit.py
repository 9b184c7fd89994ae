"""A server in process, with a scripted model, for callers who are known by a header's word alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI, Request

from ringfence import app as composition
from ringfence.app.serving.service import Service
from ringfence.channels.http.app import application
from ringfence.channels.http.caller import Caller
from ringfence.core.values import Action, Outcome, Principal
from ringfence.manifest.loader import load
from ringfence.testing.scripted import ScriptedModel

MANIFEST = """
runtime: {name: kit}
inference: {provider: openai, model: scripted, endpoint: "http://127.0.0.1:1/v1"}
tools: []
"""
ANSWER = '{"thought": "easy", "final_answer": {"answer": "42", "artifacts": [], "confidence": "high"}}'
ALICE, BOB = Principal("user:alice", frozenset({"role:ops"})), Principal("user:bob", frozenset({"role:hr"}))
ADA, OTTO = Principal("user:ada", frozenset({"role:admin"})), Principal("user:otto", frozenset({"role:auditor"}))
SUE = Principal("user:sue", ALICE.roles | BOB.roles | ADA.roles | OTTO.roles)  # may do everything
AS_ALICE, AS_BOB, AS_ADA, AS_OTTO = ({"Authorization": f"Bearer {name}"} for name in ("alice", "bob", "ada", "otto"))


class Held(ScriptedModel):
    """A scripted model that answers when it is let go of: `asked` is set once it was asked."""

    def __init__(self, steps: Sequence[Any]) -> None:
        super().__init__(list(steps))
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def perform(self, action: Action) -> Outcome:
        self.asked.set()
        await self.go.wait()
        return await super().perform(action)


def step(tool: str, **args: Any) -> str:
    """What a model says that calls a tool."""
    return json.dumps({"thought": "I call it", "calls": [{"tool": tool, "args": args}]})


def final(answer: str) -> str:
    """What a model says at the end."""
    done = {"answer": answer, "artifacts": [], "confidence": "high"}
    return json.dumps({"thought": "done", "final_answer": done})


class Known:
    """Whoever says `Authorization: Bearer NAME` is NAME: a test of what comes behind, never of who comes in."""

    def __init__(self, callers: Mapping[str, Principal]) -> None:
        self._callers = callers

    async def caller(self, request: Request) -> Caller | None:
        name = request.headers.get("authorization", "").removeprefix("Bearer ")
        return Caller(self._callers[name], "key") if name in self._callers else None


@asynccontextmanager
async def served(
    folder: Path, steps: Sequence[Any] = (ANSWER,), *, manifest: str = MANIFEST, model: Any = None
) -> AsyncIterator[tuple[httpx2.AsyncClient, FastAPI]]:
    """An app with a journal of its own in `folder`, and a client of it."""
    file = folder / "ringfence.yaml"
    file.write_text(manifest)
    model = model or ScriptedModel(list(steps))
    agent = composition.from_manifest(load(file), model=model)
    web = application(Service(agent), Known({"alice": ALICE, "bob": BOB, "ada": ADA, "otto": OTTO, "sue": SUE}))
    web.state.model = model
    async with agent, web.router.lifespan_context(web):
        transport = httpx2.ASGITransport(web)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client, web


async def ended(client: httpx2.AsyncClient, run: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """A run once nothing comes any more: it has ended, or waits."""
    await client.get(f"/v1/runs/{run}/events", headers=headers)
    return (await client.get(f"/v1/runs/{run}", headers=headers)).json()
