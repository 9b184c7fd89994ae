"""Confined jobs: what tools ask for, and sandboxes start. The seam between the two, which never meet."""

from __future__ import annotations

import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Limits:
    """What one confined job may use, its children included."""

    cpu_s: float = 10.0
    wall_s: float | None = 30.0  # None: until it is killed, as a server is
    memory_mb: int = 256
    processes: int = 64
    file_mb: int = 64  # of any one file
    open_files: int = 256


@dataclass(frozen=True, slots=True)
class Job:
    """A command to run confined. Paths are absolute, and the same outside and inside.

    reads, writes  what it sees beside the system's own programs: read-only, writable; nothing else of the host
    env            all of its environment, secrets included: nothing is inherited, nothing of it is recorded
    egress         is handed a socket.socket that listens inside, on 127.0.0.1:3128: the only way out; None: no network
    """

    argv: tuple[str, ...]
    cwd: str = "/tmp"
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    limits: Limits = Limits()
    egress: Callable[[Any], None] | None = None


class Process(Protocol):
    """A confined job under way. Once it has ended, or was killed, no child of it is alive."""

    stdin: StreamWriter
    stdout: StreamReader
    stderr: StreamReader

    async def wait(self) -> str:
        """Wait for the end: "exit 0", or why it was stopped: "signal 9", "cpu", "memory", "wall"."""
        ...

    def kill(self) -> None:
        """Stop it and all of its children at once."""
        ...


class Launcher(Protocol):
    """Starts jobs confined by the kernel; fails closed."""

    async def start(self, job: Job) -> Process:
        """Start it; raises ToolError if it cannot be confined as the job asks."""
        ...


def interpreter() -> tuple[str, str, tuple[str, ...]]:
    """This Python without its environment: the program, what it has to run first, and all files that it needs.

    This package is found by its own path: the folder around it may be hidden.
    """
    import pydantic  # whose folder the others lie in

    package = str(Path(__file__).resolve().parent)
    ours = str(Path(pydantic.__file__).parents[1])
    found = {
        str(Path(place).resolve()): None
        for place in sys.path
        if place == ours or place.endswith(("site-packages", "dist-packages"))
    }
    needed = (*found, str(Path(sys.base_prefix).resolve()), package)
    first = (
        f"import sys; sys.path += {list(found)!r}; from importlib import util;"
        f" spec = util.spec_from_file_location('ringfence', {package + '/__init__.py'!r});"
        " sys.modules['ringfence'] = made = util.module_from_spec(spec); spec.loader.exec_module(made);"
    )
    return str(Path(sys.executable).resolve()), first, distinct(needed)


def distinct(places: Iterable[str]) -> tuple[str, ...]:
    """Without those that lie in another one."""
    unique = sorted(set(places))
    return tuple(p for p in unique if not any(p != other and p.startswith(other.rstrip("/") + "/") for other in unique))
