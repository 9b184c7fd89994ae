"""A way out for each job that may reach something: a proxy of its own, which ends with the job."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.jobs import Job, Launcher, Process

if TYPE_CHECKING:
    from .jobs import WayOut

PROXY = "http://127.0.0.1:3128"  # where the way out listens, inside: see `jobs.Job`
ENV: Mapping[str, str] = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), PROXY)


def closed(listener: socket.socket) -> None:
    """Stands for the way out in a job that `Outward` will start; by itself it lets nothing out."""
    listener.close()


class Outward:
    """A `jobs.Launcher` that gives a job with an egress a new way out in its place."""

    def __init__(self, launcher: Launcher, way_out: Callable[[], WayOut]) -> None:
        self._launcher = launcher
        self._way_out = way_out
        self._tending: set[asyncio.Task[None]] = set()

    async def start(self, job: Job) -> Process:
        """Start it; raises ToolError if it cannot be confined as the job asks."""
        if job.egress is None:
            return await self._launcher.start(job)
        way_out = self._way_out()
        try:
            process = await self._launcher.start(replace(job, egress=way_out))
        except BaseException:
            await way_out.aclose()
            raise
        task = asyncio.create_task(_tend(process, way_out))
        self._tending.add(task)
        task.add_done_callback(self._tending.discard)
        return process

    async def aclose(self) -> None:
        """Stop serving, whether the jobs have ended or not."""
        here = [task for task in self._tending if task.get_loop() is asyncio.get_running_loop()]
        for task in here:
            task.cancel()
        await asyncio.gather(*here, return_exceptions=True)


async def _tend(process: Process, way_out: WayOut) -> None:
    try:
        await process.wait()
    finally:
        await way_out.aclose()
