"""One trace id from the caller to the last tool, the record and the log: through real servers and real processes."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import ringfence
from ringfence import Agent, Result, ToolError, tool
from ringfence.core.chain import Kind, Record
from ringfence.core.values import Principal
from ringfence.telemetry import logs
from ringfence.testing.server import ScriptedServer, listen
from ringfence.tools.mcp.session import Link
from ringfence.tools.mcp.wire import Valve
from ringfence.tracing import Trace, current, following, span_id, traceparent

SERVER = Path(__file__).with_name("traced_server.py")
CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE = CALLER[3:35]
STATE = "vendor=of-the-caller"
MODEL = 'inference: {{provider: llamacpp, model: scripted, endpoint: "{url}", retries: 0, timeout_s: 20}}\n'
FUNCTION = """
from ringfence import tool
from ringfence.tracing import traceparent

@tool("read")
def confined() -> dict[str, str]:
    "What a function of the manifest is told."
    return {"traceparent": traceparent()}
"""


@tool("read")
def inside() -> dict[str, str]:
    """What a function of the program is told."""
    return {"traceparent": traceparent()}


@tool("write")
def send(to: str) -> dict[str, str]:
    """Send it."""
    return {"to": to, "traceparent": traceparent()}


def step(*calls: tuple[str, dict[str, Any]]) -> str:
    return json.dumps({"thought": "so", "calls": [{"tool": name, "args": args} for name, args in calls]})


def done(answer: str = "It is done.") -> str:
    end = {"answer": answer, "artifacts": [], "confidence": "high"}
    return json.dumps({"thought": "so", "final_answer": end})


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "log.jsonl"
    logs.configure("info", file=file)
    yield file
    logs.close()


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


@asynccontextmanager
async def api() -> AsyncIterator[tuple[int, list[dict[str, str]]]]:
    """A JSON API on loopback; its port, and the headers of what it was asked."""
    heard: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append({name.lower(): value for name, value in request.headers.items()})
        return web.json_response({"ok": True})

    served = web.Application()
    served.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(served)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1], heard
    finally:
        await runner.cleanup()


@pytest.fixture
def remote() -> Iterator[str]:
    """The MCP server as somebody runs it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(SERVER), "http", str(port)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        next(line for line in process.stderr if "Uvicorn running" in line)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.communicate()


def agent_of(folder: Path, url: str, manifest: str) -> Agent:
    (folder / "ringfence.yaml").write_text(MODEL.format(url=url) + manifest)
    return ringfence.load(folder / "ringfence.yaml", functions=[inside, send])


def models(server: ScriptedServer) -> list[str]:
    """`traceparent` of each completion that was asked for."""
    heads = [head.decode() for head, _ in server.seen if head.startswith(b"POST")]
    return [line.partition(": ")[2] for head in heads for line in head.split("\r\n") if line.startswith("traceparent")]


def spans(records: list[Record], sink: str) -> list[str]:
    return [span_id(r.run, r.seq) for r in records if r.kind is Kind.INTENT and r.view["sink"] == sink]


