"""The writing side of the index: every change is one transaction that no other process' writer shares."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from ..chunks import passage
from ..errors import KnowledgeError
from ..ports import Chunk, Document, Vectors
from . import file, postings, rows, vectors
from .postings import Postings, Segment
from .shelf import Head
from .words import Counted, Words

PENDING = 1_024  # chunks that replaced documents may leave behind before their words and vectors are overwritten
BATCH = 8_192  # chunks of one document whose words are held in memory at once
SPARE = 8_192  # numbers of chunks that are gone, beside as many as there are, from which on all is numbered anew

Ranges = list[tuple[int, int]]  # chunks: (first, count)


@dataclass(frozen=True, slots=True)
class Move:
    """New numbers for the chunks that there are, without gaps: those from `firsts[n]` on move down by `by[n]`."""

    firsts: NDArray[np.int64]
    counts: NDArray[np.int64]
    by: NDArray[np.int64]

    @classmethod
    def of(cls, db: apsw.Connection) -> Move:
        """For the documents that there are."""
        found: Any = db.execute("SELECT first, count FROM documents WHERE count > 0 ORDER BY first").fetchall()
        firsts, counts = (np.array([row[n] for row in found], np.int64) for n in (0, 1))
        return cls(firsts, counts, firsts - (np.cumsum(counts) - counts))

    @property
    def total(self) -> int:
        """Chunks."""
        return int(self.counts.sum())

    def between(self, low: int, high: int) -> int:
        """Chunks whose old numbers are from `low` to `high`, excluded."""
        return int(self.counts[(self.firsts >= low) & (self.firsts < high)].sum())

    def new(self, chunks: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Their new numbers."""
        at = np.searchsorted(self.firsts, chunks, side="right") - 1
        return (chunks - self.by[at]).astype(np.uint32)

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """(first, count, by) of each document, rising."""
        return iter(zip(self.firsts.tolist(), self.counts.tolist(), self.by.tolist(), strict=True))


