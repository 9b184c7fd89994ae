"""The application: its routes, its errors, and who is let in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from ringfence import __version__
from ringfence.app.serving.service import Service
from ringfence.channels.openai import chat, listing, responses, vectors
from ringfence.channels.web import page

from . import agent, problems, runs
from .caller import Authenticator

OPENAI = (chat.routes, responses.routes, vectors.routes, listing.routes)
ROUTERS = (runs.routes, agent.routes, *OPENAI, page.routes)


def application(service: Service, authenticator: Authenticator) -> FastAPI:
    """The app around a service; it opens the service when it starts, and closes it when it stops."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncGenerator[None, None]:
        await service.start()
        try:
            yield
        finally:
            await service.close()

    app = FastAPI(title="Ringfence", version=__version__, lifespan=life, docs_url=None, redoc_url=None)
    app.state.service = service
    app.state.authenticator = authenticator
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app
