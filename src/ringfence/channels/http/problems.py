"""Errors as problem details (RFC 9457): what was expected, what came, what to do next, and nothing of our insides."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from ringfence.app.serving.keyed import OtherBody
from ringfence.app.serving.placing import Absent, There
from ringfence.app.serving.pool import Closing, Full
from ringfence.app.serving.service import NotFound
from ringfence.app.serving.shelves import Forbidden
from ringfence.core.errors import BackendError, InternalError, JournalError, ManifestError, RingfenceError, ToolError
from ringfence.core.values import JSON
from ringfence.stores.batches import Broken
from ringfence.stores.hold import Held
from ringfence.stores.vault import Sealed

MEDIA = "application/problem+json"
_log = logging.getLogger("ringfence")
_STATUS: tuple[tuple[type[Exception], int, str], ...] = (  # the first that fits
    (NotFound, 404, "not-found"),
    (OtherBody, 422, "key-used"),
    (Forbidden, 403, "role"),
    (There, 409, "there"),
    (Absent, 404, "not-found"),
    (Closing, 503, "closing"),
    (Full, 429, "full"),
    (Held, 409, "held"),
    (Sealed, 410, "erased"),
    (Broken, 507, "journal"),
    (JournalError, 409, "conflict"),
    (ManifestError, 422, "refused"),
    (BackendError, 502, "model"),
    (ToolError, 502, "tool"),
    (InternalError, 500, "internal"),
    (RingfenceError, 500, "internal"),
)


_ERRORS, _SAID = 20, 200  # that are told of one request, and characters of each
ENDLESS: Final = re.compile(r"/v1/runs/[^/]+/events|/v1/audit/export")  # HEAD would run them for nothing
_MEANT = {
    0: "an error",
    400: "no request that can be read: broken JSON, UTF-8 or a length",
    401: "nobody is signed in, and no key was sent",
    403: "known, but not allowed: a role or a scope is missing, or the CSRF token",
    404: "there is no such thing, or it is somebody else's",
    405: "not with this method",
    408: "it took too long to arrive",
    409: "not as things stand: it has ended, something else is asked, or another process is at it",
    410: "its content was destroyed",
    413: "too large",
    415: "not in this form",
    422: "read, and not to be meant: the errors say where",
    429: "too much at once: `Retry-After` says when to come again",
    500: "our fault",
    502: "the model or a tool failed",
    503: "no room, or about to stop: `Retry-After` says when to come again",
    507: "the disk is full",
}


class Problem(Exception):
    """An answer that is an error. `code` is for programs, stable; `what` and `todo` for people."""

    def __init__(
        self, status: int, code: str, what: str, *, todo: str = "", headers: Mapping[str, str] | None = None,
        more: Mapping[str, JSON] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(what)
        self.status = status
        self.code = code
        self.what = what
        self.todo = todo
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    def body(self) -> dict[str, JSON]:
        """What it says, as JSON."""
        return {"type": "about:blank", "title": HTTPStatus(self.status).phrase, "status": self.status,
                "code": self.code, "detail": self.what, "todo": self.todo, **self.more}  # fmt: skip

    def response(self) -> JSONResponse:
        """The answer."""
        return JSONResponse(self.body(), self.status, self.headers, MEDIA)


def of(error: RingfenceError) -> Problem:
    """One of ours, as a problem."""
    status, code = next((status, code) for kind, status, code in _STATUS if isinstance(error, kind))
    if isinstance(error, Full):
        return Problem(status, code, error.what, todo=error.todo, headers={"Retry-After": str(error.retry_after)})
    if isinstance(error, Broken):  # why is in the log, and on the status page: a path is nobody else's business
        return Problem(status, code, "nothing can be put on record at the moment, so nothing is begun",
                       todo="try again in a while", headers={"Retry-After": "10"})  # fmt: skip
    if status >= 500 and not isinstance(error, (BackendError, ToolError)):
        return Problem(status, code, "something is wrong here, and it is ours", todo="the server's log says what")
    return Problem(status, code, error.what, todo=error.todo)


def said(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What an operation declares of its errors; every one that needs a caller has these beside its own."""
    found: dict[int | str, dict[str, Any]] = {}
    for status in (*statuses, 400, 401, 403, 429, 500, 503):
        if status == 304:
            found[304] = {"description": "nothing has changed since `If-None-Match`"}
            continue
        found[status] = meant(status)
    return found


def meant(status: int) -> dict[str, Any]:
    """What an operation declares of one of its errors."""
    return {"description": _MEANT[status], "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def allowed(app: FastAPI, scope: Scope) -> list[str]:
    """The methods that a path takes."""
    found = [
        method
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in app.router.routes)
    ]
    head = ["HEAD"] if "GET" in found and not ENDLESS.fullmatch(scope["path"]) else []
    return sorted({*found, *head, "OPTIONS"})


async def _problem(request: Request, error: Problem) -> JSONResponse:
    return error.response()


async def _ours(request: Request, error: RingfenceError) -> JSONResponse:
    problem = of(error)
    if problem.status == 500:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem.response()


async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    wrong = [
        {"at": "/".join(map(str, one["loc"]))[:_SAID], "what": str(one["msg"])[:_SAID]}
        for one in error.errors()[:_ERRORS]  # what is sent back is bounded, whatever came
    ]
    what = "; ".join(f"{one['at']}: {one['what']}" for one in wrong[:3])
    return Problem(422, "invalid", what, todo="correct these; /openapi.json describes each request",
                   more={"errors": wrong}).response()  # fmt: skip


async def _http(request: Request, error: HTTPException) -> Response:
    if isinstance(error.__cause__, Problem):  # met while a body was read
        return error.__cause__.response()
    match error.status_code:
        case 404:
            what, code = "there is nothing here" if error.detail == "Not Found" else str(error.detail), "not-found"
        case 405:
            allow = {"Allow": ", ".join(allowed(request.app, request.scope))}
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=allow)
            what = f"expected {allow['Allow']} here, got {request.method}"
            return Problem(405, "method", what, headers=allow).response()
        case 400:
            what, code = "expected a request that can be read, got another one", "body"
        case _:
            what, code = str(error.detail), "http"
    return Problem(error.status_code, code, what, headers=error.headers).response()


async def _system(request: Request, error: OSError) -> JSONResponse:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Problem(507, "disk", "the disk is full", todo="tell the operator").response()
    return of(InternalError(repr(error))).response()


async def _fault(request: Request, error: Exception) -> JSONResponse:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return of(InternalError(repr(error))).response()


def install(app: FastAPI) -> None:
    """Let every error of the app be a problem."""
    handlers: dict[type[Exception], Any] = {
        Problem: _problem,
        RingfenceError: _ours,
        RequestValidationError: _invalid,
        HTTPException: _http,
        OSError: _system,
        Exception: _fault,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
