"""What is remembered, over HTTP: seen, corrected, vouched for and destroyed by whoever may read it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ringfence.app.serving.remembered import Remembered
from ringfence.knowledge.memory.items import MAX_TEXT

from . import caller
from .answers import tagged
from .bodies import Checked
from .forms import Form, example_of
from .problems import said
from .schema import example

routes = APIRouter(prefix="/v1/memory", tags=["memory"], route_class=Checked)

Ident = Annotated[str, Path(min_length=1, max_length=64, description="the id of what is remembered")]
_ITEM: dict[str, Any] = {
    "id": "m-5f2c41d07b6ea83c", "text": "Alice works at the front desk.", "kind": "fact", "scope": "user:alice",
    "state": "kept", "count": 2, "trust": "user", "readers": [["user:alice"]], "expires": 1_820_000_000_000,
    "subjects": [], "superseded_by": "", "promoted": None, "sayings": [
        {"run": "1kb2m9x0q7d3f5h8j1n4", "seq": 8, "by": "user:alice", "agent": "front-desk",
         "at": 1_790_000_000_000, "trust": "user"}],
}  # fmt: skip


class SayingShown(BaseModel):
    """Where it comes from: the record by which it was saved."""

    run: str
    seq: int
    by: str
    agent: str
    at: int
    trust: str


class ItemShown(BaseModel):
    """One thing that is remembered. What is `quarantined` is recalled by nobody until a person vouches for it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ITEM]})

    id: str
    text: str
    kind: str
    scope: str
    state: Literal["kept", "quarantined", "superseded"]
    count: Annotated[int, Field(description="how often it was said")]
    trust: str
    readers: list[list[str]]
    expires: int
    subjects: list[str]
    superseded_by: str
    promoted: dict[str, Any] | None
    sayings: list[SayingShown]

    @classmethod
    def of(cls, item: Any) -> ItemShown:
        """From the store."""
        return cls.model_validate({
            "id": item.id, "text": item.text, "kind": item.kind, "scope": item.scope.name, "state": item.state,
            "count": item.count, "trust": item.label.trust.name.lower(),
            "readers": sorted(sorted(clause) for clause in item.label.readers), "expires": item.expires,
            "subjects": list(item.subjects), "superseded_by": item.by,
            "promoted": dict(item.promoted) if item.promoted else None,
            "sayings": [asdict(saying) for saying in item.sayings],
        })  # fmt: skip


class ItemPage(BaseModel):
    """Some of it, and where the next is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"data": [_ITEM], "next": None}]})

    data: list[ItemShown]
    next: Annotated[str | None, Field(description="`after` of the next page; none at the end")]


class OtherWords(Form):
    """What is to be remembered instead."""

    model_config = example_of({"text": "Alice works in the archive."})

    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT, pattern=r"\S")]


def memory_of(request: Request) -> Remembered:
    """The app's memory."""
    found: Remembered = request.app.state.remembered
    return found


@routes.get("", operation_id="listMemory", response_model=ItemPage,
            responses=example(200, ItemPage) | said(304, 422))  # fmt: skip
async def items(
    request: Request,
    who: caller.Memory,
    q: Annotated[str, Query(max_length=200, description="with these words in it")] = "",
    kind: Annotated[Literal["fact", "preference", "episode", "procedure"] | None, Query()] = None,
    state: Annotated[Literal["kept", "quarantined", "superseded"] | None, Query()] = None,
    scope: Annotated[str, Query(max_length=200, description="whose: user:alice, role:ops, team:ward")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str, Query(max_length=64, description="`next` of the page before")] = "",
) -> Response:
    """What is remembered that you may read, the newest first."""
    found = [
        one for one in await memory_of(request).items(who.principal)
        if q.casefold() in one.text.casefold() and kind in (None, one.kind) and state in (None, one.state)
        and scope in ("", one.scope.name)
    ]  # fmt: skip
    start = next((n + 1 for n, one in enumerate(found) if one.id == after), 0) if after else 0
    page = found[start : start + limit]
    more = page[-1].id if page and len(found) > start + limit else None
    return tagged(request, ItemPage(data=[ItemShown.of(one) for one in page], next=more))


@routes.get("/{ident}", operation_id="getMemory", response_model=ItemShown,
            responses=example(200, ItemShown) | said(304, 404, 422))  # fmt: skip
async def item(request: Request, who: caller.Memory, ident: Ident) -> Response:
    """All about one thing that is remembered."""
    return tagged(request, ItemShown.of(await memory_of(request).item(who.principal, ident)))


@routes.patch("/{ident}", operation_id="editMemory", response_model=ItemShown,
              responses=example(200, ItemShown) | said(404, 409, 415, 422))  # fmt: skip
async def edit(request: Request, who: caller.Memory, ident: Ident, words: OtherWords) -> ItemShown:
    """Say it in other words. It is on the record, and has a new id where its words make one."""
    return ItemShown.of(await memory_of(request).edit(who.principal, ident, words.text))


@routes.delete("/{ident}", operation_id="forgetMemory", status_code=204, responses=said(404, 409, 422))
async def forget(request: Request, who: caller.Memory, ident: Ident) -> Response:
    """Destroy it, for good. That it was destroyed, and by whom, is on the record."""
    await memory_of(request).forget(who.principal, ident)
    return Response(status_code=204)


@routes.post("/{ident}/promote", operation_id="promoteMemory", response_model=ItemShown,
             responses=example(200, ItemShown) | said(404, 409, 422))  # fmt: skip
async def promote(request: Request, who: caller.Memory, ident: Ident) -> ItemShown:
    """Vouch for what is in quarantine: from now on it is recalled as your word."""
    return ItemShown.of(await memory_of(request).promote(who.principal, ident))
