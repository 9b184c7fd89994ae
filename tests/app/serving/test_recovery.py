"""Runs that nobody drives, and runs that another process drives: taken up, or followed, and never driven by two."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.app.serving.asking import Asking
from ringfence.app.serving.service import NotFound, Service
from ringfence.core.chain import Kind, Record
from ringfence.core.values import Principal
from ringfence.engine.planner import PREFIX as PLAN
from ringfence.stores.hold import Held

from .kit import ALICE, BOB, Patient, agent_in, followed, serving, until

PLANNED = "grant: {planned: true}"
ASKS = '{"thought": "note it", "calls": [{"tool": "note", "args": {"text": "hello"}}]}'


def ended(service: Service, run: str) -> bool:
    return all(one.run != run for one in service.log.unfinished())


async def test_an_interrupted_run_of_a_terminal_is_left_to_whoever_interrupted_it(tmp_path: Path) -> None:
    model = Patient()
    async with agent_in(tmp_path, model) as agent:
        job = asyncio.create_task(agent.run("stopped with Ctrl-C"))
        await until(lambda: model.asked)
        job.cancel()
        await asyncio.wait([job])
        await agent.journal.flush()
        (run,) = [one.run for one in agent.journal.log.unfinished()]
    model = Patient()
    async with serving(tmp_path, model) as service:
        served = await service.submit(ALICE, "another")
        await until(lambda: model.asked == [served])
        await asyncio.sleep(1.2)  # a round of looking for runs
        assert model.asked == [served]
        assert not ended(service, run)


async def test_a_run_whose_process_was_killed_is_taken_up_by_another_within_seconds(tmp_path: Path) -> None:
    model = Patient()
    model.let(5)
    async with serving(tmp_path, model) as service:
        child = await asyncio.to_thread(_killed_at_work, tmp_path)
        (run,) = [one.run for one in service.log.unfinished()]
        assert child == run
        await until(lambda: ended(service, run))
        assert model.asked == [run]
        owner = service.log.read(run)[0].body["principal"]["subject"]
        assert (await service.result(Principal(owner), run)).status == "done"


_CHILD = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.app.serving.kit import Patient, agent_in

async def main():
    model = Patient()
    async with agent_in(Path(sys.argv[1]), model) as agent:
        job = asyncio.create_task(agent.run("killed at work"))
        while not model.asked:
            await asyncio.sleep(0.01)
        await agent.journal.flush()
        print(model.asked[0], flush=True)
        await job

asyncio.run(main())
"""


