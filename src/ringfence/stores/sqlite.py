"""The journal on SQLite: one writer thread, commits in groups, durable when `flush` returns (DESIGN 8)."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from ..core import chain
from ..core.chain import Kind, Record
from ..core.errors import InternalError, JournalError
from . import file
from .log import conversation_of
from .reader import SqliteLog
from .rows import DAMAGED_TODO, LEAF_BYTES, Entry, Squeeze, batches

MAX_DELAY_S = 0.005
_SNAPSHOT_RECORDS = 256
_CACHED = 4096  # subjects' keys and live runs remembered; both are looked up again when forgotten

_Loop = asyncio.AbstractEventLoop


@dataclass(slots=True)
class _Batch:
    """What the next commit takes, and who waits for it, by event loop."""

    entries: list[Entry] = field(default_factory=list)
    waiting: dict[_Loop, list[asyncio.Future[None]]] = field(default_factory=dict)


class SqliteJournal:
    """`ports.Journal` on a file. `append` queues; a batch is committed when somebody waits in `flush`, at the latest
    `max_delay_s` after its first record. Records of all runs share commits. Once a commit has failed, every later call
    fails: an effect whose record cannot be made durable does not happen.

    One file may have several writing processes; one run has one writer at a time, and a second one is fenced out.
    """

    def __init__(self, path: Path, *, max_delay_s: float = MAX_DELAY_S, vfs: str | None = None) -> None:
        self.path = path
        self._vfs = vfs
        self._max_delay_s = max_delay_s
        self._writer = _Writer(file.connect(path, write=True, vfs=vfs), path)
        self._changed = threading.Condition(threading.Lock())
        self._next = _Batch()
        self._flying: _Batch | None = None
        self._urgent = self._closed = self._untold = False
        self._failed: JournalError | None = None
        self._thread: threading.Thread | None = None
        self._log: SqliteLog | None = None

    @property
    def log(self) -> SqliteLog:
        """The reading side, on a connection of its own; it sees what is durable."""
        if self._log is None:
            self._log = SqliteLog(self.path, vfs=self._vfs)
        return self._log

    def append(self, record: Record) -> None:
        """Queue a record for the next commit. Raises JournalError for what cannot be written, and after a failure."""
        entry = Entry.of(record, self._writer.log)
        with self._changed:
            self._check()
            self._next.entries.append(entry)
            if len(self._next.entries) == 1:
                self._wake()

    async def flush(self) -> None:
        """Return when everything appended so far is durable; raises JournalError if it cannot be made so."""
        loop = asyncio.get_running_loop()
        with self._changed:
            self._check()
            batch = self._next if self._next.entries else self._flying
            if batch is None:
                return
            done = loop.create_future()
            batch.waiting.setdefault(loop, []).append(done)
            if batch is self._next and not self._urgent:
                self._urgent = True
                self._wake()
        await done

    def close(self) -> None:
        """Commit what is queued and let go of the file. Raises a JournalError that nobody was told of yet."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        if self._log is not None:
            self._log.close()
            self._log = None
        self._writer.close(snapshot=self._failed is None)
        if self._failed is not None and self._untold:
            self._untold = False
            raise self._failed

    def __enter__(self) -> SqliteJournal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check(self) -> None:
        if self._failed is not None:
            self._untold = False
            raise JournalError(self._failed.what, todo=self._failed.todo)
        if self._closed:
            raise JournalError(f"the journal {self.path} is closed", todo="open it again")

    def _wake(self) -> None:
        """Have the writer thread look; started by the first record."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="ringfence-journal", daemon=True)
            self._thread.start()
        else:
            self._changed.notify()

    def _work(self) -> None:
        while (batch := self._take()) is not None:
            failure: JournalError | None = None
            try:
                self._writer.commit(batch.entries)
            except JournalError as error:
                failure = error
            except apsw.Error as error:
                failure = file.explain(error, self.path)
            except Exception as error:
                failure = JournalError(f"the journal failed in our own code: {error!r}", todo="please report it")
            with self._changed:
                self._flying = None
                waiting = list(batch.waiting.items())
                if failure is not None:
                    self._failed = failure
                    waiting += self._next.waiting.items()
                    self._untold = not waiting
            for loop, futures in waiting:
                with contextlib.suppress(RuntimeError):  # that loop was closed, and nobody waits there
                    loop.call_soon_threadsafe(_settle, futures, failure)
            if failure is not None:
                return

    def _take(self) -> _Batch | None:
        """The next batch once it is due; None when the journal is closed and all is written."""
        with self._changed:
            while not self._next.entries:
                if self._closed:
                    return None
                self._changed.wait()
            due = time.monotonic() + self._max_delay_s
            while not (self._urgent or self._closed) and (left := due - time.monotonic()) > 0:
                self._changed.wait(left)
            self._flying, self._next, self._urgent = self._next, _Batch(), False
            return self._flying


def _settle(futures: list[asyncio.Future[None]], failure: JournalError | None) -> None:
    for future in futures:
        if future.done():
            continue
        if failure is None:
            future.set_result(None)
        else:
            future.set_exception(JournalError(failure.what, todo=failure.todo))


class _Writer:
    """Places records after the end of the log, in one transaction a batch. Used by one thread at a time."""

    def __init__(self, db: apsw.Connection, path: Path) -> None:
        self._db = db
        self._path = path
        self.log = file.meta(db, "log")
        self._squeeze = Squeeze(file.meta(db, "dictionary").encode())
        self._keys: dict[str, bytes] = {}
        self._seqs: dict[str, int] = {}  # the next seq of a run, while we are the only one who wrote to it
        try:
            newest = db.execute("SELECT size, peaks FROM snapshots ORDER BY size DESC LIMIT 1").get
            self._frontier = chain.Frontier(newest[0], _hashes(newest[1])) if newest else chain.Frontier()
            self._snapshot = self._frontier.size
            self._catch_up()
        except apsw.Error as error:
            db.close(True)
            raise file.explain(error, path) from error
        except ValueError as error:
            db.close(True)
            raise JournalError(f"the journal {path} is damaged: {error}", todo=DAMAGED_TODO) from error

    def commit(self, entries: Sequence[Entry]) -> None:
        """Make the entries durable, all or none."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._catch_up()
            if len(self._seqs) > _CACHED:
                self._seqs.clear()
            chunks, places, talks = [], [], []
            for batch in batches(entries):
                start = self._frontier.size
                places += self._place(batch, start)
                chunks.append((start, *self._seal(batch)))
                talks += [
                    (name, start + at, entry.record.run)
                    for at, entry in enumerate(batch)
                    if (name := conversation_of(entry.record)) is not None
                ]
            self._db.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?)", chunks)
            self._db.executemany("INSERT INTO places VALUES (?, ?, ?, ?)", places)
            if talks:
                self._db.executemany("INSERT INTO conversations VALUES (?, ?, ?)", talks)
            if self._frontier.size - self._snapshot >= _SNAPSHOT_RECORDS:
                self._keep_snapshot()
            self._db.execute("COMMIT")
        except BaseException:
            file.rollback(self._db)
            raise
        for entry in entries:
            if entry.record.kind is Kind.FINISHED:
                self._seqs.pop(entry.record.run, None)

    def close(self, *, snapshot: bool) -> None:
        """Let go of the file; with `snapshot` the next one who opens it has nothing to read again."""
        try:
            if snapshot and self._frontier.size > self._snapshot:
                self._db.execute("BEGIN IMMEDIATE")
                self._catch_up()
                self._keep_snapshot()
                self._db.execute("COMMIT")
        except apsw.Error:
            file.rollback(self._db)  # a snapshot only saves time
        finally:
            self._db.close(True)

    def _catch_up(self) -> None:
        """Take in what other processes have appended since, so that our records follow theirs."""
        rows = self._db.execute("SELECT idx, leaves FROM chunks WHERE idx >= ? ORDER BY idx", (self._frontier.size,))
        for index, leaves in rows:
            if index != self._frontier.size:
                raise ValueError(f"after {self._frontier.size} records comes one with index {index}")
            for leaf in _hashes(leaves):
                self._frontier.append(leaf)
            self._seqs.clear()

    def _place(self, batch: Sequence[Entry], start: int) -> list[tuple[str, int, int, int]]:
        """Rows of `places`: which records of which run are in the chunk. Fences a second writer of a run out."""
        spans: dict[str, list[int]] = {}
        for entry in batch:
            run, seq = entry.record.run, entry.record.seq
            expected = self._next_seq(run)
            if seq < expected:
                raise JournalError(
                    f"run {run} is being written by another process: record {seq} is in the log already",
                    todo=f"let the other one finish, then `ringfence runs show {run}`",
                )
            if seq > expected:
                raise InternalError(f"run {run}: record {seq} was appended, and the next one is {expected}")
            self._seqs[run] = seq + 1
            spans.setdefault(run, [seq, seq])[1] = seq
        return [(run, first, last, start) for run, (first, last) in spans.items()]

    def _next_seq(self, run: str) -> int:
        expected = self._seqs.get(run)
        if expected is None:
            last = self._db.execute("SELECT last FROM places WHERE run = ? ORDER BY seq DESC LIMIT 1", (run,)).get
            expected = 0 if last is None else last + 1
        return expected

    def _seal(self, batch: Sequence[Entry]) -> tuple[bytes, bytes, bytes]:
        """Leaves, heads and bodies of a chunk; its records enter the tree."""
        frontier, heads, leaves = self._frontier, [], []
        for entry in batch:
            commitment = chain.commitment(self._key(entry.record.principal), entry.body)
            head = entry.head(frontier.size, commitment)
            leaf = chain.leaf(head)
            frontier.append(leaf)
            heads.append(head)
            leaves.append(leaf)
        return b"".join(leaves), self._squeeze.pack(heads), self._squeeze.pack([entry.body for entry in batch])

    def _key(self, subject: str) -> bytes:
        """The subject's key for commitments, made on first use."""
        key = self._keys.get(subject)
        if key is None:
            key = self._db.execute("SELECT key FROM keys WHERE subject = ?", (subject,)).get
            if key is None:
                key = secrets.token_bytes(32)
                self._db.execute("INSERT INTO keys VALUES (?, ?)", (subject, key))
            if len(self._keys) >= _CACHED:
                self._keys.clear()
            self._keys[subject] = key
        return key

    def _keep_snapshot(self) -> None:
        frontier = self._frontier
        row = (frontier.size, frontier.root(), b"".join(frontier.peaks))
        self._db.execute("INSERT OR IGNORE INTO snapshots VALUES (?, ?, ?)", row)
        self._snapshot = frontier.size


def _hashes(data: bytes) -> tuple[bytes, ...]:
    if len(data) % LEAF_BYTES:
        raise ValueError(f"{len(data)} bytes of hashes are no multiple of {LEAF_BYTES}")
    return tuple(data[at : at + LEAF_BYTES] for at in range(0, len(data), LEAF_BYTES))
