"""The way to a provider and back.

What belongs to one sign-in (state, nonce, PKCE verifier) is made from a random token in a cookie of the browser that
began it, and the server's secret: a code that somebody else's browser began with is of no use here, and nothing is
kept meanwhile.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import secrets
import time
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from ringfence.channels.http.problems import Problem
from ringfence.core.errors import BackendError
from ringfence.core.values import JSON
from ringfence.manifest.server import Oidc

from .. import cookies
from ..credentials import Credentials, roles_of
from ..rates import network
from ..routes import House, address_of
from .provider import Provider
from .tokens import Forged

routes = APIRouter(prefix="/auth/oidc", tags=["sign-in"], include_in_schema=False)
PATIENCE_S: Final = 600  # for the way there and back
_log = logging.getLogger("ringfence")
# A browser that another site sent here leaves out a Strict cookie, even on a redirect: the page goes on by itself.
_ON: Final = '<!doctype html><title>Signed in</title><meta http-equiv="refresh" content="0;url=/"><a href="/">Go on</a>'


@dataclass(frozen=True, slots=True)
class Flow:
    """One sign-in under way, of which the browser holds `token`: `SECONDS.RANDOM`, the time it began."""

    token: str
    secret: bytes

    def part(self, name: str) -> str:
        """Its state, nonce or verifier: 43 signs that only we can make."""
        mac = hmac.digest(self.secret, f"oidc {name}\0{self.token}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()

    @property
    def challenge(self) -> str:
        """S256 of the verifier (RFC 7636, 4.2)."""
        hashed = hashlib.sha256(self.part("verifier").encode()).digest()
        return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()

    def fresh(self, now: float) -> bool:
        """Whether it began a short while ago."""
        began = self.token.partition(".")[0]
        return began.isascii() and began.isdigit() and 0 <= now - int(began) <= PATIENCE_S


@routes.get("")
async def begin(request: Request, house: House) -> Response:
    """Send the browser to the provider."""
    provider = _provider(request, house)
    flow = Flow(f"{int(time.time())}.{secrets.token_urlsafe(32)}", house.secret)
    try:
        where = await provider.begin(
            _redirect(request, house), state=flow.part("state"), nonce=flow.part("nonce"), challenge=flow.challenge
        )
    except BackendError as error:
        raise _unavailable(error) from None
    answer = RedirectResponse(where, 303)
    cookies.write(request, answer, flow.token, seconds=PATIENCE_S, name=cookies.FLOW, lax=True)
    return answer


@routes.get("/callback")
async def callback(
    request: Request, house: House, state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "", error: Annotated[str, Query(max_length=200)] = "",
    iss: Annotated[str, Query(max_length=2000)] = "",
) -> Response:  # fmt: skip
    """The browser comes back: who is it?"""
    provider = _provider(request, house)
    flow = Flow(cookies.read(request, cookies.FLOW), house.secret)
    if not flow.fresh(time.time()) or not hmac.compare_digest(state.encode(), flow.part("state").encode()):
        raise _not_in("this sign-in was not begun in this browser, or too long ago")
    if iss and iss != provider.config.issuer:  # RFC 9207
        raise _not_in("another provider answers")
    if error or not code:
        raise _not_in(f"the provider let nobody in ({error[:60] if error.isidentifier() else 'no code'})")
    try:
        claims, shown = await provider.claims(
            code, _redirect(request, house), verifier=flow.part("verifier"), nonce=flow.part("nonce")
        )
    except Forged as forged:
        _log.warning("sign-in with %s refused: %s", provider.config.issuer, forged)
        raise _not_in("what the provider said does not hold") from None
    except BackendError as failed:
        raise _unavailable(failed) from None
    token = await _signed_in(request, house, provider.config, claims)
    await asyncio.to_thread(house.accounts.hints.keep, token, shown)
    answer = HTMLResponse(_ON)
    cookies.write(request, answer, "", seconds=0, name=cookies.FLOW, lax=True)
    cookies.write(request, answer, token, seconds=int(house.server.auth.session_hours * 3600))
    return answer


async def _signed_in(request: Request, house: Credentials, config: Oidc, claims: dict[str, JSON]) -> str:
    """A session for whom the claims name. Raises Problem 403 for one who may not come in."""
    name, groups = claims.get(config.subject), claims.get(config.groups, [])
    tenant = claims.get(config.tenant) if config.tenant else ""
    if not isinstance(name, str) or not isinstance(tenant, str) or (config.tenant and not tenant):
        raise Problem(403, "claims", "the provider does not say who this is", todo="ask whoever runs this server")
    listed = [group for group in groups if isinstance(group, str)] if isinstance(groups, list) else [str(groups)]
    roles = roles_of(listed, config.roles)
    if config.require_role and not roles:
        raise Problem(403, "role", "nobody without a role here comes in", todo="ask whoever runs this server")
    principal = house.vouched(name, roles, tenant)
    _log.info("%s comes from %s, from %s", principal.subject, config.issuer, address_of(request))
    token = await asyncio.to_thread(
        house.accounts.sessions.begin, principal.subject.removeprefix("user:"), house.server.auth.session_hours,
        provider=config.issuer, roles=tuple(sorted(roles)), tenant=tenant, address=network(address_of(request)),
        agent=request.headers.get("user-agent", ""), instead_of=cookies.read(request),
    )  # fmt: skip
    assert token is not None  # only a password can have changed meanwhile
    return token


async def left(request: Request, house: Credentials, hint: str) -> str:
    """Where whoever has signed out here goes to sign out at the provider; empty where that cannot be."""
    try:
        return await _provider(request, house).end(hint, f"{_public(request, house)}/")
    except BackendError as error:
        _log.warning("signed out here alone: %s", error.what)
        return ""


def _provider(request: Request, house: Credentials) -> Provider:
    """The provider of the manifest, kept with what it said. Raises Problem 404 where there is none."""
    config = house.server.auth.oidc
    if config is None:
        raise Problem(404, "not-found", "nobody signs in with a provider here")
    known: Provider | None = getattr(request.app.state, "oidc", None)
    if known is None or known.config != config:
        known = request.app.state.oidc = Provider(config)
    return known


def _redirect(request: Request, house: Credentials) -> str:
    """Where the provider sends the browser back to: what people write in it, or what they wrote now."""
    return f"{_public(request, house)}/auth/oidc/callback"


def _public(request: Request, house: Credentials) -> str:
    return (house.server.public_url or f"{request.scope['scheme']}://{request.headers['host']}").rstrip("/")


def _not_in(what: str) -> Problem:
    return Problem(401, "oidc", what, todo="sign in again: open /")


def _unavailable(error: BackendError) -> Problem:
    _log.warning("%s", error.what)
    return Problem(502, "provider", "the provider cannot be asked now", todo="try again; the server's log says why")
