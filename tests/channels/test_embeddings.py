"""Embeddings, with OpenAI's own client and the embedding model of the knowledge base."""

from __future__ import annotations

import math
from pathlib import Path

import openai
import pytest

from ringfence.backends.models import data_home, find
from ringfence.core.errors import RingfenceError

from .kit import MANIFEST, served
from .online import online

MODEL = "minilm-l6"
KNOWS = MANIFEST + "knowledge: {collections: [{name: notes, path: ./notes, readers: [role:ops]}]}\n"


def pulled() -> bool:
    """Whether the weights are here."""
    try:
        model = find(MODEL, data_home(), kind="embedding")
        return all((model.folder(data_home()) / file.file).is_file() for file in model.files)
    except RingfenceError:
        return False


here = pytest.mark.skipif(not pulled(), reason=f"`ringfence models pull {MODEL}` was not called here")


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def notes(folder: Path) -> None:
    (folder / "notes").mkdir()
    (folder / "notes/a.md").write_text("# Office\n\nThe office is in Bonn.\n")


@here
async def test_texts_become_vectors_in_order_whichever_way_they_are_encoded(tmp_path: Path) -> None:
    notes(tmp_path)
    texts = ["The cat sits on the mat.", "A cat is sitting on a rug.", "Interest rates rose in March."]
    async with online(tmp_path, manifest=KNOWS) as server, server.openai() as client:
        assert [one.id async for one in client.models.list()] == ["kit", MODEL]
        packed = await client.embeddings.create(model=MODEL, input=texts)  # the client asks for base64 by itself
        plain = await client.embeddings.create(model=MODEL, input=texts, encoding_format="float")
        vectors = [one.embedding for one in packed.data]
        assert [one.index for one in packed.data] == [0, 1, 2]
        assert all(math.isclose(sum(x * x for x in one), 1.0, rel_tol=1e-4) for one in vectors)
        for one, other in zip(vectors, plain.data, strict=True):
            assert one == pytest.approx(other.embedding, abs=1e-6)
        assert cosine(vectors[0], vectors[1]) > 0.5 > cosine(vectors[0], vectors[2])
        assert packed.usage.prompt_tokens == packed.usage.total_tokens > 3 * 5
        alone = await client.embeddings.create(model=MODEL, input=texts[2], dimensions=384)
        assert alone.data[0].embedding == pytest.approx(vectors[2], abs=1e-6)


@here
async def test_a_text_beyond_the_window_is_refused_unless_it_may_be_cut(tmp_path: Path) -> None:
    notes(tmp_path)
    async with online(tmp_path, manifest=KNOWS) as server, server.openai() as client:
        with pytest.raises(openai.BadRequestError) as refused:
            await client.embeddings.create(model=MODEL, input=["short", "word " * 1000])
        assert refused.value.code == "context_length_exceeded"
        assert refused.value.param == "input.1"
        cut = await client.embeddings.create(model=MODEL, input="word " * 1000, extra_body={"truncate": True})
        assert 0 < cut.usage.prompt_tokens < 1000


@here
@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": []}, "input"),
        ({"input": [[1, 2, 3]]}, "input.0"),
        ({"input": [1, 2, 3]}, "input.0"),
        ({"input": ["x", ""]}, "input.1"),
        ({"input": ["x"] * 2049}, "input"),
        ({"input": "x", "dimensions": 12}, "dimensions"),
        ({"input": "x", "model": "text-embedding-3-small"}, "model"),
        ({"input": "x", "encoding_format": "hex"}, "encoding_format"),
    ],
)
async def test_what_is_no_text_or_no_model_here_is_refused(tmp_path: Path, body: dict[str, object], param: str) -> None:
    notes(tmp_path)
    async with served(tmp_path, manifest=KNOWS) as (client, _):
        told = await client.post(
            "/v1/embeddings", json={"model": MODEL, **body}, headers={"Authorization": "Bearer alice"}
        )
        assert told.status_code in (400, 404), told.text
        assert told.json()["error"]["param"] == param


async def test_an_agent_without_an_embedding_model_says_so(tmp_path: Path) -> None:
    async with online(tmp_path) as server, server.openai() as client:
        with pytest.raises(openai.BadRequestError) as refused:
            await client.embeddings.create(model=MODEL, input="hello")
        assert refused.value.code == "no_embedding_model"
        assert [one.id async for one in client.models.list()] == ["kit"]


async def test_nothing_is_sent_to_an_embedding_model_elsewhere_without_a_record_of_it(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    far = KNOWS.replace("knowledge: {", "knowledge: {embedding: {provider: openai, endpoint: 'http://127.0.0.1:1'}, ")
    async with online(tmp_path, manifest=far) as server, server.openai() as client:
        assert server.service.agent.house.fresh is not None
        assert server.service.agent.house.fresh.embedder is not None
        with pytest.raises(openai.BadRequestError) as refused:
            await client.embeddings.create(model=MODEL, input="hello")
        assert refused.value.code == "no_embedding_model"
        assert [one.id async for one in client.models.list()] == ["kit"]
