"""One trace from the request to the last tool, at a real collector, and nothing of what was said in it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.chain import Kind, Record
from ringfence.core.labels import IDENTITY
from ringfence.telemetry import otlp
from ringfence.telemetry.otlp import Collector
from ringfence.telemetry.spans import MAX_EVENTS, MAX_RUNS, Span, Spans
from ringfence.tracing import Trace, span_id

from .collector import Receiver, receiving
from .kit import ANSWER, served

AS_ALICE = {"Authorization": "Bearer alice"}
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@contextmanager
def tool_server() -> Iterator[tuple[int, list[str]]]:
    """An API that a tool asks, and the `traceparent` of each request that it got."""
    got: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            got.append(self.headers.get("traceparent", ""))
            body = b"CANARY of page 42"
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_port, got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def manifest(url: str, port: int = 0) -> str:
    hosts = f"hosts: [{{host: 127.0.0.1, port: {port}, private: true}}]"
    tools = f"[{{name: web, type: builtin, {hosts}}}]" if port else "[]"
    return f"""
runtime: {{name: kit}}
inference: {{provider: openai, model: scripted, endpoint: "http://127.0.0.1:1/v1"}}
tools: {tools}
server: {{otlp: "{url}"}}
"""


def attributes(span: Any) -> dict[str, Any]:
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes}


async def a_run(client: Any, task: str = "CANARY of a task", **headers: str) -> str:
    begun = await client.post("/v1/runs", json={"task": task}, headers={**AS_ALICE, **headers})
    run: str = begun.json()["id"]
    await client.get(f"/v1/runs/{run}/events", headers={**AS_ALICE, "traceparent": f"00-{'1' * 32}-{'2' * 16}-00"})
    return run


async def test_one_trace_goes_from_the_request_through_run_and_model_to_the_tools_own_server(tmp_path: Path) -> None:
    with receiving() as receiver, tool_server() as (port, got):
        url = f"http://127.0.0.1:{port}/page"
        call = json.dumps({"thought": "look", "calls": [{"tool": "web.fetch", "args": {"url": url}}]})
        async with served(tmp_path, [call, ANSWER], manifest=manifest(receiver.url, port)) as (client, _):
            run = await a_run(
                client, f"what is on {url}?", traceparent=f"00-{TRACE}-{CALLER}-01", tracestate="v=CANARY"
            )
        spans = {span.name: span for span in receiver.spans}
    assert set(spans) == {"POST /v1/runs", "invoke_agent kit", "chat scripted", "execute_tool web.fetch"}
    assert {span.trace_id.hex() for span in receiver.spans} == {TRACE}
    request, agent, tool = spans["POST /v1/runs"], spans["invoke_agent kit"], spans["execute_tool web.fetch"]
    assert request.parent_span_id.hex() == CALLER
    assert agent.parent_span_id == request.span_id
    assert agent.span_id.hex() == span_id(run, 0)
    assert tool.parent_span_id == agent.span_id
    assert len([span for span in receiver.spans if span.name == "chat scripted"]) == 2
    assert got == [f"00-{TRACE}-{tool.span_id.hex()}-01"]  # what the tool's server saw is this very span
    assert attributes(tool)["gen_ai.tool.name"] == "web.fetch"
    assert attributes(agent)["gen_ai.operation.name"] == "invoke_agent"
    assert attributes(spans["chat scripted"])["gen_ai.provider.name"] == "openai"
    assert attributes(request)["http.response.status_code"] == 202
    assert all(0 < span.start_time_unix_nano <= span.end_time_unix_nano for span in receiver.spans)
    assert b"CANARY" not in receiver.raw
    assert receiver.resources[0]["service.name"] == "ringfence"
    assert {path for path, _ in receiver.requests} == {"/v1/traces"}


async def test_a_trace_that_its_caller_does_not_sample_is_not_sent(tmp_path: Path) -> None:
    with receiving() as receiver:
        async with served(tmp_path, manifest=manifest(receiver.url)) as (client, _):
            await a_run(client, traceparent=f"00-{TRACE}-{CALLER}-00")
        assert receiver.spans == []


async def test_no_collector_is_reached_unless_the_manifest_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as named, receiving() as other:
        for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, other.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-secret=CANARY")
        async with served(tmp_path) as (client, web):
            await a_run(client)
            assert web.state.watch.spans is None
        assert other.requests == []
        (tmp_path / "2").mkdir()
        async with served(tmp_path / "2", manifest=manifest(named.url)) as (client, _):
            await a_run(client)
        assert named.spans
        assert other.requests == []
        assert "CANARY" not in str(named.requests)


@pytest.mark.parametrize("how", ["gone", "hangs", "500", "redirects"])
async def test_a_collector_that_fails_hurts_no_run_and_what_it_did_not_take_is_counted(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "TIMEOUT_S", 0.2)
    with receiving() as receiver, receiving() as elsewhere:
        receiver.hanging = how == "hangs"
        receiver.answers = {"500": [500] * 100, "redirects": [307] * 100}.get(how, [])
        receiver.location = elsewhere.url if how == "redirects" else ""
        url = "http://127.0.0.1:9" if how == "gone" else receiver.url
        async with served(tmp_path, manifest=manifest(url)) as (client, web):
            run = await a_run(client)
            found = (await client.get(f"/v1/runs/{run}", headers=AS_ALICE)).json()
            assert found["status"] == "done"
            watch = web.state.watch
        watch.collector.close(30)
        assert elsewhere.requests == []
        assert receiver.spans == []
        assert 'ringfence_spans_total{result="dropped"}' in watch.metrics.text("")[0].decode()


async def test_a_collector_that_was_busy_gets_the_same_spans_later(tmp_path: Path) -> None:
    with receiving() as receiver:
        receiver.answers = [503, 429]
        async with served(tmp_path, manifest=manifest(receiver.url)) as (client, _):
            await a_run(client)
            spans = receiver.wait(3)
        assert len({span.span_id for span in spans}) == len(spans) == 3
        assert len(receiver.requests) >= 3


def test_the_queue_is_bounded_and_what_has_no_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "QUEUED", 10)
    told: list[tuple[str, int]] = []
    collector = Collector("http://127.0.0.1:9", agent="kit", told=lambda result, count: told.append((result, count)))
    for _ in range(25):
        collector.put(Span(Trace.new(), "1" * 16, "", "x", "internal", 1, 2, {}))
    assert told == [("dropped", 1)] * 15


def test_what_is_kept_of_runs_is_bounded_and_a_hostile_name_is_in_no_span() -> None:
    spans: list[Span] = []
    made = Spans(spans.append, agent="kit", models=lambda: {"main": ("openai", "m")}, sinks={"tool:x": 1})

    def tell(kind: Kind, seq: int, run: str = "0r", body: Any = None, **view: Any) -> None:
        made.observe(Record(run, seq, seq, kind, "user:alice", IDENTITY, view, body or {}))

    for n in range(MAX_RUNS + 10):
        tell(Kind.STARTED, 0, f"0{n}", {"trace": Trace.new().to_json()})
    assert len(made._runs) == MAX_RUNS
    tell(Kind.STARTED, 0, body={"task": "CANARY", "trace": Trace(TRACE).to_json()})
    for n in range(1, MAX_EVENTS + 50):
        tell(
            Kind.DECISION,
            n,
            sink="tool:CANARY",
            verdict="deny",
            rule="POL-1",
            code="unknown-sink",
            body={"why": "CANARY"},
        )
    tell(Kind.INTENT, 900, sink="tool:x", rule="", body={"args": {"q": "CANARY"}})
    tell(Kind.OUTCOME, 901, of=900, ok=False, ms=1, body={"value": {"error": "CANARY", "kind": "CANARY"}})
    tell(Kind.INTENT, 902, sink="tool:x", rule="", body={"args": {"q": "CANARY"}})  # of which nobody knows
    tell(Kind.FINISHED, 903, status="failed", body={"answer": "CANARY"})
    assert "CANARY" not in repr(spans)
    call, lost, run = spans
    assert (call.error, lost.error, run.error) == ("error", "lost", "failed")
    assert len(run.events) == MAX_EVENTS
    assert "0r" not in made._runs


def test_a_run_that_another_process_began_goes_on_in_its_trace() -> None:
    from ringfence.tracing import following

    spans: list[Span] = []
    made = Spans(spans.append, agent="kit", models=dict)
    with following("0r", "user:alice", Trace(TRACE, CALLER)):
        made.observe(Record("0r", 7, 1_000, Kind.FINISHED, "user:alice", IDENTITY, {"status": "done"}, {}))
    (run,) = spans
    assert (run.trace.trace_id, run.id, run.parent) == (TRACE, span_id("0r", 0), CALLER)
    assert run.attributes["ringfence.resumed"] is True


def test_a_receiver_of_the_test_takes_what_it_is_sent() -> None:
    with receiving() as receiver:
        assert isinstance(receiver, Receiver)
        told: list[tuple[str, int]] = []
        collector = Collector(
            receiver.url + "/base/", agent="kit", told=lambda result, count: told.append((result, count))
        )
        collector.start()
        collector.put(Span(Trace(TRACE), "1" * 16, CALLER, "x", "client", 1, 2, {"a": 1}, error="lost"))
        collector.close()
        assert receiver.requests[0][0] == "/base/v1/traces"
        assert told == [("exported", 1)]
        assert receiver.spans[0].status.code == 2
