"""The vectors' file: row n is chunk n's vector, float32, written and synced before the commit that tells of it.

Bytes behind the last row that a commit knows are nobody's, and the next writer overwrites them. A row is never given to
another chunk, so that who still reads an older state cannot take one chunk's vector for another's; a removed one is
overwritten by zeros, and its place comes back when the file is written anew, as the next generation.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from ..errors import KnowledgeError
from ..ports import Vectors
from .file import DAMAGED_TODO

BLOCK = 8_192  # rows that are multiplied at once
THREADS = 4  # that share one search, where there are as many cores
DENSE = 4  # where a block has fewer than one in so many rows that count, these alone are read


def name(folder: Path, generation: int) -> Path:
    """Where a generation lies."""
    return folder / f"vectors-{generation}.f32"


def write(path: Path, row: int, vectors: Vectors) -> None:
    """Write rows from `row` on, and wait until they are on the disk."""
    new = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _pour(handle, np.ascontiguousarray(vectors, np.float32).tobytes(), row * vectors.shape[1] * 4)
        os.fsync(handle)
    finally:
        os.close(handle)
    if new:
        _sync(path.parent)


def copy(old: Path, new: Path, moves: Iterable[tuple[int, int, int]], dim: int) -> None:
    """Write the next generation: each range (first, count, by) of rows goes `by` rows down. Rows that the old one does
    not have stay away: their chunks have no vectors."""
    rows = _map(old, dim)
    handle = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        for first, count, by in moves:
            _pour(handle, rows[first : first + count].tobytes(), (first - by) * dim * 4)
        os.fsync(handle)
    finally:
        os.close(handle)
    _sync(new.parent)


def _pour(handle: int, data: bytes, at: int) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(handle, left, at)
        left, at = left[written:], at + written


def _sync(folder: Path) -> None:
    """Make the names of new files durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def zero(path: Path, ranges: Iterable[tuple[int, int]], dim: int) -> None:
    """Overwrite rows, each range (first, count), and wait until that is on the disk. A file that is gone has none."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        size = os.fstat(handle).st_size
        for first, count in ranges:
            start, stop = first * dim * 4, min((first + count) * dim * 4, size)
            while start < stop:
                start += os.pwrite(handle, bytes(min(stop - start, 1 << 20)), start)
        os.fsync(handle)
    finally:
        os.close(handle)


class Mapped:
    """The newest generation that was read, mapped; mapped anew when there are more rows or another generation."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._at: tuple[int, int] = (0, 0)
        self._rows: Vectors = np.empty((0, 1), np.float32)
        self._pool: ThreadPoolExecutor | None = None

    @property
    def pool(self) -> Executor | None:
        """Threads that share one search's blocks; None where there is one core."""
        with self._lock:
            if self._pool is None and (cores := min(len(os.sched_getaffinity(0)), THREADS)) > 1:
                self._pool = ThreadPoolExecutor(cores, "ringfence-vectors")
            return self._pool

    def rows(self, generation: int, dim: int, count: int) -> Vectors:
        """At least the first `count` rows of a generation, (n, dim), never to be written to."""
        with self._lock:
            if self._at != (generation, dim) or len(self._rows) < count:
                self._rows = _map(name(self._folder, generation), dim)
                self._at = (generation, dim)
            if len(self._rows) < count:
                raise KnowledgeError(
                    f"the vectors' file in {self._folder} is cut: it has {len(self._rows)} of {count} rows",
                    todo=DAMAGED_TODO,
                )
            return self._rows

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._at, self._rows = (0, 0), np.empty((0, 1), np.float32)
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()


def _map(path: Path, dim: int) -> Vectors:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size // (dim * 4)
        if not size:
            return np.empty((0, dim), np.float32)
        data = mmap.mmap(file.fileno(), size * dim * 4, prot=mmap.PROT_READ)
    return np.frombuffer(data, np.float32).reshape(size, dim)


def nearest(
    rows: Vectors, seen: NDArray[np.bool_], question: NDArray[np.float64], depth: int, pool: Executor | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The rows nearest to a question, and the cosine to each: the best `depth` among those that are `seen`, and their
    equals.

    Products in float32 only pick candidates, with a margin for their error; `exact` gives what counts.
    """
    seen, short = seen[: len(rows)], question.astype(np.float32)
    found = np.full(len(seen), -np.inf, np.float32)
    starts = range(0, len(seen), BLOCK)
    for _ in (map if pool is None or len(starts) < 2 else pool.map)(
        lambda at: _products(rows[at : at + BLOCK], seen[at : at + BLOCK], short, found[at : at + BLOCK]), starts
    ):
        pass
    kept = np.flatnonzero(seen) if np.count_nonzero(seen) <= depth else _candidates(found, depth, rows.shape[1])
    scores = exact(rows, kept, question)
    if len(kept) > depth:
        least = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        kept, scores = kept[scores >= least], scores[scores >= least]
    return kept, scores


def _candidates(found: NDArray[np.float32], depth: int, dim: int) -> NDArray[np.int64]:
    """All that can be among the best `depth`: a sum of `dim` products of unit vectors errs by dim * eps / 2 at most."""
    least = np.partition(found, len(found) - depth)[len(found) - depth]
    return np.flatnonzero(found >= least - 2 * dim * np.finfo(np.float32).eps)


def exact(rows: Vectors, which: NDArray[np.int64], question: NDArray[np.float64]) -> NDArray[np.float64]:
    """The cosines of rows to a question: of each the same whatever else is asked for."""
    scores = np.empty(len(which))
    for at in range(0, len(which), 1_024):
        part = rows[which[at : at + 1_024]].astype(np.float64)
        scores[at : at + 1_024] = (part * question).sum(axis=1)
    return scores


def _products(
    rows: Vectors, seen: NDArray[np.bool_], question: NDArray[np.float32], found: NDArray[np.float32]
) -> None:
    """About the product of each row that is seen with the question; the others mostly are not even read.

    By einsum, which goes at the memory's speed, as BLAS does; but the threads of BLAS wait for each other by turning on
    the spot, and on a machine that has other things to do that costs ten times the work.
    """
    rows = rows[: len(seen)]
    count = int(np.count_nonzero(seen))
    if count == len(seen):
        np.einsum("ij,j->i", rows, question, out=found)
    elif count * DENSE > len(seen):
        found[seen] = np.einsum("ij,j->i", rows, question)[seen]
    elif count:
        found[seen] = np.einsum("ij,j->i", rows[seen], question)
