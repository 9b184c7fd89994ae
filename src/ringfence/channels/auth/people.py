"""Who may come in, for admins: accounts, what they may, and the sessions and keys of everybody.

A way in is opened in a session alone: a key with the scope `admin` may look, and take ways in from people. Nobody
changes their own account here, and nobody the operator's; an admin who belongs to a tenant sees to that tenant alone.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ringfence.app import operator
from ringfence.app.serving.service import ADMIN
from ringfence.channels.http import caller
from ringfence.channels.http.answers import tagged
from ringfence.channels.http.bodies import Checked
from ringfence.channels.http.caller import Caller
from ringfence.channels.http.forms import Form, example_of
from ringfence.channels.http.problems import Problem, said
from ringfence.channels.http.schema import example
from ringfence.manifest.fields import NAME
from ringfence.stores.accounts.passwords import LONGEST, SHORTEST, acceptable, generated
from ringfence.stores.accounts.people import NAMED, OPERATOR, LastAdmin, Person

from .credentials import Credentials
from .routes import House, desk_of, in_turn

routes = APIRouter(prefix="/v1/people", tags=["people"], route_class=Checked)
Name = Annotated[str, Path(min_length=1, max_length=64, description="the account's name")]
Word = Annotated[str, Field(pattern=NAME)]
_PERSON: dict[str, Any] = {
    "name": "bob", "kind": "own", "roles": ["ops"], "teams": ["red"], "tenant": "", "disabled": False, "password": True,
    "created": 1_790_000_000_000, "sessions": 1, "keys": 2, "you": False,
}  # fmt: skip


class PersonShown(BaseModel):
    """An account.

    kind  who says that it is there: `operator` runs the machine, `own` was added here or at the terminal, `manifest`
          is named in the manifest, whose roles it says; `elsewhere` has no account, and is signed in by a provider
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_PERSON]})

    name: str
    kind: Literal["operator", "own", "manifest", "elsewhere"]
    roles: list[str]
    teams: list[str]
    tenant: str
    disabled: bool
    password: Annotated[bool, Field(description="whether there is one")]
    created: int
    sessions: Annotated[int, Field(description="that are open")]
    keys: Annotated[int, Field(description="that hold")]
    you: bool


class PeoplePage(BaseModel):
    """Some of them, by name, and where the next are; `roles` are those that the manifest knows."""

    model_config = ConfigDict(json_schema_extra={"examples": [
        {"data": [_PERSON], "next": None, "roles": ["admin", "auditor", "ops"]}]})  # fmt: skip

    data: list[PersonShown]
    next: Annotated[str | None, Field(description="`after` of the next page; none at the end")]
    roles: list[str]


