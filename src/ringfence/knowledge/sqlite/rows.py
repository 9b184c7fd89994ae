"""Documents, texts and chunks as rows, and back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import apsw
import numpy as np

from ringfence.core.labels import Label, Member, Trust

from ..ports import Chunk, Document
from .shelf import clauses

PART = 16_384  # characters of a text that are compressed together: what one hit has to unpack
_DOCUMENT = "collection, path, readers, trust, version, title, tags, expires, subjects, meta"


def readers_of(label: Label) -> str:
    """A label's readers as JSON, the same for the same."""
    return json.dumps(sorted(sorted(clause) for clause in label.readers))


def add(db: apsw.Connection, id: int, document: Document, first: int, lengths: Sequence[int], *, vectors: bool) -> None:
    """Keep a document with its text; its chunks' numbers begin at `first`, and `lengths` are theirs in words."""
    tags = json.dumps(sorted(document.tags))
    row = (
        id, document.collection, document.path, readers_of(document.label), document.label.trust.name,
        document.version, document.title, tags, document.expires, json.dumps(list(document.subjects)),
        json.dumps(dict(document.meta), sort_keys=True), len(document.text), first, len(lengths), vectors,
        np.array(lengths, np.uint32).tobytes(),
    )  # fmt: skip
    db.execute(f"INSERT INTO documents VALUES ({','.join('?' * len(row))})", row)
    db.executemany("INSERT INTO subjects VALUES (?, ?)", ((subject, id) for subject in sorted(set(document.subjects))))
    starts = range(0, len(document.text), PART)
    parts = ((id, at // PART, _packed(document.text[at : at + PART])) for at in starts)
    db.executemany("INSERT INTO texts VALUES (?, ?, ?)", parts)


def add_chunks(db: apsw.Connection, first: int, chunks: Sequence[Chunk], digests: Sequence[bytes]) -> None:
    """Keep the chunks of a document, with the digests of what their vectors were made of."""
    db.executemany(
        "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                first + n,
                c.start,
                c.end,
                c.page,
                c.kind,
                c.tokens,
                json.dumps(c.headings),
                digests[n] if digests else None,
            )
            for n, c in enumerate(chunks)
        ),
    )


def documents(db: apsw.Connection, ids: Iterable[int]) -> dict[int, Document]:
    """Documents by their ids, with an empty text."""
    wanted = json.dumps(list(ids))
    query = f"SELECT id, {_DOCUMENT} FROM documents WHERE id IN (SELECT value FROM json_each(?))"
    return {int(str(row[0])): _document(row[1:]) for row in db.execute(query, (wanted,))}


def chunks(db: apsw.Connection, numbers: Iterable[int]) -> dict[int, Chunk]:
    """Chunks by their numbers."""
    query = (
        'SELECT id, start, "end", page, headings, kind, tokens FROM chunks'
        " WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
    )
    found: dict[int, Chunk] = {}
    for row in db.execute(query, (json.dumps(list(numbers)),)):
        id, start, end, page, headings, kind, tokens = _any(row)
        found[id] = Chunk(start, end, page, tuple(json.loads(headings)), kind, tokens)
    return found


def text(db: apsw.Connection, document: int, start: int = 0, end: int | None = None) -> str:
    """A document's text, or its characters from `start` to `end`."""
    last = -1 if end is None else max(end - 1, start) // PART
    query = "SELECT text FROM texts WHERE document = ? AND part BETWEEN ? AND ? ORDER BY part"
    found = db.execute(query, (document, start // PART, last if end is not None else 1 << 40))
    joined = "".join(zlib.decompress(_any(row)[0]).decode("utf-8", "surrogatepass") for row in found)
    begin = start - start // PART * PART
    return joined[begin:] if end is None else joined[begin : begin + max(end - start, 0)]


def readable(db: apsw.Connection, member: Member, collection: str, path: str) -> Document | None:
    """A document with its text; None where there is none that the member may read."""
    found = _found(db, member, collection, path)
    return None if found is None else replace(found[1], text=text(db, found[0]))


def readable_chunks(db: apsw.Connection, member: Member, collection: str, path: str) -> list[Chunk]:
    """A document's chunks in order; none where there is none that the member may read."""
    found = _found(db, member, collection, path)
    return [] if found is None else list(chunks(db, range(found[2], found[2] + found[3])).values())


def whole(db: apsw.Connection, wanted: Callable[[str], bool], *, vectors: bool) -> list[tuple[Document, list[Chunk]]]:
    """Documents of the wanted collections with text and chunks, readers aside: those with vectors, or those without."""
    query = f"SELECT id, first, count, {_DOCUMENT} FROM documents WHERE vectors = ? ORDER BY id"
    found: list[Any] = db.execute(query, (int(vectors),)).fetchall()
    return [
        (replace(_document(row), text=text(db, id)), list(chunks(db, range(first, first + count)).values()))
        for id, first, count, *row in found
        if wanted(row[0])
    ]


def held(db: apsw.Connection, subject: str, collections: frozenset[str]) -> list[Document]:
    """Documents about a subject, of some collections, or both, each with its text, whoever may read them."""
    names = [name for name in map(plain, collections) if name is not None]
    conditions = [
        *(["id IN (SELECT document FROM subjects WHERE subject = :subject)"] if subject else []),
        *(["collection IN (SELECT value FROM json_each(:names))"] if names else []),
    ]
    if not conditions or (collections and not names):
        return []
    query = f"SELECT id, {_DOCUMENT} FROM documents WHERE {' AND '.join(conditions)} ORDER BY collection, path"
    found: Any = db.execute(query, {"subject": plain(subject), "names": json.dumps(names)}).fetchall()
    return [replace(_document(row[1:]), text=text(db, row[0])) for row in found]


def _found(db: apsw.Connection, member: Member, collection: str, path: str) -> tuple[int, Document, int, int] | None:
    query = f"SELECT id, first, count, {_DOCUMENT} FROM documents WHERE collection = ? AND path = ?"
    row: Any = db.execute(query, (plain(collection), plain(path))).fetchone()
    if row is None or not (document := _document(row[3:])).label.readable_by(member):
        return None
    return row[0], document, row[1], row[2]


def plain(name: str) -> str | None:
    """A name as SQLite takes it; what is no Unicode text is nothing's name, as nothing is equal to NULL."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return None
    return name


def _packed(part: str) -> bytes:
    return zlib.compress(part.encode("utf-8", "surrogatepass"), 3)


def _document(row: Any) -> Document:
    collection, path, readers, trust, version, title, tags, expires, subjects, meta = row
    label = Label(Trust[trust], clauses(readers))
    kept = frozenset(json.loads(tags)), expires, tuple(json.loads(subjects)), json.loads(meta)
    return Document(collection, path, "", label, version, title, *kept)


def _any(row: Any) -> Any:
    return row
