"""The Python API from a manifest file to an answer: what a program that embeds Ringfence sees."""

from __future__ import annotations

import asyncio
import doctest
import gc
import importlib
import json
import os
import pkgutil
from dataclasses import replace
from pathlib import Path

import pytest

import ringfence
from ringfence import Agent, BackendError, Event, JournalError, ManifestError, Result, tool
from ringfence.core.chain import Kind
from ringfence.core.labels import NOBODY
from ringfence.core.values import Principal
from ringfence.testing.server import ScriptedServer, listen

from ..cli.conftest import MANIFEST, Serve, final, step

LOOK, DONE = step("files.read", path="notes/a.txt"), final("The disk is full.", "notes/a.txt")


@tool("read")
def on_call(team: str) -> dict[str, str]:
    """Who is on call for a team."""
    return {"team": team, "name": {"ops": "Ann"}.get(team, "nobody")}


def agent_of(folder: Path, server: ScriptedServer, more: str = "") -> Agent:
    (folder / "ringfence.yaml").write_text(MANIFEST.format(url=server.url) + more)
    return ringfence.load(folder / "ringfence.yaml", functions=[on_call])


async def test_a_task_is_run_to_a_result_with_everything_in_it(folder: Path) -> None:
    async with listen(ScriptedServer([LOOK, DONE])) as server, agent_of(folder, server) as agent:
        result = await agent.run("what is wrong?")
    assert (result.status, result.answer, result.confidence) == ("done", "The disk is full.", "high")
    assert result.artifacts == ("notes/a.txt",)
    assert result.summary.startswith("answered in 2 steps with ")
    last = result.steps[-1]
    assert (last.tool, last.args["path"], last.ok) == ("files.read", "notes/a.txt", True)
    assert result.usage["steps"] == 2
    assert result.usage["prompt"] > 200  # of two requests, each of some thousand bytes


async def test_several_runs_of_one_agent_at_once_are_told_apart(folder: Path) -> None:
    replies = [{"when": f"Task: task {n}.", "text": final(f"answer {n}")} for n in range(8)]
    more = "workflow: {tool_first: false}\n"
    async with listen(ScriptedServer([*replies, DONE])) as server, agent_of(folder, server, more) as agent:
        results = await asyncio.gather(*(agent.run(f"task {n}.") for n in range(8)))
    assert [result.answer for result in results] == [f"answer {n}" for n in range(8)]
    assert len({result.run_id for result in results}) == 8


async def test_first_runs_at_once_can_all_read_the_rest_of_a_cut_result(folder: Path) -> None:
    @tool("read")
    def essay() -> str:
        """All of it."""
        return "all is well, " * 100 + "but for the fan"

    replies: list[str | dict[str, str]] = [
        {"when": "characters: 700-", "text": final("All is well, but for the fan.")},
        {"when": "[r9]", "text": step("read_more", handle="r9", offset=700)},
        step("essay"),
    ]
    more = "workflow: {result_chars: 800}\n"
    async with listen(ScriptedServer(replies)) as server:
        (folder / "ringfence.yaml").write_text(MANIFEST.format(url=server.url) + more)
        async with ringfence.load(folder / "ringfence.yaml", functions=[essay]) as agent:
            results = await asyncio.gather(agent.run("what does it say?"), agent.run("how does it end?"))
    assert [result.steps[-1].tool for result in results] == ["read_more"] * 2
    assert [result.answer for result in results] == ["All is well, but for the fan."] * 2


async def test_two_tools_of_one_name_are_refused(folder: Path) -> None:
    @tool("read")
    def calc(sum: str) -> str:
        """Another one."""
        return sum

    (folder / "ringfence.yaml").write_text(MANIFEST.format(url="http://127.0.0.1:9"))
    with pytest.raises(ManifestError, match="two tools called calc"):
        ringfence.load(folder / "ringfence.yaml", functions=[calc])


async def test_a_limit_of_a_tool_that_does_not_exist_is_refused(folder: Path) -> None:
    (folder / "ringfence.yaml").write_text(
        MANIFEST.format(url="http://127.0.0.1:9") + "workflow: {limits: {files.serch: 2}}\n"
    )
    with pytest.raises(
        ManifestError, match=r"expected a tool of files, got 'files.serch'; did you mean 'files.search'"
    ):
        ringfence.load(folder / "ringfence.yaml")


@pytest.mark.parametrize("first", [step("files.read", path="notes/none.txt"), "no step at all"])
async def test_a_manifest_that_says_fail_ends_a_run_at_the_first_failure(folder: Path, first: str) -> None:
    more = "workflow: {error_handling: fail}\n"
    async with listen(ScriptedServer([first, DONE])) as server, agent_of(folder, server, more) as agent:
        result = await agent.run("how many disks are there in total?")
    assert (result.status, server.requests) == ("failed", 1)
    assert ("none.txt" if first.startswith("{") else "could not be read") in result.answer


