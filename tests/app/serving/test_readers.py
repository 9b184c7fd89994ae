"""Whoever has lost a role is told nothing more of what was made from what only that role may read."""

from __future__ import annotations

from pathlib import Path

from ringfence.app.serving.shown import HIDDEN
from ringfence.core.values import Principal

from .kit import ALICE, Patient, serving

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
