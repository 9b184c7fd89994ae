"""What stands in an index, in memory: of every document whose it is and where its chunks are; no text, no words.

A `Shelf` is one state and never changes. A search asks it for the mask of the chunks that a member may see: this mask
is the one place where rights are applied, and whatever is counted, scored or ranked afterwards is a function of the
chunks in it alone.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from threading import Lock
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from ringfence.core.labels import Clause, Label, Member, Trust

from ..ports import Status
from ..ranking import K1, B

_KEPT = 16  # masks that a state keeps
_GLOBS, _GLOB = 100, 1_000  # path globs of one query, characters of each: what is longer or more finds nothing
_COLUMNS = "id, collection, path, readers, tags, expires, characters, first, count, vectors, lengths"


@dataclass(frozen=True, slots=True)
class Head:
    """Where the index stands (see `file`)."""

    change: int
    epoch: int
    chunk: int
    document: int
    segment: int
    generation: int
    model: str
    dim: int

    @classmethod
    def of(cls, db: apsw.Connection) -> Head:
        """As it is in the transaction that is open."""
        query = "SELECT change, epoch, chunk, document, segment, generation, model, dim FROM head"
        row: Any = db.execute(query).fetchone()
        return cls(*row)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a query leaves out besides what its member may not read; see `ports.Query`."""

    collections: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()


EVERYTHING = Filter()


@dataclass(frozen=True)
class Seen:
    """The part of an index that one query looks at: masks over the documents' places and the chunks' numbers."""

    documents: NDArray[np.bool_]
    chunks: NDArray[np.bool_]
    meant: NDArray[np.bool_]  # the chunks among them that have vectors
    lengths: NDArray[np.uint32]

    @cached_property
    def count(self) -> int:
        """Chunks that are seen."""
        return int(np.count_nonzero(self.chunks))

    @cached_property
    def reach(self) -> int:
        """Rows of vectors up to the last one that is seen; 0: none is."""
        found = np.flatnonzero(self.meant)
        return int(found[-1]) + 1 if len(found) else 0

    @cached_property
    def norm(self) -> NDArray[np.float64]:
        """Of each chunk, what BM25 adds to a word's count, by the chunk's length beside the mean of those seen."""
        mean = max(int(self.lengths[self.chunks].sum(dtype=np.int64)), 1) / max(self.count, 1)
        return np.asarray(K1 * (1 - B + B * self.lengths / mean), np.float64)


@dataclass(frozen=True)
class Shelf:
    """One state. Arrays are by a document's place here, or by a chunk's number."""

    head: Head
    ids: NDArray[np.int64]
    names: tuple[tuple[str, str], ...]  # (collection, path)
    rings: NDArray[np.int32]
    collections: NDArray[np.int32]
    tags: NDArray[np.int32]
    expires: NDArray[np.int64]
    characters: NDArray[np.int64]
    counts: NDArray[np.int64]
    vectors: NDArray[np.bool_]
    alive: NDArray[np.bool_]
    owner: NDArray[np.int32]  # by chunk: its document's place; -1: none
    lengths: NDArray[np.uint32]  # by chunk: words
    meant: NDArray[np.bool_]  # by chunk: has a vector
    of_ring: dict[str, int]  # readers as JSON -> the number of the ring
    of_collection: dict[str, int]
    of_tags: dict[str, int]
    _masks: dict[Any, Seen] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def seen(self, member: Member, wanted: Filter = EVERYTHING, now: int = 0) -> Seen:
        """What a member may see of what is wanted."""
        expired = int(np.searchsorted(self._times, now, side="right")) if now else 0
        key = member, wanted, expired
        with self._lock:
            if (kept := self._masks.get(key)) is not None:
                return kept
        made = self._seen(member, wanted, now)
        with self._lock:
            if len(self._masks) >= _KEPT:
                self._masks.pop(next(iter(self._masks)))
            self._masks[key] = made
        return made

    def _seen(self, member: Member, wanted: Filter, now: int) -> Seen:
        readable = _flags(Label(Trust.UNTRUSTED, readers).readable_by(member) for readers in map(clauses, self.of_ring))
        documents = self.alive & readable[self.rings]
        if wanted.collections:
            documents &= _flags(name in wanted.collections for name in self.of_collection)[self.collections]
        if wanted.tags or wanted.without:
            sets = (frozenset(json.loads(tags)) for tags in self.of_tags)
            documents &= _flags(wanted.tags <= one and not wanted.without & one for one in sets)[self.tags]
        if now:
            documents &= (self.expires == 0) | (self.expires > now)
        if wanted.paths:
            match = _matcher(wanted.paths)
            for place in np.flatnonzero(documents).tolist():
                documents[place] = match(self.names[place][1]) is not None
        chunks = np.zeros(len(self.owner), np.bool_)
        owned = self.owner >= 0
        chunks[owned] = documents[self.owner[owned]]
        return Seen(documents, chunks, chunks & self.meant, self.lengths)

    @cached_property
    def _times(self) -> NDArray[np.int64]:
        return np.sort(self.expires[self.expires != 0])

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Of each document, by place, its rank by collection and path."""
        rank = np.empty(len(self.names), np.int64)
        rank[sorted(range(len(self.names)), key=self.names.__getitem__)] = np.arange(len(self.names))
        return rank

    def status(self, member: Member) -> list[Status]:
        """How much of each collection a member may read."""
        seen = self.seen(member)
        result = []
        for name, number in sorted(self.of_collection.items()):
            mine = seen.documents & (self.collections == number)
            if not mine.any():
                continue
            meant = bool((mine & self.vectors).any())
            made = (self.head.model, self.head.dim) if meant else ("", 0)
            counts = int(mine.sum()), int(self.counts[mine].sum()), int(self.characters[mine].sum())
            result.append(Status(name, *counts, *made))
        return result

    def places(self, seen: Seen) -> list[int]:
        """The places of the documents that are seen, by collection and path."""
        return sorted(np.flatnonzero(seen.documents).tolist(), key=self.names.__getitem__)


def _matcher(paths: tuple[str, ...]) -> Callable[[str], object]:
    """Whether one of some globs matches a path; `*` matches '/' as well."""
    globs = (glob for glob in paths[:_GLOBS] if len(glob) <= _GLOB)
    return re.compile("|".join(f"(?:{fnmatch.translate(glob)})" for glob in globs) or "(?!)").match


@lru_cache(maxsize=50_000)
def clauses(readers: str) -> frozenset[Clause]:
    """A label's readers from their JSON."""
    return frozenset(frozenset(clause) for clause in json.loads(readers))


