"""Whoever has lost a role is told nothing more of what was made from what only that role may read."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.app.serving.asking import Asking
from ringfence.app.serving.shown import HIDDEN
from ringfence.core.errors import JournalError
from ringfence.core.values import Principal

from .kit import ALICE, BOB, Patient, serving

LEFT = Principal("user:alice")  # her roles were taken away
MORE = "tools: [{name: files, type: builtin, permissions: [read], target_paths: [./pay], readers: [role:ops]}]"
READS = '{"thought": "look", "calls": [{"tool": "files.read", "args": {"path": "pay/a.txt"}}]}'


async def test_what_a_run_came_to_is_hidden_from_who_may_not_read_it_any_more(tmp_path: Path) -> None:
    (tmp_path / "pay").mkdir()
    (tmp_path / "pay/a.txt").write_text("42")
    model = Patient(READS)
    model.let(5)
    async with serving(tmp_path, model, more=MORE) as service:
        run = await service.submit(ALICE, "what is in pay/a.txt?")
        done = await service.result(ALICE, run)
        assert (done.status, done.answer) == ("done", "Yes, it is so.")
        for _ in ("at hand", "from the journal"):
            told = await service.result(LEFT, run)
            assert (told.status, told.answer, told.summary) == ("done", "", HIDDEN)
            assert (await service.result(ALICE, run)).answer == done.answer
            service._over.clear()


@pytest.mark.parametrize("named", [False, True])
async def test_a_call_is_hidden_from_its_owner_who_may_not_read_it_any_more_but_not_from_an_approver(
    tmp_path: Path, named: bool
) -> None:
    (tmp_path / "pay").mkdir()
    (tmp_path / "pay/a.txt").write_text("42")
    model = Patient(READS, '{"thought": "keep", "calls": [{"tool": "note", "args": {"text": "42"}}]}')
    model.let(5)
    more = MORE + ("\napprovals: {approvers: [role:hr]}" if named else "")
    async with serving(tmp_path, model, more=more) as service:
        run = await service.submit(ALICE, "note what is in pay/a.txt")
        assert (await service.result(ALICE, run)).status == "waiting"
        asking = Asking(service, service._reading)
        (own,) = await asking.waiting(ALICE)
        assert own.question.action.args == {"text": "42"}
        (hidden,) = await asking.waiting(LEFT)
        assert hidden.question.action.args == {"hidden": HIDDEN}
        assert (hidden.preview, hidden.may_answer, hidden.question.origins) == (HIDDEN, False, ())
        before = len(service.log.read(run))
        for answer in (asking.answer, service.answer):  # of HTTP and the page; of whatever else there will be
            with pytest.raises(JournalError):
                await answer(LEFT, run, True, digest=own.question.digest)
        with pytest.raises(JournalError, match=r"may not read this call|may not answer this"):  # of a terminal
            await service.agent.acting_for(LEFT).answer(run, True, digest=own.question.digest)
        assert len(service.log.read(run)) == before
        assert [one.question.action.args for one in await asking.waiting(BOB)] == ([{"text": "42"}] if named else [])
        assert not (tmp_path / "notes.txt").exists()