class PersonMade(PersonShown):
    """An account whose password was set; `made`: the password, if it was made here, told this once."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PERSON | {"made": "55v54-byvg2-j2w3x-ye4vx"}]})

    made: str | None


class _Secret(Form):
    model_config = ConfigDict(hide_input_in_errors=True)

    password: Annotated[str | None, Field(min_length=SHORTEST, max_length=LONGEST, description="none: one is made")] = (
        None
    )


class NewPerson(_Secret):
    """Somebody who is to come in."""

    model_config = example_of({"name": "bob", "roles": ["ops"], "teams": ["red"]})

    name: Word
    roles: Annotated[list[Word], Field(default_factory=list, max_length=50, description="without `role:`")]
    teams: Annotated[list[Word], Field(default_factory=list, max_length=50, description="without `team:`")]
    tenant: Annotated[Word | None, Field(description="the house that they belong to; none: yours")] = None


class OtherRoles(Form):
    """What somebody may from now on; none: as until now."""

    model_config = example_of({"roles": ["ops", "auditor"]})

    roles: Annotated[list[Word] | None, Field(max_length=50)] = None
    teams: Annotated[list[Word] | None, Field(max_length=50)] = None


class OtherPassword(_Secret):
    """Another password, or none: then one is made."""

    model_config = example_of({})


def admin(who: caller.Admin) -> Caller:
    """The caller, if they are an admin. Raises Problem 403."""
    if not who.holds(ADMIN):
        raise Problem(403, "role", "expected somebody with role:admin", todo="ask whoever runs this server")
    return who


def in_person(who: Annotated[Caller, Depends(admin)]) -> Caller:
    """An admin who is here, not a key of theirs. Raises Problem 403."""
    if who.way == "key":
        raise Problem(403, "session", "expected a session, got a key: with a key no way in is opened",
                      todo="do it on the page, or with `ringfence users`")  # fmt: skip
    return who


Looks = Annotated[Caller, Depends(admin)]
Opens = Annotated[Caller, Depends(in_person)]


@routes.get("", operation_id="listPeople", response_model=PeoplePage,
            responses=example(200, PeoplePage) | said(304, 404, 422))  # fmt: skip
async def people(
    request: Request, house: House, who: Looks, limit: Annotated[int, Query(ge=1, le=200)] = 100,
    after: Annotated[str, Query(max_length=200, description="`next` of the page before")] = "",
) -> Response:  # fmt: skip
    """Everybody who may come in, and who is signed in without an account, by name."""
    found = [one for one in _everybody(house, who) if one.name.casefold() > after.casefold()]
    more = found[limit - 1].name if len(found) > limit else None
    roles = {"admin", "auditor"} | {
        role.removeprefix("role:") for role in operator(request.app.state.service.agent.manifest).roles
        if role.startswith("role:")
    }  # fmt: skip
    return tagged(request, PeoplePage(data=found[:limit], next=more, roles=sorted(roles)))


@routes.post("", operation_id="addPerson", status_code=201, response_model=PersonMade,
             responses=example(201, PersonMade) | said(404, 409, 413, 415, 422))  # fmt: skip
async def add(request: Request, house: House, who: Opens, wanted: NewPerson) -> PersonMade:
    """Add an account. Without a password one is made, and told this once."""
    if house.accounts.people.find(wanted.name) is not None:
        raise Problem(409, "there", f"there is an account {wanted.name} already", todo="choose another name")
    tenant = wanted.tenant or who.principal.tenant
    if not _reaches(who, tenant):
        raise Problem(403, "tenant", f"expected somebody of {who.principal.tenant}, where you belong, got {tenant}",
                      todo="leave the tenant out")  # fmt: skip
    hashed, made = await _password(house, wanted.name, wanted.password)
    person = Person(wanted.name, roles=tuple(wanted.roles), teams=tuple(wanted.teams), tenant=tenant, hash=hashed)
    await asyncio.to_thread(desk_of(request, house, who).put, person)
    return PersonMade(**_found(house, who, wanted.name).model_dump(), made=made)


@routes.patch("/{name}", operation_id="changePerson", response_model=PersonShown,
              responses=example(200, PersonShown) | said(404, 409, 413, 415, 422))  # fmt: skip
async def change(request: Request, house: House, who: Opens, name: Name, other: OtherRoles) -> PersonShown:
    """Other roles or teams, from the next request on."""
    person = _theirs(house, who, name)
    if other.roles is not None or other.teams is not None:
        with _ruled():
            await asyncio.to_thread(desk_of(request, house, who).roles, person.name, other.roles, other.teams)
    return _found(house, who, name)


@routes.post("/{name}/password", operation_id="resetPassword", response_model=PersonMade,
             responses=example(200, PersonMade) | said(404, 409, 413, 415, 422))  # fmt: skip
async def password(request: Request, house: House, who: Opens, name: Name, other: OtherPassword) -> PersonMade:
    """Another password, which ends all their sessions."""
    person = _theirs(house, who, name)
    hashed, made = await _password(house, person.name, other.password)
    await asyncio.to_thread(desk_of(request, house, who).rehash, person.name, hashed)
    return PersonMade(**_found(house, who, name).model_dump(), made=made)


@routes.post("/{name}/disable", operation_id="disablePerson", response_model=PersonShown,
             responses=example(200, PersonShown) | said(404, 409, 422))  # fmt: skip
async def disable(request: Request, house: House, who: Looks, name: Name) -> PersonShown:
    """Let them in no more: their sessions end, their keys stop."""
    person = _theirs(house, who, name)
    with _ruled():
        await asyncio.to_thread(desk_of(request, house, who).able, person.name, False)
    return _found(house, who, name)


@routes.post("/{name}/enable", operation_id="enablePerson", response_model=PersonShown,
             responses=example(200, PersonShown) | said(404, 409, 422))  # fmt: skip
async def enable(request: Request, house: House, who: Opens, name: Name) -> PersonShown:
    """Let them in again."""
    person = _theirs(house, who, name)
    await asyncio.to_thread(desk_of(request, house, who).able, person.name, True)
    return _found(house, who, name)


@contextmanager
def _ruled() -> Iterator[None]:
    """Around what may take away an admin: 409 for the last one."""
    try:
        yield
    except LastAdmin as error:
        raise Problem(409, "last-admin", error.what, todo=error.todo) from None


def _reaches(who: Caller, tenant: str) -> bool:
    return who.principal.tenant in ("", tenant)


def reached(house: Credentials, who: Caller, name: str, tenant: str = "") -> bool:
    """Whether somebody is theirs to see to: `tenant` is what a provider said of them, where they have no account."""
    person = house.accounts.people.find(name)
    return _reaches(who, tenant if person is None else person.tenant)


def _theirs(house: Credentials, who: Caller, name: str) -> Person:
    """An account that this admin may change. Raises Problem: 404 for none of theirs, 409 for their own, 403."""
    person = house.accounts.people.find(name)
    if person is None or not _reaches(who, person.tenant):
        raise Problem(404, "not-found", f"there is no account {name}", todo="`GET /v1/people` lists them")
    if f"user:{person.name}" == who.principal.subject:
        raise Problem(409, "self", "nobody changes their own account here", todo="another admin can; your password is "
                      "changed with POST /auth/password")  # fmt: skip
    if person.kind == OPERATOR:
        raise Problem(403, "operator", f"{person.name} runs this machine, and nobody on the page changes that account",
                      todo="`ringfence users` there does")  # fmt: skip
    return person


async def _password(house: Credentials, name: str, typed: str | None) -> tuple[str, str | None]:
    """The hash to keep, and the password if it was made here. Raises ManifestError for one that is too easy."""
    made = generated() if typed is None else None
    plain = made or acceptable(typed or "", name)
    with in_turn():
        return await house.passwords.made(plain), made


def _everybody(house: Credentials, who: Caller) -> list[PersonShown]:
    accounts = house.accounts
    now, sessions = accounts.keys.now, accounts.sessions.everyone()
    signed = Counter(one.name.casefold() for one in sessions)
    keys = Counter(key.name.casefold() for key in accounts.keys.all() if key.holds(now))
    found = {person.name.casefold(): person for person in accounts.people.all()}
    shown = [_shown(one, signed[key], keys[key], who) for key, one in found.items() if _reaches(who, one.tenant)]
    for one in {one.name.casefold(): one for one in sessions if one.name.casefold() not in found}.values():
        if _reaches(who, one.tenant):
            held = tuple(role.removeprefix("role:") for role in one.roles)
            person = Person(one.name, "elsewhere", held, tenant=one.tenant)
            shown.append(_shown(person, signed[one.name.casefold()], 0, who))
    return sorted(shown, key=lambda one: one.name.casefold())


def _found(house: Credentials, who: Caller, name: str) -> PersonShown:
    return next(one for one in _everybody(house, who) if one.name.casefold() == name.casefold())


def _shown(person: Person, sessions: int, keys: int, who: Caller) -> PersonShown:
    kind: Any = "manifest" if person.kind == NAMED else person.kind
    return PersonShown(
        name=person.name, kind=kind, roles=sorted(person.roles), teams=sorted(person.teams), tenant=person.tenant,
        disabled=person.disabled, password=bool(person.hash), created=person.created, sessions=sessions, keys=keys,
        you=f"user:{person.name}" == who.principal.subject,
    )  # fmt: skip
