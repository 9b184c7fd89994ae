"""A launcher for tests of everything but confinement: starts the job as it is, and remembers what it started."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from subprocess import PIPE
from typing import Any

from ringfence.jobs import Job, Process


class Plain:
    """A `jobs.Process` that nothing confines."""

    def __init__(self, process: Any) -> None:
        self.process = process
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, process.stderr

    async def wait(self) -> str:
        code = await self.process.wait()
        return f"exit {code}" if code >= 0 else f"signal {-code}"

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for fd in (1, 2):  # as the real one does: what nobody has read is dropped, and no pipe is left open
            if (pipe := self.process._transport.get_pipe_transport(fd)) is not None:
                pipe.close()


class Unconfined:
    """A `jobs.Launcher`. `jobs` and `processes` are what was started, in order."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.processes: list[Process] = []

    async def start(self, job: Job) -> Process:
        process = await asyncio.create_subprocess_exec(
            *job.argv, cwd=job.cwd, env=dict(job.env), stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
        self.jobs.append(job)
        self.processes.append(Plain(process))
        return self.processes[-1]
