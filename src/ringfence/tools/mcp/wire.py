"""The two ways to a server, both bounded by us: the `mcp` library has no cap of its own on what a server may send.

A line or a body that is too long is cut off where the limit is and never held as a whole; what nobody asked for is
counted and dropped; a server that sends too much of it is hung up on.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any

import anyio

from ringfence.jobs import Job, Launcher, Process

if TYPE_CHECKING:
    import httpx2
    from mcp.shared.message import SessionMessage

CHUNK = 65_536
MAX_UNASKED = 500  # messages and lines in a minute, or between two requests of ours, that answer none of them
MAX_ROUNDS = 4  # times the size of one message: what may come in that time
FORGIVEN_S = 60.0
CLOSE_S = 1.0  # what a server gets to end by itself once its input is closed
MAX_STDERR = 2_000

Streams = tuple[Any, Any]  # what the library reads from and writes to


class Valve:
    """Counts what a server sends. `why` says why it was hung up on; `stale` that it says its tools have changed."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.why = ""
        self.stale = False
        self.stderr = b""
        self.closed = asyncio.Event()
        self._asked: set[int | str] = set()
        self._since = self._unasked = self._bytes = 0.0

    def close(self, why: str) -> None:
        """Hang up; the first reason counts."""
        self.why = self.why or why
        self.closed.set()

    def ask(self, request_id: int | str) -> None:
        """A request of ours goes out: what was counted so far is forgiven."""
        self._asked.add(request_id)
        self._forgive(time.monotonic())

    def _forgive(self, now: float) -> None:
        self._since, self._unasked, self._bytes = now, 0.0, 0.0

    def take(self, size: int) -> bool:
        """Whether so many bytes more may come."""
        if (now := time.monotonic()) - self._since > FORGIVEN_S:
            self._forgive(now)
        self._bytes += size
        if self._bytes > MAX_ROUNDS * self.max_bytes + CHUNK:
            self.close(f"sent more than {MAX_ROUNDS * self.max_bytes // 1024} kB at a stretch")
        return not self.closed.is_set()

    def drop(self) -> None:
        """Something came that nobody asked for."""
        self._unasked += 1
        if self._unasked > MAX_UNASKED:
            self.close(f"sent more than {MAX_UNASKED} messages that nobody asked for")

    def admit(self, item: Any) -> bool:
        """Whether the library may see it: an answer to a request of ours, or a request, which it declines."""
        message = getattr(item, "message", None)
        method = getattr(message, "method", "")
        if method == "notifications/tools/list_changed":
            self.stale = True
        answers = getattr(message, "id", None) if not method else None
        if answers is not None and answers in self._asked:
            self._asked.discard(answers)
            return True
        self.drop()
        return bool(method) and hasattr(message, "id") and not self.closed.is_set()


class Inlet:
    """The library's reading end of a stream, behind a valve."""

    def __init__(self, stream: Any, valve: Valve) -> None:
        self._stream = stream
        self._valve = valve

    async def receive(self) -> SessionMessage:
        """The next message that may pass."""
        while True:
            item: SessionMessage = await self._stream.receive()
            if self._valve.admit(item):
                return item
            if self._valve.closed.is_set():
                raise anyio.EndOfStream

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()

    def __aiter__(self) -> Inlet:
        return self

    async def __anext__(self) -> SessionMessage:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Inlet:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class Outlet:
    """The library's writing end, which notes what is asked. `said`: names of headers that the operator sets."""

    def __init__(self, stream: Any, valve: Valve, said: frozenset[str] = frozenset()) -> None:
        self._stream = stream
        self._valve = valve
        self._said = said

    async def send(self, item: SessionMessage) -> None:
        """Send a message on."""
        if hasattr(item.message, "method") and (request_id := getattr(item.message, "id", None)) is not None:
            self._valve.ask(request_id)
        await self._stream.send(self._traced(item))

    def _traced(self, item: SessionMessage) -> SessionMessage:
        """The message with the trace of its `_meta` in headers too, for whatever stands before the server."""
        from mcp.shared.message import ClientMessageMetadata

        meta = (getattr(item.message, "params", None) or {}).get("_meta") or {}
        sent = {name: meta[name] for name in ("traceparent", "tracestate") if name in meta and name not in self._said}
        if sent and isinstance(item.metadata, ClientMessageMetadata | None):
            known = item.metadata or ClientMessageMetadata()
            return replace(item, metadata=replace(known, headers={**(known.headers or {}), **sent}))
        return item

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()

    async def __aenter__(self) -> Outlet:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


