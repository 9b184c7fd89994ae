"""`kill -9` of a server under load: all runs go on, none repeats an effect, no client misses an event."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import aiohttp

from ringfence.app.record import open_log
from ringfence.app.serving.shown import place
from ringfence.manifest.loader import load
from ringfence.testing.server import running

from .served import STEPS, Client, House, all_words, lay_out, noted, script

RUNS = int(os.environ.get("RINGFENCE_SERVED_RUNS", "20"))  # 100 in the full battery
KILLS = int(os.environ.get("RINGFENCE_SERVED_KILLS", "3"))
DELAY_MS = 250  # of an answer: a busy machine may look at what was noted half a second late
SEED = int(os.environ.get("RINGFENCE_SEED", "7"))


async def _until(so: Callable[[], bool], task: asyncio.Future[object], within_s: float = 90.0) -> None:
    async with asyncio.timeout(within_s):
        while not so():
            assert not task.done() or task.exception() is None, task.exception()
            await asyncio.sleep(0.02)


async def _battery(folder: Path, key: str) -> list[Client]:
    """Clients at work while the server is killed in the middle of it; each time a little later."""
    house, dice = House(folder), random.Random(SEED)
    clients = [Client(number, house, key) for number in range(RUNS)]
    await asyncio.to_thread(house.start)
    try:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60)
        async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
            work = asyncio.gather(*(client.work(session) for client in clients))
            total = RUNS * len(STEPS)
            for kill in range(KILLS):
                enough = total * (kill + 1) // (KILLS + 2)
                await _until(lambda enough=enough: len(noted(folder)) >= enough, work)  # type: ignore[misc]
                await asyncio.sleep(dice.uniform(0, 0.1))
                await asyncio.to_thread(house.end)
                assert len(noted(folder)) < total, "everything was over before the kill"
                await asyncio.to_thread(house.start)
            async with asyncio.timeout(180):
                await work
        return clients
    finally:
        if house.process is not None:
            await asyncio.to_thread(house.end)


def test_a_server_that_is_killed_under_load_goes_on_with_every_run(tmp_path: Path) -> None:
    with running(script(RUNS), delay_ms=DELAY_MS) as url:  # type: ignore[arg-type]
        key = lay_out(tmp_path, url)
        clients = asyncio.run(_battery(tmp_path, key))
    manifest = load(tmp_path / "ringfence.yaml")
    assert Counter(client.status for client in clients) == {"done": RUNS}
    assert sorted(noted(tmp_path)) == all_words(range(RUNS)), "an effect was repeated, or is missing"
    assert len({client.run for client in clients}) == RUNS
    with open_log(manifest) as log:
        assert log.verify().problem == ""
        runs = {one.run for one in log.runs(10_000) if one.task.startswith("note ")}
        assert runs == {client.run for client in clients}, "a request that was sent again began a second run"
        for client in clients:
            assert client.ids == [place(record) for record in log.read(client.run)], (
                "an event was missed, or came twice"
            )
