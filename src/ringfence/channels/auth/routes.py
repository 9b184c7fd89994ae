"""Sign in, sign out, and what somebody may see and change of their own way in."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from ringfence.app.accounts import Desk
from ringfence.channels.http.caller import Caller, caller_of
from ringfence.channels.http.problems import Problem
from ringfence.core.errors import ManifestError
from ringfence.stores.accounts.passwords import LONGEST, Busy, acceptable
from ringfence.stores.accounts.people import Person
from ringfence.stores.accounts.sessions import digest_of

from . import cookies
from .credentials import Credentials
from .rates import network

routes = APIRouter(prefix="/auth", tags=["sign-in"])
_log = logging.getLogger("ringfence")
Typed = Annotated[str, Field(min_length=1, max_length=LONGEST)]


class Login(BaseModel):
    """A name and a password."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(min_length=1, max_length=64)]
    password: Typed


class NewPassword(BaseModel):
    """The password until now, and the one from now on."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    old: Typed
    new: Typed


class Here(BaseModel):
    """Who is signed in."""

    name: str
    subject: str
    roles: list[str]
    tenant: str
    way: str
    csrf: Annotated[str, Field(description="to be sent as X-CSRF-Token with each request that changes something")]
    agent: Annotated[str, Field(description="the agent's name")]
    ways: Annotated[list[str], Field(description="how people can sign in: password, oidc, proxy")]
    password: Annotated[bool, Field(description="whether you have a password here, which you may change")]
    keys: Annotated[bool, Field(description="whether you may have API keys here")]


class Ways(BaseModel):
    """How people sign in here."""

    password: bool
    oidc: bool
    proxy: Annotated[bool, Field(description="a proxy in front has signed them in")]


class Signed(BaseModel):
    """A session of one's own."""

    id: str
    created: Annotated[int, Field(description="milliseconds since 1970, as all times here")]
    used: int
    ends: int
    address: str
    browser: str
    this: bool


class Left(BaseModel):
    """Where the browser goes now, so that the provider signs them out too."""

    next: str


class AllSigned(BaseModel):
    """All of them."""

    data: list[Signed]


def credentials_of(request: Request) -> Credentials:
    """The accounts of the app. Raises Problem 404 for an app that has none."""
    found = request.app.state.authenticator
    if not isinstance(found, Credentials):
        raise Problem(404, "not-found", "nobody signs in here")
    return found


def ways_of(credentials: Credentials) -> list[str]:
    """How people can sign in."""
    auth = credentials.server.auth
    proxy = auth.proxy is not None and auth.proxy.user is not None
    return [name for name, on in (("password", auth.password), ("oidc", auth.oidc), ("proxy", proxy)) if on]


def desk_of(request: Request, house: Credentials, who: Caller) -> Desk:
    """The desk of whoever asks: each change of accounts is on the record in their name."""
    return Desk(request.app.state.service.agent.manifest, who.principal, house.accounts, ruled=True)


def address_of(request: Request) -> str:
    """Where a request comes from, as the guard found it."""
    return request.client.host if request.client is not None else ""


async def in_session(request: Request, who: Annotated[Caller, Depends(caller_of)]) -> Caller:
    """The caller, if they have a session: a key says nothing about passwords. Raises Problem 403."""
    if who.way != "session":
        raise Problem(403, "session", f"expected a session, got a {who.way}", todo="sign in with a password")
    return who


Sitting = Annotated[Caller, Depends(in_session)]
House = Annotated[Credentials, Depends(credentials_of)]


@routes.post("/login", status_code=204)
async def login(request: Request, response: Response, house: House, sent: Login) -> None:
    """Sign in with a name and a password: the answer sets the session's cookie."""
    if not house.server.auth.password:
        raise Problem(404, "not-found", "nobody signs in with a password here")
    with in_turn():
        person = await _proven(request, house, sent.name, sent.password)
    await _begin(request, response, house, person)


@routes.get("/ways")
async def ways(house: House) -> Ways:
    """How people sign in here; of nobody in particular."""
    return Ways(**{name: name in ways_of(house) for name in Ways.model_fields})


@routes.get("/session")
async def session(request: Request, house: House) -> Here:
    """Who is signed in; 401 says in `ways` how one can."""
    try:
        who = await caller_of(request)
    except Problem as problem:
        if problem.status == 401:
            problem.more["ways"] = list(ways_of(house))
        raise
    secret = {"session": cookies.read(request), "proxy": f"proxy {who.principal.subject}"}.get(who.way)
    return _here(request, house, who, house.csrf(secret) if secret else "")


def _here(request: Request, house: Credentials, who: Caller, csrf: str) -> Here:
    principal, person = who.principal, house.accounts.people.find(name_of(who))
    return Here(
        name=name_of(who), subject=principal.subject, roles=sorted(principal.roles), tenant=principal.tenant,
        way=who.way, csrf=csrf, agent=request.app.state.service.agent.manifest.runtime.name, ways=ways_of(house),
        password=house.server.auth.password and person is not None and bool(person.hash),
        keys=house.server.auth.keys and person is not None and who.way == "session",
    )  # fmt: skip


