"""Which tools a prompt shows, how short it is, and that its beginning stays the same, byte for byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ringfence.app import from_manifest
from ringfence.core.policy import Effect, SinkSpec
from ringfence.engine.relevance import relevant
from ringfence.engine.settings import LEAN, LEAN_TOOLS, Settings
from ringfence.engine.step import signature, takes_words
from ringfence.manifest.loader import parse
from ringfence.testing.scripted import ScriptedModel

from .conftest import Build, final, step


def tool(name: str, summary: str, **more: object) -> SinkSpec:
    return SinkSpec(f"tool:{name}", summary=summary, **{"effect": Effect.READ, **more})  # type: ignore[arg-type]


CSV = tool("csv.sql", "rows of a table, filtered and summed", suits=r"\btable\b")
READ = tool("files.read", "the lines of a file")
COUNT = tool("text.count", "how many lines of a file hold a word")
CALC = tool("calc", "arithmetic")
MAIL = tool("mail.send", "send a mail to somebody", effect=Effect.EGRESS)
WEATHER = tool("weather", "tomorrow's weather in a town")
OVERVIEW = tool("files.overview", "what files there are", opens="")
ALL = [CALC, CSV, OVERVIEW, READ, MAIL, COUNT, WEATHER]


def names(task: str, at_most: int, *, acts: bool = False) -> list[str]:
    return [spec.name.removeprefix("tool:") for spec in relevant(task, ALL, at_most=at_most, acts=acts)]


@pytest.mark.parametrize(
    ("task", "best"),
    [
        ("What is the weather in Bonn?", "weather"),
        ("How many lines hold the word error?", "text.count"),
        ("What stands in the table of pumps?", "csv.sql"),
        ("Send Ann the number", "mail.send"),
    ],
)
def test_the_tool_whose_words_the_task_uses_comes_first(task: str, best: str) -> None:
    assert best in names(task, 2)


def test_what_opens_a_run_is_always_there_and_so_is_one_that_does_the_rest() -> None:
    assert "files.overview" in names("What is the weather?", 1)
    assert len(names("What is the weather?", 1)) == 2


def test_a_task_that_acts_is_shown_the_tools_that_act() -> None:
    assert "mail.send" in names("tell everybody", 2, acts=True)


def test_the_order_is_that_of_the_tools_and_the_same_each_time() -> None:
    for task in ("weather and mail and a table", "", "xyzzy", "我要查天气"):
        shown = names(task, 4)
        assert shown == names(task, 4)
        assert shown == [name for name in names("", 99) if name in shown]
        assert len(shown) == 4


def test_few_tools_are_all_shown() -> None:
    assert len(names("anything", 7)) == 7


SIX = """
inference: {provider: llamacpp, model: scripted, endpoint: "http://127.0.0.1:9"}
tools:
  - {name: files, type: builtin, target_paths: [./notes], permissions: [read, grep, write]}
  - {name: text, type: builtin, target_paths: [./notes]}
  - {name: csv, type: builtin, target_paths: [./notes]}
  - {name: calc, type: builtin}
  - {name: time, type: builtin}
"""


async def prompts(folder: Path, workflow: str, *tasks: str) -> list[list[bytes]]:
    """The messages of every request, by task."""
    (folder / "notes").mkdir(exist_ok=True)
    (folder / "notes" / "a.txt").write_text("the disk is full\n")
    found: list[list[bytes]] = []
    model = ScriptedModel([step(("files.read", {"path": "notes/a.txt"})), final("The disk is full.")] * len(tasks))
    async with from_manifest(parse(SIX + workflow, folder / "m.yaml"), model=model) as agent:
        for task in tasks:
            await agent.run(task)
    found += [list(prompt.messages) for prompt in model.prompts]
    return found


async def test_a_lean_prompt_of_built_in_tools_has_fewer_than_400_tokens(tmp_path: Path) -> None:
    sent = await prompts(tmp_path, "workflow: {prompt: lean}\n", "What is wrong?", "Count the lines in notes/a.txt")
    for messages in sent:
        assert len(messages[0]) / 3.2 < 400
    assert all(messages[0].count(b"\\n- ") <= LEAN_TOOLS for messages in sent)


async def test_a_full_prompt_says_more(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    lean = await prompts(tmp_path, "workflow: {prompt: lean}\n", "What is wrong?")
    full = await prompts(tmp_path / "full", "", "What is wrong?")
    assert len(full[0][0]) > 1.5 * len(lean[0][0])


@pytest.mark.parametrize("workflow", ["", "workflow: {prompt: lean}\n"])
async def test_each_request_begins_with_what_the_one_before_it_began_with(tmp_path: Path, workflow: str) -> None:
    first, second, *_ = await prompts(tmp_path, workflow, "What is wrong?")
    same = [a == b for a, b in zip(first, second, strict=False)]
    assert same[:-1] == [True] * (len(first) - 1)  # all but the last message, which ends with the next note
    assert len(second) == len(first) + 2


async def test_the_tasks_of_one_agent_begin_with_the_same_bytes(tmp_path: Path) -> None:
    sent = await prompts(tmp_path, "", "What is wrong?", "Who is on call?", "Wie viele Zeilen hat a.txt?")
    heads = {messages[0] for messages in sent}
    assert len(heads) == 1
    maps = {messages[1] for messages in sent}
    assert len(maps) == 1, "the overview comes before anything of the task"


async def test_the_grammar_holds_exactly_the_tools_that_are_shown(house: Build) -> None:
    tools = {f"t{n}": lambda args: {"text": "it is 42"} for n in range(12)}
    agent = house(
        [step(("t3", {"of": "x"})), final("42")],
        tools=tools,  # type: ignore[arg-type]
        specs={f"t{n}": {"summary": f"number {'three' if n == 3 else n}"} for n in range(12)},
        settings=Settings(lean=True, system=LEAN),
    )
    await agent.run("what is three?")
    schema, system = agent.model.prompts[0].schema or b"", agent.model.prompts[0].messages[0]
    shown = [name for name in tools if f"- {name}(".encode() in system]
    assert len(shown) == LEAN_TOOLS
    assert "t3" in shown
    assert [name for name in tools if f'"const":"{name}"'.encode() in schema] == shown


async def test_a_tool_that_is_granted_but_not_shown_can_be_called_all_the_same(house: Build) -> None:
    """What is shown saves tokens; what may be done is the grant's word, and what was done is known as such."""
    tools = {f"t{n}": lambda args: {"text": "it is 42"} for n in range(12)}
    put = {"effect": Effect.WRITE, "audience": None, "roles": {"of": "low"}, "summary": "write"}
    agent = house(
        [step(("zz", {"of": "x"})), final("42")],
        tools={**tools, "zz": str},
        specs={"zz": put},
        settings=Settings(lean=True, system=LEAN, tool_first=False),
    )
    result = await agent.run("what is t1 t2?")
    assert agent.tools["zz"].calls == [{"of": "x"}]
    assert result.status == "done"


def test_the_short_form_of_a_tool_is_its_first_sentence_without_notes() -> None:
    spec = tool(
        "x", "First. Second.",
        schema={
            "properties": {"a": {"type": "string", "description": "long words"}, "b": {"default": 3}},
            "required": ["a"],
        },
    )  # fmt: skip
    assert signature(spec, short=True) == "- x(a, b=3): First"
    endless = signature(replace(spec, summary="It looks up " + "one more thing and " * 40), short=True)
    assert len(endless) < 230
    assert endless.endswith(" ...")
    assert "long words" in signature(spec)
    assert takes_words(spec)
