"""The bytes of a chat completion, whole and in pieces, as servers of OpenAI's API send them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_PROMPT = 1_999_999_999  # stands for the tokens of the prompt until they are known; as wide as what takes its place
_CACHED = 64


@dataclass(frozen=True)
class Reply:
    """One answer; its bytes are made once.

    when   a substring of the request that picks it
    calls  `{"name", "arguments"}`, the arguments as JSON text
    sure   tokens of the text with their probabilities, to be told as log-probabilities
    """

    text: str
    model: str
    when: bytes = b""
    calls: tuple[Mapping[str, str], ...] = ()
    sure: tuple[tuple[str, float], ...] = ()
    finish: str = ""
    usage: bool = True

    @classmethod
    def of(cls, step: str | Mapping[str, Any], model: str, **more: Any) -> Reply:
        """From a script's text, or object with the keys `text`, `when`, `calls`, `sure` and `finish`."""
        if isinstance(step, str):
            return cls(step, model, **more)
        calls = tuple({"name": call["name"], "arguments": call["arguments"]} for call in step.get("calls", ()))
        sure = tuple((str(token), float(value)) for token, value in step.get("sure", ()))
        when, finish = str(step.get("when", "")).encode(), str(step.get("finish", ""))
        return cls(str(step.get("text", "")), model, when, calls, sure, finish, **more)

    def whole(self, prompt: int) -> bytes:
        """The response; `prompt` tokens were read."""
        return self._whole.replace(b"%d" % _PROMPT, b"%10d" % prompt)

    def stream(self, prompt: int) -> bytes:
        """The response as server-sent events, chunked as RFC 9112 7.1 has it."""
        return self._stream.replace(b"%d" % _PROMPT, b"%10d" % prompt)

    @cached_property
    def _whole(self) -> bytes:
        message: dict[str, Any] = {"role": "assistant", "content": self.text}
        if self.calls:
            message["tool_calls"] = [_call(n, call) for n, call in enumerate(self.calls)]
        choice: dict[str, Any] = {"index": 0, "finish_reason": self._finish, "message": message}
        if self.sure:
            choice["logprobs"] = _logprobs(self.sure)
        body = {"object": "chat.completion", "model": self.model, "choices": [choice], **self._usage}
        return http(200, "application/json", json.dumps(body).encode())

    @cached_property
    def _stream(self) -> bytes:
        deltas: list[dict[str, Any]] = [{"content": piece} for piece in _pieces(self.text)]
        for n, call in enumerate(self.calls):
            arguments = call["arguments"]
            deltas.append({"tool_calls": [{"index": n, **_call(n, {**call, "arguments": ""})}]})
            deltas += [{"tool_calls": [{"index": n, "function": {"arguments": piece}}]} for piece in _pieces(arguments)]
        events: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
        if self.sure and events:
            events[0]["choices"][0]["logprobs"] = _logprobs(self.sure)
        events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": self._finish}]})
        events.append({"choices": [], **self._usage})
        return sse([{"model": self.model, **event} for event in events])

    @property
    def _finish(self) -> str:
        return self.finish or ("tool_calls" if self.calls else "stop")

    @property
    def _usage(self) -> dict[str, Any]:
        if not self.usage:
            return {}
        completion = -(-(len(self.text) + sum(len(call["arguments"]) for call in self.calls)) // 4)
        cached = {"cached_tokens": _CACHED}
        return {"usage": {"prompt_tokens": _PROMPT, "completion_tokens": completion, "prompt_tokens_details": cached}}


def http(status: int, kind: str, body: bytes, extra: str = "") -> bytes:
    """A response of HTTP/1.1 with a body of known length."""
    return f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode() + body


def sse(events: list[dict[str, Any]], *, named: bool = False, done: bool = True) -> bytes:
    """Server-sent events; with `named`, each under its own `type`."""
    data = [
        (f"event: {event['type']}\n" if named else "").encode() + f"data: {json.dumps(event)}\n\n".encode()
        for event in events
    ] + ([b"data: [DONE]\n\n"] if done else [])
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in data) + b"0\r\n\r\n"
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + body


def _pieces(text: str) -> list[str]:
    """Eight characters each, as tokens have; larger ones of a text that is huge."""
    size = 8 if len(text) < 150_000 else 65_536
    return [text[i : i + size] for i in range(0, len(text), size)]


def _call(number: int, call: Mapping[str, str]) -> dict[str, Any]:
    return {"id": f"call_{number}", "type": "function", "function": dict(call)}


def _logprobs(sure: tuple[tuple[str, float], ...]) -> dict[str, Any]:
    return {
        "content": [
            {"token": token, "bytes": list(token.encode()), "logprob": math.log(value), "top_logprobs": []}
            for token, value in sure
        ]
    }
