"""A tier with `redact: true`, against a real server on loopback: placeholders go there, values to tools and people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ringfence
from ringfence import Agent, tool
from ringfence.core.chain import Kind, Record
from ringfence.testing.server import ScriptedServer, listen

from ..cli.conftest import final, step

EMAIL, CARD, SECRET, PHONE = "ann.canary@example.org", "4111 1111 1111 1111", "s3cret/canary+value", "+49 30 1234567"
CANARIES = (b"canary", b"4111", b"1234567", b"s3cret")
MANIFEST = """\
inference:
  {{provider: llamacpp, model: scripted, endpoint: "{url}", retries: 0, timeout_s: 20, api_key: "${{CANARY}}",
    redact: true}}
tools: [{{name: files, type: builtin, target_paths: [./notes]}}]
workflow: {{tool_first: false}}
"""
TASK = f'Read notes/ann.txt and send a note to "{EMAIL}".'
LOOK = step("files.read", path="notes/ann.txt")
SEND = step("send", to="<EMAIL_1>", text="Your card <CARD_1> was charged.")
DONE = final("<EMAIL_1> was told about <CARD_1>.")


class Post:
    """What the tools were given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.published: list[str] = []

    def tools(self) -> list[Callable[..., Any]]:
        @tool("write", roles={"to": "low", "text": "text"}, audience=["self"])
        def send(to: str, text: str) -> str:
            """Send a note."""
            self.sent.append((to, text))
            return f"sent to {to}"

        @tool("egress", roles={"text": "text"}, audience=["role:press"])
        def publish(text: str) -> str:
            """Put a text on the page that the press reads."""
            self.published.append(text)
            return "published"

        return [send, publish]


def agent_of(folder: Path, url: str, post: Post) -> Agent:
    path = folder / "ringfence.yaml"
    path.write_text(MANIFEST.format(url=url))
    (folder / "notes" / "ann.txt").write_text(f"Ann pays with {CARD}.\nCall her: {PHONE}\nThe key is {SECRET}\n")
    return ringfence.load(path, functions=post.tools())


def of(records: list[Record], kind: Kind, sink: str) -> list[Record]:
    return [r for r in records if r.kind is kind and r.view.get("sink", "").startswith(sink)]


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", SECRET)


async def test_the_server_sees_placeholders_and_the_tool_and_the_person_get_the_values(folder: Path) -> None:
    post = Post()
    async with listen(ScriptedServer([LOOK, SEND, DONE])) as server, agent_of(folder, server.url, post) as agent:
        result = await agent.run(TASK)
        bodies = [body for head, body in server.seen if head.startswith(b"POST")]
        records = list(agent.journal.log.read(result.run_id))
    assert post.sent == [(EMAIL, f"Your card {CARD} was charged.")]
    assert result.answer == f"{EMAIL} was told about {CARD}."
    assert len(bodies) == 3
    assert not [body for body in bodies for canary in CANARIES if canary in body.lower()]
    assert b"<EMAIL_1>" in bodies[0]
    assert all(place in bodies[2] for place in (b"<CARD_1>", b"<PHONE_1>", b"[secret]"))  # which comes back nowhere
    assert [intent.body["prompt"] for intent in of(records, Kind.INTENT, "model:")] == list(map(digest, bodies))


def digest(body: bytes) -> str:
    """Of the messages and the grammar as they were sent."""
    messages = body[body.index(b'"messages":[') + 12 : -2]
    schema = body[body.index(b'"schema":') + 9 : body.index(b'}},"messages"')]
    return hashlib.sha256(messages + b"\0" + schema).hexdigest()


async def test_a_sink_that_may_not_read_gets_no_value(folder: Path) -> None:
    post = Post()
    script = [LOOK, step("publish", text="News of <CARD_1> and <EMAIL_1>"), final("It could not be published.")]
    async with listen(ScriptedServer(script)) as server, agent_of(folder, server.url, post) as agent:
        agent.house.specs["tool:publish"] = closed(agent.house.specs["tool:publish"])
        result = await agent.run(TASK)
        records = list(agent.journal.log.read(result.run_id))
        bodies = [body for head, body in server.seen if head.startswith(b"POST")]
    assert post.published == []
    refused = [r for r in of(records, Kind.DECISION, "tool:publish") if r.view["verdict"] == "deny"]
    assert [r.view["rule"] for r in refused] == ["POL-5"]
    assert refused[0].body["args"] == {"text": "News of <CARD_1> and <EMAIL_1>"}
    assert not [body for body in bodies for canary in CANARIES if canary in body.lower()]


def closed(spec: Any) -> Any:
    """A sink that takes nothing from results."""
    from dataclasses import replace

    from ringfence.core.labels import Trust

    return replace(spec, clearance=Trust.USER)


