"""Vectors of texts by a sentence model on this machine: onnxruntime, each text by itself, one core to each."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ringfence.core.errors import BackendError

from .ports import Vectors

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_LONGEST = 65_536  # characters of a text that are looked at; the window ends long before
_AT_WORK = 8  # texts
_INSTALL = "pip install 'ringfence[rag]'"


class _Session(Protocol):
    """What is used of onnxruntime's InferenceSession, which has no types."""

    def run(self, outputs: None, feed: Mapping[str, NDArray[np.int64]]) -> Sequence[Any]: ...
    def get_inputs(self) -> Sequence[Any]: ...


class OnnxEmbedder:
    """A BERT-like sentence model as ONNX: mean pooling over the tokens, then length 1 (Reimers and Gurevych 2019).

    Texts are run one by one on as many threads as there are cores, each without threads of its own: padding to a batch
    costs more than it saves, threads that wait for each other spin, and a vector never depends on a text's neighbours.
    Each text at work takes some 60 MB, so that beyond 8 cores a text gets several of them instead.

    weights    the ONNX file; inputs `input_ids`, `attention_mask`, maybe `token_type_ids`, output (1, tokens, dim)
    tokenizer  its `tokenizer.json`
    name       what the catalogue calls it; `model` is that with the first 16 digits of `digest`
    digest     SHA-256 of the weights, in hex; other bytes are refused when they are loaded
    window     tokens that the model takes at most, its two special ones included; what is longer is cut
    threads    texts at work at once; 0: one for each core that this process may use, 8 at most

    Nothing is loaded before the first use; `aclose` frees it all.
    """

    def __init__(
        self, weights: Path, tokenizer: Path, *, name: str, digest: str, dim: int, window: int, threads: int = 0
    ) -> None:
        self.model = f"{name}@{digest[:16]}"
        self.dim = dim
        self.window = window
        self._name = name
        self._weights, self._digest = weights, digest
        self._tokenizer_file = tokenizer
        self._threads = threads or min(_cores(), _AT_WORK)
        self._inner = 1 if threads else max(1, _cores() // self._threads)
        self._loading = threading.Lock()
        self._tokenizer: Tokenizer | None = None
        self._session: _Session | None = None
        self._inputs: frozenset[str] = frozenset()
        self._pool: ThreadPoolExecutor | None = None

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), dim), each of length 1, in order; a text is cut at the window. Raises BackendError."""
        found = np.zeros((len(texts), self.dim), np.float32)
        longest_first = iter(sorted(range(len(texts)), key=lambda place: len(texts[place]), reverse=True))
        loop, pool = asyncio.get_running_loop(), self._workers()

        async def work() -> None:
            for place in longest_first:
                found[place] = await loop.run_in_executor(pool, self._vector, texts[place])

        # One more than there are threads, so that none waits for the loop; and no more, so that a question which comes
        # while a large document is embedded waits for a few texts of it alone.
        at_work = [asyncio.create_task(work()) for _ in range(min(self._threads + 1, len(texts)))]
        try:
            await asyncio.gather(*at_work)
        finally:
            for task in at_work:
                task.cancel()
            await asyncio.gather(*at_work, return_exceptions=True)
        return found

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        """(dim,): a question is embedded like any other text."""
        vectors = await self.embed([text])
        return np.asarray(vectors[0], np.float32)

    def count(self, text: str) -> int:
        """Tokens of a text by the model's own tokenizer, its two special ones included. Raises BackendError."""
        return len(self._encoded(text))  # of an Encoding: its ids need not become numbers of Python's

    async def aclose(self) -> None:
        """Free the model, after what is at work; a later call loads it anew."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown)
        self._session, self._tokenizer = None, None

    def _workers(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="embed")
        return self._pool

    def _vector(self, text: str) -> NDArray[np.float32]:
        session = self._session or self._load()
        tokens = self._encoded(text[:_LONGEST]).ids
        if len(tokens) > self.window:
            tokens = [*tokens[: self.window - 1], tokens[-1]]  # the last one ends a sentence
        ids = np.array([tokens], np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        hidden = session.run(None, {key: value for key, value in feed.items() if key in self._inputs})[0]
        pooled: NDArray[np.float32] = np.asarray(hidden, np.float32)[0].mean(axis=0)
        length = float(np.linalg.norm(pooled))
        if pooled.shape != (self.dim,) or not np.isfinite(length) or length == 0:
            raise BackendError(
                f"{self._name} gave a vector of {pooled.shape[0]} numbers and length {length:g},"
                f" expected {self.dim} numbers and a length",
                todo="correct `dim` in the catalogue, or name another embedding model",
            )
        return pooled / length

    def _encoded(self, text: str) -> Encoding:
        tokenizer = self._tokenizer or self._load_tokenizer()
        try:
            return tokenizer.encode(text)
        except (TypeError, UnicodeEncodeError):  # half of a surrogate pair is no text to it
            return tokenizer.encode(text.encode(errors="replace").decode())

    def _load(self) -> _Session:
        with self._loading:
            if self._session is not None:
                return self._session
            ort = _needed("onnxruntime")
            options = ort.SessionOptions()
            options.intra_op_num_threads, options.inter_op_num_threads = self._inner, 1
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            options.enable_mem_pattern = False  # a pattern for each length of text would be kept
            options.log_severity_level = 4
            try:
                session = ort.InferenceSession(self._checked(), options, providers=["CPUExecutionProvider"])
            except BackendError:
                raise
            except Exception as fault:  # the runtime has a dozen types of its own for a file that is no model
                raise self._broken(f"it is not read: {str(fault)[:200]}") from fault
            self._inputs = frozenset(one.name for one in session.get_inputs())
            self._session = session
            return self._session

    def _checked(self) -> bytes:
        """The very bytes that `model` names: vectors of others must not come to lie among its own."""
        try:
            data = self._weights.read_bytes()
        except OSError as fault:
            raise self._broken(f"{self._weights}: {fault.strerror}") from fault
        if (found := hashlib.sha256(data).hexdigest()) != self._digest:
            raise self._broken(f"its SHA-256 is {found[:16]}..., expected {self._digest[:16]}...")
        return data

    def _load_tokenizer(self) -> Tokenizer:
        with self._loading:
            if self._tokenizer is None:
                tokenizers = _needed("tokenizers")
                try:
                    tokenizer = tokenizers.Tokenizer.from_file(str(self._tokenizer_file))
                except Exception as fault:  # it raises bare Exceptions
                    raise self._broken(f"its tokenizer is not read: {fault}") from fault
                tokenizer.no_padding()
                tokenizer.no_truncation()
                self._tokenizer = tokenizer
            return self._tokenizer

    def _broken(self, why: str) -> BackendError:
        again = f"`ringfence models rm {self._name}` and `ringfence models pull {self._name}`"
        return BackendError(f"the embedding model {self._name} cannot be used: {why}", todo=f"fetch it anew: {again}")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _needed(package: str) -> Any:
    """A package of the extra `rag`, imported when it is first used."""
    import importlib

    try:
        return importlib.import_module(package)
    except ImportError as fault:
        raise BackendError(f"an embedding model here needs the package {package}", todo=_INSTALL) from fault
