"""The ways in for clients that people have already: of OpenAI's API, of MCP, of A2A, and whoever posts a task."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import APIRouter, FastAPI

from ringfence.core.errors import ManifestError

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


def install(app: FastAPI) -> None:
    """Add what the manifest asks for beside these. Raises ManifestError for a package that is missing."""
    if not app.state.service.agent.manifest.server.a2a:
        return
    try:
        from .a2a import http as a2a
    except ImportError:
        what = "server.a2a needs a package that is not installed"
        raise ManifestError(what, todo="pip install 'ringfence[a2a]', or leave server.a2a out") from None
    app.include_router(a2a.routes_of(app.state.service, app.state.reading))


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
