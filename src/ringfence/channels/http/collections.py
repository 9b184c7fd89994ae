"""Collections of documents over HTTP: what one may read of them, and for admins, what is in them."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from ringfence.app.serving.placing import Temporary, parts_of
from ringfence.app.serving.shelves import Refresh, Shelves
from ringfence.core.labels import Label

from . import caller
from .answers import PLACE, tagged
from .bodies import Checked
from .papers import (
    CollectionPage,
    CollectionShown,
    DocumentPage,
    DocumentShown,
    FoundPage,
    FoundShown,
    PassageShown,
    RefreshShown,
    Uploaded,
)  # fmt: skip
from .problems import Problem, said
from .runs import service_of
from .schema import example
from .uploads import received

routes = APIRouter(prefix="/v1", tags=["collections"], route_class=Checked)

Name = Annotated[str, Path(min_length=1, max_length=63, description="the name of the collection")]
_FIELDS: dict[str, Any] = {
    "path": {
        "type": "string",
        "maxLength": 4096,
        "description": "where it goes below the collection's folder; the file's own name if empty",
    },
    "replace": {"enum": ["true", "false"], "description": "take the place of a file of that name"},
    "readers": {
        "type": "string",
        "maxLength": 4096,
        "description": "who may read it, with commas: role:hr,user:alice; beside the collection's own readers",
    },
    "file": {"type": "string", "contentMediaType": "application/octet-stream"},
}
_SENT = {"path": "2026/report.md", "replace": "false", "readers": "role:hr", "file": "# Report\n"}
_SCHEMA = {"type": "object", "required": ["file"], "properties": _FIELDS}
_FORM = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _SCHEMA, "example": _SENT}}}}


def shelves_of(request: Request) -> Shelves:
    """The app's collections."""
    found: Shelves = request.app.state.shelves
    return found


@routes.get("/collections", operation_id="listCollections", response_model=CollectionPage,
            responses=example(200, CollectionPage) | said(304))  # fmt: skip
async def collections(request: Request, who: caller.Knowledge) -> Response:
    """The collections that you may read something of, with how much; for admins, all."""
    found = await shelves_of(request).seen(who.principal)
    rows = [
        {name.name: getattr(one, name.name) for name in fields(one)}  # not asdict: a refresh holds its task
        | {"refresh": _job(one.refresh) if one.refresh else None}
        for one in found
    ]
    return tagged(request, CollectionPage(data=[CollectionShown.model_validate(one) for one in rows]))


@routes.get("/collections/search", operation_id="searchCollections", response_model=FoundPage,
            responses=example(200, FoundPage) | said(422, 502))  # fmt: skip
