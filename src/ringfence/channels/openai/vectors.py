"""`POST /v1/embeddings`: vectors by the model that the agent's documents are searched with."""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from ringfence.app import Agent
from ringfence.core.values import JSON

from .. import telling
from ..http import caller
from ..http.problems import Problem
from .beginning import IGNORED, service_of
from .errors import Route, declared, refused

if TYPE_CHECKING:
    from ringfence.knowledge.ports import Embedder

routes = APIRouter(tags=["openai"], route_class=Route)
_EXAMPLE: Final[dict[str, JSON]] = {
    "object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.052, -0.017]}],
    "model": "minilm-l6", "usage": {"prompt_tokens": 9, "total_tokens": 9},
}  # fmt: skip
MAX_TEXTS: Final = 2048
AT_ONCE: Final = 4  # requests that are worked on, beside what the agent's own searches need
WAITING: Final = 32


class EmbeddingRequest(BaseModel):
    """Texts, each of which becomes a vector of length 1."""

    model_config = ConfigDict(extra="allow")

    model: Annotated[str, Field(min_length=1, max_length=200)]
    input: Annotated[str | list[Any], Field(description="a text, or up to 2048 of them; tokens are not taken")]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int | None, Field(description="as many as the model has, if any are named")] = None
    truncate: Annotated[bool, Field(description="cut what is longer than the window, which is refused otherwise")] = (
        False
    )

    def texts(self) -> list[str]:
        """What is to be embedded; raises Problem for what is no text."""
        given = [self.input] if isinstance(self.input, str) else self.input
        if not 0 < len(given) <= MAX_TEXTS:
            raise refused(f"expected 1 to {MAX_TEXTS} texts, got {len(given)}", param="input", code="invalid")
        for n, one in enumerate(given):
            if not isinstance(one, str) or not one.strip():
                what = "expected a text that is not empty, got " + ("nothing" if one == "" else type(one).__name__)
                raise refused(f"{what} at input.{n}", param=f"input.{n}", todo="send texts, not tokens")
        return given


@routes.post("/v1/embeddings", operation_id="createEmbedding", response_model=None, responses=declared(**_EXAMPLE))
async def embeddings(request: Request, who: caller.Knowledge, asked: EmbeddingRequest) -> Response:
    """Vectors of texts. They are made in this process; nothing leaves it, and nothing is kept."""
    agent = service_of(request).agent
    embedder, name = _wanted(agent, asked), agent.manifest.knowledge.embedding.model
    texts = asked.texts()
    done = await telling.unless_gone(request, _turn(request, _made(embedder, texts, cut=asked.truncate)))
    if done is None:
        return Response(status_code=499)
    vectors, tokens = done
    encode = _packed if asked.encoding_format == "base64" else list
    data = [{"object": "embedding", "index": n, "embedding": encode(one)} for n, one in enumerate(vectors)]
    body = {"object": "list", "data": data, "model": name, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}
    ignored = sorted((asked.model_extra or {}).keys() & {"user"})
    return JSONResponse(body, headers={IGNORED: "user"} if ignored else None)


def embedder_of(agent: Agent) -> Embedder | None:
    """What makes vectors in this process. One on a server gets nothing but by a run: what leaves is on record."""
    fresh, local = agent.house.fresh, agent.manifest.knowledge.embedding.provider == "embedded"
    return fresh.embedder if fresh is not None and local else None


def _wanted(agent: Agent, asked: EmbeddingRequest) -> Embedder:
    embedder, name = embedder_of(agent), agent.manifest.knowledge.embedding.model
    if embedder is None:
        what = "this agent has no embedding model of its own"
        raise refused(what, param="model", code="no_embedding_model", todo="add knowledge.collections to its manifest")
    if asked.model != name:
        raise refused(f"the model {asked.model!r} does not make vectors here", param="model", code="model_not_found",
                      status=404, todo=f"ask for {name!r}")  # fmt: skip
    if asked.dimensions not in (None, embedder.dim):
        raise refused(f"expected {embedder.dim} dimensions, which {name} has, got {asked.dimensions}",
                      param="dimensions")  # fmt: skip
    return embedder


async def _made(embedder: Embedder, texts: Sequence[str], *, cut: bool) -> tuple[list[list[float]], int]:
    counts = await asyncio.to_thread(lambda: [embedder.count(text) for text in texts])
    window = int(getattr(embedder, "window", 0))
    for n, count in enumerate(counts):
        if window and count > window and not cut:
            raise refused(f"input.{n} has {count} tokens, and the model takes {window}", param=f"input.{n}",
                          code="context_length_exceeded", todo="send shorter texts, or truncate: true")  # fmt: skip
    vectors = await embedder.embed(texts)
    return vectors.tolist(), sum(min(count, window or count) for count in counts)


async def _turn(request: Request, work: Any) -> Any:
    """What `work` returns, in its turn; raises Problem 429 where too many wait."""
    state = request.app.state
    if not hasattr(state, "embedding"):
        state.embedding, state.embeddings = asyncio.Semaphore(AT_ONCE), 0
    if state.embeddings >= AT_ONCE + WAITING:
        work.close()
        raise Problem(429, "rate_limit_exceeded", "too many texts are being embedded", todo="try again in a second",
                      headers={"Retry-After": "1"})  # fmt: skip
    state.embeddings += 1
    try:
        async with state.embedding:
            return await work
    finally:
        state.embeddings -= 1
        work.close()


def _packed(vector: Sequence[float]) -> str:
    """As little-endian 32-bit floats in base64, which is what `encoding_format: base64` means."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
