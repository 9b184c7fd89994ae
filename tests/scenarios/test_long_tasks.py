"""A task or a result that is longer than any window: cut with a word and a handle, read in parts, nothing lost."""

from __future__ import annotations

import json
from pathlib import Path

import ringfence
from ringfence.app import from_manifest
from ringfence.core.chain import Kind
from ringfence.core.values import Prompt
from ringfence.manifest.loader import load
from ringfence.testing.scripted import ScriptedModel

from ..cli.conftest import MANIFEST, final, step

LINES = [f"Line {n}: the pump in hall {n % 7} ran for {n * 3} minutes on end." for n in range(1200)]
LINES[600] = "Line 600: the alarm code is 7731."
TEXT = "\n".join(LINES)
TASK = f"{TEXT}\n\nWhat is the alarm code?"
ASK = step("read_all", handle="task", question="What is the alarm code?")


def said(prompt: Prompt) -> str:
    return "\n".join(json.loads(message)["content"] for message in prompt.messages)


class Answers:
    """Finds the code in the part that holds it; of a run, does one step after another."""

    def __init__(self, *steps: str) -> None:
        self.steps = list(steps)
        self.model = ScriptedModel(self)
        self.parts: list[str] = []

    def __call__(self, prompt: Prompt) -> str:
        text = said(prompt)
        if "Part of the text:" not in text:
            return self.steps.pop(0)
        self.parts.append(text)
        found = [{"quote": "the alarm code is 7731", "value": "7731"}] if "code is 7731" in text else []
        return json.dumps({"found": found})


def agent_with(folder: Path, script: Answers, more: str = "") -> ringfence.Agent:
    (folder / "ringfence.yaml").write_text(MANIFEST.format(url="http://127.0.0.1:9") + more)
    return from_manifest(load(folder / "ringfence.yaml"), model=script.model)


def steps_of(script: Answers) -> list[Prompt]:
    return [prompt for prompt in script.model.prompts if "Part of the text:" not in said(prompt)]


async def test_a_task_of_many_pages_is_shown_cut_and_read_in_parts_to_the_last_line(folder: Path) -> None:
    assert len(TASK) > 60_000
    script = Answers(ASK, final("The alarm code is 7731."))
    async with agent_with(folder, script) as agent:
        result = await agent.run(TASK)
        records = agent.journal.log.read(result.run_id)
        runs = [summary.run for summary in agent.journal.log.runs()]
    assert (result.status, result.answer) == ("done", "The alarm code is 7731.")
    first = said(steps_of(script)[0])
    assert f"of {len(TASK)} characters" in first
    assert 'read_all(handle="task"' in first
    assert "Line 0:" in first
    assert "What is the alarm code?" in first  # people put what they want at the end
    assert b'"const":"read_all"' in (steps_of(script)[0].schema or b"")
    assert all(any(line in part for part in script.parts) for line in LINES), "every line was read"
    assert records[0].body["task"] == TASK, "and all of it is on record"
    (read,) = [
        r.body["value"]
        for r in records
        if r.kind is Kind.OUTCOME and isinstance(r.body["value"], dict) and "chunks" in r.body["value"]
    ]
    assert (read["read"], read["chunks"]) == ("all", len(script.parts))
    assert any(run.startswith("map-") for run in runs), "what read it is a run of its own, on record"


async def test_a_long_task_can_be_read_on_part_by_part(folder: Path) -> None:
    script = Answers(step("read_more", handle="task", offset=30_000), final("It is 7731."))
    async with agent_with(folder, script) as agent:
        result = await agent.run(TASK)
    assert TASK[30_000:30_500] in said(steps_of(script)[1])
    assert result.steps[-1].ok


async def test_a_long_file_is_shown_in_part_and_read_on_where_it_says(folder: Path) -> None:
    (folder / "notes" / "long.txt").write_text(TEXT)
    script = Answers(
        step("files.read", path="notes/long.txt"),
        step("files.read", path="notes/long.txt", first=601, last=601),
        final("The alarm code is 7731."),
    )
    async with agent_with(folder, script) as agent:
        result = await agent.run("What is the alarm code in notes/long.txt?")
    assert (result.status, result.answer) == ("done", "The alarm code is 7731.")
    shown = said(steps_of(script)[1]).rpartition("of 1200")[2]
    assert "for more, use first=" in shown
    assert "7731" not in shown
    assert "7731" in said(steps_of(script)[2]).rpartition("601-601 of 1200")[2]


async def test_a_task_that_fits_is_not_cut(folder: Path) -> None:
    script = Answers(step("files.read", path="notes/a.txt"), final("The disk is full."))
    async with agent_with(folder, script) as agent:
        await agent.run("What is wrong? " + "word " * 1000)
    first = steps_of(script)[0]
    assert "[cut:" not in said(first)
    assert b"read_all" not in (first.schema or b"")


async def test_the_tokens_of_reading_count_for_the_run(folder: Path) -> None:
    script = Answers(ASK, final("The alarm code is 7731."))
    async with agent_with(folder, script, "workflow: {max_tokens: 9000}\n") as agent:
        result = await agent.run(TASK)
        (read,) = [
            r.body["value"] for r in agent.journal.log.read(result.run_id) if "chunks" in str(r.body.get("value"))
        ]
    assert "the tokens of this run are used up" in read["read"]  # and it never says less than that
    assert (
        sum(sum(map(len, prompt.messages)) for prompt in script.model.prompts) // 4 < 9000 + 2500
    )  # the last step begins below the bound
