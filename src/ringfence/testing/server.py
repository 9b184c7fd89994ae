"""An OpenAI-compatible server on loopback that says what a script says, and misbehaves on demand.

`python -m ringfence.testing.server --script FILE.json [--delay-ms N] [--port 0] [--mode MODE]` prints its port.
It answers canned bytes from one asyncio protocol, so that a benchmark measures its client.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, get_args

from .replies import Reply, http

Step = str | Mapping[str, Any]
Mode = Literal[
    "ok",
    "html",
    "invalid-json",
    "cut",
    "cut-stream",
    "slow",
    "429-then-ok",
    "500",
    "401",
    "404",
    "no-completion",
    "overflow",
    "redirect",
    "refuses-grammar",
    "refuses-tools",
    "whitespace",
    "empty",
    "control",
    "huge",
    "other-model",
    "no-usage",
    "truncates",
]
_BAD: dict[str, tuple[int, str, bytes]] = {
    "html": (200, "text/html", b"<!doctype html><html><body>Welcome to nginx!</body></html>"),
    "invalid-json": (200, "application/json", b'{"choices": [{"message": {"content": "hel'),
    "500": (500, "application/json", b'{"error":{"message":"out of memory","type":"server_error"}}'),
    "401": (401, "application/json", b'{"error":{"message":"Incorrect API key","type":"authentication_error"}}'),
    "404": (404, "application/json", b'{"error":{"message":"model not found","type":"not_found_error"}}'),
    "no-completion": (200, "application/json", b'{"hello": 1}'),
    "redirect": (302, "text/plain", b""),
}  # fmt: skip
_TEXTS = {  # what a mode says instead of the script's text
    "whitespace": '{"thought": "' + " \n" * 50_000,
    "empty": "",
    "control": "\x00\x1b[31mred\x07\u202e\ud800\x7f",
    "huge": "x" * 10_000_000,
}
_REFUSED = {
    "refuses-grammar": re.compile(rb'"(response_format|json_schema|structured_outputs|guided_json)":'),
    "refuses-tools": re.compile(rb'"tools":'),
}
_STREAMED = re.compile(rb'"stream": ?true')
_EVERYWHERE = {"html": "", "invalid-json": "", "401": "", "redirect": "Location: http://192.0.2.1/v1\r\n"}


@dataclass
class ScriptedServer:
    """steps  texts in order (the last one repeats, or all do with `cycle`), or objects of `Reply.of`, of which one
              with `when` answers any request that holds that substring; or a function of the request's JSON
    delay_ms  how long a completion takes
    mode   how to misbehave; `429-then-ok` and `cut-stream` do so once for each two requests, `truncates` drops what
           is beyond half of the window, as Ollama does, and `other-model` answers as another one from the second on
    complaint  what `overflow` says
    pages  further JSON pages by path, or functions from the request's JSON to one
    seen   the last requests: (start line and headers, body); `requests` and `connections` count them all
    """

    steps: Sequence[Step] | Callable[[Any], Step]
    mode: Mode = "ok"
    delay_ms: float = 0.0
    cycle: bool = False
    window: int = 4096
    model: str = "scripted"
    requests: int = 0
    served: int = 0
    seen: deque[tuple[bytes, bytes]] = field(default_factory=lambda: deque(maxlen=64))
    complaint: str = "request (4031 tokens) exceeds the available context size (2048 tokens)"
    pages: Mapping[str, Any] = field(default_factory=dict)
    connections: int = 0
    port: int = 0
    _ordered: list[Reply] = field(default_factory=list)
    _matched: list[Reply] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not callable(self.steps):
            for step in self.steps:
                reply = self._reply(step)
                (self._matched if reply.when else self._ordered).append(reply)

    def _reply(self, step: Step) -> Reply:
        said = {"text": _TEXTS[self.mode]} if self.mode in _TEXTS else step
        return Reply.of(said, self.model, usage=self.mode != "no-usage")

    @property
    def url(self) -> str:
        """The base address, without `/v1`."""
        return f"http://127.0.0.1:{self.port}"

    def answer(self, head: bytes, body: bytes) -> tuple[bytes, bool]:
        """(response bytes, whether to hang up after them)."""
        self.seen.append((head, body))
        get = head.startswith(b"GET")
        if self.mode in _BAD and (not get or self.mode in _EVERYWHERE):
            self.requests += not get
            status, kind, data = _BAD[self.mode]
            return http(status, kind, data, _EVERYWHERE.get(self.mode, "")), False
        if self.mode == "overflow" and not get:
            self.requests += 1
            return http(400, "application/json", json.dumps({"error": {"message": self.complaint}}).encode()), False
        path = head.split(b" ", 2)[1]
        if (
            get or path.decode() in self.pages or not path.endswith(b"/completions")
        ):  # such as a tokenizer that it lacks
            return self._page(path, body), False
        self.requests += 1
        if self.mode == "429-then-ok" and self.requests % 2:
            return http(429, "application/json", b'{"error":{"message":"busy"}}', "Retry-After: 0\r\n"), False
        if self.mode in _REFUSED and (field := _REFUSED[self.mode].search(body)):
            said = {"error": {"message": f"unsupported field {field[0].decode()}", "type": "invalid_request_error"}}
            return http(400, "application/json", json.dumps(said).encode()), False
        size = len(body) - max(0, body.find(b'"messages":'))  # which our client sends last; a grammar is not read
        step, tokens = self._step(body), max(100, size // 4)
        if self.mode == "other-model" and self.requests > 1:
            step = replace(step, model="another-model")
        if self.mode == "truncates":
            tokens = min(tokens, self.window // 2)
        response = step.stream(tokens) if _STREAMED.search(body) else step.whole(tokens)
        if self.mode == "cut":
            return response[: response.index(b"\r\n\r\n") + 9], True
        if self.mode == "cut-stream" and self.requests % 2:
            return response[: len(response) // 2], True
        return response, b"connection: close" in head.lower()

    def _step(self, body: bytes) -> Reply:
        if callable(self.steps):
            return self._reply(self.steps(json.loads(body)))
        for canned in self._matched:
            if canned.when in body:
                return canned
        place = self.served % len(self._ordered) if self.cycle else min(self.served, len(self._ordered) - 1)
        self.served += 1
        return self._ordered[place]

    def _page(self, path: bytes, body: bytes) -> bytes:
        known: dict[str, Any] = {
            "/v1/models": {"object": "list", "data": [{"id": self.model, "object": "model"}]},
            "/props": {"default_generation_settings": {"n_ctx": self.window}},
            "/stats": {"requests": self.requests},
            **self.pages,
        }
        if path.decode() not in known:
            return http(404, "application/json", b'{"error":{"message":"File Not Found"}}')
        page = known[path.decode()]
        said = page(json.loads(body or b"null")) if callable(page) else page
        return http(200, "application/json", json.dumps(said).encode())


class Scripted(Protocol):
    """What a scripted server is to its connections."""

    mode: Any
    delay_ms: float
    connections: int
    port: int

    def answer(self, head: bytes, body: bytes) -> tuple[bytes, bool]:
        """(response bytes, whether to hang up after them)."""
        ...


Server = TypeVar("Server", bound=Scripted)


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive and bodies of known length: enough for any client of this server."""

    def __init__(self, server: Scripted) -> None:
        self._server = server
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections += 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            size = 0
            if (at := head.lower().find(b"content-length:")) >= 0:
                size = int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + size:
                return
            body = self._buffer[end + 4 : end + 4 + size]
            self._buffer = self._buffer[end + 4 + size :]
            response, hang_up = self._server.answer(head, body)
            self._later(response, hang_up, 0.0 if head.startswith(b"GET") else self._server.delay_ms / 1000)

    def _later(self, response: bytes, hang_up: bool, delay_s: float) -> None:
        if self._server.mode == "slow":
            return  # never
        if delay_s:
            asyncio.get_running_loop().call_later(delay_s, self._send, response, hang_up)
        else:
            self._send(response, hang_up)

    def _send(self, response: bytes, hang_up: bool) -> None:
        assert self._transport is not None
        self._transport.write(response)
        if hang_up:
            self._transport.close()


