"""Putting and forgetting, each in one transaction of who ingests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ringfence.core.labels import Label

from ..errors import KnowledgeError
from ..ports import Chunk, Document, Vectors
from .rows import encoded, facts_of, id_of, kept, name_of, one, readers_of, rest_of, shown, spans

if TYPE_CHECKING:
    from psycopg import AsyncConnection

_DOCUMENT = """
insert into documents values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (id) do update set ring = excluded.ring, trust = excluded.trust, version = excluded.version,
    expires = excluded.expires, tags = excluded.tags, subjects = excluded.subjects, rest = excluded.rest,
    chunks = excluded.chunks, words = excluded.words, characters = excluded.characters, model = excluded.model,
    dim = excluded.dim
where documents.name = excluded.name returning id
"""
_CHUNKS = """
insert into chunks select %s, n - 1, %s, start, size, facts, digest, v
from unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bytea[]) with ordinality t (start, size, facts, digest, n)
left join lateral (select (%s::vector[])[n] as v) w on true
"""
_POSTINGS = """
insert into postings select term, %s, %s, array_agg(hit order by hit)
from unnest(%s::bigint[], %s::bigint[]) t (term, hit) group by term
"""
_UNUSED = "delete from rings r where not exists (select from documents d where d.ring = r.id) and id = any (%s)"


@dataclass(frozen=True, slots=True)
class Counted:
    """The words of a chunk: their numbers, how often each occurs, and how many there are in all."""

    terms: NDArray[np.int64]
    times: NDArray[np.int64]
    length: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document as it is put: everything that can be reckoned before the transaction begins."""

    document: Document
    chunks: Sequence[Chunk]
    words: Sequence[Counted]
    vectors: Vectors | None
    model: str
    digests: Sequence[bytes]


def check(
    document: Document, chunks: Sequence[Chunk], vectors: Vectors | None, model: str, digests: Sequence[bytes]
) -> None:
    """Raises KnowledgeError for what would not be found again as it was meant."""
    what = f"{document.collection}/{document.path}"
    if not kept(document.collection, model, *document.tags, *document.subjects):
        raise KnowledgeError(
            f"{what} has a collection, a tag or a subject that is no plain text",
            todo="use names without NUL and lone surrogates",
        )
    if any(not 0 <= chunk.start <= chunk.end <= len(document.text) for chunk in chunks):
        raise KnowledgeError(f"a chunk of {what} lies outside of its text", todo="please report it")
    if digests and (len(digests) != len(chunks) or any(len(one) != 32 for one in digests)):
        raise KnowledgeError(f"{what} has {len(chunks)} chunks, and {len(digests)} digests", todo="please report it")
    if vectors is None:
        return
    if vectors.ndim != 2 or len(vectors) != len(chunks):
        raise KnowledgeError(
            f"{what} has {len(chunks)} chunks, and vectors of shape {vectors.shape}", todo="please report it"
        )
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    if not bool(np.all((np.abs(lengths - 1) < 0.01) | (lengths == 0))):  # NaN is neither
        raise KnowledgeError(f"the vectors of {what} are not of length 1", todo="look at the embedding model's server")


async def put(db: AsyncConnection[Any], one: Prepared) -> None:
    """Add or replace one document."""
    document, vectors = one.document, one.vectors if one.vectors is not None and len(one.vectors) else None
    if vectors is not None:
        await _same_model(db, one.model, vectors.shape[1])
    name = name_of(document.collection, document.path)
    before = await _value(db, "select ring from documents where name = %s for update", name)
    ring = await _ring(db, document.label)
    id = await _document(db, one, name, ring, vectors)
    for table in ("bodies", "chunks", "postings"):
        await db.execute(f"delete from {table} where document = %s".encode(), [id])
    await db.execute("insert into bodies values (%s, %s, %s)", [id, ring, encoded(document.text)])
    await _chunks(db, one, id, ring, vectors)
    if before is not None and before != ring:
        await db.execute(_UNUSED, [[before]])


async def forget(db: AsyncConnection[Any], condition: str, value: object) -> list[str]:
    """Delete the documents that meet a condition, and all that belongs to them; the `rest` of each.

    They are locked first: what another writer puts into one of them is then seen, and goes with it.
    """
    sql = f"select id, ring, rest from documents where {condition} order by id for update"
    rows = await (await db.execute(sql.encode(), [value])).fetchall()
    ids = [row[0] for row in rows]
    if ids:
        for table in ("bodies", "chunks", "postings"):
            await db.execute(f"delete from {table} where document = any (%s)".encode(), [ids])
        await db.execute("delete from documents where id = any (%s)", [ids])
        await db.execute(_UNUSED, [sorted({row[1] for row in rows})])
    return [row[2] for row in rows]


