"""The Index port on SQLite: one connection that writes, a few that read, all of it in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import apsw
import numpy as np

from ringfence.core.labels import Member

from ..errors import KnowledgeError
from ..ports import Chunk, Document, Hit, Query, Status, Vectors
from . import file, rows
from .search import search
from .shelf import Filter, Shelf, newest
from .vectors import Mapped
from .words import Words
from .writer import Writer

_READERS = 4  # connections that are kept for reading
_TRIES = 20  # to read a state that nobody has moved on from

T = TypeVar("T")


class _Reader:
    def __init__(self, path: Path) -> None:
        self.db = file.connect(path)
        self.words = Words(self.db)


class SqliteIndex:
    """`ports.Index` in a folder of its own (0700): `index.db` and the vectors' file. Nothing is opened before it is
    used, and every method may be called from several tasks and processes at once."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "index.db"
        self._writer: Writer | None = None
        self._writing = Lock()
        self._idle: list[_Reader] = []
        self._pool = Lock()
        self._shelf: Shelf | None = None
        self._shelving = Lock()
        self._mapped = Mapped(folder)

    async def put(
        self,
        document: Document,
        chunks: Sequence[Chunk],
        vectors: Vectors | None,
        *,
        model: str,
        digests: Sequence[bytes] = (),
    ) -> None:
        """Add or replace one document."""
        await self._change(lambda writer: writer.put(document, chunks, vectors, model, digests))

    async def remove(self, collection: str, paths: Sequence[str]) -> int:
        """Forget documents, their chunks and vectors beyond recovery; how many there were."""
        return await self._change(lambda writer: writer.remove(collection, paths))

    async def erase(self, subject: str) -> Sequence[tuple[str, str]]:
        """Forget every document about a subject; (collection, path) of each."""
        return await self._change(lambda writer: writer.erase(subject))

    async def drop(self, collection: str) -> None:
        """Forget a whole collection."""
        await self._change(lambda writer: writer.drop(collection))

    async def held(self, *, subject: str = "", collections: frozenset[str] = frozenset()) -> Sequence[Document]:
        """Documents about a subject, of some collections, or both, each with its text, readers aside."""
        return await self._read(lambda reader, shelf: rows.held(reader.db, subject, collections))

    async def versions(self, collection: str) -> Mapping[str, str]:
        """The version of every document of a collection by path, readers aside."""

        def find(reader: _Reader, shelf: Shelf) -> dict[str, str]:
            found: Any = reader.db.execute(
                "SELECT path, version FROM documents WHERE collection = ?", (rows.plain(collection),)
            )
            return dict(found.fetchall())

        return await self._read(find)

    async def vectors_of(self, digests: Sequence[bytes], *, model: str) -> Mapping[bytes, Vectors]:
        """Vectors, each (dim,), of texts by their SHA-256, as far as this index holds them."""

        def find(reader: _Reader, shelf: Shelf) -> dict[bytes, Vectors]:
            if shelf.head.model != model:
                return {}
            found: dict[bytes, int] = {}
            for digest in set(digests):
                row: Any = reader.db.execute("SELECT id FROM chunks WHERE digest = ? LIMIT 1", (digest,)).fetchone()
                if row is not None:
                    found[digest] = row[0]
            if not found:
                return {}
            held = self._mapped.rows(shelf.head.generation, shelf.head.dim, max(found.values()) + 1)
            return {digest: np.array(held[row]) for digest, row in found.items()}

        return await self._read(find)

    async def whole(
        self, wanted: Callable[[str], bool], *, vectors: bool
    ) -> Sequence[tuple[Document, Sequence[Chunk]]]:
        """Documents of the wanted collections with text and chunks, readers aside."""
        return await self._read(lambda reader, shelf: rows.whole(reader.db, wanted, vectors=vectors))

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

        def find(reader: _Reader, shelf: Shelf) -> list[Document]:
            seen = shelf.seen(member, Filter(collections, (), tags, without), now)
            ids = [int(shelf.ids[place]) for place in shelf.places(seen)]
            found = rows.documents(reader.db, ids)
            return [found[id] for id in ids]

        return await self._read(find)

    async def read(self, member: Member, collection: str, path: str) -> Document | None:
        """One document with its text; None where there is none that the member may read."""
        return await self._read(lambda reader, shelf: rows.readable(reader.db, member, collection, path))

    async def chunks(self, member: Member, collection: str, path: str) -> Sequence[Chunk]:
        """Its chunks in order; none where there is no such document that the member may read."""
        return await self._read(lambda reader, shelf: rows.readable_chunks(reader.db, member, collection, path))

    async def search(self, query: Query, member: Member) -> Sequence[Hit]:
        """The best chunks among those that the member may read."""

        def find(reader: _Reader, shelf: Shelf) -> list[Hit]:
            wanted = Filter(query.collections, query.paths, query.tags, query.without)
            seen = shelf.seen(member, wanted, query.now)
            return search(reader.db, shelf, seen, query, self._mapped, reader.words)

        return await self._read(find)

    async def status(self, member: Member) -> Sequence[Status]:
        """Of each collection of which the member may read anything."""
        return await self._read(lambda reader, shelf: shelf.status(member))

    async def check(self) -> Sequence[str]:
        """What is broken in the store, in words: SQLite's own quick check, and whether all vectors are there. It reads
        the whole file: half a second for 100,000 chunks and more."""

        def find(reader: _Reader, shelf: Shelf) -> list[str]:
            found = [str(row[0]) for row in reader.db.execute("PRAGMA quick_check(20)")]
            broken = [] if found == ["ok"] else found
            meant = np.flatnonzero(shelf.meant)
            if shelf.head.dim and len(meant):
                try:
                    self._mapped.rows(shelf.head.generation, shelf.head.dim, int(meant[-1]) + 1)
                except KnowledgeError as error:
                    broken.append(error.what)
            return broken

        return await self._read(find)

    async def aclose(self) -> None:
        """Overwrite what replaced documents left behind; free files and connections."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._writing, file.faults(self._path):
            writer, self._writer = self._writer, None
            if writer is not None:
                try:
                    writer.clean()
                finally:
                    writer.db.close(True)
        with self._pool:
            idle, self._idle = self._idle, []
        for reader in idle:
            reader.db.close(True)
        self._shelf = None
        self._mapped.close()

    async def _change(self, change: Callable[[Writer], T]) -> T:
        def run() -> T:
            with self._writing, file.faults(self._path):
                if self._writer is None:
                    self._writer = Writer(file.connect(self._path), self._path)
                return change(self._writer)

        return await asyncio.to_thread(run)

    async def _read(self, find: Callable[[_Reader, Shelf], T]) -> T:
        """What is found in one state of the index."""

        def run() -> T:
            with file.faults(self._path), self._reader() as reader:
                for last in (False,) * _TRIES + (True,):
                    try:
                        with file.reading(reader.db):
                            if (shelf := self._state(reader.db)) is not None:
                                return find(reader, shelf)
                    except (LookupError, ValueError, TypeError) as error:  # rows that are not as we write them
                        raise KnowledgeError(
                            f"the index {self._path} is damaged: {error!r}", todo=file.DAMAGED_TODO
                        ) from error
                    except FileNotFoundError:  # the vectors were written anew since our transaction began
                        if last:
                            raise
            raise KnowledgeError(f"the index {self._path} changes faster than it can be read", todo="try again")

        return await asyncio.to_thread(run)

    def _state(self, db: apsw.Connection) -> Shelf | None:
        """The state that an open transaction sees; None where another thread has seen a newer one: begin again."""
        with self._shelving:
            shelf = newest(db, self._shelf)
            self._shelf = shelf or self._shelf
            return shelf

    @contextmanager
    def _reader(self) -> Iterator[_Reader]:
        with self._pool:
            reader = self._idle.pop() if self._idle else None
        reader = reader or _Reader(self._path)
        try:
            yield reader
        except BaseException:
            reader.db.close(True)
            raise
        with self._pool:
            if len(self._idle) < _READERS:
                self._idle.append(reader)
                return
        reader.db.close(True)
