"""What a task may do, fixed from trusted words before anything is read (POL-3), and how often (POL-7)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ringfence import app
from ringfence.app.grants import of_task
from ringfence.app.house import House
from ringfence.core.chain import Kind, Record
from ringfence.core.policy import Effect, Role, SinkSpec
from ringfence.engine.result import Result
from ringfence.manifest.loader import load
from ringfence.stores import open_log
from ringfence.testing.clock import FakeClock
from ringfence.testing.server import ScriptedServer, listen

from ..cli.conftest import Serve, Shell, final, step

MANIFEST = """\
inference: {{provider: llamacpp, model: scripted, endpoint: "{url}", retries: 0, timeout_s: 20}}
tools:
  - {{name: files, type: builtin, target_paths: [./notes], permissions: [read, write]}}
  - {{name: calc, type: builtin}}
workflow: {{tool_first: false}}
"""
WRITE = step("files.write", path="notes/new.txt", text="x\n")
EDIT = step("files.edit", path="notes/a.txt", old="loud", new="quiet")
OTHER = step("files.write", path="notes/other.txt", text="x\n")  # which no task here names
CHANGES = {"tool:files.edit", "tool:files.patch", "tool:files.undo", "tool:files.write"}
DONE = final("It is done.")
TASK = "write x to notes/new.txt, and change notes/a.txt"
OUTSIDE = ("POL-3", "outside-grant")


def plan(**calls: int) -> str:
    """A plan as the model writes it: calls by tool, `_` for a dot."""
    needs = [{"action": name.replace("_", "."), "calls": count} for name, count in calls.items()]
    return json.dumps({"thought": "so", "needs": needs})


async def run(folder: Path, *steps: str, more: str = "", tasks: tuple[str, ...] = (TASK,)) -> list[Result]:
    """Runs of one conversation."""
    async with listen(ScriptedServer(steps)) as server:
        (folder / "ringfence.yaml").write_text(MANIFEST.format(url=server.url) + more)
        async with app.from_manifest(load(folder / "ringfence.yaml")) as agent:
            return [await agent.run(task, conversation="c1") for task in tasks]


@contextmanager
def records(folder: Path, run_id: str) -> Iterator[list[Record]]:
    with open_log(folder / ".ringfence" / "journal.db") as log:
        yield log.read(run_id)


def grant(folder: Path, run_id: str) -> Any:
    with records(folder, run_id) as found:
        return found[0].body["grant"]


def refusals(folder: Path, run_id: str) -> list[tuple[str, str]]:
    with records(folder, run_id) as found:
        return [(r.view["rule"], r.view["code"]) for r in found if r.kind is Kind.DECISION]


def effects(folder: Path, run_id: str) -> set[str]:
    """What of a grant may change something."""
    return CHANGES & set(grant(folder, run_id)["sinks"])


# The manifest's grant


async def test_reads_and_what_permissions_name_are_granted_if_nothing_else_is_said(folder: Path) -> None:
    (result,) = await run(folder, WRITE, EDIT, DONE)
    assert effects(folder, result.run_id) == CHANGES
    assert {"tool:files.read", "tool:calc"} <= set(grant(folder, result.run_id)["sinks"])
    assert (folder / "notes" / "new.txt").read_text() == "x\n"
    assert "quiet" in (folder / "notes" / "a.txt").read_text()


async def test_a_plain_question_is_granted_reads_alone(folder: Path) -> None:
    (result,) = await run(folder, WRITE, DONE, tasks=("which notes are there?",))
    assert effects(folder, result.run_id) == set()
    assert refusals(folder, result.run_id) == [OUTSIDE]
    assert not (folder / "notes" / "new.txt").exists()


def test_a_question_that_names_a_page_is_granted_what_gets_it_and_nothing_that_takes_words_along(
    tmp_path: Path,
) -> None:
    (path := tmp_path / "ringfence.yaml").write_text(MANIFEST.format(url="http://127.0.0.1:9"))
    (tmp_path / "notes").mkdir()
    manifest = load(path)
    properties = {"url": {"type": "string"}, "note": {"type": "string"}}
    gets = {"effect": Effect.EGRESS, "idempotent": True, "types": {"url": "url"}}
    specs = {
        f"tool:{name}": SinkSpec(f"tool:{name}", schema={"properties": properties}, roles=roles, **gets)  # type: ignore[arg-type]
        for name, roles in {
            "fetch": {"url": Role.CONTROL, "note": Role.CONTROL},
            "undescribed": {},
            "tell": {"url": Role.CONTROL, "note": Role.TEXT},
            "low": {"url": Role.LOW},
        }.items()
    }
    house = House(specs=specs, effects=frozenset(specs))
    granted = of_task(house, manifest, "what does http://127.0.0.1:9/page say?").sinks
    assert granted == {"tool:fetch", "tool:undescribed"}
    assert of_task(house, manifest, "what does the page say?").sinks == frozenset()


async def test_effects_that_are_listed_are_all_there_are(folder: Path) -> None:
    (result,) = await run(folder, WRITE, EDIT, DONE, more="grant: {effects: [files.write]}\n")
    assert effects(folder, result.run_id) == {"tool:files.write"}
    assert refusals(folder, result.run_id) == [OUTSIDE]
    assert "loud" in (folder / "notes" / "a.txt").read_text()


async def test_a_budget_bounds_the_calls_of_a_task(folder: Path) -> None:
    twice = [WRITE, step("files.write", path="notes/new.txt", text="y\n", mode="append"), DONE]
    (result,) = await run(folder, *twice, more="grant: {budgets: {files.write: 1}}\n")
    assert refusals(folder, result.run_id) == [("POL-7", "budget")]
    assert (folder / "notes" / "new.txt").read_text() == "x\n"


# A planned grant


async def test_a_planned_grant_holds_what_the_plan_names_and_no_more(folder: Path) -> None:
    twice = step("files.write", path="notes/new.txt", text="y\n", mode="append")
    (result,) = await run(folder, plan(files_write=1), WRITE, EDIT, twice, DONE, more="grant: {planned: true}\n")
    assert effects(folder, result.run_id) == {"tool:files.write"}
    assert grant(folder, result.run_id)["budgets"] == {"tool:files.write": 1}
    assert refusals(folder, result.run_id) == [OUTSIDE, ("POL-7", "budget")]
    assert (folder / "notes" / "new.txt").read_text() == "x\n"


async def test_a_plan_never_names_more_than_the_manifest(folder: Path) -> None:
    more = "grant: {planned: true, effects: [files.edit], budgets: {files.edit: 1}}\n"
    (result,) = await run(folder, plan(files_edit=5), WRITE, EDIT, DONE, more=more)
    assert effects(folder, result.run_id) == {"tool:files.edit"}
    assert grant(folder, result.run_id)["budgets"] == {"tool:files.edit": 1}
    assert refusals(folder, result.run_id) == [OUTSIDE]


@pytest.mark.parametrize(
    "said", ["no plan at all", "[]", plan(shell_run=1), '{"needs": [{"action": "files.write", "calls": 1e999}]}']
)
async def test_without_a_plan_that_can_be_read_a_task_only_reads(folder: Path, said: str) -> None:
    (result,) = await run(folder, said, WRITE, DONE, more="grant: {planned: true}\n")
    assert effects(folder, result.run_id) == set()
    assert refusals(folder, result.run_id) == [OUTSIDE]
    assert not (folder / "notes" / "new.txt").exists()


def test_no_approval_lifts_what_is_outside_of_the_plan(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve(plan(files_edit=1), WRITE, DONE, manifest=MANIFEST + "grant: {{planned: true}}\n")
    shown = ringfence("run", TASK)
    run_id = next(line for line in shown.err.splitlines() if line.startswith("run ") and "plan-" not in line)
    assert (shown.code, "refused (POL-3 outside-grant)" in shown.err) == (3, True)
    assert ringfence("approvals").out == ""
    assert ringfence("approve", run_id.split()[1].rstrip(":")).code == 6
    assert not (folder / "notes" / "new.txt").exists()


def test_the_plan_is_a_run_on_record_and_the_grant_is_shown(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve(plan(files_write=2), WRITE, DONE, manifest=MANIFEST + "grant: {{planned: true}}\n")
    shown = ringfence("run", TASK)
    lines = shown.err.splitlines()
    planning, acting = (line.split()[1].rstrip(":") for line in lines if line.startswith("run "))
    assert planning == f"plan-{acting}"
    assert any(line.startswith("plans what the task may do, from its words alone") for line in lines)
    assert any(line.startswith("done: files.write x2") for line in lines)
    assert "  may also call files.write x2" in lines
    assert "may also call files.write x2" in ringfence("runs", "show", acting[:-2]).out
    with records(folder, planning) as found:
        assert [r.kind for r in found] == [Kind.STARTED, Kind.INTENT, Kind.OUTCOME, Kind.FINISHED]
        assert found[0].body["grant"]["sinks"] == ["model:main"]
    assert len(ringfence("runs", "list").out.splitlines()) == 2


async def test_a_new_message_of_the_user_makes_a_new_version(folder: Path) -> None:
    steps = (plan(), DONE, plan(files_write=1), WRITE, DONE, plan(files_edit=1), EDIT, DONE)
    tasks = ("write nothing yet", TASK, TASK)
    results = await run(folder, *steps, more="grant: {planned: true}\n", tasks=tasks)
    grants = [grant(folder, result.run_id) for result in results]
    assert [made["version"] for made in grants] == [1, 2, 3]
    assert [effects(folder, result.run_id) for result in results] == [set(), {"tool:files.write"}, {"tool:files.edit"}]


def test_a_grant_is_what_it_was_when_the_run_is_resumed_under_a_wider_manifest(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    serve(OTHER, EDIT, DONE, manifest=MANIFEST + "grant: {{effects: [files.write]}}\n")
    waiting = json.loads(ringfence("run", TASK, "--json").out)
    assert waiting["status"] == "waiting"
    manifest = folder / "ringfence.yaml"
    manifest.write_text(manifest.read_text().replace("[files.write]", "[files.write, files.edit]"))
    assert ringfence("run", "--resume", waiting["run_id"]).code == 4
    assert ringfence("approve", waiting["run_id"]).code == 0
    assert (folder / "notes" / "other.txt").exists()
    assert OUTSIDE in refusals(folder, waiting["run_id"])
    assert "loud" in (folder / "notes" / "a.txt").read_text()


# Rates

CALCS = [step("calc", expression=f"{n} + 1") for n in range(3)]
RATED = MANIFEST.replace("{{name: calc, type: builtin}}", "{{name: calc, type: builtin, rate: 2/minute}}")
ADD = "add 0, 1 and 2 to 1"


def test_a_rate_holds_across_processes_and_slides_with_the_clock(
    ringfence: Shell, serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    for where in ("ringfence.app.now_ms", "ringfence.app.agent.now_ms"):
        monkeypatch.setattr(where, clock)

    def calls() -> list[bool]:
        serve(*CALCS, DONE, manifest=RATED)
        result = json.loads(ringfence("run", ADD, "--json").out)
        return [step["ok"] for step in result["steps"] if step["tool"] == "calc"]

    assert calls() == [True, True, False]
    assert calls() == [False, False, False]
    clock.advance(60_000)
    assert calls() == [True, True, False]


def test_a_call_that_comes_too_soon_is_refused_on_record_and_in_words(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    serve(*CALCS, {"when": "was called too often; wait, or do without it", "text": DONE}, manifest=RATED)
    shown = ringfence("run", ADD)
    assert (shown.code, shown.out) == (0, "It is done.\n")
    run_id = shown.err.split()[1].rstrip(":")
    assert refusals(folder, run_id) == [("POL-7", "rate")]


def test_a_resumed_run_has_no_fresh_rate(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve(*CALCS[:2], OTHER, CALCS[2], DONE, manifest=RATED)
    waiting = json.loads(ringfence("run", "write what 0, 1 and 2 added to 1 are", "--json").out)
    assert waiting["status"] == "waiting"
    assert ringfence("approve", waiting["run_id"]).code == 0
    assert refusals(folder, waiting["run_id"])[-1] == ("POL-7", "rate")
