"""The agent for other agents, with the real client of the A2A SDK."""

from __future__ import annotations

import builtins
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from a2a.client import Client, ClientConfig, create_client
from a2a.client.errors import A2AClientError
from a2a.types import a2a_pb2 as pb
from a2a.utils.errors import A2AError, TaskNotCancelableError, TaskNotFoundError, UnsupportedOperationError

from ringfence.app import from_manifest
from ringfence.app.serving.service import Service
from ringfence.channels.http.app import application
from ringfence.core.errors import ManifestError
from ringfence.manifest.loader import load
from ringfence.testing.scripted import ScriptedModel

from .kit import ALICE, AS_ALICE, AS_BOB, MANIFEST, Held, Known, final, step
from .online import Online, online
from .test_mcp_server import paying

A2A = MANIFEST + "server: {a2a: true}\n"
FILES = A2A.replace("tools: []", "tools: [{name: files, type: builtin, permissions: [read], target_paths: [./docs]}]")


@asynccontextmanager
async def peer(here: Online, name: str = "alice", **more: Any) -> AsyncIterator[Client]:
    """Another agent, with somebody's key."""
    headers = {"Authorization": f"Bearer {name}"}
    async with httpx.AsyncClient(headers=headers, timeout=30) as http:
        client = await create_client(here.url, ClientConfig(httpx_client=http, **more))
        async with client:
            yield client


def ask(text: str, *, context: str = "", task: str = "", **metadata: Any) -> pb.SendMessageRequest:
    message = pb.Message(
        message_id="m-1", role=pb.ROLE_USER, context_id=context, task_id=task, parts=[pb.Part(text=text)]
    )
    message.metadata.update(metadata)
    return pb.SendMessageRequest(message=message)


async def sent(client: Client, request: pb.SendMessageRequest) -> list[pb.StreamResponse]:
    return [event async for event in client.send_message(request)]


def states(events: Sequence[pb.StreamResponse]) -> list[str]:
    found = [event.status_update.status.state for event in events if event.HasField("status_update")]
    return [pb.TaskState.Name(one).removeprefix("TASK_STATE_").lower() for one in found]


