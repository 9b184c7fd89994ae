"""P6: nothing goes over the network but what the manifest names. Watched from the kernel's side where strace is."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ringfence.backends import models

from ..cli.conftest import Serve, Shell, final, step

TINY = "smollm2-135m"
HOME = models.data_home()  # before a test has one of its own
LOOK, DONE = step("files.read", path="notes/a.txt"), final("The disk is full.")
LOCAL = {"AF_UNIX", "AF_NETLINK", "AF_UNSPEC"}
_CALL = re.compile(r"\b(?:connect|sendto|sendmsg|sendmmsg)\(")
_INET = re.compile(r'htons\((\d+)\).*?(?:inet_addr\(|inet_pton\(AF_INET6, )"([^"]+)"')


@dataclass
class Traced:
    """What a command and everything that it started wanted of the network."""

    code: int
    out: str
    err: str
    reached: set[tuple[str, int]] = field(default_factory=set)  # address and port
    families: set[str] = field(default_factory=set)

    @property
    def elsewhere(self) -> set[tuple[str, int]]:
        """What is not on this machine, and every question to a name server."""
        return {(host, port) for host, port in self.reached if port == 53 or not ipaddress.ip_address(host).is_loopback}


def traced(folder: Path, *arguments: str, timeout_s: float = 60) -> Traced:
    """Run a command under strace, its children included."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed, and the kernel's view of the network is what this test is about")
    trace = folder / "trace"
    command = [strace, "-f", "-qq", "-s", "128", "-e", "trace=network", "-o", str(trace)]
    command += [sys.executable, "-m", "ringfence.cli", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s)
    if not trace.exists() or "ptrace" in done.stderr:
        pytest.skip(f"strace may not trace here: {done.stderr.strip()[:200]}")
    seen = Traced(done.returncode, done.stdout, done.stderr)
    for line in trace.read_text().splitlines():
        if _CALL.search(line) and (family := re.search(r"sa_family=(AF_\w+)", line)):
            seen.families.add(family[1])
            if family[1] not in LOCAL:
                where = _INET.search(line)
                assert where is not None, line
                seen.reached.add((where[2], int(where[1])))
    return seen


def place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 80


def test_a_run_reaches_the_model_server_of_the_manifest_and_nothing_else(folder: Path, serve: Serve) -> None:
    url = serve(LOOK, DONE)
    seen = traced(folder, "run", "what is wrong?")
    assert (seen.code, seen.out) == (0, "The disk is full.\n")
    assert seen.reached == {place(url)}
    assert seen.elsewhere == set()
    assert seen.families <= {*LOCAL, "AF_INET"}


@pytest.mark.parametrize("arguments", ["--help", "version", "models list", "manifest check", "runs list"])
def test_a_command_that_needs_no_model_reaches_nothing(folder: Path, serve: Serve, arguments: str) -> None:
    serve(LOOK, DONE)
    seen = traced(folder, *arguments.split())
    assert seen.reached == set()


def test_the_doctor_reaches_the_model_server_alone(folder: Path, serve: Serve) -> None:
    url = serve(LOOK, DONE)
    seen = traced(folder, "doctor")
    assert "model main" in seen.out
    assert seen.reached == {place(url)}


@pytest.mark.model
def test_a_run_of_the_embedded_model_and_its_server_stay_on_this_machine(folder: Path) -> None:
    """The server ends by itself after `idle_s`: strace waits for it, so what it did is all seen."""
    weights = asyncio.run(models.pull(TINY, HOME))
    (folder.parent / "home" / "models").mkdir(parents=True)
    (folder.parent / "home" / "models" / weights.name).symlink_to(weights)
    (folder / "ringfence.yaml").write_text(
        f"inference: {{provider: embedded, model: {TINY}, idle_s: 1, max_context: 2048, max_tokens: 64}}\n"
        "tools: [{name: calc, type: builtin}]\n"
        "workflow: {max_steps: 2}\n"
    )
    seen = traced(folder, "run", "what is 2 + 2?", "--offline", timeout_s=240)
    assert seen.code in (0, 1, 3), seen.err  # what so small a model answers is not the point
    assert len({port for _, port in seen.reached}) == 1, "one server, on one port"
    assert seen.elsewhere == set()


@contextmanager
def listening(answer: Callable[[bytes], bytes] = lambda request: b"") -> Iterator[tuple[str, list[bytes]]]:
    """An address on this machine and the requests that reached it."""
    heard: list[bytes] = []
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    address: list[str] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(65536))
        writer.write(answer(heard[-1]))
        writer.close()

    async def serve() -> None:
        async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
            address.append(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(20)
        yield address[0], heard
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def manifest(folder: Path, address: str, more: str = "") -> None:
    (folder / "ringfence.yaml").write_text(
        f'inference: {{provider: openai, model: scripted, endpoint: "http://{address}/v1", retries: 0{more}}}\n'
        "tools: [{name: files, type: builtin, target_paths: [./notes]}]\n"
    )


@pytest.mark.parametrize("method", [b"GET", b"POST"], ids=["asked what it has", "asked for a step"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_model_server_cannot_send_us_elsewhere(ringfence: Shell, folder: Path, status: int, method: bytes) -> None:
    end = "Connection: close\r\n\r\n"
    models_page = json.dumps({"data": [{"id": "scripted"}]})
    listed = f"HTTP/1.1 200 X\r\nContent-Length: {len(models_page)}\r\n{end}{models_page}"
    with listening() as (trap, heard):
        turn = f"HTTP/1.1 {status} X\r\nLocation: http://{trap}/v1\r\nContent-Length: 0\r\n{end}"
        with listening(lambda said: (turn if said.startswith(method) else listed).encode()) as (server, asked):
            manifest(folder, server)
            shown = ringfence("run", "what is wrong?")
        assert shown.code in (1, 5)
        assert f"answered {status}, a redirect to http://{trap}/v1" in shown.err
        assert asked[-1].startswith(method)
        assert heard == []


def test_proxies_of_the_environment_are_not_asked(
    ringfence: Shell, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would be another reader of everything that is sent; the manifest names none."""
    serve(LOOK, DONE)
    with listening() as (proxy, heard):
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://{proxy}")
            monkeypatch.setenv(name.upper(), f"http://{proxy}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        shown = ringfence("run", "what is wrong?")
    assert (shown.code, shown.out) == (0, "The disk is full.\n")
    assert heard == []


def test_a_server_elsewhere_without_an_audience_gets_no_byte(ringfence: Shell, folder: Path) -> None:
    """`0.0.0.0` is no loopback address, and leads to this machine all the same: what is sent there would be heard."""
    with listening() as (server, heard):
        elsewhere = server.replace("127.0.0.1", "0.0.0.0")
        manifest(folder, elsewhere)
        shown = ringfence("run", "what is wrong?")
        assert shown.code == 1
        assert "refused (POL-5 readers)" in shown.err
        assert "not everyone who sees what is sent there may read this" in shown.out
        assert heard == []
        manifest(folder, elsewhere, ', audience: ["role:ops"]')
        ringfence("run", "what is wrong?")
        assert heard, "with an audience it is asked: the silence above is the policy's"


def test_no_connection_is_even_tried_to_a_server_without_an_audience(folder: Path) -> None:
    manifest(folder, "192.0.2.1:8000")  # RFC 5737: nobody's address
    seen = traced(folder, "run", "what is wrong?")
    assert seen.code == 1
    assert "POL-5" in seen.err
    assert seen.reached == set()
