"""A run out of a request: which conversation it belongs to, what it is shown of it, and what the client is told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI, Request

from ringfence.app import new_run_id, now_ms
from ringfence.app.past import Quoted, before
from ringfence.app.serving.service import Service
from ringfence.core.values import Principal

from .. import telling
from .errors import refused
from .forms import CONVERSATION, Asked, conversation_of
from .history import Answers
from .messages import Role

RUN: Final = "x-ringfence-run"
IGNORED: Final = "x-ringfence-ignored"


@dataclass(frozen=True, slots=True)
class Begun:
    """A run under way, and the headers of whatever is answered about it."""

    run: str
    task: str
    conversation: str
    created: int  # seconds since 1970
    headers: dict[str, str]


def service_of(request: Request) -> Service:
    """The one service of the app."""
    service: Service = request.app.state.service
    return service


def answers_of(app: FastAPI) -> Answers:
    """The answers that the app has given to clients of this API."""
    if not hasattr(app.state, "answers"):
        app.state.answers = Answers(app.state.service)
    found: Answers = app.state.answers
    return found


def agent_of(request: Request, model: str) -> str:
    """The agent's name; raises Problem if it is not the model that is asked for."""
    name = service_of(request).agent.manifest.runtime.name
    if model != name:
        what = f"the model {model!r} does not exist here"
        raise refused(what, param="model", code="model_not_found", status=404, todo=f"ask for {name!r}")
    return str(name)


async def begin(
    request: Request,
    who: Principal,
    asked: Asked,
    task: str,
    said: Sequence[tuple[Role, str]],
    *,
    channel: str,
    ignored: Sequence[str],
    after: Sequence[str | Quoted] = (),
    conversation: str = "",
) -> Begun:
    """Begin the run of a request, durably. `after` comes before what the client itself says was said."""
    service, app, headers = service_of(request), request.app, request.headers
    conversation = conversation or conversation_of(request, asked)
    window = service.agent.manifest.workflow.history
    earlier: list[str | Quoted] | None = None
    if said or after:
        earlier = [*after, *await answers_of(app).earlier(who, said, window=window)]
    elif conversation:
        earlier = _own(service, who, conversation, window)
    conversation = conversation or _theirs(service, earlier or ()) or new_run_id(now_ms())
    run = await service.submit(
        who, task, conversation=conversation, earlier=earlier, meta=telling.meta_of(channel, asked.metadata),
        traceparent=headers.get("traceparent", ""), tracestate=headers.get("tracestate", ""),
    )  # fmt: skip
    told = {RUN: run, CONVERSATION: conversation}
    if ignored:
        told[IGNORED] = ", ".join(ignored)
    return Begun(run, task, conversation, int(time.time()), told)


def _own(service: Service, who: Principal, conversation: str, window: int) -> list[str | Quoted] | None:
    """One's own runs of a conversation, where somebody else has used its name as well; None: all of it is one's own."""
    runs = before(service.agent.journal.log, conversation, window)
    own: list[str | Quoted] = [started.run for started, _ in runs if started.principal == who.subject]
    return None if len(own) == len(runs) else own


def _theirs(service: Service, earlier: Sequence[str | Quoted]) -> str:
    """The conversation of the newest run among them."""
    newest = next((one for one in reversed(earlier) if isinstance(one, str)), "")
    found = service.agent.journal.log.read(newest)[0].body.get("conversation", "") if newest else ""
    return str(found)
