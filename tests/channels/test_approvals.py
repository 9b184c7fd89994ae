"""Questions of runs over HTTP."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ringfence.app.ids import now_ms
from ringfence.core.values import Principal

from .kit import AS_ALICE, AS_BOB, MANIFEST, Known, ended, final, served, step

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
        assert asked["expires_ms"] == asked["asked_ms"] + 604_800_000
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


@pytest.mark.parametrize(("days", "roles", "why"), [(8, ["role:ops"], "expired at"), (0, [], "may not read this call")])
async def test_a_yes_that_is_too_late_or_to_what_one_may_not_read_any_more_is_a_conflict_and_nothing_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, roles: list[str], why: str
) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/pay.txt").write_text("42")
    reads = step("files.read", path="notes/pay.txt")
    manifest = WRITES.replace("permissions:", "readers: [role:ops], permissions:")
    async with served(tmp_path, [reads, WRITE], manifest=manifest) as (client, web):
        run = (await client.post("/v1/runs", json={"task": "write down notes/pay.txt"}, headers=AS_ALICE)).json()["id"]
        await ended(client, run, AS_ALICE)
        (asked,) = (await client.get("/v1/approvals", headers=AS_ALICE)).json()["data"]
        monkeypatch.setattr("ringfence.app.asked.now_ms", lambda: now_ms() + days * 86_400_000)
        web.state.authenticator = Known({"alice": Principal("user:alice", frozenset(roles))})
        said = {"yes": True, "digest": asked["digest"]}
        refused = await client.post(f"/v1/approvals/{run}", json=said, headers=AS_ALICE)
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert why in refused.text
        assert not (tmp_path / "notes/new.txt").exists()


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
