"""Files that are only scanned for words are put in order by what they mean as well, on the real embedding model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ringfence.app import from_manifest
from ringfence.core.errors import BackendError
from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action
from ringfence.knowledge.embedding import OnnxEmbedder
from ringfence.knowledge.ports import Vectors
from ringfence.manifest.loader import load
from ringfence.testing.scripted import ScriptedModel

from ..cli.conftest import final
from ..knowledge import weights

MANIFEST = """\
inference: {provider: llamacpp, model: scripted, endpoint: "http://127.0.0.1:9", retries: 0}
tools:
  - {name: files, type: builtin, target_paths: [./notes]}
"""
NOTES = {  # the first has more of the question's words; the second is what is asked for
    "a.md": "Of the noise at the gate, and how the old pump is a thing that we do not get to use: a poem.",
    "b.md": "If a pump makes a noise, tighten the bolts of its mount until the rattling stops.",
}
QUESTION = "how do I get rid of the noise of a pump?"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    for name, text in NOTES.items():
        (tmp_path / "notes" / name).write_text(text + "\n")
    return tmp_path


async def found(folder: Path, more: str) -> list[dict[str, Any]]:
    (folder / "ringfence.yaml").write_text(MANIFEST + more)
    async with from_manifest(load(folder / "ringfence.yaml")) as agent:
        assert agent.house.launcher is not None
        await agent.house.launcher.choose()
        action = Action("tool:files.find", {"question": QUESTION, "k": 1}, IDENTITY)
        outcome = await agent.house.sinks["tool:files.find"].perform(action)
    assert outcome.ok, outcome.value
    assert outcome.value["closest lines"]
    return list(outcome.value["passages"])


async def test_a_place_that_means_what_is_asked_comes_before_those_that_share_more_words(notes: Path) -> None:
    await asyncio.to_thread(weights.files)
    by_words = await found(notes, "")
    by_meaning = await found(notes, "knowledge: {embedding: {model: minilm-l6}}\n")
    assert "rattling" not in by_words[0]["text"]
    assert "rattling" in by_meaning[0]["text"]
    assert len(by_meaning) == len(by_words) == 1


async def test_without_the_model_the_words_alone_decide(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise BackendError("no weights", todo="pull them")

    by_words = await found(notes, "")
    monkeypatch.setattr(OnnxEmbedder, "embed", fails)
    assert [one["path"] for one in await found(notes, "knowledge: {embedding: {model: minilm-l6}}\n")] == [
        one["path"] for one in by_words
    ]


async def test_the_same_question_about_the_same_files_embeds_nothing_again(
    notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: list[str] = []

    async def embed(made: OnnxEmbedder, texts: Sequence[str]) -> Vectors:
        embedded.extend(texts)
        return np.eye(len(texts), made.dim, dtype=np.float32)

    monkeypatch.setattr(OnnxEmbedder, "embed", embed)
    (notes / "ringfence.yaml").write_text(MANIFEST + "knowledge: {embedding: {model: minilm-l6}}\n")
    model = ScriptedModel(lambda prompt: final("tighten the bolts"))
    async with from_manifest(load(notes / "ringfence.yaml"), model=model) as agent:
        await agent.run(QUESTION)
        assert sorted(text == QUESTION for text in embedded) == [False, False, True]
        await agent.run(QUESTION)
    assert len(embedded) == 3
