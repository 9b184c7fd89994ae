"""How the server stands, for whoever has signed in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from ringfence.app.serving.standing import Speeds, standing

from . import caller
from .problems import said
from .runs import service_of
from .schema import example

routes = APIRouter(prefix="/v1", tags=["status"])


class Used(BaseModel):
    """What you have used of a model today (UTC), and what you may; none: as much as you like."""

    requests: int
    tokens: int
    money: float
    currency: str
    requests_per_day: int | None
    tokens_per_day: int | None
    money_per_day: float | None


class ModelShown(BaseModel):
    """A model: `window` in tokens as its server was found to have it, and how fast it has been lately."""

    tier: str
    model: str
    provider: str
    window: int | None
    max_tokens: int
    tokens_per_s: Annotated[float | None, Field(description="generated; none before its first answer")]
    used: Used | None


class Count(BaseModel):
    """Runs at work, and runs that wait for their turn."""

    running: int
    queued: int


class Bounds(BaseModel):
    """How much is done at once; `_each`: of one principal."""

    running: int
    running_each: int
    queued: int
    queued_each: int


class QueueShown(Count):
    """The queue: `run_s` is how long a run takes at present, in seconds."""

    yours: Count
    limits: Bounds
    run_s: float | None
    closing: bool


class Details(BaseModel):
    """For admins."""

    each: dict[str, Count]
    refused: int
    warnings: list[str]
    troubles: list[str]


class StatusShown(BaseModel):
    """How the server stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "agent": "front-desk", "version": "0.9.0", "models": [
            {"tier": "main", "model": "qwen2.5-coder-1.5b", "provider": "embedded", "window": 8192, "max_tokens": 512,
             "tokens_per_s": 21.4, "used": None}],
        "queue": {"running": 1, "queued": 0, "yours": {"running": 1, "queued": 0}, "run_s": 6.2, "closing": False,
                  "limits": {"running": 8, "running_each": 2, "queued": 256, "queued_each": 32}},
        "admin": None}]})  # fmt: skip

    agent: str
    version: str
    models: list[ModelShown]
    queue: QueueShown
    admin: Details | None


@routes.get("/status", operation_id="getStatus", response_model=StatusShown,
            responses=example(200, StatusShown) | said())  # fmt: skip
async def status(request: Request, who: caller.Known) -> Any:
    """The agent, its models and how fast they are, the queue, and what you have used of your budgets."""
    speeds: Speeds = request.app.state.speeds
    return await standing(service_of(request), speeds, who.principal, whole="admin" in who.scopes)
