"""Cookies: out of reach of scripts, sent to this site alone, and over TLS never without it."""

from __future__ import annotations

from fastapi import Request, Response

NAME, FLOW = "ringfence", "ringfence-oidc"


def secure(request: Request) -> bool:
    """Whether the browser speaks TLS, to us or to the proxy that we trust."""
    return request.scope.get("scheme") == "https"


def named(request: Request, name: str) -> str:
    """The cookie's name; `__Host-` under TLS, which no other host and no plain connection can set (RFC 6265bis)."""
    return f"__Host-{name}" if secure(request) else name


def read(request: Request, name: str = NAME) -> str:
    """Its value; empty where there is none."""
    return request.cookies.get(named(request, name), "")


def write(
    request: Request, response: Response, value: str, *, seconds: int, name: str = NAME, lax: bool = False
) -> None:
    """Set it, or without a value take it back. `lax`: it comes along when another site sends the browser here."""
    response.set_cookie(
        named(request, name), value, max_age=seconds if value else 0, path="/", secure=secure(request), httponly=True,
        samesite="lax" if lax else "strict",
    )  # fmt: skip
