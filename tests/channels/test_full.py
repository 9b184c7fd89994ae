"""What a client is told when there is no room, and when the server is about to stop."""

from __future__ import annotations

from pathlib import Path

from .kit import MANIFEST, served

AS_ALICE = {"Authorization": "Bearer alice"}
TIGHT = MANIFEST + "server: {limits: {running: 1, running_each: 1, queued: 0, queued_each: 0}}\n"


async def test_a_full_server_answers_429_and_when_to_come_back(tmp_path: Path) -> None:
    async with served(tmp_path, manifest=TIGHT) as (client, app):
        taken = app.state.service.pool.join("user:somebody")
        full = await client.post("/v1/runs", json={"task": "no room"}, headers=AS_ALICE)
        assert (full.status_code, full.json()["code"]) == (429, "full")
        assert int(full.headers["retry-after"]) >= 1
        taken.leave()
        assert (await client.post("/v1/runs", json={"task": "room"}, headers=AS_ALICE)).status_code == 202


async def test_a_server_that_is_about_to_stop_answers_503_and_still_tells_what_there_is(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, app):
        begun = await client.post("/v1/runs", json={"task": "before"}, headers=AS_ALICE)
        await app.state.service.close(5.0)
        late = await client.post("/v1/runs", json={"task": "after"}, headers=AS_ALICE)
        assert (late.status_code, late.json()["code"]) == (503, "closing")
        assert int(late.headers["retry-after"]) >= 1
        told = await client.get(f"/v1/runs/{begun.json()['id']}/events", headers=AS_ALICE)
        assert '"status":"done"' in told.text
