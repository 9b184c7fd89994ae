"""The HTTP proxy of sandboxed tools: the only door of a job's network, and what goes through it is checked here.

A tunnel (CONNECT) carries TLS, of which we see the host alone: method and path inside it are not enforced, and a server
may serve another `Host` than the one it was reached by. Plain http:// requests we make anew ourselves: method, path and
headers are those that were checked, and the answer is bounded and free of our secrets.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Protocol, Self

from ringfence.core.errors import ToolError
from ringfence.manifest.tools import Host

from .client import Reply, send
from .names import Refused, Target, is_address
from .policy import Attempt, Egress, Passage
from .wire import MAX_HEAD, MAX_HELLO, Head, NotYet, read_head, server_name

CHUNK = 64 * 1024
_NOT_PASSED_ON = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer", "transfer-encoding"}
    | {"upgrade", "content-length", "content-encoding", "alt-svc"}
)


class Reaching(Protocol):
    """A tool of the manifest, of whatever type, by where it may reach."""

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Nowhere, if there are none."""
        ...


def egress_for(config: Reaching, record: Callable[[Attempt], None], *, run: str = "") -> Proxy | None:
    """The `Job.egress` for a job of a tool, None if its manifest names no hosts. Close it when the job has ended."""
    return Proxy(Egress(config.hosts, record), run=run) if config.hosts else None


class Proxy:
    """Serves one job. Call it with a listening socket, which it then owns, from within the event loop.

    `async with`, or `aclose` when the job has ended: it stops listening and cuts what is under way. If an attempt
    cannot be recorded, it stops for good.
    """

    def __init__(self, egress: Egress, *, run: str | Callable[[], str] = "") -> None:
        """`run` is the run that the job is of; for a job of many, what says which one it serves right now."""
        self._egress = egress
        self._run: Callable[[], str] = run if callable(run) else lambda: run
        self._serving: set[asyncio.Task[None]] = set()

    def __call__(self, listener: socket.socket) -> None:
        """Serve connections to `listener` until closed. Raises ToolError if it cannot."""
        try:
            loop = asyncio.get_running_loop()
            listener.setblocking(False)
        except (OSError, RuntimeError) as fault:
            listener.close()
            raise ToolError(
                f"the egress proxy cannot serve: {fault}", todo="start the job inside an event loop"
            ) from None
        task = loop.create_task(self._serve(listener))
        self._serving.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._serving.discard(task)
        if not task.cancelled():
            task.exception()  # seen: a record that could not be kept is the journal's to tell

    async def aclose(self) -> None:
        """Stop; returns when no connection is left."""
        tasks = list(self._serving)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _serve(self, listener: socket.socket) -> None:
        bounds, loop = self._egress.bounds, asyncio.get_running_loop()
        free = asyncio.Semaphore(bounds.connections)
        with listener:
            async with asyncio.TaskGroup() as group:
                for _ in range(bounds.attempts):
                    await free.acquire()  # those beyond the bound wait in the kernel's queue
                    accepted, _ = await loop.sock_accept(listener)
                    group.create_task(self._connection(accepted)).add_done_callback(lambda _: free.release())
                listener.close()
                self._egress.refuse(Refused("attempts", f"one job made {bounds.attempts} attempts"), run=self._run())

    async def _connection(self, accepted: socket.socket) -> None:
        try:
            reader, writer = await asyncio.open_connection(sock=accepted, limit=MAX_HEAD)
        except OSError:
            accepted.close()  # it hung up already
            return
        await _Connection(self._egress, self._run(), reader, writer).serve()


