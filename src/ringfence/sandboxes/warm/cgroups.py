"""A control group per job where the operator was handed one: version 2 with the memory and pids controllers.

The job is born in its group (CLONE_INTO_CGROUP, Linux 5.7): moving a process there waits for the whole machine, some
milliseconds each time. That is also why version 1, which can only move, is not used.
"""

from __future__ import annotations

import contextlib
import os
import time
from functools import lru_cache

from . import kernel
from .spec import Limits

ROOT = "/sys/fs/cgroup"
NEEDED = ("memory", "pids")


def _read(path: str) -> str:
    with open(path) as file:
        return file.read()


@lru_cache(maxsize=1)
def parent() -> str | None:
    """The nearest group at or above ours that hands the controllers down and lets us in; None: rlimits have to do."""
    with contextlib.suppress(OSError, StopIteration):
        own = next(line[3:] for line in _read("/proc/self/cgroup").splitlines() if line.startswith("0::"))
        base = f"{ROOT}{own}".rstrip("/")
        while base.startswith(ROOT):
            handed = _read(f"{base}/cgroup.subtree_control").split()
            if all(name in handed for name in NEEDED) and os.access(f"{base}/cgroup.procs", os.W_OK):
                return base
            base = os.path.dirname(base)
    return None


class Group:
    """One job's group; without a parent, or where the kernel refuses, it is nothing and forks as usual."""

    def __init__(self, base: str | None) -> None:
        self._folder: str | None = None
        if base is not None:
            with contextlib.suppress(OSError):
                folder = f"{base}/ringfence-{os.getpid()}"
                os.mkdir(folder)
                self._folder = folder

    def limit(self, limits: Limits, extra: int) -> None:
        """Let the job use this much; `extra` processes are ours. OSError: the kernel does not take a limit."""
        if self._folder is None:
            return
        values = {"memory.max": limits.memory_mb << 20, "memory.oom.group": 1, "pids.max": limits.processes + extra}
        if os.path.exists(f"{self._folder}/memory.swap.max"):
            values["memory.swap.max"] = 0
        for name, value in values.items():
            with open(f"{self._folder}/{name}", "w") as file:
                file.write(str(value))

    def fork(self) -> int:
        """os.fork, with the child born in the group."""
        if self._folder is not None:
            fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                return kernel.fork_into(fd)
            except OSError:
                self.remove()  # not delegated as it seemed: what is left are the limits of each process
            finally:
                os.close(fd)
        return os.fork()

    def out_of_memory(self) -> bool:
        """Whether the kernel ended a process of the job for its memory."""
        if self._folder is None:
            return False
        events = dict(line.split() for line in _read(f"{self._folder}/memory.events").splitlines())
        return int(events.get("oom_kill", 0)) > 0

    def remove(self) -> None:
        """Remove the group; the kernel needs a moment after the last process is gone."""
        for _ in range(100):
            if self._folder is None:
                return
            try:
                os.rmdir(self._folder)
                self._folder = None
            except OSError:
                time.sleep(0.002)
