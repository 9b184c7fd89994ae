"""Finds out who makes a request: by a key, by a session, or by the word of a proxy that is trusted."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from fastapi import Request

from ringfence.app import operator
from ringfence.app.accounts import open_accounts
from ringfence.channels.http.caller import Caller
from ringfence.channels.http.problems import Problem
from ringfence.core.values import Principal
from ringfence.manifest.server import Server
from ringfence.manifest.types import Manifest
from ringfence.stores.accounts import Accounts
from ringfence.stores.accounts.passwords import Passwords
from ringfence.stores.accounts.people import NAMED, Person
from ringfence.stores.accounts.sessions import Session

from . import cookies
from .rates import Rates

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})  # methods that change nothing (RFC 9110, 9.2.1)
CSRF: Final = "x-csrf-token"
_KEY: Final = "ringfence.caller"  # in the scope of a request: it is found out once


class Credentials:
    """An `Authenticator` over the accounts of a server.

    A key is looked at before a session: a request that shows both is the key's, and if it does not hold, nobody's.
    """

    def __init__(self, accounts: Accounts, server: Server) -> None:
        self.accounts = accounts
        self.passwords = Passwords()
        self.secret = accounts.file.secret()
        self.rates = Rates()
        self.server = server

    @classmethod
    def opened(cls, manifest: Manifest) -> Credentials:
        """Those of a manifest. Raises JournalError for accounts that cannot be used."""
        return cls(open_accounts(manifest), manifest.server)

    def renew(self, manifest: Manifest) -> None:
        """Go by a manifest that was read anew from now on."""
        self.accounts.people.know(manifest.server.users, operator(manifest))
        self.server = manifest.server

    def close(self) -> None:
        """Let go of the accounts."""
        self.passwords.close()
        self.accounts.close()

    async def caller(self, request: Request) -> Caller | None:
        """Whoever makes it. Raises Problem: 401 for what does not hold, 403 without a CSRF token, 429 for too many."""
        if _KEY in request.scope:
            known: Caller | None = request.scope[_KEY]
            return known
        caller = await self._found(request)
        if caller is not None:
            self.rates.hit(f"who:{caller.principal.subject}", self.server.limits.requests)
        request.scope[_KEY] = caller
        return caller

    async def _found(self, request: Request) -> Caller | None:
        shown = _keys(request)
        if shown:
            return await self._by_key(shown)
        if token := cookies.read(request):
            return await self._by_session(request, token)
        return self._by_proxy(request)

    async def _by_key(self, shown: Sequence[str]) -> Caller:
        key = self.accounts.keys.find(shown[0]) if len(shown) == 1 and self.server.auth.keys else None
        person = self.accounts.people.find(key.name) if key is not None else None
        if key is None or person is None or person.disabled:
            raise refused("the API key does not hold", "make another: `ringfence keys add`")
        if self.accounts.keys.stale(key):
            await asyncio.to_thread(self.accounts.keys.touch, key)
        return Caller(person.principal, "key", frozenset(key.scopes), key.ident)

    async def _by_session(self, request: Request, token: str) -> Caller:
        session = self.session(token)
        principal = self._principal(session) if session is not None else None
        if session is None or principal is None:
            raise refused("the session has ended", "sign in again")
        self.check_csrf(request, token)
        if self.accounts.sessions.stale(session, self.idle_ms):
            await asyncio.to_thread(self.accounts.sessions.touch, session)
        return Caller(principal, "session", ident=session.ident)

    def holds(self, caller: Caller) -> bool:
        """Whether what somebody came in with still lets them in, with the roles that they had then at least."""
        if caller.way == "key":
            key = self.accounts.keys.known(caller.ident)
            person = self.accounts.people.find(key.name) if key is not None else None
            now = None if person is None or person.disabled else person.principal
        elif caller.way == "session":
            session = self.accounts.sessions.known(caller.ident, self.idle_ms)
            now = self._principal(session) if session is not None else None
        else:
            return True  # of a proxy, who checks each request
        return now is not None and now.subject == caller.principal.subject and now.roles >= caller.principal.roles

    def _by_proxy(self, request: Request) -> Caller | None:
        """The guard has taken these headers out of every request that the proxy did not make."""
        proxy = self.server.auth.proxy
        if proxy is None or proxy.user is None or not (name := request.headers.get(proxy.user, "")):
            return None
        groups = request.headers.get(proxy.groups, "").split(",") if proxy.groups else []
        principal = self.vouched(name, roles_of([group.strip() for group in groups], proxy.roles))
        self.check_csrf(request, f"proxy {principal.subject}")
        return Caller(principal, "proxy")

    @property
    def idle_ms(self) -> int:
        """How long a session lives without a request."""
        return int(self.server.auth.idle_minutes * 60_000)

    def session(self, token: str) -> Session | None:
        """The session of a token, if it holds."""
        return self.accounts.sessions.find(token, self.idle_ms)

    def _principal(self, session: Session) -> Principal | None:
        """Who they are now: roles that were taken away, and an account that was disabled, count at once."""
        if session.provider:
            oidc = self.server.auth.oidc
            if oidc is None or oidc.issuer != session.provider:  # it is believed no more
                return None
            try:
                return self.vouched(session.name, session.roles, session.tenant)
            except Problem:
                return None
        person = self.accounts.people.find(session.name)
        return None if person is None or person.disabled or not self.server.auth.password else person.principal

    def vouched(self, name: str, roles: Sequence[str], tenant: str = "") -> Principal:
        """Somebody for whom a provider or a proxy vouches: `roles` as `role:NAME`. Raises Problem 403.

        One whom the manifest names has the roles that it says. A name of an account of `ringfence users`, or the
        operator's, is nobody's but theirs: who can choose their name at a provider does not become them.
        """
        person: Person | None = self.accounts.people.find(name)
        if person is not None and (person.kind != NAMED or person.disabled):
            raise Problem(403, "account", f"{name} may not come in this way", todo="ask whoever runs this server")
        if person is not None:
            return person.principal
        if not 1 <= len(name) <= 200 or any(sign.isspace() or not sign.isprintable() for sign in name):
            raise Problem(403, "account", "expected a name without spaces, of 200 signs at most", todo="ask whoever "
                          "runs this server which claim or header names users")  # fmt: skip
        return Principal(f"user:{name}", frozenset(roles), tenant)

    def csrf(self, secret: str) -> str:
        """What a page has to send along to change anything, of a session's token or a proxy's user."""
        mac = hmac.digest(self.secret, b"csrf\0" + secret.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()

    def check_csrf(self, request: Request, secret: str) -> None:
        """Raises Problem 403 for a request that changes something and was not made by our own page."""
        if request.method in SAFE:
            return
        given = request.headers.get(CSRF, "").encode()
        if not hmac.compare_digest(given, self.csrf(secret).encode()):
            raise Problem(403, "csrf", "expected the session's own X-CSRF-Token, got none or another",
                          todo="send the one that GET /auth/session gives")  # fmt: skip


def _keys(request: Request) -> list[str]:
    """All keys that a request shows, in `Authorization: Bearer` or `X-API-Key`; of another scheme, an empty one."""
    shown = [value.strip() for value in request.headers.getlist("x-api-key")]
    for header in request.headers.getlist("authorization"):
        scheme, _, value = header.partition(" ")
        shown.append(value.strip() if scheme.lower() == "bearer" else "")
    return list(dict.fromkeys(shown))


def roles_of(groups: Sequence[str], roles: dict[str, tuple[str, ...]]) -> list[str]:
    """The roles of somebody who is in these groups, as `role:NAME`."""
    return sorted({f"role:{role}" for group in groups for role in roles.get(group, ())})


def refused(what: str, todo: str) -> Problem:
    """401, in the same words for everything of a kind that does not hold."""
    return Problem(401, "unauthenticated", what, todo=todo, headers={"WWW-Authenticate": "Bearer"})
