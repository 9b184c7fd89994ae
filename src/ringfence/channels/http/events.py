"""A run that is followed: one that was begun before, from where the client left off."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from . import caller, streams
from .problems import said
from .runs import RunId, history_of
from .schema import shape

routes = APIRouter(prefix="/v1/runs", tags=["runs"])


@routes.get("/{run}/events", operation_id="followRun", response_class=StreamingResponse,
            responses=shape(200, streams.STREAM, "text/event-stream") | said(404, 410, 422))  # fmt: skip
async def events(
    request: Request,
    who: caller.Runs,
    run: RunId,
    last_event_id: Annotated[str, Header(max_length=64, description="the last event that you have")] = "",
    after: Annotated[str, Query(max_length=64, description="the same, where no header can be sent")] = "",
) -> Response:
    """The run as it happens, from behind `Last-Event-ID` on, until it ends or waits for a person."""
    history = history_of(request)
    await history.own(who.principal, run)
    streams.room(request, who)
    return streams.streamed(request, who, history, run, last_event_id or after)
