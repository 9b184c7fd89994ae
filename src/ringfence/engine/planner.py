"""A task's grant as the model proposes it from the user's words alone (POL-3): before anything else was read."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ringfence.core.chain import Kind
from ringfence.core.gate import Gate
from ringfence.core.grants import TaskGrant
from ringfence.core.labels import Label, Trust
from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Action, Outcome, Principal, Prompt
from ringfence.tracing import Trace

from .context import encode
from .tier import Veil

PREFIX = "plan-"  # of the id of a run that plans another one: no beginning of its id is one of the other's
MAX_CALLS = 5  # of one tool, in one task
_SYSTEM = """\
You decide which permissions a task needs before it starts. Reading and searching are always allowed.
Below are the actions that change or send something. List only those that the user's request itself asks for, \
each with how many calls it needs. If the request only asks a question, list none.
Actions:
"""


def plan(effects: Sequence[SinkSpec], text: str) -> dict[str, int]:
    """Calls per sink from a plan as the model wrote it; raises ValueError for what is none."""
    try:
        needed = json.loads(text)["needs"]
        known = {spec.name.partition(":")[2]: spec.name for spec in effects}
        return {known[need["action"]]: min(int(need["calls"]), MAX_CALLS) for need in needed}
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"not a plan: {text[:80]!r}") from error


async def propose(
    gate: Gate,
    task: str,
    *,
    run: str,
    principal: Principal,
    model: str,
    effects: Sequence[SinkSpec],
    trace: Trace | None = None,
    veil: Veil | None = None,
    about: Sequence[str] = (),
) -> dict[str, int]:
    """How often the task needs each effect, as `model` says: a run of its own, which is granted the model alone.

    It is about whom the planned run is about: both hold the task.

    Nothing, if it cannot be read: without a plan a task can only read.
    """
    turn, label = Turn(), Label(Trust.USER, frozenset({principal.member}))
    who = {"subject": principal.subject, "roles": sorted(principal.roles), "tenant": principal.tenant}
    body: JSON = {"task": task, "principal": who, "grant": TaskGrant(frozenset({model}), {}).to_json(), "plans": True}
    started: JSON = {"policy": gate.policy.digest, "trace": (trace or Trace.new()).trace_id}  # of the planned run
    if about:
        started["subjects"] = list(about)
    gate.record(turn, Kind.STARTED, label=label, view=started, body=body, run=run)
    listed = "\n".join(f"- {spec.name.partition(':')[2]}: {spec.summary}" for spec in effects)
    messages = (encode("system", _SYSTEM + listed), encode("user", f"Request: {task}"))
    prompt = Prompt(messages, (0,), _grammar(effects), max_tokens=200)
    prompt = veil.prompt(run, prompt) if veil is not None else prompt
    result = await gate.perform(turn, Action(model, {}, label, prompt=prompt, run=run))
    needs: dict[str, int] = {}
    status = "failed"
    if isinstance(result, Outcome) and result.ok:
        try:
            needs, status = plan(effects, result.value["text"]), "done"
        except ValueError:
            status = "failed"
    view = {"status": status, "usage": dict(turn.usage)}
    answer = ", ".join(f"{sink.partition(':')[2]} x{calls}" for sink, calls in needs.items()) or "reads only"
    gate.record(turn, Kind.FINISHED, label=label, view=view, body={"status": status, "answer": answer, "needs": needs})
    return needs


def _grammar(effects: Sequence[SinkSpec]) -> bytes:
    need = {
        "type": "object",
        "properties": {
            "action": {"enum": [spec.name.partition(":")[2] for spec in effects]},
            "calls": {"type": "integer", "minimum": 1, "maximum": MAX_CALLS},
        },
        "required": ["action", "calls"],
        "additionalProperties": False,
    }
    needs = {"type": "array", "items": need, "maxItems": min(len(effects), 6)}
    schema = {
        "type": "object",
        "properties": {"thought": {"type": "string", "maxLength": 160}, "needs": needs},
        "required": ["thought", "needs"],
        "additionalProperties": False,
    }
    return json.dumps(schema, separators=(",", ":")).encode()
