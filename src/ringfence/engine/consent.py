"""What a run asks a human, and what they say (POL-9): a projection of the run, two ways to answer, and no answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from ringfence.core.chain import Kind
from ringfence.core.errors import JournalError
from ringfence.core.gate import Gate
from ringfence.core.policy import free_text, vouched
from ringfence.core.turn import State, Turn
from ringfence.core.values import JSON, Action, Allow, Ask, Principal

LEAST_DIGEST = 12  # characters of a digest that name a question


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
    expires  milliseconds since 1970 from which on no answer counts, and the run goes on as after a no; 0: never
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
    expires: int = 0

    def overdue(self, now: int) -> bool:
        """Whether nobody has answered in time."""
        return 0 < self.expires <= now


def question(gate: Gate, turn: Turn, *, waits_s: int | None = None) -> Question:
    """What the run waits for, `waits_s` seconds long at most; raises JournalError if it waits for nobody."""
    asked = turn.question
    if asked is None:
        raise _nothing_asked(turn)
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
        expires=0 if waits_s is None else asked.time + waits_s * 1000,
    )


def expire(gate: Gate, turn: Turn, *, now: int, waits_s: int | None) -> bool:
    """A no, on record, where nobody has answered in time: the model is told, and may go on otherwise. Whether it was.

    What it counts from is the question's own record, so no restart gives it more time.
    """
    asked = question(gate, turn, waits_s=waits_s)
    if asked.overdue(now):
        _refuse(gate, turn, asked, f"nobody answered by {_moment(asked.expires)}", code="expired")
        return True
    return False


def reads(gate: Gate, turn: Turn, by: Principal) -> bool:
    """Whether they may read the call: a named approver is shown it, others if they may read what it is made from."""
    named = gate.policy.approvers is not None and not gate.policy.approvers.isdisjoint(by.member)
    return named or turn.question is None or turn.question.label.readable_by(by.member)


def renew(gate: Gate, turn: Turn, *, now: int) -> None:
    """Decide anew what a run waits for, if the policy has changed since: a yes to the old question is worth nothing.

    What the new policy would simply allow is asked all the same: somebody wanted to look at it. `now` in milliseconds.
    """
    asked = question(gate, turn)
    if not asked.stale:
        return
    decision = gate.policy.decide(asked.action, turn, now=now)
    if isinstance(decision, Allow):
        decision = Ask(asked.rule, "changed", "the policy has changed since this was asked")
    gate.refuse(turn, asked.action, decision)


def approve(
    gate: Gate, turn: Turn, *, by: Principal, expires: int, digest: str = "", endorse: tuple[str, ...] = (),
    now: int = 0, waits_s: int | None = None,
) -> None:  # fmt: skip
    """A yes to the call that the run waits for, once, until `expires` (milliseconds since 1970, as `now`).

    `digest` has to be that of the question, where it is given. `endorse` names control arguments whose values hold
    for the rest of the run. Raises JournalError: nothing is asked, something else is, it has waited too long, or `by`
    may not say so or not read what they say yes to.
    """
    asked = _answerable(gate, turn, by, digest, now, waits_s)
    if not reads(gate, turn, by):
        raise JournalError("you may not read this call any more: no yes counts", todo="say no, or ask an approver")
    if asked.stale:
        raise JournalError(
            f"the policy has changed since run {turn.run} asked", todo=f"ask anew: ringfence run --resume {turn.run}"
        )
    endorsed: list[JSON] = [[o.kind, o.value] for o in asked.origins if o.argument in endorse]
    if missing := [name for name in endorse if name not in [o.argument for o in asked.origins]]:
        known = ", ".join(o.argument for o in asked.origins) or "none"
        raise JournalError(f"the call has no control argument {missing[0]!r}", todo=f"there are: {known}")
    if any(not kind for kind, _ in endorsed):  # it would vouch for every argument that nobody described
        raise JournalError(
            "a value of no declared kind cannot be trusted for the whole run",
            todo="approve the call alone, or declare the argument's type in the manifest's catalogue",
        )
    body = {"digest": asked.digest, "by": by.subject, "expires": expires, "endorsed": endorsed}
    view = {"of": turn.next_seq - 1, "endorsed": len(endorsed), "by": by.subject}
    gate.record(turn, Kind.APPROVAL, label=turn.label, view=view, body=body)


def deny(
    gate: Gate, turn: Turn, *, by: Principal, why: str = "", digest: str = "", now: int = 0, waits_s: int | None = None
) -> None:
    """A no: the model is told, and may go on otherwise. Raises JournalError as `approve`."""
    asked = _answerable(gate, turn, by, digest, now, waits_s)
    _refuse(gate, turn, asked, f"{by.subject} said no" + (f": {why}" if why else ""), code="denied", by=by.subject)


def _refuse(gate: Gate, turn: Turn, asked: Question, why: str, **view: JSON) -> None:
    view = {"sink": asked.action.sink, "verdict": "deny", "rule": "POL-9", **view}
    body = {"args": dict(asked.action.args), "call": asked.action.call, "why": why}
    gate.record(turn, Kind.DECISION, label=asked.action.label, view=view, body=body)


def _moment(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(sep=" ", timespec="seconds").replace("+00:00", " UTC")


def _nothing_asked(turn: Turn) -> JournalError:
    if turn.state is State.DONE:
        return JournalError(f"run {turn.run} is not waiting for anybody: it has ended ({turn.end['status']})")
    by = ", ".join(sorted({approval.by for approval in turn.approvals.values()}))
    answered = f": {by} has said yes already" if by else ""
    todo = f"go on with it: ringfence run --resume {turn.run}"
    return JournalError(f"run {turn.run} is not waiting for anybody{answered}", todo=todo)


def _answerable(gate: Gate, turn: Turn, by: Principal, digest: str, now: int, waits_s: int | None) -> Question:
    asked = question(gate, turn, waits_s=waits_s)
    if digest and (len(digest) < LEAST_DIGEST or not asked.digest.startswith(digest)):
        raise JournalError(
            f"expected an answer to {asked.digest[:12]}, got one to {digest[:12]}",
            todo="look at what is asked now: `ringfence approvals`",
        )
    entitled(gate, turn, by)
    if asked.overdue(now):
        raise JournalError(
            f"the question of run {turn.run} expired at {_moment(asked.expires)}: no answer counts any more",
            todo="the run goes on as after a no; give the task again if the call is still wanted",
        )
    return asked


def entitled(gate: Gate, turn: Turn, by: Principal) -> None:
    """Raise JournalError if `by` may not answer what this run asks."""
    if not gate.policy.may_approve(by, turn):
        who = ", ".join(sorted(gate.policy.approvers or ())) or "the one who asked"
        raise JournalError(f"{by.subject} may not answer this; {who} may", todo="ask one of them")
