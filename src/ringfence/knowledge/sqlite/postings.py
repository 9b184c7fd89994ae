"""Which chunk has which word how often: segments of postings, sorted by word, in pieces that are rows of SQLite.

A document's postings are a segment of its own at first; eight neighbours of a size are merged into one, up to
`MAX_SEGMENT` chunks, so that a query looks into few and a posting is rewritten a few times only. Segments know nothing
of rights: whoever reads one keeps what the mask of the chunks that a member may see lets through, before anything is
counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import apsw
import numpy as np
from numpy.typing import NDArray

from ..errors import KnowledgeError
from .file import DAMAGED_TODO
from .words import BITS

PIECE = 2_048  # postings of a piece, about; a word that has more has one of its own
FAN = 8  # neighbours of one size that are merged
MAX_SEGMENT = 32_768  # chunks: what one deletion rewrites is bounded by it
_FULL = 9  # the tier of those that are merged no more


@dataclass(frozen=True, slots=True)
class Postings:
    """Rising by word, then by chunk; three arrays of one length."""

    terms: NDArray[np.int64]
    chunks: NDArray[np.uint32]
    times: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.terms)

    def where(self, keep: NDArray[np.bool_]) -> Postings:
        """Those that a mask over them keeps."""
        return Postings(self.terms[keep], self.chunks[keep], self.times[keep])


@dataclass(frozen=True, slots=True)
class Segment:
    """Postings of the chunks from `low` to `high`, excluded."""

    id: int
    low: int
    high: int
    postings: int

    @property
    def size(self) -> int:
        """Chunks, those included that are gone."""
        return self.high - self.low

    @property
    def tier(self) -> int:
        """Of which size: FAN times more chunks make the next one; half of what one may hold, and it is full."""
        size, tier = self.size, 0
        if size >= MAX_SEGMENT // 2:
            return _FULL
        while size >= FAN * FAN:
            size, tier = size // FAN, tier + 1
        return tier


def gather(chunks: Sequence[tuple[int, NDArray[np.int64], NDArray[np.uint8]]]) -> Postings:
    """The postings of chunks: (number, words, how often each), by rising number."""
    if not chunks:
        return Postings(np.empty(0, np.int64), np.empty(0, np.uint32), np.empty(0, np.uint8))
    terms = np.concatenate([one[1] for one in chunks])
    numbers = np.repeat(np.array([one[0] for one in chunks], np.uint32), [len(one[1]) for one in chunks])
    times = np.concatenate([one[2] for one in chunks])
    return _sorted(terms, numbers, times)


def segments(db: apsw.Connection) -> list[Segment]:
    """All of them, by the chunks that they hold."""
    return [Segment(*row) for row in db.execute("SELECT id, low, high, postings FROM segments ORDER BY low")]


def add(db: apsw.Connection, id: int, low: int, high: int, postings: Postings) -> None:
    """Keep a segment."""
    db.execute("INSERT INTO segments VALUES (?, ?, ?, ?)", (id, low, high, len(postings)))
    db.executemany("INSERT INTO pieces VALUES (?, ?)", ((id << BITS | first, data) for first, data in _cut(postings)))


def drop(db: apsw.Connection, id: int) -> None:
    """Forget a segment."""
    db.execute("DELETE FROM pieces WHERE id >= ? AND id < ?", (id << BITS, (id + 1) << BITS))
    db.execute("DELETE FROM segments WHERE id = ?", (id,))


def load(db: apsw.Connection, id: int) -> Postings:
    """A whole segment."""
    parts = []
    query = "SELECT postings FROM pieces WHERE id >= ? AND id < ? ORDER BY id"
    for (data,) in db.execute(query, (id << BITS, (id + 1) << BITS)):
        terms, counts, chunks, times = _open(data)
        parts.append((np.repeat(terms, counts), chunks, times))
    if not parts:
        return gather(())
    return Postings(*(np.concatenate([part[n] for part in parts]) for n in range(3)))


def merged(parts: Sequence[Postings]) -> Postings:
    """Postings of segments in the order of their chunks, as those of one."""
    return _sorted(
        np.concatenate([one.terms for one in parts]),
        np.concatenate([one.chunks for one in parts]),
        np.concatenate([one.times for one in parts]),
    )


def due(all_of_them: Sequence[Segment]) -> Sequence[Segment]:
    """Neighbours that are to be merged, of the smallest size that has enough of them; none if there are none."""
    for tier in range(_FULL):
        begin = len(all_of_them)
        while begin and all_of_them[begin - 1].tier <= tier:
            begin -= 1
        if sum(one.tier == tier for one in all_of_them[begin:]) < FAN:
            continue
        end, room = begin, MAX_SEGMENT
        while end < len(all_of_them) and (room := room - all_of_them[end].size) >= 0:
            end += 1
        return all_of_them[begin:end]
    return ()


def lookup(db: apsw.Connection, within: Sequence[Segment], term: int) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """The chunks that have a word, rising, and how often."""
    chunks, times = [], []
    query = "SELECT postings FROM pieces WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1"
    for segment in within:
        low = segment.id << BITS
        for (data,) in db.execute(query, (low, low | term)):
            terms, counts, numbers, often = _open(data)
            at = int(np.searchsorted(terms, term))
            if at < len(terms) and terms[at] == term:
                start = int(counts[:at].sum())
                chunks.append(numbers[start : start + int(counts[at])])
                times.append(often[start : start + int(counts[at])])
    if not chunks:
        return np.empty(0, np.uint32), np.empty(0, np.uint8)
    return np.concatenate(chunks), np.concatenate(times)


def _sorted(terms: NDArray[np.int64], chunks: NDArray[np.uint32], times: NDArray[np.uint8]) -> Postings:
    order = np.argsort(terms, kind="stable")  # what comes in is by chunk within a word already
    return Postings(terms[order], chunks[order], times[order])


def _cut(postings: Postings) -> Iterator[tuple[int, bytes]]:
    """Pieces: the first word of each, and its bytes (two counts, words, how many chunks each has, chunks, times)."""
    if not len(postings):
        return
    starts = np.flatnonzero(np.append(True, postings.terms[1:] != postings.terms[:-1]))
    terms = postings.terms[starts]
    ends = np.append(starts[1:], len(postings))
    counts = (ends - starts).astype(np.uint32)
    large = counts > PIECE // 2
    borders = (np.diff(starts // PIECE) > 0) | large[1:] | large[:-1]
    cuts = [0, *(np.flatnonzero(borders) + 1).tolist(), len(terms)]
    for low, high in pairwise(cuts):
        span = slice(int(starts[low]), int(ends[high - 1]))
        yield int(terms[low]), b"".join((
            np.array([high - low, span.stop - span.start], np.uint32).tobytes(), terms[low:high].tobytes(),
            counts[low:high].tobytes(), postings.chunks[span].tobytes(), postings.times[span].tobytes(),
        ))  # fmt: skip


def _open(data: bytes) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint8]]:
    n, m = (int(one) for one in np.frombuffer(data[:8].ljust(8, b"\0"), np.uint32))
    if len(data) != 8 + 12 * n + 5 * m:
        raise KnowledgeError("the index is damaged: words of it cannot be read", todo=DAMAGED_TODO)
    terms = np.frombuffer(data, np.int64, n, 8)
    counts = np.frombuffer(data, np.uint32, n, 8 + 8 * n)
    chunks = np.frombuffer(data, np.uint32, m, 8 + 12 * n)
    return terms, counts, chunks, np.frombuffer(data, np.uint8, m, 8 + 12 * n + 4 * m)
