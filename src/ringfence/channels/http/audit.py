"""The record over HTTP, for auditors: heads, proofs, and views of every run that hold no content."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from ringfence.app.serving.auditing import SHOWN, Auditing, Check, head_of

from . import caller
from .answers import PLACE, tagged
from .problems import Problem, said
from .runs import RunId
from .schema import example, shape

routes = APIRouter(prefix="/v1/audit", tags=["audit"])

_NOTE = "ringfence/log/5f2c41d07b6ea83c\n14\nCsUYapGGPo4dkMgI\ntime 1790000004200\n\n— kit Az3g\n"
_HEAD: dict[str, Any] = {"size": 14, "time": 1_790_000_004_200, "root": "0ac5186a", "note": _NOTE}
_LOG: dict[str, Any] = {
    "log": "5f2c41d07b6ea83c",
    "records": 14,
    "head": _HEAD,
    "keys": ["kit+5f2c41d0+ASkq"],
    "troubles": [],
}
_REPORT: dict[str, Any] = {
    "records": 14, "runs": 1, "root": "0ac5186a", "findings": [], "due": 14, "signed": 14, "anchored": 0, "sealed": 0,
    "destroyed": 0,
}  # fmt: skip
_CHECK: dict[str, Any] = {
    "by": "user:otto", "started": 1_790_000_005_000, "ended": 1_790_000_005_040, "state": "done", "ok": True,
    "report": _REPORT, "fault": "",
}  # fmt: skip
_LINE: dict[str, Any] = {
    "id": "1kb2m9x0q7d3f5h8j1n4", "index": 0, "principal": "user:alice", "status": "done",
    "started": 1_790_000_000_000, "ended": 1_790_000_004_200, "records": 14,
}  # fmt: skip
_VIEW: dict[str, Any] = {
    "index": 0, "seq": 0, "time": 1_790_000_000_000, "kind": "run.started", "principal": "user:alice",
    "label": {"trust": "user", "readers": [["user:alice"]]}, "view": {"policy": "9f2c41d07b6ea83c"},
    "shown": {"task": "Write to <EMAIL_1>."},
}  # fmt: skip
_PROOF: dict[str, Any] = {
    "type": "object",
    "required": ["v", "origin", "index", "size", "header", "leaf", "path", "head"],
    "properties": {
        "v": {"const": 1}, "origin": {"type": "string"}, "index": {"type": "integer"}, "size": {"type": "integer"},
        "header": {"type": "string", "description": "the record's header, as it was hashed"},
        "leaf": {"type": "string"}, "path": {"type": "array", "items": {"type": "string"}},
        "head": {"type": "string", "description": "the signed head (C2SP checkpoint) that it leads to"},
    },
    "examples": [{"v": 1, "origin": "ringfence/log/5f2c41d07b6ea83c", "index": 0, "size": 14, "header": "{}",
                  "leaf": "6e34", "path": ["0ac5"], "head": _NOTE}],
}  # fmt: skip
_LINES: dict[str, Any] = {
    "type": "string",
    "description": "a header a line, as it was hashed; behind them the signed heads, each `{head, size}`",
    "examples": ['{"index":0,"kind":"run.started","seq":0}\n{"head":"...","size":14}\n'],
}


class HeadShown(BaseModel):
    """A signed head of the log (a C2SP checkpoint, as a note): its first `size` records have this root."""

    model_config = ConfigDict(json_schema_extra={"examples": [_HEAD]})

    size: int
    time: int | None
    root: str
    note: str


class LogShown(BaseModel):
    """The log, its newest head, and the public keys that its heads are checked with."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LOG]})

    log: str
    records: int
    head: HeadShown | None
    keys: list[str]
    troubles: Annotated[list[str], Field(description="what kept a head from being signed, or from its anchors")]


class HeadPage(BaseModel):
    """Heads, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"data": [_HEAD], "next": None}]})

    data: list[HeadShown]
    next: Annotated[int | None, Field(description="`before` of the next page; none at the end")]


class FindingShown(BaseModel):
    """What was found; `sure`: the log is not what was written."""

    code: str
    text: str
    sure: bool


class ReportShown(BaseModel):
    """The log, recomputed: records under signed heads, those that anchors cover, bodies that no key opens."""

    records: int
    runs: int
    root: str
    findings: list[FindingShown]
    due: int
    signed: int
    anchored: int
    sealed: int
    destroyed: int


class CheckShown(BaseModel):
    """A look at the whole log."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CHECK]})

    by: str
    started: int
    ended: int | None
    state: Literal["running", "done", "failed"]
    ok: Annotated[bool | None, Field(description="nothing is surely wrong; none while it runs")]
    report: ReportShown | None
    fault: str

    @classmethod
    def of(cls, check: Check) -> CheckShown:
        """As it stands."""
        report = asdict(check.report) if check.report is not None else None
        return cls.model_validate({
            "by": check.by, "started": check.started, "ended": check.ended or None, "state": check.state,
            "ok": check.report.ok if check.report is not None else None, "report": report, "fault": check.fault,
        })  # fmt: skip


class AuditLine(BaseModel):
    """A run of anybody's, without what it is about."""

    id: str
    index: int
    principal: str
    status: str
    started: int
    ended: int
    records: int


class AuditPage(BaseModel):
    """Runs, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"data": [_LINE], "next": None}]})

    data: list[AuditLine]
    next: int | None


class ViewShown(BaseModel):
    """A record without its content: codes and counts, and what was kept of the content with placeholders in it."""

    index: int | None
    seq: int
    time: int
    kind: str
    principal: str
    label: dict[str, Any]
    view: dict[str, Any]
    shown: Any


class ViewPage(BaseModel):
    """Records of one run, in order."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"data": [_VIEW], "next": 1}]})

    data: list[ViewShown]
    next: Annotated[int | None, Field(description="`after` of the next page; none at the end")]


