"""A run asks on the rung that was proved: from `models probe` to an answer, over a server that calls natively."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ringfence
from ringfence.backends import findings, from_manifest
from ringfence.backends.models import data_home
from ringfence.core.chain import Kind, Record
from ringfence.testing.anthropic import ScriptedAnthropic
from ringfence.testing.server import ScriptedServer, listen

from ..cli.conftest import MANIFEST, final, step


def read_it(asked: Any) -> bool:
    """Whether the note was read before."""
    return any('files.read(path="notes/a.txt"' in str(said["content"]) for said in asked["messages"])


def native(asked: Any) -> Any:
    """A server that makes native calls: the weather when it is tried, a note and then an answer in a run."""
    tools = {tool["function"]["name"] for tool in asked.get("tools", ())}
    if "weather__now" in tools:
        return {"calls": [{"name": "weather__now", "arguments": '{"city": "Paris"}'}]}
    if "files__read" in tools and not read_it(asked):
        return {"text": "The note.", "calls": [{"name": "files__read", "arguments": '{"path": "notes/a.txt"}'}]}
    return "The disk is full."


def outcomes(agent: ringfence.Agent, run: str) -> list[Record]:
    records = agent.journal.log.read(run)
    asked = {record.seq for record in records if record.kind is Kind.INTENT and "prompt" in record.body}
    return [record for record in records if record.kind is Kind.OUTCOME and record.view["of"] in asked]


async def test_a_server_that_was_proved_to_call_natively_is_asked_natively_and_its_words_are_the_answer(
    folder: Path,
) -> None:
    async with listen(ScriptedServer(native)) as server:
        (folder / "ringfence.yaml").write_text(MANIFEST.format(url=server.url))
        async with ringfence.load(folder / "ringfence.yaml") as agent:
            inference = agent.manifest.inference
            backend = from_manifest(inference.tiers[0], inference, home=data_home())
            findings.save(data_home(), await backend.sink.examine(lambda text: None))
            await backend.aclose()
            result = await agent.run("what is wrong?")
            told = [record.body["value"] for record in outcomes(agent, result.run_id)]
    assert (result.status, result.answer) == ("done", "The disk is full.")
    assert [value["how"] for value in told] == ["native", "native"]
    assert all(value["sent"] > 1000 for value in told)
    assert [(step.tool, step.args["path"]) for step in result.steps if step.tool == "files.read"] == [
        ("files.read", "notes/a.txt")
    ]


TWO_TIERS = """\
inference:
  tiers:
    - {{name: small, provider: llamacpp, model: scripted, endpoint: "http://127.0.0.1:9", retries: 0}}
    - {{name: large, provider: llamacpp, model: scripted, endpoint: "{url}", retries: 0, max_context: 100000}}
tools:
  - {{name: files, type: builtin, target_paths: [./notes]}}
"""


async def test_a_first_tier_that_is_not_there_is_no_reason_to_run_nothing(folder: Path) -> None:
    script = [step("files.read", path="notes/a.txt"), final("The disk is full.")]
    async with listen(ScriptedServer(script)) as server:
        (folder / "ringfence.yaml").write_text(TWO_TIERS.format(url=server.url))
        async with ringfence.load(folder / "ringfence.yaml") as agent:
            result = await agent.run("what is wrong?")
            large = agent._engine._asking._tiers["model:large"] if agent._engine else None
            assert large is not None
            assert large.ask_window is not None
            window = await large.ask_window()
    assert (result.status, result.answer) == ("done", "The disk is full.")
    assert window is not None
    assert window < 100_000  # the smaller of what the manifest says and what the server has


CLOUD = """\
inference: {{provider: anthropic, model: scripted, endpoint: "{url}", api_key: "${{KEY}}", retries: 0}}
tools:
  - {{name: files, type: builtin, target_paths: [./notes]}}
"""


def cloud(asked: Any) -> Any:
    """The same, as the Messages API has it."""
    tools = {tool["name"] for tool in asked.get("tools", ())}
    if "files__read" in tools and not read_it(asked):
        return {"text": "The note.", "calls": [{"name": "files__read", "input": {"path": "notes/a.txt"}}]}
    return "The disk is full."


async def test_a_tier_of_the_messages_api_runs_a_task_and_each_request_is_on_record_with_its_bytes(
    folder: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("KEY", "k-secret-of-the-cloud")
    async with listen(ScriptedAnthropic(cloud)) as server:
        (folder / "ringfence.yaml").write_text(CLOUD.format(url=server.url))
        async with ringfence.load(folder / "ringfence.yaml") as agent:
            result = await agent.run("what is wrong?")
            told = [record.view for record in outcomes(agent, result.run_id)]  # which nobody needs a key to read
            records = agent.journal.log.read(result.run_id)
    assert (result.status, result.answer) == ("done", "The disk is full.")
    sent = [len(body) for head, body in server.seen if head.startswith(b"POST")]
    assert [value["sent"] for value in told] == sent
    told_before = [record.view["bytes"] for record in records if record.kind is Kind.INTENT and "prompt" in record.body]
    assert all(0 < least <= most for least, most in zip(told_before, sent, strict=True))
    assert "k-secret-of-the-cloud" not in repr(records)
