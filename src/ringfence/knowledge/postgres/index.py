"""The index: what the port asks, as transactions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from ringfence.core.labels import Member
from ringfence.manifest.fields import SecretRef

from ..chunks import passage
from ..errors import KnowledgeError
from ..ports import Chunk, Document, Hit, Query, Status, Vectors
from ..ranking import MAX_TEXT
from .connections import Connections
from .rows import Rings, asking, chunk_of, decoded, document_of, id_of, kept, name_of, one
from .search import search, seen
from .writing import Counted, Prepared, check, forget, free_model, put

if TYPE_CHECKING:
    from psycopg import AsyncConnection

_DOCUMENTS = "select rest, trust, expires from documents d where {seen}"
_READ = """
select d.rest, d.trust, d.expires, b.body from documents d join bodies b on b.document = d.id
where d.id = %(id)s and d.name = %(name)s
"""
_CHUNKS = """
select c.facts from chunks c join documents d on d.id = c.document
where d.id = %(id)s and d.name = %(name)s order by c.n
"""
_WHOLE = """
select d.id, d.rest, d.trust, d.expires, b.body from documents d join bodies b on b.document = d.id
where (d.dim > 0) = %s order by d.id
"""
_HELD = """
select d.rest, d.trust, d.expires, b.body from documents d join bodies b on b.document = d.id
where (%(subject)s::text is null or d.subjects @> array[%(subject)s::text])
    and (%(names)s::text[] is null or d.collection = any (%(names)s::text[]))
