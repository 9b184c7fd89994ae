"""The agent as tools of an MCP server, with the real client, over both transports."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import StdioServerParameters
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult

import ringfence
from ringfence import tool
from ringfence.app.agent import Agent
from ringfence.channels import telling
from ringfence.channels.mcp.http import SESSIONS_EACH
from ringfence.testing.server import ScriptedServer, listen

from .kit import ALICE, MANIFEST, Held, final, step
from .online import Online, online

MODES = ("auto", "legacy")
HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}  # fmt: skip


@asynccontextmanager
async def connected(here: Online, name: str = "alice", *, mode: str = "auto") -> AsyncIterator[Client]:
    """The client, as somebody."""
    headers = {"Authorization": f"Bearer {name}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(f"{here.url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


def text_of(result: CallToolResult) -> str:
    return "".join(getattr(part, "text", "") for part in result.content)


def paying(paid: list[int]) -> Any:
    @tool("write", roles={"amount": "control"}, audience=["self"], ask=True)
    def pay(amount: int) -> str:
        """Pay an amount."""
        paid.append(amount)
        return "paid"

    return pay


@pytest.mark.parametrize("mode", MODES)
async def test_ask_answers_with_its_run_and_tells_of_each_step(tmp_path: Path, mode: str) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.txt").write_text("the code is 1234")
    manifest = MANIFEST.replace(
        "tools: []", "tools: [{name: files, type: builtin, permissions: [read], target_paths: [./docs]}]"
    )
    steps = [step("files.read", path="docs/a.txt"), final("The code is 1234.")]
    told: list[tuple[float, str]] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append((done, message or ""))

    async with online(tmp_path, steps, manifest=manifest) as here, connected(here, mode=mode) as client:
        assert [one.name for one in (await client.list_tools()).tools] == ["ask", "run_status", "approvals"]
        found = await client.call_tool("ask", {"task": "what is the code in docs/a.txt?"}, progress_callback=progress)
        assert not found.is_error
        assert text_of(found) == "The code is 1234."
        [run] = here.service.runs(ALICE)
        assert found.structured_content["run"] == run.run
        assert found.structured_content["status"] == "done"
        assert any("files.read" in message for _, message in told)
        assert [count for count, _ in told] == sorted({count for count, _ in told})
        again = await client.call_tool("run_status", {"run": run.run})
        assert again.structured_content["answer"] == "The code is 1234."


async def test_what_asks_cannot_act_whatever_its_task_says(tmp_path: Path) -> None:
    paid: list[int] = []
    steps = [step("pay", amount=30), final("I could not.")]
    async with online(tmp_path, steps, functions=[paying(paid)]) as here, connected(here) as client:
        hints = {one.name: one.annotations for one in (await client.list_tools()).tools}
        assert set(hints) == {"ask", "act", "run_status", "approvals"}
        assert all(hints[name].read_only_hint for name in ("ask", "run_status", "approvals"))  # type: ignore[union-attr]
        assert hints["act"].read_only_hint is False  # type: ignore[union-attr]
        assert hints["act"].destructive_hint is True  # type: ignore[union-attr]
        await client.call_tool("ask", {"task": "pay 30 for me"})
        [run] = here.service.runs(ALICE)
        decided = [r for r in here.service.agent.journal.log.read(run.run) if r.kind == "decision"]
        assert [(one.view["rule"], one.view["verdict"]) for one in decided] == [("POL-3", "deny")]
    assert paid == []


async def test_act_waits_for_a_person_and_nothing_here_can_say_yes(tmp_path: Path) -> None:
    paid: list[int] = []
    steps = [step("pay", amount=30), final("paid")]
    async with online(tmp_path, steps, functions=[paying(paid)]) as here, connected(here) as client:
        found = await client.call_tool("act", {"task": "pay 30 for me"})
        about = found.structured_content
        assert about["status"] == "waiting"
        assert about["approval"]["url"] == f"{here.url}/#/runs/{about['run']}"
        waits = await client.call_tool("approvals", {})
        assert [one["run"] for one in waits.structured_content["waiting"]] == [about["run"]]
        assert waits.structured_content["waiting"][0]["call"] == "pay(amount=30)"
        names = {one.name for one in (await client.list_tools()).tools}
        assert names == {"ask", "act", "run_status", "approvals"}
        async with connected(here, "bob") as bob:
            assert (await bob.call_tool("approvals", {})).structured_content == {"waiting": []}
            other = await bob.call_tool("run_status", {"run": about["run"]})
            assert other.is_error
            assert "no such run" in text_of(other)
        assert paid == []


async def test_what_waits_is_folded_beside_the_event_loop_and_of_others_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folded: list[tuple[str, bool]] = []

    def seen(agent: Agent, run: str, log: Any = None) -> Any:
        folded.append((run, threading.current_thread() is threading.main_thread()))
        return turn(agent, run, log)

    steps = [step("pay", amount=30), step("pay", amount=40)]
    async with online(tmp_path, steps, functions=[paying([])]) as here, connected(here) as alice:
        hers = (await alice.call_tool("act", {"task": "pay 30 for me"})).structured_content["run"]
        async with connected(here, "bob") as bob:
            await bob.call_tool("act", {"task": "pay 40 for me"})
        turn = Agent.turn
        monkeypatch.setattr(Agent, "turn", seen)
        monkeypatch.setattr(type(here.service.agent), "waiting", None)  # which folds all of them, here
        waits = await alice.call_tool("approvals", {})
        assert [one["call"] for one in waits.structured_content["waiting"]] == ["pay(amount=30)"]
        assert folded == [(hers, False)]


async def test_a_run_that_fails_is_an_error_to_the_client(tmp_path: Path) -> None:
    async with online(tmp_path, []) as here, connected(here) as client:
        failed = await client.call_tool("ask", {"task": "six times seven?"})
        assert failed.is_error
        assert failed.structured_content["status"] == "failed"


@pytest.mark.parametrize(
    "arguments", [{}, {"task": " "}, {"task": 7}, {"task": "x", "principal": "user:bob"}, {"task": "x" * 100_001}]
)
async def test_arguments_that_do_not_fit_are_refused_in_words(tmp_path: Path, arguments: dict[str, Any]) -> None:
    async with online(tmp_path) as here, connected(here) as client:
        refused = await client.call_tool("ask", arguments)
        assert refused.is_error
        assert "task" in text_of(refused) or "principal" in text_of(refused)
        with pytest.raises(MCPError, match="there is no tool 'act'"):
            await client.call_tool("act", {"task": "x"})
        assert here.service.runs(ALICE) == []


async def test_nobody_gets_in_without_a_key_and_nobody_from_another_page(tmp_path: Path) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    good = {"Authorization": "Bearer alice", "Accept": "application/json, text/event-stream"}
    async with online(tmp_path) as here, httpx2.AsyncClient() as http:
        url = f"{here.url}/mcp"
        for headers, status in (
            ({"Accept": good["Accept"]}, 401),
            ({**good, "Origin": "https://evil.test"}, 403),
            ({**good, "Host": "evil.test"}, 421),
            ({**good, "MCP-Protocol-Version": "1999-01-01"}, 400),
        ):
            told = await http.post(url, json=body, headers=headers)
            assert told.status_code == status, told.text
        assert (await http.get(f"{url}/more", headers=good)).status_code == 404


async def test_a_session_belongs_to_the_principal_who_began_it(tmp_path: Path) -> None:
    accept = {"Accept": "application/json, text/event-stream"}
    async with online(tmp_path) as here, httpx2.AsyncClient() as http:
        alice = {**accept, "Authorization": "Bearer alice"}
        begun = await http.post(f"{here.url}/mcp", json=HELLO, headers=alice)
        session = {"Mcp-Session-Id": begun.headers["mcp-session-id"]}
        ask = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        bob = {**accept, **session, "Authorization": "Bearer bob"}
        assert (await http.post(f"{here.url}/mcp", json=ask, headers=bob)).status_code == 404
        assert (await http.delete(f"{here.url}/mcp", headers=bob)).status_code == 404
        ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        assert (await http.post(f"{here.url}/mcp", json=ready, headers={**alice, **session})).status_code == 202
        mine = await http.post(f"{here.url}/mcp", json=ask, headers={**alice, **session})
        assert '"ask"' in mine.text


async def test_one_principal_cannot_hold_all_sessions(tmp_path: Path) -> None:
    accept = {"Accept": "application/json, text/event-stream"}
    async with online(tmp_path) as here, httpx2.AsyncClient(timeout=60) as http:
        alice, bob = ({**accept, "Authorization": f"Bearer {name}"} for name in ("alice", "bob"))
        begun = [await http.post(f"{here.url}/mcp", json=HELLO, headers=alice) for _ in range(SESSIONS_EACH)]
        assert {one.status_code for one in begun} == {200}
        refused = await http.post(f"{here.url}/mcp", json=HELLO, headers=alice)
        assert (refused.status_code, refused.json()["code"]) == (429, "sessions")
        assert int(refused.headers["retry-after"]) > 0
        assert (await http.post(f"{here.url}/mcp", json=HELLO, headers=bob)).status_code == 200
        session = {"Mcp-Session-Id": begun[0].headers["mcp-session-id"]}
        assert (await http.delete(f"{here.url}/mcp", headers={**alice, **session})).status_code == 200
        assert (await http.post(f"{here.url}/mcp", json=HELLO, headers=alice)).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": "\xff"}', 400),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, 400),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "x": "' + b"x" * 3000 + b'"}', 413),
    ],
)
async def test_malformed_and_huge_messages_are_refused_and_the_next_is_served(
    tmp_path: Path, body: bytes, status: int
) -> None:
    manifest = MANIFEST + "server: {limits: {body_kb: 2}}\n" if status == 413 else MANIFEST
    headers = {
        "Authorization": "Bearer alice", "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
    }  # fmt: skip
    async with online(tmp_path, manifest=manifest) as here:
        async with httpx2.AsyncClient() as http:
            told = await http.post(f"{here.url}/mcp", content=body, headers=headers)
            assert told.status_code == status, told.text
            assert "Traceback" not in told.text
        async with connected(here) as client:
            assert text_of(await client.call_tool("ask", {"task": "six times seven?"})) == "42"


@pytest.mark.parametrize("mode", MODES)
async def test_a_call_that_is_given_up_ends_its_run(tmp_path: Path, mode: str) -> None:
    model = Held([final("never")])
    async with online(tmp_path, model=model) as here:
        async with connected(here, mode=mode) as client:
            calling = asyncio.create_task(client.call_tool("ask", {"task": "think for ever"}))
            await model.asked.wait()
            calling.cancel()
            await asyncio.wait([calling])
            [run] = here.service.runs(ALICE)
            async with asyncio.timeout(60):
                async for _ in here.service.events(ALICE, run.run):
                    pass
                await telling.settled()
        assert here.service.runs(ALICE)[0].state == "cancelled"


async def test_a_server_that_is_told_to_has_no_mcp(tmp_path: Path) -> None:
    async with online(tmp_path, manifest=MANIFEST + "server: {mcp: false}\n") as here, httpx2.AsyncClient() as http:
        told = await http.post(f"{here.url}/mcp", json={}, headers={"Authorization": "Bearer alice"})
        assert told.status_code == 404


@asynccontextmanager
async def started(folder: Path, answers: list[str], *more: str) -> AsyncIterator[StdioServerParameters]:
    """`ringfence mcp` for a manifest whose model is a scripted server on loopback."""
    async with listen(ScriptedServer(answers or ["-"])) as model:
        (folder / "ringfence.yaml").write_text(
            MANIFEST.replace("http://127.0.0.1:1/v1", f"{model.url}/v1") + "workflow: {tool_first: false}\n"
        )
        args = ["-m", "ringfence.cli", "mcp", "-m", str(folder / "ringfence.yaml"), *more]
        env = {"PYTHONPATH": str(Path(ringfence.__file__).parents[1])}  # this very source, whatever is installed
        yield StdioServerParameters(command=sys.executable, args=args, cwd=folder, env=env)


@pytest.mark.parametrize("mode", MODES)
async def test_an_editor_starts_it_and_asks_over_stdio(tmp_path: Path, mode: str) -> None:
    async with started(tmp_path, [final("42")]) as command, Client(command, mode=mode) as client:
        assert "ask" in {one.name for one in (await client.list_tools()).tools}
        found = await client.call_tool("ask", {"task": "six times seven?"})
        assert text_of(found) == "42"
        status = await client.call_tool("run_status", {"run": found.structured_content["run"]})
        assert status.structured_content["status"] == "done"


async def test_stdio_refuses_what_is_no_message_and_goes_on(tmp_path: Path) -> None:
    async with started(tmp_path, []) as command:
        process = await asyncio.create_subprocess_exec(
            command.command, *command.args, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=tmp_path
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        hello = {**HELLO, "id": 7}
        huge = b'{"jsonrpc": "2.0", "id": 1, "method": "' + b"x" * 3_000_000 + b'"}\n'
        process.stdin.write(b"not json\n" + huge + b"\xff\xfe\n[]\n" + json.dumps(hello).encode() + b"\n")
        await process.stdin.drain()
        async with asyncio.timeout(60):
            lines = []
            while not any(one.get("id") == 7 for one in lines):
                line = await process.stdout.readline()
                assert line, "it ended"
                lines.append(json.loads(line))  # nothing but messages
            process.stdin.close()
            assert await process.wait() == 0


async def test_stdio_is_narrowed_by_as_to_a_role_that_one_has(tmp_path: Path) -> None:
    async with started(tmp_path, [], "--as", "role:nobody") as command:
        process = await asyncio.create_subprocess_exec(
            command.command, *command.args, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, cwd=tmp_path,
        )  # fmt: skip
        out, err = await process.communicate()
        assert process.returncode not in (0, None)
        assert out == b""
        assert b"expected a role that you hold" in err
