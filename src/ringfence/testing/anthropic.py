"""A server on loopback that speaks Anthropic's Messages API from a script: for tests of the client, never a model."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .replies import http, sse

Step = str | Mapping[str, Any]
_ERRORS = {
    "401": (401, "authentication_error", "invalid x-api-key"),
    "403": (403, "permission_error", "Your API key does not have permission to use the specified resource"),
    "429": (429, "rate_limit_error", "Number of request tokens has exceeded your per-minute rate limit"),
    "529": (529, "overloaded_error", "Overloaded"),
    "billing": (402, "billing_error", "Your credit balance is too low"),
    "overflow": (400, "invalid_request_error", "prompt is too long: 210042 tokens > 200000 maximum"),
    "413": (413, "request_too_large", "Request exceeds the maximum size"),
    "404": (404, "not_found_error", "model: scripted"),
}


@dataclass
class ScriptedAnthropic:
    """steps     texts in order, the last one repeated, or objects with `text`, `thinking`, `calls` (each with `name`
              and `input`) and `stop`; or a function of the request's JSON
    mode      an error of `_ERRORS`, with `-then-ok` once for each two requests; `overloaded-stream` and `cut-stream`
              break off in the middle; `whitespace` does not end; `redirect` points elsewhere
    refuses   names of fields of a request: each is refused with the API's words for that
    seen      the requests: (start line and headers, body)
    """

    steps: Sequence[Step] | Callable[[Any], Step]
    mode: str = "ok"
    model: str = "scripted"
    refuses: tuple[str, ...] = ()
    delay_ms: float = 0.0
    requests: int = 0
    connections: int = 0
    port: int = 0
    seen: deque[tuple[bytes, bytes]] = field(default_factory=lambda: deque(maxlen=64))

    @property
    def url(self) -> str:
        """The base address, without `/v1`."""
        return f"http://127.0.0.1:{self.port}"

    def answer(self, head: bytes, body: bytes) -> tuple[bytes, bool]:
        """(response bytes, whether to hang up after them)."""
        self.seen.append((head, body))
        if head.startswith(b"GET"):
            return self._page(head.split(b" ", 2)[1].decode()), False
        self.requests += 1
        if self.mode == "redirect":
            return http(302, "text/plain", b"", "Location: http://192.0.2.1/v1/messages\r\n"), False
        name, _, once = self.mode.partition("-then-")
        if name in _ERRORS and (not once or self.requests % 2):
            return _error(*_ERRORS[name], extra="retry-after: 0\r\n" if once else ""), False
        asked = json.loads(body)
        for key in self.refuses:
            forced = key == "tool_choice" and asked.get(key, {}).get("type") != "any"
            if key in asked and not forced:
                return _error(400, "invalid_request_error", f"`{key}` is not supported by this model"), False
        step = self._step(asked)
        message = self._message(step)
        if not asked.get("stream"):
            return http(200, "application/json", json.dumps(message).encode()), False
        response = self._stream(message)
        return (response[: len(response) * 2 // 3], True) if self.mode == "cut-stream" else (response, False)

    def _step(self, asked: Any) -> dict[str, Any]:
        steps = self.steps
        step = steps(asked) if callable(steps) else steps[min(self.requests, len(steps)) - 1]
        if self.mode == "whitespace":
            step = "  \n" * 5000
        return {"text": step} if isinstance(step, str) else dict(step)

    def _message(self, step: Mapping[str, Any]) -> dict[str, Any]:
        content: list[dict[str, Any]] = []
        if thinking := step.get("thinking"):
            content.append({"type": "thinking", "thinking": thinking, "signature": "c2ln"})
        if text := step.get("text"):
            content.append({"type": "text", "text": text})
        for n, call in enumerate(step.get("calls", ())):
            content.append({"type": "tool_use", "id": f"toolu_{n}", "name": call["name"], "input": call["input"]})
        usage = {
            "input_tokens": 40,
            "cache_creation_input_tokens": 8,
            "cache_read_input_tokens": 52,
            "output_tokens": 7,
        }
        stop = step.get("stop") or ("tool_use" if step.get("calls") else "end_turn")
        fixed = {"id": "msg_1", "type": "message", "role": "assistant", "model": self.model, "stop_sequence": None}
        return {**fixed, "content": content, "stop_reason": stop, "usage": usage}

    def _stream(self, message: dict[str, Any]) -> bytes:
        usage = message["usage"]
        begun = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
        events: list[dict[str, Any]] = [{"type": "message_start", "message": begun}, {"type": "ping"}]
        for n, block in enumerate(message["content"]):
            events += _block(n, block)
        if self.mode == "overloaded-stream":
            fault = {"type": "overloaded_error", "message": "Overloaded"}
            return sse([*events[:-1], {"type": "error", "error": fault}], named=True, done=False)
        end = {"stop_reason": message["stop_reason"], "stop_sequence": None}
        events.append({"type": "message_delta", "delta": end, "usage": {"output_tokens": usage["output_tokens"]}})
        return sse([*events, {"type": "message_stop"}], named=True, done=False)

    def _page(self, path: str) -> bytes:
        if self.mode in ("401", "403"):
            return _error(*_ERRORS[self.mode])
        own = {"type": "model", "id": self.model, "display_name": "Scripted", "created_at": "2026-01-01T00:00:00Z"}
        pages = {f"/v1/models/{self.model}": own, "/v1/models": {"data": [own], "has_more": False}}
        if path not in pages:
            return _error(404, "not_found_error", f"model: {path.rpartition('/')[2]}")
        return http(200, "application/json", json.dumps(pages[path]).encode())


def _block(number: int, block: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of one block: its start, its pieces of eight characters, its stop."""
    kind = block["type"]
    text = {"text": "text", "thinking": "thinking"}.get(kind, "")
    whole = json.dumps(block["input"]) if kind == "tool_use" else block[text]
    empty = {**block, "input": {}} if kind == "tool_use" else {**block, text: ""}
    name, key = ("input_json_delta", "partial_json") if kind == "tool_use" else (f"{text}_delta", text)
    pieces = [whole[i : i + 8] for i in range(0, len(whole), 8)]
    deltas = [{"type": name, key: piece} for piece in pieces]
    return [
        {"type": "content_block_start", "index": number, "content_block": empty},
        *({"type": "content_block_delta", "index": number, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": number},
    ]


def _error(status: int, kind: str, message: str, *, extra: str = "") -> bytes:
    said = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    return http(status, "application/json", json.dumps(said).encode(), extra)
