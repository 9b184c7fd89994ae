"""What goes on once contents were destroyed: other runs of the conversation, questions, replays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence import tool
from ringfence.app import Agent, from_manifest, operator, privacy
from ringfence.cli import replay
from ringfence.cli.exits import Exit
from ringfence.manifest.loader import load
from ringfence.testing.scripted import ScriptedModel

from .test_effects import done, step

MANIFEST = """\
inference: {provider: llamacpp, model: scripted}
workflow: {tool_first: false}
sandbox: unsafe-none
"""


def functions(sent: list[str]) -> list[Callable[..., Any]]:
    @tool("write", roles={"text": "text"}, audience=["self"], ask=True)
    def send(text: str) -> str:
        """Send a note."""
        sent.append(text)
        return "sent"

    return [send]


def agent_of(folder: Path, sent: list[str], *texts: str) -> Agent:
    (path := folder / "ringfence.yaml").write_text(MANIFEST)
    return from_manifest(load(path), functions=functions(sent), model=ScriptedModel(list(texts)))


def erase(folder: Path, subject: str) -> None:
    manifest = load(folder / "ringfence.yaml")
    privacy.erase(manifest, subject, by=operator(manifest))


async def test_a_run_whose_conversation_was_erased_is_asked_about_and_goes_on_without_it(tmp_path: Path) -> None:
    sent: list[str] = []
    async with agent_of(tmp_path, sent, done("a leg"), step("send", text="hello")) as agent:
        await agent.run("what of patient 1?", conversation="c", about=("patient:1",))
        waits = await agent.run('send "hello"', conversation="c")
        assert waits.status == "waiting"
    erase_in_thread(tmp_path, "patient:1")
    async with agent_of(tmp_path, sent, done("sent")) as agent:
        assert [asked.run for asked in agent.waiting()] == [waits.run_id]
        assert agent.uncertain() == []
        assert (await agent.approve(waits.run_id)).status == "done"
    assert sent == ["hello"]


def erase_in_thread(folder: Path, subject: str) -> None:
    """The command has an event loop of its own."""
    import threading

    thread = threading.Thread(target=erase, args=(folder, subject))
    thread.start()
    thread.join()


def test_every_run_is_replayed_though_some_were_erased(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import asyncio

    async def runs() -> None:
        async with agent_of(tmp_path, [], done("a leg"), done("an arm")) as agent:
            await agent.run("what of patient 1?", about=("patient:1",))
            await agent.run("what of patient 2?", about=("patient:2",))

    asyncio.run(runs())
    erase(tmp_path, "patient:1")
    code = replay.execute(tmp_path / "ringfence.yaml", (), every=True, decisions=True, as_json=False)
    out = capsys.readouterr().out
    assert code is Exit.DONE, out
    assert "3 runs: 0 would go otherwise, 1 destroyed" in out
