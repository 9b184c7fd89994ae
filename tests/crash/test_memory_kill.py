"""kill -9 between the intent and the outcome of memory.save: it is saved once, whatever was done of it before."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.app.knowing.people import Hand
from ringfence.manifest.types import Manifest

from .memory_writer import ALICE, POINTS, TASK, agent_of, by_words_alone
from .memory_writer import done as answer

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("point", POINTS)
def test_what_was_to_be_remembered_is_remembered_once(
    tmp_path: Path, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_words_alone(monkeypatch.setattr)
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.memory_writer", tmp_path, point], cwd=ROOT, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL
    hand = Hand(asyncio.run(resumed(tmp_path)), ALICE)
    items = {item.text: item for item in hand.items()}
    bob, carol = items["my manager is Bob"], items["my manager is Carol"]
    assert len(items) == 2
    assert (carol.state, carol.count, len(carol.sayings)) == ("kept", 1, 1)
    assert (bob.state, bob.by) == ("superseded", carol.id)
    [note] = (tmp_path / "diary").glob("*.md")
    assert note.read_text().count(carol.id) == 1


async def resumed(folder: Path) -> Manifest:
    """Go on with the run that was killed; the manifest that it was made from."""
    async with agent_of(folder, answer("Noted.")) as agent:
        run = next(one.run for one in agent.journal.log.runs(10) if one.task == TASK)
        assert (await agent.resume(run)).status == "done"
        return agent.manifest
