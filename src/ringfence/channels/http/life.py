"""A server from its first request to its last: it opens, listens, and lets its runs end before it does.

SIGTERM and SIGINT drain it, and a second one does not wait; SIGHUP reads the manifest anew. The next server on the same
folder is handed the sockets of this one, so that no connection is refused between the two.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field

from ringfence import __version__
from ringfence import app as composition
from ringfence.app.ids import now_ms
from ringfence.app.serving import whereabouts
from ringfence.app.serving.noted import noted
from ringfence.app.serving.reloading import Reload
from ringfence.app.serving.service import Service
from ringfence.app.serving.whereabouts import Answer, Whereabouts
from ringfence.channels.auth.credentials import Credentials
from ringfence.core.errors import ManifestError, RingfenceError
from ringfence.core.values import JSON
from ringfence.manifest.types import Manifest

from . import listen, notify
from .app import application
from .control import Control, Said

_log = logging.getLogger("ringfence")
_MEND_S = 3.0
COLLECT = (50_000, 50, 50)  # objects made between two collections, and how many of those to one of older ones
Sockets = Sequence[socket.socket]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a server is made.

    load     reads the manifest again, as it was read first
    notice   is told why something takes long; `ready` where the server is, once it takes requests
    takeover take the place of the server that runs, if one does; else that is an error
    options  of the command line, for the next one
    """

    manifest: Manifest
    load: Callable[[], Manifest]
    notice: Callable[[str], None]
    ready: Callable[[Whereabouts], None]
    takeover: bool = False
    options: tuple[str, ...] = ()