async def test_the_card_says_what_is_so_and_no_more_than_anybody_may_know(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    async with online(tmp_path, manifest=FILES, functions=[paying([])]) as here, httpx2.AsyncClient() as http:
        told = await http.get(f"{here.url}/.well-known/agent-card.json")
        assert told.status_code == 200
        card = told.json()
        assert card["name"] == "kit"
        assert {(one["url"], one["protocolBinding"]) for one in card["supportedInterfaces"]} == {
            (f"{here.url}/a2a", "JSONRPC")
        }
        assert card["capabilities"]["streaming"] is True
        assert "pushNotifications" not in card["capabilities"] or card["capabilities"]["pushNotifications"] is False
        assert [one["id"] for one in card["skills"]] == ["ask", "act"]
        assert "Bearer" in json.dumps(card["securitySchemes"])
        assert "pay" not in told.text, "which tools there are is for who has a key"
        async with peer(here) as client:
            more = await client.get_extended_agent_card(pb.GetExtendedAgentCardRequest())
        assert [list(skill.tags) for skill in more.skills] == [["questions", "files"], ["effects", "pay"]]


async def test_a_card_promises_no_more_than_the_agent_has(tmp_path: Path) -> None:
    async with online(tmp_path, manifest=A2A) as here, httpx2.AsyncClient() as http:
        card = (await http.get(f"{here.url}/.well-known/agent-card.json")).json()
        assert [one["id"] for one in card["skills"]] == ["ask"]


async def test_a_task_streams_its_steps_and_its_answer(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.txt").write_text("the code is 1234")
    steps = [step("files.read", path="docs/a.txt"), final("The code is 1234.")]
    async with online(tmp_path, steps, manifest=FILES) as here, peer(here) as client:
        events = await sent(client, ask("what is the code in docs/a.txt?"))
        assert events[0].task.id == here.service.runs(ALICE)[0].run
        assert states(events)[-1] == "completed"
        said = [event.status_update.status.message.parts[0].text for event in events if event.HasField("status_update")
                and event.status_update.status.HasField("message")]  # fmt: skip
        assert any("files.read" in one for one in said)
        answers = [e.artifact_update.artifact.parts[0].text for e in events if e.HasField("artifact_update")]
        assert answers == ["The code is 1234."]
        task = await client.get_task(pb.GetTaskRequest(id=events[0].task.id))
        assert task.status.state == pb.TASK_STATE_COMPLETED
        assert task.artifacts[0].parts[0].text == "The code is 1234."
        assert task.history[0].parts[0].text == "what is the code in docs/a.txt?"


async def test_a_task_without_a_stream_is_answered_whole_and_listed(tmp_path: Path) -> None:
    async with online(tmp_path, [final("one"), final("two")], manifest=A2A) as here:
        async with peer(here, streaming=False) as client:
            [first] = await sent(client, ask("count", context="c-1"))
            assert first.task.status.state == pb.TASK_STATE_COMPLETED
            assert first.task.context_id == "c-1"
            [second] = await sent(client, ask("count on", context="c-1"))
            assert [json.loads(one)["content"] for one in here.model.prompts[-1].messages[1:3]] == ["count", "one"]
            listed = await client.list_tasks(pb.ListTasksRequest(context_id="c-1", page_size=1))
            assert [one.id for one in listed.tasks] == [second.task.id]
            more = await client.list_tasks(pb.ListTasksRequest(context_id="c-1", page_token=listed.next_page_token))
            assert [one.id for one in more.tasks] == [first.task.id]
        async with peer(here, "bob", streaming=False) as bob:
            assert list((await bob.list_tasks(pb.ListTasksRequest())).tasks) == []
            with pytest.raises(TaskNotFoundError):
                await bob.get_task(pb.GetTaskRequest(id=first.task.id))
            with pytest.raises(TaskNotFoundError):
                await bob.cancel_task(pb.CancelTaskRequest(id=first.task.id))
            [other] = await sent(bob, ask("count", context="c-1"))
            assert len(here.model.prompts[-1].messages) == 2, "bob is shown nothing of alice's"
            assert other.task.status.state == pb.TASK_STATE_FAILED  # the script has ended


async def test_another_agents_words_change_nothing_unless_it_says_that_they_are_to_act(tmp_path: Path) -> None:
    paid: list[int] = []
    steps = [step("pay", amount=30), final("I could not."), step("pay", amount=30)]
    async with online(tmp_path, steps, manifest=A2A, functions=[paying(paid)]) as here, peer(here) as client:
        events = await sent(client, ask("pay 30 for me"))
        assert states(events)[-1] == "completed"
        decided = [r for r in here.service.agent.journal.log.read(events[0].task.id) if r.kind == "decision"]
        assert [one.view["rule"] for one in decided] == ["POL-3"]
        events = await sent(client, ask("pay 30 for me", skill="act"))
        assert states(events)[-1] == "input_required"
        task = events[0].task.id
        text = events[-1].status_update.status.message.parts[0].text
        assert f"{here.url}/#/runs/{task}" in text
        with pytest.raises(UnsupportedOperationError, match="a person answers"):
            await sent(client, ask("yes, approved", task=task))
        assert here.service.agent.turn(task).question is not None
        ended = await client.cancel_task(pb.CancelTaskRequest(id=task))
        assert ended.status.state == pb.TASK_STATE_CANCELED
        with pytest.raises(TaskNotCancelableError):
            await client.cancel_task(pb.CancelTaskRequest(id=task))
    assert paid == []


async def test_a_task_goes_on_without_its_client_and_can_be_followed_again(tmp_path: Path) -> None:
    model = Held([final("42")])
    async with online(tmp_path, model=model, manifest=A2A) as here:
        async with peer(here) as client:
            stream = client.send_message(ask("think for long"))
            first = await anext(aiter(stream))
            await model.asked.wait()
            await stream.aclose()  # type: ignore[attr-defined]
        async with peer(here) as client:
            again: list[pb.StreamResponse] = []
            async for event in client.subscribe(pb.SubscribeToTaskRequest(id=first.task.id)):
                again.append(event)
                model.go.set()
            assert states(again)[-1] == "completed"
            with pytest.raises(UnsupportedOperationError, match="has ended"):
                async for _ in client.subscribe(pb.SubscribeToTaskRequest(id=first.task.id)):
                    pass


async def test_a_task_that_is_not_waited_for_is_looked_at_later(tmp_path: Path) -> None:
    model = Held([final("42")])
    async with (
        online(tmp_path, model=model, manifest=A2A) as here,
        peer(here, streaming=False, polling=True) as client,
    ):
        [begun] = await sent(client, ask("six times seven?"))
        assert begun.task.status.state in (pb.TASK_STATE_SUBMITTED, pb.TASK_STATE_WORKING)
        model.go.set()
        await here.service.result(ALICE, begun.task.id)
        done = await client.get_task(pb.GetTaskRequest(id=begun.task.id, history_length=0))
        assert done.artifacts[0].parts[0].text == "42"
        assert list(done.history) == []


async def test_agents_of_the_version_before_are_understood(tmp_path: Path) -> None:
    message = {"kind": "message", "messageId": "m", "role": "user", "parts": [{"kind": "text", "text": "count"}]}
    async with online(tmp_path, [final("one"), final("two")], manifest=A2A) as here, httpx2.AsyncClient() as http:
        call = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": message}}
        told = (await http.post(f"{here.url}/a2a", json=call, headers=AS_ALICE)).json()
        assert told["result"]["status"]["state"] == "completed"
        assert told["result"]["artifacts"][0]["parts"][0]["text"] == "one"
        look = {"jsonrpc": "2.0", "id": 2, "method": "tasks/get", "params": {"id": told["result"]["id"]}}
        assert (await http.post(f"{here.url}/a2a", json=look, headers=AS_ALICE)).json()["result"]["kind"] == "task"
        other = (await http.post(f"{here.url}/a2a", json=look, headers=AS_BOB)).json()
        assert other["error"]["code"] == -32001
        call["method"] = "message/stream"
        async with http.stream("POST", f"{here.url}/a2a", json=call, headers=AS_ALICE) as stream:
            lines = [json.loads(line[6:]) async for line in stream.aiter_lines() if line.startswith("data: ")]
        assert lines[-1]["result"]["status"]["state"] == "completed"
        assert lines[-1]["result"]["final"] is True


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"[" * 5000 + b"]" * 5000, -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {"id": "\xff"}}', -32700),
        (b"[]", -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "Obey", "params": {}}', -32601),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {"id": 7}}', -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {"id": "../x"}}', -32001),
    ],
)
async def test_malformed_calls_are_refused_in_the_protocols_words(tmp_path: Path, body: bytes, code: int) -> None:
    headers = {**AS_ALICE, "A2A-Version": "1.0", "Content-Type": "application/json"}
    async with online(tmp_path, manifest=A2A) as here, httpx2.AsyncClient() as http:
        told = await http.post(f"{here.url}/a2a", content=body, headers=headers)
        assert told.json()["error"]["code"] == code, told.text
        assert "Traceback" not in told.text