class Writer:
    """Changes to an index, on one connection; one thread at a time."""

    def __init__(self, db: apsw.Connection, path: Path) -> None:
        self.db = db
        self._folder = path.parent
        self._words = Words(db)
        self.clean()  # what a process that was killed has not come to

    def put(
        self, document: Document, chunks: Sequence[Chunk], made: Vectors | None, model: str, digests: Sequence[bytes]
    ) -> None:
        """Add or replace a document; see `ports.Index.put`."""
        _check(document, chunks, made, digests)
        counted = self._counted(document, chunks[:BATCH])
        if made is not None and not len(made):
            made = None
        with file.writing(self.db):
            head = Head.of(self.db)
            if made is not None:
                self._admit(head, model, made)
            self._forget("collection = ? AND path = ?", (document.collection, document.path), head)
            if made is not None:
                vectors.write(vectors.name(self._folder, head.generation), head.chunk, made)
            lengths: list[int] = []
            segment = head.segment
            while counted:
                low = head.chunk + len(lengths)
                found = postings.gather([(low + n, terms, times) for n, (terms, times, _) in enumerate(counted)])
                postings.add(self.db, segment, low, low + len(counted), found)
                lengths += [total for _, _, total in counted]
                segment += 1
                counted = self._counted(document, chunks[len(lengths) : len(lengths) + BATCH])
            rows.add(self.db, head.document, document, head.chunk, lengths, vectors=made is not None)
            rows.add_chunks(self.db, head.chunk, chunks, digests if made is not None else ())
            self.db.execute(
                "UPDATE head SET change = change + 1, chunk = chunk + ?, document = document + 1, segment = ?",
                (len(chunks), self._merge(segment) if chunks else segment),
            )
        if self._pending() > PENDING:
            self.clean()

    def remove(self, collection: str, paths: Sequence[str]) -> int:
        """Forget documents; how many there were."""
        with file.writing(self.db):
            head = Head.of(self.db)
            count = sum(len(self._forget("collection = ? AND path = ?", (collection, path), head)) for path in paths)
            ranges = self._end(head)
        self._wipe(head, ranges)
        return count

    def erase(self, subject: str) -> list[tuple[str, str]]:
        """Forget all about a subject."""
        with file.writing(self.db):
            head = Head.of(self.db)
            about = "id IN (SELECT document FROM subjects WHERE subject = ?)"
            names = self._forget(about, (subject,), head)
            ranges = self._end(head)
        self._wipe(head, ranges)
        if names and not self._emptied_log():
            raise KnowledgeError(
                f"{len(names)} documents were erased, but another process reads the index, so its log has copies yet",
                todo="let that process end, then do it again",
            )
        return sorted(names)

    def drop(self, collection: str) -> None:
        """Forget a collection."""
        with file.writing(self.db):
            head = Head.of(self.db)
            self._forget("collection = ?", (collection,), head)
            ranges = self._end(head)
        self._wipe(head, ranges)

    def clean(self) -> None:
        """Overwrite what replaced documents left behind."""
        if not self._pending():
            return
        with file.writing(self.db):
            head = Head.of(self.db)
            ranges = self._end(head)
        self._wipe(head, ranges)
        if head.chunk > SPARE + 2 * self._count():
            self.renumber()

    def renumber(self) -> None:
        """Give all chunks new numbers without gaps, and write the vectors' file anew: the next epoch."""
        with file.writing(self.db):
            ranges = self._end(Head.of(self.db))
            head = Head.of(self.db)
            move = Move.of(self.db)
            segment = self._renumbered(move, head.segment)
            for first, count, by in move:
                span = (first, first + count)
                self.db.execute("UPDATE chunks SET id = id - ? WHERE id >= ? AND id < ?", (by, *span))
                self.db.execute("UPDATE documents SET first = first - ? WHERE first = ? AND count", (by, first))
            if head.model:
                old, new = (vectors.name(self._folder, head.generation + more) for more in (0, 1))
                vectors.copy(old, new, list(move), head.dim)
            self.db.execute("DELETE FROM dead").fetchall()
            self.db.execute("DELETE FROM gone").fetchall()
            self.db.execute(
                "UPDATE head SET change = change + 1, epoch = epoch + 1, chunk = ?, segment = ?, generation = ?",
                (move.total, segment, head.generation + 1),
            )
        self._wipe(head, ranges)

    def _renumbered(self, move: Move, segment: int) -> int:
        """Write every segment anew with the chunks' new numbers; the next segment's id."""
        low = 0
        for one in postings.segments(self.db):
            found = postings.load(self.db, one.id)
            postings.drop(self.db, one.id)
            high = low + move.between(one.low, one.high)
            if high > low:
                moved = Postings(found.terms, move.new(found.chunks), found.times)
                postings.add(self.db, segment, low, high, moved)
            low, segment = high, segment + 1
        return segment

    def _admit(self, head: Head, model: str, made: Vectors) -> None:
        dim = made.shape[1]
        if not head.model:
            self.db.execute("UPDATE head SET model = ?, dim = ?", (model, dim))
        elif (head.model, head.dim) != (model, dim):
            raise KnowledgeError(
                f"the index holds vectors of {head.model} ({head.dim} numbers each); these are of {model} ({dim}), and"
                " vectors of two models cannot be compared",
                todo="run `ringfence kb reindex`, or name the former model in `knowledge.embedding.model`",
            )

    def _forget(self, where: str, values: tuple[str, ...], head: Head) -> list[tuple[str, str]]:
        """Delete the rows of documents, inside a transaction; their words and vectors are pending yet."""
        query = f"SELECT id, collection, path, first, count FROM documents WHERE {where}"
        found: list[Any] = self.db.execute(query, tuple(map(rows.plain, values))).fetchall()
        for id, _, _, first, count in found:
            self.db.execute("DELETE FROM texts WHERE document = ?", (id,))
            self.db.execute("DELETE FROM chunks WHERE id >= ? AND id < ?", (first, first + count))
            self.db.execute("DELETE FROM subjects WHERE document = ?", (id,))
            self.db.execute("DELETE FROM documents WHERE id = ?", (id,))
            self.db.execute("INSERT INTO gone VALUES (?, ?)", (id, head.change + 1))
            if count:
                self.db.execute("INSERT INTO dead VALUES (?, ?)", (first, count))
        return [(collection, path) for _, collection, path, _, _ in found]

    def _counted(self, document: Document, chunks: Sequence[Chunk]) -> list[Counted]:
        text = document.text
        return [self._words.count(passage(document.title, one, text[one.start : one.end])) for one in chunks]

    def _merge(self, segment: int) -> int:
        """Merge the segments that are due; the next segment's id."""
        known = postings.segments(self.db)
        while run := postings.due(known):
            new = Segment(segment, run[0].low, run[-1].high, 0)
            self._replace(run, new, self._dead())
            at = known.index(run[0])
            known[at : at + len(run)] = [new]
            segment += 1
        return segment

    def _replace(self, old: Sequence[Segment], new: Segment, dead: Ranges) -> None:
        whole = postings.merged([postings.load(self.db, one.id) for one in old])
        gone = np.zeros(new.size, np.bool_)
        for first, count in dead:
            gone[max(first - new.low, 0) : max(first + count - new.low, 0)] = True
        for one in old:
            postings.drop(self.db, one.id)
        if not gone.all():
            postings.add(self.db, new.id, new.low, new.high, whole.where(~gone[whole.chunks - new.low]))

    def _end(self, head: Head) -> Ranges:
        """Take the words of dead chunks out, inside a transaction; the chunks whose vectors are to be overwritten."""
        dead, segment = self._dead(), head.segment
        for one in postings.segments(self.db):
            if any(first < one.high and first + count > one.low for first, count in dead):
                self._replace((one,), Segment(segment, one.low, one.high, 0), dead)
                segment += 1
        self.db.execute("UPDATE head SET change = change + 1, segment = ?", (segment,))
        if head.model and not self.db.execute("SELECT 1 FROM documents WHERE vectors LIMIT 1").fetchone():
            self.db.execute("UPDATE head SET model = '', dim = 0, generation = generation + 1")
        return dead

    def _wipe(self, head: Head, ranges: Ranges) -> None:
        """After the commit: overwrite vectors, or let go of all of them, and of SQLite's log, which has copies."""
        if ranges and head.dim:
            vectors.zero(vectors.name(self._folder, head.generation), ranges, head.dim)
        with file.writing(self.db):
            now = Head.of(self.db)
            self._sweep(now.generation)
            if now.epoch == head.epoch:
                self.db.executemany("DELETE FROM dead WHERE first = ?", ((first,) for first, _ in ranges))
        self._emptied_log()

    def _sweep(self, generation: int) -> None:
        """Remove the files of vectors that no commit knows any more; who has one mapped keeps it until they let go."""
        for path in self._folder.glob("vectors-*.f32"):
            number = path.stem.removeprefix("vectors-")
            if number.isdigit() and int(number) < generation:
                path.unlink(missing_ok=True)

    def _emptied_log(self) -> bool:
        """Whether nothing is left in SQLite's log."""
        self.db.set_busy_timeout(2_000)
        try:
            busy: Any = self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]
        except apsw.BusyError:
            return False
        finally:
            self.db.set_busy_timeout(int(file.BUSY_S * 1000))
        return not busy

    def _dead(self) -> Ranges:
        found: Any = self.db.execute("SELECT first, count FROM dead ORDER BY first").fetchall()
        return [(first, count) for first, count in found]

    def _count(self) -> int:
        found: Any = self.db.execute("SELECT coalesce(sum(count), 0) FROM documents").get
        return int(found)

    def _pending(self) -> int:
        found: Any = self.db.execute("SELECT coalesce(sum(count), 0) FROM dead").get
        return int(found)


