"""`kill -9` of the model server while it speaks: runs ask again or end in words, and the server says how it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from ringfence import app
from ringfence.app.accounts import Desk, ensure_operator, operator_name
from ringfence.app.record import open_log
from ringfence.manifest.loader import load
from ringfence.manifest.types import Manifest

from .served import House, events
from .stalling import Model, model

T = TypeVar("T")
MANIFEST = """\
runtime: {{name: bereft}}
inference: {{provider: llamacpp, model: scripted, endpoint: "{url}", retries: {retries}, timeout_s: 60,
            max_context: 32768}}
tools: []
server: {{limits: {{requests: 100000/minute, requests_each_address: 100000/minute, drain_s: 5}}}}
"""
ANSWER = "It is forty-two, and that is all that there is to say about it."
FINAL = json.dumps({"thought": "easy", "final_answer": {"answer": ANSWER, "artifacts": [], "confidence": "high"}})


class Client:
    """Somebody with a key for everything."""

    def __init__(self, session: aiohttp.ClientSession, house: House, key: str) -> None:
        self._session = session
        self._house = house
        self._headers = {"Authorization": f"Bearer {key}"}

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._house.port}{path}"

    async def begin(self) -> str:
        task = {"task": "what is six times seven?"}
        async with self._session.post(self._url("/v1/runs"), json=task, headers=self._headers) as answer:
            assert answer.status == 202, await answer.text()
            return str((await answer.json())["id"])

    async def get(self, path: str) -> tuple[int, Any]:
        async with self._session.get(self._url(path), headers=self._headers) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if answer.content_type.endswith("json") else text

    async def follow(self, run: str) -> AsyncIterator[tuple[str, Any]]:
        """Name and data of each event."""
        async with self._session.get(self._url(f"/v1/runs/{run}/events"), headers=self._headers) as answer:
            assert answer.status == 200, await answer.text()
            async for name, _, data in events(answer.content):
                yield name, data

    async def ready(self) -> tuple[int, dict[str, str]]:
        """Status of `/readyz`, and why what is not well."""
        status, said = await self.get("/readyz")
        return status, {check["name"]: check["why"] for check in said["checks"] if not check["ok"]}

    async def up(self) -> str:
        """What the metrics say of the model: the value of its gauge."""
        _, text = await self.get("/metrics")
        (line,) = [line for line in text.splitlines() if line.startswith("ringfence_tier_up{")]
        return str(line.split()[-1])


@asynccontextmanager
async def house(folder: Path, url: str, retries: int) -> AsyncIterator[Client]:
    """A server's process over a model's."""
    (folder / "ringfence.yaml").write_text(MANIFEST.format(url=url, retries=retries))
    key = await asyncio.to_thread(_key, load(folder / "ringfence.yaml"))
    served = House(folder)
    await asyncio.to_thread(served.start)
    try:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=20, sock_read=120)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            yield Client(session, served, key)
    finally:
        await asyncio.to_thread(served.end, 15)


def _key(manifest: Manifest) -> str:
    ensure_operator(manifest)
    scopes = ["runs", "admin", "metrics"]
    return Desk(manifest, app.operator(manifest)).add_key(operator_name(manifest), scopes, purpose="t", days=None)[0]


async def heard(client: Client, run: str, killed: Model, *, back: bool) -> list[tuple[str, Any]]:
    """All events of a run whose model is killed as soon as somebody has heard it say something; `back`: and returns."""
    found: list[tuple[str, Any]] = []
    async with asyncio.timeout(120):
        async for name, data in client.follow(run):
            found.append((name, data))
            if name == "delta" and killed.stalls:
                await asyncio.to_thread(killed.kill)
                if back:
                    await asyncio.to_thread(killed.start)
    return found


def spoken(found: list[tuple[str, Any]]) -> list[str]:
    """The answer as whoever shows the events has it at the end of each request to the model: text is kept till then."""
    said, text = list[str](), ""
    for name, data in found:
        text += data["text"] if name == "delta" and data["field"] == "answer" else ""
        if name == "outcome" and "tool" not in data and text:
            said, text = [*said, text], ""
    return said


async def test_a_run_whose_model_server_is_killed_in_the_middle_of_an_answer_asks_it_again_when_it_is_back(
    tmp_path: Path,
) -> None:
    with model(tmp_path, [FINAL], stalls=True) as said:
        async with house(tmp_path, said.url, 10) as client:
            run = await client.begin()
            found = await heard(client, run, said, back=True)
            assert found[-1] == ("end", {"run": run, "status": "done"})
            fault, answered, _ = [data for name, data in found if name == "outcome"]
            assert (fault["ok"], answered["ok"]) == (False, True)
            assert "cut the connection before its answer was whole" in fault["error"]
            first, *rest = spoken(found)
            assert ANSWER.startswith(first)
            assert len(first) < len(ANSWER), "it was killed after it had said it all"
            assert rest in ([ANSWER], []), "what was heard of the first answer is part of the second"
            _, told = await client.get(f"/v1/runs/{run}")
            assert (told["status"], told["answer"], told["usage"]["steps"]) == ("done", ANSWER, 1)
            assert await client.up() == "1.0"


async def test_while_it_is_gone_runs_end_in_words_and_the_server_says_so_and_takes_up_work_when_it_is_back(
    tmp_path: Path,
) -> None:
    with model(tmp_path, [FINAL], stalls=True) as said:
        async with house(tmp_path, said.url, 1) as client:
            assert await client.ready() == (200, {})
            run = await client.begin()
            found = await heard(client, run, said, back=False)
            assert found[-1] == ("end", {"run": run, "status": "failed"})
            _, told = await client.get(f"/v1/runs/{run}")
            assert told["status"] == "failed"
            assert told["summary"].startswith(f"no model server answers at {said.url}")
            assert "->" in told["summary"], "nobody says what to do next"
            assert [data["ok"] for name, data in found if name == "outcome"] == [False, False, True]
            assert await client.up() == "0.0"
            _, why = await until(client.ready, lambda found: found[0] == 503)
            assert (list(why), "nothing takes connections" in why["model"]) == (["model"], True)
            assert (await client.get("/livez"))[0] == 200
            assert (await client.get("/v1/runs"))[0] == 200
            await asyncio.to_thread(said.start)
            await until(client.ready, lambda found: found == (200, {}))
            again = await client.begin()
            found = await heard(client, again, said, back=False)
            assert found[-1] == ("end", {"run": again, "status": "done"})
            assert await client.up() == "1.0"
    with open_log(load(tmp_path / "ringfence.yaml")) as log:
        assert log.verify().problem == ""
        assert log.unfinished() == []


async def until(look: Callable[[], Awaitable[T]], so: Callable[[T], bool], within_s: float = 60.0) -> T:
    """What is seen, once it is so: health is looked at every few seconds."""
    async with asyncio.timeout(within_s):
        while not so(found := await look()):  # noqa: ASYNC110 - another process, which tells nobody
            await asyncio.sleep(0.2)
    return found
