"""The tools that an MCP client is offered, and what they say of themselves.

Whoever is at the other end is perhaps a model, and its words are not a person's. So

- `ask` can look things up and change nothing, whatever its task says: its grant has no effects;
- `act` is offered where the agent has effects, and says that it may destroy, so that hosts ask their person first;
- no tool answers what a run asks a person: that is done on the page, or at a terminal, by one.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import mcp_types as types
from pydantic import BaseModel, ConfigDict, Field

from ringfence.app import Agent
from ringfence.core.policy import Effect
from ringfence.core.values import JSON
from ringfence.engine.step import TOOL


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Task(_Form):
    """A task for the agent."""

    task: Annotated[str, Field(min_length=1, max_length=100_000, pattern=r"\S", description="what to do, in words")]
    conversation: Annotated[
        str, Field(max_length=200, pattern=r"^[!-~]*$", description="what was said before in it is shown to the agent")
    ] = ""


class OneRun(_Form):
    """A run of the caller's."""

    run: Annotated[str, Field(min_length=1, max_length=64, description="its id, as ask and act return it")]


class Nothing(_Form):
    """No arguments."""


class Source(BaseModel):
    """A passage that the answer cites as [n]."""

    n: int
    document: str
    page: int
    quote: str


class Approval(BaseModel):
    """A call that waits for a person, where they answer, and until when (milliseconds since 1970)."""

    run: str
    tool: str = ""
    call: str = ""
    why: str = ""
    expires_ms: int | None = None
    url: str


class Answer(BaseModel):
    """What a run has come to. `status`: done, partial, failed, cancelled, waiting, uncertain, running or queued."""

    answer: str
    summary: str
    status: str
    run: str
    conversation: str
    confidence: str
    sources: list[Source]
    flags: list[str]
    approval: Approval | None = None


class Approvals(BaseModel):
    """What waits for a person."""

    waiting: list[Approval]


FORMS: Final[dict[str, type[BaseModel]]] = {"ask": Task, "act": Task, "run_status": OneRun, "approvals": Nothing}
_READS: Final = types.ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)


def offered(agent: Agent) -> list[types.Tool]:
    """The tools over an agent."""
    name, house = agent.manifest.runtime.name, agent.house
    acts = sorted(sink.removeprefix(TOOL) for sink in house.effects)
    out = any(not house.specs[sink].confined for sink in house.reads if sink in house.specs)
    kinds = {house.specs[sink].effect for sink in house.effects}
    found = [
        _tool("ask", f"Ask {name}", f"Give the agent {name} a task that it can do by looking things up. It changes "
              "nothing, whatever the task says. Returns its answer with the passages that it rests on.",
              Answer, types.ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=out)),
    ]  # fmt: skip
    if acts:
        hints = types.ToolAnnotations(
            read_only_hint=False, destructive_hint=bool(kinds - {Effect.EGRESS}), idempotent_hint=False,
            open_world_hint=out or any(not house.specs[sink].confined for sink in house.effects),
        )  # fmt: skip
        found.append(
            _tool("act", f"Have {name} do something", f"Give the agent {name} a task that may change things, with: "
                  f"{', '.join(acts[:20])}. What needs a person's yes waits for it: the answer says where. A call that "
                  "is made twice does the task twice.", Answer, hints)
        )  # fmt: skip
    return [
        *found,
        _tool("run_status", "A run", "What a run of yours has come to so far.", Answer, _READS),
        _tool("approvals", "What waits for a person", "The calls of your runs that wait for a person's yes, and where "
              "they give it. It cannot be given here.", Approvals, _READS),
    ]  # fmt: skip


def _tool(name: str, title: str, description: str, answer: type[BaseModel], hints: types.ToolAnnotations) -> types.Tool:
    return types.Tool(
        name=name, title=title, description=description, input_schema=_schema(FORMS[name]),
        output_schema=_schema(answer), annotations=hints,
    )  # fmt: skip


def _schema(form: type[BaseModel]) -> dict[str, Any]:
    schema: dict[str, JSON] = form.model_json_schema()
    return schema
