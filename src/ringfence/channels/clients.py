"""The ways in for clients that people have already: of OpenAI's API, of MCP, and whoever posts a task."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import APIRouter, FastAPI

from . import telling
from .http import agent
from .mcp import http as mcp
from .openai import chat, listing, responses, vectors

ROUTERS: Final[tuple[APIRouter, ...]] = (
    agent.routes,
    chat.routes,
    responses.routes,
    vectors.routes,
    listing.routes,
)


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncGenerator[None, None]:
    """Serve what has a life of its own, until it is left; runs whose clients went away have ended by then."""
    try:
        if not app.state.service.agent.manifest.server.mcp:
            yield
            return
        endpoint = mcp.Endpoint()
        route = mcp.route(endpoint)
        app.router.routes.insert(0, route)
        async with endpoint.running(app):
            yield
        app.router.routes.remove(route)
    finally:
        await telling.settled()
