"""The application: its routes, its errors, and who is let in."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from ringfence import __version__
from ringfence.app.serving.reading import Reading
from ringfence.app.serving.service import Service
from ringfence.channels.auth import routes as auth
from ringfence.channels.auth.guard import Guard
from ringfence.channels.auth.oidc import routes as oidc
from ringfence.channels.web import page

from . import native, problems
from .caller import Authenticator

ROUTERS = (
    auth.routes,
    oidc.routes,
    *native.ROUTERS,
    page.routes,
)


def application(service: Service, authenticator: Authenticator) -> FastAPI:
    """The app around a service; it opens the service when it starts, and closes it when it stops."""
    reading = Reading(service.agent)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncGenerator[None, None]:
        await service.start()
        try:
            yield
        finally:
            await service.close()
            reading.close()

    app = FastAPI(title="Ringfence", version=__version__, lifespan=life, docs_url=None, redoc_url=None)
    app.state.service = service
    app.state.reading = reading
    app.state.streams = Counter()
    app.state.authenticator = authenticator
    app.add_middleware(Guard, server=lambda: service.agent.manifest.server)
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app
