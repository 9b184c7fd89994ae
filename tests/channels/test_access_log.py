"""The access log: a line for each request, which says nothing that a client wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.telemetry import logs

from .kit import MANIFEST, served

AS_ALICE = {"Authorization": "Bearer alice"}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    logs.configure("info", file=tmp_path / "log.jsonl", redact=lambda text: text.replace("ops", "***"))
    yield tmp_path / "log.jsonl"
    logs.close()


def written(log: Path) -> str:
    return log.read_text()


def requests(log: Path) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, written(log).splitlines()) if line["event"] == "request"]


async def test_a_request_is_one_line_and_the_run_that_it_began_is_in_its_trace(tmp_path: Path, log: Path) -> None:
    headers = {**AS_ALICE, "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    async with served(tmp_path) as (client, _):
        begun = await client.post("/v1/runs?q=CANARY", json={"task": "CANARY of a task"}, headers=headers)
        run = begun.json()["id"]
        await client.get(f"/v1/runs/{run}/events", headers=AS_ALICE)
    first, second = requests(log)
    assert first.pop("time")
    assert first.pop("ms") >= 0
    span = first.pop("span_id")
    assert len(span) == 16
    assert first.pop("received") == len(begun.request.content)
    assert first.pop("sent") == len(begun.content)
    assert first == {
        "level": "info", "event": "request", "method": "POST", "route": "/v1/runs", "status": 202,
        "principal": "user:alice", "trace_id": TRACE,
    }  # fmt: skip
    assert (second["route"], second["status"]) == ("/v1/runs/{run}/events", 200)
    assert second["trace_id"] != TRACE
    assert "CANARY" not in written(log)
    lines = [json.loads(line) for line in written(log).splitlines()]
    assert {line["trace_id"] for line in lines if line.get("run") == run} == {TRACE}


async def test_nothing_that_a_client_wrote_is_in_a_line(tmp_path: Path, log: Path) -> None:
    async with served(tmp_path) as (client, _):
        await client.request("CANARY", "/v1/CANARY/x?CANARY=1", headers={"Authorization": "Bearer CANARY"})
        await client.request("C" * 200, "/", headers={"traceparent": "CANARY", "User-Agent": "CANARY"})
        await client.post("/v1/runs", content=b"CANARY{", headers=AS_ALICE)
        await client.get("/v1/runs/CANARY/events", headers=AS_ALICE)
    told = requests(log)
    assert [line["route"] for line in told] == ["other", "/", "/v1/runs", "/v1/runs/{run}/events"]
    assert [line["status"] for line in told] == [404, 405, 415, 404]
    assert "CANARY" not in "".join(json.dumps({**line, "method": ""}) for line in told)
    assert told[1]["method"] == "other"
    assert all(len(line["trace_id"]) == 32 for line in told)


async def test_probes_are_no_line_and_without_access_log_nothing_is(tmp_path: Path, log: Path) -> None:
    async with served(tmp_path) as (client, _):
        for path in ("/livez", "/healthz", "/readyz", "/metrics"):
            await client.get(path)
    assert requests(log) == []
    async with served(tmp_path, manifest=MANIFEST + "server: {access_log: false}\n") as (client, _):
        await client.get("/v1/runs/x/events")
    assert requests(log) == []


async def test_a_line_is_redacted_like_every_other(tmp_path: Path, log: Path) -> None:
    async with served(tmp_path) as (client, web):

        @web.get("/v1/ops")
        async def ops() -> str:
            return "x"

        await client.get("/v1/ops")
    assert requests(log)[0]["route"] == "/v1/***"
