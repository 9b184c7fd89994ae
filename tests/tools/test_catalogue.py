"""The groups of the manifest, and the catalogue entries that come of them."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field

from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.labels import IDENTITY, NOBODY, Trust
from ringfence.core.policy import Effect, Role
from ringfence.core.values import Action
from ringfence.manifest.types import BuiltinTool
from ringfence.tools import GROUPS, Tool, from_manifest, tool, unavailable

Make = Callable[..., list[Tool]]


@pytest.fixture
def everything(box: Path, make: Make) -> list[Tool]:
    return [
        tool for name in GROUPS for tool in make(name, box, *(["logs"] if name in ("files", "text", "csv") else []))
    ]


def names(tools: list[Tool]) -> set[str]:
    return {one.spec.name.removeprefix("tool:") for one in tools}


def nodes(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and all schemas in it."""
    yield schema
    for inner in schema.get("properties", {}).values():
        yield from nodes(inner)
    if "items" in schema:
        yield from nodes(schema["items"])


def test_every_tool_of_the_release_is_there(everything: list[Tool]) -> None:
    assert names(everything) >= {
        "files.list", "files.read", "files.search", "files.find", "files.stat", "text.count", "calc", "time.now",
        "csv.query",
    }  # fmt: skip


def test_every_tool_has_a_full_catalogue_entry(everything: list[Tool]) -> None:
    for spec in (one.spec for one in everything):
        assert (spec.effect, spec.confined, spec.audience) == (Effect.READ, True, NOBODY), spec.name
        assert len(spec.pin) == 64
        assert 10 <= len(spec.summary) <= 250
        assert set(spec.roles) == set(spec.schema["properties"])
        assert spec.roles.get("path", Role.CONTROL) is Role.CONTROL


def test_every_schema_is_one_that_a_small_model_and_a_grammar_can_follow(everything: list[Tool]) -> None:
    for spec in (one.spec for one in everything):
        assert spec.schema["additionalProperties"] is False
        for node in nodes(spec.schema):
            assert not {"title", "anyOf", "oneOf", "allOf", "$ref", "$defs", "pattern"} & node.keys(), spec.name
        assert all(len(field["description"]) <= 200 for field in spec.schema["properties"].values())


def test_only_what_reads_files_has_the_readers_of_files(box: Path) -> None:
    readers = frozenset({frozenset({"role:ops"})})
    made = {}
    for name in GROUPS:
        manifest = BuiltinTool(name=name, type="builtin", target_paths=(Path("logs"),))
        for one in from_manifest(manifest, root=box, readers=readers, callers=frozenset({"role:ops"}), clock=lambda: 0):
            made[one.spec.name] = one.spec
    assert all(spec.callers == frozenset({"role:ops"}) for spec in made.values())
    for pure in ("tool:calc", "tool:time.now"):
        assert made.pop(pure).output == IDENTITY
    assert {spec.output.trust for spec in made.values()} == {Trust.UNTRUSTED}
    assert {spec.output.readers for spec in made.values()} == {readers}


@pytest.mark.parametrize(
    ("permissions", "there", "missing"),
    [
        (("read",), {"files.read", "files.list", "files.find"}, {"files.search"}),
        (("grep",), {"files.search", "files.find"}, {"files.read", "files.list"}),
        (None, {"files.read", "files.search", "files.find"}, set()),
    ],
)
def test_permissions_pick_among_the_tools(
    box: Path, make: Make, permissions: tuple[str, ...] | None, there: set[str], missing: set[str]
) -> None:
    made = names(make("files", box, "logs", permissions=permissions))
    assert made >= there
    assert not made & missing
    assert make("files", box, "logs", permissions=()) == []


def test_what_the_groups_cannot_do_is_the_operators_error(box: Path, make: Make) -> None:
    for name in ("files", "csv"):
        with pytest.raises(ManifestError, match=f"{name} has no target_paths") as caught:
            make(name, box)
        assert "target_paths: [./data]" in caught.value.todo
    with pytest.raises(ManifestError, match="no write tools"):
        make("files", box, "logs", permissions=("write",))
    flies = BuiltinTool.model_construct(name="flies", type="builtin")
    with pytest.raises(ManifestError, match="no built-in tool 'flies'"):
        from_manifest(flies, root=box, readers=frozenset(), callers=None, clock=lambda: 0)
    with pytest.raises(ManifestError, match="nowhere cannot be opened"):
        make("files", box, "nowhere")


def test_what_is_designed_says_that_it_is_not_in_this_release(box: Path, make: Make) -> None:
    shell = BuiltinTool(name="shell", type="builtin", allow=("df",))
    assert unavailable(shell) == "shell is designed, but not in this release"
    assert unavailable(BuiltinTool(name="files", type="builtin")) is None
    with pytest.raises(ManifestError, match="not in this release"):
        make("shell", box)


def test_a_mismatch_is_one_line_that_a_small_model_can_act_upon(everything: list[Tool]) -> None:
    specs = {one.spec.name: one.spec for one in everything}
    for name, args, message in (
        ("tool:files.read", {}, "path is missing; give a file path such as runbooks/disk.md"),
        ("tool:files.read", {"path": "x", "lines": 3}, "there is no argument 'lines'; there are: path, first, last"),
        ("tool:csv.query", {"path": "x", "where": [{"column": "a"}]}, "where.0.value is missing; give conditions"),
        ("tool:text.count", {"top": 1000}, "top: Input should be less than or equal to 100, not 1000; give how many"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)) as caught:
            specs[name].check(args)
        assert "\n" not in str(caught.value)


def test_the_pin_changes_with_the_schema() -> None:
    class One(tool.Args):
        a: int

    class Two(tool.Args):
        a: Annotated[int, Field(description="changed")]

    pins = {tool.define("x", "x", args, lambda args: None, use=tool.Use()).spec.pin for args in (One, Two)}
    assert len(pins) == 2


async def test_a_tool_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "GRACE_S", 0.0)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(args: tool.Args) -> None:
        time.sleep(0.2)
        loop.call_soon_threadsafe(ended.set)

    made = tool.define("slow", "slow", tool.Args, hang, use=tool.Use(), timeout_s=0.05)
    with pytest.raises(ToolError, match=r"slow did not end within 0\.05 s"):
        await made.sink.perform(Action("tool:slow", {}, IDENTITY))
    assert not ended.is_set()
    await ended.wait()


async def test_pure_tools_run_without_a_thread(everything: list[Tool], monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*args: object) -> None:
        raise AssertionError("a thread")

    monkeypatch.setattr(asyncio, "to_thread", never)
    made = {one.spec.name: one for one in everything}
    for name, args in (("tool:calc", {"expression": "1+1"}), ("tool:time.now", {}), ("tool:text.count", {"text": "a"})):
        assert (await made[name].sink.perform(Action(name, args, IDENTITY))).ok
