"""The guard at the door: it sees every request before the app does, and every answer before it leaves.

Plain ASGI: a stream passes through untouched, but for the headers of its beginning.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ringfence.channels.http.problems import Problem, of
from ringfence.core.errors import InternalError
from ringfence.manifest.server import Server

from .credentials import SAFE
from .forwarded import Proxies
from .rates import Rates, network

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_ALWAYS: Final = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()",
    b"x-frame-options": b"DENY",
}
_HSTS: Final = (b"strict-transport-security", b"max-age=31536000")
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_log = logging.getLogger("ringfence")
_PORTS: Final = {"http": 80, "https": 443}


class Guard:
    """Who is asked for (`Host`), from which page (`Origin`), how often, and how answers may be used.

    `server` gives the manifest's `server:` as it is now: it may be read anew while the server runs.
    """

    def __init__(self, app: ASGIApp, server: Callable[[], Server]) -> None:
        self._app = app
        self._rates = Rates()
        self._said = server
        self._renew(server())

    def _renew(self, server: Server) -> None:
        self._server = server
        self._proxies = Proxies(server)
        public = urlsplit(server.public_url or "").hostname
        named = {name.lower().strip("[]") for name in (server.host, public or "", *server.hosts)}
        self._names = _LOCAL | {name for name in named if name and not name.startswith("*.")}
        self._endings = tuple(name[1:] for name in named if name.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # there are none here
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if (server := self._said()) is not self._server:
            self._renew(server)
        secure = scope.get("scheme") == "https"
        try:
            scope = self._proxies.seen(dict(scope))
            secure = scope["scheme"] == "https"
            host = self._asked_for(scope)
            secure = secure and _name(host) not in _LOCAL  # else every server of this machine needed TLS from then on
            self._rates.hit(network(scope["client"][0] if scope.get("client") else ""),
                            self._server.limits.requests_each_address)  # fmt: skip
            _own_page(scope, host, self._server.public_url)
        except Problem as problem:
            await problem.response()(scope, receive, _Sealed(send, secure=secure))
            return
        sealed = _Sealed(send, secure=secure)
        try:
            await self._app(scope, receive, sealed)
        except Exception as error:
            if not sealed.begun:
                _log.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
                await of(InternalError(repr(error))).response()(scope, receive, sealed)
            raise

    def _asked_for(self, scope: Scope) -> str:
        """The Host that is asked for. Raises Problem: 400 without one, 421 for one that is not ours.

        A page elsewhere can give its own name our address (DNS rebinding) and then read what we answer; its name is
        still in `Host`.
        """
        hosts: list[str] = [
            value.decode("latin-1").lower() for key, value in scope["headers"] if key.lower() == b"host"
        ]
        if len(hosts) != 1:
            raise Problem(400, "host", f"expected one Host header, got {len(hosts)}")
        name = _name(hosts[0])
        ours = name in self._names or (name.endswith(self._endings) and bool(self._endings))
        if not (name and (ours or _is_here(name, scope))):
            raise Problem(421, "host", "this server is not asked for under that name",
                          todo="use its own address, or name it in server.hosts of the manifest")  # fmt: skip
        return str(hosts[0])


@lru_cache(128)
def _name(host: str) -> str:
    """Without its port; empty for what is no host."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return ""
    plain = parts.netloc == host and "@" not in host and not parts.path
    return (parts.hostname or "").removesuffix(".") if plain else ""


def _is_here(name: str, scope: Scope) -> bool:
    """Whether it is the very address that the connection came to: no name, so nobody can have rebound it."""
    try:
        return ipaddress.ip_address(name) == ipaddress.ip_address((scope.get("server") or ("", 0))[0])
    except ValueError:
        return False


def _own_page(scope: Scope, host: str, public: str | None) -> None:
    """Raises Problem 403 for a request that changes something and that a browser made for another site's page."""
    if scope["method"] in SAFE:
        return
    site, origin = "none", None
    for key, value in scope["headers"]:
        if (name := key.lower()) == b"sec-fetch-site":
            site = value.decode("latin-1")
        elif name == b"origin":
            origin = value.decode("latin-1")
    ours = {_origin(f"{scope['scheme']}://{host}"), _origin(public or "")}
    if site not in ("same-origin", "none") or (origin is not None and (_origin(origin) or "-") not in ours):
        raise Problem(403, "origin", "this request comes from another site's page", todo="use the page of this server")


@lru_cache(128)
def _origin(url: str) -> str:
    """Scheme, host and port; empty for what has none, as `null`."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.scheme in _PORTS and parts.hostname else ""


class _Sealed:
    """Sends an answer with headers that say how a browser may use it. A route can add to them, never loosen them."""

    def __init__(self, send: Send, *, secure: bool) -> None:
        self._send = send
        self._secure = secure
        self.begun = False

    async def __call__(self, message: Message) -> None:
        """A part of it."""
        if message["type"] == "http.response.start":
            self.begun = True
            message = {**message, "headers": _headers(message.get("headers", ()), secure=self._secure)}
        await self._send(message)


def _headers(given: Any, *, secure: bool) -> list[tuple[bytes, bytes]]:
    headers = [(key, value) for key, value in given if key.lower() not in _ALWAYS]
    if not any(key.lower() == b"cache-control" for key, _ in headers):
        headers.append((b"cache-control", b"no-store"))
    headers += _ALWAYS.items()
    headers.append((b"content-security-policy", CSP.encode()))  # beside a route's own: a browser keeps to both
    if secure:
        headers.append(_HSTS)
    return headers
