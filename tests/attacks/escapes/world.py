"""A piece of host for one attempt: files, servers, a process and secrets with one token, and what became of them."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import resource
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.jobs import Limits

LIMITS = Limits(cpu_s=1, wall_s=6, memory_mb=96, processes=16, file_mb=8, open_files=64)
LIBC = ctypes.CDLL(None, use_errno=True)
X86 = os.uname().machine == "x86_64"
SYSCTL = Path("/proc/sys/vm/stat_interval")
SYSFS = [Path("/sys/kernel/mm/ksm/sleep_millisecs"), Path("/sys/kernel/mm/lru_gen/min_ttl_ms")]
DOMAIN = Path("/proc/sys/kernel/domainname")
VICTIM = """
import ctypes, os, sys
fd = os.open("secret", os.O_RDONLY)
kept = ctypes.create_string_buffer(sys.argv[1].encode(), 64)
print(fd, ctypes.addressof(kept), flush=True)
sys.stdin.read()
"""


def kernel(x86: int, arm: int, *args: object) -> int:
    """A system call; negative where the kernel refuses."""
    return int(LIBC.syscall(ctypes.c_long(x86 if X86 else arm), *args))


def address() -> str:
    """An address of this host that is not 127.0.0.1."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    return "127.0.0.2"


@dataclass
class Trial:
    """How a job went, as seen from outside."""

    output: str
    how: str
    seconds: float


