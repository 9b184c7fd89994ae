"""The application: its routes, its errors, and who is let in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from ringfence.app.serving.service import Service
from ringfence.channels import clients
from ringfence.channels.auth import own, people, ways
from ringfence.channels.auth import routes as auth
from ringfence.channels.auth.guard import Guard
from ringfence.channels.auth.oidc import routes as oidc
from ringfence.channels.web import page

from . import health, metrics, native, problems, watch
from .caller import Authenticator

ROUTERS = (
    *native.ROUTERS,
    *clients.ROUTERS,
    auth.routes,
    own.routes,
    people.routes,
    ways.routes,
    oidc.routes,
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
            async with clients.serving(app):
                yield
        finally:
            await service.close()
            await watching.stop()
            await native.close(app)

    own = TelemetryConfig(tracing=False, metrics=False, logs=False, auto_configure=False)  # `watch` does that
    app = FastAPI(title="Ringfence", lifespan=life, docs_url=None, redoc_url=None, openapi_url=None, telemetry=own)
    app.state.service = service
    app.state.authenticator = authenticator
    problems.install(app)
    native.install(app, service)  # its bounds are within the guard
    app.add_middleware(Guard, server=lambda: service.agent.manifest.server)
    for router in ROUTERS:
        app.include_router(router)
    clients.install(app)
    watching = watch.install(app, service, app.state.reading)
    return app
