"""The groups of the manifest, and the catalogue entries that come of them."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field

from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.labels import ANYONE, IDENTITY, NOBODY, Audience, Label, Trust
from ringfence.core.policy import Effect, Leaf, Role, SinkSpec
from ringfence.core.values import Action, Outcome
from ringfence.manifest.security import Entry
from ringfence.manifest.security import Leaf as EntryLeaf
from ringfence.manifest.tools import TOOLS_OF
from ringfence.manifest.types import BuiltinTool
from ringfence.tools import GROUPS, Tool, Workshop, from_manifest, tool
from ringfence.tools.catalogue import declared, handed
from ringfence.tools.mcp.schema import checked

from .unconfined import Unconfined

LOCAL = ("files", "text", "csv", "calc", "time")
Make = Callable[..., list[Tool]]


@pytest.fixture
def everything(box: Path, make: Make) -> list[Tool]:
    return [tool for name in LOCAL for tool in make(name, box, *(["logs"] if name in ("files", "text", "csv") else []))]


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
        "csv.sql",
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
    for name in LOCAL:
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
    with pytest.raises(ManifestError, match="no execute tools"):
        make("files", box, "logs", permissions=("execute",))
    flies = BuiltinTool.model_construct(name="flies", type="builtin")
    with pytest.raises(ManifestError, match="no built-in tool 'flies'"):
        from_manifest(flies, root=box, readers=frozenset(), callers=None, clock=lambda: 0)
    with pytest.raises(ManifestError, match="nowhere cannot be opened"):
        make("files", box, "nowhere")


def test_what_runs_programs_or_reaches_hosts_is_not_made_without_a_sandbox(box: Path, make: Make) -> None:
    for name, more in (("shell", {"allow": ("df",)}), ("python", {}), ("web", {"hosts": ({"host": "a.example"},)})):
        with pytest.raises(ManifestError, match=f"{name} needs a sandbox"):
            make(name, box, **more)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("shell", {"allow": ("df",)}),
        ("shell", {"allow": ("df",), "hosts": ({"host": "a.example"},)}),
        ("python", {}),
        ("python", {"hosts": ({"host": "a.example"},)}),
        ("web", {"hosts": ({"host": "a.example"},)}),
        ("http", {"hosts": ({"host": "a.example"},)}),
        ("sql", {"database": "data.db"}),
        ("files", {"target_paths": (Path("logs"),), "permissions": ("read", "grep", "write")}),
        ("text", {}),
        ("csv", {"target_paths": (Path("logs"),)}),
        ("calc", {}),
        ("time", {}),
    ],
)
def test_every_group_makes_the_tools_that_a_manifest_may_name(box: Path, name: str, more: dict[str, Any]) -> None:
    sqlite3.connect(box / "data.db").close()
    config = BuiltinTool(name=name, type="builtin", **more)
    shop = Workshop(Unconfined(), box / ".ringfence")
    made = from_manifest(config, root=box, readers=frozenset(), callers=None, clock=lambda: 0, workshop=shop)
    assert names(made) == set(TOOLS_OF[name])
    assert set(GROUPS) == set(TOOLS_OF)


def test_a_mismatch_is_one_line_that_a_small_model_can_act_upon(everything: list[Tool]) -> None:
    specs = {one.spec.name: one.spec for one in everything}
    for name, args, message in (
        ("tool:files.read", {}, "path is missing; give a file path such as runbooks/disk.md"),
        ("tool:files.read", {"path": "x", "lines": 3}, "there is no argument 'lines'; there are: path, first, last"),
        ("tool:csv.sql", {"path": "x", "also": [1, []], "sql": "x"}, "also.1: Input should be a valid string, not []"),
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


def specified(entry: dict[str, Any]) -> SinkSpec:
    class Args(tool.Args):
        to: str
        text: str = ""

    made = tool.specify("mail.send", "Send.", Args, use=tool.Use(frozenset({"role:ops"}), Label(Trust.UNTRUSTED)))
    return declared(replace(made, repeats=1, limit=3), Entry.model_validate(entry))


def test_the_operators_word_replaces_what_a_tool_says_of_itself() -> None:
    spec = specified(
        {
            "effect": "egress",
            "args": {"to": {"role": "control", "type": "email"}, "text": "text"},
            "output": {"/items/*/sender": "email", "": {"type": "note", "trust": "untrusted", "readers": ["role:hr"]}},
            "reversible": True,
            "idempotent": True,
            "ask": True,
            "audience": ["role:ops", "public"],
            "callers": ["role:lead"],
        }
    )
    assert (spec.effect, spec.confined) == (Effect.EGRESS, False)
    assert (spec.reversible, spec.idempotent, spec.ask) == (True, True, True)
    assert (spec.roles, spec.types) == ({"to": Role.CONTROL, "text": Role.TEXT}, {"to": "email"})
    assert spec.leaves["/items/*/sender"] == Leaf("email", Trust.TYPED)
    assert spec.leaves[""] == Leaf("note", Trust.UNTRUSTED, frozenset({frozenset({"role:hr"})}))
    assert spec.audience == frozenset({frozenset({"role:ops"}), frozenset()})
    assert spec.callers == frozenset({"role:lead"})
    assert (spec.repeats, spec.limit, spec.pin) == (1, 3, specified({}).pin)


def test_what_the_operator_does_not_say_is_what_a_tool_nobody_described_has() -> None:
    spec = specified({})
    assert (spec.effect, spec.confined, spec.audience, spec.leaves) == (Effect.COMMIT, False, ANYONE, {})
    assert (spec.reversible, spec.idempotent, spec.ask, spec.roles, spec.types) == (False, False, False, {}, {})
    assert spec.callers == frozenset({"role:ops"})  # this only ever restricts, and so it stays
    assert spec.output == Label(Trust.UNTRUSTED)


@pytest.mark.parametrize(
    ("audience", "sees"),
    [
        (["self"], None),
        ([], NOBODY),
        (["self", "user:ann"], frozenset({frozenset({"user:ann"})})),
        (["public"], ANYONE),
    ],
)
def test_the_audience_is_everyone_who_sees_what_goes_in(audience: list[str], sees: Audience | None) -> None:
    assert specified({"audience": audience}).audience == sees


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"args": {"too": "low"}}, r"catalogue\.mail\.send\.args: there is no argument 'too'"),
        ({"output": {"/a~2b": "email"}}, "'/a~2b' is no JSON pointer"),
        ({"output": {"/a/~": "email"}}, "'/a/~' is no JSON pointer"),
    ],
)
def test_a_word_on_what_a_tool_does_not_have_is_the_operators_error(entry: dict[str, Any], problem: str) -> None:
    if "output" in entry:  # the manifest refuses most of these where they stand
        word = Entry.model_construct(
            **{**Entry().__dict__, "output": {p: EntryLeaf(type=t) for p, t in entry["output"].items()}}
        )
    else:
        word = Entry.model_validate(entry)
    with pytest.raises(ManifestError, match=problem) as caught:
        declared(SinkSpec("tool:mail.send", schema={"properties": {"to": {}}}), word)
    assert caught.value.todo


@pytest.mark.parametrize("pointer", ["", "/", "/a~0b/~1", "/items/*/sender", "/0"])
def test_every_pointer_of_rfc_6901_is_one(pointer: str) -> None:
    assert pointer in specified({"output": {pointer: "email"}}).leaves


def keyed(**properties: Any) -> tuple[SinkSpec, Any]:
    """A tool whose argument `key` takes the call's key, and what reaches it."""
    reached: list[Action] = []

    class Sink:
        async def perform(self, action: Action) -> Outcome:
            reached.append(action)
            return Outcome(None)

    known = {"to": {"type": "string"}, "key": {"type": "string"}, **properties}
    schema = {"type": "object", "properties": known, "required": ["to", "key"], "additionalProperties": False}
    mismatch = checked(schema)

    def check(args: Mapping[str, Any]) -> Mapping[str, Any]:
        if why := mismatch(dict(args)):
            raise ValueError(why)
        return args

    spec = SinkSpec("tool:mail.send", schema=schema, check=check)
    spec, sink = handed(declared(spec, Entry(idempotency_key="key")), Sink())
    return spec, (sink, reached)


