"""`POST /agent`: a task and its answer, for whoever wants no more than that."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from .. import telling
from . import caller
from .bodies import Checked
from .problems import said
from .runs import service_of

routes = APIRouter(tags=["runs"], route_class=Checked)


class Task(BaseModel):
    """A task for the agent."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"request": "How full is the disk of db-02?"}]}
    )

    request: Annotated[str, Field(min_length=1, max_length=100_000, pattern=r"\S", description="what to do")]
    conversation: Annotated[str, Field(max_length=200, description="what was said before in it is shown")] = ""


class Answer(BaseModel):
    """What became of it: `response` is the answer, or says what is missing for one; `status` says which."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"response": "71 %", "run_id": "1kb2m9x0q7d3f5h8j1n4", "status": "done"}]}
    )

    response: str
    run_id: str
    status: str


@routes.post("/agent", operation_id="askAgent", response_model=Answer, responses=said(409, 422, 429))
async def ask(request: Request, who: caller.Runs, asked: Task) -> Response:
    """Do a task, and answer when it is done or waits for a person. Whoever goes away meanwhile ends the run."""
    service, principal = service_of(request), who.principal
    run = await service.submit(
        principal, asked.request, conversation=asked.conversation, meta=telling.meta_of("agent", None)
    )
    result = await telling.unless_gone(request, service.result(principal, run))
    if result is None:
        telling.abandon(service, principal, run)
        return Response(status_code=499)
    end = await telling.ending(service, principal, result, base=telling.base_of(request, service))
    return JSONResponse(Answer(response=end.text, run_id=run, status=end.status).model_dump())
