"""The same key is the same run."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ringfence.app.serving import keyed

from .kit import ALICE, ANSWER, AS_ALICE, AS_BOB, BOB, Held, ended, served

TASK = {"task": "what is six times seven?", "metadata": {"a": "1"}}
KEY = {"Idempotency-Key": "order-4711"}


async def test_the_same_key_and_body_is_the_same_run_even_after_a_restart(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        first = await client.post("/v1/runs", json=TASK, headers=AS_ALICE | KEY)
        run = first.json()["id"]
        assert (await ended(client, run, AS_ALICE))["answer"] == "42"
    async with served(tmp_path, []) as (client, web):
        again = await client.post("/v1/runs", json=TASK, headers=AS_ALICE | KEY)
        assert (again.status_code, again.json()) == (202, {"id": run, "status": "done"})
        assert len((await client.get("/v1/runs", headers=AS_ALICE)).json()["data"]) == 1
        assert web.state.model.prompts == []


async def test_the_same_key_with_another_body_is_refused_and_begins_nothing(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        await client.post("/v1/runs", json=TASK, headers=AS_ALICE | KEY)
        for other in (TASK | {"task": "else"}, TASK | {"metadata": {}}, TASK | {"conversation": "x"}):
            refused = await client.post("/v1/runs", json=other, headers=AS_ALICE | KEY)
            assert (refused.status_code, refused.json()["code"]) == (422, "key-used"), other
        assert len((await client.get("/v1/runs", headers=AS_ALICE)).json()["data"]) == 1


async def test_many_requests_at_once_with_one_key_begin_one_run(tmp_path: Path) -> None:
    model = Held([ANSWER])
    async with served(tmp_path, model=model) as (client, _):
        asked = [client.post("/v1/runs", json=TASK, headers=AS_ALICE | KEY) for _ in range(8)]
        answers = await asyncio.gather(*asked)
        assert {one.status_code for one in answers} == {202}
        assert len({one.json()["id"] for one in answers}) == 1
        model.go.set()
        await ended(client, answers[0].json()["id"], AS_ALICE)
        assert len(model.prompts) == 1


async def test_a_key_is_ones_own(tmp_path: Path) -> None:
    async with served(tmp_path, [ANSWER, ANSWER]) as (client, _):
        mine = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE | KEY)).json()["id"]
        theirs = (await client.post("/v1/runs", json=TASK, headers=AS_BOB | KEY)).json()["id"]
        assert mine != theirs
        assert keyed.run_of(ALICE, "order-4711") == mine
        assert keyed.run_of(BOB, "order-4711") == theirs


async def test_a_key_that_is_none_is_refused(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        for key in ("", "a b", "x" * 256, "\x7f"):
            refused = await client.post("/v1/runs", json=TASK, headers=AS_ALICE | {"Idempotency-Key": key})
            assert refused.status_code == 422, key
