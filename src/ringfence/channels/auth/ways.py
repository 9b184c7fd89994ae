"""The sessions and keys of everybody, for admins: seen, and ended."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ringfence.channels.http.answers import tagged
from ringfence.channels.http.problems import Problem, said
from ringfence.channels.http.schema import example
from ringfence.stores.accounts.sessions import Session

from .own import Ident, KeyList, KeyShown
from .people import Looks, reached
from .routes import House, desk_of

routes = APIRouter(prefix="/v1", tags=["people"])
Whose = Annotated[str, Query(max_length=200, description="of this account alone; none: of everybody")]
_SESSION: dict[str, Any] = {
    "id": "9f2c41d07b6ea83c", "name": "bob", "provider": "", "created": 1_790_000_000_000, "used": 1_790_000_600_000,
    "ends": 1_790_043_200_000, "address": "10.0.0.7", "browser": "Firefox",
}  # fmt: skip


class SessionShown(BaseModel):
    """Where somebody is signed in; `provider` vouches for them, if they did not come with a password."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SESSION]})

    id: str
    name: str
    provider: str
    created: int
    used: Annotated[int, Field(description="to the minute")]
    ends: int
    address: str
    browser: str

    @classmethod
    def of(cls, one: Session) -> SessionShown:
        """From the store."""
        return cls(id=one.ident, name=one.name, provider=one.provider, created=one.created, used=one.used,
                   ends=one.ends, address=one.address, browser=one.agent)  # fmt: skip


class SessionList(BaseModel):
    """All of them, by name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"data": [_SESSION]}]})

    data: list[SessionShown]


class Ended(BaseModel):
    """How many there were."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ended": 2}]})

    ended: int


@routes.get("/sessions", operation_id="listSessions", response_model=SessionList,
            responses=example(200, SessionList) | said(304, 404, 422))  # fmt: skip
async def sessions(request: Request, house: House, who: Looks, name: Whose = "") -> Response:
    """Who is signed in, and where from."""
    found = house.accounts.sessions.of(name) if name else house.accounts.sessions.everyone()
    theirs = [SessionShown.of(one) for one in found if reached(house, who, one.name, one.tenant)]
    return tagged(request, SessionList(data=theirs))


@routes.delete("/sessions", operation_id="signOut", response_model=Ended,
               responses=example(200, Ended) | said(404, 422))  # fmt: skip
async def sign_out(
    request: Request, house: House, who: Looks,
    name: Annotated[str, Query(min_length=1, max_length=200, description="whose sessions end, all of them")],
) -> Ended:  # fmt: skip
    """Sign somebody out everywhere. Who came by a provider is signed out here, and may still be signed in there."""
    found = house.accounts.sessions.of(name)
    if not found or not all(reached(house, who, one.name, one.tenant) for one in found):
        raise Problem(404, "not-found", f"{name} is signed in nowhere", todo="`GET /v1/sessions` says who is")
    return Ended(ended=await asyncio.to_thread(desk_of(request, house, who).sign_out, found[0].name))


@routes.delete("/sessions/{ident}", operation_id="endSession", status_code=204, responses=said(404, 422))
async def end(request: Request, house: House, who: Looks, ident: Ident) -> Response:
    """End one session of anybody."""
    one = house.accounts.sessions.named(ident)
    if one is None or not reached(house, who, one.name, one.tenant):
        raise Problem(404, "not-found", f"there is no session {ident}", todo="`GET /v1/sessions` lists them")
    await asyncio.to_thread(desk_of(request, house, who).sign_out, one.name, ident)
    return Response(status_code=204)


@routes.get("/keys", operation_id="listKeys", response_model=KeyList,
            responses=example(200, KeyList) | said(304, 404, 422))  # fmt: skip
async def keys(request: Request, house: House, who: Looks, name: Whose = "") -> Response:
    """Every key, and what is known of it."""
    store = house.accounts.keys
    theirs = [KeyShown.of(key, store.now) for key in store.all(name) if reached(house, who, key.name)]
    return tagged(request, KeyList(data=theirs))


@routes.delete("/keys/{ident}", operation_id="revokeKey", status_code=204, responses=said(404, 422))
async def revoke(request: Request, house: House, who: Looks, ident: Ident) -> Response:
    """End a key of anybody for good."""
    found = next((key for key in house.accounts.keys.all() if key.ident == ident), None)
    if found is None or not reached(house, who, found.name):
        raise Problem(404, "not-found", f"there is no key {ident}", todo="`GET /v1/keys` lists them")
    await asyncio.to_thread(desk_of(request, house, who).revoke, ident)
    return Response(status_code=204)