async def test_one_trace_id_reaches_the_model_every_kind_of_tool_the_record_and_the_log(
    tmp_path: Path, remote: str, log: Path
) -> None:
    shutil.copy(SERVER, tmp_path / "server.py")
    (tmp_path / "own.py").write_text(FUNCTION)
    async with api() as (port, heard):
        address = f"http://127.0.0.1:{port}"
        manifest = f"""
tools:
  - {{name: local, type: mcp, command: [python, server.py], permissions: [execute]}}
  - {{name: remote, type: mcp, server_url: "{remote}", permissions: [execute]}}
  - {{name: http, type: builtin, hosts: [{{host: 127.0.0.1, port: {port}, private: true, methods: [GET]}}]}}
  - {{name: web, type: builtin, hosts: [{{host: 127.0.0.1, port: {port}, private: true}}]}}
  - {{name: shell, type: builtin, allow: [printenv TRACEPARENT]}}
  - {{name: confined, type: python, function: "own:confined"}}
catalogue:
  local.seen: {{effect: read, audience: [self], confined: true}}
  remote.seen: {{effect: read, audience: [self], confined: true}}
  http.call: {{effect: egress, audience: [self], args: {{url: {{type: url}}, method: low}}}}
  web.fetch: {{effect: egress, audience: [self], args: {{url: {{type: url}}}}}}
  shell.run: {{effect: read, audience: [self], confined: true}}
"""
        script = [
            step(("local.seen", {}), ("remote.seen", {}), ("inside", {})),
            step(("confined", {}), ("shell.run", {"command": ["printenv", "TRACEPARENT"]})),
            step(("http.call", {"method": "GET", "url": f"{address}/a"})),
            step(("web.fetch", {"url": f"{address}/b"})),
            done(),
        ]
        async with listen(ScriptedServer(script)) as server:
            (tmp_path / "ringfence.yaml").write_text(MODEL.format(url=server.url) + manifest)
            locking = await asyncio.create_subprocess_exec(sys.executable, "-m", "ringfence.cli", "lock", cwd=tmp_path)
            assert await locking.wait() == 0
            async with agent_of(tmp_path, server.url, manifest) as agent:
                task = f"run printenv TRACEPARENT, then get {address}/a and {address}/b"
                result = await agent.run(task, traceparent=CALLER, tracestate=STATE)
                records = agent.journal.log.read(result.run_id)
        refused = [(r.view, r.body["why"]) for r in records if r.kind is Kind.DECISION]
        assert (result.status, refused) == ("done", [])
        asked = models(server)

    def said(span: str) -> str:
        return f"00-{TRACE}-{span}-01"

    answers = {
        intent.view["sink"]: (said(span_id(intent.run, intent.seq)), outcome.body["value"])
        for outcome in records
        if outcome.kind is Kind.OUTCOME and (intent := records[outcome.view["of"]])
    }
    assert asked == [said(span) for span in spans(records, "model:main")]
    sent, value = answers["tool:local.seen"]
    assert value == {"meta": {"traceparent": sent, "tracestate": STATE}, "headers": {}}
    sent, value = answers["tool:remote.seen"]
    assert value == {place: {"traceparent": sent, "tracestate": STATE} for place in ("meta", "headers")}
    for name in ("tool:inside", "tool:confined"):
        sent, value = answers[name]
        assert value == {"traceparent": sent}
    sent, value = answers["tool:shell.run"]
    assert value["stdout"].strip() == sent
    assert [h["traceparent"] for h in heard] == [answers[name][0] for name in ("tool:http.call", "tool:web.fetch")]
    assert not any("tracestate" in h for h in heard)
    assert len({sent for sent, _ in answers.values()}) == len(answers)
    assert records[0].view["trace"] == TRACE
    told = [line for line in lines(log) if line.get("run") == result.run_id]
    assert [line["seq"] for line in told] == [record.seq for record in records]
    assert {line["trace_id"] for line in told} == {TRACE}
    by_seq = {line["seq"]: line["span_id"] for line in told}
    for record in records:
        if record.kind is Kind.OUTCOME:
            assert by_seq[record.seq] == by_seq[record.view["of"]] == span_id(record.run, record.view["of"])


async def answered(folder: Path, url: str, who: Principal, run: str, *, yes: bool) -> None:
    async with agent_of(folder, url, ASKING) as agent:
        agent.principal = who
        await agent.answer(run, yes)


ASKING = """
approvals: {approvers: ["user:bob"], four_eyes: true}
"""
LETTER = step(("send", {"to": "eve@x.example"}))


async def test_a_run_that_waited_goes_on_in_its_trace_and_each_record_is_the_requesters(
    tmp_path: Path, log: Path
) -> None:
    async with listen(ScriptedServer([LETTER, done(), LETTER, done()])) as server:
        runs = []
        for yes in (True, False):
            async with agent_of(tmp_path, server.url, ASKING) as agent:
                waiting = await agent.run("send a letter", traceparent=CALLER)
                assert waiting.status == "waiting"
            await answered(tmp_path, server.url, Principal("user:bob"), waiting.run_id, yes=yes)
            async with agent_of(tmp_path, server.url, ASKING) as agent:
                await agent.resume(waiting.run_id)
                runs.append(agent.journal.log.read(waiting.run_id))
                requester = agent.principal.subject
        assert {header.split("-")[1] for header in models(server)} == {TRACE}
    assert requester != "user:bob"
    assert {record.principal for records in runs for record in records} == {requester}
    approved, denied = runs
    (yes_record,) = [r for r in approved if r.kind is Kind.APPROVAL]
    (no_record,) = [r for r in denied if r.kind is Kind.DECISION and r.view["verdict"] == "deny"]
    assert (yes_record.view["by"], no_record.view["by"]) == ("user:bob", "user:bob")
    told = [line for line in lines(log) if "seq" in line]
    assert {line["trace_id"] for line in told} == {TRACE}
    assert {line["principal"] for line in told} == {requester}
    assert [line["by"] for line in told if "by" in line] == ["user:bob", "user:bob"]


