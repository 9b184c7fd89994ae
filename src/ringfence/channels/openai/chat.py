"""`POST /v1/chat/completions`: a task, and the answer of the run that it begins."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from ringfence.app.serving.feed import Delta
from ringfence.app.serving.service import Service
from ringfence.app.serving.shown import shown
from ringfence.core.values import JSON, Principal
from ringfence.engine.result import Result

from .. import telling
from ..http import caller
from . import beginning, messages
from .beginning import Begun
from .errors import Route, declared
from .forms import ChatRequest
from .speech import Speech

routes = APIRouter(tags=["openai"], route_class=Route)
REASONS: Final[Mapping[str, str]] = {"partial": "length"}  # why a completion ended; all others: "stop"
_EXAMPLE: Final[dict[str, JSON]] = {
    "id": "chatcmpl-1kb2m9x0q7d3f5h8j1n4", "object": "chat.completion", "created": 1_790_000_000, "model": "ops",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "71 %"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1804, "completion_tokens": 96, "total_tokens": 1900},
}  # fmt: skip


@routes.post("/v1/chat/completions", operation_id="createChatCompletion", response_model=None,
             responses=declared(**_EXAMPLE))  # fmt: skip
async def completions(request: Request, who: caller.Runs, asked: ChatRequest) -> Response:
    """A task for the agent, by the last message. It is a run like any other; a client that goes away ends it."""
    name, ignored = beginning.agent_of(request, asked.model), asked.check()
    task, said = messages.split(asked.messages)
    begun = await beginning.begin(request, who.principal, asked, task, said, channel="openai.chat", ignored=ignored)
    service, base = beginning.service_of(request), telling.base_of(request, beginning.service_of(request))
    told = _Told(request, service, who.principal, begun, name, base)
    if asked.stream:
        usage = asked.stream_options is not None and asked.stream_options.include_usage
        headers = {**begun.headers, "Cache-Control": "no-store"}
        return StreamingResponse(told.stream(usage), media_type="text/event-stream", headers=headers)
    result = await telling.unless_gone(request, service.result(who.principal, begun.run))
    if result is None:
        telling.abandon(service, who.principal, begun.run)
        return Response(status_code=499)  # nobody is there to read it
    return JSONResponse(await told.whole(result), headers=begun.headers)


class _Told:
    """One completion, whole or in chunks."""

    def __init__(self, request: Request, service: Service, who: Principal, begun: Begun, model: str, base: str) -> None:
        self._service, self._who, self._begun, self._base = service, who, begun, base
        self._answers = beginning.answers_of(request.app)
        self._head: dict[str, JSON] = {"id": f"chatcmpl-{begun.run}", "created": begun.created, "model": model}

    async def whole(self, result: Result) -> dict[str, JSON]:
        """The completion of a run that has ended, or waits."""
        end = await self._end(result)
        message = {"role": "assistant", "content": end.text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": REASONS.get(end.status, "stop"), "logprobs": None}
        return {
            **self._head, "object": "chat.completion", "choices": [choice], "usage": usage_of(result),
            "ringfence": about(result, end, self._begun.conversation),
        }  # fmt: skip

    async def _end(self, result: Result) -> telling.Ending:
        end = await telling.ending(self._service, self._who, result, base=self._base)
        self._answers.keep(self._who, self._begun.task, end.text.strip(), self._begun.run)
        return end

    async def stream(self, usage: bool) -> AsyncGenerator[bytes, None]:
        """Its chunks: steps as `reasoning_content`, every event whole under `ringfence`, the answer as content."""
        over = False
        try:
            first = {"run": self._begun.run, "conversation": self._begun.conversation}
            yield self._chunk({"role": "assistant", "content": ""}, first)
            speech = Speech()
            async with aclosing(self._service.events(self._who, self._begun.run)) as items:
                async for item in items:
                    if isinstance(item, Delta):
                        if piece := speech.delta(item):
                            yield self._chunk(piece)
                    else:
                        event = shown(item, self._who.member)
                        yield self._chunk(speech.event(event), event)
            result = await self._service.result(self._who, self._begun.run)
            over = True
            end = await self._end(result)
            if rest := speech.rest(end.text):
                yield self._chunk({"content": rest})
            yield self._chunk({}, about(result, end, self._begun.conversation), REASONS.get(end.status, "stop"))
            if usage:
                yield self._data([], {"usage": usage_of(result)})
            yield b"data: [DONE]\n\n"
        finally:
            if not over:
                telling.abandon(self._service, self._who, self._begun.run)

    def _chunk(self, delta: Mapping[str, JSON], event: JSON = None, reason: str | None = None) -> bytes:
        choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
        return self._data([choice], {} if event is None else {"ringfence": event})

    def _data(self, choices: list[JSON], more: Mapping[str, JSON]) -> bytes:
        data = {**self._head, "object": "chat.completion.chunk", "choices": choices, **more}
        return b"data: " + json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def usage_of(result: Result) -> dict[str, JSON]:
    """Tokens of all requests to models that the run has made."""
    asked, said = result.usage.get("prompt", 0), result.usage.get("completion", 0)
    return {
        "prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said,
        "prompt_tokens_details": {"cached_tokens": result.usage.get("cached", 0)},
    }  # fmt: skip


def about(result: Result, end: telling.Ending, conversation: str) -> dict[str, JSON]:
    """What there is to say of a run beside its text."""
    found: dict[str, JSON] = {
        "run": result.run_id, "conversation": conversation, "status": end.status, "summary": result.summary,
        "confidence": result.confidence, "flags": list(result.flags), "notes": list(result.notes),
        "sources": [{"n": s.n, "document": s.document, "page": s.page, "quote": s.quote} for s in result.sources],
    }  # fmt: skip
    return found if end.approval is None else found | {"approval": end.approval}
