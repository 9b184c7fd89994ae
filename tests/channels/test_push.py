"""Webhooks, against a receiver that takes, fails, hangs, lies and redirects."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.channels.push import attempt, delivery
from ringfence.channels.push.outbox import Due, Outbox
from ringfence.core.errors import ManifestError
from ringfence.core.turn import State, fold
from ringfence.manifest.loader import load

from .hooks import SECRET, Hook, hooked, signed
from .kit import final, served, step

AS_ALICE = {"Authorization": "Bearer alice"}


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_S", 0.02)
    monkeypatch.setattr(delivery, "POLL_S", 0.05)
    monkeypatch.setenv("HOOK_SECRET", SECRET)


def manifest(hook: Hook, more: str = "", tools: str = "[]") -> str:
    return f"""
runtime: {{name: kit}}
inference: {{provider: openai, model: scripted, endpoint: "http://127.0.0.1:1/v1"}}
tools: {tools}
server:
  webhooks:
    - {{name: ops, url: "{hook.url}", secret: "${{HOOK_SECRET}}"{more}}}
"""


async def a_run(client: Any, task: str = "what is six times seven?") -> str:
    begun = await client.post("/v1/runs", json={"task": task}, headers=AS_ALICE)
    run: str = begun.json()["id"]
    await client.get(f"/v1/runs/{run}/events", headers=AS_ALICE)
    return run


async def got(hook: Hook, count: int) -> list[dict[str, Any]]:
    return await asyncio.to_thread(hook.wait, count)


async def until(check: Any) -> Any:
    async with asyncio.timeout(60):
        while not (found := await check()):  # noqa: ASYNC110  it is said in a file, which tells nobody
            await asyncio.sleep(0.02)
    return found


def attempts(web: Any) -> list[Any]:
    """The runs of attempts, oldest first, folded."""
    log = web.state.service.agent.journal.log
    found = [one.run for one in log.runs(100) if one.run.startswith("push-")]
    return [fold(log.read(run)) for run in reversed(found)]


async def test_the_end_of_a_run_is_told_signed_and_on_record_with_what_was_sent(tmp_path: Path) -> None:
    with hooked() as hook:
        more = ", audience: ['user:alice']"
        async with served(tmp_path, [final("42 [of them]")], manifest=manifest(hook, more)) as (client, web):
            run = await a_run(client)
            (event,) = await got(hook, 1)
            (told,) = await until(
                lambda: asyncio.to_thread(lambda: [t for t in attempts(web) if t.state is State.DONE])
            )
            records = web.state.service.agent.journal.log.read(told.run)
            listed = (await client.get("/v1/runs", headers=AS_ALICE)).json()["data"]
        headers, body = hook.got[0]
    assert signed(headers, body)
    assert headers["content-type"] == "application/json"
    assert abs(int(headers["webhook-timestamp"]) * 1000 - records[0].time) < 5_000
    assert event["type"] == "run.finished"
    data = event["data"]
    assert (data["run"], data["status"], data["answer"], data["withheld"]) == (run, "done", "42 [of them]", False)
    assert data["started"] <= data["ended"] == event["timestamp"]
    assert told.end["status"] == "done"
    egress = [record.view["egress"] for record in records if "egress" in record.view]
    assert [line["state"] for line in egress] == ["open", "done"]
    assert egress[-1]["sent"] >= len(body)
    assert egress[-1]["path"] == ""
    assert "t0k3n" not in json.dumps([record.view for record in records])
    assert records[0].view["push"] == {
        "webhook": "ops",
        "type": "run.finished",
        "run": run,
        "id": headers["webhook-id"],
    }
    assert "user:alice" in records[0].view["subjects"]
    assert [one["id"] for one in listed] == [run]  # an attempt is nobody's run


@pytest.mark.parametrize("audience", ["", ", audience: ['user:bob']", ", audience: ['user:alice', 'user:bob']"])
async def test_an_answer_goes_along_only_if_everybody_there_may_read_it(audience: str, tmp_path: Path) -> None:
    with hooked() as hook:
        async with served(tmp_path, [final("CANARY")], manifest=manifest(hook, audience)) as (client, _):
            run = await a_run(client, "CANARY of a question")
            (event,) = await got(hook, 1)
        assert b"CANARY" not in hook.got[0][1]
    assert event["data"]["run"] == run
    assert event["data"]["withheld"] is True


async def test_a_link_that_is_not_the_users_does_not_leave_in_an_answer_and_their_own_does(tmp_path: Path) -> None:
    link, more = "https://evil.example/?q=1", ", audience: ['user:alice']"
    steps = [final(f"see {link}"), final(f"see {link}")]
    with hooked() as hook:
        async with served(tmp_path, steps, manifest=manifest(hook, more)) as (client, _):
            await a_run(client)
            await got(hook, 1)
            await a_run(client, f"what about {link} ?")
            first, second = await got(hook, 2)
    assert first["data"]["withheld"]
    assert second["data"].get("answer") == f"see {link}"


async def test_what_fails_is_tried_again_under_the_same_id_until_it_is_taken(tmp_path: Path) -> None:
    with hooked() as hook:
        hook.answers = [500, 404, 503]
        hook.body = b"x" * 200_000  # more than is read
        async with served(tmp_path, manifest=manifest(hook)) as (client, web):
            await a_run(client)
            await got(hook, 4)
            await until(lambda: done(web))
            turns = await until(lambda: asyncio.to_thread(ended, web, 4))
    assert len(hook.got) == 4
    assert len({headers["webhook-id"] for headers, _ in hook.got}) == 1
    assert len({body for _, body in hook.got}) == 1
    assert all(signed(headers, body) for headers, body in hook.got)
    assert [turn.end["status"] for turn in turns] == ["failed", "failed", "failed", "done"]


def ended(web: Any, count: int) -> list[Any]:
    """The runs of so many attempts, once the end of each is durable, which is a moment after it was told."""
    turns = attempts(web)
    return turns if len(turns) == count and all(turn.state is State.DONE for turn in turns) else []


async def done(web: Any) -> bool:
    return await web.state.watch.push.pending() == 0


async def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    with hooked() as hook, hooked() as elsewhere:
        hook.answers, hook.location = [307, 302, 301, 308], elsewhere.url
        async with served(tmp_path, manifest=manifest(hook)) as (client, web):
            await a_run(client)
            await got(hook, 5)
            await until(lambda: done(web))
        assert elsewhere.got == []


async def test_what_is_never_taken_is_given_up_loudly_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with hooked() as hook:
        hook.answers = [500] * 10
        async with served(tmp_path, manifest=manifest(hook, ", attempts: 3")) as (client, web):
            run = await a_run(client)
            await got(hook, 3)
            await until(lambda: done(web))
            text = web.state.watch.metrics.text("")[0].decode()
        assert len(hook.got) == 3
    assert 'ringfence_webhook_given_up_total{webhook="ops"} 1.0' in text
    assert 'ringfence_webhook_attempts_total{result="failed",webhook="ops"} 3.0' in text
    loud = [line for line in caplog.records if line.levelname == "ERROR"]
    assert len(loud) == 1
    assert run in loud[0].getMessage()
    box = Outbox(tmp_path / ".ringfence" / "push.db")
    assert [one.lost for one in box.listed()] == ["it answers 500"]
    box.again(box.listed()[0], 0)
    assert (box.pending(), box.listed()[0].tries) == (1, 0)
    box.close()


async def test_a_receiver_that_is_gone_for_good_is_asked_once(tmp_path: Path) -> None:
    with hooked() as hook:
        hook.answers = [410]
        async with served(tmp_path, manifest=manifest(hook)) as (client, web):
            await a_run(client)
            await got(hook, 1)
            await until(lambda: done(web))
            text = web.state.watch.metrics.text("")[0].decode()
        assert len(hook.got) == 1
    assert 'ringfence_webhook_given_up_total{webhook="ops"} 1.0' in text


async def test_a_receiver_that_hangs_holds_up_no_run_and_another_webhook_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "TIMEOUT_S", 0.3)
    with hooked() as hook, hooked() as other:
        hook.hanging = True
        text = manifest(hook) + f'    - {{name: other, url: "{other.url}", secret: "${{HOOK_SECRET}}"}}\n'
        async with served(tmp_path, manifest=text) as (client, web):
            run = await a_run(client)
            found = (await client.get(f"/v1/runs/{run}", headers=AS_ALICE)).json()
            assert found["status"] == "done"
            assert len(await got(other, 1)) == 1
            await got(hook, 2)
            hook.hanging = False
            hook.free.set()
            await until(lambda: done(web))
        assert len(other.got) == 1
        assert "failed" in [turn.end.get("status") for turn in attempts_of(tmp_path)]


def attempts_of(folder: Path) -> list[Any]:
    from ringfence.app import record

    with record.open_log(load(folder / "ringfence.yaml")) as log:
        found = [fold(log.read(one.run)) for one in log.runs(100) if one.run.startswith("push-")]
        log.vault.close()
    return found


async def test_what_was_not_told_when_the_server_stopped_is_told_by_the_next_one_and_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "FIRST_S", 0.5)
    with hooked() as hook:
        hook.answers = [500]
        async with served(tmp_path, manifest=manifest(hook)) as (client, _):
            run = await a_run(client)
            await got(hook, 1)
        async with served(tmp_path, manifest=manifest(hook)) as (client, web):
            await got(hook, 2)
            await until(lambda: done(web))
        async with served(tmp_path, manifest=manifest(hook)) as (client, web):
            again = await a_run(client)
            await got(hook, 3)
            await until(lambda: done(web))
    assert [event["data"]["run"] for event in hook.events()] == [run, run, again]
    assert hook.got[0][0]["webhook-id"] == hook.got[1][0]["webhook-id"] != hook.got[2][0]["webhook-id"]


async def test_what_ended_while_no_webhook_looked_is_told_from_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a crash between the end of a run and the list: the list knows nothing, the journal all."""
    with hooked() as hook:
        async with served(tmp_path, manifest=manifest(hook)) as (client, web):
            web.state.service.observers.remove(web.state.watch.push._ring)
            monkeypatch.setattr(delivery, "EVERY_S", 3600.0)
            run = await a_run(client)
        assert hook.got == []
        async with served(tmp_path, manifest=manifest(hook)) as (_, web):
            (event,) = await got(hook, 1)
            await until(lambda: done(web))
    assert event["data"]["run"] == run


