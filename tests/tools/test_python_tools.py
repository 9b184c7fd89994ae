"""Python functions as tools."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.labels import ANYONE, IDENTITY, NOBODY, Trust
from ringfence.core.policy import Effect, Role
from ringfence.core.values import Action
from ringfence.tools import Tool
from ringfence.tools.python import from_function, tool


async def perform(made: Tool, **args: Any) -> Any:
    return (await made.sink.perform(Action(made.spec.name, args, IDENTITY))).value


@tool("read", roles={"team": "control"})
def on_call(team: Annotated[str, Field(description="a team")], day: Literal["today", "tomorrow"] = "today") -> str:
    """Who is on call.

    More than the model has to know.
    """
    return f"{team}/{day}"


async def test_a_function_is_its_schema_its_summary_and_its_catalogue_entry() -> None:
    made = from_function(on_call, frozenset({frozenset({"role:ops"})}), frozenset({"role:ops"}))
    assert made.spec.name == "tool:on_call"
    assert made.spec.summary == "Who is on call."
    assert made.spec.schema["required"] == ["team"]
    assert "title" not in str(made.spec.schema)
    assert (made.spec.effect, made.spec.confined, made.spec.audience) == (Effect.READ, True, NOBODY)
    assert made.spec.callers == frozenset({"role:ops"})
    assert made.spec.output.trust is Trust.UNTRUSTED
    assert made.spec.output.readers == {frozenset({"role:ops"})}
    assert await perform(made, team="ops") == "ops/today"


def test_a_decorated_function_stays_callable() -> None:
    assert on_call("ops", "tomorrow") == "ops/tomorrow"


def test_a_function_that_nobody_described_is_a_commit() -> None:
    def pay(amount: int) -> int:
        return amount

    spec = from_function(pay).spec
    assert (spec.effect, spec.confined, spec.audience, spec.reads) == (Effect.COMMIT, False, ANYONE, False)
    assert spec.roles.get("amount", Role.CONTROL) is Role.CONTROL


def test_what_the_decorator_says_is_in_the_catalogue() -> None:
    @tool("write", name="note", roles={"text": "text"}, idempotent=True, ask=True)
    def save(text: str) -> None: ...

    spec = from_function(save).spec
    assert (spec.name, spec.effect, spec.roles, spec.idempotent, spec.ask) == (
        "tool:note", Effect.WRITE, {"text": Role.TEXT}, True, True,
    )  # fmt: skip


async def test_a_sync_function_runs_in_a_thread_and_an_async_one_in_the_loop() -> None:
    def where() -> bool:
        return threading.current_thread() is threading.main_thread()

    async def here() -> bool:
        await asyncio.sleep(0)
        return where()

    assert await perform(from_function(where)) is False
    assert await perform(from_function(here)) is True


async def test_arguments_arrive_typed_and_wrong_ones_do_not_arrive() -> None:
    class Point(BaseModel):
        x: int
        y: int = 0

    def length(point: Point, tags: list[str]) -> int:
        return point.x + point.y + len(tags)

    length.__annotations__ = {"point": Point, "tags": list[str], "return": int}  # local classes are not in the globals
    made = from_function(length)
    assert "$ref" not in str(made.spec.schema)
    assert await perform(made, point={"x": 1, "y": 2}, tags=["a"]) == 4
    with pytest.raises(ToolError, match="point is missing"):
        await perform(made, tags=[])
    with pytest.raises(ValueError, match=r"point\.x: Input should be a valid integer"):
        made.spec.check({"point": {"x": "one"}, "tags": []})


async def test_a_function_that_raises_is_a_tool_error_with_its_words_alone() -> None:
    def fail(kind: str) -> None:
        raise {"value": ValueError("no such order"), "bare": KeyError(), "ours": ToolError("gone", todo="wait")}[kind]

    made = from_function(fail)
    with pytest.raises(ToolError, match=r"^fail failed: no such order$") as caught:
        await perform(made, kind="value")
    assert caught.value.__suppress_context__
    with pytest.raises(ToolError, match=r"^fail failed: KeyError$"):
        await perform(made, kind="bare")
    with pytest.raises(ToolError) as ours:
        await perform(made, kind="ours")
    assert (ours.value.what, ours.value.todo) == ("gone", "wait")


@pytest.mark.parametrize("value", [object(), {1: 2}, float("nan"), b"bytes", {"a": {3}}, 2**60, "\ud800"])
async def test_a_result_that_is_not_json_says_so(value: object) -> None:
    def odd() -> object:
        return value

    with pytest.raises(ToolError, match="odd returned something that is not JSON"):
        await perform(from_function(odd))


async def test_a_model_as_a_result_is_json() -> None:
    class Answer(BaseModel):
        text: str

    def answer() -> object:
        return Answer(text="yes")

    assert await perform(from_function(answer)) == {"text": "yes"}


def untyped(x): ...  # type: ignore[no-untyped-def]


def many(*args: int) -> None: ...


def opaque(x: threading.Thread) -> None: ...


@pytest.mark.parametrize(
    ("function", "problem"), [(untyped, "x has no type"), (many, "by name"), (opaque, "have no JSON schema")]
)
def test_a_signature_without_a_schema_is_the_operators_error(function: Callable[..., Any], problem: str) -> None:
    with pytest.raises(ManifestError, match=problem):
        from_function(function)


def test_an_unknown_effect_role_or_argument_is_the_operators_error() -> None:
    with pytest.raises(ManifestError, match="reed"):
        tool("reed")
    with pytest.raises(ManifestError, match="boss"):
        tool(roles={"x": "boss"})

    @tool(roles={"y": "low"})
    def one(x: int) -> int:
        return x

    with pytest.raises(ManifestError, match="no argument 'y'"):
        from_function(one)
