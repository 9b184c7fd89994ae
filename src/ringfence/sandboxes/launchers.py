"""The launchers, and in plain words what each of them holds and what it cannot."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from ..core.errors import ToolError
from ..jobs import Job
from .warm import bubblewrap, cgroups, landlock, seccomp
from .worker import Confined, Worker

Holds = Mapping[str, bool | str]  # a line of what is held -> True, or why it is not (fully)

NOT_CANONICAL = "a sandbox is given real paths: absolute, without links, '..' or a slash at the end"
NOT_FOR_TOOLS = ("/", "/proc", "/sys", "/dev")


def _check(job: Job) -> None:
    """Refuse what no launcher can mean. Raises ToolError."""
    if not job.argv:
        raise ToolError("a job needs a command, this one has none")
    for text in (*job.argv, job.cwd, *job.env, *job.env.values()):
        if "\0" in text:
            raise ToolError("a command, a folder or a variable of a job holds a NUL character")
    if any(not name or "=" in name for name in job.env):
        raise ToolError("a variable of a job has no name, or a name with '='")
    for path in (*job.reads, *job.writes):
        if not path.startswith("/") or os.path.realpath(path) != path:
            raise ToolError(f"{path} cannot be shown to a tool", todo=NOT_CANONICAL)
        if path == "/" or any(path == top or path.startswith(f"{top}/") for top in NOT_FOR_TOOLS[1:]):
            raise ToolError(f"{path} is not for tools", todo="declare the folders that the tool works in")
        if not os.path.lexists(path):
            raise ToolError(f"{path} is declared for a tool and does not exist", todo="create it, or declare another")


class _Warm:
    """What the launchers share: one warm worker, started at the first job."""

    name: ClassVar[str]

    def __init__(self) -> None:
        self._worker = Worker()

    async def start(self, job: Job) -> Confined:
        """Start it; raises ToolError if it cannot be confined as the job asks."""
        _check(job)
        return await self._worker.start(job, self.name)

    def close(self) -> None:
        """End the worker, and with it every job that is still under way."""
        self._worker.close()


def _limits() -> dict[str, bool | str]:
    """What holds of memory and CPU time, which takes a cgroup to be exact."""
    if cgroups.parent() is not None:
        return {"memory of a job as a whole": True}
    words = "each process is limited; their sum is looked at four times a second, for want of a cgroup (version 2)"
    return {"memory of a job as a whole": words}


class Bubblewrap(_Warm):
    """Namespaces of its own for everything, no capability, a seccomp filter; the launcher of choice."""

    name = "bubblewrap"

    @property
    def holds(self) -> Holds:
        """What is held, in words."""
        held = (
            "files beyond the declared paths are neither read, written nor seen", "no network but the egress proxy",
            "no sockets of the host, wherever they lie", "processes of the host are neither seen nor signalled",
            "no capability, no other user, no set-uid program", "no ptrace, keys, mounts, namespaces, bpf, io_uring",
            "CPU seconds, processes, file size, open files, wall time", "/tmp and /dev/shm are private and small",
            "read-only paths within writable ones", "nothing survives the end of a job",
        )  # fmt: skip
        return MappingProxyType({**dict.fromkeys(held, True), **_limits()})


class Landlock(_Warm):
    """landlock, a seccomp filter, rlimits, and a uid of its own where we are root: for hosts without namespaces."""

    name = "landlock"

    @property
    def holds(self) -> Holds:
        """What is held, in words."""
        held = (
            "files beyond the declared paths are neither read nor written", "no network at all",
            "no sockets of the host, wherever they lie", "no capability, no set-uid program",
            "no ptrace, keys, mounts, namespaces, bpf, io_uring", "CPU seconds, file size, open files, wall time",
            "nothing survives the end of a job",
        )  # fmt: skip
        root = os.geteuid() == 0
        user = "the kernel counts all of the user's processes; the job's own are looked at four times a second"
        scopes = root or landlock.abi() >= 6
        rest: dict[str, bool | str] = {
            "no other user": root or "only root can give a tool another user",
            "number of processes": root or cgroups.parent() is not None or user,
            "processes of the host are not signalled": scopes or "takes Linux 6.12",
            "names and attributes of files elsewhere": "stat works everywhere, reading does not",
            "the egress proxy": "takes a network namespace; a job that needs it is refused",
            "read-only paths within writable ones": "landlock cannot take away beneath; such a job is refused",
            "/tmp is private and small": "private; its size is looked at four times a second",
        }
        return MappingProxyType({**dict.fromkeys(held, True), **rest, **_limits()})


class UnsafeNoSandbox(_Warm):
    """NO SANDBOX: rlimits and wall time alone; a tool can do whatever the operator can, past any egress proxy."""

    name = "unsafe-none"

    @property
    def holds(self) -> Holds:
        """What is held, in words."""
        nothing = "no sandbox: a tool reads, writes and connects as the operator does"
        held = ("CPU seconds and memory of each process, file size, open files", "wall time")
        return MappingProxyType({**dict.fromkeys(held, True), "files, network, processes, everything else": nothing})


def missing(name: str) -> str | None:
    """Why the launcher cannot even be tried here; None: try it."""
    if name == "bubblewrap" and bubblewrap.program() is None:
        return f"{bubblewrap.PROGRAM} is not there"
    if name != "unsafe-none" and os.uname().machine not in seccomp.AUDIT_ARCH:
        return f"the system call filter is not written for {os.uname().machine}"
    if name == "landlock" and landlock.abi() < landlock.LEAST_ABI:
        return "the kernel has no landlock, or an old one (Linux 6.2 has what it takes)"
    return None
