"""An agent goes on from its newest snapshot, and says so when it could not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ringfence.app import from_manifest
from ringfence.core.chain import Record
from ringfence.core.values import Prompt
from ringfence.manifest.loader import load
from ringfence.stores.memory import MemoryJournal
from ringfence.testing.scripted import ScriptedModel

from .test_effects import done, step

MANIFEST = """\
inference: {provider: llamacpp, model: scripted}
tools: [{name: calc, type: builtin}]
workflow: {checkpoint_interval: 1}
"""


class Reading(MemoryJournal):
    """A journal that knows from where on it was read."""

    def __init__(self) -> None:
        super().__init__()
        self.starts: list[int] = []

    def read(self, run: str, start: int = 0) -> list[Record]:
        self.starts.append(start)
        return super().read(run, start)


@pytest.fixture
async def cut_off(tmp_path: Path) -> tuple[Path, Reading]:
    """A run that lost its process while the model was asked for the fourth step."""
    path, journal, asked = tmp_path / "ringfence.yaml", Reading(), iter(range(3))
    path.write_text(MANIFEST)

    def answer(prompt: Prompt) -> str:
        if (number := next(asked, None)) is None:
            raise asyncio.CancelledError
        return step("calc", expression=f"{number} + 2")

    async with from_manifest(load(path), journal=journal, model=ScriptedModel(answer)) as agent:
        with pytest.raises(asyncio.CancelledError):
            await agent.run("what is 2 + 2?")
    return path, journal


async def test_a_resumed_run_reads_its_tail_alone(cut_off: tuple[Path, Reading]) -> None:
    path, journal = cut_off
    (run,) = journal.runs()
    kept = journal.state(run.run)
    assert kept is not None
    journal.starts.clear()
    async with from_manifest(load(path), journal=journal, model=ScriptedModel([done("It is 4.")])) as agent:
        result = await agent.resume(run.run)
        assert agent.warnings == ()
    assert (result.answer, result.usage["steps"]) == ("It is 4.", 4)
    assert set(journal.starts) == {kept[0]}
    assert journal.state(run.run) is None


async def test_a_snapshot_that_cannot_be_used_is_a_warning_and_no_obstacle(cut_off: tuple[Path, Reading]) -> None:
    path, journal = cut_off
    (run,) = journal.runs()
    seq, state = journal.state(run.run) or (0, b"")
    journal.keep_state(run.run, seq, state.replace(b"+ 2", b"+ 3"))
    async with from_manifest(load(path), journal=journal, model=ScriptedModel([done("It is 4.")])) as agent:
        result = await agent.resume(run.run)
        (warning,) = agent.warnings
    assert (result.answer, result.usage["steps"]) == ("It is 4.", 4)
    assert warning.startswith(
        f"the snapshot of run {run.run} was not used (it is not the one whose digest is on record)"
    )


async def test_an_agent_without_a_place_for_snapshots_reads_everything(cut_off: tuple[Path, Reading]) -> None:
    """As one whose journal was written by something else, or lost its snapshots."""
    path, journal = cut_off
    (run,) = journal.runs()
    journal._states.clear()
    journal.starts.clear()
    async with from_manifest(load(path), journal=journal, model=ScriptedModel([done("It is 4.")])) as agent:
        assert (await agent.resume(run.run)).answer == "It is 4."
        assert agent.warnings == ()
    assert set(journal.starts) == {0}
