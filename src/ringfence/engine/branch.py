"""A fork: a new run that begins with the first records of another one, and goes on from there by itself.

The copies are what happened in the origin: they say so, nothing of them is done again, and their budgets, counts and
refusals hold here too. What people said yes to does not (POL-9): it was for the other run alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError
from ringfence.core.gate import Gate
from ringfence.core.grants import TaskGrant
from ringfence.core.turn import State, Turn
from ringfence.core.values import JSON, Principal
from ringfence.tracing import Trace

from .loop import REPLY, Engine

_AT_ONCE = 64  # records that are copied before others have a turn
_SHOWN = 12  # ranges of records that one message names


def forkable(records: Sequence[Record]) -> list[int]:
    """The records of a run, by seq, behind which another one can begin: nothing is open, asked, delivered or ended."""
    turn, found = Turn(), []
    for record in records:
        turn.apply(record)
        if turn.state in (State.READY, State.ACTING) and not turn.open and REPLY not in turn.answered:
            found.append(record.seq)
    return found


def check(records: Sequence[Record], at: int, principal: Principal) -> None:
    """Raises JournalError if `principal` cannot fork this run behind record `at`."""
    first, possible = records[0], forkable(records)
    if first.principal != principal.subject:
        raise JournalError(
            f"run {first.run} was asked by {first.principal}, and you are {principal.subject}",
            todo="a fork goes on with what its origin has read, so only the one who asked can make one",
        )
    if first.body.get("plans"):
        raise JournalError(
            f"run {first.run} only plans what another one may do", todo="fork that one: `ringfence runs list`"
        )
    if at not in possible:
        raise JournalError(
            f"run {first.run} cannot be forked at record {at}: something is open, asked or ended there",
            todo=f"records that it can be forked at: {_ranges(possible, at)}",
        )


async def fork(
    engine: Engine,
    gate: Gate,
    records: Sequence[Record],
    *,
    run: str,
    principal: Principal,
    grant: TaskGrant,
    task: str = "",
    trace: Trace | None = None,
    about: Sequence[str] = (),
) -> Turn:
    """Open `run` and put copies of the records of its origin into it; `check` said that they may be. Not yet durable.

    Its roles are those that the principal had and has; `task` takes the place of the origin's where it is given;
    `about` comes beside whom the origin was about when it began.
    """
    first = records[0]
    roles = principal.roles & frozenset(first.body["principal"]["roles"])
    turn = engine.start(
        task or first.body["task"],
        run=run,
        principal=Principal(principal.subject, roles, first.body["principal"]["tenant"]),
        grant=grant,
        before=first.body.get("before", ()),
        origin={"run": first.run, "seq": records[-1].seq},
        trace=trace,
        about=sorted({*first.view.get("subjects", ()), *about}),
    )
    for number, record in enumerate(records[1:]):
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
        view, body = _copied(record, first, task)
        gate.record(turn, record.kind, label=record.label, view=view, body=body)
    return turn


def _copied(record: Record, first: Record, task: str) -> tuple[JSON, JSON]:
    """View and body of a copy: the view names the run that it happened in."""
    view, body = {**record.view, "copied": first.run}, record.body
    match record.kind:
        case Kind.CHECKPOINT:  # what left there did not leave here, and the state is another run's
            kept = ("steps", "usage", "copied", *(() if task else ("tier",)))  # another task begins where it belongs
            view = {key: view[key] for key in kept if key in view}
        case Kind.APPROVAL:  # POL-9: its digest is bound to the other run, and so is what it vouched for
            view, body = {**view, "endorsed": 0}, {**body, "endorsed": []}
        case Kind.MESSAGE if task and body["text"] == first.body["task"]:
            view, body = {**view, "chars": len(task)}, {**body, "text": task}
        case Kind.OUTCOME if task and "sole" in body:  # it counted because of what the other task said
            body = {key: value for key, value in body.items() if key != "sole"}
    return view, body


def _ranges(seqs: Sequence[int], near: int) -> str:
    """`0-2, 5, 9-10`: those around a record, if there are many."""
    ranges: list[list[int]] = []
    for seq in seqs:
        if ranges and ranges[-1][1] == seq - 1:
            ranges[-1][1] = seq
        else:
            ranges.append([seq, seq])
    nearest = sorted(ranges, key=lambda r: min(abs(r[0] - near), abs(r[1] - near)))[:_SHOWN]
    named = ", ".join(f"{a}-{b}" if a < b else str(a) for a, b in sorted(nearest))
    return (named or "none") + (" and others" if len(ranges) > _SHOWN else "")
