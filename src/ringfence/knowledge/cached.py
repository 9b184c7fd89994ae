"""Vectors of texts that come again, in a run or in a later one: questions, and the same places of the same files."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ringfence import tracing

from .ports import Embedder, Vectors

MAX_VECTORS, MAX_BYTES = 4096, 16 << 20

_Key = tuple[str, str, bytes]  # whose run, as what it is embedded, and the SHA-256 of the text
_Vector = NDArray[np.float32]


class Pinned(Embedder, Protocol):
    """An embedder whose weights are known, so that a vector is a pure function of its text; `window` as it takes it."""

    window: int


class CachedEmbedder:
    """Wraps an embedder, and makes the vector of a text that comes again once.

    What is kept is vectors and digests of texts, never a text: those that were used last, bounded in number and in
    bytes. They are in memory alone, and leave it with the process, or with `aclose`.

    Only what a run embeds is kept, and for its principal alone: how long a vector takes tells nobody what another one
    has asked, and documents that are taken in neither stand here nor push out what does.
    """

    def __init__(self, embedder: Pinned, *, max_vectors: int = MAX_VECTORS, max_bytes: int = MAX_BYTES) -> None:
        self.model, self.dim, self.window = embedder.model, embedder.dim, embedder.window
        self._embedder = embedder
        self._most = min(max_vectors, max_bytes // (4 * embedder.dim))  # of 4 bytes a number
        self._known: OrderedDict[_Key, _Vector] = OrderedDict()
        self._using = threading.Lock()  # agents may run on loops of several threads

    def __len__(self) -> int:
        return len(self._known)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), dim), each of length 1, in order. Raises BackendError."""
        return await self._made("text", texts, self._embedder.embed)

    async def embed_query(self, text: str) -> _Vector:
        """(dim,): a text that is looked for, kept apart from the same one as a text."""

        async def alone(texts: Sequence[str]) -> Vectors:
            return (await self._embedder.embed_query(texts[0]))[np.newaxis]

        vectors = await self._made("query", [text], alone)
        return np.asarray(vectors[0], np.float32)

    def count(self, text: str) -> int:
        """Tokens of a text by the model's own tokenizer."""
        return self._embedder.count(text)

    async def aclose(self) -> None:
        """Forget everything, and free the model."""
        with self._using:
            self._known.clear()
        await self._embedder.aclose()

    async def _made(
        self, kind: str, texts: Sequence[str], make: Callable[[Sequence[str]], Awaitable[Vectors]]
    ) -> Vectors:
        if (now := tracing.current()) is None or not texts:
            return await make(texts)
        keys = [(now.principal, kind, _digest(text)) for text in texts]
        found = self._kept(keys)
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if new:
            made = dict(zip(new, await make(list(new.values())), strict=True))
            self._keep(made)
            found |= made
        return np.stack([found[key] for key in keys])

    def _kept(self, keys: Sequence[_Key]) -> dict[_Key, _Vector]:
        with self._using:
            found = {key: vector for key in keys if (vector := self._known.get(key)) is not None}
            for key in found:
                self._known.move_to_end(key)
        return found

    def _keep(self, made: dict[_Key, _Vector]) -> None:
        with self._using:
            for key, vector in made.items():
                self._known[key] = vector.copy()  # a row would hold all that it was made with
                self._known.move_to_end(key)
            while len(self._known) > self._most:
                self._known.popitem(last=False)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
