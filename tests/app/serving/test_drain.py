"""A server that stops: what waits and what has just begun goes on in the next one, and nobody is told otherwise."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from .kit import ALICE, BOB, Patient, serving, until


async def test_a_run_that_was_moved_while_it_waited_is_no_failure_at_drain_and_goes_on_in_the_next_process(
    tmp_path: Path,
) -> None:
    model = Patient()
    async with serving(tmp_path, model, limits="{running: 1}") as service:
        works, waits = await service.submit(ALICE, "works"), await service.submit(BOB, "waits")
        await until(lambda: model.asked == [works])
        job = service.jobs[waits]
        await job.move(service.agent.acting_for(BOB))  # as a reload does
        await service.close(0.0)
        assert job.result is None
        assert {one.run: one.state for one in service.log.runs()} == {works: "open", waits: "open"}
    again = Patient()
    again.let(5)
    async with serving(tmp_path, again) as service:
        await until(lambda: not service.log.unfinished())
        assert (await service.result(BOB, waits)).status == "done"
    assert sorted(again.asked) == sorted([works, waits])


@pytest.mark.parametrize("queued", [True, False])
async def test_a_run_that_is_being_put_on_record_at_drain_is_begun_to_its_client_and_goes_on_in_the_next_process(
    tmp_path: Path, queued: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, durable = Patient(), asyncio.Event()
    async with serving(tmp_path, model, limits="{running: 1}") as service:
        if queued:
            await service.submit(BOB, "works")
            await until(lambda: model.asked)
        flush = service.agent.journal.flush

        async def slow(**how: bool) -> None:  # a disk that takes its time
            await durable.wait()
            await flush(**how)

        monkeypatch.setattr(service.agent.journal, "flush", slow)
        begun = asyncio.create_task(service.submit(ALICE, "paid for once"))
        await until(lambda: any(job.opening for job in service.jobs.values()))
        closing = asyncio.create_task(service.close(0.0))
        await until(lambda: service.status().closing)
        asyncio.get_running_loop().call_later(0.1, durable.set)
        run = await begun
        await closing
        assert {one.run: one.state for one in service.log.runs()}[run] == "open"
    again = Patient()
    again.let(5)
    async with serving(tmp_path, again) as service:
        await until(lambda: not service.log.unfinished())
        assert (await service.result(ALICE, run)).status == "done"
    assert again.asked.count(run) == 1
