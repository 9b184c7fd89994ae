"""What is written, where and under which keys: one transaction a batch, the tree and its signed heads with it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import apsw

from ..core import chain
from ..core.chain import Kind
from ..core.errors import InternalError, JournalError
from . import file, starts, tasks
from .log import conversation_of
from .parcels import Parcels
from .rows import MARK_BYTES, Chunk, Entry, Squeeze, batches, damaged
from .vault import Lock, Vault, month_of

_SNAPSHOT_RECORDS = 256
_CACHED = 4096  # live runs remembered; they are looked up again when forgotten
State = tuple[str, int, bytes]  # a run, the record at which it had become this, and what it was


class Notary(Protocol):
    """Signs heads of the log, and hands them on to whoever keeps them.

    required  an effect waits until the head over its intent is kept everywhere
    every_ms  between two heads, at least; a run's end always makes one
    troubles  what kept the newest head from being signed, or from getting where it should be
    """

    required: bool
    every_ms: int
    troubles: tuple[str, ...]

    def sign(self, log: str, size: int, root: bytes, time: int) -> str:
        """The signed head, as a note; raises JournalError if it cannot be signed."""
        ...

    def publish(self, note: str, *, wait: bool) -> None:
        """Hand a head on; with `wait`, raises JournalError unless everybody has it when this returns."""
        ...

    def close(self) -> None:
        """The last head was handed on, or could not be."""
        ...


class Writer:
    """Places records after the end of the log. Used by one thread at a time.

    note      the newest head of ours; `fresh` if nobody was given it yet
    unsigned  why the last head that was due could not be signed
    cosigned  heads with further signatures, by size: kept at the next commit
    """

    def __init__(self, db: apsw.Connection, path: Path, vault: Vault, notary: Notary | None) -> None:
        self._db = db
        self._path = path
        self._vault = vault
        self._notary = notary
        self._seqs: dict[str, int] = {}  # the next seq of a run, while we are the only one who wrote to it
        self._about: dict[str, tuple[str, ...]] = {}  # whom a run is about, beside its principal
        self.note, self.fresh = "", False
        self.unsigned: JournalError | None = None
        self._now, self._headed = 0, (0, 0)  # the newest record's time; the size of our newest head, and its time
        self._written = 0  # where our newest record ends
        self.cosigned: dict[int, str] = {}
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
        self._parcels = Parcels(self.log, self._squeeze, self._vault)
        starts.ensure(db, self._squeeze)
        try:
            kept = db.execute("SELECT size, peaks FROM snapshots ORDER BY size DESC LIMIT 1").get
            self._frontier = chain.Frontier(kept[0], _hashes(kept[1])) if kept else chain.Frontier()
            self._snapshot = self._frontier.size
            self._newest = db.execute("SELECT newest FROM chunks ORDER BY idx DESC LIMIT 1").get
            self._newest = -1 if self._newest is None else self._newest
        except (TypeError, ValueError) as error:
            raise damaged(f"its newest snapshot cannot be used ({error})") from error
        self._catch_up()

    @property
    def newest_head(self) -> str | None:
        """The last head that is kept, whoever signed it: a rotation may have come between. On the writer's thread."""
        newest: Any = self._db.execute("SELECT note FROM heads ORDER BY id DESC LIMIT 1").get
        return newest  # type: ignore[no-any-return]

    def commit(self, entries: Sequence[Entry], states: Sequence[State] = (), *, head: bool = False) -> None:
        """Make the entries durable, all or none; with `head`, a signed head over them too."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._catch_up()
            self._vault.refresh()
            if len(self._seqs) > _CACHED:
                self._forget()
            for batch in batches(entries):
                self._chunk(batch)
            for run, seq, state in states:
                self._keep_state(run, seq, state, entries)
            ended = [entry.record.run for entry in entries if entry.record.kind is Kind.FINISHED]
            for run in ended:
                self._db.execute("DELETE FROM states WHERE run = ?", (run,))
            if self._frontier.size - self._snapshot >= _SNAPSHOT_RECORDS:
                self._keep_snapshot()
            self._keep_heads(entries, due=head or bool(ended))
            self._db.execute("COMMIT")
        except BaseException:
            file.rollback(self._db)
            raise
        for run in ended:
            self._seqs.pop(run, None)
            self._about.pop(run, None)

    def conclude(self) -> None:
        """Keep what is only known at the end: a head over records of ours that none is over, and cosigned heads.

        The next one who opens the log has nothing to read again.
        """
        ours = self._written > self._headed[0]
        if not (ours or self.cosigned or self._frontier.size > self._snapshot):
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._catch_up()
            self._keep_snapshot()
            self._keep_heads((), due=ours)
            self._db.execute("COMMIT")
        except (apsw.Error, JournalError):
            file.rollback(self._db)  # a snapshot only saves time, and a head can be made later

    def close(self) -> None:
        """Let go of the file."""
        with contextlib.suppress(apsw.Error):  # of the last checkpoint; what is committed is in the write-ahead log
            self._db.close(True)

    def hand_over(self, note: Callable[[int, bytes], str]) -> str:
        """Keep a head made by `note`, of the size and the root that the log has now."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._catch_up()
            made = note(self._frontier.size, self._frontier.root())
            self._db.execute("INSERT INTO heads(size, note) VALUES (?, ?)", (self._frontier.size, made))
            self._db.execute("COMMIT")
        except BaseException:
            file.rollback(self._db)
            raise
        return made

    def _catch_up(self) -> None:
        """Take in what other processes have appended since, so that our records follow theirs."""
        rows = self._db.execute("SELECT * FROM chunks WHERE idx >= ? ORDER BY idx", (self._frontier.size,))
        for row in rows:
            chunk = Chunk.of(row)
            if chunk.index != self._frontier.size:
                raise damaged(f"after {self._frontier.size} records comes one with index {chunk.index}")
            for head in chunk.lines(self._squeeze):
                self._frontier.append(chain.leaf(head))
            self._newest = chunk.newest
            self._forget()

    def _forget(self) -> None:
        self._seqs.clear()
        self._about.clear()

    def _chunk(self, batch: Sequence[Entry]) -> None:
        """One row of `chunks`, and what leads to it."""
        start = self._frontier.size
        places = self._place(batch, start)
        talks = [
            (self._vault.tag(name), start + at, entry.record.run)
            for at, entry in enumerate(batch)
            if (name := conversation_of(entry.record)) is not None
        ]
        if any(entry.record.seq == 0 for entry in batch):
            self._newest = start
        locks = [self._lock(entry) for entry in batch]
        marks, heads = self._heads_of(batch, locks)
        bodies = self._parcels.pack([entry.body for entry in batch], locks, start)
        row = (start, self._newest, marks, self._squeeze.pack(heads), bodies)
        self._db.execute("INSERT INTO chunks VALUES (?, ?, ?, ?, ?)", row)
        self._db.executemany("INSERT INTO places VALUES (?, ?, ?, ?)", places)
        starts.add(self._db, batch, start)
        starts.end(self._db, batch)
        tasks.add(self._db, self._parcels, batch, locks, start)
        if talks:
            self._db.executemany("INSERT INTO conversations VALUES (?, ?, ?)", talks)

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

    def _heads_of(self, batch: Sequence[Entry], locks: Sequence[Lock]) -> tuple[bytes, list[bytes]]:
        """Marks and headers; the records enter the tree."""
        frontier, heads, marks = self._frontier, [], []
        for entry, lock in zip(batch, locks, strict=True):
            head = entry.head(frontier.size, chain.commitment(lock.commit, entry.body))
            leaf = chain.leaf(head)
            frontier.append(leaf)
            heads.append(head)
            marks.append(leaf[:MARK_BYTES])
        return b"".join(marks), heads

    def _lock(self, entry: Entry) -> Lock:
        """What a body is sealed with: the keys of all whom the run is about by then, of its principal if of nobody."""
        record = entry.record
        about = self._whom(record.run)
        if fresh := [name for name in dict.fromkeys(record.view.get("subjects", ())) if name not in about]:
            about = self._about[record.run] = tuple(sorted((*about, *fresh)))
            rows = [(record.run, subject, record.seq) for subject in fresh]
            self._db.executemany("INSERT INTO subjects VALUES (?, ?, ?)", rows)
        return self._vault.lock(about or (record.principal,), month_of(record.time))

    def _whom(self, run: str) -> tuple[str, ...]:
        if run not in self._about:
            rows = self._db.execute("SELECT subject FROM subjects WHERE run = ? ORDER BY subject", (run,)).fetchall()
            self._about[run] = tuple(str(subject) for (subject,) in rows)
        return self._about[run]

    def _keep_state(self, run: str, seq: int, state: bytes, entries: Sequence[Entry]) -> None:
        entry = next((entry for entry in entries if entry.record.run == run and entry.record.seq == seq), None)
        if entry is not None:  # its record was refused or came earlier: what only saves time is not kept
            sealed = self._parcels.seal_state(state, self._lock(entry), run, seq)
            self._db.execute("INSERT OR REPLACE INTO states VALUES (?, ?, ?)", (run, seq, sealed))

    def _keep_snapshot(self) -> None:
        frontier = self._frontier
        row = (frontier.size, frontier.root(), b"".join(frontier.peaks))
        self._db.execute("INSERT OR IGNORE INTO snapshots VALUES (?, ?, ?)", row)
        self._snapshot = frontier.size

    def _keep_heads(self, entries: Sequence[Entry], *, due: bool) -> None:
        """Sign a head if one is due, and keep it; one that cannot be signed stops only those who wait for it."""
        for size, note in [self.cosigned.popitem() for _ in range(len(self.cosigned))]:
            # of the same text: a head that hands the log over may have the same size
            self._db.execute(
                "UPDATE heads SET note = ?1 WHERE size = ?2 AND substr(?1, 1, length(note)) = note", (note, size)
            )
        if entries:
            self._now, self._written = entries[-1].record.time, self._frontier.size
        size, (headed, when) = self._frontier.size, self._headed
        if self._notary is None or size == headed or not (due or self._now - when >= self._notary.every_ms):
            return
        try:
            self.note = self._notary.sign(self.log, size, self._frontier.root(), self._now)
        except JournalError as error:
            self.unsigned = error
            return
        self.unsigned = None
        self._db.execute("INSERT INTO heads(size, note) VALUES (?, ?)", (size, self.note))
        self.fresh, self._headed = True, (size, self._now)


def _hashes(data: bytes) -> tuple[bytes, ...]:
    return tuple(data[at : at + 32] for at in range(0, len(data), 32))
