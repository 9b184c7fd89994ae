"""A real receiver of webhooks on loopback, which can fail, hang, lie and redirect."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "whsec_" + base64.b64encode(b"k3y of a receiver, 32 bytes long").decode()


class Hook:
    """What it got: the headers and the bytes of each request. `answers` in turn, then 200; `body` is sent back."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.location = ""
        self.body = b""
        self.hanging = False
        self.free = threading.Event()
        self.news = threading.Condition()
        self.url = ""

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    def wait(self, count: int, within_s: float = 60.0) -> list[dict[str, Any]]:
        until = time.monotonic() + within_s
        with self.news:
            while len(self.got) < count and time.monotonic() < until:
                self.news.wait(0.1)
        return self.events()


def signed(headers: dict[str, str], body: bytes) -> bool:
    """Whether the signature is that of the receiver's own secret (Standard Webhooks, "Signature scheme")."""
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, content, "sha256").digest()).decode()
    return headers["webhook-signature"].split() == [f"v1,{wanted}"]


@contextmanager
def hooked(port: int = 0) -> Iterator[Hook]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with hook.news:
                hook.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                status = hook.answers.pop(0) if hook.answers else 200
                hook.news.notify_all()
            if hook.hanging:
                hook.free.wait(30)
            self.send_response(status)
            if hook.location:
                self.send_header("Location", hook.location)
            self.send_header("Content-Length", str(len(hook.body)))
            self.end_headers()
            self.wfile.write(hook.body)

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(OSError):
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    hook.url = f"http://127.0.0.1:{server.server_port}/in/t0k3n"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        hook.free.set()
        server.shutdown()
        server.server_close()
        thread.join()
