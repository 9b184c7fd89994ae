"""Vectors that are kept: of texts that come again in a run or to the same principal, within bounds, and in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ringfence import tracing
from ringfence.app.knowing.library import embedder_of
from ringfence.core.errors import BackendError
from ringfence.knowledge.cached import CachedEmbedder
from ringfence.knowledge.ports import Vectors
from ringfence.knowledge.served import OpenAIEmbedder
from ringfence.manifest.types import Embedding
from ringfence.tracing import Trace


class Counting:
    """Makes a vector of a text's length, and counts what it was asked for."""

    model, dim, window = "toy@0123", 2, 512

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails = self.closed = False

    async def embed(self, texts: Sequence[str]) -> Vectors:
        if self.fails:
            raise BackendError("gone")
        self.asked += texts
        await asyncio.sleep(0)
        return np.array([[len(text), 1] for text in texts], np.float32).reshape(len(texts), 2)

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        return -(await self.embed([text]))[0]

    def count(self, text: str) -> int:
        return len(text)

    async def aclose(self) -> None:
        self.closed = True


@contextmanager
def run_of(who: str) -> Iterator[None]:
    with tracing.following("r", who, Trace.new()):
        yield


async def test_a_text_that_comes_again_is_embedded_once_and_comes_in_its_place() -> None:
    made = Counting()
    cached = CachedEmbedder(made)
    with run_of("user:alice"):
        first = await cached.embed(["a", "bb", "a"])
        again = await cached.embed(["bb", "ccc", "a", "\ud800"])
    assert made.asked == ["a", "bb", "ccc", "\ud800"]
    assert (first[:, 0].tolist(), again[:, 0].tolist()) == ([1, 2, 1], [2, 3, 1, 1])
    assert (again.dtype, again.shape) == (np.float32, (4, 2))


async def test_a_question_is_kept_between_runs_and_apart_from_the_same_text() -> None:
    made = Counting()
    cached = CachedEmbedder(made)
    for _ in range(2):
        with run_of("user:alice"):
            assert (await cached.embed_query("why?")).tolist() == [-4, -1]
            assert (await cached.embed(["why?"])).tolist() == [[4, 1]]
    assert made.asked == ["why?", "why?"]


async def test_nobody_learns_by_the_time_what_somebody_else_has_asked_or_what_was_taken_in() -> None:
    made = Counting()
    cached = CachedEmbedder(made)
    for who in ("user:alice", "user:bob"):
        with run_of(who):
            await cached.embed_query("why?")
    assert made.asked == ["why?", "why?"]
    for _ in range(2):  # outside of any run: documents, and texts of other clients
        await cached.embed(["a"])
    assert made.asked[2:] == ["a", "a"]
    assert len(cached) == 2


async def test_what_is_kept_is_bounded_in_number_and_in_bytes_and_goes_when_it_is_closed() -> None:
    for cached in (CachedEmbedder(Counting(), max_vectors=2), CachedEmbedder(Counting(), max_bytes=16)):
        made = cached._embedder
        assert isinstance(made, Counting)
        with run_of("user:alice"):
            for text in ("a", "bb", "a", "ccc", "a", "bb"):  # a was used last when ccc came, so bb went
                await cached.embed([text])
        assert made.asked == ["a", "bb", "ccc", "bb"]
        assert len(cached) == 2
        await cached.aclose()
        assert (len(cached), made.closed) == (0, True)


async def test_a_failure_is_not_kept_and_what_is_kept_cannot_be_changed_by_who_gets_it() -> None:
    made = Counting()
    cached = CachedEmbedder(made)
    with run_of("user:alice"):
        made.fails = True
        with pytest.raises(BackendError):
            await cached.embed(["a"])
        made.fails = False
        (await cached.embed(["a"]))[0] = 9
        (await cached.embed(["a"]))[0] = 9
        assert (await cached.embed(["a"])).tolist() == [[1, 1]]
        assert (await cached.embed([])).shape == (0, 2)
    assert made.asked == ["a"]


def test_what_a_server_makes_is_never_kept_since_its_weights_are_not_known(tmp_path: Path) -> None:
    assert isinstance(embedder_of(Embedding(), tmp_path), CachedEmbedder)
    served = Embedding.model_validate({"provider": "openai", "endpoint": "http://127.0.0.1:9", "model": "bge-m3"})
    assert isinstance(embedder_of(served, tmp_path), OpenAIEmbedder)
