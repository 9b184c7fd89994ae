"""What the contract of the Index port is checked with: its adapters, and small documents with vectors made by hand."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from ringfence.core.labels import Label, Member, Trust
from ringfence.knowledge.ports import Chunk, Document, Hit, Index, Query, Vectors
from ringfence.manifest.fields import SecretRef

from ..tools.postgres import Server

DIM, MODEL = 8, "made-by-hand"
EVERYONE = Label(Trust.UNTRUSTED)
ANN, BOB, EVE = frozenset({"user:ann", "role:ops"}), frozenset({"user:bob", "role:hr"}), frozenset({"user:eve"})
STRANGER: Member = frozenset()  # can show nothing: reads what is public


def for_(*clauses: str, trust: Trust = Trust.UNTRUSTED) -> Label:
    """Each clause is an any-of set, its readers between spaces: for_("role:ops role:hr", "user:ann")."""
    return Label(trust, frozenset(frozenset(clause.split()) for clause in clauses))


def unit(*values: float) -> NDArray[np.float32]:
    """(DIM,) of length 1, padded with zeros."""
    vector = np.zeros(DIM, np.float32)
    vector[: len(values)] = values
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def axis(n: int, lean: float = 0.0) -> NDArray[np.float32]:
    """Along the axis `n`, leaning over to the next one."""
    vector = [0.0] * DIM
    vector[n % DIM], vector[(n + 1) % DIM] = 1.0, lean
    return unit(*vector)


def doc(path: str, text: str, label: Label = EVERYONE, *, collection: str = "house", **rest: Any) -> Document:
    return Document(collection, path, text, label, **rest)


def halves(text: str, parts: int = 1) -> list[Chunk]:
    """Chunks of a text, as equal as can be, which name where they are."""
    borders = [len(text) * n // parts for n in range(parts + 1)]
    return [
        Chunk(start, end, page=n + 1, headings=("Top", f"Part {n}"), kind="text", tokens=(end - start) // 4)
        for n, (start, end) in enumerate(pairwise(borders))
    ]


def digest(text: str) -> bytes:
    """What a vector of a text is found again by."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


async def put(index: Index, document: Document, *vectors: NDArray[np.float32], model: str = MODEL) -> list[Chunk]:
    """One chunk for each vector; without vectors one chunk, found by words alone."""
    chunks = halves(document.text, max(1, len(vectors)))
    rows: Vectors | None = np.stack(vectors) if vectors else None
    digests = [digest(document.text[one.start : one.end]) for one in chunks] if vectors else []
    await index.put(document, chunks, rows, model=model if vectors else "", digests=digests)
    return chunks


async def found(index: Index, text: str, member: Member = STRANGER, **rest: Any) -> list[str]:
    """The paths of what is found, best first."""
    return [hit.document.path for hit in await index.search(Query(text, **rest), member)]


def plain(hits: Iterable[Hit]) -> list[tuple[object, ...]]:
    """Everything that a hit says, to be compared; cosines up to what adding floats in another order may change."""
    return [
        (hit.document, hit.chunk, hit.text, hit.score, hit.words, hit.meaning, round(hit.similarity, 4)) for hit in hits
    ]


class Store(Protocol):
    """A place for indexes of one adapter."""

    def open(self, name: str = "main") -> Index:
        """The index of that name, empty at first; opened again, it is another handle on the same one."""

    async def aclose(self) -> None:
        """Close every handle."""


@dataclass
class SqliteStore:
    folder: Path
    handles: list[Index] = field(default_factory=list)

    def open(self, name: str = "main") -> Index:
        from ringfence.knowledge.sqlite import SqliteIndex

        self.handles.append(SqliteIndex(self.folder / name))
        return self.handles[-1]

    async def aclose(self) -> None:
        for handle in self.handles:
            await handle.aclose()


@dataclass
class PostgresStore:
    server: Server
    prefix: str = field(default_factory=lambda: f"t{secrets.token_hex(4)}")
    handles: list[Index] = field(default_factory=list)

    def open(self, name: str = "main") -> Index:
        from ringfence.knowledge.postgres import PostgresIndex

        url = self.server.url("keeper")
        index = PostgresIndex(SecretRef("KNOWLEDGE_URL", lambda _: url), schema=f"{self.prefix}_{name}")
        self.handles.append(index)
        return index

    async def aclose(self) -> None:
        for handle in self.handles:
            await handle.aclose()


def prepared(server: Server) -> Server:
    """A database `shop` with pgvector, and two roles without power: `keeper` may create schemas, `reader` nothing."""
    import psycopg

    from ..tools.postgres import PASSWORD

    with psycopg.connect(server.url("postgres", database="postgres"), autocommit=True) as db:
        literal = psycopg.sql.Literal(PASSWORD).as_string(db)
        db.execute(f"create role keeper login password {literal}")
        db.execute(f"create role reader login password {literal}")
        db.execute("create database shop")
        db.execute("grant create on database shop to keeper")
    with psycopg.connect(server.url("postgres"), autocommit=True) as db:
        db.execute("create extension vector")
    return server


@asynccontextmanager
async def opened(adapter: str, folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """A store of the adapter, empty. Skips where the adapter or its server is not there."""
    store: Store
    if adapter == "postgres":
        pytest.importorskip("psycopg", reason="psycopg is not installed (extra: cluster)")
        store = PostgresStore(request.getfixturevalue("knowing"))
    else:
        pytest.importorskip("ringfence.knowledge.sqlite", reason="the adapter is not there")
        store = SqliteStore(folder)
    try:
        yield store
    finally:
        await store.aclose()


def words(seed: int) -> Iterator[str]:
    """Endless words of a small vocabulary, a few of them most of the time."""
    random = np.random.default_rng(seed)
    names = ("harbour", "crane", "tide", "ledger", "invoice", "payroll", "storm", "anchor", "rota", "berth", "keel")
    while True:
        yield names[min(int(random.pareto(1.0)), len(names) - 1)]
