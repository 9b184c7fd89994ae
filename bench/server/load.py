"""Asks a server for streamed runs, as many at once as it is told to, and says in one line of JSON how that went.

A process of its own, on bare sockets, so that what is measured is the server. Each of `--at-once` clients keeps one
connection, sends its task and reads the stream to its end, and only then asks again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

try:
    from uvloop import new_event_loop
except ImportError:
    from asyncio import new_event_loop


class Client:
    """One connection that is kept, and the two ways in which a run is asked for."""

    def __init__(self, url: str, key: str) -> None:
        self.host = urlsplit(url)
        self.key = key
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def whole(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """A request, and all of its answer."""
        pieces = [piece async for piece in self._pieces(method, path, body)]
        return self.status, b"".join(pieces)

    async def _pieces(self, method: str, path: str, body: bytes, accept: str = "") -> AsyncIterator[bytes]:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self.host.hostname, self.host.port)
        reader, writer = self._reader, self._writer
        assert reader is not None
        auth = f"Authorization: Bearer {self.key}\r\n" if self.key else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host.netloc}\r\n{auth}"
        head += f"Accept: {accept}\r\n" if accept else ""
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n" if body else "\r\n"
        writer.write(head.encode() + body)
        told = (await reader.readuntil(b"\r\n\r\n")).lower()
        self.status = int(told[9:12])
        if (at := told.find(b"content-length:")) >= 0:
            yield await reader.readexactly(int(told[at + 15 :].split(b"\r\n", 1)[0]))
        elif b"transfer-encoding: chunked" in told:
            while size := int(await reader.readuntil(b"\r\n"), 16):
                yield (await reader.readexactly(size + 2))[:-2]
            await reader.readexactly(2)
        if b"connection: close" in told:
            self.close()

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def stream(self, method: str, path: str, body: bytes = b"") -> tuple[float, bytes]:
        """Read a stream to its end: when its first event came, and the last bytes of it."""
        first, tail = 0.0, b""
        async for piece in self._pieces(method, path, body, "text/event-stream"):
            tail = (tail + piece)[-2000:]
            if not first and b"data:" in piece:
                first = time.perf_counter()
        if self.status != 200:
            raise RuntimeError(f"{self.status}: {tail[:200]!r}")
        return first, tail


async def ours(client: Client, task: str) -> tuple[float, bytes]:
    """Begin a run, and follow it in the answer."""
    return await client.stream("POST", "/v1/runs", json.dumps({"task": task}).encode())


async def twice(client: Client, task: str) -> tuple[float, bytes]:
    """Begin a run, and follow it by a second request, as the page does."""
    status, answer = await client.whole("POST", "/v1/runs", json.dumps({"task": task}).encode())
    if status != 202:
        raise RuntimeError(f"{status}: {answer[:200]!r}")
    return await client.stream("GET", f"/v1/runs/{json.loads(answer)['id']}/events")


async def theirs(client: Client, task: str) -> tuple[float, bytes]:
    """A rival's one request."""
    return await client.stream("POST", "/run", json.dumps({"task": task}).encode())


WAYS = {
    "ours": (ours, b'"status":"done"'),
    "twice": (twice, b'"status":"done"'),
    "theirs": (theirs, b"event: end"),
}


async def measure(args: argparse.Namespace) -> dict[str, Any]:
    """The runs, their times in milliseconds, and what went wrong."""
    ask, ends = WAYS[args.kind]
    keys = args.key.split(",")
    left, wrong = iter(range(args.runs)), list[str]()
    times, firsts = list[float](), list[float]()

    async def one(number: int) -> None:
        client = Client(args.url, keys[number % len(keys)])
        for n in left:
            began = time.perf_counter()
            try:
                first, tail = await ask(client, f"what is six times seven? ({n})")
                if ends not in tail:
                    raise RuntimeError(f"it ended with {tail[-200:]!r}")
            except (OSError, RuntimeError, ValueError, asyncio.IncompleteReadError) as error:
                wrong.append(repr(error))
                client.close()
                continue
            times.append((time.perf_counter() - began) * 1000)
            firsts.append((first - began) * 1000)
        client.close()

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one(number) for number in range(args.at_once)))
    wall = time.perf_counter() - began
    return {
        "runs": len(times), "errors": len(wrong), "first_error": wrong[0] if wrong else "", "wall_s": wall,
        "runs_per_s": len(times) / wall, "client_cpu_ms": (time.process_time() - cpu) * 1000 / max(1, len(times)),
        **shape("run", times), **shape("first", firsts),
    }  # fmt: skip


def shape(name: str, times: list[float]) -> dict[str, float]:
    """Mean, median, 99th percentile and the longest."""
    if len(times) < 2:
        return {}
    cut = statistics.quantiles(times, n=100, method="inclusive")
    named = {"mean": statistics.fmean(times), "p50": cut[49], "p99": cut[98], "max": max(times)}
    return {f"{name}_{key}_ms": value for key, value in named.items()}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", default="", help="API keys, with commas: the clients take turns")
    parser.add_argument("--kind", choices=WAYS, required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--at-once", type=int, default=1)
    args = parser.parse_args()
    loop = new_event_loop()
    print(json.dumps(loop.run_until_complete(measure(args))))


if __name__ == "__main__":
    main()
