"""Agents of one store: what a team knows is shared, what a person knows is not, and writers at once lose nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from ringfence.app import from_manifest
from ringfence.app.knowing import remembering
from ringfence.core.values import Principal
from ringfence.knowledge.memory.locking import locked
from ringfence.manifest.loader import load
from ringfence.testing.scripted import ScriptedModel

from ...scenarios.test_effects import done, step
from ...scenarios.test_memory import texts
from .kit import ALICE, CAROL, Words, world

ROOT = Path(__file__).parents[3]
COUNT = 6


def saved_by(folder: Path, *names: str) -> list[int]:
    """Processes that save at once: how each of them ended."""
    command = [sys.executable, "-m", "tests.knowledge.memory.swarm", folder]
    running = [subprocess.Popen([*command, name, str(COUNT)], cwd=ROOT) for name in names]
    return [process.wait(timeout=120) for process in running]


async def test_two_processes_that_save_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    names = ("ann", "ben")
    assert await asyncio.to_thread(saved_by, tmp_path, *names) == [0, 0]
    mind = world(tmp_path, embedder=Words())
    items = await mind.memories.items(ALICE)
    kept = [item for item in items if item.state == "kept"]
    counts = {item.text: item.count for item in kept}
    assert {counts[f"The shelf {n} holds bolts."] for n in range(COUNT)} == {2}
    assert {counts[f"The {name} of shelf {n} counts nuts."] for n in range(COUNT) for name in names} == {1}
    hall = Counter(item.state for item in items if "hall nine" in item.text)
    assert hall == {"kept": 1, "superseded": COUNT - 1}
    assert counts[f"The counter of hall nine is {COUNT - 1}."] == 2
    assert await mind.memories.items(CAROL) == []
    await mind.memories.aclose()


async def test_a_writer_that_waits_and_is_cancelled_leaves_no_lock_behind(tmp_path: Path) -> None:
    async def wait() -> None:
        async with locked(tmp_path):
            raise AssertionError("two at once")

    async with locked(tmp_path):
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with locked(tmp_path, wait_s=0.0):
        pass


MANIFEST = """\
runtime: {{name: {name}}}
inference: {{provider: llamacpp, model: scripted}}
knowledge: {{store: {store}}}
memory: {{enabled: true}}
tools: [{{name: calc, type: builtin, callers: [role:ops]}}]
"""


async def test_two_agents_of_one_store_share_what_a_team_knows_and_not_what_is_an_agents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "embedder_of", lambda *_: None)
    monkeypatch.setattr(remembering.models, "paths", lambda *_: ())
    found: dict[str, list[str]] = {}
    saves = [
        step("memory.save", text="the backup runs at 02:00", scope="role:ops"), done("Noted."),
        step("memory.save", text="backup tickets go to the red queue", scope="agent"), done("Noted."),
    ]  # fmt: skip
    for name, who, script, tasks in (
        ("first", "user:alice", saves, ("Remember for role:ops that the backup runs at 02:00.",
                                        "Remember for everyone that backup tickets go to the red queue.")),
        ("second", "user:bob", [done("At 02:00.")], ("when does the backup run?",)),
    ):  # fmt: skip
        home = tmp_path / name
        home.mkdir()
        (home / "ringfence.yaml").write_text(MANIFEST.format(name=name, store=tmp_path / "shared"))
        async with from_manifest(load(home / "ringfence.yaml"), model=ScriptedModel(script)) as agent:
            agent.principal = Principal(who, frozenset({"role:ops"}))
            for task in tasks:
                run = (await agent.run(task)).run_id
            found[name] = texts(agent.journal.log.read(run))
    assert found["second"] == ["the backup runs at 02:00"]
