"""A run as server-sent events: from where the client left off, until nothing comes any more."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, contextmanager
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from ringfence.app.serving.feed import Delta
from ringfence.app.serving.history import History
from ringfence.app.serving.shown import place, shown
from ringfence.core.errors import RingfenceError
from ringfence.core.values import JSON

from . import caller
from .problems import Problem, of, said
from .runs import RunId, history_of, service_of
from .schema import shape

T = TypeVar("T")
BEAT_S = 15.0  # between signs of life: proxies cut what is silent for a minute
LOOK_S = 5.0  # between two looks whether the caller may still see what comes
RETRY_MS = 2_000  # before a client that was cut off comes again
MOST = 256 * 1024  # bytes of a stream that wait to be sent
_BEAT = b": still here\n\n"
_LEAST = 8  # streams that anybody may have open
_STREAM = {
    "type": "object",
    "description": "each event of the stream. Beside records there are `delta` (what the model is saying, without an"
    " id), `reset` (forget what you have: a crash took it), `error`, and `end`, the last one, with the status of the"
    " run; `: comments` in between are signs of life",
    "required": ["event", "data"],
    "properties": {
        "id": {"type": "string", "description": "SEQ-TIME of a record: what `Last-Event-ID` names"},
        "event": {"type": "string", "description": "the kind of a record, delta, reset, error or end"},
        "data": {"type": "string", "description": "JSON; of a record, what `getRecord` answers, with long values cut"},
    },
    "examples": [
        {
            "id": "0-1790000000000",
            "event": "run.started",
            "data": '{"run":"1kb2m9x0q7d3f5h8j1n4","seq":0,"time":1790000000000,"kind":"run.started"}',
        }
    ],
}

routes = APIRouter(prefix="/v1/runs", tags=["runs"])


@routes.get("/{run}/events", operation_id="followRun", response_class=StreamingResponse,
            responses=shape(200, _STREAM, "text/event-stream") | said(404, 410, 422))  # fmt: skip
async def events(
    request: Request,
    who: caller.Runs,
    run: RunId,
    last_event_id: Annotated[str, Header(max_length=64, description="the last event that you have")] = "",
    after: Annotated[str, Query(max_length=64, description="the same, where no header can be sent")] = "",
) -> StreamingResponse:
    """The run as it happens, from behind `Last-Event-ID` on, until it ends or waits for a person."""
    history = history_of(request)
    await history.own(who.principal, run)
    limits = service_of(request).agent.manifest.server.limits
    most = max(_LEAST, 2 * (limits.running_each + limits.queued_each))
    open_streams: Counter[str] = request.app.state.streams
    if open_streams[who.principal.subject] >= most:
        raise Problem(429, "streams", f"you have {most} streams open", todo="close one, and come again",
                      headers={"Retry-After": "5"})  # fmt: skip
    told = _told(history, who, run, last_event_id or after)
    return StreamingResponse(
        _counted(open_streams, who.principal.subject, _let_in(request, who, alive(told))),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _counted(streams: Counter[str], subject: str, lines: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    with _one_more(streams, subject):
        async with aclosing(lines):
            async for line in lines:
                yield line


async def _let_in(
    request: Request, who: caller.Caller, lines: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    """The lines, for as long as what the caller came in with holds: a session ends, a key is revoked meanwhile."""
    looked = time.monotonic()
    async with aclosing(lines):
        async for line in lines:
            if (now := time.monotonic()) - looked >= LOOK_S:
                looked = now
                if not caller.holds(request, who):
                    return
            yield line


@contextmanager
def _one_more(streams: Counter[str], subject: str) -> Any:
    streams[subject] += 1
    try:
        yield
    finally:
        streams[subject] -= 1
        if not streams[subject]:
            del streams[subject]


async def _told(history: History, who: caller.Caller, run: str, last: str) -> AsyncGenerator[bytes, None]:
    yield f"retry: {RETRY_MS}\n\n".encode()
    member = who.principal.member
    try:
        async with aclosing(history.follow(who.principal, run, last)) as items:
            async for item in items:
                if item is None:
                    yield _event("reset", {"run": run})
                elif isinstance(item, Delta):
                    yield _event("delta", {"field": item.field, "text": item.text})
                else:
                    yield _event(str(item.kind), shown(item, member), place(item))
        standing = await history.own(who.principal, run)
        yield _event("end", {"run": run, "status": standing.state})
    except RingfenceError as error:  # the answer has begun: no status can say so any more
        yield _event("error", of(error).body())


async def alive(lines: AsyncGenerator[bytes, None], beat_s: float = BEAT_S) -> AsyncGenerator[bytes, None]:
    """The lines, those that came at once in one piece, and a comment whenever none has come for `beat_s` seconds.

    A client that reads slowly holds up whoever makes the lines, not more than `MOST` bytes of them.
    """
    held, size, news, room = list[bytes](), 0, asyncio.Event(), asyncio.Event()

    async def fetch() -> None:
        nonlocal size
        async for line in lines:
            held.append(line)
            size += len(line)
            news.set()
            while size > MOST:
                room.clear()
                await room.wait()

    fetching = asyncio.create_task(fetch(), name="events")
    fetching.add_done_callback(lambda _: news.set())
    try:
        while True:
            if not held and not fetching.done():
                try:
                    async with asyncio.timeout(beat_s):
                        await news.wait()
                except TimeoutError:
                    yield _BEAT
                    continue
            news.clear()
            if held:
                piece, size = b"".join(held), 0
                held.clear()
                room.set()
                yield piece
            elif fetching.done():
                fetching.result()
                return
    finally:
        fetching.cancel()
        await asyncio.wait([fetching])
        await lines.aclose()


def _event(kind: str, data: JSON, ident: str = "") -> bytes:
    head = f"id: {ident}\n" if ident else ""
    return f"{head}event: {kind}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
