"""The record over HTTP."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from ringfence.core import chain
from ringfence.proof import merkle
from ringfence.proof import note as notes
from ringfence.proof.note import Checkpoint, Verifier

from .kit import ANSWER, AS_ADA, AS_ALICE, AS_OTTO, ended, served

TASK = {"task": "write to anna.schmidt@example.org what six times seven is"}


async def one_run(client) -> str:
    run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
    await ended(client, run, AS_ALICE)
    return run


async def test_nobody_but_an_auditor_looks_at_the_record(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        run = await one_run(client)
        for who in (AS_ALICE, AS_ADA):
            for path in ("head", "heads", "verify", "records/0/proof", "runs", f"runs/{run}", "export"):
                assert (await client.get(f"/v1/audit/{path}", headers=who)).status_code == 403, path
            assert (await client.post("/v1/audit/verify", headers=who)).status_code == 403
        assert (await client.get("/v1/audit/head")).status_code == 401


async def test_a_record_is_proved_against_the_head_with_the_public_key_alone(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        run = await one_run(client)
        log = (await client.get("/v1/audit/head", headers=AS_OTTO)).json()
        assert log["head"]["size"] == log["records"] > 5
        page = (await client.get(f"/v1/audit/runs/{run}", headers=AS_OTTO)).json()
        index = page["data"][3]["index"]
        proof = (await client.get(f"/v1/audit/records/{index}/proof", headers=AS_OTTO)).json()
        text, _ = notes.opened(proof["head"], [Verifier.parse(log["keys"][0])])
        root = Checkpoint.parse(text).root
        leaf = chain.leaf(proof["header"].encode())
        path = [bytes.fromhex(one) for one in proof["path"]]
        assert merkle.included(leaf, index, proof["size"], path, root)
        assert json.loads(proof["header"])["run"] == run
        for wrong, status in ((10**6, 404), (10**30, 422), (-1, 422), ("x", 422)):
            answer = await client.get(f"/v1/audit/records/{wrong}/proof", headers=AS_OTTO)
            assert answer.status_code == status, wrong


async def test_an_auditor_sees_whose_every_run_is_and_nothing_of_what_is_in_it(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        run = await one_run(client)
        listed = (await client.get("/v1/audit/runs", headers=AS_OTTO)).json()["data"]
        assert [(one["id"], one["principal"], one["status"]) for one in listed] == [(run, "user:alice", "done")]
        views = await client.get(f"/v1/audit/runs/{run}", headers=AS_OTTO)
        export = await client.get("/v1/audit/export", headers=AS_OTTO)
        for answer in (views, export):
            assert "anna.schmidt" not in answer.text
            assert "<EMAIL_1>" in answer.text
        assert (await client.get(f"/v1/runs/{run}", headers=AS_OTTO)).status_code == 404
        assert (await client.get("/v1/audit/runs/nothing", headers=AS_OTTO)).status_code == 404
        first = (await client.get(f"/v1/audit/runs/{run}?limit=2", headers=AS_OTTO)).json()
        rest = (await client.get(f"/v1/audit/runs/{run}?after={first['next']}", headers=AS_OTTO)).json()
        whole = views.json()["data"]
        assert [*first["data"], *rest["data"]] == whole


async def test_an_export_hashes_to_the_root_of_the_head_that_it_ends_with(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        await one_run(client)
        export = await client.get("/v1/audit/export", headers=AS_OTTO)
        assert "attachment" in export.headers["content-disposition"]
        lines = export.content.splitlines()
        heads = [json.loads(line) for line in lines if line.startswith(b'{"head"')]
        frontier = chain.Frontier()
        for line in lines[: heads[-1]["size"]]:
            frontier.append(chain.leaf(line))
        assert frontier.root() == Checkpoint.parse(notes.unverified(heads[-1]["head"])).root
        part = await client.get("/v1/audit/export?start=2&stop=4", headers=AS_OTTO)
        assert part.content.splitlines()[:2] == lines[2:4]
        assert (await client.get("/v1/audit/export?start=4&stop=2", headers=AS_OTTO)).status_code == 422


async def looked_at(client, web) -> dict:
    assert (await client.get("/v1/audit/verify", headers=AS_OTTO)).status_code == 404
    begun = await client.post("/v1/audit/verify", headers=AS_OTTO)
    assert (begun.status_code, begun.json()["state"]) == (202, "running")
    await web.state.auditing._check.task
    return (await client.get("/v1/audit/verify", headers=AS_OTTO)).json()


async def test_a_log_that_is_what_was_written_verifies_while_others_are_served(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, web):
        await one_run(client)
        check = await looked_at(client, web)
        assert (check["ok"], check["by"], check["report"]["findings"]) == (True, "user:otto", [])
        assert check["report"]["signed"] == check["report"]["records"]


async def test_a_log_that_somebody_has_changed_does_not(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        await one_run(client)
    with sqlite3.connect(tmp_path / ".ringfence/journal.db") as db:
        db.execute("UPDATE chunks SET marks = zeroblob(length(marks)) WHERE idx = (SELECT max(idx) FROM chunks)")
    async with served(tmp_path, [ANSWER]) as (client, web):
        check = await looked_at(client, web)
        assert check["ok"] is False
        assert any(one["sure"] for one in check["report"]["findings"])


async def test_heads_are_paged_the_newest_first(tmp_path: Path) -> None:
    async with served(tmp_path, [ANSWER] * 3) as (client, _):
        for _ in range(3):
            await one_run(client)
        whole = (await client.get("/v1/audit/heads", headers=AS_OTTO)).json()["data"]
        first = (await client.get("/v1/audit/heads?limit=1", headers=AS_OTTO)).json()
        sizes = [one["size"] for one in whole]
        assert sizes == sorted(sizes, reverse=True)
        assert first["data"] == whole[:1]
        rest = (await client.get(f"/v1/audit/heads?before={first['next']}", headers=AS_OTTO)).json()
        assert [*first["data"], *rest["data"]] == whole
