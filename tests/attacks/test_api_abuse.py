"""What somebody tries who has a key of their own, or none: to read, stop, answer or fill what is not theirs."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ringfence.app.serving import keyed
from tests.channels.kit import (
    ALICE,
    ANSWER,
    AS_ADA,
    AS_ALICE,
    AS_BOB,
    AS_OTTO,
    MANIFEST,
    Held,
    ended,
    final,
    served,
    step,
)  # fmt: skip

TASK = {"task": "what is six times seven? the safe opens with 8812"}
WRITES = MANIFEST.replace(
    "tools: []", "tools: [{name: files, type: builtin, target_paths: [./notes], permissions: [read, write]}]"
)
KNOWS = MANIFEST + "knowledge: {collections: [{name: house, path: ./house, vectors: false}]}\n"
JSON = {"Content-Type": "application/json"}


async def test_another_ones_run_cannot_be_told_from_one_that_is_not_there(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
        await ended(client, run, AS_ALICE)
        for who in (AS_BOB, AS_ADA, AS_OTTO):  # an admin and an auditor read no contents either
            for method, path, body in (
                ("GET", "", None), ("GET", "/events", None), ("GET", "/records/0", None), ("POST", "/cancel", None),
                ("POST", "/resume", None), ("POST", "/fork", {"at": 0}),
            ):  # fmt: skip
                theirs = await client.request(method, f"/v1/runs/{run}{path}", json=body, headers=who)
                none = await client.request(method, f"/v1/runs/{'0' * len(run)}{path}", json=body, headers=who)
                assert (theirs.status_code, theirs.content) == (404, none.content), path
                assert {k: v for k, v in theirs.headers.items() if k != "content-length"} == {
                    k: v for k, v in none.headers.items() if k != "content-length"
                }
            for path in ("/v1/runs", f"/v1/runs?q={TASK['task'][:20]}", "/v1/approvals", "/v1/memory", "/v1/status"):
                assert "8812" not in (await client.get(path, headers=who)).text


async def test_the_beginning_of_an_id_is_no_id(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
        await ended(client, run, AS_ALICE)
        for part in (run[:-1], run[:4], run[0], run + "x", run.upper() if run.upper() != run else "-", "%", "*"):
            assert (await client.get(f"/v1/runs/{part}", headers=AS_ALICE)).status_code == 404, part


async def test_who_guesses_a_key_of_somebody_else_gets_a_run_of_their_own(tmp_path: Path) -> None:
    async with served(tmp_path, [ANSWER, ANSWER]) as (client, _):
        key = {"Idempotency-Key": "k1"}
        mine = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE | key)).json()["id"]
        theirs = (await client.post("/v1/runs", json=TASK, headers=AS_BOB | key)).json()["id"]
        assert mine == keyed.run_of(ALICE, "k1") != theirs
        assert (await client.get(f"/v1/runs/{mine}", headers=AS_BOB)).status_code == 404


async def test_nothing_in_a_body_makes_somebody_somebody_else(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        for more in ({"principal": "user:bob"}, {"roles": ["role:admin"]}, {"run": "x"}, {"agent": "other"},
                     {"__proto__": {}}, {"tenant": "t"}):  # fmt: skip
            refused = await client.post("/v1/runs", json=TASK | more, headers=AS_ALICE)
            assert refused.status_code == 422, more
        run = await client.post("/v1/runs", json=TASK | {"metadata": {"principal": "user:bob"}}, headers=AS_ALICE)
        shown = await ended(client, run.json()["id"], AS_ALICE)
        assert shown["principal"] == "user:alice"


async def test_a_yes_to_what_was_shown_before_counts_for_nothing_now(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    steps = [step("files.write", path="notes/a.txt", text="harmless"),
             step("files.write", path="notes/b.txt", text="harmful"), final("done")]  # fmt: skip
    async with served(tmp_path, steps, manifest=WRITES) as (client, _):
        run = (await client.post("/v1/runs", json={"task": "write it down"}, headers=AS_ALICE)).json()["id"]
        await ended(client, run, AS_ALICE)
        (asked,) = (await client.get("/v1/approvals", headers=AS_ALICE)).json()["data"]
        yes = {"yes": True, "digest": asked["digest"]}
        answers = await asyncio.gather(*(client.post(f"/v1/approvals/{run}", json=yes, headers=AS_ALICE)
                                         for _ in range(6)))  # fmt: skip
        assert sorted(one.status_code for one in answers)[0] == 200
        assert {one.status_code for one in answers} <= {200, 404, 409}
        assert [one.status_code for one in answers].count(200) == 1
        await ended(client, run, AS_ALICE)
        replayed = await client.post(f"/v1/approvals/{run}", json=yes, headers=AS_ALICE)
        assert replayed.status_code == 409
        assert (tmp_path / "notes/a.txt").exists()
        assert not (tmp_path / "notes/b.txt").exists()


def there(folder: Path) -> set[Path]:
    """The files of a folder, but for the server's own."""
    return {one for one in folder.rglob("*") if ".ringfence" not in one.parts}