async def free_model(db: AsyncConnection[Any]) -> None:
    """Where there are no vectors any more, another model may make the next ones."""
    await db.execute("select from models for update")  # whoever puts the first vector now has to wait, or was first
    await db.execute("delete from models where not exists (select from documents where dim > 0)")


async def _same_model(db: AsyncConnection[Any], model: str, dim: int) -> None:
    await db.execute("insert into models values (true, %s, %s) on conflict do nothing", [model, dim])
    held = await (await db.execute("select model, dim from models for share")).fetchone()
    if held != (model, dim):
        was, size = held or ("", 0)
        raise KnowledgeError(
            f"the index holds vectors of {was} ({size} numbers each), and these are of {model} ({dim}): never mixed",
            todo="embed with the model of the index, or index anew: ringfence kb reindex",
        )


async def _ring(db: AsyncConnection[Any], label: Label) -> int:
    """The ring of a label's readers, made if it is the first of it."""
    readers = readers_of(label)
    digest = hashlib.sha256(json.dumps(readers).encode()).digest()
    found = await _value(db, "select id from rings where digest = %s", digest)
    if found is not None:
        return int(found)
    made = await _value(
        db, "insert into rings (digest, readers) values (%s, %s) on conflict do nothing returning id", digest,
        json.dumps(readers),
    )  # fmt: skip
    if made is None:  # another writer was first, and is done by now
        return int(await _value(db, "select id from rings where digest = %s", digest) or 0)
    clauses = [(encoded(reader), number) for number, clause in enumerate(readers) for reader in clause]
    await db.execute(
        "insert into clauses select hash, %s, clause from unnest(%s::bytea[], %s::int[]) t (hash, clause)",
        [made, [hashlib.sha256(reader).digest() for reader, _ in clauses], [number for _, number in clauses]],
    )
    return int(made)


async def _document(db: AsyncConnection[Any], one: Prepared, name: bytes, ring: int, vectors: Vectors | None) -> int:
    document = one.document
    made = (one.model, vectors.shape[1]) if vectors is not None else ("", 0)
    row = (
        id_of(name), name, ring, document.collection, shown(document.path), int(document.label.trust),
        shown(document.version), document.expires, sorted(document.tags), sorted(set(document.subjects)),
        rest_of(document), len(one.chunks), sum(words.length for words in one.words), len(document.text), *made,
    )  # fmt: skip
    id = await _value(db, _DOCUMENT, *row)
    if id is None:
        raise KnowledgeError(
            f"the name of {document.path!r} has the same number as another document's", todo="rename one of the two"
        )
    return int(id)


async def _chunks(db: AsyncConnection[Any], one: Prepared, id: int, ring: int, vectors: Vectors | None) -> None:
    text, chunks = one.document.text, one.chunks
    if not chunks:
        return
    places = spans(text, chunks)
    digests = list(one.digests) if one.digests and vectors is not None else [None] * len(chunks)
    rows = _array(start for start, _ in places), _array(size for _, size in places)
    held = None if vectors is None else _array(f'"[{",".join(map(str, row))}]"' for row in vectors.astype(np.float32))
    await db.execute(_CHUNKS, [id, ring, *rows, [facts_of(chunk) for chunk in chunks], digests, held])
    terms = np.concatenate([words.terms for words in one.words])
    if len(terms):
        hits = np.concatenate(
            [
                (n << 40) | (np.minimum(words.times.astype(np.int64), 0xFFFF) << 24) | min(words.length, 0xFFFFFF)
                for n, words in enumerate(one.words)
            ]
        )
        await db.execute(_POSTINGS, [id, ring, _array(terms.tolist()), _array(hits.tolist())])


def _array(values: Iterable[object]) -> str:
    """Numbers, or what is quoted already, as Postgres writes an array: many times as quick as one by one."""
    return f"{{{','.join(map(str, values))}}}"


async def _value(db: AsyncConnection[Any], sql: str, *values: object) -> Any:
    return one(await (await db.execute(sql.encode(), values)).fetchone())
