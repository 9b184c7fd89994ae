"""The launcher of an agent's tools, chosen when the first of them is started: choosing really starts a job."""

from __future__ import annotations

import asyncio

from ringfence import sandboxes
from ringfence.jobs import Job, Process


class Chosen:
    """A `jobs.Launcher`: the one that the manifest names, or the best that works here.

    `unsafe` says whether it confines nothing.
    """

    def __init__(self, wanted: str) -> None:
        self.unsafe = wanted == "unsafe-none"
        self._wanted = wanted
        self._launcher: sandboxes.AnyLauncher | None = None
        self._choosing: asyncio.Task[sandboxes.AnyLauncher] | None = None

    async def choose(self) -> str:
        """Its name, once it has run a job; raises ManifestError where nothing confines: then no tool is started."""
        return (await self._chosen()).name

    async def _chosen(self) -> sandboxes.AnyLauncher:
        """Chosen once for all who ask at the same time: each choice starts a worker and a job."""
        if self._launcher is not None:
            return self._launcher
        loop, under_way = asyncio.get_running_loop(), self._choosing
        if under_way is None or under_way.done() or under_way.get_loop() is not loop:
            self._choosing = under_way = loop.create_task(self._choose())
        return await asyncio.shield(under_way)  # whoever gives up leaves it to the others

    async def _choose(self) -> sandboxes.AnyLauncher:
        found = await sandboxes.choose(self._wanted)
        if self._launcher is None:
            self._launcher = found
        else:
            found.close()  # a thread with a loop of its own was quicker
        return self._launcher

    async def start(self, job: Job) -> Process:
        """Start a job; raises ToolError if it cannot be confined as it asks, ManifestError as `choose`."""
        return await (await self._chosen()).start(job)

    async def aclose(self) -> None:
        """End it, and every job that is still under way."""
        if self._choosing is not None and self._choosing.get_loop() is asyncio.get_running_loop():
            await asyncio.wait([self._choosing])
        if self._launcher is not None:
            self._launcher.close()
        self._launcher = self._choosing = None
