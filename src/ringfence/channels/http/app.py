"""The application: its routes, its errors, and who is let in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from ringfence import __version__
from ringfence.app.serving.service import Service
from ringfence.channels import clients
from ringfence.channels.auth import routes as auth
from ringfence.channels.auth.guard import Guard
from ringfence.channels.web import page

from . import health, metrics, native, problems, watch
from .caller import Authenticator

ROUTERS = (
    *native.ROUTERS,
    *clients.ROUTERS,
    auth.routes,
    health.routes,
    metrics.routes,
    page.routes,
)


def application(service: Service, authenticator: Authenticator) -> FastAPI:
    """The app around a service; it opens the service when it starts, and closes it when it stops."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncGenerator[None, None]:
        await service.start()
        await watching.start()
        try:
            yield
        finally:
            await service.close()
            await watching.stop()
            await native.close(app)

    app = FastAPI(title="Ringfence", version=__version__, lifespan=life, docs_url=None, redoc_url=None)
    app.state.service = service
    app.state.authenticator = authenticator
    app.add_middleware(Guard, server=lambda: service.agent.manifest.server)
    problems.install(app)
    native.install(app, service)
    for router in ROUTERS:
        app.include_router(router)
    watching = watch.install(app, service, app.state.reading)
    return app
