"""A world that counts: a server on loopback with effects of every kind, the tools that reach it, and a run of them.

The server is the truth. Whatever a run, its crashes and the people who settle what is left may believe, each effect has
to have been done there exactly once.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ringfence import tool

ANSWER = "All twelve steps are done."
TASK = "do the twelve steps"
MANIFEST = """\
inference: {{provider: llamacpp, model: scripted, endpoint: "{url}", retries: 0, timeout_s: 20, max_context: 32768}}
tools:
  - {{name: calc, type: builtin}}
  - name: http
    type: builtin
    hosts: [{{host: 127.0.0.1, port: {port}, methods: [POST], private: true, audience: [role:ops]}}]
  - name: web
    type: builtin
    hosts: [{{host: 127.0.0.1, port: {port}, private: true, audience: [role:ops]}}]
grant: {{effects: [http.call]}}
sandbox: unsafe-none
catalogue:
  web.fetch: {{effect: read, audience: [self], args: {{url: low}}}}
  http.call:
    effect: commit
    audience: [self]
    args: {{method: low, url: low, body: low, headers: low}}
    reconcile: {{by: web.fetch, args: {{url: $args/url}}, done: /json/done}}
"""


@dataclass
class World:
    """What was done, by name. `pause_s` lies before and after each effect, so that a kill can come in between."""

    done: Counter[str] = field(default_factory=Counter)
    keys: dict[str, str] = field(default_factory=dict)  # of `put`: what was done under each key
    pause_s: float = 0.002
    port: int = 0
    _busy: int = 0
    _lock: threading.Condition = field(default_factory=threading.Condition)

    def handle(self, path: str, body: dict[str, Any], key: str) -> Any:
        """One request."""
        what = path.strip("/").partition("/")
        match what[0]:
            case "shelf":
                return {"shelf": what[2], "text": f"shelf {what[2]} holds a {what[2]}-owl"}
            case "order" if not body:
                return {"done": what[2] if self.done[what[2]] else ""}
            case "put" if key in self.keys:
                return {"text": f"have put {self.keys[key]}"}
        time.sleep(self.pause_s)
        with self._lock:
            self.done[body["name"]] += 1
            if what[0] == "put":
                self.keys[key] = body["name"]
        time.sleep(self.pause_s)
        return {"text": f"have {what[0]} {body['name']}"}

    def at_rest(self) -> None:
        """Return when every request that was sent before this call has been served, whoever waits for its answer."""
        ask(self.port, "shelf/0")  # connections are accepted in their order
        with self._lock:
            assert self._lock.wait_for(lambda: self._busy == 0, timeout=20)

    def count(self, by: int) -> None:
        """A request begins, or ends."""
        with self._lock:
            self._busy += by
            self._lock.notify_all()


@contextmanager
def serving(world: World) -> Iterator[World]:
    """Serve a world from threads of this process."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer({})

        def do_POST(self) -> None:
            self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def answer(self, body: dict[str, Any]) -> None:
            said = world.handle(self.path, body, self.headers.get("Idempotency-Key", ""))
            data = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def process_request(self, request: Any, client: Any) -> None:
            world.count(1)  # here, in the one thread that accepts
            super().process_request(request, client)

        def process_request_thread(self, request: Any, client: Any) -> None:
            try:
                super().process_request_thread(request, client)
            finally:
                world.count(-1)

        def handle_error(self, request: Any, client: Any) -> None:
            pass  # the client was killed

    with Server(("127.0.0.1", 0), Handler) as server:
        world.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield world
        finally:
            server.shutdown()
            thread.join()


def ask(port: int, path: str, body: dict[str, Any] | None = None, key: str = "") -> Any:
    """One request to the world."""
    headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", data=data, headers=headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as response:
        return json.loads(response.read())


def tools(port: int) -> list[Callable[..., Any]]:
    """The tools of the run beside those that ship: a read, an effect that is done once for each key, and another one.

    `http.call` makes the orders, which `web.fetch` can look up; whether a pledge was made only a person can find out.
    """

    @tool("read", name="shelf", roles={"number": "low"})
    def shelf(number: int) -> Any:
        """What a shelf holds."""
        return ask(port, f"shelf/{number}")

    @tool("commit", name="put", roles={"name": "low"}, audience=["self"], idempotency_key="key")
    def put(name: str, key: str) -> Any:
        """Put something in."""
        return ask(port, "put", {"name": name}, key)

    @tool("commit", name="pledge", roles={"name": "low"}, audience=["self"])
    def pledge(name: str) -> Any:
        """Pledge something."""
        return ask(port, "pledge", {"name": name})

    return [shelf, put, pledge]


Call = tuple[str, dict[str, Any]]


def steps(port: int) -> list[tuple[list[Call], str]]:
    """The calls of each step, and what only its results show."""

    def shelf(number: int) -> Call:
        return "shelf", {"number": number}

    def order(name: str) -> Call:
        return "http.call", {"method": "POST", "url": f"http://127.0.0.1:{port}/order/{name}", "body": {"name": name}}

    return [
        ([("put", {"name": "put-one"})], "have put put-one"),
        ([shelf(11), shelf(12), shelf(13)], "13-owl"),
        ([shelf(14)], "14-owl"),
        ([order("order-one")], "order-one"),
        ([shelf(15), shelf(16)], "16-owl"),
        ([("pledge", {"name": "pledge-one"})], "have pledge pledge-one"),
        ([shelf(17), ("put", {"name": "put-two"})], "have put put-two"),
        ([("pledge", {"name": "pledge-two"})], "have pledge pledge-two"),
        ([order("order-two"), shelf(18), shelf(19)], "19-owl"),
        ([("calc", {"expression": "6 * 7 * 1000 + 6"})], "42006"),
        ([("pledge", {"name": "pledge-three"})], "have pledge pledge-three"),
    ]


EFFECTS = ("put-one", "order-one", "pledge-one", "put-two", "pledge-two", "order-two", "pledge-three")
BY_A_PERSON = {"tool:pledge"}  # nobody else can find out


def script(port: int) -> list[str | dict[str, str]]:
    """A model that says its next step by the results that it was shown, however often it is asked."""
    made = steps(port)
    texts = [
        json.dumps({"thought": "so", "calls": [{"tool": name, "args": args} for name, args in calls]})
        for calls, _ in made
    ]
    end = {"answer": ANSWER, "artifacts": [], "confidence": "high"}
    texts.append(json.dumps({"thought": "done", "final_answer": end}))
    later = [{"when": shown, "text": text} for (_, shown), text in zip(made, texts[1:], strict=True)]
    return [*reversed(later), texts[0]]
