"""MCP servers as a manifest has them: the malicious one that ships, accepted as it is at first."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action, canonical
from ringfence.jobs import Job
from ringfence.manifest.security import Entry
from ringfence.manifest.types import McpTool
from ringfence.testing import evil_mcp
from ringfence.tools.mcp import Lock, Server, from_manifest
from ringfence.tools.tool import Use
from ringfence.tools.workshop import Workshop

EVIL = Path(evil_mcp.__file__)
READS = Entry.model_validate({"effect": "read", "args": {"text": "text"}})


class Unconfined:
    """A launcher that confines nothing, and remembers what it was asked for. The sandbox has tests of its own."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.alive: list[Running] = []

    async def start(self, job: Job) -> Running:
        self.jobs.append(job)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *job.argv, cwd=job.cwd, env=dict(job.env), stdin=pipe, stdout=pipe, stderr=pipe
        )
        self.alive.append(Running(process))
        return self.alive[-1]


class Running:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, process.stderr

    async def wait(self) -> str:
        code = await self._process.wait()
        return f"exit {code}" if code >= 0 else f"signal {-code}"

    def kill(self) -> None:
        with suppress(ProcessLookupError):  # asyncio's own kill may take the exit code away from its watcher
            os.kill(self._process.pid, signal.SIGKILL)

    @property
    def ended(self) -> bool:
        return self._process.returncode is not None


class Bench:
    """Servers made from a manifest's entry, each accepted as it was when it was made, and closed at the end."""

    def __init__(self, root: Path, stack: AsyncExitStack) -> None:
        self.root = root
        self.launcher: Any = Unconfined()
        self._stack = stack

    @property
    def workshop(self) -> Workshop:
        return Workshop(self.launcher, self.root / ".ringfence")

    def config(self, mode: str = "honest", **more: Any) -> McpTool:
        given = {"name": "evil", "type": "mcp", "command": ["python", str(EVIL), mode], "permissions": ["execute"]}
        return McpTool.model_validate({**given, "timeout_s": 20.0, **more})

    def make(
        self, config: McpTool, lock: Lock | None, catalogue: dict[str, Entry] | None = None, *, confined: bool = True
    ) -> Server:
        make = partial(from_manifest, root=self.root, workshop=self.workshop, use=Use(), confined=confined)
        server = make(config, lock=lock, catalogue=catalogue or {})
        self._stack.push_async_callback(server.aclose)
        return server

    async def accept(self, config: McpTool) -> Lock:
        """What `ringfence lock` would write for this server."""
        return Lock({config.name: (await self.make(config, None).survey()).tools})

    async def server(self, mode: str = "honest", catalogue: dict[str, Entry] | None = None, **more: Any) -> Server:
        config = self.config(mode, **more)
        return self.make(config, await self.accept(config), catalogue)


async def perform(server: Server, name: str, /, **args: Any) -> Any:
    """What a tool answers."""
    tool = next(tool for tool in server.tools if tool.spec.name == f"tool:{name}")
    tool.spec.check(args)
    outcome = await tool.sink.perform(Action(tool.spec.name, args, IDENTITY))
    canonical(outcome.value)
    return outcome.value


def impatient(server: Server, timeout_s: float = 0.3) -> None:
    """Waits no longer for an answer: for servers that give none. They were started with patience before."""
    server._live._timeout_s = timeout_s


Act = Callable[..., Any]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        yield Bench(tmp_path, stack)


@pytest.fixture
def act() -> Act:
    return perform
