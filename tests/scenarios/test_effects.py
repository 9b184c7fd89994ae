"""Whole runs with tools that act: through the manifest, the sandbox, the gate and the journal."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from ringfence.app import Agent, from_manifest
from ringfence.core.chain import Kind, Record
from ringfence.manifest.loader import load
from ringfence.testing.scripted import ScriptedModel

HONEST = Path(__file__).parents[1] / "tools" / "mcp" / "honest.py"
MODEL = "inference: {provider: llamacpp, model: scripted}\n"


def step(tool: str, **args: Any) -> str:
    return json.dumps({"thought": "so", "calls": [{"tool": tool, "args": args}]})


def done(answer: str = "It is done.") -> str:
    end = {"answer": answer, "artifacts": [], "confidence": "high"}
    return json.dumps({"thought": "so", "final_answer": end})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("the disk is full\n")
    return tmp_path


@asynccontextmanager
async def agent_of(folder: Path, manifest: str, *script: str) -> AsyncIterator[Agent]:
    path = folder / "ringfence.yaml"
    path.write_text(MODEL + manifest)
    agent = from_manifest(load(path), model=ScriptedModel(script))
    async with agent:
        yield agent


def decisions(records: list[Record]) -> list[tuple[str, str, str]]:
    return [(r.view["sink"], r.view["verdict"], r.view["code"]) for r in records if r.kind is Kind.DECISION]


FILES = "tools: [{name: files, type: builtin, permissions: [read, write], target_paths: [./notes]}]\n"


async def test_a_file_that_the_user_named_is_written_and_can_be_undone(folder: Path) -> None:
    write = step("files.write", path="notes/b.txt", text="checked")
    async with agent_of(folder, FILES, write, done()) as agent:
        result = await agent.run("write checked into notes/b.txt")
        assert (result.status, (folder / "notes" / "b.txt").read_text()) == ("done", "checked")
        started = agent.journal.log.read(result.run_id)[0]
    assert "tool:files.write" in started.view["effects"]


async def test_a_question_grants_no_effect_whatever_is_read_on_the_way(folder: Path) -> None:
    write = step("files.write", path="notes/a.txt", text="all is well", mode="overwrite")
    async with agent_of(folder, FILES, write, done("The disk is full.")) as agent:
        result = await agent.run("what is wrong in notes/a.txt?")
        records = agent.journal.log.read(result.run_id)
    assert decisions(records) == [("tool:files.write", "deny", "outside-grant")]
    assert (folder / "notes" / "a.txt").read_text() == "the disk is full\n"


async def test_a_path_that_nobody_named_asks_and_shows_the_difference(folder: Path) -> None:
    edit = step("files.edit", path="notes/a.txt", old="full", new="fine")
    async with agent_of(folder, FILES, edit, done()) as agent:
        result = await agent.run("correct the note about the disk")
        assert result.status == "waiting"
        (asked,) = agent.waiting()
        assert [(o.argument, o.source) for o in asked.origins] == [("path", "")]
        assert "-the disk is full\n+the disk is fine" in await agent.preview(asked)
        assert (await agent.approve(result.run_id)).status == "done"
    assert (folder / "notes" / "a.txt").read_text() == "the disk is fine\n"


NOTES = """
tools: [{name: notes, type: mcp, command: [python, server.py], permissions: [write]}]
catalogue:
  notes.listed: {effect: read, confined: true, audience: [self], output: {/notes/*/author: name}}
  notes.keep: {effect: write, audience: [self], args: {text: text, author: {type: name}}}
"""


async def test_an_mcp_server_is_locked_started_and_its_typed_leaves_vouch(folder: Path) -> None:
    shutil.copy(HONEST, folder / "server.py")
    (folder / "ringfence.yaml").write_text(MODEL + NOTES)
    locking = await asyncio.create_subprocess_exec(sys.executable, "-m", "ringfence.cli", "lock", cwd=folder)
    assert await locking.wait() == 0
    script = [
        step("notes.keep", text="one"),
        step("notes.listed"),
        step("notes.keep", text="two", author={"$ref": "HANDLE"}),
        done(),
    ]
    async with agent_of(folder, NOTES, *script) as agent:
        model = agent.house.sinks["model:main"]
        assert isinstance(model, ScriptedModel)
        answers = iter(script)

        def say(prompt: Any) -> str:
            shown = b"".join(prompt.messages).decode()
            handle = shown.rpartition("notes.listed() [")[2].partition("]")[0]
            return next(answers).replace("HANDLE", f"{handle}/notes/0/author")

        model._steps = say
        result = await agent.run("save the note one, and then save the note two by its author")
        records = agent.journal.log.read(result.run_id)
    assert (result.status, decisions(records)) == ("done", [])
    typed = [r.body["typed"] for r in records if "typed" in r.body]
    assert typed == [{"/notes/0/author": "name"}]
    (second,) = (r for r in records if r.kind is Kind.INTENT and r.body.get("args", {}).get("text") == "two")
    assert second.body["args"]["author"] == "nobody"


KEYED = """
tools:
  - {name: notes, type: mcp, command: [python, server.py], permissions: [write]}
  - {name: pledge, type: python, function: "pledges:pledge"}
catalogue:
  notes.keep: {effect: commit, audience: [self], args: {text: text}, idempotency_key: author}
  pledge: {effect: commit, audience: [self], args: {text: text}, idempotency_key: key}
grant: {effects: [notes.keep, pledge]}
"""
PLEDGES = """
def pledge(text: str, key: str) -> dict[str, str]:
    "Pledge something."
    return {"text": text, "key": key}
"""


async def test_a_server_and_a_function_get_the_key_that_is_on_record_and_the_model_cannot_choose_it(
    folder: Path,
) -> None:
    shutil.copy(HONEST, folder / "server.py")
    (folder / "pledges.py").write_text(PLEDGES)
    (folder / "ringfence.yaml").write_text(MODEL + KEYED)
    locking = await asyncio.create_subprocess_exec(sys.executable, "-m", "ringfence.cli", "lock", cwd=folder)
    assert await locking.wait() == 0
    script = [
        step("notes.keep", text="one"),
        step("pledge", text="two"),
        step("notes.keep", text="three", author="me"),
        step("pledge", text="four", key="mine"),
        done(),
    ]
    async with agent_of(folder, KEYED, *script) as agent:
        result = await agent.run("keep the note one and pledge two")
        records = agent.journal.log.read(result.run_id)
    keys = {r.seq: r.view["key"] for r in records if r.kind is Kind.INTENT and r.view["sink"].startswith("tool:")}
    values = {r.view["of"]: r.body["value"] for r in records if r.kind is Kind.OUTCOME and r.view["of"] in keys}
    got = [(keys[seq], value.get("author") or value.get("key")) for seq, value in values.items()]
    assert len(got) == 2
    assert all(key == given for key, given in got)
    assert decisions(records) == [
        ("tool:notes.keep", "deny", "bad-arguments"), ("tool:pledge", "deny", "bad-arguments"),
    ]  # fmt: skip


async def test_a_server_that_was_not_accepted_has_no_tools(folder: Path) -> None:
    shutil.copy(HONEST, folder / "server.py")
    manifest = NOTES.partition("catalogue")[0]
    async with agent_of(folder, manifest, step("notes.keep", text="one"), done()) as agent:
        result = await agent.run("save the note one")
        assert decisions(agent.journal.log.read(result.run_id)) == [("tool:notes.keep", "deny", "unknown-sink")]
        assert "ringfence lock" in agent.house.servers[0].quarantined["*"]


PAGE = """
import os, urllib.request
from ringfence import tool

@tool("egress", roles={"url": "control"}, audience=["self"])
def page(url: str) -> str:
    "Fetch a page."
    return urllib.request.urlopen(url, timeout=60).read().decode()
"""


async def test_what_a_function_reaches_is_on_the_record_of_its_run_before_a_byte_leaves(folder: Path) -> None:
    asked: list[str] = []

    async def hello(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text="hello")

    served = web.Application()
    served.router.add_get("/{tail:.*}", hello)
    runner = web.AppRunner(served)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    (folder / "pages.py").write_text(PAGE)
    host = f'[{{host: "127.0.0.1", port: {port}, private: true, audience: [public]}}]'
    manifest = f"""
tools: [{{name: page, type: python, function: "pages:page", hosts: {host}}}]
catalogue: {{page: {{effect: egress, args: {{url: {{type: url}}}}, audience: [self]}}}}
"""
    here, away = f"http://127.0.0.1:{port}/a", "http://192.0.2.1/b"
    try:
        async with agent_of(folder, manifest, step("page", url=here), step("page", url=away), done("hello")) as agent:
            result = await agent.run(f"fetch {here} and then {away}")
            records = agent.journal.log.read(result.run_id)
    finally:
        await runner.cleanup()
    tried = [(e["state"], e["host"], e["path"]) for r in records if (e := r.view.get("egress"))]
    assert tried == [("open", "127.0.0.1", "/a"), ("done", "127.0.0.1", "/a"), ("refused", "192.0.2.1", "/b")]
    assert asked == ["/a"]
    assert result.status == "done"


async def test_a_grant_names_the_only_objects_and_no_word_of_the_user_widens_it(folder: Path) -> None:
    manifest = FILES + "grant: {objects: {files.write: [notes/b.txt]}}\n"
    script = [step("files.write", path=f"notes/{name}.txt", text="x") for name in "cb"]
    async with agent_of(folder, manifest, *script, done()) as agent:
        result = await agent.run("write x into notes/c.txt and notes/b.txt")
        assert decisions(agent.journal.log.read(result.run_id)) == [("tool:files.write", "deny", "outside-grant")]
    assert sorted(path.name for path in (folder / "notes").iterdir()) == ["a.txt", "b.txt"]


def test_the_policy_is_named_alike_in_every_process(folder: Path) -> None:
    (folder / "ringfence.yaml").write_text(
        MODEL
        + FILES.replace("target_paths", "readers: ['role:a', 'role:b', 'user:c'], target_paths")
        + "catalogue: {files.write: {effect: write, audience: ['role:a', 'role:b'], args: {path: {type: path}}}}\n"
    )
    code = "from ringfence.app import load; print(load('ringfence.yaml')._policed().policy.digest)"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=folder, env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True, timeout=60,
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("task", "status"),
    [("write all is well into notes/a.txt", "waiting"), ("overwrite notes/a.txt with all is well", "done")],
)
async def test_a_file_is_overwritten_unasked_only_if_the_user_said_so(folder: Path, task: str, status: str) -> None:
    write = step("files.write", path="notes/a.txt", text="all is well", mode="overwrite")
    async with agent_of(folder, FILES, write, done()) as agent:
        assert (await agent.run(task)).status == status
    kept = (folder / "notes" / "a.txt").read_text()
    assert kept == ("the disk is full\n" if status == "waiting" else "all is well")
