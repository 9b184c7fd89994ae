"""`POST /v1/responses`: a task, and the answer of the run that it begins, as OpenAI's newer API has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import ValidationError

from ringfence.app import past
from ringfence.app.past import Quoted
from ringfence.app.serving.history import Told
from ringfence.app.serving.service import NotFound
from ringfence.core.values import JSON, Principal

from .. import telling
from ..http import caller
from . import beginning, messages
from .beginning import Begun, history_of, service_of
from .errors import Route, declared, refused
from .forms import ResponseRequest, a_name
from .messages import Message, Role
from .shape import PREFIX, Shape

routes = APIRouter(prefix="/v1/responses", tags=["openai"], route_class=Route)
_EXAMPLE: Final[dict[str, JSON]] = {
    "id": "resp_1kb2m9x0q7d3f5h8j1n4", "object": "response", "created_at": 1_790_000_000, "model": "ops",
    "status": "completed", "output": [{"type": "message", "id": "msg_1kb2m9x0q7d3f5h8j1n4", "role": "assistant",
                                       "content": [{"type": "output_text", "text": "71 %"}]}],
}  # fmt: skip


@routes.post("", operation_id="createResponse", response_model=None, responses=declared(**_EXAMPLE))
async def create(request: Request, who: caller.Runs, asked: ResponseRequest) -> Response:
    """A task for the agent. It is a run like any other; a client that goes away ends it, except in the background."""
    name, ignored, service = beginning.agent_of(request, asked.model), asked.check(), service_of(request)
    if asked.stream and asked.background:
        raise refused("expected stream or background, got both", param="background", todo="leave one out")
    task, said = _split(asked)
    after, conversation = await _before(request, who.principal, asked)
    begun = await beginning.begin(
        request, who.principal, asked, task, said, channel="openai.responses", ignored=ignored, after=after,
        conversation=conversation,
    )  # fmt: skip
    base, answers = telling.base_of(request, service), beginning.answers_of(request.app)
    shape = Shape(service, who.principal, begun, name, base, asked, keep=answers.keep)
    if asked.stream:
        headers = {**begun.headers, "Cache-Control": "no-store"}
        return StreamingResponse(shape.stream(), media_type="text/event-stream", headers=headers)
    if asked.background:
        return JSONResponse(shape.unfinished("in_progress"), headers=begun.headers)
    result = await telling.unless_gone(request, service.result(who.principal, begun.run))
    if result is None:
        telling.abandon(service, who.principal, begun.run)
        return Response(status_code=499)
    return JSONResponse(await shape.whole(result), headers=begun.headers)


@routes.get("/{response}", operation_id="getResponse", response_model=None, responses=declared(**_EXAMPLE))
async def one(request: Request, who: caller.Runs, response: str) -> Response:
    """What a run has come to so far, whichever way it was begun."""
    return JSONResponse(await _kept(request, who.principal, response))


@routes.post("/{response}/cancel", operation_id="cancelResponse", response_model=None,
             responses=declared(**_EXAMPLE))  # fmt: skip
async def cancel(request: Request, who: caller.Runs, response: str) -> Response:
    """End a run for good."""
    told = await _told(request, who.principal, response)
    await service_of(request).cancel(who.principal, told.summary.run)
    return JSONResponse(await _kept(request, who.principal, response))


def _split(asked: ResponseRequest) -> tuple[str, list[tuple[Role, str]]]:
    """The task, and what was said before it."""
    given = [{"role": "user", "content": asked.input}] if isinstance(asked.input, str) else asked.input
    found = [_message(one, n) for n, one in enumerate(given)]
    task, said = messages.split(found)
    return task, [*([("system", asked.instructions)] if asked.instructions else ()), *said]


def _message(item: dict[str, Any], n: int) -> Message:
    kind = item.get("type", "message")
    if kind == "function_call_output":
        return Message(role="tool", content=str(item.get("output", "")))
    if kind == "function_call":
        return Message(role="assistant", tool_calls=[{"function": {k: item.get(k) for k in ("name", "arguments")}}])
    if kind == "reasoning":
        return Message(role="assistant", content=None)
    try:
        if kind != "message":
            raise ValueError
        return Message.model_validate(item)
    except (ValidationError, ValueError):
        what = f"expected a message with a role and text, got an item of type {str(kind)[:40]!r}"
        raise refused(what, param=f"input.{n}", code="invalid", todo="send messages") from None


async def _before(request: Request, who: Principal, asked: ResponseRequest) -> tuple[Sequence[str | Quoted], str]:
    """What the response that this one goes on from was shown, and itself; and the conversation."""
    given = asked.conversation
    named = a_name(str(given.get("id", "")) if isinstance(given, dict) else given or "", param="conversation")
    if not asked.previous_response_id:
        return (), named
    if named:
        raise refused("expected conversation or previous_response_id, got both", param="conversation")
    told = await _told(request, who, asked.previous_response_id)
    if not told.result.answer:
        raise refused("the response before this one has no answer yet", param="previous_response_id",
                      todo="wait for it, or answer what it asks")  # fmt: skip
    run = told.summary.run
    first = await history_of(request).record(who, run, 0)
    return [*past.shown_to(first.body), run], told.summary.conversation


async def _told(request: Request, who: Principal, response: str) -> Told:
    """A run of theirs, by the id of its response. Raises Problem 404 for one that is not theirs, or not there."""
    try:
        return await history_of(request).told(who, response.removeprefix(PREFIX))
    except NotFound:
        raise refused("there is no such response", param="response_id", code="not_found", status=404) from None


async def _kept(request: Request, who: Principal, response: str) -> dict[str, JSON]:
    told, service = await _told(request, who, response), service_of(request)
    run = told.summary
    begun = Begun(run.run, "", run.conversation, run.started // 1000, {})
    name, given = service.agent.manifest.runtime.name, told.metadata.get("metadata") or {}
    shape = Shape(service, who, begun, name, telling.base_of(request, service),
                  ResponseRequest(model=name, input="-", metadata=given))  # fmt: skip
    if run.state in ("queued", "running", "open"):
        return shape.unfinished("queued" if run.state == "queued" else "in_progress")
    return await shape.whole(told.result)
