"""Vectors of texts by any server with OpenAI's `/v1/embeddings` (vLLM, llama.cpp, Ollama, TEI, a cloud)."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from typing import Final, NoReturn
from weakref import WeakKeyDictionary

import aiohttp
import numpy as np
from numpy.typing import NDArray
from yarl import URL

from ringfence.core.errors import BackendError
from ringfence.tracing import headers as traced

from .chunks import estimate
from .ports import Vectors

MAX_BYTES: Final = 64 * 1024 * 1024  # of one answer
BATCH: Final = 64  # texts of one request
BATCH_CHARACTERS: Final = 200_000
CONNECT_S: Final = 5.0
MAX_WAIT_S: Final = 30.0  # longest Retry-After that is waited for
_RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504, 529})
_TOO_MUCH: Final = frozenset({400, 413, 422})  # what servers say to a request of more texts than they take at once


class _TryAgain(Exception):
    """What a later attempt may better; `error` is what to raise when there is none."""

    def __init__(self, error: BackendError, after_s: float | None = None) -> None:
        super().__init__(error.what)
        self.error = error
        self.after_s = after_s


class _Refused(Exception):
    """The server did not take the request as it was; with fewer texts it may."""

    def __init__(self, error: BackendError) -> None:
        super().__init__(error.what)
        self.error = error


class OpenAIEmbedder:
    """Sends texts in batches; the vectors are checked and made of length 1.

    endpoint   the server's base address, with or without `/v1`
    name       what the server calls the model. `model` is `openai:` with it: what weights a server has cannot be pinned
    key        the key's value, revealed at each request; raises BackendError where it is missing
    timeout_s  for one request
    retries    of what may pass: no connection, 408, 429, 5xx
    backoff_s  before the first retry; doubles, with jitter; a Retry-After of up to 30 s is obeyed

    `dim` is 0 until the first answer says it, unless it is given; an answer of another one is refused. A text longer
    than the model's window is the server's to cut or to refuse; `count` is an estimate on the safe side.
    """

    def __init__(
        self,
        endpoint: str,
        name: str,
        *,
        key: Callable[[], str | None] = lambda: None,
        dim: int = 0,
        timeout_s: float = 120.0,
        retries: int = 3,
        backoff_s: float = 0.25,
    ) -> None:
        self.model = f"openai:{name}"
        self.dim = dim
        self._name = name
        self._url = URL(endpoint.rstrip("/").removesuffix("/v1")) / "v1" / "embeddings"
        self._key = key
        self._timeout_s, self._retries, self._backoff_s = timeout_s, retries, backoff_s
        self._batch = BATCH
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), dim), each of length 1, in order. Raises BackendError."""
        found: list[Vectors] = []
        place = 0
        while place < len(texts):
            batch = texts[place : place + self._fitting(texts, place)]
            try:
                found.append(await self._asked(batch))
            except _Refused as refused:
                if len(batch) == 1:
                    self._batch = BATCH
                    raise refused.error from None
                self._batch = len(batch) // 2  # some servers take no more than so many
                continue
            place += len(batch)
        return np.concatenate(found) if found else np.zeros((0, self.dim), np.float32)

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        """(dim,): a question is sent like any other text."""
        vectors = await self.embed([text])
        return np.asarray(vectors[0], np.float32)

    def count(self, text: str) -> int:
        """About the tokens of a text, rather more: its tokenizer is the server's (`chunks.estimate`)."""
        return estimate(text)

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    def _fitting(self, texts: Sequence[str], first: int) -> int:
        """How many texts from `first` on one request takes; one at least."""
        left, number = BATCH_CHARACTERS, 0
        while number < self._batch and first + number < len(texts):
            left -= len(texts[first + number])
            if left < 0 and number:
                break
            number += 1
        return number

    async def _asked(self, texts: Sequence[str]) -> Vectors:
        body = json.dumps({"model": self._name, "input": list(texts), "encoding_format": "float"}).encode()
        for attempt in range(self._retries + 1):
            try:
                return self._vectors(await self._post(body), len(texts))
            except _TryAgain as again:
                error, after_s = again.error, again.after_s
            if attempt == self._retries or (after_s or 0) > MAX_WAIT_S:
                break
            wait_s = min(MAX_WAIT_S, self._backoff_s * 2**attempt) * random.uniform(0.5, 1.0)
            await asyncio.sleep(wait_s if after_s is None else after_s)
        raise error

    async def _post(self, body: bytes) -> bytes:
        key = self._key()
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", **traced()}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        limit = aiohttp.ClientTimeout(total=self._timeout_s, connect=CONNECT_S)
        try:
            async with self._session().post(
                self._url, data=body, headers=headers, timeout=limit, allow_redirects=False
            ) as response:
                data = await self._read(response)
        except aiohttp.ConnectionTimeoutError:
            raise _TryAgain(self._absent(f"no connection within {CONNECT_S:g} s")) from None
        except TimeoutError:
            raise BackendError(
                f"{self._url} did not answer within {self._timeout_s:g} s", todo="look at the embedding server's load"
            ) from None
        except (aiohttp.ClientError, OSError) as fault:
            raise _TryAgain(self._absent(getattr(fault, "strerror", None) or str(fault) or "it hung up")) from fault
        if response.status != 200:
            self._refuse(response, data, key)
        return data

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        data = bytearray()
        async for piece in response.content.iter_any():
            data += piece
            if len(data) > MAX_BYTES:
                raise self._nonsense(f"more than {MAX_BYTES // 1024**2} MiB")
        return bytes(data)

    def _refuse(self, response: aiohttp.ClientResponse, data: bytes, key: str | None) -> NoReturn:
        said = data[:2000].decode(errors="replace")
        said = " ".join((said.replace(key, "***") if key else said).split())[:300]
        error = BackendError(
            f"{self._url} answered {response.status} to {self._name}: {said or response.reason}",
            todo={
                401: "set the key that the server expects: knowledge.embedding.api_key",
                403: "set the key that the server expects: knowledge.embedding.api_key",
                404: "correct knowledge.embedding: the endpoint, or the model's name there",
            }.get(response.status, "look at what the server says, and at its log"),
        )
        if response.status in _RETRIED:
            after = response.headers.get("Retry-After", "").strip()
            raise _TryAgain(error, float(after) if after.isdigit() else None)
        if response.status in _TOO_MUCH:
            raise _Refused(error)
        raise error

    def _vectors(self, data: bytes, number: int) -> Vectors:
        """Checked: so many, each of the same dimension, all finite, none of length 0."""
        try:
            rows = sorted(json.loads(data)["data"], key=lambda row: int(row["index"]))
            places = [row["index"] for row in rows]
            found = np.array([np.asarray(row["embedding"]) for row in rows])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
            raise self._nonsense(f"no list of vectors ({type(fault).__name__}: {str(fault)[:80]})") from None
        if places != list(range(number)):
            raise self._nonsense(f"{len(places)} vectors to {number} texts")
        if found.ndim != 2 or found.dtype.kind not in "fi":
            raise self._nonsense("vectors that are no lists of numbers")
        if self.dim and found.shape[1] != self.dim:
            raise self._nonsense(f"vectors of {found.shape[1]} numbers instead of {self.dim}")
        lengths = np.linalg.norm(found.astype(np.float64), axis=1, keepdims=True)
        if not (np.isfinite(lengths) & (lengths > 0)).all():
            raise self._nonsense("a vector that is not finite, or 0")
        self.dim = int(found.shape[1])
        return np.asarray(found / lengths, np.float32)

    def _nonsense(self, what: str) -> BackendError:
        return BackendError(
            f"{self._url} sent {what} for the model {self._name}",
            todo="check that it is an embedding model; if it is another one than before, run `ringfence kb reindex`",
        )

    def _absent(self, why: str) -> BackendError:
        return BackendError(
            f"no embedding server answers at {self._url}: {why}",
            todo="start it, or correct knowledge.embedding.endpoint",
        )

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            session = self._sessions[loop] = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # nothing compressed is asked for, so nothing can swell
                trust_env=False,  # the manifest names the server; a proxy of the environment would be another reader
            )
        return session
