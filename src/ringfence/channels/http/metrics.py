"""`/metrics`, for Prometheus: for those who hold role:admin and came in with the scope `metrics`, and nobody else.

Not for whoever is on this machine: others may be users of it, and a tool that is made to ask is too.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ringfence.app.serving.service import ADMIN
from ringfence.telemetry.metrics import Metrics

from . import caller
from .problems import Problem
from .watch import Watch

routes = APIRouter(tags=["metrics"])


@routes.get("/metrics", response_class=Response, summary="Metrics for Prometheus")
async def metrics(request: Request, who: caller.Metrics) -> Response:
    """OpenMetrics where it is asked for, else the text format. Raises Problem 403 for whoever is no admin."""
    if not who.holds(ADMIN):
        raise Problem(403, "role", "expected somebody with role:admin", todo="ask whoever runs this server for a key")
    watch: Watch = request.app.state.watch
    await watch.measure()
    counted: Metrics = watch.metrics
    text, media = counted.text(request.headers.get("accept", ""))
    return Response(text, headers={"Content-Type": media, "Cache-Control": "no-store"})
