"""The page over HTTP: `/` and `/static/VERSION/...`."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ..http.problems import Problem
from .assets import Asset, site

routes = APIRouter(include_in_schema=False)
FOREVER: Final = "public, max-age=31536000, immutable"
ASK: Final = "no-cache"  # kept, and asked for each time: 304 by its ETag
# Beside what the guard at the door says of every answer: nothing is ever set as HTML, and no image is loaded as data.
CSP: Final = "img-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
GUARDS: Final = {"Content-Security-Policy": CSP}


@routes.api_route("/", methods=["GET", "HEAD"])
async def page(request: Request) -> Response:
    """The page; it holds nothing of anybody's, and asks the API for all that it shows."""
    return _answer(request, site().index, ASK, GUARDS)


@routes.api_route("/favicon.ico", methods=["GET", "HEAD"])
async def icon(request: Request) -> Response:
    """The mark, for browsers that ask for it by its old name."""
    return _answer(request, site().files["mark.svg"], ASK)


@routes.api_route("/static/{version}/{name:path}", methods=["GET", "HEAD"])
async def static(request: Request, version: str, name: str) -> Response:
    """A file of the page. Under the name of its own version it may be kept for ever; under another it is asked for."""
    found = site().files.get(name)
    if found is None or name == "index.html":
        raise Problem(404, "not-found", f"there is no file {name[:100]} of the page", todo="reload the page")
    return _answer(request, found, FOREVER if version == site().version else ASK)


def _answer(request: Request, asset: Asset, keep: str, more: dict[str, str] | None = None) -> Response:
    headers = {"ETag": asset.etag, "Cache-Control": keep, "Vary": "Accept-Encoding",
               "X-Content-Type-Options": "nosniff", **(more or {})}  # fmt: skip
    if _has(request.headers.get("if-none-match", ""), asset.etag):
        return Response(status_code=304, headers=headers)
    body = asset.body
    if asset.packed is not None and _takes_gzip(request.headers.get("accept-encoding", "")):
        body, headers["Content-Encoding"] = asset.packed, "gzip"
    headers |= {"Content-Type": asset.media, "Content-Length": str(len(body))}
    return Response(b"" if request.method == "HEAD" else body, headers=headers)


def _has(listed: str, etag: str) -> bool:
    """Whether If-None-Match names it (RFC 9110, 13.1.2: the comparison is weak)."""
    return listed.strip() == "*" or etag in (one.strip().removeprefix("W/") for one in listed.split(","))


def _takes_gzip(accepts: str) -> bool:
    """Whether Accept-Encoding allows gzip (RFC 9110, 12.5.3): named, or by *, and not with a weight of zero."""
    weights: dict[str, float] = {}
    for one in accepts.lower().split(","):
        coding, _, rest = one.strip().partition(";")
        _, _, number = rest.strip().partition("q=")
        try:
            weights[coding.strip()] = float(number) if number else 1.0
        except ValueError:
            weights[coding.strip()] = 0.0
    return weights.get("gzip", weights.get("*", 0.0)) > 0