def auditing_of(request: Request) -> Auditing:
    """What auditors do with the app's log."""
    found: Auditing = request.app.state.auditing
    return found


def _head(note: str) -> HeadShown:
    checkpoint, time = head_of(note)
    return HeadShown(size=checkpoint.size, time=time, root=checkpoint.root.hex(), note=note)


@routes.get("/head", operation_id="getHead", response_model=LogShown, responses=example(200, LogShown) | said(304))
async def head(request: Request, who: caller.Audit) -> Response:
    """The log, and its newest signed head."""
    auditing = auditing_of(request)
    log, size, heads = await auditing.heads(who.principal)
    keys = await auditing.keys(who.principal) if heads else []
    newest = _head(heads[-1].note) if heads else None
    return tagged(request, LogShown(log=log, records=size, head=newest, keys=keys, troubles=list(auditing.troubles)))


@routes.get("/heads", operation_id="listHeads", response_model=HeadPage,
            responses=example(200, HeadPage) | said(304, 422))  # fmt: skip
async def heads(
    request: Request,
    who: caller.Audit,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[int | None, Query(ge=0, le=PLACE, description="`next` of the page before")] = None,
) -> Response:
    """The signed heads that are kept with the log, the newest first."""
    _, _, found = await auditing_of(request).heads(who.principal)
    end = len(found) if before is None else min(before, len(found))
    start = max(0, end - limit)
    data = [_head(one.note) for one in reversed(found[start:end])]
    return tagged(request, HeadPage(data=data, next=start or None))


@routes.post("/verify", operation_id="verifyLog", status_code=202, response_model=CheckShown,
             responses=example(202, CheckShown) | said())  # fmt: skip
async def verify(request: Request, who: caller.Audit) -> CheckShown:
    """Begin to recompute the whole log from its bytes; `GET` says what was found."""
    return CheckShown.of(await auditing_of(request).verify(who.principal))


@routes.get("/verify", operation_id="getVerification", response_model=CheckShown,
            responses=example(200, CheckShown) | said(304, 404))  # fmt: skip
async def verified(request: Request, who: caller.Audit) -> Response:
    """What the last look at the log has found, or how long it has been at it."""
    return tagged(request, CheckShown.of(auditing_of(request).verified(who.principal)))


@routes.get("/records/{index}/proof", operation_id="proveRecord",
            responses=shape(200, _PROOF) | said(404, 409, 422))  # fmt: skip
async def proof(
    request: Request, who: caller.Audit, index: Annotated[int, Path(ge=0, le=PLACE, description="in the log")]
) -> dict[str, Any]:
    """The proof that a record is in the log, to be checked offline with the public key alone."""
    return await auditing_of(request).proof(who.principal, index)


@routes.get("/runs", operation_id="auditRuns", response_model=AuditPage,
            responses=example(200, AuditPage) | said(304, 422))  # fmt: skip
async def runs(
    request: Request,
    who: caller.Audit,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[int | None, Query(ge=0, le=PLACE, description="`next` of the page before")] = None,
) -> Response:
    """The runs of everybody: whose they are and how they stand. No task, no answer."""
    found = await auditing_of(request).runs(who.principal, limit, before)
    data = [
        AuditLine(id=one.run, index=one.index, principal=one.principal, status=one.state, started=one.started,
                  ended=one.ended, records=one.records)
        for one in found
    ]  # fmt: skip
    return tagged(request, AuditPage(data=data, next=found[-1].index if len(found) == limit else None))


@routes.get("/runs/{run}", operation_id="auditRun", response_model=ViewPage,
            responses=example(200, ViewPage) | said(304, 404, 422))  # fmt: skip
async def run_views(
    request: Request,
    who: caller.Audit,
    run: RunId,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 500,
    after: Annotated[int | None, Query(ge=0, le=PLACE, description="`next` of the page before")] = None,
) -> Response:
    """The records of a run of anybody's, redacted."""
    start = 0 if after is None else after + 1
    found = await auditing_of(request).run(who.principal, run, start, limit)
    data = []
    for one in found:
        view = dict(one["view"])
        redacted = view.pop(SHOWN, None)
        known = {"index": one.get("index"), **one}
        data.append(ViewShown.model_validate({**known, "view": view, "shown": redacted}))
    return tagged(request, ViewPage(data=data, next=data[-1].seq if len(data) == limit else None))


@routes.get("/export", operation_id="exportHeaders", response_class=StreamingResponse,
            responses=shape(200, _LINES, "application/x-ndjson") | said(422))  # fmt: skip
async def export(
    request: Request,
    who: caller.Audit,
    start: Annotated[int, Query(ge=0, le=PLACE, description="the index to begin at")] = 0,
    stop: Annotated[int | None, Query(ge=0, le=PLACE, description="the index to end before; none: all")] = None,
) -> StreamingResponse:
    """The headers of the log as they were hashed, and its heads, to be kept and checked elsewhere."""
    if stop is not None and stop < start:
        raise Problem(422, "range", f"expected a stop of at least {start}, got {stop}", todo="correct start or stop")
    lines = await auditing_of(request).export(who.principal, start, stop)
    return StreamingResponse(
        lines,
        media_type="application/x-ndjson",
        headers={"Content-Disposition": 'attachment; filename="headers.ndjson"', "Cache-Control": "no-store"},
    )
