"""`http.call`: methods and paths, keys of repeated calls, and what an API answers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from ringfence.core.errors import ToolError, Uncertain
from ringfence.core.labels import IDENTITY, Trust
from ringfence.core.policy import Effect, Role
from ringfence.core.values import Action, canonical
from ringfence.manifest.tools import BuiltinTool, Host
from ringfence.tools import http
from ringfence.tools.tool import Tool, Use
from ringfence.tracing import carrying

from .net import Way, answer, heard, here, serving, way

ALL: Any = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def tool(out: Way, **more: Any) -> Tool:
    config = BuiltinTool(name="http", type="builtin", hosts=tuple(out.egress.hosts))
    return http.tools(config, use=Use(), egress=out.egress, **more)[0]


KEY = "00112233-4455-8677-8899-aabbccddeeff"


def asks(method: str, url: str, **more: Any) -> Action:
    return Action("tool:http.call", {"method": method, "url": url, **more}, IDENTITY, run="r1", key=KEY)


async def call(out: Way, method: str, url: str, **more: Any) -> Any:
    outcome = await tool(out).sink.perform(asks(method, url, **more))
    canonical(outcome.value)
    return outcome.value


async def test_json_goes_out_and_comes_back_as_json() -> None:
    async with serving(answer(b'{"id": 7}', status=201, kind="application/json", Location="/v1/items/7")) as server:
        out = way(here(server.port, methods=("POST",), paths=("/v1/",)))
        got = await call(
            out, "POST", f"{server.url}/v1/items", body={"b": "grün", "a": 1}, headers={"Prefer": "wait=1"}
        )
    assert got == {"status": 201, "location": "/v1/items/7", "json": {"id": 7}}
    head, _, body = server.heard[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/items HTTP/1.1\r\n")
    assert b"Content-Type: application/json" in head
    assert b"Prefer: wait=1" in head
    assert json.loads(body) == {"b": "grün", "a": 1}


@pytest.mark.parametrize("method", ALL)
async def test_every_method_that_is_allowed_works(method: str) -> None:
    async with serving(answer(b"" if method == "HEAD" else b"ok", ETag="x1")) as server:
        got = await call(way(here(server.port, methods=ALL)), method, server.url)
    assert got == {"status": 200, "etag": "x1"} | ({} if method == "HEAD" else {"text": "ok"})
    assert server.heard[0].startswith(f"{method} / ".encode())


async def test_a_method_that_no_host_allows_is_not_even_an_argument() -> None:
    out = way(Host(host="api.example", methods=("GET", "PATCH")))
    spec = tool(out).spec
    assert spec.schema["properties"]["method"]["enum"] == ["GET", "PATCH"]
    for method in ("DELETE", "get", "TRACE"):
        with pytest.raises(ValueError, match="method may be GET, PATCH"):
            spec.check({"method": method, "url": "https://api.example/"})


async def test_a_method_of_one_host_is_not_for_another() -> None:
    async with serving(answer()) as server:
        out = way(here(server.port), Host(host="other.test", methods=("DELETE",)))
        with pytest.raises(ToolError, match="may not be asked to DELETE"):
            await call(out, "DELETE", server.url)
    assert server.heard == []


@pytest.mark.parametrize(
    "header",
    [
        {"Host": "x"}, {"Authorization": "x"}, {"Cookie": "x"}, {"Content-Length": "1"},
        {"X-HTTP-Method-Override": "DELETE"}, {"Transfer-Encoding": "chunked"}, {"Accept": "a\r\nX: y"}, {"Accept": ""},
        {"Accept\r\nX": "y"}, {"X-Original-URL": "/"},
        {"Idempotency-Key": "x"}, {"Content-Type": "x"}, {"Connection": "close"}, {"X-Forwarded-For": "127.0.0.1"},
        {"Accept": "ü"}, {"Accept": "x" * 2000},
    ],
)  # fmt: skip
def test_a_header_that_could_change_what_a_request_means_is_refused(header: dict[str, str]) -> None:
    spec = tool(way(Host(host="api.example"))).spec
    with pytest.raises(ValueError, match="a header may be one of"):
        spec.check({"method": "GET", "url": "https://api.example/", "headers": header})


@pytest.mark.parametrize("method", ALL)
async def test_what_is_not_safe_has_the_calls_idempotency_key(method: str) -> None:
    async with serving(answer()) as server:
        await call(way(here(server.port, methods=ALL)), method, server.url)
    sent = [line for line in server.heard[0].split(b"\r\n") if line.lower().startswith(b"idempotency-key")]
    assert sent == ([] if method in ("GET", "HEAD") else [f"Idempotency-Key: {KEY}".encode()])


async def test_a_key_that_the_operator_wrote_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUR_KEY", "one-of-theirs")
    async with serving(answer()) as server:
        host = here(server.port, methods=ALL, headers={"idempotency-key": "${OUR_KEY}"})
        await call(way(host), "POST", server.url)
    sent = [line for line in server.heard[0].split(b"\r\n") if line.lower().startswith(b"idempotency-key")]
    assert [line.lower() for line in sent] == [b"idempotency-key: one-of-theirs"]


async def test_an_error_of_the_api_is_an_answer_with_its_reason() -> None:
    async with serving(answer(b'{"detail": "no such item"}', status=404, kind="application/problem+json")) as server:
        got = await call(way(here(server.port)), "GET", server.url)
    assert got == {"status": 404, "json": {"detail": "no such item"}}


async def test_a_redirect_is_handed_back_and_not_followed() -> None:
    async with serving(answer(status=302, Location="/elsewhere")) as server:
        got = await call(way(here(server.port)), "GET", server.url)
    assert got == {"status": 302, "location": "/elsewhere"}
    assert len(server.heard) == 1


async def test_a_body_where_none_belongs_is_refused_before_anything_is_sent() -> None:
    async with serving(answer()) as server:
        out = way(here(server.port, methods=ALL))
        with pytest.raises(ToolError, match="a DELETE request has no body"):
            await call(out, "DELETE", server.url, body={"a": 1})
    assert (server.heard, out.attempts) == ([], [])


async def test_a_lost_answer_leaves_open_whether_it_was_done() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard(reader)
        await reader.read()

    async with serving(silent) as server:
        out = way(here(server.port, methods=("POST", "GET")))
        with pytest.raises(Uncertain, match=r"no answer within 0\.1 s"):
            await tool(out, timeout_s=0.1).sink.perform(asks("POST", server.url))
        with pytest.raises(ToolError, match=r"no answer within 0\.1 s") as lost:
            await tool(out, timeout_s=0.1).sink.perform(asks("GET", server.url))
    assert not isinstance(lost.value, Uncertain)


async def test_what_never_left_was_not_done() -> None:
    async with serving(answer()) as server:
        out = way(here(server.port, methods=("POST",)))
    with pytest.raises(ToolError, match="cannot be reached") as lost:
        await call(out, "POST", server.url)
    assert not isinstance(lost.value, Uncertain)


async def test_an_answer_that_is_no_text_is_no_failure_of_what_was_done() -> None:
    async with serving(answer(b"\x89PNG", status=201, kind="image/png")) as server:
        got = await call(way(here(server.port, methods=("POST",))), "POST", server.url)
    assert got == {"status": 201, "body": "it is image/png, not text"}


async def test_an_answer_that_breaks_off_leaves_open_whether_it_was_done() -> None:
    async with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc") as server:
        out = way(here(server.port, methods=("POST", "GET")))
        with pytest.raises(Uncertain, match="broke off"):
            await call(out, "POST", server.url)
        with pytest.raises(ToolError, match="broke off") as lost:
            await call(out, "GET", server.url)
    assert not isinstance(lost.value, Uncertain)


def test_the_catalogue_entry_is_a_commit_unless_all_hosts_only_ask() -> None:
    reads = tool(way(Host(host="a.example"), Host(host="b.example", methods=("HEAD",)))).spec
    writes = tool(way(Host(host="a.example"), Host(host="b.example", methods=("DELETE",)))).spec
    posts = tool(way(Host(host="a.example", methods=("POST",)))).spec
    assert [spec.effect for spec in (reads, writes, posts)] == [Effect.EGRESS, Effect.COMMIT, Effect.COMMIT]
    assert [spec.redo for spec in (reads, writes, posts)] == [True, True, False]
    assert [spec.repeats for spec in (reads, writes, posts)] == [2, 1, 1]
    assert set(posts.roles.values()) == {Role.CONTROL}
    assert posts.types == {"url": "url"}
    assert posts.output.trust is Trust.UNTRUSTED
    assert not posts.confined


async def test_the_trace_of_a_call_goes_along_unless_the_operator_says_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN_TRACE", "the operator's")
    sent = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "vendor=1"}
    for headers, expected in (({}, sent["traceparent"]), ({"TraceParent": "${OWN_TRACE}"}, "the operator's")):
        async with serving(answer()) as server:
            host = Host.model_validate({**here(server.port).model_dump(exclude={"headers"}), "headers": headers})
            with carrying(sent):
                await call(way(host), "GET", server.url)
        head = server.heard[0].decode().lower()
        assert head.count(f"traceparent: {expected}\r\n") == head.count("traceparent") == 1
        assert "tracestate" not in head