async def test_runs_from_before_there_was_a_webhook_are_no_news(tmp_path: Path) -> None:
    with hooked() as hook:
        async with served(tmp_path) as (client, _):
            await a_run(client)
        async with served(tmp_path, manifest=manifest(hook)) as (client, _):
            run = await a_run(client)
            (event,) = await got(hook, 1)
        assert event["data"]["run"] == run


async def test_an_attempt_that_was_cut_off_is_ended_and_made_again(tmp_path: Path) -> None:
    """As after kill -9 in the middle of one: its run is open, and the event is in nobody's hands."""
    with hooked() as hook:
        hook.hanging = True
        async with served(tmp_path, manifest=manifest(hook)) as (client, web):
            await a_run(client)
            await got(hook, 1)
            (turn,) = attempts(web)
            push = web.state.watch.push
            push._teller._end = lambda turn, status: None  # nothing more is recorded
            push._outbox.release = lambda ident, now: None
            push._outbox.later = lambda ident, at: None
        assert fold_state(tmp_path, turn.run) is not State.DONE
        hook.hanging = False
        hook.free.set()
        box = Outbox(tmp_path / ".ringfence" / "push.db")
        box._db.execute("UPDATE due SET at = 0").fetchall()  # the lease has run out
        box.close()
        async with served(tmp_path, manifest=manifest(hook)) as (_, web):
            await got(hook, 2)
            await until(lambda: done(web))
        assert fold_state(tmp_path, turn.run) is State.DONE
        assert hook.got[0][0]["webhook-id"] == hook.got[1][0]["webhook-id"]


