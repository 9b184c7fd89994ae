"""The launcher of an agent's tools, chosen when the first of them is started: choosing really starts a job."""

from __future__ import annotations

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

    async def choose(self) -> str:
        """Its name, once it has run a job; raises ManifestError where nothing confines: then no tool is started."""
        if self._launcher is None:
            found = await sandboxes.choose(self._wanted)
            if self._launcher is None:
                self._launcher = found
            elif found is not self._launcher:
                found.close()  # two that were started at once: the other one was quicker
        return self._launcher.name

    async def start(self, job: Job) -> Process:
        """Start a job; raises ToolError if it cannot be confined as it asks, ManifestError as `choose`."""
        await self.choose()
        assert self._launcher is not None
        return await self._launcher.start(job)

    async def aclose(self) -> None:
        """End it, and every job that is still under way."""
        if self._launcher is not None:
            self._launcher.close()
            self._launcher = None
