"""One attempt to tell a webhook: a run of its own through the gate, on record before a byte leaves.

The policy is that of every other way out: whoever is in the webhook's audience has to be able to read what goes there
(POL-5), nothing planted, and no link or secret that is not the user's own leaves in it (POL-6). Where that is so of the
content, the bare event is sent instead. The run's principal is the server itself; it is about whom the told run is.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from ringfence.app.agent import Agent
from ringfence.app.ids import new_run_id, now_ms
from ringfence.app.knowing.canary import Guarded, watched
from ringfence.app.traces import at_work
from ringfence.core.chain import Kind
from ringfence.core.errors import ToolError
from ringfence.core.gate import Gate, Result
from ringfence.core.grants import TaskGrant
from ringfence.core.labels import IDENTITY, Label, Trust
from ringfence.core.policy import Effect, Profile, Role, SinkSpec
from ringfence.core.turn import State, Turn, fold
from ringfence.core.values import JSON, Action, Allow, Outcome, Principal, digest
from ringfence.manifest.server import Webhook
from ringfence.manifest.tools import Host
from ringfence.tools.egress import Attempt, Bounds, Egress, send
from ringfence.tracing import Trace, span_id

from . import signing
from .event import CONTENT, Event, audience_of, payload

SINK = "webhook:"
PREFIX = "push-"  # of the id of such a run: no beginning of its id is one of another's
WHO = Principal("server:push")
TIMEOUT_S = 15.0
BOUNDS = Bounds(sent=512 * 1024, received=4 * 1024)
_ROLES = {
    **dict.fromkeys(("id", "type", "timestamp", "data"), Role.LOW),
    **dict.fromkeys(CONTENT, Role.TEXT),
    "question/digest": Role.LOW,  # ours, and no secret, though it looks like one
}


@dataclass(frozen=True, slots=True)
class Came:
    """What came of it. `status` of the answer, 0 where there was none; `why` it was not told, empty if it was."""

    status: int = 0
    why: str = ""


class _Hook:
    """A webhook as a sink."""

    def __init__(self, hook: Webhook, record: Callable[[Attempt], None], tls: ssl.SSLContext | None) -> None:
        where = urlsplit(hook.url)
        host = Host(host=where.hostname or "", port=where.port or (443 if where.scheme == "https" else 80),
                    methods=("POST",), paths=(where.path or "/",), private=True)  # fmt: skip
        self._hook = hook
        self._egress = Egress((host,), record, bounds=BOUNDS, tls=tls)

    async def perform(self, action: Action) -> Outcome:
        """Send it. Raises ToolError for whatever is no 2xx: a redirect is not followed."""
        secret = self._hook.secret.reveal()
        if not secret:
            raise ToolError(f"{self._hook.secret.name} is not set", todo="set it in the environment or in .env")
        body = payload(action.args)
        said = signing.headers(secret, str(action.args["id"]), int(time.time()), body)
        said["Content-Type"] = "application/json"
        try:
            async with asyncio.timeout(TIMEOUT_S):
                reply = await send(self._egress, "POST", self._hook.url, headers=said, body=body, run=action.run)
        except TimeoutError:
            raise ToolError(f"no answer within {TIMEOUT_S:g} s") from None
        if not 200 <= reply.status < 300:
            raise _Answered(reply.status)
        return Outcome({"status": reply.status}, IDENTITY)


class _Answered(ToolError):
    """It answered, and not that it took it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"it answers {status}")
        self.status = status