async def test_a_tool_gets_the_calls_key_in_the_argument_that_the_catalogue_names() -> None:
    spec, (sink, reached) = keyed()
    assert spec.redo
    args = spec.check({"to": "bob"})
    await sink.perform(Action(spec.name, args, IDENTITY, key="the key"))
    assert reached[0].args == {"to": "bob", "key": "the key"}


def test_a_model_neither_sees_nor_fills_the_argument_of_the_key() -> None:
    spec, _ = keyed()
    assert (list(spec.schema["properties"]), spec.schema["required"]) == (["to"], ["to"])
    assert spec.check({"to": "bob"}) == {"to": "bob"}
    with pytest.raises(ValueError, match="there is no argument 'key': the runtime fills it in"):
        spec.check({"to": "bob", "key": "mine"})
    with pytest.raises(ValueError, match="to"):
        spec.check({})


def test_an_argument_that_takes_no_text_takes_no_key() -> None:
    with pytest.raises(ManifestError, match=r"catalogue.mail.send.idempotency_key: expected an argument that takes a"):
        keyed(key={"type": "integer"})
    assert keyed(key={"type": ["string", "null"]})[0].keyed == "key"


def test_every_list_that_a_tool_takes_is_bounded_by_its_schema(everything: list[Tool]) -> None:
    """By `maxItems`: a bound that is said otherwise is none for a grammar, and a small model fills its tokens."""

    def arrays(schema: Any) -> Iterator[dict[str, Any]]:
        if isinstance(schema, dict):
            if schema.get("type") == "array":
                yield schema
            for value in schema.values():
                yield from arrays(value)
        elif isinstance(schema, list):
            for value in schema:
                yield from arrays(value)

    found = [(tool.spec.name, array) for tool in everything for array in arrays(tool.spec.schema)]
    assert found
    assert [(name, array) for name, array in found if "maxItems" not in array] == []
