"""A real OTLP receiver on loopback: decodes what comes, and can be told to fail, hang or redirect."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Receiver:
    """What it got: spans, by name in `named`; `answers` are given in turn, then 200."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.resources: list[dict[str, str]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.raw = b""
        self.answers: list[int] = []
        self.location = ""
        self.hang = threading.Event()
        self.hanging = False
        self.news = threading.Condition()
        self.url = ""

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        if self.hanging:
            self.hang.wait(30)
        with self.news:
            self.requests.append((path, headers))
            status = self.answers.pop(0) if self.answers else 200
            if status == 200:
                self.raw += body
                for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                    self.resources.append({a.key: a.value.string_value for a in group.resource.attributes})
                    for scope in group.scope_spans:
                        self.spans += scope.spans
            self.news.notify_all()
        return status

    def wait(self, count: int, within_s: float = 60.0) -> list[Any]:
        """The spans, once there are so many."""
        until = time.monotonic() + within_s
        with self.news:
            while len(self.spans) < count and time.monotonic() < until:
                self.news.wait(0.1)
            return list(self.spans)


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take(self.path, dict(self.headers), body)
            self.send_response(status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.hang.set()
        server.shutdown()
        server.server_close()
        thread.join()