async def search(
    request: Request,
    who: caller.Knowledge,
    q: Annotated[str, Query(min_length=1, max_length=2_000, pattern=r"\S", description="a question, or some words")],
    collection: Annotated[list[str] | None, Query(max_length=64, description="in these alone")] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> FoundPage:
    """The best passages among those that you may read."""
    found = await shelves_of(request).search(who.principal, q, collection or (), limit)
    return FoundPage(data=[
        FoundShown.model_validate(_passage(one) | {
            "score": hit.score, "words": hit.words, "meaning": hit.meaning, "similarity": hit.similarity})
        for one, hit in found
    ])  # fmt: skip


@routes.get("/passages", operation_id="openPassage", response_model=PassageShown,
            responses=example(200, PassageShown) | said(304, 404, 422))  # fmt: skip
async def passage(
    request: Request,
    who: caller.Knowledge,
    document: Annotated[str, Query(min_length=1, max_length=5_000, description="collection/path, or the path alone")],
    collection: Annotated[str, Query(max_length=63, description="the collection of a path")] = "",
    start: Annotated[int, Query(ge=0, le=PLACE, description="the character to begin at")] = 0,
    end: Annotated[int, Query(ge=0, le=PLACE, description="the character to end before; 0: 20,000 further on")] = 0,
) -> Response:
    """Part of a document, as a citation names it."""
    named = f"{collection}/{document}" if collection and not document.startswith(f"{collection}/") else document
    if end and end <= start:
        raise Problem(422, "range", f"expected an end behind {start}, got {end}", todo="correct start or end")
    found = await shelves_of(request).passage(who.principal, named, start, end - start if end else PLACE)
    return tagged(request, PassageShown.model_validate(_passage(found) | {"of": found.of}))


@routes.get("/collections/{name}/documents", operation_id="listDocuments", response_model=DocumentPage,
            responses=example(200, DocumentPage) | said(304, 404, 422))  # fmt: skip
async def documents(
    request: Request,
    who: caller.Knowledge,
    name: Name,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[str, Query(max_length=4_096, description="`next` of the page before")] = "",
    q: Annotated[str, Query(max_length=200, description="with this in the path or the title")] = "",
) -> Response:
    """The documents of a collection that you may read, by path."""
    found, word = await shelves_of(request).documents(who.principal, name), q.casefold()
    left = [one for one in found if one.path > after and word in f"{one.path}\n{one.title}".casefold()]
    rows = [
        DocumentShown(path=one.path, title=one.title, readers=_readers(one.label), trust=one.label.trust.name.lower(),
                      subjects=list(one.subjects), outdated=str(one.meta.get("outdated", "")))
        for one in left[:limit]
    ]  # fmt: skip
    return tagged(request, DocumentPage(data=rows, next=rows[-1].path if len(left) > limit else None))


@routes.post("/collections/{name}/documents", operation_id="uploadDocument", status_code=201, response_model=Uploaded,
             responses=example(201, Uploaded) | said(404, 409, 413, 415, 422, 507), openapi_extra=_FORM)  # fmt: skip
async def upload(request: Request, who: caller.Knowledge, name: Name) -> Uploaded:
    """Put a file into a collection, as an admin; it is searched once a refresh has taken it in."""
    shelves, limit = shelves_of(request), service_of(request).agent.manifest.server.limits.upload_mb << 20
    folder = await shelves.folder(who.principal, name)
    with Temporary(folder, limit) as file:
        form = await received(request, file, limit)
        path = form.fields.get("path") or form.filename.replace("\\", "/").rpartition("/")[2]
        parts_of(path)
        readers = [one.strip() for one in form.fields.get("readers", "").split(",") if one.strip()]
        placed = await shelves.put(
            who.principal, name, file, path, replace=form.fields.get("replace") == "true", readers=readers
        )
    return Uploaded(document=f"{name}/{placed.path}", path=placed.path, bytes=placed.size, sha256=placed.sha256)


@routes.delete("/collections/{name}/documents/{path:path}", operation_id="deleteDocument", status_code=204,
               responses=said(404, 409, 422))  # fmt: skip
async def delete(request: Request, who: caller.Knowledge, name: Name, path: str) -> Response:
    """Destroy a document, as an admin: its file, and what is held of it."""
    await shelves_of(request).remove(who.principal, name, path)
    return Response(status_code=204)


@routes.post("/collections/{name}/refresh", operation_id="refreshCollection", status_code=202,
             response_model=RefreshShown, responses=example(202, RefreshShown) | said(404, 422))  # fmt: skip
async def refresh(request: Request, who: caller.Knowledge, name: Name) -> RefreshShown:
    """Begin to take in what has changed in the collection's folder, as an admin; `GET` says how far it is."""
    return RefreshShown.model_validate(_job(await shelves_of(request).refresh(who.principal, name)))


@routes.get("/collections/{name}/refresh", operation_id="getRefresh", response_model=RefreshShown,
            responses=example(200, RefreshShown) | said(304, 404, 422))  # fmt: skip
async def refreshed(request: Request, who: caller.Knowledge, name: Name) -> Response:
    """How far the last refresh is, and what came of it."""
    return tagged(request, RefreshShown.model_validate(_job(await shelves_of(request).refreshed(who.principal, name))))


def _readers(label: Label) -> list[list[str]]:
    return sorted(sorted(clause) for clause in label.readers)


def _passage(one: Any) -> dict[str, Any]:
    return {
        "collection": one.collection, "path": one.path, "document": one.document, "title": one.title, "page": one.page,
        "headings": list(one.headings), "start": one.start, "end": one.end, "text": one.text,
        "readers": _readers(one.label), "trust": one.label.trust.name.lower(), "outdated": one.outdated,
    }  # fmt: skip


def _job(job: Refresh) -> dict[str, Any]:
    report = asdict(job.report) if job.report is not None else None
    if report is not None:
        for key in ("skipped", "notes"):
            report[key] = [{"name": name, "why": why} for name, why in report[key]]
    return {
        "collection": job.collection, "by": job.by, "started": job.started, "ended": job.ended or None,
        "state": job.state, "done": job.done, "total": job.total, "name": job.name, "report": report,
        "fault": job.fault,
    }  # fmt: skip
