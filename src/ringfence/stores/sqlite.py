"""The journal on SQLite: one writer thread, commits in groups, durable when `flush` returns (DESIGN 8)."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

import apsw

from ..core import chain
from ..core.chain import Kind, Record
from ..core.errors import InternalError, JournalError
from . import file
from .log import conversation_of
from .reader import SqliteLog
from .rows import MARK_BYTES, Chunk, Entry, Squeeze, batches, damaged

MAX_DELAY_S = 0.005
_SNAPSHOT_RECORDS = 256
_CACHED = 4096  # subjects' keys and live runs remembered; both are looked up again when forgotten

_Loop = asyncio.AbstractEventLoop


@dataclass(slots=True)
class _Batch:
    """What the next commit takes, and who waits for it, by event loop."""

    entries: list[Entry] = field(default_factory=list)
    waiting: dict[_Loop, list[asyncio.Future[None]]] = field(default_factory=dict)
    urgent: bool = False  # the writer thread was told to take it


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
        self._lock = threading.Lock()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._next = _Batch()
        self._flying: _Batch | None = None
        self._closed = self._untold = False
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
        with self._lock:
            self._check()
            batch = self._next
            first = not batch.entries
            batch.entries.append(entry)
        if first:
            self._schedule(batch)

    async def flush(self) -> None:
        """Return when everything appended so far is durable; raises JournalError if it cannot be made so."""
        loop = asyncio.get_running_loop()
        with self._lock:
            self._check()
            batch = self._next if self._next.entries else self._flying
            if batch is None:  # all of it is durable
                return
            done = loop.create_future()
            batch.waiting.setdefault(loop, []).append(done)
        self._hurry(batch)
        await done

    def close(self) -> None:
        """Commit what is queued and let go of the file. Raises a JournalError that nobody was told of yet."""
        with self._lock:
            self._closed = True
            left = self._next
        if left.entries:
            self._hurry(left)
        if self._thread is not None:
            self._wake.put(None)
            self._thread.join()
            self._thread = None
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

    def _schedule(self, batch: _Batch) -> None:
        """See to it that a batch is committed although nobody waits for it: its records ride on the next commit."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._hurry(batch)
        else:
            loop.call_later(self._max_delay_s, self._hurry, batch)

    def _hurry(self, batch: _Batch) -> None:
        """Have the writer thread take a batch as soon as it can, if it has not yet; the first one starts the thread."""
        with self._lock:
            if batch.urgent or batch is not self._next or self._failed is not None:
                return
            batch.urgent = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="ringfence-journal", daemon=True)
                self._thread.start()
        self._wake.put(None)  # not under the lock, which the woken thread takes first

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
            self._done(batch, failure)
            if failure is not None:
                return

    def _take(self) -> _Batch | None:
        """The next batch, as soon as there is a reason to commit it; None when the journal is closed."""
        self._wake.get()
        with self._lock:
            if not self._next.entries:
                return None
            self._flying, self._next = self._next, _Batch()
            return self._flying

    def _done(self, batch: _Batch, failure: JournalError | None) -> None:
        """Tell everybody who waits: one call into each loop, whatever the number of runs."""
        with self._lock:
            self._flying = None
            waiting = list(batch.waiting.items())
            if failure is not None:
                self._failed = failure
                waiting += self._next.waiting.items()
                self._untold = not waiting
        for loop, futures in waiting:
            with contextlib.suppress(RuntimeError):  # that loop was closed, and nobody waits there
                loop.call_soon_threadsafe(_settle, futures, failure)


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
        self._keys: dict[str, bytes] = {}
        self._seqs: dict[str, int] = {}  # the next seq of a run, while we are the only one who wrote to it
        try:
            with file.faults(path):
                self._resume()
        except BaseException:
            db.close(True)
            raise

    def _resume(self) -> None:
        """Where the log stands: the last snapshot, and what came after it."""
        db = self._db
        self.log, preset = file.meta(db)
        self._squeeze = Squeeze(preset)
        try:
            kept = db.execute("SELECT size, peaks FROM snapshots ORDER BY size DESC LIMIT 1").get
            self._frontier = chain.Frontier(kept[0], _hashes(kept[1])) if kept else chain.Frontier()
            self._snapshot = self._frontier.size
            self._newest = db.execute("SELECT newest FROM chunks ORDER BY idx DESC LIMIT 1").get
            self._newest = -1 if self._newest is None else self._newest
        except (TypeError, ValueError) as error:
            raise damaged(f"its newest snapshot cannot be used ({error})") from error
        self._catch_up()

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
                if any(entry.record.seq == 0 for entry in batch):
                    self._newest = start
                chunks.append((start, self._newest, *self._seal(batch)))
                talks += [
                    (name, start + at, entry.record.run)
                    for at, entry in enumerate(batch)
                    if (name := conversation_of(entry.record)) is not None
                ]
            self._db.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?, ?)", chunks)
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
        with contextlib.suppress(apsw.Error):  # of the last checkpoint; what is committed is in the write-ahead log
            self._db.close(True)

    def _catch_up(self) -> None:
        """Take in what other processes have appended since, so that our records follow theirs."""
        rows = self._db.execute("SELECT * FROM chunks WHERE idx >= ? ORDER BY idx", (self._frontier.size,))
        for row in rows:
            chunk = Chunk.of(row)
            if chunk.index != self._frontier.size:
                raise damaged(f"after {self._frontier.size} records comes one with index {chunk.index}")
            for leaf in chunk.hashes(self._squeeze):
                self._frontier.append(leaf)
            self._newest = chunk.newest
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
        """Marks, heads and bodies of a chunk; its records enter the tree."""
        frontier, heads, marks = self._frontier, [], []
        for entry in batch:
            commitment = chain.commitment(self._key(entry.record.principal), entry.body)
            head = entry.head(frontier.size, commitment)
            leaf = chain.leaf(head)
            frontier.append(leaf)
            heads.append(head)
            marks.append(leaf[:MARK_BYTES])
        return b"".join(marks), self._squeeze.pack(heads), self._squeeze.pack([entry.body for entry in batch])

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
    return tuple(data[at : at + 32] for at in range(0, len(data), 32))
