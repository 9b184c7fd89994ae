"""A fork through the manifest and the journal: of a conversation, of a planned grant, and under a narrower manifest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ringfence.core.chain import Kind
from ringfence.core.errors import JournalError
from ringfence.core.grants import TaskGrant
from ringfence.core.labels import IDENTITY
from ringfence.core.turn import Turn
from ringfence.engine.branch import forkable

from .test_effects import FILES, agent_of, decisions, done, step
from .test_effects import folder as folder

WRITE = step("files.write", path="notes/b.txt", text="checked")
TASK = "write checked into notes/b.txt"


async def test_a_fork_hears_what_its_origin_heard_and_is_no_part_of_the_conversation(folder: Path) -> None:
    script = [done("It is b."), done("It is b."), WRITE, done(), WRITE, done()]
    async with agent_of(folder, FILES, *script) as agent:
        await agent.run("the file is notes/b.txt", conversation="c")
        second = await agent.run("write checked into it", conversation="c")
        assert second.status == "done"
        log = agent.journal.log
        origin = log.read(second.run_id)
        fork = await agent.fork(second.run_id, at=1)
        assert agent.turn(fork).heard == agent.turn(second.run_id).heard == ("the file is notes/b.txt",)
        (folder / "notes" / "b.txt").unlink()
        result = await agent.resume(fork)
        assert result.status == "done"
        assert (folder / "notes" / "b.txt").read_text() == "checked"
        assert [started.run for started, _ in log.window("c", 9)][-1] == second.run_id
        assert len(log.window("c", 9)) == 2
        asked = [next(r.body["prompt"] for r in run if "prompt" in r.body) for run in (origin, log.read(fork))]
        assert asked[0] == asked[1]
        assert (await agent.replay(fork)).differences == []


async def test_a_fork_under_a_narrower_manifest_has_no_wider_grant_than_it(folder: Path) -> None:
    async with agent_of(folder, FILES, WRITE, done()) as agent:
        run = (await agent.run(TASK)).run_id
        (folder / "notes" / "b.txt").unlink()
    async with agent_of(folder, FILES + "grant: {effects: []}\n", WRITE, done()) as agent:
        fork = await agent.fork(run, at=1)
        await agent.resume(fork)
        assert decisions(agent.journal.log.read(fork)) == [("tool:files.write", "deny", "outside-grant")]
    assert not (folder / "notes" / "b.txt").exists()


async def test_another_task_gets_the_grant_of_its_own_words(folder: Path) -> None:
    async with agent_of(folder, FILES, WRITE, done(), WRITE, done("It is full.")) as agent:
        run = (await agent.run(TASK)).run_id
        (folder / "notes" / "b.txt").unlink()
        fork = await agent.fork(run, at=1, task="what is wrong in notes/a.txt?")
        await agent.resume(fork)
        assert decisions(agent.journal.log.read(fork)) == [("tool:files.write", "deny", "outside-grant")]
        assert agent.turn(fork).grant.version == 2


async def test_the_plan_of_a_run_holds_for_its_fork_and_is_no_run_to_fork(folder: Path) -> None:
    needs = json.dumps({"thought": "so", "needs": []})
    planned = FILES + "grant: {planned: true}\n"
    async with agent_of(folder, planned, needs, WRITE, done(), WRITE, done()) as agent:
        run = (await agent.run(TASK)).run_id
        fork = await agent.fork(run, at=1)
        await agent.resume(fork)
        assert decisions(agent.journal.log.read(fork)) == [("tool:files.write", "deny", "outside-grant")]
        assert (await agent.replay(run)).differences == (await agent.replay(fork)).differences == []
        with pytest.raises(JournalError, match="only plans what another one may do"):
            await agent.fork("plan-" + run, at=0)
        assert (await agent.replay("plan-" + run)).differences == []
        assert forkable(agent.journal.log.read("plan-" + run))


async def test_a_run_that_works_for_another_one_is_not_gone_on_with_by_itself(folder: Path) -> None:
    """Its task is a model's words: they would be taken for the user's."""
    async with agent_of(folder, FILES, done()) as agent:
        who = {"subject": agent.principal.subject, "roles": sorted(agent.principal.roles), "tenant": ""}
        body = {"task": "x", "principal": who, "grant": TaskGrant(frozenset(), {}).to_json(), "plans": True}
        agent._policed().record(Turn(), Kind.STARTED, label=IDENTITY, view={}, body=body, run="map-1")
        await agent.journal.flush()
        with pytest.raises(JournalError, match="works for another one"):
            await agent.resume("map-1")
        assert (await agent.cancel("map-1")).status == "cancelled"
