"""Who makes a request: found out once, before anything of it is read, and never taken from its body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from fastapi import Depends, Request

from ringfence.core.values import Principal
from ringfence.manifest.server import SCOPES, Scope

from .problems import Problem

Way = Literal["session", "key", "proxy"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who has shown who they are.

    way     how: a session of the page (whose requests that change anything need its CSRF token), a key, or a proxy
    scopes  what this way in may be used for; what the principal may do comes on top
    ident   of the session or key, to revoke it by; never the secret itself
    """

    principal: Principal
    way: Way
    scopes: frozenset[Scope] = frozenset(SCOPES)
    ident: str = ""

    def holds(self, role: str) -> bool:
        """Whether they have a role, such as `role:admin`."""
        return role in self.principal.roles


class Authenticator(Protocol):
    """What finds out who makes a request."""

    async def caller(self, request: Request) -> Caller | None:
        """Them; None for a request that shows nothing. Raises Problem (401, 403, 429) for what does not hold."""
        ...


async def caller_of(request: Request) -> Caller:
    """The caller; raises Problem 401 where there is none."""
    authenticator: Authenticator = request.app.state.authenticator
    found = await authenticator.caller(request)
    if found is None:
        raise Problem(401, "unauthenticated", "expected a session or an API key, got none",
                      todo="sign in, or send Authorization: Bearer KEY (`ringfence keys add`)",
                      headers={"WWW-Authenticate": "Bearer"})  # fmt: skip
    request.state.caller = found
    return found


def holds(request: Request, caller: Caller) -> bool:
    """Whether what somebody came in with still lets them in: asked now and then where an answer goes on and on."""
    look: Callable[[Caller], bool] | None = getattr(request.app.state.authenticator, "holds", None)
    return look is None or look(caller)


def scoped(scope: Scope) -> object:
    """A dependency: the caller, if what they came in with may be used for this."""

    async def check(request: Request) -> Caller:
        caller = await caller_of(request)
        if scope not in caller.scopes:
            held = ", ".join(sorted(caller.scopes)) or "nothing"
            what = f"expected a key with the scope {scope}, got one for {held}"
            raise Problem(403, "scope", what, todo="make another: `ringfence keys add`")
        return caller

    check.scoped = True  # type: ignore[attr-defined]  # so that whoever reads a body knows that it asks who sends it
    return Depends(check)


Runs = Annotated[Caller, scoped("runs")]
Approvals = Annotated[Caller, scoped("approvals")]
Memory = Annotated[Caller, scoped("memory")]
Knowledge = Annotated[Caller, scoped("knowledge")]
Audit = Annotated[Caller, scoped("audit")]
Admin = Annotated[Caller, scoped("admin")]
Metrics = Annotated[Caller, scoped("metrics")]
Known = Annotated[Caller, Depends(caller_of)]