def _check(document: Document, chunks: Sequence[Chunk], made: Vectors | None, digests: Sequence[bytes]) -> None:
    """Refuse what would not be found again as it was meant."""
    what = f"{document.collection}/{document.path}"
    names = document.collection, document.path, document.title, document.version, *document.subjects
    if None in map(rows.plain, names):
        raise KnowledgeError(
            f"the document {what!r} has a name, a title or a subject that is no Unicode text", todo="rename the file"
        )
    if any(not 0 <= chunk.start <= chunk.end <= len(document.text) for chunk in chunks):
        raise KnowledgeError(f"a chunk of {what} lies outside of its text", todo="please report it")
    if made is not None and (made.ndim != 2 or len(made) != len(chunks)):
        raise KnowledgeError(
            f"{what} has {len(chunks)} chunks, and vectors of shape {made.shape}", todo="please report it"
        )
    if made is not None and len(made) and not _unit(made):
        raise KnowledgeError(f"the vectors of {what} are not of length 1", todo="look at the embedding model's server")
    if digests and (len(digests) != len(chunks) or any(len(one) != hashlib.sha256().digest_size for one in digests)):
        raise KnowledgeError(f"{what} has {len(chunks)} chunks, and {len(digests)} digests", todo="please report it")


def _unit(made: Vectors) -> bool:
    """Whether every vector is about of length 1, or 0."""
    with np.errstate(all="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", made, made, dtype=np.float64))
    return bool(np.all((np.abs(lengths - 1) < 0.01) | (lengths == 0)))
