"""The workers of one agent, a worker for each set of paths and limits."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ringfence.core.errors import ToolError
from ringfence.core.labels import ANYONE, Audience, seen_by
from ringfence.core.values import JSON
from ringfence.jobs import Job, Launcher, Limits

from .groups import Group
from .hosted import Worker, job
from .outward import Outward, closed

if TYPE_CHECKING:
    from ringfence.manifest.tools import Host, Sandbox

    from .egress import Attempt
    from .jobs import WayOut


class Reaching(Protocol):
    """What a manifest says about a tool that may reach hosts."""

    @property
    def hosts(self) -> Sequence[Host]:
        """Where it may reach."""
        ...


def unrecorded(attempt: Attempt) -> None:
    """For a workshop without a record: nothing leaves."""
    raise ToolError("nothing may leave, for there is no record of it")


class Workshop:
    """Hands out workers, and ways out.

    launcher  confines whatever is started
    state     the agent's own folder, for what has to be on a disk: `.ringfence`
    record    told of every attempt to reach a host before a byte leaves; if it raises, nothing does
    """

    def __init__(self, launcher: Launcher, state: Path, record: Callable[[Attempt], None] = unrecorded) -> None:
        self.launcher = launcher
        self.record = record
        self.state = state.resolve()  # a sandbox is given real paths
        self._outward: list[Outward] = []
        self._workers: list[Worker] = []
        self._groups: dict[tuple[object, ...], tuple[Worker, list[JSON]]] = {}

    def serve(self, group: Group, limits: Limits) -> Worker:
        """The worker of a group: one for all groups with the same paths, rights and limits."""
        key = (group.places, group.state, limits)
        if key not in self._groups:
            groups: list[JSON] = []
            env = {"HOME": os.path.expanduser("~")}  # noqa: PTH111 - `~` in a path is the same on both sides
            if group.state:
                Path(group.state).mkdir(mode=0o700, parents=True, exist_ok=True)
            writes = (*group.places, group.state) if group.state else ()
            confined = job(env=env, limits=limits, writes=writes)
            self._groups[key] = self.add(confined, {"groups": groups}, group.name, places=group.places), groups
        worker, served = self._groups[key]
        served.append(group.to_json())
        return worker

    def add(
        self,
        confined: Job,
        serve: JSON,
        name: str,
        *,
        places: tuple[str, ...] = (),
        hide: tuple[str, ...] = (),
        reaching: Reaching | None = None,
    ) -> Worker:
        """A worker of its own, which is warmed and closed with the others; it may reach what `reaching` says."""
        launcher = self.launcher
        if reaching is not None:
            launcher, egress = self.way_out(reaching, lambda: worker.run)
            confined = replace(confined, egress=egress)
        worker = Worker(launcher, confined, serve, name=name, places=places, hide=hide)
        self._workers.append(worker)
        return worker

    def ways(self, config: Reaching) -> Callable[[str], WayOut] | None:
        """What makes the way out of a job of a run, through our proxy; None for a tool that may reach nothing."""
        if not config.hosts:
            return None
        from .egress import Egress, Proxy

        return lambda run: Proxy(Egress(config.hosts, self.record), run=run)

    def way_out(
        self, config: Reaching, run: Callable[[], str] = lambda: ""
    ) -> tuple[Launcher, Callable[[socket.socket], None] | None]:
        """For a job that serves many runs: what starts it, and its `egress`, None if it may reach nothing.

        `run` says which run the job serves right now: attempts are on the record of that one.
        """
        if not config.hosts:
            return self.launcher, None
        from .egress import Egress, Proxy

        self._outward.append(Outward(self.launcher, lambda: Proxy(Egress(config.hosts, self.record), run=run)))
        return self._outward[-1], closed

    def ask(self, confined: Job, serve: JSON, name: str) -> JSON:
        """What a worker says about what it would serve. Blocks; raises ToolError."""

        async def once() -> JSON:
            worker = Worker(self.launcher, confined, serve, name=name)
            try:
                return await worker.warm()
            finally:
                await worker.aclose()

        with ThreadPoolExecutor(1) as thread:  # the caller may be in an event loop, and may not
            return thread.submit(asyncio.run, once()).result()

    async def warm(self) -> None:
        """Start them all; one that does not start says so when it is called."""
        await asyncio.gather(*(self._warm(worker) for worker in self._workers))

    async def _warm(self, worker: Worker) -> None:
        try:
            await worker.warm()
        except ToolError:
            return

    async def aclose(self) -> None:
        """Stop them all; they start again when they are called again."""
        await asyncio.gather(*(worker.aclose() for worker in self._workers))
        await asyncio.gather(*(outward.aclose() for outward in self._outward))


def limits_of(sandbox: Sandbox) -> Limits:
    """The limits that the operator wrote."""
    return Limits(
        sandbox.cpu_s, sandbox.wall_s, sandbox.memory_mb, sandbox.processes, sandbox.file_mb, sandbox.open_files
    )


def audience_of(hosts: Iterable[Host]) -> Audience:
    """Everyone who sees what is sent to any of these hosts; a host that does not say is everyone's."""
    named = [host.audience for host in hosts]
    return seen_by({who for audience in named for who in audience or ()}) if all(named) else ANYONE