def _killed_at_work(folder: Path) -> str:
    """A process that drives a run, killed in the middle of it; the run."""
    root = str(Path(__file__).parents[3])
    child = subprocess.Popen([sys.executable, "-c", _CHILD, str(folder), root], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    run = child.stdout.readline().strip()
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    return run


async def test_a_run_that_another_process_drives_is_followed_and_never_driven_twice(tmp_path: Path) -> None:
    theirs, ours = Patient(), Patient()
    ours.let(5)
    async with serving(tmp_path, theirs) as first, serving(tmp_path, ours) as second:
        run = await first.submit(ALICE, "driven by the first")
        await until(lambda: theirs.asked)
        followers = [asyncio.create_task(followed(second, ALICE, run)) for _ in range(3)]
        await asyncio.sleep(0.3)
        assert await second.resume(ALICE, run) == run  # it goes on where it is
        with pytest.raises(Held):
            await second.cancel(ALICE, run)
        theirs.let()
        for follower in followers:
            items = await asyncio.wait_for(follower, 60)
            assert [item.seq for item in items if isinstance(item, Record)] == list(range(len(items)))
            assert items[-1].kind is Kind.FINISHED
        assert ours.asked == []
        assert (await second.result(ALICE, run)).status == "done"
        with pytest.raises(NotFound):
            await followed(second, BOB, run)


async def test_what_one_process_puts_aside_another_takes_up_and_its_followers_go_on(tmp_path: Path) -> None:
    theirs, ours = Patient(), Patient()
    async with serving(tmp_path, ours) as second:
        async with serving(tmp_path, theirs) as first:
            run = await first.submit(ALICE, "moved from one to the other")
            await until(lambda: theirs.asked)
            follower = asyncio.create_task(followed(second, ALICE, run))
            await asyncio.sleep(0.3)
        ours.let(5)
        items = await asyncio.wait_for(follower, 60)
        records = [item for item in items if isinstance(item, Record)]
        assert [record.seq for record in records] == list(range(len(records)))
        assert records[-1].kind is Kind.FINISHED
        assert ours.asked == [run]


async def test_a_run_that_was_answered_elsewhere_goes_on_here(tmp_path: Path) -> None:
    model = Patient()
    async with serving(tmp_path, model) as service:
        run = await _asked(service, model)
        async with agent_in(tmp_path, Patient()) as terminal:
            question = terminal.acting_for(ALICE).asks(run)
            await terminal.acting_for(ALICE).answer(run, True, digest=question.digest)
        model.let(3)
        await until(lambda: ended(service, run))
        assert (tmp_path / "notes.txt").read_text() == "hello\n"
        assert (await service.result(ALICE, run)).status == "done"


async def test_a_run_that_waits_for_a_person_waits_on_after_a_restart(tmp_path: Path) -> None:
    model = Patient()
    async with serving(tmp_path, model) as service:
        run = await _asked(service, model)
    again = Patient()
    async with serving(tmp_path, again) as service:
        await asyncio.sleep(1.2)  # a round of looking for runs
        assert again.asked == []
        assert (await service.result(ALICE, run)).status == "waiting"
        question = service.agent.asks(run)
        assert await Asking(service, service._reading).waiting(BOB) == []
        with pytest.raises(NotFound):
            await service.answer(BOB, run, True, digest=question.digest)
        again.let(3)
        await service.answer(ALICE, run, True, digest=question.digest)
        assert (await service.result(ALICE, run)).status == "done"


async def test_an_answer_counts_though_there_is_no_room_to_go_on_and_the_run_goes_on_later(tmp_path: Path) -> None:
    model = Patient()
    limits = "{running: 1, running_each: 1, queued: 0, queued_each: 0}"
    async with serving(tmp_path, model, limits=limits) as service:
        run = await _asked(service, model)
        question = service.agent.asks(run)
        other = await service.submit(BOB, "takes the only slot")
        await service.answer(ALICE, run, True, digest=question.digest)
        assert service.log.read(run)[-1].kind is Kind.APPROVAL
        model.let(5)
        await service.result(BOB, other)
        await until(lambda: ended(service, run))
        assert (tmp_path / "notes.txt").read_text() == "hello\n"


async def test_more_runs_than_there_is_room_for_are_taken_up_one_after_another(tmp_path: Path) -> None:
    model = Patient()
    async with serving(tmp_path, model, limits="{running: 8}") as service:
        runs = [await service.submit(ALICE, f"task {n}") for n in range(12)]
    again = Patient()
    again.let(20)
    limits = "{running: 2, running_each: 1, queued: 2, queued_each: 2}"
    async with serving(tmp_path, again, limits=limits) as service:
        await until(lambda: not service.log.unfinished())
        assert again.most == 1
        assert sorted(again.asked) == sorted(runs)
        assert service.status().refused == 0


async def test_a_run_that_plans_for_another_is_never_taken_up(tmp_path: Path) -> None:
    model = Patient()
    async with serving(tmp_path, model, more=PLANNED) as service:
        begun = asyncio.create_task(service.submit(ALICE, "note hello"))
        await until(lambda: model.asked)
        await service.agent.journal.flush()
        assert model.asked[0].startswith(PLAN)
        begun.cancel()
    again = Patient()
    again.let(5)
    async with serving(tmp_path, again, more=PLANNED) as service:
        await asyncio.sleep(1.2)  # a round of looking for runs
        assert again.asked == []


async def _asked(service: Service, model: Patient) -> str:
    """A run of alice's that waits for her yes."""
    model.say(ASKS)
    run = await service.submit(ALICE, "note hello")
    model.let()
    await service.result(ALICE, run)
    assert (await service.result(ALICE, run)).status == "waiting"
    return run
