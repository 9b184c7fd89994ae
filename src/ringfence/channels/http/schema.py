"""Parts of the OpenAPI description that several operations share."""

from __future__ import annotations

from typing import Any

from fastapi import Path
from pydantic import BaseModel

RUN = Path(min_length=1, max_length=64, description="the id of the run")
KEY = r"^[\x21-\x7e]{1,255}$"
EVENT: dict[str, Any] = {
    "type": "object",
    "description": "an event; what else it has depends on its kind",
    "required": ["run", "seq", "time", "kind", "label"],
    "properties": {
        "run": {"type": "string"},
        "seq": {"type": "integer"},
        "time": {"type": "integer", "description": "milliseconds since 1970 UTC"},
        "kind": {"enum": ["run.started", "message", "intent", "decision", "approval", "outcome", "checkpoint",
                          "run.finished"]},
        "label": {"type": "object", "description": "how far it is trusted, and who may read it"},
        "hidden": {"const": True, "description": "you may not read it"},
    },
    "examples": [{"run": "1kb2m9x0q7d3f5h8j1n4", "seq": 4, "time": 1_790_000_000_310, "kind": "intent",
                  "label": {"trust": "user", "readers": [["role:nurse", "user:alice"]]}, "rule": "POL-8",
                  "tool": "kb.search", "args": {"query": "4711 Tuesday"}}],
}  # fmt: skip


def example(status: int, model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """The answer of an operation, with the example that its model has."""
    given = (model.model_config.get("json_schema_extra") or {}).get("examples")  # type: ignore[union-attr]
    return {status: {"model": model, "content": {"application/json": {"example": given[0]}}}}  # type: ignore[index]


def shape(status: int, schema: dict[str, Any], media: str = "application/json") -> dict[int | str, dict[str, Any]]:
    """The answer of an operation that no model describes."""
    return {status: {"description": "", "content": {media: {"schema": schema, "example": schema["examples"][0]}}}}
