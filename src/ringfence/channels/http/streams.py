"""A run as server-sent events: from where the client left off, until nothing comes any more."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from ringfence.app.serving.feed import Delta
from ringfence.app.serving.history import History
from ringfence.app.serving.shown import place, shown
from ringfence.core.errors import RingfenceError
from ringfence.core.values import JSON

from . import caller
from .problems import Problem, of

BEAT_S = 15.0  # between signs of life: proxies cut what is silent for a minute
LOOK_S = 5.0  # between two looks whether the caller may still see what comes
RETRY_MS = 2_000  # before a client that was cut off comes again
MOST = 256 * 1024  # bytes of a stream that wait to be sent
_BEAT = b": still here\n\n"
_LEAST = 8  # streams that anybody may have open
STREAM = {
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


def room(request: Request, who: caller.Caller) -> None:
    """Raises Problem 429 where somebody has as many streams open as one may have."""
    limits = request.app.state.service.agent.manifest.server.limits
    most = max(_LEAST, 2 * (limits.running_each + limits.queued_each))
    if request.app.state.streams[who.principal.subject] >= most:
        raise Problem(429, "streams", f"you have {most} streams open", todo="close one, and come again",
                      headers={"Retry-After": "5"})  # fmt: skip


def streamed(request: Request, who: caller.Caller, history: History, run: str, last: str = "") -> Response:
    """The events of a run of theirs behind the one with the id `last`."""
    return _Stream(request, who, _told(history, who, run, last), f"/v1/runs/{run}/events")


class _Stream(Response):
    """Events, for as long as the client is there and what it came in with holds: a session ends, a key is revoked.

    Starlette's own way takes a task group and two tasks for each stream.
    """

    media_type = "text/event-stream"

    def __init__(self, request: Request, who: caller.Caller, lines: AsyncGenerator[bytes, None], place: str) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Location": place})
        del self.headers["content-length"]
        self._request = request
        self._who = who
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        streams, subject = self._request.app.state.streams, self._who.principal.subject
        gone = asyncio.create_task(_gone(receive), name="gone")
        streams[subject] += 1
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            looked = time.monotonic()
            async with aclosing(alive(self._lines, gone=gone)) as pieces:
                async for piece in pieces:
                    if (now := time.monotonic()) - looked >= LOOK_S:
                        looked = now
                        if not caller.holds(self._request, self._who):
                            break
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            streams[subject] -= 1
            if not streams[subject]:
                del streams[subject]


async def _gone(receive: Receive) -> None:
    """Return when the client is."""
    while (await receive())["type"] != "http.disconnect":
        pass


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


async def alive(
    lines: AsyncGenerator[bytes, None], beat_s: float = BEAT_S, *, gone: asyncio.Task[None] | None = None
) -> AsyncGenerator[bytes, None]:
    """The lines, those that came at once in one piece, and a comment whenever none has come for `beat_s` seconds.

    They end before their end when the client is `gone`.

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
    if gone is not None:
        gone.add_done_callback(lambda _: news.set())
    try:
        while gone is None or not gone.done():
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