@contextlib.asynccontextmanager
async def _listening(server: Server, port: int) -> AsyncIterator[Server]:
    listener = await asyncio.get_running_loop().create_server(lambda: _Connection(server), "127.0.0.1", port)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


def listen(server: Server, *, port: int = 0) -> contextlib.AbstractAsyncContextManager[Server]:
    """Serve on loopback in this event loop; `port` 0 is any free one."""
    return _listening(server, port)


@contextlib.contextmanager
def running(steps: Sequence[Step], *, mode: Mode = "ok", delay_ms: float = 0.0) -> Iterator[str]:
    """Serve from a process of its own; yields the base address."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "script.json")
        script.write_text(json.dumps(list(steps)))
        command = [sys.executable, "-m", __name__, "--script", str(script), "--mode", mode, "--delay-ms", str(delay_ms)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()
            process.communicate()


async def _serve(server: ScriptedServer, port: int) -> None:
    async with listen(server, port=port):
        print(server.port, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="ringfence.testing.server")
    parser.add_argument("--script", type=Path, required=True, help="a JSON list of steps")
    parser.add_argument("--mode", choices=get_args(Mode), default="ok")
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--cycle", action="store_true", help="start the script again when it has ended")
    parser.add_argument("--window", type=int, default=4096, help="tokens, as /props tells")
    given = parser.parse_args()
    server = ScriptedServer(
        json.loads(given.script.read_text()), given.mode, given.delay_ms, cycle=given.cycle, window=given.window
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(server, given.port))


if __name__ == "__main__":
    main()