async def test_a_user_without_a_name_is_a_number(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr("pwd.getpwuid", nameless)
    (folder / "ringfence.yaml").write_text(MANIFEST.format(url="http://127.0.0.1:9"))
    async with ringfence.load(folder / "ringfence.yaml") as agent:
        assert agent.principal.subject == f"user:{os.getuid()}"


async def test_several_streams_of_one_agent_each_show_their_own_run(folder: Path) -> None:
    more = "workflow: {tool_first: false}\n"
    async with listen(ScriptedServer([DONE])) as server, agent_of(folder, server, more) as agent:

        async def runs_seen(task: str) -> set[str]:
            return {event.run_id async for event in agent.stream(task) if event.run_id}

        seen = await asyncio.gather(*(runs_seen(f"task {n}") for n in range(8)))
    assert [len(runs) for runs in seen] == [1] * 8
    assert len(set.union(*seen)) == 8


def test_code_that_is_not_async_runs_one_task_after_another(serve: Serve, folder: Path) -> None:
    serve(*[step("calc", expression="6 * 7"), final("42")] * 2)
    agent = ringfence.load()  # ringfence.yaml, here
    first, second = agent.run_sync("how much?"), agent.run_sync("and now?")
    gc.collect()  # a connection that was left open would complain here
    asyncio.run(agent.close())
    assert (first.answer, second.answer) == ("42", "42")
    assert first.run_id < second.run_id


async def test_a_function_is_a_tool_with_its_arguments_checked(folder: Path) -> None:
    script = [step("on_call", team="ops"), step("on_call", team={"of": "ops"}), final("Ann is on call.")]
    async with listen(ScriptedServer(script)) as server, agent_of(folder, server) as agent:
        result = await agent.run("who is on call?")
        (call,) = [r for r in agent.turn(result.run_id).items if r[1] and r[1].view["sink"] == "tool:on_call"]
    assert result.answer == "Ann is on call."
    assert call[0].body["value"] == {"team": "ops", "name": "Ann"}
    assert [(s.args, s.ok) for s in result.steps if s.tool == "on_call"] == [
        ({"team": "ops"}, True),
        ({"team": {"of": "ops"}}, False),
    ]
    assert b"Who is on call for a team." in server.seen[-1][1], "its docstring is what the model reads of it"


async def test_a_stream_is_the_records_in_order_the_models_text_and_the_result_last(folder: Path) -> None:
    async with listen(ScriptedServer([LOOK, DONE])) as server, agent_of(folder, server) as agent:
        events = [event async for event in agent.stream("what is wrong?")]
        *events, result = events
        assert isinstance(result, Result)
        told = [event for event in events if isinstance(event, Event)]
        assert len(told) == len(events)
        records = [event.record for event in told if event.record is not None]
        assert records == agent.journal.log.read(result.run_id)
    assert [record.seq for record in records] == list(range(len(records)))
    assert (records[0].kind, records[-1].kind) == (Kind.STARTED, Kind.FINISHED)
    assert {event.run_id for event in told if event.record} == {result.run_id}
    assert "".join(event.text for event in told if event.kind == "delta") == LOOK + DONE
    kinds = [event.kind for event in told]
    asked = kinds.index("intent", kinds.index("delta") - 1)
    assert asked == kinds.index("delta") - 1, "the model's text comes after the intent to ask it"


async def test_under_strict_the_steps_stream_and_the_answer_waits_until_it_was_judged(folder: Path) -> None:
    lie = final("I have deleted the walrus. The disk is full.")
    strict = "workflow: {verify: strict}\n"
    async with listen(ScriptedServer([LOOK, lie, lie])) as server, agent_of(folder, server, strict) as agent:
        *told, result = [event async for event in agent.stream("what is wrong?")]
        assert isinstance(result, Result)
    shown = [str(event.record.body) if event.record else event.text for event in told if isinstance(event, Event)]
    assert not any("deleted the walrus. The disk" in text for text in shown)
    assert any("files.read" in text for text in shown)
    assert not any(isinstance(event, Event) and event.kind == "delta" for event in told)
    assert (result.status, result.answer) == ("partial", "The disk is full.")
    assert any("walrus" in flag for flag in result.flags)


@pytest.mark.parametrize(("role", "readable"), [("role:hr", True), ("role:ops", False)])
async def test_a_stream_shows_only_what_its_principal_may_read(folder: Path, role: str, readable: bool) -> None:
    """A stream is a way out like the answer: neither passages nor the model's text get past the readers of a file."""
    canary = "walrus"
    (folder / "notes" / "a.txt").write_text(f"the raise is {canary}\n")
    script = [LOOK, final(f"The raise is {canary}.")]
    async with listen(ScriptedServer(script)) as server:
        manifest = MANIFEST.format(url=server.url).replace("[./notes]", '[./notes], readers: ["role:hr"]')
        (folder / "ringfence.yaml").write_text(manifest)
        async with ringfence.load(folder / "ringfence.yaml") as agent:
            agent.principal = Principal("user:bob", frozenset({role}))
            agent.house.specs["model:main"] = replace(
                agent.house.specs["model:main"], audience=NOBODY
            )  # anything may enter it
            *told, result = [event async for event in agent.stream("what is the raise?")]
            assert isinstance(result, Result)
            kept = agent.journal.log.read(result.run_id)
    assert canary.encode() in server.seen[-1][1], "the model was shown it, whoever asked"
    assert any(canary in json.dumps(record.body) for record in kept), "and it is on record"
    events = [event for event in told if isinstance(event, Event)]
    shown = [event.record.body if event.record else event.text for event in events]
    assert (canary in json.dumps(shown)) is readable
    assert any(event.kind == "delta" for event in events) is readable
    assert ([event.record for event in events if event.record] == kept) is readable
    assert (canary in result.answer) is readable


async def test_a_stream_that_nobody_reads_on_leaves_a_run_that_can_be_resumed(folder: Path) -> None:
    async with listen(ScriptedServer([LOOK, DONE])) as server, agent_of(folder, server) as agent:
        stream = agent.stream("what is wrong?")
        async for event in stream:
            if isinstance(event, Event) and event.kind == "delta":
                break
        await stream.aclose()
        await agent.journal.flush()
        (run,) = agent.journal.log.runs()
        assert run.state == "open"
        assert (await agent.resume(run.run)).answer == "The disk is full."


async def test_a_finished_run_is_resumed_to_the_same_result_and_adds_nothing(folder: Path) -> None:
    async with listen(ScriptedServer([LOOK, DONE])) as server, agent_of(folder, server) as agent:
        first = await agent.run("what is wrong?")
        before = agent.journal.log.read(first.run_id)
        assert await agent.resume(first.run_id[:-1]) == first
        assert agent.journal.log.read(first.run_id) == before
    async with listen(ScriptedServer([DONE])) as server, agent_of(folder, server) as later:
        assert await later.resume(first.run_id) == first
        assert server.requests == 0


async def test_a_conversation_is_remembered_and_another_one_knows_nothing_of_it(folder: Path) -> None:
    script = [step("calc", expression="1+1"), final("My answer is walrus.")]
    async with listen(ScriptedServer(script, cycle=True)) as server, agent_of(folder, server) as agent:
        await agent.run("the first question", conversation="a")
        server.seen.clear()
        await agent.run("the second question", conversation="a")
        said = [(m["role"], m["content"]) for m in json.loads(server.seen[0][1])["messages"]]
        assert ("user", "the first question") in said
        assert ("assistant", "My answer is walrus.") in said
        for other in ("b", ""):
            server.seen.clear()
            await agent.run("the third question", conversation=other)
            assert b"walrus" not in server.seen[0][1]


async def test_a_server_that_is_absent_is_an_exception_and_one_that_fails_later_is_a_result(folder: Path) -> None:
    async with agent_of(folder, ScriptedServer([DONE], port=1)) as agent:
        with pytest.raises(BackendError, match="no model server answers at"):
            await agent.run("what is wrong?")
    async with listen(ScriptedServer([DONE], mode="500")) as server, agent_of(folder, server) as agent:
        result = await agent.run("what is wrong?")
    assert result.status == "failed"
    assert "out of memory" in result.answer


async def test_errors_say_whose_fault_it_is_and_what_to_do(folder: Path) -> None:
    with pytest.raises(ManifestError) as wrong:
        ringfence.load(folder / "absent.yaml")
    assert "ringfence init" in wrong.value.todo
    async with listen(ScriptedServer([DONE])) as server, agent_of(folder, server) as agent:
        with pytest.raises(JournalError, match="no run starts with 'nonsense'") as unknown:
            await agent.resume("nonsense")
    assert unknown.value.todo


def modules() -> list[str]:
    found = pkgutil.walk_packages(ringfence.__path__, "ringfence.")
    return ["ringfence", *(each.name for each in found if not each.name.endswith("__main__"))]


@pytest.mark.parametrize("name", modules())
def test_every_docstring_example_runs(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_docstring_examples() -> None:
    finder = doctest.DocTestFinder()
    assert any(each.examples for name in modules() for each in finder.find(importlib.import_module(name)))
