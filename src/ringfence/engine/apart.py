"""A request to the model that a run is with, made apart from it: a run of its own, granted the model alone, on record.

For what the runtime wants to know and the conversation does not have to hold. One that may not be made brings nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable

from ringfence.core.chain import Kind
from ringfence.core.gate import Gate
from ringfence.core.grants import TaskGrant
from ringfence.core.labels import Label
from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Action, Outcome, Prompt

from .tier import Tier


async def asked_apart(
    gate: Gate, tier: Tier, parent: Turn, *, prefix: str, task: str, serves: str, label: Label, prompt: Prompt,
    about: Callable[[str], Iterable[str]], told: Callable[[object], str],
) -> tuple[object, int]:  # fmt: skip
    """What came of the request, as the gate gave it, and the tokens that it took. Raises JournalError as the gate does.

    prefix  of the run's id: no beginning of its id is one of the other's
    serves  the key under which its first record names the run that it serves
    about   whom that one is about: an erasure has to find what was shown of them
    told    what came of it in words, for its last record; empty: it failed
    """
    turn, run = Turn(), f"{prefix}{parent.run}-{secrets.token_hex(6)}"  # one that a crash cut off is not gone on with
    grant = TaskGrant(frozenset({tier.sink}), {}).to_json()
    body: JSON = {"task": task, "principal": parent.start["principal"], "grant": grant}
    body |= {"plans": True, serves: parent.run}
    await gate.flush()  # the first record of the run that asks says whom it is about
    view: dict[str, JSON] = {"policy": gate.policy.digest, "trace": parent.start.get("trace", {}).get("id", "")}
    if subjects := sorted(set(about(parent.run))):
        view["subjects"] = subjects
    gate.record(turn, Kind.STARTED, label=label, view=view, body=body, run=run)
    result = await gate.perform(turn, Action(tier.sink, {}, label, prompt=tier.shown(run, prompt), run=run))
    words = told(result) if isinstance(result, Outcome) and result.ok else ""
    status = "done" if words else "failed"
    gate.record(
        turn, Kind.FINISHED, label=label, view={"status": status, "usage": dict(turn.usage)},
        body={"status": status, "answer": words or "nothing that can be read"},
    )  # fmt: skip
    return result, turn.usage["prompt"] + turn.usage["completion"]
