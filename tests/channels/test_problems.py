"""Whatever is wrong with a request, the answer is a problem that says so, and nothing of our insides."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ringfence.channels.http.bodies import DEPTH, parsed
from ringfence.channels.http.problems import Problem
from ringfence.core.errors import JournalError
from ringfence.stores.vault import Sealed

from .kit import AS_ALICE, MANIFEST, served

JSON = {"Content-Type": "application/json"}
SMALL = MANIFEST + "server: {limits: {body_kb: 1}}\n"


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that an answer is."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code), told
    assert {"type", "title", "detail", "todo"} <= told.keys()
    for word in ("Traceback", "site-packages", ".py", "ringfence.", "/tmp/"):
        assert word not in answer.text
    return told


async def test_what_is_not_there_and_what_is_not_done_there(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        problem(await client.get("/v1/nothing", headers=AS_ALICE), 404, "not-found")
        problem(await client.get("/%2e%2e/%2e%2e/etc/passwd"), 404, "not-found")
        for method, path, allow in (
            ("PUT", "/v1/runs", "GET, HEAD, OPTIONS, POST"),
            ("POST", "/v1/status", "GET, HEAD, OPTIONS"),
            ("GET", "/v1/runs/x/cancel", "OPTIONS, POST"),
            ("TRACE", "/v1/memory/x", "DELETE, GET, HEAD, OPTIONS, PATCH"),
            ("HEAD", "/v1/runs/x/events", "GET, OPTIONS"),
        ):
            answer = await client.request(method, path, headers=AS_ALICE)
            assert (answer.status_code, answer.headers["allow"]) == (405, allow), path
        options = await client.options("/v1/runs")
        assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
        assert "access-control-allow-origin" not in options.headers


async def test_head_is_get_without_its_body(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        for path in ("/v1/runs", "/v1/status", "/openapi.json", "/docs"):
            whole = await client.get(path, headers=AS_ALICE)
            head = await client.head(path, headers=AS_ALICE)
            assert (head.status_code, head.content, head.headers.get("etag")) == (200, b"", whole.headers.get("etag"))
            assert head.headers["content-length"] == str(len(whole.content))
        assert (await client.head("/v1/runs")).status_code == 401


@pytest.mark.parametrize(("body", "code"), [
    (b"{", "json"), (b'{"task": }', "json"), (b"task=x", "json"), (b'{"task": NaN}', "json"),
    (b'{"task": Infinity}', "json"), (b'{"task": "\xff"}', "encoding"), (b'\xff\xfe{\x00', "encoding"),
    (b'{"task": "\\u0000"}', "text"), (b'{"task": "\\ud800"}', "text"), (b'{"\\udfff": 1}', "text"),
    (b"[" * 100_000, "depth"), (b'{"a":' * 1_000 + b"1" + b"}" * 1_000, "depth"), (b"1" * 5_000, "json"),
    (b'{"task": "a\x00b"}', "json"), (b'{"task": "a\nb"}', "json"),
])  # fmt: skip
async def test_a_body_that_cannot_be_read_is_refused_as_what_it_is(tmp_path: Path, body: bytes, code: str) -> None:
    async with served(tmp_path) as (client, _):
        problem(await client.post("/v1/runs", content=body, headers=AS_ALICE | JSON), 400, code)
        assert (await client.get("/v1/runs", headers=AS_ALICE)).json()["data"] == []


@pytest.mark.parametrize("body", [
    "", "1", "null", "[]", '"x"', "{}", '{"task": 1}', '{"task": ""}', '{"task": "   "}', '{"task": null}',
    '{"task": "x", "principal": "user:root"}', '{"task": "x", "metadata": {"a": 1}}', '{"task": "x", "metadata": []}',
    '{"task": "x", "conversation": 1e400}', '{"task": "x", "about": ["' + "y" * 300 + '"]}',
])  # fmt: skip
async def test_a_body_that_cannot_be_meant_says_where_it_is_wrong(tmp_path: Path, body: str) -> None:
    async with served(tmp_path) as (client, _):
        told = problem(await client.post("/v1/runs", content=body, headers=AS_ALICE | JSON), 422, "invalid")
        assert all(one["at"].startswith("body") for one in told["errors"])


@pytest.mark.parametrize("media", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "*/*"])
async def test_a_body_of_another_form_is_not_taken_for_json(tmp_path: Path, media: str) -> None:
    async with served(tmp_path) as (client, _):
        sent = AS_ALICE | ({"Content-Type": media} if media else {})
        problem(await client.post("/v1/runs", content=b'{"task": "x"}', headers=sent), 415, "media-type")


async def test_json_with_a_charset_and_of_a_vendor_is_json(tmp_path: Path) -> None:
    async with served(tmp_path, ['{"thought": "", "final_answer": {"answer": "x"}}'] * 9) as (client, _):
        for media in ("application/json; charset=utf-8", "Application/JSON", "application/vnd.x+json"):
            sent = AS_ALICE | {"Content-Type": media}
            assert (await client.post("/v1/runs", content=b'{"task": "x"}', headers=sent)).status_code == 202, media


async def test_a_body_that_is_too_large_is_refused_by_its_length_and_as_it_comes(tmp_path: Path) -> None:
    async with served(tmp_path, manifest=SMALL) as (client, _):
        body = json.dumps({"task": "x" * 2_000}).encode()
        told = problem(await client.post("/v1/runs", content=body, headers=AS_ALICE | JSON), 413, "too-large")
        assert "1 kB" in told["detail"]
        came = []

        async def drip() -> AsyncIterator[bytes]:
            for _ in range(1_000):
                came.append(1)
                yield b"x" * 100

        problem(await client.post("/v1/runs", content=drip(), headers=AS_ALICE | JSON), 413, "too-large")
        for length in ("9" * 30, "99999999"):
            sent = AS_ALICE | JSON | {"Content-Length": length}
            problem(await client.post("/v1/runs", content=b"{}", headers=sent), 413, "too-large")


async def test_a_fault_of_ours_says_nothing_of_our_insides(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, web):
        for fault, status, code in (
            (KeyError("/tmp/secret.py"), 500, "internal"),
            (OSError(28, "No space left on device"), 507, "disk"),
            (OSError(13, "/tmp/secret.py"), 500, "internal"),
            (Sealed("run x: its content was destroyed", destroyed=True), 410, "erased"),
            (JournalError("the journal is busy"), 409, "conflict"),
        ):
            web.state.reading = _raising(fault)
            transport = httpx2.ASGITransport(web, raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as careless:
                told = problem(await careless.get("/v1/runs/x", headers=AS_ALICE), status, code)
            assert "secret" not in json.dumps(told)


def _raising(fault: Exception) -> Any:
    async def reading(work: object) -> None:
        raise fault

    reading.close = lambda: None  # type: ignore[attr-defined]
    return reading


def test_depth_is_that_of_brackets_and_not_of_what_is_said() -> None:
    assert parsed(json.dumps(["[" * 500 + '"{' * 500 + "\\"]).encode()) == ["[" * 500 + '"{' * 500 + "\\"]
    deep = "[" * DEPTH + "]" * DEPTH
    assert json.dumps(parsed(deep.encode())) == deep
    with pytest.raises(Problem):
        parsed(f"[{deep}]".encode())


async def test_the_description_is_for_anybody_and_its_page_runs_no_script_of_its_own_text(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        api = (await client.get("/openapi.json")).json()
        assert api["openapi"].startswith("3.1")
        for path, operations in api["paths"].items():
            for operation in operations.values():
                if path.startswith("/v1/") and operation["tags"][0] in ("runs", "approvals", "memory", "audit"):
                    good = next(code for code in operation["responses"] if code.startswith("2"))
                    content = operation["responses"][good].get("content", {})
                    assert good == "204" or all("example" in one for one in content.values()), path
                    assert "problem+json" in str(operation["responses"]["401"])
        idents = [one["operationId"] for operations in api["paths"].values() for one in operations.values()]
        assert len(idents) == len(set(idents))
        assert not [one for one in idents if "_" in one]
        page = await client.get("/docs")
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert "<script>" not in page.text
        assert "://" not in page.text  # nothing from elsewhere
        for name in ("docs.js", "docs.css"):
            assert (await client.get(f"/docs/{name}")).status_code == 200
        problem(await client.get("/docs/index.html.bak"), 404, "not-found")
        again = await client.get("/docs", headers={"If-None-Match": page.headers["etag"]})
        assert again.status_code == 304
