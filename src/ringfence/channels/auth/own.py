"""One's own API keys, on the page: made, seen and revoked in a session, for no key makes another."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ringfence.channels.http.answers import tagged
from ringfence.channels.http.bodies import Checked
from ringfence.channels.http.forms import Form, example_of
from ringfence.channels.http.problems import Problem, said
from ringfence.channels.http.schema import example
from ringfence.manifest.server import SCOPES, Scope
from ringfence.stores.accounts.keys import Key

from .routes import House, Sitting, desk_of, name_of

routes = APIRouter(prefix="/auth/keys", tags=["keys"], route_class=Checked)
LONGEST_DAYS: Final = 365.0
# What a scope is of use for. A key outlives the roles of today: nobody makes one now for what they may be tomorrow.
NEEDS: Final[dict[Scope, str]] = {"audit": "role:auditor", "admin": "role:admin", "metrics": "role:admin"}
Ident = Annotated[str, Path(min_length=1, max_length=64, description="the id of the key")]
_KEY: dict[str, Any] = {
    "id": "67ae76a21047", "name": "alice", "purpose": "the night job", "scopes": ["runs"], "created": 1_790_000_000_000,
    "ends": 1_797_776_000_000, "used": 0, "revoked": 0, "state": "holds",
}  # fmt: skip


class KeyShown(BaseModel):
    """What is known of a key; itself is nowhere. `used` and `revoked` 0: never; `ends` 0: without an end."""

    model_config = ConfigDict(json_schema_extra={"examples": [_KEY]})

    id: str
    name: Annotated[str, Field(description="whose it is")]
    purpose: str
    scopes: list[Scope]
    created: int
    ends: int
    used: int
    revoked: int
    state: Literal["holds", "expired", "revoked"]

    @classmethod
    def of(cls, key: Key, now: int) -> KeyShown:
        """From the store."""
        state: Any = "revoked" if key.revoked else "holds" if key.holds(now) else "expired"
        return cls(id=key.ident, name=key.name, purpose=key.purpose, scopes=list(key.scopes), created=key.created,
                   ends=key.ends, used=key.used, revoked=key.revoked, state=state)  # fmt: skip


class KeyList(BaseModel):
    """Some keys, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"data": [_KEY]}]})

    data: list[KeyShown]


class KeyMade(KeyShown):
    """A new key, with itself: it is told this once."""

    model_config = ConfigDict(json_schema_extra={"examples": [
        _KEY | {"key": "rf_67ae76a21047_mdr3_wc2lNboLOh9DdbgsB0TT0bzmtCZrsU4Vo8tdqw"}]})  # fmt: skip

    key: str


class NewKey(Form):
    """What a key is to be for, and for how long."""

    model_config = example_of({"scopes": ["runs"], "days": 90, "purpose": "the night job"})

    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(SCOPES))]
    days: Annotated[float, Field(gt=0, le=LONGEST_DAYS, strict=False, description="days until it ends")]
    purpose: Annotated[str, Field(max_length=200, description="what it is for, in a few words")] = ""


@routes.get("", operation_id="listOwnKeys", response_model=KeyList, responses=example(200, KeyList) | said(304))
async def listed(request: Request, house: House, who: Sitting) -> Response:
    """Your keys, revoked and expired ones too."""
    keys = house.accounts.keys
    return tagged(request, KeyList(data=[KeyShown.of(key, keys.now) for key in keys.all(name_of(who))]))


@routes.post("", operation_id="makeOwnKey", status_code=201, response_model=KeyMade,
             responses=example(201, KeyMade) | said(404, 422))  # fmt: skip
async def make(request: Request, house: House, who: Sitting, wanted: NewKey) -> KeyMade:
    """A key of your own. It may do what its scopes say, and never more than you may at that time."""
    if not house.server.auth.keys:
        raise Problem(404, "not-found", "nobody comes in with a key here", todo="server.auth.keys of the manifest")
    for scope in wanted.scopes:
        if scope in NEEDS and not who.holds(NEEDS[scope]):
            raise Problem(403, "role", f"expected {NEEDS[scope]} for a key with the scope {scope}, got none",
                          todo="leave it out")  # fmt: skip
    if house.accounts.people.find(name_of(who)) is None:
        raise Problem(409, "no-account", "you come by a provider and have no account here that a key could be of",
                      todo="ask whoever runs this server for an account: `ringfence users add`")  # fmt: skip
    desk = desk_of(request, house, who)
    text, key = await asyncio.to_thread(
        desk.add_key, name_of(who), wanted.scopes, purpose=wanted.purpose, days=wanted.days
    )
    return KeyMade(**KeyShown.of(key, house.accounts.keys.now).model_dump(), key=text)


@routes.delete("/{ident}", operation_id="revokeOwnKey", status_code=204, responses=said(404, 422))
async def revoke(request: Request, house: House, who: Sitting, ident: Ident) -> Response:
    """End a key of your own for good."""
    if ident not in {key.ident for key in house.accounts.keys.all(name_of(who))}:
        raise Problem(404, "not-found", f"you have no key {ident}", todo="`GET /auth/keys` lists yours")
    await asyncio.to_thread(desk_of(request, house, who).revoke, ident)
    return Response(status_code=204)
