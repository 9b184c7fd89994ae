"""A run as a response, whole and as events."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from typing import Any, Final

from ringfence.app.serving.feed import Delta
from ringfence.app.serving.service import Service
from ringfence.app.serving.shown import shown
from ringfence.core.values import JSON, Principal
from ringfence.engine.result import Result

from .. import telling
from .beginning import Begun
from .chat import about
from .forms import ResponseRequest
from .speech import Speech

PREFIX: Final = "resp_"
_STATUS: Final[Mapping[str, str]] = {"done": "completed", "failed": "failed", "cancelled": "cancelled"}
_WHY: Final[Mapping[str, str]] = {"partial": "max_output_tokens", "waiting": "approval"}  # of what is incomplete
Keep = Callable[[Principal, str, str, str], None]


class Shape:
    """One response."""

    def __init__(
        self, service: Service, who: Principal, begun: Begun, model: str, base: str, asked: ResponseRequest,
        *, keep: Keep | None = None,
    ) -> None:  # fmt: skip
        self._service, self._who, self._begun, self._base, self._keep = service, who, begun, base, keep
        self._count = -1
        self._steps = ""
        self._head: dict[str, JSON] = {
            "id": PREFIX + begun.run, "object": "response", "created_at": begun.created, "model": model,
            "background": bool(asked.background), "instructions": asked.instructions,
            "metadata": asked.metadata or {}, "previous_response_id": asked.previous_response_id,
            "conversation": {"id": begun.conversation}, "parallel_tool_calls": False, "tool_choice": "none",
            "tools": [], "temperature": None, "top_p": None, "store": True, "truncation": "disabled",
            "text": {"format": {"type": "text"}},
        }  # fmt: skip

    def unfinished(self, status: str) -> dict[str, JSON]:
        """The response of a run that is under way."""
        return {**self._head, "status": status, "error": None, "incomplete_details": None, "output": [], "usage": None}

    async def whole(self, result: Result) -> dict[str, JSON]:
        """The response of a run that has ended, or waits."""
        end = await telling.ending(self._service, self._who, result, base=self._base)
        if self._keep is not None:
            self._keep(self._who, self._begun.task, end.text.strip(), self._begun.run)
        status = _STATUS.get(end.status, "incomplete")
        error = {"code": "server_error", "message": end.text} if status == "failed" else None
        why = {"reason": _WHY.get(end.status, end.status)} if status == "incomplete" else None
        output = [*([self._reasoning("completed")] if self._steps else ()), self._message("completed", end.text)]
        return {
            **self._head, "status": status, "error": error, "incomplete_details": why, "output": output,
            "usage": _usage(result), "ringfence": about(result, end, self._begun.conversation),
        }  # fmt: skip

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Its events: steps as a summary of reasoning, the answer as text."""
        over, speech, at = False, Speech(), 0
        try:
            yield self._event("response.created", {"response": self.unfinished("in_progress")})
            yield self._event("response.in_progress", {"response": self.unfinished("in_progress")})
            async with aclosing(self._service.events(self._who, self._begun.run)) as items:
                async for item in items:
                    event = None if isinstance(item, Delta) else shown(item, self._who.member)
                    said = speech.delta(item) if isinstance(item, Delta) else speech.event(event or {})
                    if text := said.get("reasoning_content", ""):
                        for piece in self._thinks(str(text), event):
                            yield piece
                    if text := said.get("content", ""):
                        for piece in self._says(str(text), first=not at):
                            yield piece
                        at = 1
            result = await self._service.result(self._who, self._begun.run)
            over = True  # whoever goes away now ends nothing
            response = await self.whole(result)
            text = str(response["output"][-1]["content"][0]["text"])
            for piece in self._says(speech.rest(text), first=not at):
                yield piece
            for piece in self._closing(speech.said(text)):
                yield piece
            last = str(response["status"])
            yield self._event(f"response.{last if last != 'cancelled' else 'incomplete'}", {"response": response})
        finally:
            if not over:
                telling.abandon(self._service, self._who, self._begun.run)

    def _thinks(self, text: str, event: JSON) -> Iterator[bytes]:
        place = {"item_id": f"rs_{self._begun.run}", "output_index": 0, "summary_index": 0}
        if not self._steps:
            yield self._event("response.output_item.added", {"output_index": 0, "item": self._reasoning("in_progress")})
            part = {"type": "summary_text", "text": ""}
            yield self._event("response.reasoning_summary_part.added", {**place, "part": part})
        self._steps += text
        more = {} if event is None else {"ringfence": event}
        yield self._event("response.reasoning_summary_text.delta", {**place, "delta": text, **more})

    def _says(self, text: str, *, first: bool) -> Iterator[bytes]:
        if first:
            if not self._steps:  # every item keeps its place
                yield from self._thinks("…\n", None)
            item = {**self._message("in_progress", ""), "content": []}
            yield self._event("response.output_item.added", {"output_index": 1, "item": item})
            yield self._event("response.content_part.added", {**self._place(), "part": _part("")})
        if text:
            yield self._event("response.output_text.delta", {**self._place(), "delta": text, "logprobs": []})

    def _closing(self, text: str) -> Iterator[bytes]:
        place = {"item_id": f"rs_{self._begun.run}", "output_index": 0, "summary_index": 0}
        item = self._reasoning("completed")
        yield self._event("response.reasoning_summary_text.done", {**place, "text": self._steps})
        yield self._event("response.reasoning_summary_part.done", {**place, "part": item["summary"][0]})
        yield self._event("response.output_item.done", {"output_index": 0, "item": item})
        yield self._event("response.output_text.done", {**self._place(), "text": text, "logprobs": []})
        yield self._event("response.content_part.done", {**self._place(), "part": _part(text)})
        item = self._message("completed", text)
        yield self._event("response.output_item.done", {"output_index": 1, "item": item})

    def _place(self) -> dict[str, JSON]:
        return {"item_id": f"msg_{self._begun.run}", "output_index": 1, "content_index": 0}

    def _reasoning(self, status: str) -> dict[str, JSON]:
        summary = [{"type": "summary_text", "text": self._steps}] if self._steps else []
        return {"id": f"rs_{self._begun.run}", "type": "reasoning", "summary": summary, "status": status}

    def _message(self, status: str, text: str) -> dict[str, JSON]:
        ident = f"msg_{self._begun.run}"
        return {"id": ident, "type": "message", "role": "assistant", "status": status, "content": [_part(text)]}

    def _event(self, kind: str, data: Mapping[str, Any]) -> bytes:
        self._count += 1
        body = {"type": kind, "sequence_number": self._count, **data}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return f"event: {kind}\ndata: {text}\n\n".encode()


def _part(text: str) -> dict[str, JSON]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _usage(result: Result) -> dict[str, JSON]:
    asked, said = result.usage.get("prompt", 0), result.usage.get("completion", 0)
    return {
        "input_tokens": asked, "output_tokens": said, "total_tokens": asked + said,
        "input_tokens_details": {"cached_tokens": result.usage.get("cached", 0)},
        "output_tokens_details": {"reasoning_tokens": 0},
    }  # fmt: skip
