"""Processes of the bench: the server as `ringfence serve` starts it, its rivals, the floor, and a scripted model."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MANIFEST = """
runtime: {{name: bench}}
inference: {{provider: openai, model: scripted, endpoint: "{model}/v1"}}
workflow: {{tool_first: false}}
server:
  access_log: false
  limits:
    {{running: {running}, running_each: {running}, queued: 100000, queued_each: 100000, requests: 999999/second,
      requests_each_address: 999999/second, connections: 4096, connections_each_address: 4096}}
"""
STEP = json.dumps(
    {"thought": "easy", "final_answer": {"answer": "It is forty-two.", "artifacts": [], "confidence": "high"}}
)


@dataclass
class Served:
    """A server under test. `pid`: whose memory is looked at."""

    name: str
    url: str
    pid: int
    key: str = ""
    folder: Path = Path()


def scripted(delay_ms: float) -> Any:
    """A model that takes so long and always answers the same, in a process of its own."""
    from ringfence.testing.server import running

    return running([STEP], delay_ms=delay_ms)


@contextmanager
def ringfence(model: str, *, running: int = 1024, profile: str = "") -> Iterator[Served]:
    """`ringfence serve`: uvicorn on uvloop and httptools, accounts and an API key, a journal on disk."""
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as name:
        folder = Path(name)
        manifest = folder / "ringfence.yaml"
        manifest.write_text(MANIFEST.format(model=model, running=running))
        command = [sys.executable, "-m", "ringfence.cli"]
        made = subprocess.run(
            [*command, "keys", "add", "--manifest", str(manifest)], capture_output=True, text=True, check=True
        )
        serve = [*command, "serve", "--manifest", str(manifest), "--port", "0"]
        if profile:
            serve = [sys.executable, str(HERE / "profiled.py"), str(manifest), profile]
        process = subprocess.Popen(serve, stderr=subprocess.PIPE, text=True)
        try:
            assert process.stderr is not None
            lines = []
            while not (found := re.search(r"is served on (\S+)", line := process.stderr.readline())):
                lines.append(line)
                if not line:
                    raise RuntimeError("the server did not start:\n" + "".join(lines))
            drained = (folder / "stderr.log").open("w")
            subprocess.Popen(["cat"], stdin=process.stderr, stdout=drained)
            yield Served("ringfence", found[1], process.pid, made.stdout.strip(), folder)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def listening(name: str, command: Sequence[str], port: int) -> Iterator[Served]:
    """Anything else that takes a port."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        for _ in range(1200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None:
                raise RuntimeError(f"{name} did not start")
            time.sleep(0.05)
        yield Served(name, f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.kill()
        process.wait()


def floor() -> Any:
    """A bare uvicorn that answers at once."""
    port = free_port()
    return listening("bare uvicorn", [sys.executable, str(HERE / "floor.py"), str(port)], port)


def rival(name: str, python: Path, model: str) -> Any:
    """Another framework behind FastAPI, from a venv of its own."""
    port = free_port()
    return listening(name, [str(python), str(HERE / "rivals.py"), name, str(port), f"{model}/v1"], port)


def load(served: Served, *, runs: int, at_once: int, kind: str = "") -> dict[str, Any]:
    """Ask for so many runs from a process of its own; `kind` is one of `load.WAYS`."""
    kind = kind or ("theirs" if served.name not in ("ringfence", "bare uvicorn") else "ours")
    command = [sys.executable, str(HERE / "load.py"), "--url", served.url, "--kind", kind, "--runs", str(runs)]
    command += ["--at-once", str(at_once), *(["--key", served.key] if served.key else [])]
    before = cpu_s(served.pid)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    told["server_cpu_ms"] = (cpu_s(served.pid) - before) * 1000 / max(1, told["runs"])
    told["rss_mb"] = rss_mb(served.pid)
    return told


def rss_mb(pid: int) -> float:
    """Resident memory of a process now."""
    return _status(pid, "VmRSS") / 1024


def peak_mb(pid: int) -> float:
    """The most that it ever was."""
    return _status(pid, "VmHWM") / 1024


def threads(pid: int) -> int:
    """Threads of a process."""
    return _status(pid, "Threads")


def files(pid: int) -> tuple[int, int]:
    """Open files of a process, and how many of them are of the journal."""
    names = []
    for one in Path(f"/proc/{pid}/fd").iterdir():
        try:
            names.append(str(one.readlink()))
        except OSError:
            continue
    return len(names), sum("journal.db" in name for name in names)


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _status(pid: int, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def free_port() -> int:
    """A port that is free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