async def lines(read: Callable[[int], Awaitable[bytes]], valve: Valve) -> AsyncIterator[bytes]:
    """The lines of a server, each at most as long as a message may be; ends at its end, or where it is hung up on."""
    buffer = bytearray()
    searched = 0
    while chunk := await read(CHUNK):
        if not valve.take(len(chunk)):
            return
        buffer += chunk
        while (end := buffer.find(b"\n", searched)) >= 0 and end <= valve.max_bytes:
            yield bytes(buffer[:end])
            del buffer[: end + 1]
            searched = 0
        searched = len(buffer)
        if len(buffer) > valve.max_bytes:
            valve.close(f"sent a message of more than {valve.max_bytes // 1024} kB")
            return


@asynccontextmanager
async def stdio(launcher: Launcher, job: Job, valve: Valve) -> AsyncIterator[Streams]:
    """A server in its own sandbox, spoken to over its stdin and stdout, a line for each message."""
    process = await launcher.start(job)
    arrived, inbox = anyio.create_memory_object_stream[Any](0)
    outbox, leaving = anyio.create_memory_object_stream[Any](0)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_read, process, arrived, valve)
            tasks.start_soon(_write, process, leaving, valve)
            tasks.start_soon(_drain, process, valve)
            yield Inlet(inbox, valve), Outlet(outbox, valve)
            tasks.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process, at_once=bool(valve.why))
        for stream in (arrived, inbox, outbox, leaving):
            stream.close()


async def _read(process: Process, arrived: Any, valve: Valve) -> None:
    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter

    async with arrived:
        with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            async for line in lines(process.stdout.read, valve):
                try:
                    message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                except ValueError:  # a print of its own, or garbage
                    valve.drop()
                else:
                    await arrived.send(SessionMessage(message))
                if valve.closed.is_set():
                    break
        if not valve.why:  # its output has ended, and so has it
            process.kill()
            valve.close(f"ended ({await process.wait()})")


async def _write(process: Process, leaving: Any, valve: Valve) -> None:
    try:
        async with leaving:
            async for item in leaving:
                process.stdin.write(item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
                await process.stdin.drain()
    except OSError:
        valve.close("closed its input")


async def _drain(process: Process, valve: Valve) -> None:
    with contextlib.suppress(OSError):
        while chunk := await process.stderr.read(CHUNK):
            valve.stderr = (valve.stderr + chunk)[-MAX_STDERR:]


async def _end(process: Process, *, at_once: bool) -> None:
    """Close its input and let it end; kill it where it does not. Its output is emptied: a full pipe never ends."""
    rest = [asyncio.create_task(_empty(stream)) for stream in (process.stdout, process.stderr)]
    if not at_once:
        process.stdin.close()
        await asyncio.wait(rest, timeout=CLOSE_S)
    process.kill()
    await process.wait()
    for task in rest:
        task.cancel()
    await asyncio.wait(rest)


async def _empty(stream: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):
        while await stream.read(CHUNK):
            pass


@asynccontextmanager
async def http(url: str, headers: Mapping[str, str], timeout_s: float, valve: Valve) -> AsyncIterator[Streams]:
    """A server that somebody runs, over streamable HTTP: no proxy of the environment, no way to another host."""
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    async with (
        httpx2.AsyncClient(
            transport=bounded(httpx2.AsyncHTTPTransport(trust_env=False), valve),
            headers={**headers, "Accept-Encoding": "identity"},
            timeout=httpx2.Timeout(timeout_s),
            trust_env=False,
        ) as client,
        streamable_http_client(url, http_client=client, max_sse_event_size=valve.max_bytes) as (read, write),
    ):
        yield Inlet(read, valve), Outlet(write, valve, frozenset(name.lower() for name in headers))


def bounded(inner: httpx2.AsyncBaseTransport, valve: Valve) -> httpx2.AsyncBaseTransport:
    """A transport whose bodies end where the limit is. Compressed ones are refused: they grow after they were counted.

    GET, by which a server would send what nobody asked for, is answered in its place: it does not have that (405).
    """
    import httpx2

    class Counted(httpx2.AsyncByteStream):
        def __init__(self, body: Any) -> None:
            self._body = body

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for part in self._body:
                size += len(part)
                if size > MAX_ROUNDS * valve.max_bytes:
                    valve.close(f"sent a body of more than {size // 1024} kB")
                    raise httpx2.StreamError("the body is too long")
                yield part

        async def aclose(self) -> None:
            await self._body.aclose()

    class Bounded(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if request.method == "GET":
                return httpx2.Response(405, request=request)
            response = await inner.handle_async_request(request)
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                await response.aclose()
                valve.close("sent a compressed body, which was not asked for")
                raise httpx2.RemoteProtocolError("compressed body")
            response.stream = Counted(response.stream)
            return response

        async def aclose(self) -> None:
            await inner.aclose()

    return Bounded()
