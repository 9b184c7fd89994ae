"""Requests with a JSON body: read strictly, so that nothing behind it meets what it cannot write down again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from ringfence.core.values import JSON

from .caller import caller_of
from .problems import Problem

DEPTH = 64  # of arrays and objects within each other
STRANGERS = 16_384  # bytes of a body that is read before it is known who sends it
_LARGE = 65_536  # bytes, from which on it is not read on the event loop


def parsed(data: bytes) -> JSON:
    """JSON of UTF-8 bytes; raises Problem for what is none, is too deep, or holds what is no text or no number."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        what = f"expected UTF-8, got byte 0x{data[error.start]:02x} at {error.start}"
        raise Problem(400, "encoding", what, todo="send the body as UTF-8") from None
    if _depth(text) > DEPTH:
        raise Problem(400, "depth", f"expected at most {DEPTH} levels, got more", todo="send less nested JSON")
    try:
        value = json.loads(text, parse_constant=_no_number)
    except ValueError as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Problem(400, "json", f"expected JSON, got something else{where}", todo="correct it") from None
    if "\\u" in text:  # nothing else can bring these in
        _only_text(value)
    return value


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _depth(text: str) -> int:
    """How deep brackets go, those in strings included: an upper bound, found without recursion."""
    if text.count("[") + text.count("{") <= DEPTH:
        return 0
    deep = most = 0
    quoted = escaped = False
    for char in text:
        if quoted:
            quoted, escaped = (escaped or char != '"'), (char == "\\" and not escaped)
        elif char == '"':
            quoted = True
        elif char in "[{":
            deep += 1
            most = max(most, deep)
        elif char in "]}":
            deep -= 1
    return most


def _only_text(value: JSON) -> None:
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise Problem(400, "text", "expected text, got a NUL or half of a surrogate pair", todo="leave it out")
    elif isinstance(value, list):
        for item in value:
            _only_text(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            _only_text(key)
            _only_text(item)


class Strict(Request):
    """A request whose JSON is read by `parsed`."""

    async def json(self) -> JSON:
        """The body, checked."""
        body = await self.body()
        return parsed(body) if len(body) < _LARGE else await asyncio.to_thread(parsed, body)


class _Stranger(Request):
    async def json(self) -> JSON:
        """The body of a request that anybody may make: short, or not looked at."""
        if len(body := await self.body()) > STRANGERS:
            raise Problem(413, "too-large", f"expected at most {STRANGERS} bytes here, got {len(body)}")
        return parsed(body)


def _asks_who(dependant: Dependant) -> bool:
    """Whether a route is for callers who are known."""
    return any(one.call is caller_of or getattr(one.call, "scoped", False) or _asks_who(one)
               for one in dependant.dependencies)  # fmt: skip


class Checked(APIRoute):
    """A route whose JSON bodies are read by `parsed`, and that takes no other form for JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As FastAPI's, with what stands before it."""
        handle = super().get_route_handler()
        wants = self.body_field is not None and self.dependant.body_params[0].field_info.__class__.__name__ not in (
            "Form", "File",
        )  # fmt: skip

        known = _asks_who(self.dependant)

        async def checked(request: Request) -> Response:
            if wants:
                if known:
                    await caller_of(request)  # before a byte of the body is read
                media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
                if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
                    raise Problem(415, "media-type", f"expected application/json, got {media or 'no content type'}",
                                  todo="send JSON, and Content-Type: application/json")  # fmt: skip
            read = Strict if known else _Stranger
            return await handle(read(request.scope, request.receive))

        return checked
