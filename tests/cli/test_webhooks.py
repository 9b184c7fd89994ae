"""`ringfence webhooks`: what a server told, what waits and what it gave up; and telling it again, while it runs too."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.channels.push import delivery

from ..channels.hooks import SECRET, Hook, hooked, signed
from ..channels.kit import served
from .conftest import Shell


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_S", 0.01)
    monkeypatch.setattr(delivery, "POLL_S", 0.05)
    monkeypatch.setenv("HOOK_SECRET", SECRET)


def manifest(*hooks: Hook) -> str:
    lines = "".join(
        f'    - {{name: hook{n}, url: "{hook.url}", secret: "${{HOOK_SECRET}}", attempts: 2}}\n'
        for n, hook in enumerate(hooks)
    )
    return f"""runtime: {{name: kit}}
inference: {{provider: openai, model: scripted, endpoint: "http://127.0.0.1:1/v1"}}
tools: []
server:
  webhooks:
{lines}"""


async def a_run(client: Any) -> str:
    headers = {"Authorization": "Bearer alice"}
    run: str = (await client.post("/v1/runs", json={"task": "six times seven"}, headers=headers)).json()["id"]
    await client.get(f"/v1/runs/{run}/events", headers=headers)
    return run


async def listed(ringfence: Shell, *more: str) -> list[dict[str, Any]]:
    out = await asyncio.to_thread(ringfence, "webhooks", "list", "--json", *more)
    assert out.code == 0, out.err
    return [json.loads(line) for line in out.out.splitlines()]


async def settled(ringfence: Shell, count: int, *more: str) -> list[dict[str, Any]]:
    """What is listed, once nothing waits and so many events are there."""
    async with asyncio.timeout(60):
        while True:
            found = await listed(ringfence, *more)
            if len(found) == count and not [one for one in found if one["state"] == "waiting"]:
                return found
            await asyncio.sleep(0.05)


async def test_what_was_sent_and_what_was_given_up_is_listed_and_told_again_by_the_server_that_runs(
    folder: Path, ringfence: Shell
) -> None:
    with hooked() as good, hooked() as bad:
        bad.answers = [500, 503]
        async with served(folder, manifest=manifest(good, bad)) as (client, _):
            run = await a_run(client)
            lost, sent = await settled(ringfence, 2)
            assert (lost["hook"], lost["state"], lost["tries"]) == ("hook1", "given-up", 2)
            assert "it answers 503" in lost["why"]
            assert (sent["hook"], sent["state"], sent["run"], sent["type"]) == ("hook0", "sent", run, "run.finished")
            assert sent["id"] == good.got[0][0]["webhook-id"]
            text = await asyncio.to_thread(ringfence, "webhooks", "list")
            assert "hook1" in text.err
            assert "0 waiting, 1 given up" in text.err
            assert "t0k3n" not in text.out + text.err, "a path may be a secret"
            again = await asyncio.to_thread(ringfence, "webhooks", "retry")
            assert lost["id"] in again.out
            assert sent["id"] not in again.out, "what was taken is told again only if it is named"
            await asyncio.to_thread(bad.wait, 3)
            assert {one["state"] for one in await settled(ringfence, 2)} == {"sent"}
            assert (await asyncio.to_thread(ringfence, "webhooks", "retry", sent["id"])).code == 0
            await asyncio.to_thread(good.wait, 2)
            await settled(ringfence, 3)
    first, second = good.got
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    assert first[1] == second[1]
    assert signed(*second)
    assert len(bad.got) == 3


async def test_what_waits_is_shown_with_what_its_last_attempt_met_and_is_told_at_once_when_asked(
    folder: Path, ringfence: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "FIRST_S", 3600.0)
    with hooked() as hook:
        hook.answers = [500]
        async with served(folder, manifest=manifest(hook)) as (client, _):
            run = await a_run(client)
            async with asyncio.timeout(60):
                while [one["tries"] for one in (await listed(ringfence))] != [1]:  # noqa: ASYNC110  it is said in files
                    await asyncio.sleep(0.05)
            (waits,) = await listed(ringfence)
            assert (waits["state"], waits["run"], waits["why"]) == ("waiting", run, "it answers 500")
            shown = await asyncio.to_thread(ringfence, "webhooks", "list", "--webhook", "hook0")
            assert "after 1 attempt: it answers 500" in shown.out
            assert (await asyncio.to_thread(ringfence, "webhooks", "retry", waits["id"])).code == 0
            await asyncio.to_thread(hook.wait, 2)
            assert [one["state"] for one in await settled(ringfence, 1)] == ["sent"]


def test_without_a_server_nothing_is_listed_and_nothing_can_be_told_again(folder: Path, ringfence: Shell) -> None:
    with hooked() as hook:
        (folder / "ringfence.yaml").write_text(manifest(hook))
    none = ringfence("webhooks", "list")
    assert (none.code, none.out) == (0, "")
    assert "hook0" in none.err
    assert not (folder / ".ringfence/push.db").exists(), "to look makes nothing"
    assert ringfence("webhooks", "retry", "msg_none").code == 2
    assert ringfence("webhooks", "list", "--webhook", "other").code == 2
