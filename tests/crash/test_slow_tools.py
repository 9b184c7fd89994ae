"""Tools that take too long, many at once, and do not listen: others go on, cancel and stop do what they say."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from ringfence import app
from ringfence.app.accounts import Desk, ensure_operator, operator_name
from ringfence.app.record import open_log
from ringfence.manifest.loader import load
from ringfence.manifest.types import Manifest
from ringfence.stores.accounts.people import Person
from ringfence.testing.server import running
from ringfence.tools.hosted import AT_ONCE

from .served import House, events

MANIFEST = """\
runtime: {{name: slow}}
inference: {{provider: llamacpp, model: scripted, endpoint: "{url}", timeout_s: 60, max_context: 32768}}
tools:
  - {{name: stuck, type: python, function: "slow:stuck", target_paths: [./out], sandbox: {{wall_s: 300}}}}
  - {{name: late, type: python, function: "slow:late", target_paths: [./out], sandbox: {{wall_s: 3}}}}
  - {{name: pay, type: python, function: "slow:pay", target_paths: [./out], sandbox: {{wall_s: 60}}}}
grant: {{effects: [pay]}}
sandbox: unsafe-none
workflow: {{max_steps: 4, tool_first: false}}
server:
  limits: {{running: 32, running_each: 16, drain_s: 1, requests: 100000/minute, requests_each_address: 100000/minute}}
"""
TOOLS = '''\
import os, signal, time
from ringfence import tool

def _said(line):
    with open(os.environ["RINGFENCE_PATHS"] + "/said.txt", "a") as said:
        said.write(line + "\\n")

def _deaf():
    for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        try:
            signal.signal(one, signal.SIG_IGN)
        except ValueError:  # not in a main thread
            pass

@tool("read", name="stuck", roles={"what": "low"})
def stuck(what: str) -> str:
    """Look for something until it is let go, and listen to nobody."""
    _deaf()
    _said("stuck")
    while not os.path.exists(os.environ["RINGFENCE_PATHS"] + "/go"):
        time.sleep(0.1)
    return "found it"

@tool("read", name="late", roles={"what": "low"})
def late(what: str) -> str:
    """Look for something, for ever."""
    _deaf()
    _said("late")
    while True:
        time.sleep(1)

@tool("commit", name="pay", roles={"what": "low"}, audience=["self"])
def pay(what: str) -> str:
    """Pay, slowly."""
    _said("begun " + what)
    time.sleep(2)
    _said("paid " + what)
    return "paid"
'''


def say(tool: str, what: str) -> str:
    return json.dumps({"thought": "so", "calls": [{"tool": tool, "args": {"what": what}}]})


def end(answer: str) -> str:
    return json.dumps({"thought": "done", "final_answer": {"answer": answer, "artifacts": [], "confidence": "high"}})


SCRIPT = [
    {"when": "did not end within", "text": end("It took too long.")},
    {"when": "found it", "text": end("It is there.")},
    {"when": "look for it", "text": say("stuck", "it")},
    {"when": "look for ever", "text": say("late", "it")},
    {"when": "pay the bill", "text": say("pay", "the bill")},
    {"when": "quick", "text": end("At once.")},
]


@dataclass
class Who:
    """Somebody with a key."""

    session: aiohttp.ClientSession
    house: House
    key: str

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        url, headers = f"http://127.0.0.1:{self.house.port}{path}", {"Authorization": f"Bearer {self.key}"}
        async with self.session.request(method, url, headers=headers, **more) as answer:
            return answer.status, json.loads(await answer.text())

    async def begin(self, task: str) -> str:
        status, told = await self.ask("POST", "/v1/runs", json={"task": task})
        assert status == 202, told
        return str(told["id"])

    async def end(self, run: str) -> str:
        """How it ends."""
        url = f"http://127.0.0.1:{self.house.port}/v1/runs/{run}/events"
        headers = {"Authorization": f"Bearer {self.key}"}
        async with asyncio.timeout(120), self.session.get(url, headers=headers) as answer:
            async for name, _, data in events(answer.content):
                if name == "end":
                    return str(data["status"])
        raise AssertionError("its events have no end")

    async def status(self, run: str) -> str:
        return str((await self.ask("GET", f"/v1/runs/{run}"))[1]["status"])


@asynccontextmanager
async def serving(folder: Path, url: str) -> AsyncIterator[tuple[House, Who, Who]]:
    """A server's process, and two people of it."""
    (folder / "out").mkdir()
    (folder / "slow.py").write_text(TOOLS)
    (folder / "ringfence.yaml").write_text(MANIFEST.format(url=url))
    keys = await asyncio.to_thread(_keys, load(folder / "ringfence.yaml"))
    house = House(folder)
    await asyncio.to_thread(house.start)
    try:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=20, sock_read=120)
        async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
            one, other = (Who(session, house, key) for key in keys)
            yield house, one, other
    finally:
        if house.process is not None:
            await asyncio.to_thread(house.end)


