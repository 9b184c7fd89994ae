"""The API does what its description says: requests are made up from it, and every answer is held against it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ringfence.testing.scripted import ScriptedModel

from .kit import ANSWER, MANIFEST, served

NATIVE = ("runs", "approvals", "memory", "collections", "audit", "status")
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance, negative_data_rejection,
]  # fmt: skip
OPEN = (
    MANIFEST
    + """
knowledge: {collections: [{name: house, path: ./house, vectors: false}]}
server: {limits: {requests: 100000/minute, requests_each_address: 100000/minute, queued_each: 10000, queued: 10000}}
"""
)


class Server:
    """The app behind a real port, in a thread of its own, with a loop of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.url, self.description = "", dict[str, Any]()

    def __enter__(self) -> Server:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with served(self._folder, manifest=OPEN, model=ScriptedModel(lambda _: ANSWER)) as (_, web):
            listening = socket.create_server(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(web, lifespan="off", log_level="critical"))
            work = asyncio.create_task(server.serve([listening]))
            self.url, self.description = f"http://127.0.0.1:{listening.getsockname()[1]}", web.openapi()
            self._ready.set()
            await self._stop.wait()
            server.should_exit = True
            await work
            listening.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("api")
    (folder / "house").mkdir()
    (folder / "house/pump.md").write_text("# Pumps\n\nThe red pump stands in hall 3.\n")
    with Server(folder) as server:
        yield server


def held(server: Server, operation: Any, mode: schemathesis.GenerationMode, examples: int) -> str:
    """What an operation does against its description; empty for nothing."""

    @settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None,
        phases=[Phase.generate],
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS, headers={"Authorization": "Bearer sue"}, timeout=60)

    try:
        holds()
    except BaseException as failure:
        told = [str(one) for one in getattr(failure, "exceptions", [failure])]
        return f"{operation.label} ({mode.value}): " + "\n".join(told)
    return ""


def test_every_answer_to_made_up_requests_is_one_that_is_described(server: Server) -> None:
    found = schemathesis.openapi.from_dict(server.description)
    found.config.update(base_url=server.url)
    refusals = found.config.checks.negative_data_rejection
    refusals.expected_statuses = [*refusals.expected_statuses, "413"]  # what is too long is also too large
    operations = [one.ok() for one in found.include(tag=list(NATIVE)).get_all_operations()]
    assert len(operations) > 30
    wrong = [
        held(server, one, mode, examples)
        for one in operations
        for mode, examples in ((schemathesis.GenerationMode.POSITIVE, 8), (schemathesis.GenerationMode.NEGATIVE, 8))
    ]
    assert not list(filter(None, wrong)), "\n\n".join(filter(None, wrong))


def test_what_is_really_there_is_answered_as_it_is_described(server: Server) -> None:
    found = schemathesis.openapi.from_dict(server.description)
    found.config.update(base_url=server.url)
    by_name = {one.ok().definition.raw["operationId"]: one.ok() for one in found.get_all_operations()}

    def asked(name: str, **given: Any) -> Any:
        if "body" in given:
            given["media_type"] = "application/json"
        case = by_name[name].Case(**given)
        return case.call_and_validate(checks=CHECKS[:-1], headers={"Authorization": "Bearer sue"}, timeout=60)

    run = asked("beginRun", body={"task": "hello"}).json()["id"]
    here = {"path_parameters": {"run": run}}
    assert b"event: end" in asked("followRun", **here).content
    assert asked("getRun", **here).json()["status"] == "done"
    assert asked("listRuns", query={"limit": 1}).json()["data"][0]["id"] == run
    assert asked("getRecord", path_parameters={"run": run, "seq": 0}).json()["kind"] == "run.started"
    assert asked("forkRun", **here, body={"at": 0}).status_code == 202
    assert asked("resumeRun", **here).status_code == 202
    assert asked("cancelRun", **here).status_code == 409
    assert asked("listCollections").json()["data"]
    assert asked("refreshCollection", path_parameters={"name": "house"}).status_code == 202
    assert asked("getRefresh", path_parameters={"name": "house"}).json()["collection"] == "house"
    assert asked("listDocuments", path_parameters={"name": "house"}).json()["data"][0]["path"] == "pump.md"
    assert asked("searchCollections", query={"q": "red pump"}).json()["data"][0]["path"] == "pump.md"
    assert asked("openPassage", query={"document": "house/pump.md"}).json()["of"] > 10
    assert asked("getHead").json()["head"]
    assert asked("listHeads").json()["data"]
    assert asked("verifyLog").status_code == 202
    assert asked("getVerification").json()["by"] == "user:sue"
    assert asked("proveRecord", path_parameters={"index": 0}).json()["index"] == 0
    assert asked("auditRuns").json()["data"]
    assert asked("auditRun", **here).json()["data"]
    assert asked("exportHeaders", query={"stop": 3}).status_code == 200
    assert asked("getStatus").json()["admin"]