class World:
    """Made for one attempt, and taken down after it."""

    def __init__(self, *, settings: bool = False) -> None:
        self.token = f"token{secrets.token_hex(12)}"
        self.folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="ringfence-world-")))
        self.folder.chmod(0o755)
        self.home, self.work, self.given = (self.folder / name for name in ("home", "work", "given"))
        for folder in (self.home, self.work, self.given):
            folder.mkdir()
            (folder / "kept").write_text("as it was")
            (folder / "kept").chmod(0o644)
        self.home.chmod(0o700)
        (self.home / "secret").write_text(self.token)
        self.received = b""
        self.free = self.udp = self.tcp = self.tcp6 = 0
        self._open = contextlib.ExitStack()
        self._servers: list[Any] = []
        self._victim: subprocess.Popen[str] | None = None
        self.master, self.slave = os.openpty()
        self.sysfs = next((path for path in SYSFS if os.access(path, os.W_OK)), SYSFS[0])
        watched = (SYSCTL, self.sysfs, DOMAIN) if settings else ()
        self._before = {path: path.read_text() for path in watched if path.exists()}
        self._secrets()

    def _secrets(self) -> None:
        """Keys, queues and shared memory that belong to the operator."""
        text = self.token.encode()
        self.shared = Path("/dev/shm") / self.token
        self.shared.write_text(self.token)
        self.shared.chmod(0o600)
        self.shm_key = secrets.randbits(30)
        self.shm = kernel(29, 194, self.shm_key, 4096, 0o1600)
        LIBC.shmat.restype = ctypes.c_void_p
        if self.shm >= 0:
            ctypes.memmove(LIBC.shmat(self.shm, None, 0), text, len(text))
        self.queue = kernel(240, 180, text, os.O_RDWR | os.O_CREAT, 0o600, None)
        if self.queue >= 0:
            kernel(242, 182, self.queue, text, len(text), 0, None)
        self.key = kernel(248, 217, b"user", text, text, len(text), ctypes.c_long(-4))
        kernel(250, 219, 5, self.key, 0x3F3F0000)  # KEYCTL_SETPERM

    async def open(self, *, victim: bool) -> None:
        """Start the servers, and the process that is somebody else's."""
        loop = asyncio.get_running_loop()
        for host in ("0.0.0.0", "::1"):
            with contextlib.suppress(OSError):
                self._servers.append(await asyncio.start_server(self._serve, host, 0))
        ports = [server.sockets[0].getsockname()[1] for server in self._servers]
        self.tcp, self.tcp6 = ports[0], ports[-1]
        for path in (self.home / "socket", self.work / "socket", self.given / "socket", f"\0ringfence-{self.token}"):
            self._servers.append(await asyncio.start_unix_server(self._serve, str(path)))
        for name in ("home", "work", "given"):
            (self.folder / name / "socket").chmod(0o777)
        for family, at in ((socket.AF_INET, ("0.0.0.0", 0)), (socket.AF_UNIX, str(self.work / "datagrams"))):
            sock = self._open.enter_context(socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK))
            sock.bind(at)
            loop.add_reader(sock, self._datagram, sock)
            self._open.callback(loop.remove_reader, sock)
            self.udp = self.udp or sock.getsockname()[1]
        (self.work / "datagrams").chmod(0o777)
        with socket.socket() as free:
            free.bind(("", 0))
            self.free = free.getsockname()[1]
        self.fd = self.address = 0
        if victim:
            environment = {"TOKEN": self.token}
            command = [sys.executable, "-I", "-S", "-c", VICTIM, self.token]
            self._victim = subprocess.Popen(
                command, env=environment, cwd=self.home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            assert self._victim.stdout is not None
            self.fd, self.address = map(int, (await asyncio.to_thread(self._victim.stdout.readline)).split())
            self.files = resource.prlimit(self._victim.pid, resource.RLIMIT_NOFILE)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            self.received += await reader.read(65536)
        writer.close()

    def _datagram(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self.received += sock.recv(65536)

    @property
    def victim(self) -> int:
        """The pid of somebody else's process."""
        return self._victim.pid if self._victim is not None else 0

    def arguments(self) -> dict[str, Any]:
        """What the attempt is told: a hostile tool knows its surroundings."""
        return {
            "token": self.token, "home": str(self.home), "work": str(self.work), "given": str(self.given),
            "victim": self.victim, "fd": self.fd, "address": self.address, "files": 33, "tcp": self.tcp,
            "tcp6": self.tcp6, "udp": self.udp, "free": self.free, "address4": address(), "shm": self.shm_key,
            "terminal": os.ttyname(self.slave), "sysctl": str(SYSCTL), "sysctl_value": "2",
            "sysfs": str(self.sysfs), "sysfs_value": "21", "processes": LIMITS.processes, "memory": LIMITS.memory_mb,
            "cpu": LIMITS.cpu_s, "file": LIMITS.file_mb, "open": LIMITS.open_files,
        }  # fmt: skip

    def changed(self, path: Path) -> bool:
        """Whether a setting of the kernel is another than before."""
        return path in self._before and path.read_text() != self._before[path]

    def alive(self) -> Iterator[Path]:
        """Processes of the attempt, by the token on their command line; the victim is none of them."""
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes()
                zombie = (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
                if self.token.encode() in line and int(entry.name) != self.victim and not zombie:
                    yield entry

    def runs_as_root(self) -> bool:
        """Whether a process of the attempt has uid 0 on the host: inside, it may believe what it likes."""
        for entry in self.alive():
            with contextlib.suppress(OSError):
                status = (entry / "status").read_text()
                name, uids = (
                    next(line for line in status.splitlines() if line.startswith(key)) for key in ("Name:", "Uid:")
                )
                if "0" in uids.split()[1:] and name.split()[1] != "bwrap":
                    return True
        return False

    def listens(self) -> bool:
        """Whether the host's port is served."""
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.free)) == 0

    def typed(self) -> str:
        """What was typed into the operator's terminal."""
        os.set_blocking(self.slave, False)
        try:
            return os.read(self.slave, 4096).decode()
        except BlockingIOError:
            return ""

    async def close(self) -> None:
        """Put everything back."""
        for entry in self.alive():
            with contextlib.suppress(OSError):
                os.kill(int(entry.name), 9)
        for server in self._servers:
            server.close()
        self._open.close()
        if self._victim is not None:
            self._victim.kill()
            self._victim.communicate()
        for path, text in self._before.items():
            if path.read_text() != text and os.access(path, os.W_OK):
                path.write_text(text)
        os.close(self.master)
        os.close(self.slave)
        if self.shm >= 0:
            kernel(31, 195, self.shm, 0, None)
        if self.queue >= 0:
            os.close(self.queue)
            kernel(241, 181, self.token.encode())
        kernel(250, 219, 9, self.key, ctypes.c_long(-4))  # KEYCTL_UNLINK
        for path in Path("/dev/shm").glob(f"{self.token}*"):
            path.unlink()
        for path in Path(tempfile.gettempdir()).glob(f"{self.token}*"):
            path.unlink()
        if os.path.ismount(self.work / "mine"):
            LIBC.umount2(bytes(self.work / "mine"), 2)
        shutil.rmtree(self.folder, ignore_errors=True)

    def mode(self, path: Path) -> int:
        """The mode of a file, 0 if it is not there."""
        with contextlib.suppress(OSError):
            return stat.S_IMODE(path.lstat().st_mode)
        return 0