def newest(db: apsw.Connection, before: Shelf | None) -> Shelf | None:
    """The state that an open transaction sees, made from an earlier one if possible; None if `before` is newer."""
    head = Head.of(db)
    if before is not None and before.head.change >= head.change:
        return before if before.head.change == head.change else None
    if before is None or before.head.epoch != head.epoch:
        before = _empty(head)
    rows = db.execute(f"SELECT {_COLUMNS} FROM documents WHERE id > ? ORDER BY id", (_last(before),)).fetchall()
    gone = db.execute("SELECT document FROM gone WHERE change > ?", (before.head.change,)).fetchall()
    return _grown(before, head, rows, [row[0] for row in gone])


def _last(shelf: Shelf) -> int:
    return int(shelf.ids[-1]) if len(shelf.ids) else 0


def _empty(head: Head) -> Shelf:
    none, small = np.empty(0, np.int64), np.empty(0, np.int32)
    empty = Head(0, head.epoch, 0, 0, 0, 0, "", 0)
    truths = np.empty(0, np.bool_)
    return Shelf(
        empty,
        none,
        (),
        small,
        small,
        small,
        none,
        none,
        none,
        truths,
        truths,
        small,
        np.empty(0, np.uint32),
        truths,
        {},
        {},
        {},
    )


def _grown(before: Shelf, head: Head, rows: list[Any], gone: list[Any]) -> Shelf:
    of_ring, of_collection, of_tags = dict(before.of_ring), dict(before.of_collection), dict(before.of_tags)

    def number(table: dict[str, int], values: Iterator[str]) -> NDArray[np.int32]:
        return np.array([table.setdefault(value, len(table)) for value in values], np.int32)

    def column(at: int) -> NDArray[np.int64]:
        return np.array([row[at] for row in rows], np.int64)

    ids = np.concatenate((before.ids, column(0)))
    alive = np.concatenate((before.alive, np.ones(len(rows), np.bool_)))
    alive[np.flatnonzero(np.isin(ids, np.array(gone, np.int64)))] = False
    owner, lengths, meant = (_longer(old, head.chunk) for old in (before.owner, before.lengths, before.meant))
    owner[len(before.owner) :] = -1
    for place, row in enumerate(rows, len(before.ids)):
        span = slice(row[7], row[7] + row[8])
        owner[span], lengths[span], meant[span] = place, np.frombuffer(row[10], np.uint32), bool(row[9])
    return Shelf(
        head,
        ids,
        before.names + tuple((row[1], row[2]) for row in rows),
        np.concatenate((before.rings, number(of_ring, (row[3] for row in rows)))),
        np.concatenate((before.collections, number(of_collection, (row[1] for row in rows)))),
        np.concatenate((before.tags, number(of_tags, (row[4] for row in rows)))),
        np.concatenate((before.expires, column(5))),
        np.concatenate((before.characters, column(6))),
        np.concatenate((before.counts, column(8))),
        np.concatenate((before.vectors, column(9) > 0)),
        alive, owner, lengths, meant, of_ring, of_collection, of_tags,
    )  # fmt: skip


def _longer(old: NDArray[Any], size: int) -> NDArray[Any]:
    new = np.zeros(max(size, len(old)), old.dtype)
    new[: len(old)] = old
    return new


def _flags(values: Iterable[bool]) -> NDArray[np.bool_]:
    return np.array(list(values), np.bool_)
