"""Whether the server lives and works, for supervisors and load balancers: a word for anybody, reasons for admins.

`/livez` answers as long as the process does anything at all. `/healthz` says whether it can do its work, `/readyz`
whether it takes new work too: one that is about to stop is healthy, and not ready. 200, or 503.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from ringfence.app.serving.health import Check, Health
from ringfence.app.serving.service import ADMIN
from ringfence.core.values import JSON

from .caller import Authenticator
from .problems import Problem

routes = APIRouter(tags=["health"])
_UNSTORED: Final = {"Cache-Control": "no-store"}
_SICK: Final[dict[int | str, dict[str, Any]]] = {503: {"description": "it does not"}}


def health_of(request: Request) -> Health:
    """What is asked."""
    health: Health = request.app.state.health
    return health


@routes.get("/livez", summary="Whether the process lives")
@routes.head("/livez", include_in_schema=False)
async def livez() -> JSONResponse:
    """It answers."""
    return JSONResponse({"status": "ok"}, headers=_UNSTORED)


@routes.get("/healthz", summary="Whether the server can do its work", responses=_SICK)
@routes.head("/healthz", include_in_schema=False)
async def healthz(request: Request) -> JSONResponse:
    """It is open, its journal takes records, and a model can be asked."""
    return await _told(request, await health_of(request).works())


@routes.get("/readyz", summary="Whether the server takes new work", responses=_SICK)
@routes.head("/readyz", include_in_schema=False)
async def readyz(request: Request) -> JSONResponse:
    """It can do its work, and is not about to stop."""
    return await _told(request, await health_of(request).ready())


async def _told(request: Request, checks: Sequence[Check]) -> JSONResponse:
    fine = all(check.ok for check in checks)
    said: dict[str, JSON] = {"status": "ok" if fine else "unavailable"}
    if await _admin(request):
        said["checks"] = [{"name": check.name, "ok": check.ok, "why": check.why} for check in checks]
    return JSONResponse(said, 200 if fine else 503, _UNSTORED)


async def _admin(request: Request) -> bool:
    """Whether an admin asks. Who cannot show who they are is anybody: a probe is never turned away."""
    authenticator: Authenticator = request.app.state.authenticator
    try:
        caller = await authenticator.caller(request)
    except Problem:
        return False
    return caller is not None and caller.holds(ADMIN) and "admin" in caller.scopes