class Teller:
    """Tells webhooks, through a gate whose only sinks they are. For one event loop.

    tls  whom to trust; None: the certificates of this machine
    """

    def __init__(self, agent: Agent, hooks: Sequence[Webhook], tls: ssl.SSLContext | None = None) -> None:
        self._agent = agent
        self._live: dict[str, Turn] = {}
        self._answers: dict[str, int] = {}
        specs = {SINK + hook.name: _spec(hook) for hook in hooks}
        sinks = {SINK + hook.name: self._heard(_Hook(hook, self._left, tls)) for hook in hooks}
        named = digest([[name, sorted(map(sorted, spec.audience or ()))] for name, spec in sorted(specs.items())])[:16]
        self.policy = Guarded(specs, Profile.UNATTENDED, named, None, False, watched(agent.manifest))
        self._gate = Gate(self.policy, sinks, agent.journal, now_ms, agent.observers)

    def _heard(self, sink: _Hook) -> _Heard:
        return _Heard(sink, self._answers)

    async def tell(self, hook: str, told: Event, run: str) -> Came:
        """One attempt, in the run `run` (`new`). Raises JournalError where it cannot be put on record."""
        turn = self._begin(hook, told, run)
        self._live[run] = turn
        status = "failed"
        try:
            with at_work(turn):
                result = await self._gate.perform(turn, self._action(turn, hook, told))
            why = _why(result)
            status = "failed" if why else "done"
            return Came(self._answers.get(run, 0), why)
        finally:
            self._answers.pop(run, None)
            del self._live[run]
            self._end(turn, status)

    def _begin(self, hook: str, told: Event, run: str) -> Turn:
        turn = Turn()
        grant = TaskGrant(frozenset({SINK + hook}), {}).to_json()
        trace = Trace.of(told.trace, str(told.args["data"]["run"]))
        below = replace(trace, parent_id=span_id(str(told.args["data"]["run"]), 0), state="")
        body: JSON = {
            "task": f"tell {hook}", "plans": True, "grant": grant, "trace": below.to_json(),
            "principal": {"subject": WHO.subject, "roles": [], "tenant": None},
        }  # fmt: skip
        name, of = told.args["id"], told.args["data"]["run"]
        view: JSON = {
            "policy": self.policy.digest, "trace": below.trace_id, "subjects": list(told.subjects),
            "push": {"webhook": hook, "type": told.args["type"], "run": of, "id": name},
        }  # fmt: skip
        self._gate.record(turn, Kind.STARTED, label=Label(Trust.OPERATOR), view=view, body=body, run=run)
        turn.heard = (told.task,)  # what the user wrote is theirs to send
        return turn

    def _action(self, turn: Turn, hook: str, told: Event) -> Action:
        """With the content if the policy lets it through, else without."""
        if told.content:
            whole = Action(SINK + hook, {**told.args, **told.content}, told.label, run=turn.run)
            if isinstance(self.policy.decide(whole, turn, now=now_ms()), Allow):
                return whole
        return Action(SINK + hook, told.args, Label(Trust.OPERATOR), run=turn.run)

    def _end(self, turn: Turn, status: str) -> None:
        view: JSON = {"status": status, "usage": {}}
        self._gate.record(turn, Kind.FINISHED, label=Label(Trust.OPERATOR), view=view, body={"status": status})

    def bury(self, run: str) -> None:
        """End an attempt that was cut off with its process: nobody knows whether it arrived, and it is made again."""
        records = self._agent.journal.log.read(run)
        if records and (turn := fold(records)).state is not State.DONE:
            self._end(turn, "failed")

    def _left(self, attempt: Attempt) -> None:
        """Put an attempt on record before a byte leaves. Its path stays out: it may be a secret of the receiver's."""
        turn = self._live.get(attempt.run)
        if turn is None:
            raise ToolError("nothing may leave outside of a run")
        view: Mapping[str, JSON] = {"egress": replace(attempt, path="").to_json()}
        self._gate.record(turn, Kind.CHECKPOINT, label=Label(Trust.OPERATOR), view=view, body={})


class _Heard:
    """A sink, and what its server answered."""

    def __init__(self, sink: _Hook, answers: dict[str, int]) -> None:
        self._sink = sink
        self._answers = answers

    async def perform(self, action: Action) -> Outcome:
        """Do it."""
        try:
            outcome = await self._sink.perform(action)
        except _Answered as error:
            self._answers[action.run] = error.status
            raise
        self._answers[action.run] = int(outcome.value["status"])
        return outcome


def _why(result: Result) -> str:
    """Why it was not told; empty if it was."""
    if not isinstance(result, Outcome):
        return result.why
    return "" if result.ok else str(result.value["error"])


def new() -> str:
    """The id of a run for an attempt."""
    return PREFIX + new_run_id(now_ms())


def _spec(hook: Webhook) -> SinkSpec:
    return SinkSpec(
        SINK + hook.name, pin=hook.url, summary="tells somebody of a run", effect=Effect.EGRESS, idempotent=True,
        roles=_ROLES, audience=audience_of(hook), output=IDENTITY,
    )  # fmt: skip
