"""Each launcher that works here, and a reader of what a job says."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ringfence.jobs import Job
from ringfence.sandboxes import AnyLauncher, Bubblewrap, Landlock, UnsafeNoSandbox, probe

PYTHON = "/usr/bin/python3"
needs_python = pytest.mark.skipif(not os.access(PYTHON, os.X_OK), reason=f"jobs need a {PYTHON} of the system")


@dataclass
class Ended:
    how: str
    stdout: bytes
    stderr: bytes


async def run(launcher: AnyLauncher, *argv: str, stdin: bytes = b"", **job: Any) -> Ended:
    """Run a job to its end."""
    process = await launcher.start(Job(argv, **job))
    process.stdin.write(stdin)
    process.stdin.close()
    out, err, how = await asyncio.gather(process.stdout.read(), process.stderr.read(), process.wait())
    return Ended(how, out, err)


async def python(launcher: AnyLauncher, code: str, *args: str, **job: Any) -> Ended:
    """Run a piece of Python."""
    return await run(launcher, PYTHON, "-I", "-S", "-c", code, *args, **job)


async def _working(kind: type[AnyLauncher]) -> AsyncIterator[AnyLauncher]:
    launcher = kind()
    try:
        if (why := await probe(launcher)) is not None:
            pytest.skip(f"{kind.name} does not start here: {why}")
        yield launcher
    finally:
        launcher.close()


@pytest.fixture(params=[Bubblewrap, Landlock, UnsafeNoSandbox], ids=lambda kind: str(kind.name))
async def launcher(request: pytest.FixtureRequest) -> AsyncIterator[AnyLauncher]:
    async for each in _working(request.param):
        yield each


@pytest.fixture(params=[Bubblewrap, Landlock], ids=lambda kind: str(kind.name))
async def confining(request: pytest.FixtureRequest) -> AsyncIterator[AnyLauncher]:
    async for each in _working(request.param):
        yield each


@pytest.fixture
async def bubblewrap() -> AsyncIterator[AnyLauncher]:
    async for each in _working(Bubblewrap):
        yield each


@pytest.fixture
async def landlock() -> AsyncIterator[AnyLauncher]:
    async for each in _working(Landlock):
        yield each


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A real path."""
    return tmp_path.resolve()
