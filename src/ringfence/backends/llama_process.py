"""The embedded model's own process: xllamacpp's llama-server on loopback, shared, detached, gone when idle.

`python -m ringfence.backends.llama_process STATE_DIR` reads `settings.json` there, leaves a daemon behind and exits.
The daemon holds the lock on `alive` as long as it lives (so a dead one is known without trusting a process id) and
writes `state.json` (0600, with the key) once it serves. Clients hold a shared lock on `lease` during a request and set
its modification time to the time until which they want the server; once that has passed and no one holds the lease,
the daemon takes it for itself and exits.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

SETTINGS, STATE, LOG, ALIVE, LEASE = "settings.json", "state.json", "server.log", "alive", "lease"
SPIN_COUNT = "300"  # see bench/busy.py: a waiting thread spins for a few microseconds, then sleeps
_PROMPT_CACHE_MIB = 1024  # of earlier conversations; xllamacpp's own default is 8 GiB


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is started with; servers with equal settings are one.

    n_ctx is the window of one request in tokens, for each of n_parallel slots.
    """

    path: str
    digest: str
    alias: str
    n_ctx: int = 8192
    n_parallel: int = 1
    n_threads: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """A server that serves."""

    pid: int
    port: int
    key: str
    digest: str
    started: int

    @classmethod
    def read(cls, folder: Path) -> State | None:
        """None if there is no readable one."""
        try:
            return cls(**json.loads((folder / STATE).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        """Atomically, readable by its owner alone."""
        write_private(folder / STATE, asdict(self))


def write_private(path: Path, value: dict[str, object]) -> None:
    """A JSON file of mode 0600, in place at once or not at all."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(value, file)
    new.replace(path)


def open_lock(path: Path) -> int:
    """A file descriptor for `flock`; the caller closes it."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(fd: int, how: int) -> bool:
    """Take a lock (`fcntl.LOCK_SH` or `LOCK_EX`) now, or not."""
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def usable_cores() -> int:
    """Physical cores that this process may use: affinity, hyperthreads and the cgroup's CPU quota."""
    cpus = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    cores = set()
    for cpu in cpus:
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        cores.add(siblings.read_text() if siblings.exists() else str(cpu))
    count = len(cores) if len(cpus) > 4 else len(cpus)  # below, a hyperthread still pays (bench/busy.py)
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return count
    return count if quota == "max" else max(1, min(count, int(quota) // int(period)))


def serve(settings: Settings, key: str) -> tuple[object, int]:
    """Load the model and listen; (the server, which lives as long as it is referred to, and its port)."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = settings.path
    params.model_alias = {settings.alias}
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.api_keys = [key]
    params.ui = params.endpoint_slots = params.endpoint_metrics = params.endpoint_props = False
    params.cors_origins = params.cors_methods = params.cors_headers = ""
    params.cors_credentials = False
    params.offline = True
    params.n_parallel, params.n_ctx = settings.n_parallel, settings.n_ctx * settings.n_parallel
    params.cache_prompt, params.cache_ram_mib = True, _PROMPT_CACHE_MIB
    params.verbosity = 1  # errors alone: a log of prompts would be a second, unlabelled journal
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads, cpu.poll = settings.n_threads or usable_cores(), 0
    server = xllamacpp.Server(params)
    return server, int(server.listening_address.rpartition(":")[2])


def watch(lease: int, *, every_s: float = 0.25) -> None:
    """Return, with the lease taken, when nobody wants the server any more."""
    while True:
        time.sleep(every_s)
        if os.fstat(lease).st_mtime >= time.time() or not try_lock(lease, fcntl.LOCK_EX):
            continue
        if os.fstat(lease).st_mtime < time.time():
            return
        fcntl.flock(lease, fcntl.LOCK_UN)  # someone came in between


def main(folder: Path) -> None:
    """Become the server of `folder`; returns at once where one lives already."""
    alive, lease = open_lock(folder / ALIVE), open_lock(folder / LEASE)
    for _ in range(40):  # a client that looks whether we live holds the lock for a moment
        if try_lock(alive, fcntl.LOCK_EX):
            break
        time.sleep(0.025)
    else:
        return
    settings = Settings(**json.loads((folder / SETTINGS).read_bytes()))
    (folder / STATE).unlink(missing_ok=True)
    if os.fork():  # the lock belongs to both, so there is no moment without a holder
        os._exit(0)
    key = secrets.token_urlsafe(32)
    try:
        server, port = serve(settings, key)
    except (ImportError, RuntimeError) as fault:  # llama.cpp has said why on stderr, which is the log
        sys.exit(str(fault))
    State(os.getpid(), port, key, settings.digest, int(time.time())).write(folder)
    watch(lease)
    (folder / STATE).unlink(missing_ok=True)
    del server
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
