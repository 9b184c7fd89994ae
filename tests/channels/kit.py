"""A server in process, with a scripted model, for callers who are known by a header's word alone."""

from __future__ import annotations

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
from ringfence.core.values import Principal
from ringfence.manifest.loader import load
from ringfence.testing.scripted import ScriptedModel

MANIFEST = """
runtime: {name: kit}
inference: {provider: openai, model: scripted, endpoint: "http://127.0.0.1:1/v1"}
tools: []
"""
ANSWER = '{"thought": "easy", "final_answer": {"answer": "42", "artifacts": [], "confidence": "high"}}'
ALICE, BOB = Principal("user:alice", frozenset({"role:ops"})), Principal("user:bob", frozenset({"role:hr"}))


class Known:
    """Whoever says `Authorization: Bearer NAME` is NAME: a test of what comes behind, never of who comes in."""

    def __init__(self, callers: Mapping[str, Principal]) -> None:
        self._callers = callers

    async def caller(self, request: Request) -> Caller | None:
        name = request.headers.get("authorization", "").removeprefix("Bearer ")
        return Caller(self._callers[name], "key") if name in self._callers else None


@asynccontextmanager
async def served(
    folder: Path, steps: Sequence[Any] = (ANSWER,), *, manifest: str = MANIFEST
) -> AsyncIterator[tuple[httpx2.AsyncClient, FastAPI]]:
    """An app with a journal of its own in `folder`, and a client of it."""
    file = folder / "ringfence.yaml"
    file.write_text(manifest)
    agent = composition.from_manifest(load(file), model=ScriptedModel(list(steps)))
    web = application(Service(agent), Known({"alice": ALICE, "bob": BOB}))
    async with agent, web.router.lifespan_context(web):
        transport = httpx2.ASGITransport(web)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client, web
