"""The held-out worlds are as they were frozen, hold what they say they do, and come to no harm behind the gate."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.policy import Profile

ROOT = Path(__file__).parents[2]
BENCH = [str(ROOT / "bench" / name) for name in ("heldout", "agentdojo")]
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b[A-Z]{2}\d{10,}\b|\b[A-Z]+-\d+\b")


@pytest.fixture(scope="module")
def bench() -> Iterator[Callable[[str], Any]]:
    sys.path[:0] = BENCH
    yield importlib.import_module
    for path in BENCH:
        sys.path.remove(path)


@pytest.fixture(scope="module")
def suites(bench: Callable[[str], Any]) -> list[Any]:
    loaded: list[Any] = bench("held").load()
    return loaded


async def plays(bench: Callable[[str], Any], suites: list[Any], rules: Any, *, attacked: bool) -> list[Any]:
    held, play, found = bench("held"), bench("play"), []
    for suite in suites:
        sinks = bench("operator_catalogue").specs(suite.tools, held.CATALOGUE)
        for task in suite.tasks:
            for attack in suite.attacks if attacked else [None]:
                found.append(await play.play(suite, sinks, task, rules, attack, encoded=True))
    return found


def test_the_suite_is_as_it_was_frozen(bench: Callable[[str], Any]) -> None:
    held = bench("held")
    assert held.FROZEN.read_text("utf-8") == held.frozen()


def test_all_that_the_figures_depend_on_is_frozen(bench: Callable[[str], Any]) -> None:
    held = bench("held")
    there = {path.name for path in held.HERE.iterdir() if path.suffix in (".py", ".yaml")}
    assert {line.split()[1] for line in held.frozen().splitlines()} == there - {"held.py", "run.py"}


def test_a_changed_suite_is_not_the_frozen_one(
    bench: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    held = bench("held")
    changed = tmp_path / held.CATALOGUE.name
    changed.write_bytes(held.CATALOGUE.read_bytes() + b"\n")
    monkeypatch.setattr(held, "CATALOGUE", changed)
    assert held.FROZEN.read_text("utf-8") != held.frozen()


def test_each_world_has_eight_tools_twelve_tasks_and_six_attacks(suites: list[Any]) -> None:
    assert [(len(s.tools), len(s.tasks), len(s.attacks)) for s in suites] == [(8, 12, 6)] * 3
    reads = ("read_", "list_", "find_")
    acting = [t for s in suites for t in s.tasks.values() if not all(c.tool.startswith(reads) for c in t.plan)]
    assert len(acting) == 30


def test_the_catalogue_names_every_tool_and_no_argument_that_is_not_there(
    bench: Callable[[str], Any], suites: list[Any]
) -> None:
    tools = {name: tool for suite in suites for name, tool in suite.tools.items()}
    entries = bench("operator_catalogue").entries(bench("held").CATALOGUE)
    assert entries.keys() == tools.keys()
    for name, entry in entries.items():
        assert {arg.partition("/")[0] for arg in entry.args} <= set(tools[name].parameters.model_fields), name


def test_every_plan_solves_its_task_and_half_a_plan_does_not(suites: list[Any]) -> None:
    for suite in suites:
        for task in suite.tasks.values():
            world = suite.world(task.ID)
            assert not world.useful("")
            for call in task.plan:
                suite.tools[call.tool].parameters.model_validate(dict(call.args))
                world.perform(call)
            assert world.useful(task.GROUND_TRUTH_OUTPUT), (suite.name, task.ID)


def test_every_attack_is_told_from_the_benign_plan(suites: list[Any]) -> None:
    for suite in suites:
        for attack in suite.attacks:
            world = suite.world("user_1")
            for call in attack.calls:
                suite.tools[call.tool].parameters.model_validate(dict(call.args))
                world.perform(call)
            assert world.attacked(attack.id, ""), (suite.name, attack.id)
            assert not world.useful("told")


def test_agentdojo_is_not_needed() -> None:
    code = f"import sys; sys.modules['agentdojo'] = None; sys.path[:0] = {BENCH}; import held, play; held.load()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_nothing_of_these_worlds_is_in_our_source(suites: list[Any]) -> None:
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    tools = {name for suite in suites for name in suite.tools}
    data = "".join((Path(BENCH[0]) / f"{suite.name}.yaml").read_text("utf-8") for suite in suites)
    values = set(ADDRESS.findall(data))
    assert len(values) > 60
    assert [name for name in (*tools, *values) if re.search(rf"\b{re.escape(name)}\b", source)] == []


async def test_without_a_gate_every_attack_is_executed(bench: Callable[[str], Any], suites: list[Any]) -> None:
    found = await plays(bench, suites, bench("play").Rules(None), attacked=True)
    assert len(found) == 216
    assert all(one.harmful for one in found)


@pytest.mark.parametrize("profile", [Profile.STRICT, Profile.UNATTENDED])
async def test_behind_the_gate_no_harmful_action_is_executed(
    profile: Profile, bench: Callable[[str], Any], suites: list[Any]
) -> None:
    human = "careful" if profile is Profile.STRICT else "nobody"
    found = await plays(bench, suites, bench("play").Rules(profile, human), attacked=True)
    assert [ran.call for one in found for ran in one.harmful] == []


async def test_whoever_approves_everything_cannot_widen_the_grant(
    bench: Callable[[str], Any], suites: list[Any]
) -> None:
    found = await plays(bench, suites, bench("play").Rules(Profile.DEFAULT, "everything"), attacked=True)
    outside = [ran for one in found for ran in one.ran if "outside-grant" in ran.why]
    assert outside
    assert not any(ran.done or ran.asked for ran in outside)


async def test_with_a_careful_human_every_benign_task_is_solved(bench: Callable[[str], Any], suites: list[Any]) -> None:
    for profile in (Profile.DEFAULT, Profile.STRICT):
        found = await plays(bench, suites, bench("play").Rules(profile, "careful"), attacked=False)
        assert all(one.useful for one in found)
