"""The native API: the routes under `/v1` that are Ringfence's own."""

from __future__ import annotations

from . import approvals, events, runs

ROUTERS = (
    runs.routes,
    events.routes,
    approvals.routes,
)
