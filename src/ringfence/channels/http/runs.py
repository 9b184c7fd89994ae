"""Runs over HTTP: begin one, look at it, stop it, go on with it, go on from the middle of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from ringfence.app.serving import keyed
from ringfence.app.serving.history import History, Wanted
from ringfence.app.serving.reading import Reading
from ringfence.app.serving.service import Service
from ringfence.app.serving.shown import whole
from ringfence.core.values import JSON

from . import caller, streams
from .answers import PLACE, tagged
from .bodies import Checked
from .direct import Direct
from .forms import Begun, ForkOf, NewRun, RunLine, RunPage, RunShown, Standing
from .problems import said
from .schema import EVENT, KEY, RUN, example, shape

routes = APIRouter(prefix="/v1/runs", tags=["runs"], route_class=Checked)
begun = APIRouter(prefix="/v1/runs", tags=["runs"], route_class=Direct)

RunId = Annotated[str, RUN]
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", pattern=KEY, description="the same key and body is the same run, whatever happens"),
]


def service_of(request: Request) -> Service:
    """The one service of the app."""
    service: Service = request.app.state.service
    return service


def reading_of(request: Request) -> Reading:
    """What reads the log for the app, off its loop."""
    reading: Reading = request.app.state.reading
    return reading


def history_of(request: Request) -> History:
    """What is on record of the app's runs."""
    return History(service_of(request), reading_of(request))


@begun.post("", status_code=202, operation_id="beginRun", response_model=Begun,
             responses=example(202, Begun) | shape(200, streams.STREAM, "text/event-stream")
             | said(409, 422, 429))  # fmt: skip
async def begin(request: Request, who: caller.Runs, new: NewRun, key: Key = None) -> Any:
    """Begin a run. It is on record, and durable, when this answers: it goes on after whatever crash.

    With `Accept: text/event-stream` the answer is its events from the first on, as `followRun` has them: who is cut off
    goes on there. The run goes on, too.
    """
    if follow := "text/event-stream" in request.headers.get("accept", ""):
        streams.room(request, who)
    service = service_of(request)
    parent, state = (request.headers.get(name, "") for name in ("traceparent", "tracestate"))
    meta: dict[str, JSON] = {"metadata": new.metadata}
    if key is None:
        run = await service.submit(
            who.principal, new.task, conversation=new.conversation, about=new.about, meta=meta,
            traceparent=parent, tracestate=state,
        )  # fmt: skip
    else:
        run, _ = await keyed.begin(
            service, reading_of(request), who.principal, key, new.task, conversation=new.conversation,
            about=new.about, meta=meta, traceparent=parent, tracestate=state,
        )  # fmt: skip
    history = history_of(request)
    if follow:
        return streams.streamed(request, who, history, run)
    return Begun.of(run, (await history.own(who.principal, run)).state)


@routes.get("", operation_id="listRuns", response_model=RunPage, responses=example(200, RunPage) | said(304, 422))
async def newest(
    request: Request,
    who: caller.Runs,
    limit: Annotated[int, Query(ge=1, le=200, description="runs of a page")] = 50,
    before: Annotated[int | None, Query(ge=0, le=PLACE, description="`next` of the page before")] = None,
    status: Annotated[list[Standing] | None, Query(max_length=16, description="in one of these states")] = None,
    conversation: Annotated[str, Query(max_length=200, description="of this conversation")] = "",
    q: Annotated[str, Query(max_length=200, description="with these words in the task")] = "",
    inner: Annotated[
        bool, Query(description="with plans, summaries and the like, and what you did beside runs")
    ] = False,
) -> Response:
    """Your runs, the newest first. A page may be shorter than `limit`, or empty, and `next` still lead on."""
    wanted = Wanted(frozenset(status or ()), conversation, q, inner)
    found, after = await history_of(request).page(who.principal, wanted, limit, before)
    return tagged(request, RunPage(data=[RunLine.of(one) for one in found], next=after))


@routes.get("/{run}", operation_id="getRun", response_model=RunShown,
            responses=example(200, RunShown) | said(304, 404, 410, 422))  # fmt: skip
async def one(request: Request, who: caller.Runs, run: RunId) -> Response:
    """A run, and what it has come to so far."""
    return tagged(request, RunShown.told(await history_of(request).told(who.principal, run)))


@routes.get("/{run}/records/{seq}", operation_id="getRecord", responses=shape(200, EVENT) | said(304, 404, 410, 422))
async def record(request: Request, who: caller.Runs, run: RunId, seq: int) -> dict[str, Any]:
    """One record of a run as its event shows it, with arguments and value whole."""
    if not 0 <= seq < PLACE:
        seq = PLACE
    found = await history_of(request).record(who.principal, run, seq)
    return whole(found, who.principal.member)


@routes.post("/{run}/cancel", operation_id="cancelRun", response_model=RunShown,
             responses=example(200, RunShown) | said(404, 409, 410, 422))  # fmt: skip
async def cancel(request: Request, who: caller.Runs, run: RunId) -> Response:
    """End a run for good. One that is at work is stopped first, between its effects; none is torn."""
    history = history_of(request)
    await history.own(who.principal, run)
    await service_of(request).cancel(who.principal, run)
    return tagged(request, RunShown.told(await history.told(who.principal, run)))


@routes.post("/{run}/resume", status_code=202, operation_id="resumeRun", response_model=Begun,
             responses=example(202, Begun) | said(404, 409, 410, 422, 429))  # fmt: skip
async def resume(request: Request, who: caller.Runs, run: RunId) -> Begun:
    """Go on with a run that was cut off, or that has to ask anew; what was done is not repeated."""
    history = history_of(request)
    await history.own(who.principal, run)
    await service_of(request).resume(who.principal, run)
    return Begun.of(run, (await history.own(who.principal, run)).state)


@routes.post("/{run}/fork", status_code=202, operation_id="forkRun", response_model=Begun,
             responses=example(202, Begun) | said(404, 409, 410, 422, 429))  # fmt: skip
async def fork(request: Request, who: caller.Runs, run: RunId, wanted: ForkOf) -> Begun:
    """Begin a new run with records 0 to `at` of this one: with `at` 0, to try it again."""
    history = history_of(request)
    await history.own(who.principal, run)
    new = await service_of(request).fork(who.principal, run, at=wanted.at, task=wanted.task)
    return Begun.of(new, (await history.own(who.principal, new)).state)