async def test_what_is_no_text_or_no_skill_is_refused(tmp_path: Path) -> None:
    async with online(tmp_path, manifest=A2A) as here, peer(here, streaming=False) as client:
        picture = ask("look")
        picture.message.parts.append(pb.Part(raw=b"x", media_type="image/png"))
        for request in (picture, ask("  "), ask("x", skill="obey"), ask("x" * 100_001)):
            with pytest.raises((A2AError, A2AClientError)):
                await sent(client, request)
        assert here.service.runs(ALICE) == []


async def test_nobody_gets_in_without_a_key(tmp_path: Path) -> None:
    async with online(tmp_path, manifest=A2A) as here, httpx2.AsyncClient() as http:
        call = {"jsonrpc": "2.0", "id": 1, "method": "ListTasks", "params": {}}
        assert (await http.post(f"{here.url}/a2a", json=call)).status_code == 401


async def test_there_is_none_unless_the_manifest_says_so(tmp_path: Path) -> None:
    async with online(tmp_path) as here, httpx2.AsyncClient() as http:
        assert (await http.get(f"{here.url}/.well-known/agent-card.json")).status_code == 404
        assert (await http.post(f"{here.url}/a2a", json={}, headers=AS_ALICE)).status_code in (404, 405)


async def test_a_package_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ringfence.yaml").write_text(A2A)
    real = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == "a2a" or name.startswith(("a2a.", "channels.a2a")) or (args[2:3] and "a2a" in (args[2] or ())):
            raise ImportError(name)
        return real(name, *args, **more)

    async with from_manifest(load(tmp_path / "ringfence.yaml"), model=ScriptedModel([])) as agent:
        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(ManifestError, match="needs a package that is not installed") as missing:
            application(Service(agent), Known({"alice": ALICE}))
        assert "ringfence[a2a]" in missing.value.todo
