"""A server from its first request to its last: it opens, listens, and on a signal lets its runs end before it does."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from ringfence import app as composition
from ringfence.app.serving.service import Service
from ringfence.manifest.types import Manifest

from . import listen
from .app import application
from .caller import Authenticator

_log = logging.getLogger("ringfence")
Notice = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Opened:
    """A server that takes requests: where a person on this machine finds it."""

    url: str


async def serve(
    manifest: Manifest, authenticator: Authenticator, *, notice: Notice, ready: Callable[[Opened], None]
) -> None:
    """Serve until SIGTERM or SIGINT; a second one does not wait for anything.

    `notice` is told why something takes long; `ready` where it is, once it takes requests. Raises ManifestError,
    BackendError, JournalError if it cannot start.
    """
    sockets, tls = listen.bind(manifest.server), listen.tls_of(manifest.server, manifest.root)
    url = listen.url_of(manifest.server, sockets)
    async with composition.from_manifest(manifest, notice=notice) as agent:
        await agent.open()  # what is wrong with models and documents is said here, in words
        service = Service(agent)
        server = listen.Listener(application(service, authenticator), manifest.server, tls, sockets)
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, _stop, server)
        work = loop.create_task(server.serve())
        while not server.started and not work.done():
            await asyncio.sleep(0.01)
        if server.started:
            ready(Opened(url))
        await work


def _stop(server: listen.Listener) -> None:
    if server.should_exit:
        server.force_exit = True
    server.should_exit = True


class _Nobody:
    """Until there are accounts, nobody comes in."""

    async def caller(self, request: Request) -> None:
        return None


def nobody() -> Authenticator:
    """Lets nobody in."""
    return _Nobody()
