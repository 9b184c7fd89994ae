"""Runs over HTTP."""

from __future__ import annotations

from pathlib import Path

from .kit import served

AS_ALICE, AS_BOB = {"Authorization": "Bearer alice"}, {"Authorization": "Bearer bob"}


async def test_a_run_is_begun_followed_to_its_end_and_nobody_elses(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        begun = await client.post("/v1/runs", json={"task": "what is six times seven?"}, headers=AS_ALICE)
        assert begun.status_code == 202, begun.text
        run = begun.json()["id"]
        told = await client.get(f"/v1/runs/{run}/events", headers=AS_ALICE)
        assert "event: run.finished" in told.text
        assert '"answer":"42"' in told.text
        assert told.text.rstrip().splitlines()[-1].endswith('"status":"done"}')
        other = await client.get(f"/v1/runs/{run}/events", headers=AS_BOB)
        assert other.status_code == 404
        assert other.json()["code"] == "not-found"
        assert (await client.get(f"/v1/runs/{run}/events")).status_code == 401
