"""What a job may use: rlimits on each process, and a look at all of them together where no cgroup counts for us."""

from __future__ import annotations

import math
import os
import resource

from .spec import Limits

MIB = 1 << 20
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def apply(limits: Limits) -> None:
    """Limit the calling process and what it starts. The number of processes is set where it can be counted."""
    cpu_s = math.ceil(limits.cpu_s)
    wanted = {
        resource.RLIMIT_CPU: (cpu_s, cpu_s + 1),  # SIGXCPU, then SIGKILL
        resource.RLIMIT_DATA: (limits.memory_mb * MIB,) * 2,  # RLIMIT_AS would count what runtimes merely reserve
        resource.RLIMIT_FSIZE: (limits.file_mb * MIB,) * 2,
        resource.RLIMIT_NOFILE: (limits.open_files,) * 2,
        resource.RLIMIT_CORE: (1, 1),  # 0 would still feed a core to a program that core_pattern names (core(5))
        resource.RLIMIT_MEMLOCK: (64 << 10,) * 2,
        resource.RLIMIT_MSGQUEUE: (0, 0),
        resource.RLIMIT_SIGPENDING: (1024, 1024),
    }
    for kind, (soft, hard) in wanted.items():
        most = resource.getrlimit(kind)[1]
        most = hard if most == resource.RLIM_INFINITY else min(hard, most)
        resource.setrlimit(kind, (min(soft, most), most))


def apply_processes(count: int, pid: int = 0) -> None:
    """At most `count` processes and threads of the uid of `pid` in its user namespace. Not for root."""
    resource.prlimit(pid, resource.RLIMIT_NPROC, (count, count))


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def tree(pid: int) -> list[int]:
    """The descendants of `pid`, itself not included."""
    found: list[int] = []
    ahead = [pid]
    while ahead:
        tasks = f"/proc/{ahead.pop()}/task"
        try:
            for task in os.listdir(tasks):
                below = [int(child) for child in _read(f"{tasks}/{task}/children").split()]
                found += below
                ahead += below
        except OSError:  # it has just ended
            continue
    return found


def childless(pid: int) -> bool:
    """Whether `pid` certainly has no descendant; False where the kernel does not list children."""
    return not tree(pid) and os.path.exists(f"/proc/self/task/{os.getpid()}/children")


def of_user(uid: int) -> int:
    """How many threads of `uid` there are."""
    count = 0
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{name}").st_uid == uid:
                count += len(os.listdir(f"/proc/{name}/task"))
        except OSError:
            continue
    return count


class Usage:
    """CPU seconds and memory of a job, summed over its processes as they are seen."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}

    def over(self, limits: Limits, pids: list[int]) -> str | None:
        """ "cpu" or "memory" if the job has used more than it may, "processes" if there are too many."""
        ticks = pages = 0
        for pid in pids:
            try:
                times = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
                pages += int(_read(f"/proc/{pid}/statm").split()[1])
            except (OSError, IndexError):
                continue
            own, waited = int(times[11]) + int(times[12]), int(times[13]) + int(times[14])
            self._seen[pid] = own
            ticks += own + waited
        if max(ticks, sum(self._seen.values())) > limits.cpu_s * TICKS_PER_S:
            return "cpu"
        if pages * PAGE > limits.memory_mb * MIB and sum(map(_share, pids)) > limits.memory_mb * MIB:
            return "memory"
        return "processes" if len(pids) > limits.processes else None


def _share(pid: int) -> int:
    """Bytes of memory of one process, what it shares counted in proportion."""
    try:
        for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) << 10
    except OSError:
        pass
    return 0