async def test_a_run_that_was_cut_off_goes_on_with_the_same_values(folder: Path) -> None:
    post = Post()
    async with listen(ScriptedServer([LOOK, SEND, DONE], delay_ms=300)) as server:
        first = agent_of(folder, server.url, post)
        stream = first.stream(TASK)
        async for event in stream:
            if event.kind == "outcome" and event.record.view.get("of") and server.requests == 1:  # type: ignore[union-attr]
                break  # the model has said what to read, and nothing was read yet
        await stream.aclose()
        run = first.journal.log.runs(1)[0].run
        await first.close()
        async with agent_of(folder, server.url, post) as second:  # another process as far as redaction goes
            result = await second.resume(run)
        bodies = [body for head, body in server.seen if head.startswith(b"POST")]
    assert result.answer == f"{EMAIL} was told about {CARD}."
    assert post.sent == [(EMAIL, f"Your card {CARD} was charged.")]
    assert not [body for body in bodies for canary in CANARIES if canary in body.lower()]


async def test_the_plan_of_a_grant_is_asked_for_with_placeholders_too(folder: Path) -> None:
    post = Post()
    needs = json.dumps({"thought": "so", "needs": [{"action": "send", "calls": 1}]})
    script = [{"when": "You decide which permissions", "text": needs}, LOOK, SEND, DONE]
    async with listen(ScriptedServer(script)) as server:
        agent = agent_of(folder, server.url, post)
        path = folder / "ringfence.yaml"
        path.write_text(path.read_text() + "grant: {planned: true}\n")
        await agent.close()
        async with ringfence.load(path, functions=post.tools()) as agent:
            await agent.run(TASK)
        bodies = [body for head, body in server.seen if head.startswith(b"POST")]
    assert b"You decide which permissions" in bodies[0]
    assert b"<EMAIL_1>" in bodies[0]
    assert post.sent == [(EMAIL, f"Your card {CARD} was charged.")]
    assert not [body for body in bodies for canary in CANARIES if canary in body.lower()]


async def test_what_streams_has_its_values_however_it_is_cut(folder: Path) -> None:
    post, seen = Post(), []
    async with listen(ScriptedServer([LOOK, SEND, DONE])) as server, agent_of(folder, server.url, post) as agent:
        async for event in agent.stream(TASK):
            if getattr(event, "kind", "") == "delta":
                seen.append(event.text)  # type: ignore[union-attr]
    streamed = "".join(seen)
    assert EMAIL in streamed
    assert CARD in streamed
    assert "EMAIL_1" not in streamed


async def test_a_tier_without_redact_is_shown_what_there_is(folder: Path) -> None:
    post = Post()
    async with listen(ScriptedServer([LOOK, DONE])) as server:
        agent = agent_of(folder, server.url, post)
        path = folder / "ringfence.yaml"
        path.write_text(path.read_text().replace("redact: true", "redact: false"))
        await agent.close()
        async with ringfence.load(path, functions=post.tools()) as agent:
            await agent.run(TASK)
        assert EMAIL.encode() in server.seen[-1][1]


async def test_a_replay_of_what_was_sent_with_placeholders_finds_nothing(folder: Path) -> None:
    post = Post()
    async with listen(ScriptedServer([final("He wrote to bob@example.org."), LOOK, SEND, DONE])) as server:
        async with agent_of(folder, server.url, post) as agent:
            await agent.run("Who is bob@example.org?", conversation="c")
            run = (await agent.run(TASK, conversation="c")).run_id
        async with agent_of(folder, server.url, post) as agent:
            found = await agent.replay(run)
    assert found.prompts == 3
    assert found.differences == []


async def test_log_and_model_say_the_same_placeholder_for_the_same_value_before_and_after_a_crash(folder: Path) -> None:
    """The history has an address of its own, which the model is shown before the task."""
    post = Post()
    script = [final("He wrote to bob@example.org."), LOOK, SEND.replace("EMAIL_1", "EMAIL_2"), DONE]
    async with listen(ScriptedServer(script, delay_ms=200)) as server:
        first = agent_of(folder, server.url, post)
        await first.run("Who is bob@example.org?", conversation="c")
        stream = first.stream(TASK, conversation="c")
        async for event in stream:
            if event.kind == "outcome" and event.record.view.get("of") and server.requests == 2:  # type: ignore[union-attr]
                break
        await stream.aclose()
        run = first.journal.log.runs(1)[0].run
        await first.close()
        async with agent_of(folder, server.url, post) as second:
            await second.resume(run)
            shown = second.journal.log.views(run)
        bodies = [body for head, body in server.seen if head.startswith(b"POST")]
    places = [place for place in ("<EMAIL_1>", "<EMAIL_2>") if place in shown[0].body["task"]]
    assert places == ["<EMAIL_2>"]
    sent = next(r for r in shown if r.kind is Kind.INTENT and r.view["sink"] == "tool:send")
    assert sent.body["args"]["to"] == "<EMAIL_2>"
    assert all(b'send a note to \\"<EMAIL_2>\\"' in body for body in bodies[1:])
    assert [to for to, _ in post.sent] == [EMAIL]
