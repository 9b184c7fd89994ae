"""The real embedding model, fetched once into RINGFENCE_HOME (or the default home) as `ringfence models pull` does."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ringfence.backends import models
from ringfence.knowledge.embedding import OnnxEmbedder

NAME = "minilm-l6"


def files() -> tuple[Path, Path]:
    """The weights and the tokenizer."""
    home = models.data_home()
    asyncio.run(models.pull(NAME, home))
    weights, tokenizer = models.paths(NAME, home)
    return weights, tokenizer


def embedder(threads: int = 0) -> OnnxEmbedder:
    """The embedder as a manifest's `model: minilm-l6` means it."""
    weights, tokenizer = files()
    model = models.find(NAME, models.data_home(), kind="embedding")
    return OnnxEmbedder(
        weights, tokenizer, name=NAME, digest=model.sha256, dim=model.dim, window=model.window, threads=threads
    )