@dataclass(slots=True)
class _Connection:
    """One connection, which is one request. `answered`: what follows is no longer ours to speak."""

    egress: Egress
    run: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    answered: bool = False

    async def serve(self) -> None:
        """Answer it, whatever comes. Raises only what says that the record cannot be kept."""
        try:
            await self._request()
        except Refused as refused:
            await self._say(403, refused)
        except TimeoutError:
            await self._say(504, ToolError("the request or its answer took too long"))
        except ToolError as error:
            await self._say(502, error)
        except (OSError, asyncio.IncompleteReadError):
            await self._say(502, ToolError("the connection broke off"))
        finally:
            await self._close()

    async def _request(self) -> None:
        bounds = self.egress.bounds
        async with asyncio.timeout(bounds.head_s):
            head = await self._head()
        if head.method == "CONNECT":
            async with self.egress.attempt("CONNECT", lambda: head.target, run=self.run) as passage:
                await self._tunnel(passage, head.target)
            return
        if head.length > bounds.sent:
            refused = Refused("bytes", f"the body is larger than {bounds.sent} bytes")
            raise self.egress.refuse(refused, head.method, head.target, run=self.run)
        async with asyncio.timeout(bounds.answer_s):
            body = await self.reader.readexactly(head.length)
            reply = await send(self.egress, head.method, head.target, headers=head.headers, body=body, run=self.run)
            if reply.cut:
                raise ToolError(f"the answer is larger than {bounds.received} bytes, or broke off")
            self.answered = True
            self.writer.write(_answer(reply, head))
            await self.writer.drain()

    async def _head(self) -> Head:
        try:
            return read_head(await self.reader.readuntil(b"\r\n\r\n"))
        except asyncio.LimitOverrunError:
            too_long = Refused("request", f"its head is longer than {MAX_HEAD} bytes")
            raise self.egress.refuse(too_long, run=self.run) from None
        except Refused as refused:
            raise self.egress.refuse(refused, run=self.run) from None

    async def _tunnel(self, passage: Passage, target: Target) -> None:
        bounds, loop = self.egress.bounds, asyncio.get_running_loop()
        async with asyncio.timeout(bounds.connect_s):
            far_reader, far_writer = await _connected(passage.addresses, target.port)
        try:
            self.writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            self.answered = True
            async with asyncio.timeout(bounds.head_s):
                hello = await self._hello(target)
            async with asyncio.timeout(bounds.idle_s) as idle:

                def alive(sent: int = 0, received: int = 0) -> None:
                    passage.sent += sent
                    passage.received += received
                    if max(passage.sent, passage.received) > bounds.tunnel:
                        raise Refused("bytes", f"a tunnel carries {bounds.tunnel} bytes each way at most")
                    idle.reschedule(loop.time() + bounds.idle_s)

                alive(sent=len(hello))
                far_writer.write(hello)
                with contextlib.suppress(ConnectionError):  # a reset is an end like another
                    await _all(
                        _pump(self.reader, far_writer, lambda count: alive(sent=count)),
                        _pump(far_reader, self.writer, lambda count: alive(received=count)),
                    )
        finally:
            far_writer.transport.abort()

    async def _hello(self, target: Target) -> bytes:
        """The start of the tunnel, up to a ClientHello that asks for the host which the tunnel is for."""
        data = b""
        while len(data) <= MAX_HELLO:
            piece = await self.reader.read(MAX_HELLO)
            if not piece:
                raise ConnectionResetError
            data += piece
            with contextlib.suppress(NotYet):
                name = server_name(data)
                if (name or "").lower() != ("" if is_address(target.host) else target.host):
                    raise Refused("sni", f"the tunnel is for {target.host}, its TLS for {name!r:.100}")
                return data
        raise Refused("tls", f"its ClientHello is longer than {MAX_HELLO} bytes")

    async def _say(self, status: int, error: ToolError) -> None:
        if not self.answered:
            text = f"{error}\n".encode()
            head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            self.writer.write(head.encode() + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(text) + text)

    async def _close(self) -> None:
        """Let what was written go out, for a bounded time: a reader that does not read holds nothing of ours."""
        try:
            self.writer.close()
            async with asyncio.timeout(self.egress.bounds.head_s):
                await self.writer.wait_closed()
        except OSError:  # TimeoutError is one
            pass
        finally:
            self.writer.transport.abort()


def _answer(reply: Reply, head: Head) -> bytes:
    """The answer as the tool gets it: one message of known length on a connection that ends."""
    named = {name.strip().lower() for k, v in reply.headers if k.lower() == "connection" for name in v.split(",")}
    lines = [f"HTTP/1.1 {reply.status} "]
    lines += [f"{k}: {v}" for k, v in reply.headers if k.lower() not in _NOT_PASSED_ON | named]
    if head.method != "HEAD" and reply.status not in (204, 304):
        lines.append(f"Content-Length: {len(reply.body)}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + reply.body


async def _connected(addresses: Sequence[str], port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the first of the checked addresses that takes one."""
    last: OSError = ConnectionRefusedError()
    for address in addresses:
        try:
            return await asyncio.open_connection(address, port)
        except OSError as fault:
            last = fault
    raise ToolError(f"the host cannot be reached on port {port} ({type(last).__name__})", todo="try later") from None


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: Callable[[int], None]) -> None:
    while data := await reader.read(CHUNK):
        count(len(data))
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def _all(*jobs: Coroutine[None, None, None]) -> None:
    """Run them at once; the first that fails ends all."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