def _keys(manifest: Manifest) -> list[str]:
    ensure_operator(manifest)
    desk = Desk(manifest, app.operator(manifest))
    desk.add(Person("bea"), "a long enough password of hers 7")
    names = (operator_name(manifest), "bea")
    return [desk.add_key(name, ["runs"], purpose="test", days=None)[0] for name in names]


async def until(so: Any, within_s: float = 60.0) -> None:
    async with asyncio.timeout(within_s):
        while not so():  # noqa: ASYNC110 - files of another process
            await asyncio.sleep(0.05)


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


async def test_tools_that_do_not_end_keep_nobody_else_waiting_and_stop_no_cancel_and_no_drain(tmp_path: Path) -> None:
    said = tmp_path / "out/said.txt"
    with running(SCRIPT) as url:  # type: ignore[arg-type]
        async with serving(tmp_path, url) as (house, one, other):
            stuck = [await one.begin(f"look for it, {n}") for n in range(AT_ONCE + 2)]
            await until(lambda: len(lines(said)) == AT_ONCE)  # the others wait for those
            quick = [await other.begin("quick") for _ in range(5)]
            assert [await other.end(run) for run in quick] == ["done"] * 5
            status, told = await one.ask("POST", f"/v1/runs/{stuck[0]}/cancel")
            assert (status, told["status"]) == (200, "cancelled")
            assert [await one.status(run) for run in stuck[1:]] == ["running"] * (AT_ONCE + 1)
            assert await asyncio.to_thread(house.end, signal.SIGTERM) == 0  # drain_s is 1, and the tool does not listen
            (tmp_path / "out/go").touch()
            await asyncio.to_thread(house.start)
            assert [await one.end(run) for run in stuck] == ["cancelled", *["done"] * (AT_ONCE + 1)]
    with open_log(load(tmp_path / "ringfence.yaml")) as log:
        assert log.verify().problem == ""
        assert log.unfinished() == []


async def test_a_call_that_takes_too_long_is_given_up_and_takes_down_no_other(tmp_path: Path) -> None:
    with running(SCRIPT) as url:  # type: ignore[arg-type]
        async with serving(tmp_path, url) as (_, one, other):
            late = [(who, await who.begin(f"look for ever, {n}")) for n in range(2) for who in (one, other)]
            assert await asyncio.gather(*(who.end(run) for who, run in late)) == ["done"] * 4
            for who, run in late:  # none was lost with another, and asked for again, or refused
                _, told = await who.ask("GET", f"/v1/runs/{run}")
                assert (told["answer"], [step["ok"] for step in told["steps"]]) == ("It took too long.", [False])
            assert lines(tmp_path / "out/said.txt") == ["late"] * 4


async def test_a_run_is_cancelled_behind_a_slow_effect_and_never_in_the_middle_of_it(tmp_path: Path) -> None:
    with running(SCRIPT) as url:  # type: ignore[arg-type]
        async with serving(tmp_path, url) as (_, one, other):
            run = await one.begin("pay the bill")
            await until(lambda: lines(tmp_path / "out/said.txt"))
            cancelled = asyncio.create_task(one.ask("POST", f"/v1/runs/{run}/cancel"))
            assert await other.end(await other.begin("quick")) == "done"
            status, told = await cancelled
            assert (status, told["status"], [step["ok"] for step in told["steps"]]) == (200, "cancelled", [True])
            assert lines(tmp_path / "out/said.txt") == ["begun the bill", "paid the bill"]