@pytest.mark.parametrize("name", [
    "../../outside.md", "..\\..\\outside.md", "/etc/cron.d/x", "....//....//x", "%2e%2e%2fx", "x/../../../outside.md",
    "x\x00.md", "CON:", "a/.ringfence/x", ".ringfence/journal.db", "ringfence.yaml/../x",
])  # fmt: skip
async def test_a_file_name_puts_nothing_outside_of_its_collection(tmp_path: Path, name: str) -> None:
    (tmp_path / "house").mkdir()
    async with served(tmp_path, manifest=KNOWS) as (client, _):
        before = there(tmp_path)
        where = f'--b\r\nContent-Disposition: form-data; name="path"\r\n\r\n{name}\r\n'
        for file in (name, "x.md"):
            body = (where if file == "x.md" else "") + (
                f'--b\r\nContent-Disposition: form-data; name="file"; filename="{file}"\r\n\r\nowned\r\n--b--\r\n'
            )
            await client.post(
                "/v1/collections/house/documents", content=body.encode(),
                headers=AS_ADA | {"Content-Type": "multipart/form-data; boundary=b"},
            )  # fmt: skip
        new = there(tmp_path) - before
        assert all(one.is_relative_to(tmp_path / "house") for one in new), new
        assert not list((tmp_path / ".ringfence").glob("x"))
        assert (tmp_path / ".ringfence/journal.db").stat().st_size > 100


async def test_a_form_of_many_parts_or_endless_headers_is_refused_and_not_kept(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    async with served(tmp_path, manifest=KNOWS) as (client, _):
        part = b'--b\r\nContent-Disposition: form-data; name="p"\r\n\r\nx\r\n'
        for body in (
            part * 10_000 + b"--b--\r\n",
            b"--b\r\nContent-Disposition: form-data; name=" + b"a" * 100_000 + b"\r\n\r\nx\r\n--b--\r\n",
            b'--b\r\nContent-Disposition: form-data; name="p"\r\n\r\n' + b"x" * 100_000 + b"\r\n--b--\r\n",
        ):
            answer = await client.post(
                "/v1/collections/house/documents", content=body,
                headers=AS_ADA | {"Content-Type": "multipart/form-data; boundary=b"},
            )  # fmt: skip
            assert answer.status_code == 400
        assert list((tmp_path / "house").iterdir()) == []


async def test_a_query_that_is_no_text_is_answered_and_nothing_of_sql_is_in_it(tmp_path: Path) -> None:
    async with served(tmp_path, [ANSWER]) as (client, _):
        await client.post("/v1/runs", json=TASK, headers=AS_ALICE)
        for q in ("%00", "%ff%fe", "'%20OR%201=1--", "%25", "*", "%F0%9F%92%A9", "\\", "("):
            for path in ("runs", "memory"):
                answer = await client.get(f"/v1/{path}?q={q}", headers=AS_ALICE)
                assert (answer.status_code, answer.json()["data"]) == (200, []), (path, q)
            assert (await client.get(f"/v1/runs/{q}", headers=AS_ALICE)).status_code in (404, 200)


async def test_whoever_goes_away_before_the_answer_loses_nothing_of_others(tmp_path: Path) -> None:
    model = Held([ANSWER] * 3)
    async with served(tmp_path, model=model) as (client, web):
        run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
        await model.asked.wait()
        gone = asyncio.create_task(client.get(f"/v1/runs/{run}/events", headers=AS_ALICE))
        for _ in range(1_000):
            if web.state.streams:
                break
            await asyncio.sleep(0)
        assert web.state.streams
        gone.cancel()
        await asyncio.wait([gone])
        model.go.set()
        assert (await ended(client, run, AS_ALICE))["answer"] == "42"
        assert not web.state.streams


async def test_deep_wide_and_long_json_is_refused_in_no_time(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        for body in (
            "[" * 500_000,
            '{"task": ' + "[" * 400_000 + "]" * 400_000 + "}",
            json.dumps({f"k{n}": n for n in range(50_000)}),
            json.dumps({"task": "x", "metadata": {f"k{n}": "v" for n in range(20_000)}}),
            '{"task": ' + "9" * 100_000 + "}",
            '{"task": "x", "metadata": {"a": "' + "b" * 100_000 + '"}}',
        ):
            answer: httpx2.Response = await asyncio.wait_for(
                client.post("/v1/runs", content=body, headers=AS_ALICE | JSON), 5
            )
            assert answer.status_code in (400, 413, 422), body[:40]
            assert len(answer.content) < 20_000, body[:40]
            told: dict[str, Any] = answer.json()
            assert told["todo"]


async def test_a_strangers_body_is_not_even_read(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        for who, status in (({}, 401), (AS_ALICE, 400)):
            answer = await client.post("/v1/runs", content=b"[" * 5000, headers={**JSON, **who})
            assert answer.status_code == status


async def test_a_key_without_the_scope_admin_sees_nothing_of_others_in_the_status(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, web):
        assert (await client.get("/v1/status", headers=AS_ADA)).json()["admin"] is not None
        known = web.state.authenticator.caller

        async def narrow(request: Any) -> Any:
            found = await known(request)
            return replace(found, scopes=frozenset({"memory"}))

        web.state.authenticator.caller = narrow
        assert (await client.get("/v1/status", headers=AS_ADA)).json()["admin"] is None
