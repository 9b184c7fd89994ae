"""A question that nobody answers: no answer counts after its time, and the run goes on as after a no."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.app.ids import now_ms
from ringfence.app.serving.asking import Asking
from ringfence.app.serving.service import Service
from ringfence.core.chain import Kind
from ringfence.core.errors import JournalError

from .kit import ALICE, Patient, agent_in, serving, until

ASKS = '{"thought": "keep", "calls": [{"tool": "note", "args": {"text": "hello"}}]}'
DAY_MS = 86_400_000


async def waiting(service: Service, model: Patient) -> str:
    """A run of alice's that waits for her yes."""
    model.say(ASKS)
    run = await service.submit(ALICE, "note hello")
    model.let()
    assert (await service.result(ALICE, run)).status == "waiting"
    return run


def later(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    """So many days later, by the clock of whatever says when a question has waited enough."""
    for where in ("ringfence.app.asked.now_ms", "ringfence.app.serving.recovery.now_ms"):
        monkeypatch.setattr(where, lambda: now_ms() + days * DAY_MS)


@pytest.mark.parametrize("restart", [False, True])
async def test_after_its_time_a_question_is_given_up_and_the_run_goes_on_as_after_a_no(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restart: bool
) -> None:
    model = Patient()
    async with serving(tmp_path, model) as service:
        run = await waiting(service, model)
        (asked,) = await Asking(service, service._reading).waiting(ALICE)
        assert asked.question.expires == asked.question.asked + 7 * DAY_MS
        if not restart:
            later(monkeypatch, 8)
            model.let(3)
            await until(lambda: service.log.last(run).kind is Kind.FINISHED, 10)  # type: ignore[union-attr]
    if restart:
        later(monkeypatch, 8)
    again = Patient()
    again.let(3)
    async with serving(tmp_path, again) as service:
        await until(lambda: service.log.last(run).kind is Kind.FINISHED, 10)  # type: ignore[union-attr]
        assert [r.view["code"] for r in service.log.read(run) if r.view.get("verdict") == "deny"] == ["expired"]
        assert (await service.result(ALICE, run)).status in ("done", "partial")
    assert not (tmp_path / "notes.txt").exists()
    assert len(model.asked + again.asked) >= 2, "the model was not told, and asked what to do instead"


async def test_no_answer_counts_after_its_time_whichever_way_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Patient()
    async with serving(tmp_path, model) as service:
        run = await waiting(service, model)
        digest = service.agent.asks(run).digest
        monkeypatch.setattr("ringfence.app.asked.now_ms", lambda: now_ms() + 8 * DAY_MS)  # before anybody looks
        before = len(service.log.read(run))
        asking = Asking(service, service._reading)
        for answer in (service.answer, asking.answer):
            for yes in (True, False):
                with pytest.raises(JournalError, match="expired at"):
                    await answer(ALICE, run, yes, digest=digest)
        async with agent_in(tmp_path, Patient()) as terminal:
            with pytest.raises(JournalError, match="expired at"):
                await terminal.acting_for(ALICE).answer(run, True, digest=digest)
        assert len(service.log.read(run)) == before
    assert not (tmp_path / "notes.txt").exists()


async def test_where_the_manifest_says_so_a_question_waits_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Patient()
    async with serving(tmp_path, model, more="approvals: {waits_s: null}") as service:
        run = await waiting(service, model)
        later(monkeypatch, 4000)
        await service._recovery._look(quiet_ms=0)
        assert (await service.result(ALICE, run)).status == "waiting"
        model.let(3)
        await service.answer(ALICE, run, True, digest=service.agent.asks(run).digest)
        await service.result(ALICE, run)
    assert (tmp_path / "notes.txt").read_text() == "hello\n"


async def test_another_time_to_wait_is_no_other_policy(tmp_path: Path) -> None:
    model = Patient()
    async with serving(tmp_path, model) as service:
        run = await waiting(service, model)
        asked = service.agent.asks(run)
    async with agent_in(tmp_path, model, more="approvals: {waits_s: 3600}") as agent:
        again = agent.acting_for(ALICE).asks(run)
        assert (again.digest, again.stale, again.expires) == (asked.digest, False, asked.asked + 3_600_000)
