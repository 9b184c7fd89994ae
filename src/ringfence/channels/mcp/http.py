"""MCP over streamable HTTP: /mcp, behind the same door as everything else.

Every request shows who makes it, and a session belongs to the principal who began it: for anybody else there is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, Request
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from ringfence.core.errors import RingfenceError
from ringfence.core.values import Principal

from ..http import problems
from ..http.caller import Caller, caller_of
from ..http.problems import Problem
from ..telling import base_of

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

PATH: Final = "/mcp"
SESSIONS: Final = 512  # of clients of before 2026-07-28; newer ones have none
SESSIONS_EACH: Final = 16  # of one principal, whatever keys it has
IDLE_S: Final = 900.0
_CALLER: Final = "ringfence.caller"


class Endpoint:
    """The ASGI app behind /mcp. It answers while `running` is entered."""

    def __init__(self) -> None:
        self._manager: StreamableHTTPSessionManager | None = None
        self._beginning: Counter[tuple[str, str]] = Counter()  # sessions, by tenant and subject

    @asynccontextmanager
    async def running(self, app: FastAPI) -> AsyncGenerator[None, None]:
        """Serve, until it is left; nothing where the package is not installed, which requests are told."""
        try:
            from mcp.server.streamable_http_manager import StreamableHTTPSessionManager as Manager

            from .server import Tools
        except ImportError:
            yield
            return
        service, limits = app.state.service, app.state.service.agent.manifest.server.limits
        tools = Tools(service, app.state.reading, _who, lambda context: base_of(_request(context), service))
        manager = Manager(
            tools.server(), max_sessions=SESSIONS, session_idle_timeout=IDLE_S,
            max_request_body_size=limits.body_kb * 1024,
        )  # fmt: skip
        async with manager.run():
            self._manager = manager
            try:
                yield
            finally:
                self._manager = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        request = Request(scope, receive)
        try:
            caller = await _let_in(request)
            if self._manager is None:
                raise Problem(501, "missing", "MCP needs a package that is not installed here",
                              todo="pip install 'ringfence[mcp]'")  # fmt: skip
        except Problem as problem:
            await problem.response()(scope, receive, send)
            return
        except RingfenceError as error:
            await problems.of(error).response()(scope, receive, send)
            return
        known = {**scope, "user": _user(caller), _CALLER: caller}
        if not _begins(request):
            await self._manager.handle_request(known, receive, send)
            return
        try:
            with self._one_more(self._manager, caller.principal) as begun:

                async def answer(message: Message) -> None:
                    begun()  # before the client knows: it may begin another one while this answer ends
                    await send(message)

                await self._manager.handle_request(known, receive, answer)
        except Problem as problem:
            await problem.response()(scope, receive, send)

    @contextmanager
    def _one_more(
        self, manager: StreamableHTTPSessionManager, who: Principal
    ) -> Generator[Callable[[], None], None, None]:
        """While a session is begun; what is given is called once it has, for then the manager counts it.

        Raises Problem for a principal with as many as one may have.
        """
        key = who.tenant, who.subject
        open_ = sum((one["issuer"], one["subject"]) == key for one in manager._session_owners.values())
        if open_ + self._beginning[key] >= SESSIONS_EACH:
            raise Problem(429, "sessions", f"expected at most {SESSIONS_EACH} sessions of one principal, got another",
                          todo=f"end one (DELETE {PATH}), or wait: idle ones end by themselves",
                          headers={"Retry-After": "60"})  # fmt: skip
        self._beginning[key] += 1
        counted = True

        def begun() -> None:
            nonlocal counted
            if counted:
                counted = False
                self._beginning[key] -= 1
                if not self._beginning[key]:
                    del self._beginning[key]

        try:
            yield begun
        finally:
            begun()


async def _let_in(request: Request) -> Caller:
    """Who makes a request. Raises Problem: nobody, not for this, or a browser that was signed in for the page."""
    caller = await caller_of(request)
    if caller.way == "session":
        raise Problem(403, "way", "expected an API key, got a session of the page", todo="`ringfence keys add`")
    if "runs" not in caller.scopes:
        raise Problem(403, "scope", "expected a key with the scope runs", todo="make another: `ringfence keys add`")
    return caller


def _begins(request: Request) -> bool:
    """Whether a request would begin a session: clients of 2026-07-28 and later have none."""
    from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
    from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

    spoken = request.headers.get(MCP_PROTOCOL_VERSION_HEADER)
    return "mcp-session-id" not in request.headers and (spoken is None or spoken in HANDSHAKE_PROTOCOL_VERSIONS)


def _user(caller: Caller) -> Any:
    """The principal, as the package binds sessions to it."""
    from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
    from mcp.server.auth.provider import AccessToken

    who = caller.principal
    return AuthenticatedUser(
        AccessToken(token="-", client_id=caller.way, scopes=[], subject=who.subject, claims={"iss": who.tenant})
    )


def _who(context: Any) -> Principal:
    """Who makes the request that a handler works for."""
    caller: Caller = _request(context).scope[_CALLER]
    return caller.principal


def _request(context: Any) -> Request:
    request: Request = context.request
    return request


def route(endpoint: Endpoint) -> Route:
    """Where it is reached; there is nothing below."""
    return Route(PATH, endpoint=endpoint, methods=["GET", "POST", "DELETE"], name="mcp", include_in_schema=False)
