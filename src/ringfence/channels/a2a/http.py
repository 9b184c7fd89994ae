"""A2A over HTTP: the card at its well-known place, and JSON-RPC under /a2a, behind the same door as everything else."""

from __future__ import annotations

import json
from typing import Any

from a2a.server.context import ServerCallContext
from a2a.server.request_handlers.response_helpers import agent_card_to_dict
from a2a.server.routes.common import ServerCallContextBuilder
from a2a.server.routes.jsonrpc_dispatcher import JsonRpcDispatcher
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ringfence.app.serving.reading import Reading
from ringfence.app.serving.service import Service

from ..http.bodies import parsed
from ..http.caller import Runs
from ..http.problems import Problem
from ..telling import base_of
from .card import PATH, card_of
from .handler import Tasks


class _Context(ServerCallContextBuilder):
    """Who asks, from the door and nowhere else: what a request says of users or tenants is not looked at."""

    def build(self, request: Request) -> ServerCallContext:
        """For one request."""
        who, service = request.state.caller.principal, request.app.state.service
        state: dict[str, Any] = {"principal": who, "base": base_of(request, service), "headers": dict(request.headers)}
        return ServerCallContext(state=state)


def routes_of(service: Service, reading: Reading) -> APIRouter:
    """The routes over a service."""
    routes = APIRouter(tags=["a2a"])
    dispatcher = JsonRpcDispatcher(Tasks(service, reading), _Context(), enable_v0_3_compat=True)

    @routes.get("/.well-known/agent-card.json", operation_id="getAgentCard", response_model=None)
    async def card(request: Request) -> Response:
        """What the agent says of itself to anybody."""
        found = agent_card_to_dict(card_of(service.agent, base_of(request, service), known=False))
        return JSONResponse(found, headers={"Cache-Control": "no-cache"})

    @routes.post(PATH, operation_id="a2a", response_model=None)
    async def call(request: Request, who: Runs) -> Response:
        """One call of the protocol."""
        if who.way == "session":
            raise Problem(403, "way", "expected an API key, got a session of the page", todo="`ringfence keys add`")
        try:
            parsed(await request.body())
        except Problem as problem:
            error = {"code": -32700, "message": problem.what}
            return JSONResponse({"jsonrpc": "2.0", "id": None, "error": error})
        answer: Response = await dispatcher.handle_requests(request)
        return _ours(answer)

    return routes


def _ours(answer: Response) -> Response:
    """An answer of the SDK's without words of the insides: of a fault it tells what Python said."""
    body = getattr(answer, "body", b"")
    if not body or b"-32603" not in body:
        return answer
    found = json.loads(body)
    found["error"] = {"code": -32603, "message": "something is wrong here, and it is ours"}
    return JSONResponse(found, answer.status_code)