@routes.post("/logout", response_model=Left, responses={204: {"description": "you are signed out"}})
async def logout(request: Request, house: House, who: Sitting) -> Response:
    """Sign out: the session ends here, not only in the browser. 200 says where to sign out of the provider as well."""
    from .oidc.routes import left

    token = cookies.read(request)
    session, hint = house.session(token), house.accounts.hints.of(token)
    await asyncio.to_thread(house.accounts.sessions.end, name_of(who), ident=who.ident)
    on = await left(request, house, hint) if session is not None and session.provider else ""
    answer = JSONResponse({"next": on}) if on else Response(status_code=204)
    cookies.write(request, answer, "", seconds=0)
    return answer


@routes.post("/password")
async def password(request: Request, response: Response, house: House, who: Sitting, sent: NewPassword) -> Here:
    """Another password. All sessions of the account end; this one goes on under a new cookie and a new CSRF token."""
    with in_turn():
        person = await _proven(request, house, name_of(who), sent.old)
        try:
            plain = acceptable(sent.new, person.name)
        except ManifestError as error:
            raise Problem(422, "password", error.what, todo=error.todo) from None
        hashed = await house.passwords.made(plain)
    changed = await asyncio.to_thread(desk_of(request, house, who).rehash, person.name, hashed)
    token = await _begin(request, response, house, changed)
    return _here(request, house, who, house.csrf(token))


@routes.get("/sessions")
async def sessions(request: Request, house: House, who: Sitting) -> AllSigned:
    """One's own sessions, everywhere."""
    found = house.accounts.sessions.of(name_of(who))
    return AllSigned(data=[
        Signed(id=one.ident, created=one.created, used=one.used, ends=one.ends, address=one.address,
               browser=one.agent, this=one.ident == who.ident) for one in found
    ])  # fmt: skip


@routes.delete("/sessions", status_code=204)
async def end_others(request: Request, house: House, who: Sitting) -> None:
    """End every other session of one's own."""
    await asyncio.to_thread(house.accounts.sessions.end, name_of(who), but=digest_of(cookies.read(request)))


@routes.delete("/sessions/{ident}", status_code=204)
async def end_one(request: Request, house: House, who: Sitting, ident: str) -> None:
    """End one of one's own sessions."""
    if not await asyncio.to_thread(house.accounts.sessions.end, name_of(who), ident=ident):
        raise Problem(404, "not-found", f"there is no session {ident}", todo="`GET /auth/sessions` lists yours")


def name_of(who: Caller) -> str:
    """What they sign in as."""
    return who.principal.subject.removeprefix("user:")


async def _proven(request: Request, house: Credentials, name: str, typed: str) -> Person:
    """Whose name and password these are. Raises Problem: 401 in the same words whatever is wrong, and 429.

    The same work is done for a name that nobody has, for a disabled account and for one without a password.
    """
    accounts, address = house.accounts, network(address_of(request))
    wait = await asyncio.to_thread(accounts.attempts.begin, name, address, house.server.auth.attempts)
    if wait:
        _log.warning("too many wrong passwords from %s, or for one account: wait %d ms", address, wait)
        raise _later("there were too many wrong passwords", wait / 1000)
    person = accounts.people.find(name)
    known = "" if person is None or person.disabled else person.hash
    right = await house.passwords.right(typed, known)
    if not right or person is None:
        _log.info("wrong name or password from %s", address)  # no name: some type their password there
        raise Problem(401, "credentials", "the name or the password is wrong", todo="try again; after a few there is "
                      "a wait, and `ringfence users passwd NAME` sets another password")  # fmt: skip
    await asyncio.to_thread(accounts.attempts.right, name, address)
    _log.info("%s showed their password, from %s", person.principal.subject, address)
    if house.passwords.outdated(person.hash):
        renewed = await house.passwords.made(typed)
        await asyncio.to_thread(accounts.people.rehash, person.name, person.hash, renewed)
        return accounts.people.find(person.name) or person
    return person


async def _begin(request: Request, response: Response, house: Credentials, person: Person) -> str:
    """A session under a new token; whatever the browser had before is no session any more."""
    token = await asyncio.to_thread(
        house.accounts.sessions.begin, person.name, house.server.auth.session_hours, hashed=person.hash,
        address=address_of(request), agent=request.headers.get("user-agent", ""), instead_of=cookies.read(request),
    )  # fmt: skip
    if token is None:
        raise Problem(401, "credentials", "the password was changed meanwhile", todo="sign in with the new one")
    cookies.write(request, response, token, seconds=int(house.server.auth.session_hours * 3600))
    return token


@contextmanager
def in_turn() -> Iterator[None]:
    """Around what reckons hashes: of these only so many wait."""
    try:
        yield
    except Busy:
        raise _later("too many sign in at once", 2) from None


def _later(what: str, seconds: float) -> Problem:
    after = str(max(1, math.ceil(seconds)))
    return Problem(429, "wait", what, todo=f"wait {after} s, then try again", headers={"Retry-After": after})