@dataclass
class Life:
    """One server of a manifest, from `run` to its end."""

    plan: Plan
    _state: str = "starting"
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _now: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Serve until a signal. Raises ManifestError, BackendError, JournalError if it cannot start."""
        manifest = self.plan.manifest
        self._folder = whereabouts.folder_of(manifest)
        before = await asyncio.to_thread(self._before)
        tls = listen.tls_of(manifest.server, manifest.root)
        self._sockets = self._taken_over(before) or tuple(listen.bind(manifest.server))
        url = listen.url_of(manifest.server, self._sockets)
        self._where = Whereabouts(os.getpid(), url, now_ms(), __version__, self.plan.options)
        try:
            async with composition.from_manifest(manifest, notice=self.plan.notice) as agent:
                await agent.open()  # what is wrong with models and documents is said here, in words
                gc.freeze()  # what is here now stays; runs leave few cycles, and a look at all that is alive is dear
                gc.set_threshold(*COLLECT)
                self._service = Service(agent)
                self._reload = Reload(self._service, self.plan.notice)
                with closing(Credentials.opened(manifest)) as self._credentials:
                    self._app = application(self._service, self._credentials)
                    self._server = listen.Listener(self._app, manifest.server, tls, self._sockets)
                    await self._serve(before)
                await self._reload.close()
        finally:
            for one in self._sockets:
                one.close()

    def stop(self) -> None:
        """Let the runs end, and stop; the second time, do not wait for them."""
        if self._stop.is_set():
            self._now.set()
        self._stop.set()

    def _before(self) -> Answer | None:
        """The server that runs already, with its sockets, if we take its place."""
        running = whereabouts.ask(self._folder, "handover" if self.plan.takeover else "status")
        if running is not None and not self.plan.takeover:
            raise ManifestError(
                f"a server of this manifest is running already (process {running.pid}, {running.said['url']})",
                todo="`ringfence restart` puts a new one in its place, `ringfence down` stops it",
            )
        return running

    def _taken_over(self, before: Answer | None) -> tuple[socket.socket, ...]:
        """The sockets of the server before us, if they are where we are to listen."""
        if before is None:
            return ()
        server = self.plan.manifest.server
        port = before.sockets[0].getsockname()[1] if before.sockets else -1
        if before.said["host"] == server.host and server.port in (0, port):
            for one in before.sockets:
                one.setblocking(False)
            return before.sockets
        for one in before.sockets:
            one.close()
        return ()

    async def _serve(self, before: Answer | None) -> None:
        loop, listening = asyncio.get_running_loop(), asyncio.Event()
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, self.stop)
        self._server.on_start = listening.set
        work = loop.create_task(self._server.serve(), name="listener")
        work.add_done_callback(lambda _: listening.set())
        await listening.wait()
        if work.done():
            return await work
        if before is not None:  # it keeps what it has and takes nothing new: from here on, we are the server
            await asyncio.to_thread(whereabouts.ask, self._folder, "retire")
        verbs = {"status": self._status, "reload": self.reload, "handover": self._handover, "retire": self._retire}
        control = Control(self._folder, verbs)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        self._where.keep(self._folder)
        self._state = "ready"
        self._keep(self._mend())
        self.plan.ready(self._where)
        notify.say("READY=1", f"MAINPID={os.getpid()}")
        try:
            await self._until(work)
        finally:
            control.close()
            for task in self._tasks:
                task.cancel()
            self._where.forget(self._folder)

    async def _until(self, work: asyncio.Task[None]) -> None:
        """Serve until we are told to stop, and then until the runs have ended, or may not take longer."""
        stopping = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait([stopping, work], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        self._state = "draining"
        notify.say("STOPPING=1")
        await self._drain()
        self._server.should_exit = True
        self._server.force_exit = self._now.is_set()
        await work

    async def _drain(self) -> None:
        """Runs end, or are stopped where they can be gone on with: by the next start, or by who took our place."""
        ended = asyncio.ensure_future(self._service.close())
        hurried = asyncio.ensure_future(self._now.wait())
        await asyncio.wait([ended, hurried], return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not ended.done():
            for job in list(self._service.jobs.values()):
                if job.task is not None:
                    job.task.cancel()
        await ended

    async def _status(self) -> tuple[Said, Sockets]:
        manifest = self._service.agent.manifest
        usage, pool, watch = resource.getrusage(resource.RUSAGE_SELF), self._service.status(), self._app.state.watch
        levels, checks = await watch.gauge.levels(), await watch.health.ready()
        tiers: list[JSON] = [
            {"tier": t.name, "model": t.model, "provider": t.provider} for t in manifest.inference.tiers
        ]
        return {
            "state": self._state,
            "pid": os.getpid(),
            "url": self._where.url,
            "started": self._where.started,
            "version": __version__,
            "agent": manifest.runtime.name,
            "models": tiers,
            "runs": {"running": pool.running, "queued": pool.queued, "waiting": levels.waiting},
            "troubles": [f"{check.name}: {check.why}" for check in checks if not check.ok],
            "connections": self._server.door.open,
            "memory_mb": usage.ru_maxrss // 1024,
        }, ()

    async def reload(self) -> tuple[Said, Sockets]:
        """Read the manifest anew. Raises RingfenceError for one that cannot be gone by: the old one still is, then."""
        notify.say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            manifest = await asyncio.to_thread(self.plan.load)
            done = await self._reload.take(manifest)
        except RingfenceError as error:
            _log.error("the manifest is not taken in, and the one before still holds: %s", error.what)
            raise
        finally:
            notify.say("READY=1")
        self._credentials.renew(manifest)
        self._server.renew(manifest.server)
        self._app.state.watch.access_log = manifest.server.access_log
        _log.info("%s", done)
        return {"what": str(done), "policy": done.after, "was": done.before, "moved": done.moved}, ()

    def _hang_up(self) -> None:
        """SIGHUP: as `ringfence reload`, with the log as the only one to tell."""

        async def work() -> None:
            with suppress(RingfenceError):
                await self.reload()

        self._keep(work())

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        """Have something done beside all else."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _mend(self) -> None:
        """Where a commit has failed, for want of room above all: try again, once no run is at work any more."""
        agent = self._service.agent
        while True:
            await asyncio.sleep(_MEND_S)
            if not getattr(agent.journal, "broken", False) or self._service.jobs:
                continue
            try:
                await asyncio.to_thread(agent.journal.mend)
                async with noted(agent, agent.principal, "the journal takes records again", {"journal": "mended"}):
                    pass
            except RingfenceError as error:
                _log.error("the journal takes no records: %s", error.what)
                continue
            _log.warning("the journal takes records again")

    async def _handover(self) -> tuple[Said, Sockets]:
        """Our sockets, for the one that takes our place when it is ready."""
        return {"url": self._where.url, "host": self.plan.manifest.server.host}, self._sockets

    async def _retire(self) -> tuple[Said, Sockets]:
        """Another one has our sockets and takes requests."""
        _log.info("another server has taken the place of this one, which ends with its runs")
        self._server.stop_accepting()
        self._stop.set()
        return {}, ()
