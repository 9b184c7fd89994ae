"""Whether a server says truly that it lives and works, and says no more to strangers."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from ringfence.app.serving import health, levels
from ringfence.backends import from_manifest
from ringfence.core.errors import JournalError

from .kit import served
from .test_metrics import Callers

ROOT = {"Authorization": "Bearer root"}


async def test_a_server_that_works_says_so_to_anybody_and_nothing_else(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, web):
        web.state.authenticator = Callers()
        for path in ("/livez", "/healthz", "/readyz"):
            for headers in ({}, {"Authorization": "Bearer alice"}, {"Authorization": "Bearer nobody"}):
                answer = await client.get(path, headers=headers)
                assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
            assert (await client.head(path)).status_code == 200
        told = (await client.get("/readyz", headers=ROOT)).json()
        assert [check["name"] for check in told["checks"]] == ["open", "journal", "model", "taking work"]
        assert all(check["ok"] and not check["why"] for check in told["checks"])


async def test_one_that_is_about_to_stop_is_healthy_and_not_ready(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, web):
        web.state.authenticator = Callers()
        web.state.service.pool.close()
        assert (await client.get("/healthz")).status_code == 200
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
        checks = (await client.get("/readyz", headers=ROOT)).json()["checks"]
        assert [check["why"] for check in checks if not check["ok"]] == ["the server is about to stop"]
        assert (await client.get("/livez")).status_code == 200


async def test_a_journal_that_takes_nothing_is_said_and_strangers_are_not_told_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(tmp_path) as (client, web):
        web.state.authenticator = Callers()

        async def full(*, anchored: bool = False) -> None:
            raise JournalError("the journal in /srv/secret-place is full")

        monkeypatch.setattr(web.state.service.agent.journal, "flush", full)
        answer = await client.get("/healthz")
        assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
        assert "secret-place" in (await client.get("/healthz", headers=ROOT)).text
        monkeypatch.undo()
        assert (await client.get("/healthz")).status_code == 200  # at once, and not after a while


async def test_a_disk_that_is_nearly_full_is_no_disk_to_begin_work_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(tmp_path) as (client, web):
        web.state.authenticator = Callers()
        monkeypatch.setattr(health, "LEAST_DISK", 2**60)
        told = (await client.get("/readyz", headers=ROOT)).json()
        assert told["status"] == "unavailable"
        assert any("bytes left" in check["why"] for check in told["checks"])


async def test_a_model_that_nobody_serves_is_said_until_somebody_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        manifest = f"""
runtime: {{name: kit}}
inference: {{provider: openai, model: scripted, endpoint: "http://127.0.0.1:{port}/v1"}}
tools: []
"""
        async with served(tmp_path, manifest=manifest) as (client, web):
            web.state.authenticator = Callers()
            agent = web.state.service.agent
            tier = agent.manifest.inference.tiers[0]
            agent.house.backends.append(from_manifest(tier, agent.manifest.inference, home=tmp_path))
            told = (await client.get("/readyz", headers=ROOT)).json()
            assert [check["why"] for check in told["checks"] if not check["ok"]] == [
                f"{tier.name}: nothing takes connections at 127.0.0.1:{port}"
            ]
            listener.listen()
            assert (await client.get("/readyz")).status_code == 200


async def test_however_often_it_is_asked_models_and_disk_are_looked_at_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    real = levels.Gauge._files

    def counted(gauge: levels.Gauge) -> levels.Levels:
        looked.append(1)
        return real(gauge)

    monkeypatch.setattr(levels.Gauge, "_files", counted)
    async with served(tmp_path) as (client, _):
        for _n in range(30):
            assert (await client.get("/readyz")).status_code == 200
    assert len(looked) == 1