"""
_OWNED = "select pg_has_role(relowner, 'usage') from pg_class where oid = 'documents'::regclass"
_STATUS = """
select collection, count(*), sum(chunks), sum(characters), max(model), max(dim) from documents d
where {seen} group by collection
"""
_VECTORS = """
select distinct on (c.digest) c.digest, c.v from chunks c join documents d on d.id = c.document
where c.digest = any (%s) and c.v is not null and d.model = %s
"""


class PostgresIndex:
    """Documents on a server that `address` names (`${NAME}` of postgresql://role:password@host/database).

    schema       where its tables are; agents that name the same one share them
    connections  at most so many at once

    The role has to own the schema or be allowed to create it; one that may only read (see the howto) searches. Nothing
    is connected before the first call. Raises KnowledgeError where the server, the role or the store is not fit.
    """

    def __init__(self, address: SecretRef, *, schema: str = "ringfence", connections: int = 4) -> None:
        self._connections = Connections(address, schema, connections)
        self._words = _Words()

    async def put(
        self,
        document: Document,
        chunks: Sequence[Chunk],
        vectors: Vectors | None,
        *,
        model: str,
        digests: Sequence[bytes] = (),
    ) -> None:
        """Add or replace one document, whole or not at all."""
        check(document, chunks, vectors, model, digests)
        text, title = document.text, document.title
        passages = [passage(title, one, text[one.start : one.end]) for one in chunks]
        words = await asyncio.to_thread(self._words.count, passages)
        prepared = Prepared(document, chunks, words, vectors, model, digests)
        await self._connections.write(lambda db: put(db, prepared))

    async def remove(self, collection: str, paths: Sequence[str]) -> int:
        """Forget documents; how many there were."""
        names = sorted({name_of(collection, path) for path in paths})
        if not names:
            return 0
        return len(await self._connections.write(lambda db: forget(db, "name = any (%s)", names)))

    async def erase(self, subject: str) -> Sequence[tuple[str, str]]:
        """Forget every document about a subject; (collection, path) of each. What they left in the tables is freed."""
        if not kept(subject):
            return []
        gone = await self._connections.write(lambda db: forget(db, "subjects @> array[%s]", subject))
        if gone:
            with suppress(KnowledgeError):  # they are gone; the server frees their room later by itself
                await self._connections.vacuum()
        documents = (document_of(rest, 0, 0) for rest in gone)
        return sorted((document.collection, document.path) for document in documents)

    async def drop(self, collection: str) -> None:
        """Forget a whole collection; without any vectors left, another model may make the next ones."""
        if not kept(collection):
            return

        async def work(db: AsyncConnection[Any]) -> None:
            await forget(db, "collection = %s", collection)
            await free_model(db)

        await self._connections.write(work)

    async def held(self, *, subject: str = "", collections: frozenset[str] = frozenset()) -> Sequence[Document]:
        """Documents about a subject, of some collections, or both, each with its text, readers aside.

        Raises KnowledgeError for a role that may read as a member alone: it would find too little and not say so.
        """
        names = [name for name in collections if kept(name)]
        if not kept(subject) or not (subject or names) or (collections and not names):
            return []

        async def work(db: AsyncConnection[Any]) -> list[Document]:
            if not one(await (await db.execute(_OWNED)).fetchone()):
                raise KnowledgeError(
                    "only the owner of the knowledge store sees what is held of people, and this is another role",
                    todo="do it with the role that made the store",
                )
            values = {"subject": subject or None, "names": names or None}
            rows = await (await db.execute(_HELD, values)).fetchall()
            found = (document_of(rest, trust, expires, decoded(body)) for rest, trust, expires, body in rows)
            return sorted(found, key=lambda document: (document.collection, document.path))

        return await self._connections.write(work)

    async def versions(self, collection: str) -> Mapping[str, str]:
        """The version of every document of a collection by path, readers aside."""
        if not kept(collection):
            return {}

        async def work(db: AsyncConnection[Any]) -> dict[str, str]:
            rows = await db.execute("select rest from documents where collection = %s", [collection])
            found = [document_of(row[0], 0, 0) for row in await rows.fetchall()]
            return {document.path: document.version for document in found}

        return await self._connections.write(work)

    async def vectors_of(self, digests: Sequence[bytes], *, model: str) -> Mapping[bytes, Vectors]:
        """Vectors, each (dim,), of texts by their SHA-256, as far as this index holds them."""
        if not digests or not kept(model):
            return {}

        async def work(db: AsyncConnection[Any]) -> dict[bytes, Vectors]:
            rows = await (await db.execute(_VECTORS, [list(set(digests)), model])).fetchall()
            return {bytes(digest): np.asarray(vector.to_numpy(), np.float32) for digest, vector in rows}

        return await self._connections.write(work)

    async def whole(
        self, wanted: Callable[[str], bool], *, vectors: bool
    ) -> Sequence[tuple[Document, Sequence[Chunk]]]:
        """Documents of the wanted collections with text and chunks, readers aside."""

        async def work(db: AsyncConnection[Any]) -> list[tuple[Document, list[Chunk]]]:
            found = []
            for id, rest, trust, expires, body in await (await db.execute(_WHOLE, [vectors])).fetchall():
                document = document_of(rest, trust, expires, decoded(body))
                if wanted(document.collection):
                    facts = await db.execute("select facts from chunks where document = %s order by n", [id])
                    found.append((document, [chunk_of(one[0]) for one in await facts.fetchall()]))
            return found

        return await self._connections.write(work)

    async def documents(
        self,
        member: Member,
        *,
        collections: frozenset[str] = frozenset(),
        tags: frozenset[str] = frozenset(),
        without: frozenset[str] = frozenset(),
        now: int = 0,
    ) -> Sequence[Document]:
        """The documents that a member may read, by collection and path, with an empty `text`."""
        query = Query("", collections=collections, tags=tags, without=without, now=now)

        async def work(db: AsyncConnection[Any], rings: Rings) -> list[Document]:
            may = seen(rings, query)
            if may.never:
                return []
            rows = await (await db.execute(_DOCUMENTS.replace("{seen}", may.sql).encode(), may.values)).fetchall()
            return sorted((document_of(*row) for row in rows), key=lambda one: (one.collection, one.path))

        return await self._connections.read(asking(member), work)

    async def read(self, member: Member, collection: str, path: str) -> Document | None:
        """One document with its text; None where there is none that the member may read."""
        name = name_of(collection, path)

        async def work(db: AsyncConnection[Any], rings: Rings) -> Document | None:
            values = {"id": id_of(name), "name": name}
            row = await (await db.execute(_READ, values)).fetchone()
            return document_of(row[0], row[1], row[2], decoded(row[3])) if row else None

        return await self._connections.read(asking(member), work)

    async def chunks(self, member: Member, collection: str, path: str) -> Sequence[Chunk]:
        """Its chunks in order; none where there is no such document that the member may read."""
        name = name_of(collection, path)

        async def work(db: AsyncConnection[Any], rings: Rings) -> list[Chunk]:
            values = {"id": id_of(name), "name": name}
            return [chunk_of(row[0]) for row in await (await db.execute(_CHUNKS, values)).fetchall()]

        return await self._connections.read(asking(member), work)

    async def search(self, query: Query, member: Member) -> Sequence[Hit]:
        """The best chunks among those that the member may read."""
        terms = await asyncio.to_thread(self._words.asked, query.text[:MAX_TEXT])

        async def work(db: AsyncConnection[Any], rings: Rings) -> list[Hit]:
            return await search(db, rings, query, terms)

        return await self._connections.read(asking(member), work)

    async def status(self, member: Member) -> Sequence[Status]:
        """Of each collection of which the member may read anything."""

        async def work(db: AsyncConnection[Any], rings: Rings) -> list[Status]:
            may = seen(rings, Query(""))
            rows = await (await db.execute(_STATUS.replace("{seen}", may.sql).encode(), may.values)).fetchall()
            return sorted((Status(*map(_plain, row)) for row in rows), key=lambda one: one.collection)

        return await self._connections.read(asking(member), work)

    async def settle(self) -> None:
        """After much was put: have the server count what there is, which it does by itself within minutes."""
        await self._connections.vacuum()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connections.aclose()


class _Words:
    """The words of texts as numbers, the same as the index on SQLite has; one text at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: Any = None

    def count(self, texts: Sequence[str]) -> list[Counted]:
        """Of each text."""
        with self._lock:
            return [
                Counted(terms, times.astype(np.int64), length) for terms, times, length in map(self._of.count, texts)
            ]

    def asked(self, text: str) -> list[int]:
        """Of a question."""
        with self._lock:
            return list(self._of.asked(text))

    @property
    def _of(self) -> Any:
        if self._made is None:
            import apsw

            from ..sqlite.words import Words

            self._made = Words(apsw.Connection(":memory:"))
        return self._made


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else int(value)