def fold_state(folder: Path, run: str) -> State:
    return next(turn.state for turn in attempts_of(folder) if turn.run == run)


def test_two_processes_that_share_the_list_never_hold_the_same_event(tmp_path: Path) -> None:
    one, other = Outbox(tmp_path / "push.db"), Outbox(tmp_path / "push.db")
    one.place("log", 0)
    one.add("log", [Due(f"m{n}", "ops", "run.finished", "r", n) for n in range(20)], 20, 5)
    first, second = one.take("ops", 10, 12), other.take("ops", 10, 12)
    assert len(first) == 12
    assert len(second) == 8
    assert not {due.id for due in first} & {due.id for due in second}
    assert one.take("ops", 11, 12) == []
    other.add("log", [Due("m0", "ops", "run.finished", "r", 0)], 3, 5)  # read once more: no second event, no way back
    assert other.place("log", 99) == 20
    one.close()
    other.close()
    assert (tmp_path / "push.db").stat().st_mode & 0o077 == 0


async def test_a_question_is_told_while_it_waits_and_what_it_asks_only_to_who_may_read_it(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    call = step("files.write", path="notes/new.txt", text="CANARY")
    tools = "[{name: files, type: builtin, permissions: [read, write], target_paths: [./notes]}]"
    with hooked() as hook, hooked() as strangers:
        text = manifest(hook, ", audience: ['user:alice']", tools)
        text += f'    - {{name: strangers, url: "{strangers.url}", secret: "${{HOOK_SECRET}}"}}\n'
        async with served(tmp_path, [call, final("done")], manifest=text) as (client, web):
            await a_run(client, "write down what you find")
            (event,) = await got(hook, 1)
            (bare,) = await got(strangers, 1)
            await until(lambda: done(web))
    assert (event["type"], event["data"]["status"]) == ("approval.needed", "waiting")
    assert event["data"]["question"]["tool"] == "files.write"
    assert event["data"]["question"]["args"]["text"] == "CANARY"
    assert bare["data"]["withheld"] is True
    assert "CANARY" not in json.dumps(bare)


async def test_a_webhook_without_its_secret_stops_the_start_with_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOK_SECRET")
    with hooked() as hook:
        with pytest.raises(ManifestError, match="HOOK_SECRET"):
            async with served(tmp_path, manifest=manifest(hook)):
                pass
        assert hook.got == []


def test_the_wait_grows_and_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_S", 5.0)
    waits = [delivery.back_off(n) for n in range(1, 20)]
    assert 2.5 <= waits[0] <= 5
    assert 7.5 <= waits[1] <= 15
    assert all(wait <= delivery.LONGEST_S for wait in waits)