async def test_whoever_cancels_a_run_is_on_its_record(tmp_path: Path) -> None:
    async with listen(ScriptedServer([LETTER])) as server, agent_of(tmp_path, server.url, ASKING) as agent:
        waiting = await agent.run("send a letter")
        requester, agent.principal = agent.principal.subject, Principal("user:bob")
        await agent.cancel(waiting.run_id)
        last = agent.journal.log.read(waiting.run_id)[-1]
    assert (last.view["status"], last.view["by"], last.principal) == ("cancelled", "user:bob", requester)


async def test_every_kind_of_record_names_the_requester(tmp_path: Path) -> None:
    manifest = ASKING + "workflow: {checkpoint_interval: 1}\n"
    script = [step(("inside", {})), step(("nothing.there", {})), LETTER, done()]
    async with listen(ScriptedServer(script)) as server, agent_of(tmp_path, server.url, manifest) as agent:
        requester = agent.principal
        run = (await agent.run("send a letter")).run_id
        agent.principal = Principal("user:bob")
        await agent.answer(run, True)
        agent.principal = requester
        await agent.resume(run)
        records = agent.journal.log.read(run)
    assert {record.kind for record in records} == set(Kind)
    assert {record.principal for record in records} == {requester.subject}


async def test_the_plan_of_a_run_is_in_its_trace(tmp_path: Path) -> None:
    plan = json.dumps({"thought": "t", "needs": [{"action": "send", "calls": 1}]})
    manifest = ASKING + "grant: {planned: true}\n"
    async with listen(ScriptedServer([plan, done()])) as server, agent_of(tmp_path, server.url, manifest) as agent:
        result = await agent.run("send a letter", traceparent=CALLER)
        planning = agent.journal.log.read("plan-" + result.run_id)
    assert planning[0].view["trace"] == TRACE
    assert models(server)[0] == f"00-{TRACE}-{spans(planning, 'model:main')[0]}-01"


async def test_without_a_caller_each_run_has_a_trace_of_its_own_also_beside_others(tmp_path: Path) -> None:
    replies = [{"when": f"Task: task {n}.", "text": done(f"answer {n}")} for n in range(4)]
    manifest = "workflow: {tool_first: false}\n"
    async with listen(ScriptedServer([*replies, done()])) as server, agent_of(tmp_path, server.url, manifest) as agent:
        results: list[Result] = await asyncio.gather(*(agent.run(f"task {n}.") for n in range(4)))
        started = [agent.journal.log.read(result.run_id) for result in results]
        asked = models(server)
    traces = [records[0].view["trace"] for records in started]
    assert len(set(traces)) == 4
    expected = {
        f"00-{records[0].view['trace']}-{span}-03" for records in started for span in spans(records, "model:main")
    }
    assert set(asked) == expected


async def test_a_broken_traceparent_is_said_in_the_log_and_costs_no_task(tmp_path: Path, log: Path) -> None:
    async with listen(ScriptedServer([done()])) as server, agent_of(tmp_path, server.url, "") as agent:
        result = await agent.run("is it done?", traceparent="00-secret-of-mine-01", tracestate=STATE)
        assert agent.journal.log.read(result.run_id)[0].view["trace"] != TRACE
    warned = [line for line in lines(log) if line["level"] == "warning"]
    assert [line["event"] for line in warned] == [
        "traceparent is ignored, and a trace begins here: expected version-traceid-parentid-flags in lower-case hex"
        " digits (2-32-16-2), got 20 other characters"
    ]
    assert not any("secret" in str(line) for line in lines(log))


@pytest.mark.parametrize(("audience", "told"), [("", True), (", audience: [role:ops]", False)])
async def test_a_model_that_others_look_at_is_not_told_what_the_callers_vendors_wrote(
    tmp_path: Path, audience: str, told: bool
) -> None:
    async with listen(ScriptedServer([done()])) as server:
        tier = f'{{name: main, provider: llamacpp, model: scripted, endpoint: "{server.url}"{audience}}}'
        (tmp_path / "ringfence.yaml").write_text(f"inference: {{tiers: [{tier}]}}\n")
        async with ringfence.load(tmp_path / "ringfence.yaml") as agent:
            assert (await agent.run("is it done?", traceparent=CALLER, tracestate=STATE)).status == "done"
        assert [header[3:35] for header in models(server)] == [TRACE]
        (head,) = [head.decode() for head, _ in server.seen if head.startswith(b"POST")]
    assert (f"tracestate: {STATE}" in head) is told


async def test_a_connection_that_outlives_its_run_belongs_to_none(tmp_path: Path) -> None:
    found: list[object] = []

    def dial(valve: Valve) -> Any:
        found.append(current())
        raise ToolError("nobody is there")

    with following("run1", "user:alice", Trace.parse(CALLER)):
        link = Link(dial, max_bytes=1000, timeout_s=5.0)
        with pytest.raises(ToolError):
            await link.session()
    assert found == [None]
