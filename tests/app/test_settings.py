"""What `workflow` sets the loop to, and what is said of a check that cannot be made: with its place, before a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import ringfence
from ringfence.app.settings import settings_of
from ringfence.core.chain import Kind
from ringfence.core.errors import ManifestError
from ringfence.engine.answering import Verify
from ringfence.engine.plan import Planning
from ringfence.engine.settings import LEAN, SYSTEM, Validator
from ringfence.manifest.loader import load, parse
from ringfence.testing.server import ScriptedServer, listen

from ..cli.conftest import MANIFEST, Shell, final, folder, step
from ..cli.conftest import ringfence as shell

__all__ = ["folder", "shell"]
BASE = "inference: {provider: embedded, model: m}\n"
LOOK = step("files.read", path="notes/a.txt")


def checks(text: str) -> tuple[Validator, ...]:
    return tuple(settings_of(parse(BASE + f"workflow:\n  validate:\n{text}", "m.yaml"), "").validators)


def verdict(expr: str, **facts: Any) -> str:
    (one,) = checks(f"  - {{expr: '{expr}'}}\n")
    assert one.passes is not None
    return one.passes({"task": "t", **facts})


def test_a_workflow_sets_the_loop() -> None:
    text = BASE + "workflow: {planning: full, verify: strict, prompt: lean, max_steps: 7}\n"
    settings = settings_of(parse(text, "m.yaml"), "bubblewrap")
    assert (settings.planning, settings.verify, settings.lean) == (Planning.FULL, Verify.STRICT, True)
    assert (settings.system, settings.max_steps, settings.about["sandbox"]) == (LEAN, 7, "bubblewrap")
    usual = settings_of(parse(BASE, "m.yaml"), "")
    assert (usual.planning, usual.verify, usual.lean, usual.system) == (Planning.LIGHT, Verify.WARN, False, SYSTEM)


@pytest.mark.parametrize(
    ("expr", "passes"),
    [
        ('answer.matches("^[0-9]+$")', True),
        ("size(answer) < 2", False),
        ('task == "t"', True),
        ("answer", False),  # text is not true
        ("1", False),
    ],
)
def test_an_expression_has_to_be_true(expr: str, passes: bool) -> None:
    said = verdict(expr, answer="42")
    assert said == ("" if passes else "It is not true of it.")


@pytest.mark.parametrize(
    "expr", ["nope", "args.path", "result > 3", "1 / 0 == 1", "result[7] == 1", "9223372036854775807 + 1 > 0"]
)
def test_what_cannot_be_told_does_not_pass(expr: str) -> None:
    assert verdict(expr, args={}, result="x").startswith("It cannot be told of it: ")


def test_an_expression_sees_arguments_and_results() -> None:
    result = {"rows": [{"n": 3}, {"n": 0}], "text": None, "share": 0.5}
    assert verdict('result.rows.all(r, r.n >= 0) && args.path != ""', args={"path": "a"}, result=result) == ""
    assert verdict("result.rows.all(r, r.n > 0)", args={}, result=result) == "It is not true of it."


NOT_ONE = {
    "  - {why: x}\n": "m.yaml:4:5 workflow.validate[0].expr: expected expr or tool, got none",
    "  - {expr: 'true', tool: text.count}\n": (
        "m.yaml:4:12 workflow.validate[0].expr: expected either expr or tool, got both"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", NOT_ONE)
def test_a_check_is_an_expression_or_a_tool(text: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse(BASE + f"workflow:\n  validate:\n{text}", "m.yaml")
    assert caught.value.what.splitlines() == [NOT_ONE[text]]


def made(folder: Path, workflow: str) -> ManifestError:
    """What is said of a manifest when an agent is made from it."""
    (folder / "ringfence.yaml").write_text(MANIFEST.format(url="http://127.0.0.1:9") + workflow)
    with pytest.raises(ManifestError) as caught:
        ringfence.load(folder / "ringfence.yaml")
    return caught.value


def test_a_broken_expression_is_said_with_its_place_when_the_agent_is_made(folder: Path) -> None:
    said = made(folder, "workflow:\n  validate:\n  - {expr: 'size(answer) <'}\n  - {expr: ')'}\n").what.splitlines()
    assert [line.partition(" ")[0].rpartition("ringfence.yaml")[2] for line in said] == [":7:12", ":8:12"]
    assert "workflow.validate[0].expr: expected a CEL expression (cel.dev), got 'size(answer) <'" in said[0]


def test_the_same_is_said_by_manifest_check(folder: Path, shell: Shell) -> None:
    (folder / "ringfence.yaml").write_text(
        MANIFEST.format(url="http://127.0.0.1:9") + "workflow:\n  validate:\n  - {expr: ')'}\n"
    )
    out = shell("manifest", "check")
    assert out.code != 0
    assert "expected a CEL expression" in out.out + out.err


@pytest.mark.parametrize("key", ["on: files.raed", "tool: files.raed"])
def test_a_tool_that_there_is_not_is_said_with_its_place(folder: Path, key: str) -> None:
    entry = f"{{{key}, expr: 'true'}}" if key.startswith("on") else f"{{{key}}}"
    said = made(folder, f"workflow:\n  validate:\n  - {entry}\n").what
    assert ":7:" in said
    assert "files.raed" in said
    assert "files.read" in said


def test_without_the_package_it_is_said_how_to_get_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cel", None)
    said = made(folder, "workflow: {validate: [{expr: 'true'}]}\n").what
    assert "pip install 'ringfence[cel]'" in said
    assert ":5:" in said
    (folder / "ringfence.yaml").write_text(MANIFEST.format(url="http://127.0.0.1:9"))
    load(folder / "ringfence.yaml")  # who needs none is not asked for it


async def test_a_check_of_a_manifest_sends_an_answer_back(folder: Path) -> None:
    script = [LOOK, final("The disk is full, I think."), final("The disk is full.")]
    rule = "workflow:\n  validate:\n  - {expr: '!answer.contains(\"think\")', why: Be sure}\n"
    async with listen(ScriptedServer(script)) as server:
        (folder / "ringfence.yaml").write_text(MANIFEST.format(url=server.url) + rule)
        async with ringfence.load(folder / "ringfence.yaml") as agent:
            result = await agent.run("what is wrong?")
    assert (result.status, result.answer) == ("done", "The disk is full.")
    assert b"Be sure. It is not true of it." in server.seen[-1][1]


async def test_a_check_by_a_tool_of_a_manifest_passes_the_gate(folder: Path) -> None:
    (folder / "checks.py").write_text(
        'from ringfence import tool\n\n\n@tool("read")\ndef sound(answer: str) -> bool:\n'
        '    """Whether an answer is sound."""\n    return "think" not in answer\n'
    )
    more = '  - {name: sound, type: python, function: "checks:sound"}\nworkflow: {validate: [{tool: sound}]}\n'
    script = [LOOK, final("The disk is full, I think."), final("The disk is full.")]
    async with listen(ScriptedServer(script)) as server:
        (folder / "ringfence.yaml").write_text(MANIFEST.format(url=server.url) + more)
        async with ringfence.load(folder / "ringfence.yaml") as agent:
            result = await agent.run("what is wrong?")
            sinks = [r.view["sink"] for r in agent.journal.log.read(result.run_id) if r.kind is Kind.INTENT]
    assert (result.status, result.answer) == ("done", "The disk is full.")
    assert sinks.count("tool:sound") == 2


async def test_a_check_of_results_names_the_tool_and_the_key_on_needs_no_quotes(folder: Path) -> None:
    rule = "workflow:\n  validate:\n  - {on: files.read, expr: '!result.text.contains(\"full\")', why: Look at b.txt}\n"
    script = [LOOK, step("files.read", path="notes/b.txt"), final("All is well.")]
    async with listen(ScriptedServer(script)) as server:
        (folder / "ringfence.yaml").write_text(MANIFEST.format(url=server.url) + rule)
        async with ringfence.load(folder / "ringfence.yaml") as agent:
            result = await agent.run("how is it?")
    assert result.status == "done"
    told = [b"Look at b.txt. It is not true of it." in body for _, body in list(server.seen)[-3:]]
    assert told == [False, True, True]  # the second result passed, and the first message stays in the conversation
    assert server.seen[-1][1].count(b"Look at b.txt.") == 1
