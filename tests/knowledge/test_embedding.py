"""Vectors by the real model: what a bare run of it computes, whole, in order, off the event loop."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from ringfence.core.errors import BackendError
from ringfence.knowledge.chunks import estimate, passage, split
from ringfence.knowledge.embedding import OnnxEmbedder
from ringfence.knowledge.ports import Block, Embedder, Parsed

from .test_chunks import documents
from .weights import embedder, files

pytestmark = pytest.mark.model
TEXTS = [
    "How do I reset my password?",
    "",
    "The pump in hall 3 loses pressure. " * 40,
    "Zurücksetzen des Kennworts: 這是一句話 🙂",
    "\ud800 half a pair",
    "x",
]


@pytest.fixture(scope="module")
def weights() -> tuple[Path, Path]:
    return files()


@pytest.fixture
async def minilm(weights: tuple[Path, Path]) -> AsyncIterator[OnnxEmbedder]:
    made = await asyncio.to_thread(embedder, 2)
    yield made
    await made.aclose()


def bare(weights: tuple[Path, Path], text: str, window: int = 512) -> NDArray[np.float32]:
    """The model as its makers run it: truncation by the tokenizer, mean over the tokens, length 1."""
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(weights[1]))
    tokenizer.no_padding()
    tokenizer.enable_truncation(window)
    encoded = tokenizer.encode(text.encode(errors="replace").decode())
    ids, mask = np.array([encoded.ids]), np.array([encoded.attention_mask])
    session = onnxruntime.InferenceSession(str(weights[0]), providers=["CPUExecutionProvider"])
    hidden = session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})[0]
    mean = (hidden * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
    found: NDArray[np.float32] = (mean / np.linalg.norm(mean, axis=1, keepdims=True))[0]
    return found


async def test_the_vectors_are_those_of_a_bare_run_in_order_and_of_length_one(
    minilm: OnnxEmbedder, weights: tuple[Path, Path]
) -> None:
    vectors = await minilm.embed(TEXTS)
    assert (vectors.shape, vectors.dtype) == ((len(TEXTS), minilm.dim), np.float32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    for vector, text in zip(vectors, TEXTS, strict=True):
        assert np.allclose(vector, bare(weights, text), atol=2e-5)


async def test_a_vector_does_not_depend_on_what_else_is_embedded_nor_on_the_threads(minilm: OnnxEmbedder) -> None:
    alone = await asyncio.to_thread(embedder, 1)
    try:
        together = await minilm.embed(TEXTS)
        for vector, text in zip(together, TEXTS, strict=True):
            assert np.array_equal(vector, await alone.embed_query(text))
    finally:
        await alone.aclose()


async def test_beyond_eight_cores_a_text_has_several_of_them_and_its_vector_is_the_same(
    minilm: OnnxEmbedder, weights: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringfence.knowledge.embedding._cores", lambda: 24)
    wide = await asyncio.to_thread(embedder)
    assert (wide._threads, wide._inner) == (8, 3)
    assert np.allclose(await wide.embed(TEXTS), await minilm.embed(TEXTS), atol=1e-6)
    await wide.aclose()


async def test_what_means_the_same_is_nearer_than_what_shares_words(minilm: OnnxEmbedder) -> None:
    question = await minilm.embed_query("How can I get back into my account if I forgot my password?")
    said = [
        "Steps to recover your login credentials",
        "The bank account was opened in Zurich",
        "Forgotten umbrellas are kept for a month at the gate",
        "Replace the filter of the pump every quarter",
    ]
    near = (await minilm.embed(said)) @ question
    assert near.argmax() == 0
    assert near[0] > 1.5 * near[1:].max()


async def test_a_text_beyond_the_window_is_cut_as_its_tokenizer_cuts(
    minilm: OnnxEmbedder, weights: tuple[Path, Path]
) -> None:
    long = "Every quarter the filter of pump 7 is replaced, and hall 3 is aired. " * 60
    assert minilm.count(long) > minilm.window == 512
    assert np.allclose((await minilm.embed([long]))[0], bare(weights, long), atol=2e-5)
    book = long * 1000
    assert np.allclose(await minilm.embed_query(book), bare(weights, long), atol=2e-5)


async def test_a_chunk_is_never_cut(minilm: OnnxEmbedder) -> None:
    said = "Die Pumpe P-7 verliert Druck (3,5 bar); 這是一句話。 " * 300
    parsed = Parsed((Block("Störung", "heading", level=1), Block(said)), title="Betriebshandbuch")
    text, chunks = split(parsed, count=minilm.count, tokens=minilm.window)
    assert len(chunks) > 5
    passages = [passage(parsed.title, chunk, text[chunk.start : chunk.end]) for chunk in chunks]
    assert [minilm.count(one) for one in passages] == [chunk.tokens for chunk in chunks]
    assert minilm.window * 0.8 < max(chunk.tokens for chunk in chunks) <= minilm.window
    assert all(one.end > after.start for one, after in pairwise(chunks))  # they overlap


@settings(max_examples=60)
@given(documents)
def test_whatever_a_document_holds_its_chunks_fit_by_the_real_tokenizer(parsed: Parsed) -> None:
    made = real()
    text, chunks = split(parsed, count=made.count, tokens=256)
    for chunk in chunks:
        said = passage(parsed.title, chunk, text[chunk.start : chunk.end])
        assert made.count(said) == chunk.tokens <= 256


@cache
def real() -> OnnxEmbedder:
    """One that only counts, and so has no threads to be stopped."""
    return embedder()


async def test_the_model_is_named_by_its_weights_and_counts_its_special_tokens(minilm: OnnxEmbedder) -> None:
    made: Embedder = minilm
    assert made.model == "minilm-l6@8199be6f699a395f"
    assert made.dim == 384
    assert (made.count(""), made.count("hello world")) == (2, 4)
    assert (await made.embed([])).shape == (0, 384)


async def test_the_event_loop_goes_on_while_texts_are_embedded(minilm: OnnxEmbedder) -> None:
    await minilm.embed_query("warm")
    began, turned = time.monotonic(), set()
    work = asyncio.create_task(minilm.embed(["The pump in hall 3 loses pressure. " * 60] * 16))
    while not work.done():
        await asyncio.wait({work}, timeout=0.005)
        turned.add(int((time.monotonic() - began) / 0.05))
    assert (await work).shape == (16, 384)
    assert len(turned) > (time.monotonic() - began) / 0.05 / 4, "the loop stood still"


async def test_a_question_does_not_wait_for_a_large_document_and_what_is_cancelled_stops(minilm: OnnxEmbedder) -> None:
    work = asyncio.create_task(minilm.embed(["The pump in hall 3 loses pressure. " * 60] * 5000))
    await asyncio.wait({work}, timeout=0.1)
    async with asyncio.timeout(60):  # all of it would take minutes
        await minilm.embed_query("a question in between")
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    async with asyncio.timeout(60):
        assert (await minilm.embed_query("afterwards")).shape == (384,)
        await minilm.aclose()  # waits for what is at work: one text for each thread


async def test_a_closed_model_is_loaded_anew_when_it_is_used(minilm: OnnxEmbedder) -> None:
    before = await minilm.embed_query("pump")
    await minilm.aclose()
    await minilm.aclose()
    assert np.array_equal(before, await minilm.embed_query("pump"))


@pytest.mark.parametrize("what", ["weights", "tokenizer", "no weights", "no model"])
async def test_files_that_are_not_the_pinned_ones_are_refused_with_what_to_do(
    weights: tuple[Path, Path], tmp_path: Path, what: str
) -> None:
    import hashlib

    model, tokenizer = tmp_path / "model.onnx", tmp_path / "tokenizer.json"
    model.write_bytes(weights[0].read_bytes() if what == "tokenizer" else b"not a model")
    tokenizer.write_bytes(weights[1].read_bytes() if what != "tokenizer" else b"{}")
    digest = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
    if what == "no weights":
        model.unlink()
    if what == "no model":
        digest = hashlib.sha256(b"not a model").hexdigest()
    made = OnnxEmbedder(model, tokenizer, name="minilm-l6", digest=digest, dim=384, window=512)
    with pytest.raises(BackendError, match="embedding model minilm-l6 cannot be used") as caught:
        await made.embed_query("x")
    assert "`ringfence models pull minilm-l6`" in caught.value.todo
    await made.aclose()


async def test_a_catalogue_with_a_wrong_dimension_is_refused(weights: tuple[Path, Path]) -> None:
    digest = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
    made = OnnxEmbedder(*weights, name="minilm-l6", digest=digest, dim=512, window=512)
    with pytest.raises(BackendError, match="expected 512"):
        await made.embed(["x"])
    await made.aclose()


async def test_the_estimate_is_on_the_safe_side_of_the_tokenizer_for_prose_and_for_code(minilm: OnnxEmbedder) -> None:
    root = Path(__file__).parents[2]
    prose = (root / "docs/architecture.md").read_text()
    code = (root / "src/ringfence/knowledge/chunks.py").read_text()
    assert 1 < estimate(prose) / minilm.count(prose) < 1.3
    assert 1 < estimate(code) / minilm.count(code) < 1.3


async def test_a_model_that_is_not_here_says_how_to_fetch_it(tmp_path: Path) -> None:
    from ringfence.backends import models

    with pytest.raises(BackendError) as caught:
        models.paths("minilm-l6", tmp_path)
    assert "`ringfence models pull minilm-l6`" in caught.value.todo


def served(minilm: OnnxEmbedder, seen: list[dict[str, Any]]) -> Any:
    """A server of the real model, as OpenAI's API has it; it takes no more than four texts at once."""
    from aiohttp import web

    async def embeddings(request: web.Request) -> web.Response:
        asked = json.loads(await request.read())
        seen.append({"authorization": request.headers.get("Authorization"), **asked})
        if len(asked["input"]) > 4:
            return web.json_response({"error": {"message": "batch size exceeds 4"}}, status=422)
        vectors = 3 * await minilm.embed(asked["input"])  # not every server makes them of length 1
        data = [{"object": "embedding", "index": n, "embedding": v.tolist()} for n, v in enumerate(vectors)]
        return web.json_response({"object": "list", "data": data[::-1], "model": asked["model"]})

    application = web.Application()
    application.router.add_post("/v1/embeddings", embeddings)
    return application


async def test_a_server_of_the_same_model_gives_the_same_vectors(minilm: OnnxEmbedder) -> None:
    from aiohttp.test_utils import TestServer

    from ringfence.knowledge.served import OpenAIEmbedder

    seen: list[dict[str, Any]] = []
    texts = [f"Pump {n} loses pressure" for n in range(11)]
    async with TestServer(served(minilm, seen)) as server:
        remote = OpenAIEmbedder(f"http://127.0.0.1:{server.port}/v1", "minilm", key=lambda: "sesame")
        assert remote.dim == 0
        assert np.allclose(await remote.embed(texts), await minilm.embed(texts), atol=1e-6)
        assert np.allclose(await remote.embed_query("pump"), await minilm.embed_query("pump"), atol=1e-6)
        await remote.aclose()
    assert (remote.dim, remote.model) == (384, "openai:minilm")
    assert {asked["authorization"] for asked in seen} == {"Bearer sesame"}
    assert max(len(asked["input"]) for asked in seen[3:]) <= 4
