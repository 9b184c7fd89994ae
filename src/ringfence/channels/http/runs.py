"""Runs over HTTP: begin one, look at it, follow it, answer what it asks, end it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from ringfence.app.serving.feed import Delta
from ringfence.app.serving.service import Service
from ringfence.app.serving.shown import place, shown
from ringfence.core.values import JSON

from . import caller

routes = APIRouter(prefix="/v1/runs", tags=["runs"])


class NewRun(BaseModel):
    """A task for the agent."""

    model_config = ConfigDict(extra="forbid")

    task: Annotated[str, Field(min_length=1, max_length=100_000, description="what to do")]
    conversation: Annotated[str, Field(max_length=200, description="what was said before in it is shown")] = ""
    metadata: Annotated[dict[str, str], Field(max_length=16, description="yours, kept with the run")] = {}


class Started(BaseModel):
    """A run that is on record."""

    id: str
    status: str


def service_of(request: Request) -> Service:
    """The one service of the app."""
    service: Service = request.app.state.service
    return service


@routes.post("", status_code=202)
async def begin(request: Request, who: caller.Runs, new: NewRun) -> Started:
    """Begin a run; it is durable when this answers."""
    service = service_of(request)
    headers = request.headers
    run = await service.submit(
        who.principal, new.task, conversation=new.conversation, meta={"metadata": new.metadata},
        traceparent=headers.get("traceparent", ""), tracestate=headers.get("tracestate", ""),
    )  # fmt: skip
    return Started(id=run, status="queued")


@routes.get("/{run}/events")
async def events(
    request: Request, who: caller.Runs, run: str, last_event_id: Annotated[str, Header()] = ""
) -> StreamingResponse:
    """The run as server-sent events, from behind `Last-Event-ID` on."""
    service = service_of(request)
    found = service.find(who.principal, run)
    return StreamingResponse(
        _stream(service, who, found, last_event_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


async def _stream(service: Service, who: caller.Caller, run: str, last: str) -> AsyncGenerator[bytes, None]:
    after = -1
    if last:
        seq = last.partition("-")[0]
        known = service.agent.journal.log.read(run, int(seq)) if seq.isdigit() else []
        if known and place(known[0]) == last:
            after = int(seq)
        else:  # a crash took that record, and another one is in its place
            yield _event("reset", {"run": run})
    async with aclosing(service.events(who.principal, run, after)) as items:
        async for item in items:
            if isinstance(item, Delta):
                yield _event("delta", {"field": item.field, "text": item.text})
            else:
                yield _event(str(item.kind), shown(item, who.principal.member), place(item))
    result = await service.result(who.principal, run)
    yield _event("end", {"run": run, "status": result.status})


def _event(kind: str, data: JSON, ident: str = "") -> bytes:
    head = f"id: {ident}\n" if ident else ""
    return f"{head}event: {kind}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
