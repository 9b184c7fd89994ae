"""What a run asks a human, and what they say (POL-9): a projection of the run, and two ways to answer."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.core.chain import Kind
from ringfence.core.errors import JournalError
from ringfence.core.gate import Gate
from ringfence.core.policy import free_text, vouched
from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Action, Deny, Principal


@dataclass(frozen=True, slots=True)
class Origin:
    """A control argument: its value, its kind, and who vouches for it: "you", a handle, a person, "" for nobody."""

    argument: str
    value: JSON
    kind: str
    source: str


@dataclass(frozen=True, slots=True)
class Question:
    """The one call that a run waits for, as it would be made.

    digest   what a yes is bound to
    origins  of its control arguments
    texts    its free texts, by argument
    stale    the policy has changed since it was asked: a yes would be worth nothing, the run has to ask anew
    """

    run: str
    task: str
    asked: int  # milliseconds since 1970
    action: Action
    rule: str
    why: str
    digest: str
    origins: tuple[Origin, ...]
    texts: tuple[tuple[str, str], ...]
    stale: bool


def question(gate: Gate, turn: Turn) -> Question:
    """What the run waits for; raises JournalError if it waits for nobody."""
    asked = turn.question
    if asked is None:
        raise JournalError(f"run {turn.run} is not waiting for anybody", todo="see `ringfence approvals`")
    action = Action(asked.view["sink"], asked.body["args"], asked.label, call=asked.body["call"], run=turn.run)
    spec = gate.policy.sinks.get(action.sink)
    return Question(
        run=turn.run,
        task=str(turn.start["task"]),
        asked=asked.time,
        action=action,
        rule=asked.view["rule"],
        why=asked.body["why"],
        digest=asked.body["digest"],
        origins=tuple(Origin(*found) for found in vouched(action, spec, turn)) if spec is not None else (),
        texts=tuple(free_text(action, spec)) if spec is not None else (),
        stale=spec is None or gate.approval_digest(turn, action) != asked.body["digest"],
    )


def approve(
    gate: Gate, turn: Turn, *, by: Principal, expires: int, digest: str = "", endorse: tuple[str, ...] = ()
) -> None:
    """A yes to the call that the run waits for, once, until `expires` (milliseconds since 1970).

    `digest` has to be that of the question, where it is given. `endorse` names control arguments whose values hold
    for the rest of the run. Raises JournalError: nothing is asked, something else is, or `by` may not say so.
    """
    asked = _answerable(gate, turn, by, digest)
    if asked.stale:
        raise JournalError(
            f"the policy has changed since run {turn.run} asked", todo=f"ask anew: ringfence run --resume {turn.run}"
        )
    endorsed: list[JSON] = [[o.kind, o.value] for o in asked.origins if o.argument in endorse]
    if missing := [name for name in endorse if name not in [o.argument for o in asked.origins]]:
        known = ", ".join(o.argument for o in asked.origins) or "none"
        raise JournalError(f"the call has no control argument {missing[0]!r}", todo=f"there are: {known}")
    body = {"digest": asked.digest, "by": by.subject, "expires": expires, "endorsed": endorsed}
    view = {"of": turn.next_seq - 1, "endorsed": len(endorsed)}
    gate.record(turn, Kind.APPROVAL, label=turn.label, view=view, body=body)


def deny(gate: Gate, turn: Turn, *, by: Principal, why: str = "", digest: str = "") -> None:
    """A no: the model is told, and may go on otherwise. Raises JournalError as `approve`."""
    asked = _answerable(gate, turn, by, digest)
    words = f"{by.subject} said no" + (f": {why}" if why else "")
    gate.refuse(turn, asked.action, Deny("POL-9", "denied", words))


def _answerable(gate: Gate, turn: Turn, by: Principal, digest: str) -> Question:
    asked = question(gate, turn)
    if digest and not asked.digest.startswith(digest):
        raise JournalError(
            f"expected an answer to {asked.digest[:12]}, got one to {digest[:12]}",
            todo="look at what is asked now: `ringfence approvals`",
        )
    if not gate.policy.may_approve(by, turn):
        who = ", ".join(sorted(gate.policy.approvers or ())) or "the one who asked"
        raise JournalError(f"{by.subject} may not answer this; {who} may", todo="ask one of them")
    return asked
