"""A conversation that outgrows its window: what is left out is summed up once, by the model, on record."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ringfence.app import Agent, from_manifest
from ringfence.cli.screen import Live, console
from ringfence.core.chain import Kind
from ringfence.core.labels import Label, Trust
from ringfence.core.values import Principal, Prompt
from ringfence.manifest.loader import load
from ringfence.testing.scripted import ScriptedModel

from .test_effects import done

MANIFEST = """\
inference: {provider: llamacpp, model: scripted}
workflow: {history: 4}
"""
ALICE, EVE = Principal("user:alice", frozenset({"role:ops"})), Principal("user:eve", frozenset({"role:hr"}))
DAVE = Principal("user:dave", EVE.roles | ALICE.roles)


class Talk:
    """A model that answers each task by its number, and sums up by naming the tasks that it was shown."""

    def __init__(self, *, sums: bool = True) -> None:
        self.prompts: list[Prompt] = []
        self._sums = sums

    def __call__(self, prompt: Prompt) -> str:
        self.prompts.append(prompt)
        last = json.loads(prompt.messages[-1])["content"]
        if not asks_to_sum_up(prompt):
            return done(f"answer to {last.rpartition('Task: ')[2].split(chr(10))[0]}")
        if not self._sums:
            return "no JSON at all"
        words = [word for word in last.replace(",", " ").split() if word.startswith("task-")]
        return json.dumps({"summary": "They spoke of " + ", ".join(dict.fromkeys(words))})

    @property
    def sums(self) -> list[str]:
        return [json.loads(p.messages[-1])["content"] for p in self.prompts if asks_to_sum_up(p)]

    @property
    def shown(self) -> list[list[dict[str, Any]]]:
        return [[json.loads(m) for m in p.messages[1:]] for p in self.prompts if not asks_to_sum_up(p)]


def asks_to_sum_up(prompt: Prompt) -> bool:
    return b"You keep the notes of a conversation" in prompt.messages[0]


@asynccontextmanager
async def agent_of(folder: Path, talk: Talk, manifest: str = MANIFEST, who: Principal = ALICE) -> AsyncIterator[Agent]:
    (folder / "ringfence.yaml").write_text(manifest)
    async with from_manifest(load(folder / "ringfence.yaml"), model=ScriptedModel(talk)) as agent:
        agent.principal = who
        yield agent


async def say(agent: Agent, *numbers: int) -> list[str]:
    return [(await agent.run(f"task-{n}", conversation="c")).run_id for n in numbers]


async def test_within_the_window_nothing_is_summed_up(tmp_path: Path) -> None:
    talk = Talk()
    async with agent_of(tmp_path, talk) as agent:
        await say(agent, 1, 2, 3)
    assert talk.sums == []
    assert [m["content"] for m in talk.shown[-1][:-1]] == ["task-1", "answer to task-1", "task-2", "answer to task-2"]


async def test_what_the_window_leaves_out_is_summed_up_and_shown_before_it(tmp_path: Path) -> None:
    talk = Talk()
    async with agent_of(tmp_path, talk) as agent:
        await say(agent, 1, 2, 3, 4)
    assert len(talk.sums) == 1
    assert [m["content"] for m in talk.shown[-1][:-1]] == [
        "Sum up what we said before.",
        "They spoke of task-1, task-2",
        "task-3",
        "answer to task-3",
    ]


async def test_a_summary_serves_until_half_a_window_was_said_again(tmp_path: Path) -> None:
    talk = Talk()
    async with agent_of(tmp_path, talk) as agent:
        await say(agent, 1, 2, 3, 4, 5)
        assert len(talk.sums) == 1
        await say(agent, 6)
    assert len(talk.sums) == 2
    assert "Notes so far: They spoke of task-1, task-2" in talk.sums[-1]
    assert "task-3" in talk.sums[-1]
    assert talk.shown[-1][1]["content"] == "They spoke of task-1, task-2, task-3, task-4"
    assert [m["content"] for m in talk.shown[-1][2:4]] == ["task-5", "answer to task-5"]


async def test_another_process_is_shown_the_very_same(tmp_path: Path) -> None:
    first, second = Talk(), Talk()
    async with agent_of(tmp_path, first) as agent:
        await say(agent, 1, 2, 3, 4)
    async with agent_of(tmp_path, second) as agent:
        await say(agent, 5)
    assert second.sums == []
    assert second.shown[-1][1]["content"] == "They spoke of task-1, task-2"


async def test_a_summary_is_a_run_on_record_and_the_run_that_is_shown_it_replays_and_forks(tmp_path: Path) -> None:
    talk = Talk()
    async with agent_of(tmp_path, talk) as agent:
        *_, run = await say(agent, 1, 2, 3, 4)
        log = agent.journal.log
        start = log.read(run)[0]
        summed = log.read(start.body["before"][0])
        assert [record.kind for record in summed] == [Kind.STARTED, Kind.INTENT, Kind.OUTCOME, Kind.FINISHED]
        assert summed[-1].body["answer"] == "They spoke of task-1, task-2"
        assert not (await agent.replay(run)).differences
        forked = await agent.fork(run, at=1)
        await agent.resume(forked)
        assert log.read(forked)[0].body["before"] == start.body["before"]
    assert talk.shown[-1][1]["content"] == "They spoke of task-1, task-2"


async def test_who_follows_a_run_is_given_its_id_and_not_that_of_its_summary(tmp_path: Path) -> None:
    async with agent_of(tmp_path, Talk()) as agent:
        await say(agent, 1, 2, 3)
        seen: list[str] = []
        with Live(console(stderr=True), quiet=True) as live:
            result = await live.follow(agent.stream("task-4", conversation="c"), seen)
    assert seen == [result.run_id]


async def test_what_was_summed_up_are_not_the_users_words(tmp_path: Path) -> None:
    async with agent_of(tmp_path, Talk()) as agent:
        *_, run = await say(agent, 1, 2, 3, 4)
        assert agent.turn(run).heard == ("task-3",)


async def test_when_the_model_fails_the_window_alone_is_shown_and_that_is_said(tmp_path: Path) -> None:
    talk = Talk(sums=False)
    async with agent_of(tmp_path, talk) as agent:
        await say(agent, 1, 2, 3, 4)
        [warning] = agent.warnings
    assert warning == "what was said before the last 4 messages is left out: the model wrote none"
    assert [m["content"] for m in talk.shown[-1][:-1]] == ["task-2", "answer to task-2", "task-3", "answer to task-3"]


async def test_switched_off_no_model_is_asked(tmp_path: Path) -> None:
    talk = Talk()
    async with agent_of(tmp_path, talk, MANIFEST + "memory: {summary: false}\n") as agent:
        await say(agent, 1, 2, 3, 4)
    assert talk.sums == []


async def test_a_summary_is_labelled_as_all_that_it_was_made_from(tmp_path: Path) -> None:
    async with agent_of(tmp_path, Talk()) as agent:
        *_, run = await say(agent, 1, 2, 3, 4)
        log = agent.journal.log
        made = log.read(log.read(run)[0].body["before"][0])[-1]
    assert made.label == Label(Trust.USER, frozenset({ALICE.member}))


async def test_what_somebody_may_not_read_is_in_no_summary_of_theirs(tmp_path: Path) -> None:
    talk = Talk()
    async with agent_of(tmp_path, Talk(), who=DAVE) as agent:
        await say(agent, 1, 2)
        agent.principal = EVE
        await say(agent, 3, 4)
    async with agent_of(tmp_path, talk, who=ALICE) as agent:
        await say(agent, 5)
    [asked] = talk.sums
    assert "task-1" in asked
    assert "task-2" in asked
    assert "task-3" not in asked


async def test_to_erase_somebody_reaches_what_was_summed_up_of_them(tmp_path: Path) -> None:
    async with agent_of(tmp_path, Talk()) as agent:
        for n in (1, 2, 3):
            await agent.run(f"task-{n}", conversation="c", about=("patient:4711",))
        *_, run = await say(agent, 4)
        made = agent.journal.log.read(agent.journal.log.read(run)[0].body["before"][0])
        assert made[0].view["subjects"] == [agent.journal.alias("patient:4711")]
