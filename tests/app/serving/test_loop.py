"""A run of very many records keeps nobody else waiting: it is read and folded beside the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ringfence.app.serving.service import Service
from ringfence.core.chain import Kind
from ringfence.engine import branch

from .kit import ALICE, Patient, serving, until

RECORDS = 20_000
ASKS = '{"thought": "keep", "calls": [{"tool": "note", "args": {"text": "hello"}}]}'


class Busy:
    """How long the loop's thread was at work, at most, before it had a turn for others: seconds of CPU, not of a clock.

    What other threads and processes do in the meantime does not count, so a machine under load is no fault of ours.
    """

    def __init__(self) -> None:
        self.most = 0.0

    async def watch(self) -> None:
        """Until it is cancelled."""
        while True:
            began = time.thread_time()
            await asyncio.sleep(0.001)
            self.most = max(self.most, time.thread_time() - began)


@asynccontextmanager
async def watched() -> AsyncIterator[Busy]:
    """The loop, watched."""
    busy = Busy()
    task = asyncio.create_task(busy.watch())
    try:
        yield busy
    finally:
        task.cancel()


async def long_run(service: Service, model: Patient) -> str:
    """A run of alice's with very many records that waits for her yes."""
    model.say(ASKS)
    run = await service.submit(ALICE, "note hello")
    await until(lambda: model.asked)
    turn, gate = service.agent.house.read_more.live[run], service.agent._policed()
    for n in range(RECORDS):  # what a long run has many of: marks, here while the model thinks
        gate.record(turn, Kind.CHECKPOINT, label=turn.label, view={"steps": 0, "usage": {}}, body={})
        if n % 256 == 0:
            await asyncio.sleep(0.001)
    await service.agent.journal.flush()
    model.let()
    assert (await service.result(ALICE, run)).status == "waiting"
    return run


async def test_a_run_of_very_many_records_is_answered_resumed_and_forked_beside_the_loop(tmp_path: Path) -> None:
    model = Patient()
    async with serving(tmp_path, model) as service:
        run = await long_run(service, model)
        began = time.thread_time()
        turn = service.agent.turn(run)
        alone = time.thread_time() - began  # what it would keep others waiting for
        assert turn.next_seq > RECORDS
        assert turn.question is not None
        seen = {}
        async with watched() as busy:
            await service.answer(ALICE, run, True, digest=turn.question.body["digest"])
            seen["answer"], busy.most = busy.most, 0.0
            model.let(3)
            assert (await service.result(ALICE, run)).status == "done"
            seen["resume"], busy.most = busy.most, 0.0
            service._over.clear()
            assert (await service.result(ALICE, run)).status == "done"
            seen["result"] = busy.most
            at = max(branch.forkable(service.log.read(run)))
            await asyncio.sleep(0.001)
            busy.most = 0.0
            fork = await service.fork(ALICE, run, at=at)
            seen["fork"], busy.most = busy.most, 0.0
            model.let(3)
            await service.result(ALICE, fork)
            seen["forked"] = busy.most
        assert max(seen.values()) < alone / 4, (alone, seen)
