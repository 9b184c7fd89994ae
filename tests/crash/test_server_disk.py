"""A server whose disk is full: it says so, begins nothing that it could not keep, and goes on when there is room."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path

import aiohttp

from ringfence.app.record import open_log
from ringfence.manifest.loader import load
from ringfence.testing.server import running

from .served import Client, House, all_words, lay_out, noted, script


def _room(house: House, size: int) -> None:
    """Let no file of the server grow beyond this: for SQLite that is a write which fails, as on a full disk."""
    assert house.process is not None
    _, hard = resource.prlimit(house.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(house.process.pid, resource.RLIMIT_FSIZE, (size, hard))


async def _until(session: aiohttp.ClientSession, url: str, status: int) -> None:
    async with asyncio.timeout(40):
        while True:
            async with session.get(url) as answer:
                if answer.status == status:
                    return
            await asyncio.sleep(0.1)


async def _work(folder: Path, key: str) -> tuple[list[Client], list[tuple[int, str]]]:
    house = House(folder)
    before, refused = Client(0, house, key), list[tuple[int, str]]()
    await asyncio.to_thread(house.start)
    base, headers = f"http://127.0.0.1:{house.port}", {"Authorization": f"Bearer {key}"}
    try:
        async with aiohttp.ClientSession() as session:
            task = asyncio.ensure_future(before.work(session))
            async with asyncio.timeout(30):
                while not noted(folder):  # noqa: ASYNC110 (another process writes it)
                    await asyncio.sleep(0.02)
            _room(house, 0)
            await _until(session, base + "/readyz", 503)
            for _ in range(3):
                async with session.post(f"{base}/v1/runs", json={"task": "note 001 down"}, headers=headers) as answer:
                    refused.append((answer.status, answer.headers.get("Retry-After", "")))
                    assert str(folder) not in await answer.text()
            _room(house, resource.RLIM_INFINITY)
            await _until(session, base + "/readyz", 200)
            after = Client(2, house, key)
            async with asyncio.timeout(60):
                await asyncio.gather(task, after.work(session))
        return [before, after], refused
    finally:
        await asyncio.to_thread(house.end)


def test_a_full_disk_stops_what_cannot_be_kept_and_nothing_else(tmp_path: Path) -> None:
    with running(script(3), delay_ms=400) as url:  # type: ignore[arg-type]
        clients, refused = asyncio.run(_work(tmp_path, lay_out(tmp_path, url)))
    assert {status for status, _ in refused} <= {507, 503}, refused
    assert all(after for _, after in refused), "nobody is told when to come back"
    assert {one.status for one in clients} == {"done"}
    assert sorted(noted(tmp_path)) == all_words([0, 2])
    with open_log(load(tmp_path / "ringfence.yaml")) as log:
        assert log.verify().problem == ""
        assert not [one for one in log.runs() if one.task == "note 001 down"], "a run that was refused is half there"
        assert any(one.task == "the journal takes records again" for one in log.runs())
