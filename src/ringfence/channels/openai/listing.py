"""`GET /v1/models`: the agent, and what makes vectors of texts where it has that."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request

from ringfence.core.values import JSON

from ..http.caller import Caller, caller_of
from . import vectors
from .beginning import service_of
from .errors import Route, declared, refused

routes = APIRouter(prefix="/v1/models", tags=["openai"], route_class=Route)
_EXAMPLE: Final[dict[str, JSON]] = {"id": "ops", "object": "model", "created": 0, "owned_by": "ringfence"}
Anybody = Annotated[Caller, Depends(caller_of)]  # who has come in may know what is here, whatever for


@routes.get("", operation_id="listModels", responses=declared(object="list", data=[_EXAMPLE]))
async def all_of_them(request: Request, who: Anybody) -> dict[str, JSON]:
    """What may be named as a model."""
    return {"object": "list", "data": _models(request)}


@routes.get("/{model:path}", operation_id="getModel", responses=declared(**_EXAMPLE))
async def one(request: Request, who: Anybody, model: str) -> dict[str, JSON]:
    """One of them."""
    for found in _models(request):
        if found["id"] == model:
            return found
    raise refused(f"the model {model[:200]!r} does not exist here", param="model", code="model_not_found", status=404,
                  todo="`GET /v1/models` lists what does")  # fmt: skip


def _models(request: Request) -> list[dict[str, JSON]]:
    agent = service_of(request).agent
    names = [agent.manifest.runtime.name]
    if vectors.embedder_of(agent) is not None:
        names.append(agent.manifest.knowledge.embedding.model)
    return [{"id": name, "object": "model", "created": 0, "owned_by": "ringfence"} for name in names]
