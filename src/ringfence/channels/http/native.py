"""The native API: the routes under `/v1` that are Ringfence's own, and what is behind them."""

from __future__ import annotations

from collections import Counter

from fastapi import FastAPI

from ringfence.app.serving.auditing import Auditing
from ringfence.app.serving.reading import Reading
from ringfence.app.serving.remembered import Remembered
from ringfence.app.serving.service import Service
from ringfence.app.serving.shelves import Shelves
from ringfence.app.serving.standing import Speeds

from . import approvals, audit, collections, describing, events, memory, runs, status
from .bounds import Bounded

ROUTERS = (
    runs.begun,
    runs.routes,
    events.routes,
    approvals.routes,
    memory.routes,
    collections.routes,
    audit.routes,
    status.routes,
    describing.routes,
)


def install(app: FastAPI, service: Service) -> None:
    """Give an app what these routes ask."""
    app.add_middleware(Bounded, limits=lambda: service.agent.manifest.server.limits)
    describing.describe(app)
    app.state.reading = Reading(service.agent)
    app.state.streams = Counter()
    app.state.remembered = Remembered(service)
    app.state.shelves = Shelves(service)
    app.state.auditing = Auditing(service, app.state.reading)
    app.state.speeds = Speeds()
    service.observers.append(app.state.speeds)


async def close(app: FastAPI) -> None:
    """Let go of files; after the service, before the agent."""
    await app.state.shelves.aclose()
    await app.state.remembered.aclose()
    await app.state.auditing.aclose()
    app.state.reading.close()
