"""Questions of runs over HTTP."""

from __future__ import annotations

import json
from pathlib import Path

from .kit import AS_ALICE, AS_BOB, MANIFEST, ended, final, served, step

WRITES = MANIFEST.replace(
    "tools: []", "tools: [{name: files, type: builtin, target_paths: [./notes], permissions: [read, write]}]"
)
WRITE = step("files.write", path="notes/new.txt", text="one\ntwo\n")
TASK = {"task": "write down what you find"}


async def test_a_run_waits_shows_the_whole_call_and_goes_on_after_a_yes_bound_to_it(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    async with served(tmp_path, [WRITE, final("It is done.")], manifest=WRITES) as (client, _):
        run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
        assert (await ended(client, run, AS_ALICE))["status"] == "waiting"
        (asked,) = (await client.get("/v1/approvals", headers=AS_ALICE)).json()["data"]
        assert (asked["run_id"], asked["tool"], asked["args"]["text"]) == (run, "files.write", "one\ntwo\n")
        assert "+one" in asked["preview"]
        assert (asked["may_answer"], asked["approvers"], asked["valid_s"]) == (True, ["user:alice"], 600)
        other = await client.post(f"/v1/approvals/{run}", json={"yes": True, "digest": "0" * 16}, headers=AS_ALICE)
        assert (other.status_code, other.json()["code"]) == (409, "conflict")
        assert not (tmp_path / "notes/new.txt").exists()
        said = {"yes": True, "digest": asked["digest"][:16]}
        assert (await client.post(f"/v1/approvals/{run}", json=said, headers=AS_ALICE)).status_code == 200
        assert (await ended(client, run, AS_ALICE))["status"] == "done"
        assert (tmp_path / "notes/new.txt").read_text() == "one\ntwo\n"
        assert (await client.get("/v1/approvals", headers=AS_ALICE)).json()["data"] == []


async def test_a_no_and_its_reason_reach_the_model_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    async with served(tmp_path, [WRITE, final("I may not.")], manifest=WRITES) as (client, web):
        run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
        await ended(client, run, AS_ALICE)
        (asked,) = (await client.get("/v1/approvals", headers=AS_ALICE)).json()["data"]
        said = {"yes": False, "digest": asked["digest"], "why": "not today"}
        assert (await client.post(f"/v1/approvals/{run}", json=said, headers=AS_ALICE)).status_code == 200
        await ended(client, run, AS_ALICE)
        told = b"".join(web.state.model.prompts[-1].messages)
        assert b"not today" in told
        assert not (tmp_path / "notes/new.txt").exists()


async def test_somebody_else_sees_nothing_of_a_question_and_cannot_answer_it(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    async with served(tmp_path, [WRITE], manifest=WRITES) as (client, _):
        run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
        await ended(client, run, AS_ALICE)
        (asked,) = (await client.get("/v1/approvals", headers=AS_ALICE)).json()["data"]
        assert (await client.get("/v1/approvals", headers=AS_BOB)).json()["data"] == []
        refused = await client.post(
            f"/v1/approvals/{run}", json={"yes": True, "digest": asked["digest"]}, headers=AS_BOB
        )
        absent = await client.get("/v1/approvals/nothing", headers=AS_BOB)
        assert (refused.status_code, refused.json()) == (404, absent.json())
        assert (await client.get(f"/v1/runs/{run}", headers=AS_ALICE)).json()["status"] == "waiting"


async def test_with_four_eyes_the_approver_answers_and_the_one_who_asked_looks_on(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    manifest = WRITES + "approvals: {approvers: [role:hr], four_eyes: true}\n"
    async with served(tmp_path, [WRITE, final("It is done.")], manifest=manifest) as (client, _):
        run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
        await ended(client, run, AS_ALICE)
        (own,) = (await client.get("/v1/approvals", headers=AS_ALICE)).json()["data"]
        (theirs,) = (await client.get("/v1/approvals", headers=AS_BOB)).json()["data"]
        assert (own["may_answer"], theirs["may_answer"], theirs["owner"]) == (False, True, "user:alice")
        said = {"yes": True, "digest": own["digest"]}
        assert (await client.post(f"/v1/approvals/{run}", json=said, headers=AS_ALICE)).status_code == 409
        assert (await client.post(f"/v1/approvals/{run}", json=said, headers=AS_BOB)).status_code == 200
        assert (await ended(client, run, AS_ALICE))["status"] == "done"
        assert (await client.get(f"/v1/runs/{run}", headers=AS_BOB)).status_code == 404


async def test_an_answer_of_another_form_is_refused_before_anything_is_looked_at(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        for wrong in ({"yes": "true", "digest": "a" * 64}, {"yes": True}, {"yes": True, "digest": "A" * 64}, [], 1):
            refused = await client.post("/v1/approvals/x", content=json.dumps(wrong), headers=AS_ALICE | {
                "Content-Type": "application/json"})  # fmt: skip
            assert refused.status_code == 422, wrong
            assert refused.json()["errors"]
