"""The runs of many principals: limits, fairness, back-pressure, and what becomes of a run that is stopped."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ringfence.app.serving.feed import Delta
from ringfence.app.serving.service import Closing, Full, NotFound, Service
from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError
from ringfence.core.values import Action, Outcome
from ringfence.testing.scripted import ScriptedModel

from .kit import ALICE, ANSWER, AUDITOR, BOB, Patient, followed, serving, until


async def test_a_run_is_on_record_before_submit_returns_though_it_waits(tmp_path: Path) -> None:
    model = Patient()
    async with serving(tmp_path, model, limits="{running: 1}") as service:
        await service.submit(ALICE, "first")
        second = await service.submit(BOB, "second")
        (started,) = service.log.read(second)
        assert (started.kind, started.body["task"], started.principal) == (Kind.STARTED, "second", "user:bob")
        assert service.status().each == {"user:alice": (1, 0), "user:bob": (0, 1)}
        model.let(2)
        assert (await service.result(BOB, second)).status == "done"
        assert service.status().running == service.status().queued == 0


async def test_one_with_many_runs_does_not_starve_another(tmp_path: Path) -> None:
    model = Patient()
    async with serving(tmp_path, model, limits="{running: 1, running_each: 1}") as service:
        mine = [await service.submit(ALICE, f"task {n}") for n in range(20)]
        his = await service.submit(BOB, "the only one")
        model.let(21)
        for run in (*mine, his):
            await service.result(BOB if run == his else ALICE, run)
        assert model.asked.index(his) <= 2
        assert model.most == 1


async def test_no_principal_has_more_at_work_than_its_share(tmp_path: Path) -> None:
    model = Patient()
    async with serving(tmp_path, model, limits="{running: 6, running_each: 2}") as service:
        runs = [await service.submit(ALICE, f"task {n}") for n in range(8)]
        await until(lambda: model.at_once == 2)
        model.let(8)
        for run in runs:
            assert (await service.result(ALICE, run)).status == "done"
        assert model.most == 2


async def test_a_full_queue_refuses_and_records_nothing(tmp_path: Path) -> None:
    async with serving(
        tmp_path, Patient(), limits="{running: 1, running_each: 1, queued: 2, queued_each: 1}"
    ) as service:
        await service.submit(ALICE, "works")
        await service.submit(ALICE, "waits")
        with pytest.raises(Full) as full:
            await service.submit(ALICE, "too many")
        assert full.value.retry_after >= 1
        await service.submit(BOB, "waits too")
        with pytest.raises(Full):
            await service.submit(AUDITOR, "too many for all")
        assert len(service.log.runs()) == 3


async def test_a_run_cancelled_in_the_queue_ends_and_was_never_at_work(tmp_path: Path) -> None:
    model = Patient()
    async with serving(tmp_path, model, limits="{running: 1}") as service:
        await service.submit(ALICE, "works")
        run = await service.submit(BOB, "waits")
        told = asyncio.create_task(followed(service, BOB, run))
        await asyncio.sleep(0.05)
        assert (await service.cancel(BOB, run)).status == "cancelled"
        assert [item.kind for item in await told] == [Kind.STARTED, Kind.FINISHED]
        assert (await service.result(BOB, run)).status == "cancelled"
        assert run not in model.asked
        assert service.status().queued == 0


async def test_a_run_cancelled_at_work_frees_its_slot(tmp_path: Path) -> None:
    model = Patient()
    async with serving(tmp_path, model, limits="{running: 1, running_each: 1}") as service:
        run = await service.submit(ALICE, "works")
        next_one = await service.submit(ALICE, "waits")
        await until(lambda: run in model.asked)
        assert (await service.cancel(ALICE, run)).summary == "cancelled by user:alice"
        model.let()
        assert (await service.result(ALICE, next_one)).status == "done"
        with pytest.raises(NotFound):
            await service.cancel(BOB, next_one)


async def test_a_run_that_works_too_long_ends_and_says_why(tmp_path: Path) -> None:
    async with serving(tmp_path, Patient(), limits="{run_s: 0.2}") as service:
        run = await service.submit(ALICE, "never answered")
        result = await service.result(ALICE, run)
        assert result.status == "failed"
        assert "0.2 s at work" in result.summary
        assert "run_s" in result.summary
        assert service.log.read(run)[-1].kind is Kind.FINISHED


async def test_time_in_the_queue_is_no_time_at_work(tmp_path: Path) -> None:
    model = Patient()
    async with serving(tmp_path, model, limits="{running: 1, running_each: 1, run_s: 0.4}") as service:
        first, second = await service.submit(ALICE, "first"), await service.submit(ALICE, "second")
        assert (await service.result(ALICE, first)).status == "failed"  # used its 0.4 s up, while the second waited
        model.let()
        assert (await service.result(ALICE, second)).status == "done"


async def test_a_fault_of_ours_ends_the_run_in_words_and_frees_its_slot(tmp_path: Path) -> None:
    class Broken:
        async def perform(self, action: Action) -> Outcome:
            raise RuntimeError("a bug with /secret/path in it")

    async with serving(tmp_path, Broken()) as service:
        run = await service.submit(ALICE, "meets a bug")
        result = await service.result(ALICE, run)
        assert result.status == "failed"
        assert (await followed(service, ALICE, run))[-1].kind is Kind.FINISHED
        assert service.status().running == 0


async def test_a_second_run_of_the_same_id_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    model = Patient()
    async with serving(tmp_path, model) as service:
        run = await service.submit(ALICE, "once")
        with pytest.raises(JournalError, match="under way"):
            await service.submit(ALICE, "the same id again", run=run)
        model.let()
        assert (await service.result(ALICE, run)).status == "done"
        assert service.status().running == 0


async def test_who_goes_away_before_the_run_is_on_record_takes_it_along(tmp_path: Path) -> None:
    model = Patient()
    more = "grant: {planned: true}"
    async with serving(tmp_path, model, limits="{running: 1, running_each: 1}", more=more) as service:
        begun = asyncio.create_task(service.submit(ALICE, "first"))
        waits = asyncio.create_task(service.submit(BOB, "planned in a slot, or not at all"))
        await until(lambda: service.status().queued == 1)
        waits.cancel()
        await until(lambda: service.status().queued == 0)
        assert all(one.principal != "user:bob" for one in service.log.runs())
        begun.cancel()


async def test_a_slow_follower_costs_the_run_nothing_and_misses_no_record(tmp_path: Path) -> None:
    async with serving(tmp_path, ScriptedModel(lambda _: ANSWER)) as service:
        run = await service.submit(ALICE, "quick")
        follower = service.events(ALICE, run)
        first: Any = await anext(follower)
        assert (await service.result(ALICE, run)).status == "done"  # with the follower at its first record
        rest = [item async for item in follower if isinstance(item, Record)]
        assert [first.seq, *(item.seq for item in rest)] == list(range(len(rest) + 1))
        assert rest[-1].kind is Kind.FINISHED


async def test_a_follower_that_goes_away_leaves_the_run_and_the_others_alone(tmp_path: Path) -> None:
    model = Patient()
    async with serving(tmp_path, model) as service:
        run = await service.submit(ALICE, "followed by two")
        stays, goes = (asyncio.create_task(followed(service, ALICE, run)) for _ in range(2))
        await until(lambda: model.asked)
        goes.cancel()
        model.let()
        assert (await stays)[-1].kind is Kind.FINISHED


async def test_what_the_model_says_is_heard_while_it_says_it(tmp_path: Path) -> None:
    class Talks(Patient):
        async def perform(self, action: Action) -> Outcome:
            assert action.progress is not None
            action.progress('{"thought": "let me ')
            return await super().perform(action)

    model = Talks()
    async with serving(tmp_path, model) as service:
        run = await service.submit(ALICE, "talk")
        heard = ""
        async for item in service.events(ALICE, run):
            if isinstance(item, Delta):
                heard += item.text
                break
        assert heard == "let me "
        model.let()
        assert (await service.result(ALICE, run)).status == "done"


async def test_a_follower_who_comes_back_is_given_what_follows_and_nothing_twice(tmp_path: Path) -> None:
    async with serving(tmp_path, ScriptedModel(lambda _: ANSWER)) as service:
        run = await service.submit(ALICE, "quick")
        await service.result(ALICE, run)
        whole = [item.seq for item in await followed(service, ALICE, run) if isinstance(item, Record)]
        for after in range(-1, whole[-1] + 1):
            assert [item.seq for item in await followed(service, ALICE, run, after)] == whole[after + 1 :]


async def test_a_tenants_list_holds_its_own_runs(tmp_path: Path) -> None:
    async with serving(tmp_path, ScriptedModel(lambda _: ANSWER)) as service:
        for n in range(3):
            await service.result(ALICE, await service.submit(ALICE, f"alice's {n}"))
            await service.result(BOB, await service.submit(BOB, f"bob's {n}"))
        assert [one.task for one in service.runs(ALICE)] == ["alice's 2", "alice's 1", "alice's 0"]
        newest = service.runs(ALICE, 1)[0]
        assert [one.task for one in service.runs(ALICE, before=newest.index)] == ["alice's 1", "alice's 0"]


async def test_observers_are_told_of_records_and_of_the_queue(tmp_path: Path) -> None:
    async with serving(tmp_path, ScriptedModel(lambda _: ANSWER)) as service:
        records, changes = list[Record](), list[str]()
        service.observers.append(records.append)
        service.queue_observers.append(lambda change: changes.append(change.kind))
        run = await service.submit(ALICE, "watched")
        await service.result(ALICE, run)
        assert [r.kind for r in records][:1] == [Kind.STARTED]
        assert records[-1].kind is Kind.FINISHED
        assert changes == ["started", "ended"]


async def test_a_service_that_closes_takes_nothing_in_and_lets_runs_end(tmp_path: Path) -> None:
    model = Patient()
    async with serving(tmp_path, model, limits="{running: 1}") as service:
        works, waits = await service.submit(ALICE, "works"), await service.submit(BOB, "waits")
        await until(lambda: model.asked)
        closing = asyncio.create_task(service.close(5.0))
        await until(lambda: service.status().closing)
        with pytest.raises(Closing):
            await service.submit(ALICE, "too late")
        model.let(5)
        await closing
        states = {one.run: one.state for one in service.log.runs()}
        assert states == {works: "done", waits: "open"}
        assert model.asked == [works]


async def _interrupted(service: Service, model: Patient, tasks: int) -> list[str]:
    runs = [await service.submit(ALICE if n % 2 else BOB, f"task {n}") for n in range(tasks)]
    await until(lambda: model.asked)
    return runs


async def test_what_a_stop_interrupts_is_resumed_by_the_next_start(tmp_path: Path) -> None:
    model = Patient()
    async with serving(tmp_path, model, limits="{running: 2}") as service:
        runs = await _interrupted(service, model, 6)
    again = Patient()
    again.let(6)
    async with serving(tmp_path, again, limits="{running: 2, running_each: 1}") as service:
        for n, run in enumerate(runs):
            who = ALICE if n % 2 else BOB
            await until(lambda run=run: not any(one.run == run for one in service.log.unfinished()))  # type: ignore[misc]
            assert (await service.result(who, run)).status == "done"
        assert again.most <= 2
        assert {record.principal for run in runs for record in service.log.read(run)} == {"user:alice", "user:bob"}
