"""From a manifest's entry to tools: permissions, the catalogue, paths, and what a server sees of the machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.errors import ManifestError, ToolError, Uncertain
from ringfence.core.labels import ANYONE, Trust
from ringfence.core.policy import Effect, Role
from ringfence.jobs import Job
from ringfence.manifest.security import Entry
from ringfence.manifest.types import McpTool
from ringfence.tools.mcp import launch, listing
from ringfence.tools.mcp.lock import Lock, Pinned
from ringfence.tools.mcp.paths import Paths, says_path

from .conftest import EVIL, READS, Act, Bench

SCAN = {
    "name": "scan",
    "inputSchema": {"type": "object", "properties": {"where": {"type": "string"}, "depth": {"type": "integer"}}},
    "outputSchema": {
        "type": "object",
        "properties": {"items": {"type": "array", "items": {"type": "object", "properties": {"id": {}}}}},
    },
}


def locked(bench: Bench, *facts: dict[str, Any]) -> Lock:
    source = {"command": list(bench.config().command or ()), "files": {}}
    return Lock({"evil": {fact["name"]: Pinned(fact, source) for fact in facts}})


@pytest.mark.parametrize(
    ("permissions", "entry", "name", "there"),
    [
        ([], None, "scan", False),
        (["read", "grep"], None, "scan", False),
        (["read", "grep"], None, "grep", True),
        (["read"], None, "grep", False),
        (["write"], None, "scan", True),
        (["execute"], None, "scan", True),
        ([], "read", "scan", False),
        (["read"], "read", "scan", True),
        (["grep"], "read", "scan", True),
        (["read"], "read-with-effect", "scan", False),
        (["read", "grep"], "write", "scan", False),
        (["read"], "egress", "read", False),
        (["write"], "egress", "scan", True),
    ],
)
def test_the_permissions_of_the_manifest_decide_which_tools_there_are(
    bench: Bench, permissions: list[str], entry: Any, name: str, there: bool
) -> None:
    catalogue = {f"evil.{name}": Entry(effect=entry)} if entry else {}
    server = bench.make(bench.config(permissions=permissions), locked(bench, SCAN | {"name": name}), catalogue)
    assert [tool.spec.name for tool in server.tools] == [f"tool:evil.{name}"] * there
    assert there or "needs the permission write or execute" in server.quarantined[name]


def test_a_tool_called_read_is_a_commit_all_the_same(bench: Bench) -> None:
    server = bench.make(bench.config(permissions=["read"]), locked(bench, SCAN | {"name": "read"}))
    [tool] = server.tools
    assert (tool.spec.effect, tool.spec.confined) == (Effect.COMMIT, False)
    assert tool.spec.roles == {"where": Role.CONTROL, "depth": Role.CONTROL}
    assert tool.spec.output.trust is Trust.UNTRUSTED


def test_the_operators_word_makes_the_catalogue_entry(bench: Bench) -> None:
    entry = Entry.model_validate(
        {"effect": "read", "args": {"where": {"role": "control", "type": "path"}}, "output": {"/items/*/id": "id"}}
    )
    [tool] = bench.make(bench.config(), locked(bench, SCAN), {"evil.scan": entry}).tools
    assert tool.spec.effect is Effect.READ
    assert tool.spec.confined  # the sandbox holds it: no network
    assert tool.spec.audience is None
    assert tool.spec.types == {"where": "path"}
    assert tool.spec.leaves["/items/*/id"].type == "id"
    [reaching] = bench.make(bench.config(hosts=["example.com"]), locked(bench, SCAN), {"evil.scan": entry}).tools
    [unsafe] = bench.make(bench.config(), locked(bench, SCAN), {"evil.scan": entry}, confined=False).tools
    for tool in (reaching, unsafe):
        assert not tool.spec.confined
        assert tool.spec.audience == ANYONE


@pytest.mark.parametrize(
    ("catalogue", "words"),
    [
        ({"evil.scam": Entry()}, "no accepted tool 'evil.scam'"),
        ({"evil.scan": Entry.model_validate({"args": {"were": "text"}})}, "no argument 'were'"),
        ({"evil.scan": Entry.model_validate({"output": {"/items/*/name": "id"}})}, "got 'name'"),
    ],
)
def test_a_catalogue_that_names_what_is_not_there_is_refused(bench: Bench, catalogue: Any, words: str) -> None:
    with pytest.raises(ManifestError, match=words):
        bench.make(bench.config(), locked(bench, SCAN), catalogue)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"name": "files"}, "ship with Ringfence"),
        ({"sandbox": False}, "never run outside of a sandbox"),
        ({"command": ["no-such-program"]}, "no program 'no-such-program'"),
        ({"command": ["./server"]}, r"no program './server'"),
    ],
)
def test_what_an_entry_cannot_mean_is_refused(bench: Bench, config: Any, words: str) -> None:
    with pytest.raises(ManifestError, match=words):
        bench.make(bench.config(**config), None)


async def test_without_a_lock_there_are_no_tools_and_the_next_step_is_said(bench: Bench) -> None:
    for lock in (None, Lock({"other": {}})):
        server = bench.make(bench.config(), lock)
        assert server.tools == []
        assert server.quarantined == {"*": "it is not in ringfence.lock: nobody has accepted it; run `ringfence lock`"}


async def test_a_program_that_changed_is_not_even_started(bench: Bench, act: Act) -> None:
    script = bench.root / "server.py"
    script.write_text(EVIL.read_text())
    config = bench.config(command=["python", "server.py", "honest"])
    lock = await bench.accept(config)
    script.write_text(EVIL.read_text() + "\n")
    server, started = bench.make(config, lock), len(bench.launcher.jobs)
    with pytest.raises(ToolError, match="one of its files changed since it was accepted"):
        await act(server, "evil.echo", text="x")
    assert len(bench.launcher.jobs) == started
    assert set(server.quarantined) == {"add", "echo"}


async def test_a_tool_that_is_new_is_not_there_until_somebody_accepts_it(bench: Bench, act: Act) -> None:
    config = bench.config()
    lock = await bench.accept(config)
    without = Lock({"evil": {"add": lock.servers["evil"]["add"]}})
    server = bench.make(config, without)
    assert await act(server, "evil.add", a=1, b=1) == {"sum": 2}
    assert [tool.spec.name for tool in server.tools] == ["tool:evil.add"]
    assert "not in ringfence.lock" in server.quarantined["echo"]


@pytest.mark.parametrize("mode", ["shadow", "invisible", "bad-schema"])
async def test_one_bad_tool_does_not_take_the_others_down(bench: Bench, act: Act, mode: str) -> None:
    config = bench.config(mode)
    found = await bench.make(config, None).survey()
    good = {"add"} if mode == "shadow" else {"add", "echo"}  # echo and Echo: nobody can tell which one is meant
    assert set(found.tools) == good
    assert len(found.refused) == {"shadow": 6, "invisible": 8, "bad-schema": 10}[mode]
    assert all(name.isascii() and name.isprintable() for name in found.refused)
    server = bench.make(config, Lock({"evil": found.tools}))
    assert await act(server, "evil.add", a=1, b=1) == {"sum": 2}


async def test_arguments_are_held_against_the_accepted_schema_before_anything_runs(bench: Bench, act: Act) -> None:
    server = await bench.server()
    started = len(bench.launcher.jobs)
    for args in ({}, {"text": 7}, {"text": "x", "more": 1}):
        with pytest.raises(ValueError, match=r"text|more"):
            await act(server, "evil.echo", **args)
    assert len(bench.launcher.jobs) == started


async def test_an_answer_that_breaks_its_schema_is_withheld_and_the_other_tools_go_on(bench: Bench, act: Act) -> None:
    server = await bench.server("breaks-schema", {"evil.echo": READS})
    with pytest.raises(Uncertain, match="not what the tool's output schema says: sum: 'a lot' is not of type"):
        await act(server, "evil.add", a=1, b=1)
    assert await act(server, "evil.echo", text="x") == {"text": "x (call 2)"}


async def test_values_that_cannot_be_recorded_and_data_for_the_eye_stay_outside(bench: Bench, act: Act) -> None:
    server = await bench.server("odd-values")
    value = await act(server, "evil.echo", text="x")
    assert value["notes"] == ["image of 300 bytes, not shown"]
    assert value["data"]["n"] == 2.0**63
    assert "QUJD" not in str(value)


def job_of(config: McpTool, root: Path) -> Job:
    assert config.command is not None
    return launch.job(config, launch.resolve(config.command, root), root, None)


def test_a_script_shows_its_own_folder_and_never_the_manifests(bench: Bench) -> None:
    bench.root.joinpath("server.py").write_text("")
    bench.root.joinpath("pkg").mkdir()
    bench.root.joinpath("pkg/server.py").write_text("")
    beside = job_of(bench.config(command=["python", "server.py"]), bench.root)
    assert str(bench.root / "server.py") in beside.reads
    assert str(bench.root) not in beside.reads
    apart = job_of(bench.config(command=["python", "pkg/server.py"]), bench.root)
    assert str(bench.root / "pkg") in apart.reads
    for job in (beside, apart):
        assert job.writes == ()
        assert job.limits.wall_s is None
        assert all(os.path.realpath(path) == path for path in job.reads)
        assert not any(Path.home().is_relative_to(path) for path in job.reads)
        assert job.argv[0] == sys.executable


def test_nothing_of_our_environment_goes_to_a_server(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "a-secret-value")
    job = job_of(bench.config(secrets={"TOKEN": "${MY_KEY}"}, target_paths=["."]), bench.root)
    assert job.env.keys() == {"PATH", "HOME", "LANG", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "TOKEN"}
    assert job.env["TOKEN"] == "a-secret-value"
    assert "a-secret-value" not in repr(job)
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(ToolError, match="MY_KEY"):
        job_of(bench.config(secrets={"TOKEN": "${MY_KEY}"}), bench.root)


@pytest.mark.parametrize(
    ("name", "is_path"),
    [("path", True), ("output_file", True), ("sourceDir", True), ("FILES", True), ("profile", False), ("text", False)],
)
def test_an_argument_is_a_path_by_its_name(name: str, is_path: bool) -> None:
    assert says_path(name) is is_path


def test_paths_are_held_wherever_they_stand(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    paths = Paths([Path("in")], tmp_path)
    for args in (
        {"path": "in/a"},
        {"files": ["in", "in/b/../c"]},
        {"opts": {"dir": str(tmp_path / "in")}},
        {"text": "/"},
    ):
        paths.hold(args, {})
    for args in ({"path": "a"}, {"files": ["in", "in/../x"]}, {"opts": [{"deep": {"dir": "/"}}]}, {"path": {"x": "/"}}):
        with pytest.raises(ValueError, match="leads out of target_paths"):
            paths.hold(args, {})
    with pytest.raises(ValueError, match="where leads out"):
        paths.hold({"where": "/"}, {"where": "path"})
    paths.hold({"path": "/api/users"}, {"path": "endpoint"})  # the operator says that it is none
    with pytest.raises(ValueError, match="there are no target_paths"):
        Paths([], tmp_path).hold({"path": "a"}, {})


@pytest.mark.parametrize(
    "text", ["a\u202eb", "a\x1b[2J", "a\u200bb", "a\U000e0041b", "a\ufe00\ufe01b", "a\u2066b", "\x00"]
)
def test_what_a_person_does_not_see_is_found(text: str) -> None:
    assert listing.hidden(text)


@pytest.mark.parametrize("text", ["plain", "two\nlines\t", "Größe", "日本語", "👨‍👩‍👧", "❤️", "می‌خواهم"])
def test_what_people_write_is_not_hidden(text: str) -> None:
    assert not listing.hidden(text)
