"""The API's description (OpenAPI 3.1), and the page that shows it: both for anybody, for they hold nothing of anybody.

What they say is the same for every server of this version, so to hide them from who has not signed in would hide
nothing; the version of the program is not in them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from .answers import tag_of
from .problems import MEDIA, meant

API_VERSION = "1"
_FILES = Path(__file__).parent / "docs"
_TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css"}
_ABOUT = """An agent over HTTP. Every error is `application/problem+json` with a stable `code` and, in `todo`, what to
do next. Times are milliseconds since 1970 UTC. Lists are paged: `next` of one page is the cursor of the next. Answers
to GET have an `ETag`; with `If-None-Match` an unchanged one is 304."""
_TAGS = [
    {"name": "runs", "description": "Tasks for the agent: begun, followed, stopped, gone on with"},
    {"name": "approvals", "description": "What runs ask people"},
    {"name": "memory", "description": "What is remembered between conversations"},
    {"name": "collections", "description": "Documents, and passages of them"},
    {"name": "audit", "description": "The record, for auditors"},
    {"name": "people", "description": "Who may come in, and who is: for admins"},
    {"name": "keys", "description": "One's own API keys"},
    {"name": "status", "description": "How the server stands"},
]
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "what went wrong (RFC 9457)",
    "required": ["type", "title", "status", "code", "detail", "todo"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "stable, for programs"},
        "detail": {"type": "string", "description": "what was expected, and what came"},
        "todo": {"type": "string", "description": "what to do next"},
        "errors": {"type": "array", "items": {"type": "object"}, "description": "where a request is wrong"},
    },
    "examples": [{"type": "about:blank", "title": "Not Found", "status": 404, "code": "not-found",
                  "detail": "there is no such run", "todo": "`GET /v1/runs` lists yours"}],
}  # fmt: skip
_SECURITY: dict[str, Any] = {
    "key": {"type": "http", "scheme": "bearer", "description": "an API key (`ringfence keys add`)"},
    "session": {"type": "apiKey", "in": "cookie", "name": "ringfence",
                "description": "of the page; what changes anything needs X-CSRF-Token as well"},
}  # fmt: skip

routes = APIRouter(include_in_schema=False)


@routes.get("/openapi.json")
async def description(request: Request) -> Response:
    """The description of every route."""
    return _sent(request, json.dumps(request.app.openapi(), ensure_ascii=False).encode(), "application/json")


@routes.get("/docs")
async def page(request: Request) -> Response:
    """The page that shows it."""
    return _sent(request, (_FILES / "index.html").read_bytes(), _TYPES[".html"])


@routes.get("/docs/{name}")
async def part(request: Request, name: str) -> Response:
    """A file of that page."""
    from starlette.exceptions import HTTPException

    if name not in ("docs.js", "docs.css"):
        raise HTTPException(404, "there is no such page")
    return _sent(request, (_FILES / name).read_bytes(), _TYPES[Path(name).suffix])


def _sent(request: Request, data: bytes, media: str) -> Response:
    tag = tag_of(data)
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type=media)


def describe(app: FastAPI) -> None:
    """Let `app.openapi()` say what holds for all routes beside what each says of itself."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            said = {"title": "Ringfence", "version": API_VERSION, "description": _ABOUT}
            app.openapi_schema = _completed(get_openapi(**said, routes=app.routes, tags=_TAGS))  # type: ignore[arg-type]
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _operations(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (operation for operations in found["paths"].values() for operation in operations.values())


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _completed(found: dict[str, Any]) -> dict[str, Any]:
    parts = found.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    parts["securitySchemes"] = _SECURITY
    found["security"] = [{"key": []}, {"session": []}]
    named = {one["operationId"] for one in _operations(found)}
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            made = re.sub(r"\W", "_", path) + f"_{method}"  # what the framework adds to a function's name
            name = _camel(operation["operationId"].removesuffix(made))
            if operation["operationId"].endswith(made) and name not in named:
                operation["operationId"] = name
                named.add(name)
            answers = operation["responses"]
            if "422" in answers and MEDIA not in answers["422"].get("content", {}):
                answers["422"] = meant(422)  # ours, and not the framework's
            if path.startswith(("/v1/", "/agent")) and "requestBody" in operation:
                answers.setdefault("413", meant(413))
                answers.setdefault("415", meant(415))
            if "401" not in answers:  # a route that says nothing of its errors
                answers.setdefault("default", meant(0))
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    return found
