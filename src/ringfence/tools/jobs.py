"""Run a confined job to its end and keep what it says, bounded. What of the host it sees, and the secrets it holds."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.labels import Audience
from ringfence.jobs import Job, Launcher, Process

from .workshop import audience_of

if TYPE_CHECKING:
    from ringfence.manifest.fields import SecretRef
    from ringfence.manifest.tools import BuiltinTool

PIECE_BYTES = 65_536
GRACE_S = 2.0  # the launcher bounds the time of a job; this much later nobody waits for it any more
STOPPED = {
    "cpu": "it used more CPU time than it may; ask for less",
    "memory": "it used more memory than it may; ask for less",
    "wall": "it did not end in the time that it has; ask for less",
    "output": "it printed more than is kept; ask for less",
}
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store")  # every sandbox shows them


class WayOut(Protocol):
    """The way of one job to the hosts that its tool may reach."""

    def __call__(self, listener: Any, /) -> None:
        """Serve what connects to the socket: see `Job.egress`."""
        ...

    async def aclose(self) -> None:
        """Cut what is under way."""
        ...


Egress = Callable[[str], WayOut]  # makes one for a job of the run of this name


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended (`exit 0`, `signal 9`, `cpu`, `memory`, `wall`, `output`: it said too much), and what it said."""

    how: str
    stdout: bytes
    stderr: bytes
    took_ms: int

    @property
    def exit(self) -> int | None:
        """The exit code; None if it was stopped."""
        word, _, code = self.how.partition(" ")
        return int(code) if word == "exit" else None

    @property
    def why(self) -> str:
        """Why it was stopped, for the model."""
        return f"stopped: {STOPPED.get(self.how, self.how)}"


async def collect(
    launcher: Launcher, job: Job, *, way: WayOut | None = None, stdin: bytes = b"", max_bytes: int = 262_144
) -> Ended:
    """Start it, hand it `stdin`, and wait for its end. It is killed beyond `max_bytes` of either stream, and when late.

    `way` is its only way out, closed with it; without one it has no network. Raises ToolError if it cannot be started
    confined. When the caller is cancelled, nothing of the job is left.
    """
    started = time.monotonic()
    try:
        how, out, err = await _to_its_end(launcher, replace(job, egress=way), stdin, max_bytes)
    finally:
        if way is not None:
            await way.aclose()
    if len(out) > max_bytes or len(err) > max_bytes:
        how = "output"
    return Ended(how, bytes(out[:max_bytes]), bytes(err[:max_bytes]), int((time.monotonic() - started) * 1000))


async def _to_its_end(launcher: Launcher, job: Job, stdin: bytes, max_bytes: int) -> tuple[str, bytearray, bytearray]:
    process = await launcher.start(job)
    out, err = bytearray(), bytearray()
    streams = (_read(process, process.stdout, out, max_bytes), _read(process, process.stderr, err, max_bytes))
    late = None if job.limits.wall_s is None else job.limits.wall_s + GRACE_S
    try:
        async with asyncio.timeout(late):
            how, *_ = await asyncio.gather(process.wait(), *streams, _write(process.stdin, stdin))
    except TimeoutError:
        how = "wall"
    finally:
        process.kill()  # whatever made us leave
    return how, out, err


async def _read(process: Process, stream: StreamReader, kept: bytearray, max_bytes: int) -> None:
    """At most one byte more than `max_bytes`: then the job is killed."""
    while piece := await stream.read(min(PIECE_BYTES, max_bytes + 1 - len(kept))):
        kept += piece
        if len(kept) > max_bytes:
            process.kill()
            return


async def _write(stream: StreamWriter, data: bytes) -> None:
    try:
        if data:
            stream.write(data)
            await stream.drain()
        stream.close()
        await stream.wait_closed()
    except (BrokenPipeError, ConnectionResetError):
        return  # it did not want all of it


@dataclass(frozen=True, slots=True)
class Places:
    """What of the host a job sees, and where it starts: real paths."""

    targets: tuple[str, ...]
    writable: bool
    cwd: str

    def reads(self, *also: str) -> tuple[str, ...]:
        """What a job that changes nothing reads: the targets, and of `also` what not every sandbox shows."""
        extra = [p for p in also if not any(p == top or p.startswith(f"{top}/") for top in _SYSTEM)]
        return tuple(dict.fromkeys((*self.targets, *extra)))


def places(config: BuiltinTool, root: Path) -> Places:
    """The target paths of a group, with the permission to write or without. Raises ManifestError for a missing one."""
    base = root.resolve()
    found = [(base / target.expanduser()).resolve() for target in config.target_paths]
    if missing := next((place for place in found if not place.exists()), None):
        raise ManifestError(f"{config.name}: {missing} of target_paths is not there", todo="make it, or take it out")
    folder = next((place for place in found if place.is_dir()), Path("/tmp"))
    cwd = base if any(place.is_relative_to(base) for place in found) else folder
    return Places(tuple(map(str, found)), "write" in (config.permissions or ()), str(cwd))


def reaching(config: BuiltinTool, egress: Egress | None) -> Egress | None:
    """What makes the way to the hosts of a group; None without hosts. Raises ManifestError if there is no way."""
    if config.hosts and egress is None:
        raise ManifestError(f"{config.name}: hosts are given, and there is no egress proxy here", todo="take hosts out")
    return egress if config.hosts else None


def audience(config: BuiltinTool) -> Audience | None:
    """Everyone who sees what is sent to the hosts of a group, anyone if one of them does not say; without hosts nothing
    is sent, and whoever asked sees what was changed (None)."""
    return audience_of(config.hosts) if config.hosts else None


class Secrets:
    """The operator's secrets by variable. A value that comes back is replaced by its name."""

    def __init__(self, refs: Mapping[str, SecretRef]) -> None:
        self._refs = refs

    def reveal(self) -> dict[str, str]:
        """The value of each variable; raises ToolError if one is not set."""
        values = {name: ref.reveal() for name, ref in self._refs.items()}
        if missing := next((name for name, value in values.items() if value is None), None):
            raise ToolError(f"the secret {missing} is not set", todo="tell the operator to set it")
        return {name: value for name, value in values.items() if value is not None}

    def hide(self, text: str, *, cut: bool) -> str:
        """`text` without the secrets, plain or as programs often print them; `cut`: one may have lost its end."""
        forms = [(form, name) for name, ref in self._refs.items() for form in _forms(ref.reveal() or "")]
        forms.sort(key=lambda pair: -len(pair[0]))
        for form, name in forms:
            text = text.replace(form, f"[secret {name}]")
        if cut:
            ends = [n for form, _ in forms for n in range(1, len(form)) if text.endswith(form[:n])]
            text = text[: len(text) - max(ends, default=0)]
        return text


def _forms(value: str) -> set[str]:
    encoded = base64.b64encode(value.encode()).decode().rstrip("=")
    safe = encoded.translate(str.maketrans("+/", "-_"))
    return {form for form in (value, encoded, safe, quote(value, safe=""), json.dumps(value)[1:-1]) if form}


def text(data: bytes) -> str:
    """UTF-8; what is not becomes U+FFFD. Control characters stay, as data, but NUL."""
    return data.decode("utf-8", errors="replace").replace("\0", "")
