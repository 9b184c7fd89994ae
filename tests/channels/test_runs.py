"""Runs over HTTP."""

from __future__ import annotations

import asyncio
import json
import random
from contextvars import Context
from pathlib import Path

import pytest
from starlette.types import Message

from ringfence.app.serving.service import Service
from ringfence.app.serving.spoken import Spoken, spoken
from ringfence.channels.http import streams
from ringfence.core.chain import Kind, Record
from ringfence.core.labels import IDENTITY
from ringfence.stores.hold import Held as HeldElsewhere
from ringfence.testing.scripted import ScriptedModel

from .kit import ANSWER, AS_ALICE, AS_BOB, MANIFEST, Held, ended, final, served, step

TASK = {"task": "what is six times seven?"}
CALC = MANIFEST.replace("tools: []", "tools: [{name: calc, type: builtin}]\nworkflow: {tool_first: false}")


async def test_a_run_is_begun_followed_to_its_end_and_nobody_elses(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        begun = await client.post("/v1/runs", json=TASK, headers=AS_ALICE)
        assert begun.status_code == 202, begun.text
        run = begun.json()["id"]
        told = await client.get(f"/v1/runs/{run}/events", headers=AS_ALICE)
        assert told.headers["content-type"].startswith("text/event-stream")
        assert told.text.startswith("retry: 2000\n\nid: 0-")
        assert "event: run.finished" in told.text
        assert '"answer":"42"' in told.text
        assert told.text.rstrip().splitlines()[-1].endswith('"status":"done"}')
        absent = await client.get("/v1/runs/nothing", headers=AS_BOB)
        for path in ("", "/events", "/records/0"):
            other = await client.get(f"/v1/runs/{run}{path}", headers=AS_BOB)
            assert (other.status_code, other.json()) == (404, absent.json()), path
        for verb in ("cancel", "resume", "fork"):
            other = await client.post(f"/v1/runs/{run}/{verb}", json={}, headers=AS_BOB)
            assert (other.status_code, other.json()) == (404, absent.json()), verb
        assert (await client.get(f"/v1/runs/{run}/events")).status_code == 401


async def test_a_run_is_begun_and_followed_in_one_answer_and_again_from_where_it_was_cut(tmp_path: Path) -> None:
    streaming = AS_ALICE | {"Accept": "text/event-stream", "Idempotency-Key": "once"}
    async with served(tmp_path) as (client, web):
        told = await client.post("/v1/runs", json=TASK, headers=streaming)
        assert (told.status_code, told.headers["content-type"][:17]) == (200, "text/event-stream")
        events = told.headers["content-location"]
        assert told.text == (await client.get(events, headers=AS_ALICE)).text
        assert told.text.endswith('"status":"done"}\n\n')
        assert (await client.get(events, headers=AS_BOB)).status_code == 404
        assert (
            await client.post("/v1/runs", json=TASK, headers=streaming)
        ).text == told.text  # the same run, once more
        first = told.text.split("id: ")[1].split("\n")[0]
        rest = (await client.get(events, headers=AS_ALICE | {"Last-Event-ID": first})).text
        assert rest.split("id: ")[1:] == told.text.split("id: ")[2:]
        refused = await client.post("/v1/runs", json={"task": ""}, headers=streaming)
        assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
        web.state.streams["user:alice"] = 10_000  # no run is begun that nobody would be told of
        before = len((await client.get("/v1/runs", headers=AS_ALICE)).json()["data"])
        assert (
            await client.post("/v1/runs", json=TASK, headers=AS_ALICE | {"Accept": "text/event-stream"})
        ).status_code == 429
        assert len((await client.get("/v1/runs", headers=AS_ALICE)).json()["data"]) == before


async def test_a_run_says_what_it_came_to_with_what_the_caller_put_on_it(tmp_path: Path) -> None:
    async with served(tmp_path, [step("calc", expression="6*7"), final("42")], manifest=CALC) as (client, _):
        new = TASK | {"metadata": {"ticket": "88"}, "conversation": "room-1"}
        run = (await client.post("/v1/runs", json=new, headers=AS_ALICE)).json()["id"]
        shown = await ended(client, run, AS_ALICE)
        assert (shown["status"], shown["answer"], shown["metadata"]) == ("done", "42", {"ticket": "88"})
        assert (shown["task"], shown["conversation"], shown["principal"]) == (TASK["task"], "room-1", "user:alice")
        (called,) = shown["steps"]
        assert (called["tool"], called["args"], called["ok"]) == ("calc", {"expression": "6*7"}, True)
        whole = (await client.get(f"/v1/runs/{run}/records/{called['seq']}", headers=AS_ALICE)).json()
        assert (whole["kind"], whole["value"]) == ("outcome", {"result": "42"})
        for seq in (shown["records"], 10**30, -1):
            assert (await client.get(f"/v1/runs/{run}/records/{seq}", headers=AS_ALICE)).status_code == 404


async def test_long_arguments_are_cut_in_their_event_and_whole_in_their_record(tmp_path: Path) -> None:
    long = "1" + "+1" * 3_000
    async with served(tmp_path, [step("calc", expression=long), final("so many")], manifest=CALC) as (client, _):
        run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
        await ended(client, run, AS_ALICE)
        lines = (await client.get(f"/v1/runs/{run}/events", headers=AS_ALICE)).text.splitlines()
        told = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
        called = next(one for one in told if one.get("kind") == "intent" and one.get("tool") == "calc")
        assert set(called["args"]) == {"cut", "chars"}
        whole = (await client.get(f"/v1/runs/{run}/records/{called['seq']}", headers=AS_ALICE)).json()
        assert whole["args"] == {"expression": long}


async def test_a_list_is_paged_by_its_cursor_filtered_and_only_ones_own(tmp_path: Path) -> None:
    async with served(tmp_path, [ANSWER] * 6) as (client, _):
        mine = []
        for n in range(5):
            new = {"task": f"Question {n}?", "conversation": "even" if n % 2 == 0 else "odd"}
            mine.append((await client.post("/v1/runs", json=new, headers=AS_ALICE)).json()["id"])
            await ended(client, mine[-1], AS_ALICE)
        theirs = (await client.post("/v1/runs", json=TASK, headers=AS_BOB)).json()["id"]
        await ended(client, theirs, AS_BOB)
        seen, before = [], None
        for _ in range(4):
            query = {"limit": 2} | ({"before": before} if before is not None else {})
            page = (await client.get("/v1/runs", params=query, headers=AS_ALICE)).json()
            seen += [one["id"] for one in page["data"]]
            if (before := page["next"]) is None:
                break
        assert seen == mine[::-1]
        assert before is None
        even = (await client.get("/v1/runs?conversation=even", headers=AS_ALICE)).json()["data"]
        assert [one["id"] for one in even] == [mine[4], mine[2], mine[0]]
        found = (await client.get("/v1/runs?q=QUESTION 3", headers=AS_ALICE)).json()["data"]
        assert [one["id"] for one in found] == [mine[3]]
        assert (await client.get("/v1/runs?status=failed", headers=AS_ALICE)).json()["data"] == []
        assert len((await client.get("/v1/runs?status=done&status=failed", headers=AS_ALICE)).json()["data"]) == 5
        for query in ("limit=0", "limit=x", "before=-1", f"before={10**40}", "status=gone", "limit=1000"):
            assert (await client.get(f"/v1/runs?{query}", headers=AS_ALICE)).status_code == 422, query


async def test_who_has_it_already_is_told_that_nothing_has_changed(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
        await ended(client, run, AS_ALICE)
        for path in ("/v1/runs", f"/v1/runs/{run}"):
            first = await client.get(path, headers=AS_ALICE)
            again = await client.get(path, headers=AS_ALICE | {"If-None-Match": f'"x", W/{first.headers["etag"]}'})
            assert (again.status_code, again.content) == (304, b""), path
            assert again.headers["etag"] == first.headers["etag"]
            other = await client.get(path, headers=AS_ALICE | {"If-None-Match": '"x"'})
            assert other.status_code == 200


async def test_a_run_at_work_is_stopped_and_ended_and_asks_no_model_any_more(tmp_path: Path) -> None:
    model = Held([ANSWER])
    async with served(tmp_path, model=model) as (client, _):
        run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
        await model.asked.wait()
        assert (await client.get(f"/v1/runs/{run}", headers=AS_ALICE)).json()["status"] == "running"
        gone = await client.post(f"/v1/runs/{run}/cancel", headers=AS_ALICE)
        assert (gone.status_code, gone.json()["status"]) == (200, "cancelled")
        assert gone.json()["summary"] == "cancelled by user:alice"
        again = await client.post(f"/v1/runs/{run}/cancel", headers=AS_ALICE)
        assert (again.status_code, again.json()["code"]) == (409, "conflict")
        assert model.prompts == []


async def test_an_end_waits_for_an_effect_that_is_under_way_and_leaves_it_alone_if_it_takes_too_long(
    tmp_path: Path,
) -> None:
    model = Held([ANSWER])
    async with served(tmp_path, model=model) as (client, web):
        run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
        await model.asked.wait()
        service: Service = web.state.service
        service.agent.house.effects = frozenset({"tool:mail.send"})
        job = service.jobs[run]
        job.feed.put(_record(90, Kind.INTENT, run, sink="tool:mail.send"))
        with pytest.raises(HeldElsewhere):
            await job.cancel("enough", "user:alice", wait_s=0.01)
        assert run in service.jobs  # it goes on
        job.feed.put(_record(91, Kind.OUTCOME, run, of=90, ok=True))
        await job.cancel("enough", "user:alice", wait_s=5)
        assert run not in service.jobs
        assert (await client.get(f"/v1/runs/{run}", headers=AS_ALICE)).json()["status"] == "cancelled"


def _record(seq: int, kind: Kind, run: str = "r", **view: object) -> Record:
    return Record(run, seq, 0, kind, "user:alice", IDENTITY, dict(view), {})


async def test_a_run_that_was_cut_off_says_so_and_goes_on_where_it_was(tmp_path: Path) -> None:
    model = Held([ANSWER])
    async with served(tmp_path, model=model) as (client, web):
        web.state.service._recovery._given_up = _Everything()  # nobody but us takes anything up
        run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
        await model.asked.wait()
        await web.state.service.jobs[run].stop()
        assert (await client.get(f"/v1/runs/{run}", headers=AS_ALICE)).json()["status"] == "interrupted"
        model.go.set()
        assert (await client.post(f"/v1/runs/{run}/resume", headers=AS_ALICE)).status_code == 202
        assert (await ended(client, run, AS_ALICE))["answer"] == "42"


class _Everything(set[str]):
    def __contains__(self, item: object) -> bool:
        return True


async def test_a_run_that_another_process_drives_is_left_to_it(tmp_path: Path) -> None:
    model = Held([ANSWER])
    async with served(tmp_path, model=model) as (client, web):
        web.state.service._recovery._given_up = _Everything()
        run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
        await model.asked.wait()
        await web.state.service.jobs[run].stop()
        elsewhere, held = Context(), web.state.service.agent.holding(run)
        elsewhere.run(held.__enter__)  # a lock of the file: as another process has it
        refused = await client.post(f"/v1/runs/{run}/cancel", headers=AS_ALICE)
        assert (refused.status_code, refused.json()["code"]) == (409, "held")
        left = await client.post(f"/v1/runs/{run}/resume", headers=AS_ALICE)
        assert (left.status_code, left.json()["status"]) == (202, "running")
        assert run not in web.state.service.jobs
        elsewhere.run(held.__exit__, None, None, None)
        assert (await client.post(f"/v1/runs/{run}/cancel", headers=AS_ALICE)).status_code == 200


async def test_a_run_is_tried_again_and_gone_on_with_from_its_middle(tmp_path: Path) -> None:
    steps = [step("calc", expression="6*7"), final("42"), final("again"), final("from the middle")]
    async with served(tmp_path, steps, manifest=CALC) as (client, _):
        run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
        shown = await ended(client, run, AS_ALICE)
        again = (await client.post(f"/v1/runs/{run}/fork", json={}, headers=AS_ALICE)).json()["id"]
        tried = await ended(client, again, AS_ALICE)
        assert (tried["answer"], tried["forked"], tried["steps"]) == ("again", {"run": run, "seq": 0}, [])
        at = shown["steps"][0]["seq"]
        new = await client.post(f"/v1/runs/{run}/fork", json={"at": at}, headers=AS_ALICE)
        on = await ended(client, new.json()["id"], AS_ALICE)
        assert (on["forked"], [one["tool"] for one in on["steps"]]) == ({"run": run, "seq": at}, ["calc"])
        refused = await client.post(f"/v1/runs/{run}/fork", json={"at": 10_000}, headers=AS_ALICE)
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert "records that it can be forked at" in refused.json()["todo"]


async def test_a_client_that_comes_back_gets_what_it_has_missed_and_nothing_twice(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
        path = f"/v1/runs/{run}/events"
        whole = (await client.get(path, headers=AS_ALICE)).text
        ids = [line[4:] for line in whole.splitlines() if line.startswith("id: ")]
        for n, last in enumerate(ids):
            for query, headers in (("", {"Last-Event-ID": last}), (f"?after={last}", {})):
                rest = (await client.get(path + query, headers=AS_ALICE | headers)).text
                assert [line[4:] for line in rest.splitlines() if line.startswith("id: ")] == ids[n + 1 :]
                assert "event: reset" not in rest
        for wrong in ("0-1", "99999-1", "x", "1" * 60, "-"):
            anew = (await client.get(path, headers=AS_ALICE | {"Last-Event-ID": wrong})).text
            assert anew.count("event: reset") == 1, wrong
            assert [line[4:] for line in anew.splitlines() if line.startswith("id: ")] == ids


async def test_streams_of_one_principal_are_bounded_and_those_of_others_are_not_counted(tmp_path: Path) -> None:
    async with served(tmp_path, [ANSWER, ANSWER]) as (client, web):
        run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
        other = (await client.post("/v1/runs", json=TASK, headers=AS_BOB)).json()["id"]
        assert (await client.get(f"/v1/runs/{run}/events", headers=AS_ALICE)).status_code == 200
        assert not web.state.streams  # none is left behind
        web.state.streams["user:alice"] = 10_000
        refused = await client.get(f"/v1/runs/{run}/events", headers=AS_ALICE)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
        assert (await client.get(f"/v1/runs/{other}/events", headers=AS_BOB)).status_code == 200


async def test_a_silent_stream_is_alive_and_a_client_that_hangs_up_leaves_its_run_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "BEAT_S", 0.01)
    model, gone, sent = Held([ANSWER]), asyncio.Event(), list[Message]()
    body: list[Message] = [{"type": "http.request", "body": json.dumps(TASK).encode()}]

    async def receive() -> Message:
        if body:
            return body.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if sum(one.get("body", b"").startswith(b":") for one in sent) == 3:
            gone.set()

    said = AS_ALICE | {"Host": "localhost", "Accept": "text/event-stream", "Content-Type": "application/json"}
    scope = {"type": "http", "method": "POST", "path": "/v1/runs", "raw_path": b"/v1/runs", "query_string": b"",
             "scheme": "http", "root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
             "http_version": "1.1", "headers": [(a.lower().encode(), b.encode()) for a, b in said.items()]}  # fmt: skip
    async with served(tmp_path, model=model) as (client, web):
        await web(scope, receive, send)
        first, *rest = sent
        assert (first["status"], {one["more_body"] for one in rest}) == (200, {True})  # it was not ended, but left
        assert b"".join(one["body"] for one in rest).startswith(b"retry: 2000\n\nid: 0-")
        assert not web.state.streams
        run = dict(first["headers"])[b"location"].decode().removeprefix("/v1/runs/")
        model.go.set()
        assert (await ended(client, run, AS_ALICE))["answer"] == "42"


def test_what_a_model_says_is_the_same_however_it_is_cut() -> None:
    rng = random.Random(7)
    letters = 'ab "\\\n\t\u00e9\u00a0\U0001f600{}[]:,x'
    for _ in range(300):
        thought, answer = ("".join(rng.choices(letters, k=rng.randint(0, 40))) for _ in "ab")
        step: dict[str, object] = {"thought": thought, "final_answer": {"answer": answer, "artifacts": []}}
        text = json.dumps(step, ensure_ascii=rng.random() < 0.5)[: rng.choice([None, -3])]
        grown, place = Spoken(), 0
        while place < len(text):
            size = rng.randint(1, 6)
            grown.add(text[place : place + size])
            place += size
            if rng.random() < 0.7:  # nobody has to look each time
                told = {field: value.rstrip() for field, value in grown.parts.items()}
                assert told == {field: value.rstrip() for field, value in spoken(text[:place])}, text[:place]
        assert grown.parts == dict(spoken(text))
        assert grown.parts == {"thought": thought, "answer": answer}


async def test_who_names_somebody_elses_conversation_is_shown_nothing_of_it_and_adds_nothing_to_it(
    tmp_path: Path,
) -> None:
    model = ScriptedModel([ANSWER, ANSWER, ANSWER])
    async with served(tmp_path, model=model) as (client, _):
        for who, task in ((AS_ALICE, "alice's secret"), (AS_BOB, "bob's guess"), (AS_ALICE, "and again?")):
            begun = await client.post("/v1/runs", json={"task": task, "conversation": "ward-3"}, headers=who)
            assert (await ended(client, begun.json()["id"], who))["status"] == "done"
    bob, alice = (b"".join(prompt.messages) for prompt in model.prompts[1:])
    assert b"secret" not in bob
    assert b"secret" in alice
    assert b"guess" not in alice
