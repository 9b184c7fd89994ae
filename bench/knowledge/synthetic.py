"""Synthetic documents for benchmarks of the index: words by Zipf's law, vectors around topics, rights by rings.

The same seed gives the same document whatever was made before it, so a build that was cut off goes on where it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ringfence.core.labels import Label, Trust
from ringfence.knowledge.ports import Chunk, Document, Vectors
from ringfence.knowledge.sqlite.words import _ENGLISH

WORDS = 60_000  # different words; the first are English function words, as in any text
CHUNKS = 10  # of a document
LENGTH = 380  # words of a chunk: about 512 tokens
DIM = 384
TOPICS = 300
_SYLLABLES = "ba be bi bo bu da de di do du fa fe fi ka ke ki ko la le li lo ma me mi mo na ne no pa pe po ra re ri ro"
_ENDS = ["", "s", "ed", "ing", "er", "tion", "ly", "ment", "n", "x"]


@dataclass(frozen=True)
class Made:
    """A document, ready for `Index.put`."""

    document: Document
    chunks: Sequence[Chunk]
    vectors: Vectors
    digests: Sequence[bytes]


@cache
def vocabulary() -> NDArray[np.object_]:
    """Words, the most frequent ones first."""
    rng = np.random.default_rng(0)
    known = dict.fromkeys(_ENGLISH.split())
    syllables = _SYLLABLES.split()
    while len(known) < WORDS:
        picked = rng.integers(0, len(syllables), rng.integers(2, 5))
        known["".join(syllables[at] for at in picked) + _ENDS[rng.integers(0, len(_ENDS))]] = None
    return np.array(list(known), object)


@cache
def _weights() -> NDArray[np.float64]:
    frequency = 1 / (np.arange(WORDS) + 2.7)  # Zipf and Mandelbrot
    return np.cumsum(frequency / frequency.sum())


@cache
def _topics(dim: int) -> NDArray[np.float64]:
    return np.random.default_rng(1).normal(size=(TOPICS, dim))


def words(rng: np.random.Generator, count: int) -> list[str]:
    """Words of a text."""
    drawn: Any = vocabulary()[np.searchsorted(_weights(), rng.random(count))]
    return list(drawn)


def vectors(rng: np.random.Generator, count: int, dim: int = DIM) -> Vectors:
    """Vectors of length 1, around one topic."""
    made = _topics(dim)[rng.integers(0, TOPICS)] * 0.8 + rng.normal(size=(count, dim))
    unit: Vectors = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
    return unit


def document(number: int, readers: frozenset[frozenset[str]], *, collection: str = "house") -> Made:
    """The document of a number: ten chunks, an identifier in each."""
    rng = np.random.default_rng((7, number))
    texts = []
    for n in range(CHUNKS):
        drawn = words(rng, LENGTH)
        drawn[rng.integers(0, LENGTH)] = f"ERR-{number:05}-{n}"
        texts.append(" ".join(drawn) + ". ")
    ends = np.cumsum([len(text) for text in texts]).tolist()
    chunks = [Chunk(start, end, page=n + 1, tokens=512) for n, (start, end) in enumerate(pairwise([0, *ends]))]
    label = Label(Trust.UNTRUSTED, readers)
    path = f"{number % 100:02}/{number:06}.md"
    made = Document(collection, path, "".join(texts), label, version=str(number), title=f"document {number}")
    digests = [hashlib.sha256(text.encode()).digest() for text in texts]
    return Made(made, chunks, vectors(rng, CHUNKS), digests)


@dataclass(frozen=True)
class Asked:
    """A question: eight words as they stand in a text, one of them telling, and a vector near a topic."""

    text: str
    vector: NDArray[np.float32]


def question(number: int) -> Asked:
    """The question of a number."""
    rng = np.random.default_rng((11, number))
    asked = words(rng, 7)
    asked.append(str(vocabulary()[rng.integers(200, 20_000)]))
    return Asked(" ".join(asked), vectors(rng, 1)[0])
