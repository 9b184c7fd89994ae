"""Bounds of every request, in plain ASGI: how large a body is, and what HEAD and OPTIONS get."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ringfence.manifest.server import Limits

from .problems import ENDLESS, Problem

_UPLOAD: Final = re.compile(r"/v1/collections/[^/]+/documents")
_FORM_BYTES: Final = 64 * 1024  # around a file


class Bounded:
    """Refuses a body that is larger than its route takes, by its declared length or as it comes; answers HEAD as GET.

    `limits` gives the manifest's as they are now.
    """

    def __init__(self, app: ASGIApp, limits: Callable[[], Limits]) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def answer(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            bounded = self._bounded(scope, receive)
            if scope["method"] == "HEAD" and not ENDLESS.fullmatch(scope["path"]):
                await self._app({**scope, "method": "GET"}, bounded, _without_body(answer))
            else:
                await self._app(scope, bounded, answer)
        except Problem as problem:  # from outside of the app's own handlers
            if begun:
                raise
            await problem.response()(scope, receive, send)

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        limits = self._limits()
        upload = scope["method"] == "POST" and _UPLOAD.fullmatch(scope["path"])
        most = (limits.upload_mb << 20) + _FORM_BYTES if upload else limits.body_kb << 10
        declared = [value for key, value in scope["headers"] if key == b"content-length"]
        if declared and declared[0].isdigit() and int(declared[0][:20]) > most:
            raise _too_large(most)
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                if taken > most:
                    raise _too_large(most)
            return message

        return bounded


def _too_large(most: int) -> Problem:
    size = f"{most >> 20} MB" if most >= 1 << 20 else f"{most >> 10} kB"
    return Problem(413, "too-large", f"expected a body of at most {size}, got more", todo="send less",
                   headers={"Connection": "close"})  # fmt: skip


def _without_body(send: Send) -> Send:
    async def headers_alone(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return headers_alone
