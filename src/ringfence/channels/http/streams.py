"""A run as server-sent events: from where the client left off, until nothing comes any more."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from ringfence.app.serving.feed import Delta
from ringfence.app.serving.history import History
from ringfence.app.serving.shown import place, shown
from ringfence.core.chain import Record
from ringfence.core.errors import RingfenceError
from ringfence.core.values import JSON

from . import caller
from .problems import Problem, of

BEAT_S = 15.0  # between signs of life: proxies cut what is silent for a minute
LOOK_S = 5.0  # between two looks whether the caller may still see what comes
RETRY_MS = 2_000  # before a client that was cut off comes again
MOST = 256 * 1024  # bytes of a stream that wait to be sent
_BEAT = b": still here\n\n"
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
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
    return _Stream(request, who, _Told(history, who, run, last))


class _Told:
    """The events of a run for one who follows it, those that are there at once in one piece."""

    def __init__(self, history: History, who: caller.Caller, run: str, last: str) -> None:
        self.run = run
        self.ended = False  # with the piece that was given last
        self._history = history
        self._who = who.principal
        self._last = last

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Of `MOST` bytes and an event more at most."""
        held = [f"retry: {RETRY_MS}\n\n".encode()]
        try:
            async with aclosing(self._history.follow(self._who, self.run, self._last)) as batches:
                async for batch in batches:
                    size = 0
                    for line in [_event("reset", {"run": self.run})] if batch is None else map(self._line, batch):
                        held.append(line)
                        size += len(line)
                        if size > MOST:
                            yield b"".join(held)
                            held, size = [], 0
                    if held:
                        yield b"".join(held)
                        held = []
            standing = await self._history.own(self._who, self.run)
            held.append(_event("end", {"run": self.run, "status": standing.state}))
        except RingfenceError as error:  # the answer has begun: no status can say so any more
            held.append(_event("error", of(error).body()))
        self.ended = True
        yield b"".join(held)

    def _line(self, item: Record | Delta) -> bytes:
        if isinstance(item, Delta):
            return _event("delta", {"field": item.field, "text": item.text})
        return _event(str(item.kind), shown(item, self._who.member), place(item))


class _Stream(Response):
    """Events, for as long as the client is there and what it came in with holds: a session ends, a key is revoked.

    Who reads slowly holds up nobody but itself: nothing more is fetched for it while a piece waits to be sent. All is
    done in the task of the request; Starlette's own way takes a task group and two tasks for each stream.
    """

    media_type = "text/event-stream"

    def __init__(self, request: Request, who: caller.Caller, told: _Told) -> None:
        run = f"/v1/runs/{told.run}"
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Location": run,
                                  "Content-Location": f"{run}/events"})  # fmt: skip
        del self.headers["content-length"]
        self._request = request
        self._who = who
        self._told = told
        self._hung_up = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        streams, subject = self._request.app.state.streams, self._who.principal.subject
        task = asyncio.current_task()
        assert task is not None

        def hang_up(_: object = None) -> None:
            self._hung_up = True
            task.cancel()

        gone = asyncio.create_task(_gone(receive), name="gone")
        gone.add_done_callback(hang_up)
        beat = _Beat(send, self._holds, hang_up)
        streams[subject] += 1
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._sent(beat)
        except asyncio.CancelledError:
            if not self._hung_up or task.uncancel():
                raise
            if not gone.done():  # what they came in with has ended while nothing came
                await beat.send(b"", more=False)
        finally:
            gone.remove_done_callback(hang_up)
            gone.cancel()
            beat.stop()
            streams[subject] -= 1
            if not streams[subject]:
                del streams[subject]

    async def _sent(self, beat: _Beat) -> None:
        looked = time.monotonic()
        async with aclosing(self._told.pieces()) as pieces:
            async for piece in pieces:
                if (now := time.monotonic()) - looked >= LOOK_S:
                    looked = now
                    if not self._holds():
                        break
                await beat.send(piece, more=not self._told.ended)
        if not self._told.ended:
            await beat.send(b"", more=False)

    def _holds(self) -> bool:
        return caller.holds(self._request, self._who)


class _Beat:
    """Sends pieces, and a comment whenever there was none for `BEAT_S` seconds, or `lapse`s if nothing `holds` then."""

    def __init__(self, send: Send, holds: Callable[[], bool], lapse: Callable[[], None]) -> None:
        self._send = send
        self._holds = holds
        self._lapse = lapse
        self._loop = asyncio.get_running_loop()
        self._busy = 0
        self._last = self._loop.time()
        self._timer = self._loop.call_later(BEAT_S, self._look)
        self._beating: asyncio.Task[None] | None = None

    async def send(self, piece: bytes, *, more: bool = True) -> None:
        """Send a piece; returns when there is room for another one."""
        self._busy += 1
        try:
            await self._send({"type": "http.response.body", "body": piece, "more_body": more})
        finally:
            self._busy -= 1
            self._last = self._loop.time()

    def stop(self) -> None:
        """No more of them."""
        self._timer.cancel()
        if self._beating is not None:
            self._beating.cancel()

    def _look(self) -> None:
        left = BEAT_S - (self._loop.time() - self._last)
        if left <= 0 and not self._busy:
            if not self._holds():
                self._lapse()
                return
            self._beating = self._loop.create_task(self.send(_BEAT), name="beat")
        self._timer = self._loop.call_later(left if left > 0 else BEAT_S, self._look)


async def _gone(receive: Receive) -> None:
    """Return when the client is."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(kind: str, data: JSON, ident: str = "") -> bytes:
    head = f"id: {ident}\n" if ident else ""
    return f"{head}event: {kind}\ndata: {_JSON(data)}\n\n".encode()
