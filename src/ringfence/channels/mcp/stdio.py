"""MCP over stdio: for editors, which start the server themselves, as whoever started them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import anyio
from mcp.server.stdio import stdio_server

from ringfence.app import Agent
from ringfence.app.serving.reading import Reading
from ringfence.app.serving.service import Service
from ringfence.core.errors import RingfenceError

from .. import telling
from .server import Tools

_NOT_JSON: Final = "\x00"  # what is made of a line that is too long: it is refused as any other line that is no JSON


class Lines:
    """The lines of a pipe, as text, each of `most` bytes at most: of a longer one nothing is kept."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def __aiter__(self) -> AsyncIterator[str]:
        """Until it is closed at the other end."""
        lost = False
        while True:
            try:
                line = await self._reader.readuntil(b"\n")
            except asyncio.LimitOverrunError as error:
                await self._reader.readexactly(error.consumed)
                lost = True
                continue
            except asyncio.IncompleteReadError as rest:
                line = rest.partial
                if not line:
                    return
            yield _NOT_JSON if lost else line.decode("utf-8", "replace")
            lost = False


@asynccontextmanager
async def wire(*, most: int) -> AsyncGenerator[tuple[Any, Any], None]:
    """The two ends of stdio for messages alone: what else is printed meanwhile goes to stderr, and nothing reads.

    `most`: bytes of one message.
    """
    ours_in, ours_out = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    reader = asyncio.StreamReader(limit=most)
    pipe = os.fdopen(ours_in, "rb", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    out = os.fdopen(ours_out, "w", encoding="utf-8", newline="\n")
    try:
        async with stdio_server(Lines(reader), anyio.wrap_file(out)) as (incoming, outgoing):  # type: ignore[arg-type]
            yield incoming, outgoing
    finally:
        transport.close()
        sys.stdout.flush()


async def serve(agent: Agent) -> None:
    """Serve until the other end closes. Whoever is there is the agent's own principal."""
    service, reading = Service(agent), Reading(agent)
    who = agent.principal
    tools = Tools(service, reading, lambda context: who, lambda context: "")
    server = tools.server()
    most = agent.manifest.server.limits.body_kb * 1024
    opening = asyncio.create_task(_opened(agent))  # which may take longer than a client waits to be greeted
    async with wire(most=most) as (incoming, outgoing):
        try:
            await server.run(incoming, outgoing, server.create_initialization_options())
        finally:
            opening.cancel()
            await asyncio.wait([opening])
            await telling.settled()
            await service.close(0)
            reading.close()


async def _opened(agent: Agent) -> None:
    with suppress(RingfenceError):  # who asks is told
        await agent.open()
