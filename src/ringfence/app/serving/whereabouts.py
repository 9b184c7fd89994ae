"""Where the server of a manifest is: its process and address, and a line to it for whoever owns its folder.

`.ringfence/server.json` says which process it is; `.ringfence/server.sock`, which only its owner can open, is how it is
asked. A file may be left over from a server that was killed; nobody answers at its socket then.
"""

from __future__ import annotations

import json
import os
import select
import socket
import stat
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ringfence.core.errors import JournalError, ManifestError
from ringfence.core.values import JSON
from ringfence.manifest.types import Manifest

FILE, SOCKET, LOG = "server.json", "server.sock", "server.log"
ANSWER_BYTES = 1 << 20
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: `struct ucred` of unix(7)
_FDS = 16


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A server.

    url      what to write in a browser on this machine
    started  milliseconds since 1970
    options  of the command line, which the next one in its place takes over
    """

    pid: int
    url: str
    started: int
    version: str
    options: tuple[str, ...] = ()

    def keep(self, folder: Path) -> None:
        """Write it down (0600), whole or not at all."""
        draft = folder / f".{FILE}.{os.getpid()}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(self), file)
        draft.replace(folder / FILE)

    def forget(self, folder: Path) -> None:
        """Take it away again, unless another server has written its own meanwhile."""
        if left(folder) == self:
            (folder / FILE).unlink(missing_ok=True)
            (folder / SOCKET).unlink(missing_ok=True)

    @property
    def alive(self) -> bool:
        """Whether there is a process with its number, which may be another's by now."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def folder_of(manifest: Manifest) -> Path:
    """The folder of a server's state, made if it is not there (0700)."""
    folder = manifest.root / ".ringfence"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def left(folder: Path) -> Whereabouts | None:
    """What a server has written, which may have been killed since; None for none."""
    try:
        said = json.loads((folder / FILE).read_text())
        options = tuple(map(str, said["options"]))
        return Whereabouts(int(said["pid"]), str(said["url"]), int(said["started"]), str(said["version"]), options)
    except (OSError, ValueError, TypeError, KeyError):
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server has answered: its process by the kernel's word, and sockets that it has handed over."""

    pid: int
    said: Mapping[str, JSON]
    sockets: tuple[socket.socket, ...] = ()


def ask(folder: Path, what: str, *, timeout_s: float = 10.0, **more: JSON) -> Answer | None:
    """Ask the server of a folder; None if nobody answers there. Raises ManifestError for a refusal, in its words."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(timeout_s)
        try:
            with _reachable(folder) as path:
                line.connect(path)
            pid, *_ = _CREDENTIALS.unpack(line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
            line.sendall(json.dumps({"ask": what, **more}).encode() + b"\n")
            data, handles = _whole(line)
        except (FileNotFoundError, ConnectionError):
            return None
        except TimeoutError:
            raise JournalError(
                f"the server in {folder} does not answer",
                todo="see `ringfence logs`, or stop it: `ringfence down --now`",
            ) from None
    if not data:
        return None
    said = json.loads(data)
    sockets = tuple(socket.socket(fileno=handle) for handle in handles)
    if "error" in said:
        raise ManifestError(str(said["error"]), todo=str(said.get("todo", "")))
    return Answer(pid, said, sockets)


def _whole(line: socket.socket) -> tuple[bytes, list[int]]:
    data, handles = b"", list[int]()
    while not data.endswith(b"\n") and len(data) < ANSWER_BYTES:
        part, fds, _, _ = socket.recv_fds(line, 1 << 16, _FDS)
        handles += fds
        if not part:
            break
        data += part
    return data, handles


def listening(folder: Path) -> socket.socket:
    """A socket under the folder's name for it, in place of one that is there; whoever held that is asked no more."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    draft = f".{SOCKET}.{os.getpid()}"
    before = os.umask(0o177)
    try:
        with suppress(FileNotFoundError):
            (folder / draft).unlink()
        with _reachable(folder, draft) as path:
            made.bind(path)
        made.listen(16)
        made.setblocking(False)
        (folder / draft).replace(folder / SOCKET)
    except BaseException:
        made.close()
        raise
    finally:
        os.umask(before)
    return made


def peer_may(connection: socket.socket) -> bool:
    """Whether who is at the other end may ask: our own user, or root, by the kernel's word."""
    _, uid, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return uid in (0, os.geteuid())


@contextmanager
def _reachable(folder: Path, name: str = SOCKET) -> Iterator[str]:
    """A path of the socket that fits into an address (108 bytes), however deep the folder lies."""
    handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{name}"
    finally:
        os.close(handle)


def gone(pid: int, timeout_s: float) -> bool:
    """Wait until a process has ended; whether it has."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], timeout_s)[0])
    finally:
        os.close(handle)


def private(path: Path) -> int:
    """A file to append to that only its owner reads (0600), made if it is not there; its descriptor."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    if stat.S_IMODE(os.fstat(handle).st_mode) & 0o077:
        os.fchmod(handle, 0o600)
    return handle


def as_dict(where: Whereabouts) -> dict[str, Any]:
    """It, for printing."""
    return asdict(where)
