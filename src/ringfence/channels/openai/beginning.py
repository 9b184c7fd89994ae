"""A run out of a request: which conversation it belongs to, what it is shown of it, and what the client is told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI, Request

from ringfence.app import new_run_id, now_ms
from ringfence.app.past import Quoted
from ringfence.app.serving import keyed
from ringfence.app.serving.history import History
from ringfence.app.serving.reading import Reading
from ringfence.core.values import Principal, digest

from .. import telling
from ..http.runs import history_of, reading_of, service_of
from .errors import refused
from .forms import CONVERSATION, Asked, conversation_of, is_name
from .history import Answers
from .messages import Role

RUN: Final = "x-ringfence-run"
__all__ = ["Begun", "agent_of", "answers_of", "begin", "history_of", "service_of"]
IGNORED: Final = "x-ringfence-ignored"


@dataclass(frozen=True, slots=True)
class Begun:
    """A run under way, and the headers of whatever is answered about it."""

    run: str
    task: str
    conversation: str
    created: int  # seconds since 1970
    headers: dict[str, str]


def answers_of(app: FastAPI) -> Answers:
    """The answers that the app has given to clients of this API."""
    if not hasattr(app.state, "answers"):
        app.state.answers = Answers(History(app.state.service, app.state.reading))
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
    """Begin the run of a request, durably. `after` comes before what the client itself says was said.

    With an `Idempotency-Key` the same request is the same run, whatever happened in between.
    """
    service, reading, headers = service_of(request), reading_of(request), request.headers
    conversation = conversation or conversation_of(request, asked)
    window = service.agent.manifest.workflow.history
    earlier: list[str | Quoted] | None = None
    if said or after:
        earlier = [*after, *await answers_of(request.app).earlier(who, said, window=window)]
    key = headers.get("idempotency-key", "")
    conversation = conversation or await _theirs(reading, earlier or ()) or (keyed.run_of(who, key) if key else "")
    conversation = conversation or new_run_id(now_ms())
    meta = telling.meta_of(channel, asked.metadata)
    more: dict[str, Any] = {name: headers.get(name, "") for name in ("traceparent", "tracestate")}
    more |= {"conversation": conversation, "earlier": earlier}
    if key:
        meta["request"] = digest(asked.model_dump(mode="json"))
        run, _ = await keyed.begin(service, reading, who, key, task, meta=meta, **more)
    else:
        run = await service.submit(who, task, meta=meta, **more)
    told = {RUN: run, **({CONVERSATION: conversation} if is_name(conversation) else {})}
    if ignored:
        told[IGNORED] = ", ".join(ignored)
    return Begun(run, task, conversation, int(time.time()), told)


async def _theirs(reading: Reading, earlier: Sequence[str | Quoted]) -> str:
    """The conversation of the newest run among them."""
    newest = next((one for one in reversed(earlier) if isinstance(one, str)), "")
    first = await reading(lambda log: log.read(newest, 0, 1)) if newest else []
    return str(first[0].body.get("conversation", "")) if first else ""
