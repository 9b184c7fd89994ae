"""Recompute a log from its bytes: every commitment, header, leaf and root, and that nothing is missing between."""

from __future__ import annotations

from collections.abc import Iterator

import apsw

from ..core import chain
from ..core.chain import Kind, Record
from ..core.errors import JournalError
from .log import VerifyReport, conversation_of
from .rows import Chunk, Squeeze, parse, record_of

_CACHED = 4096


class _Wrong(Exception):
    """What is wrong, in words."""


def verify(db: apsw.Connection, log: str, squeeze: Squeeze) -> VerifyReport:
    """Memory is bounded by the runs that are open at once, never by the length of the log."""
    check = _Check(db, log, squeeze)
    problem = ""
    try:
        check.all()
    except _Wrong as wrong:
        problem = str(wrong)
    return VerifyReport(check.frontier.size, check.runs, check.frontier.root().hex(), problem)


class _Check:
    def __init__(self, db: apsw.Connection, log: str, squeeze: Squeeze) -> None:
        self._db = db
        self._log = log
        self._squeeze = squeeze
        self._keys: dict[str, bytes] = {}
        self._open: dict[str, int] = {}  # the next seq of the runs that have not finished
        self._places = self._talks = self._here = self.runs = 0
        self._newest = -1
        self.frontier = chain.Frontier()

    def all(self) -> None:
        """Raises _Wrong for the first thing that is wrong."""
        snapshots = self._snapshots()
        due = next(snapshots, None)
        for row in self._db.execute("SELECT * FROM chunks ORDER BY idx"):
            self._chunk(self._row(row))
            while due is not None and due[0] <= self.frontier.size:
                self._snapshot(*due)
                due = next(snapshots, None)
        if due is not None:
            raise _Wrong(
                f"the log ends after {self.frontier.size} records, but it had {due[0]}: records were removed at its end"
            )
        for table, seen in (("places", self._places), ("conversations", self._talks)):
            stored = self._db.execute(f"SELECT count(*) FROM {table}").get
            if stored != seen:
                raise _Wrong(f"the index {table} has {stored} rows, and the records make {seen}")

    def _row(self, row: tuple[object, ...]) -> Chunk:
        try:
            return Chunk.of(row)
        except JournalError as error:
            raise _Wrong(f"after {self.frontier.size} records: {error.what}") from error

    def _snapshots(self) -> Iterator[tuple[int, bytes, bytes]]:
        yield from self._db.execute("SELECT size, root, peaks FROM snapshots ORDER BY size")

    def _snapshot(self, size: int, root: bytes, peaks: bytes) -> None:
        frontier = self.frontier
        if size != frontier.size or root != frontier.root() or peaks != b"".join(frontier.peaks):
            raise _Wrong(f"the root over the first {size} records is not the one that was kept with them")

    def _chunk(self, chunk: Chunk) -> None:
        if chunk.index != self.frontier.size:
            raise _Wrong(f"after {self.frontier.size} records comes one with index {chunk.index}: records are missing")
        try:
            lines = chunk.lines(self._squeeze)
        except JournalError as error:
            raise _Wrong(f"records {chunk.index} to {chunk.index + max(len(chunk), 1) - 1}: {error.what}") from error
        self._here = chunk.index
        spans: dict[str, list[int]] = {}
        for at, (head, body) in enumerate(lines):
            record = self._record(head, body, chunk.mark(at))
            spans.setdefault(record.run, [record.seq, record.seq])[1] = record.seq
        for run, (first, last) in spans.items():
            place = self._db.execute("SELECT last, idx FROM places WHERE run = ? AND seq = ?", (run, first)).fetchone()
            if place != (last, chunk.index):
                raise _Wrong(f"run {run}: the index places does not lead to its records {first} to {last}")
        self._places += len(spans)
        if any(first == 0 for first, _ in spans.values()):
            self._newest = chunk.index
        if chunk.newest != self._newest:
            raise _Wrong(f"record {chunk.index}: it says that the newest run before it starts elsewhere than it does")

    def _record(self, head: bytes, body: bytes, mark: bytes) -> Record:
        index = self.frontier.size
        leaf = chain.leaf(head)
        if leaf[: len(mark)] != mark:
            raise _Wrong(f"record {index}: its header was changed (it does not hash to its mark){_name(head)}")
        try:
            parsed = parse(head)
            record = record_of(parsed, body)
            stated = bytes.fromhex(parsed["body"])
            again = chain.header(record, log=self._log, index=index, body=stated)
        except (JournalError, ValueError, TypeError, KeyError) as error:
            what = error.what if isinstance(error, JournalError) else repr(error)
            raise _Wrong(f"record {index}{_name(head)}: {what}") from error
        where = f"record {index} (run {record.run}, seq {record.seq}, {record.kind})"
        if head != again:
            raise _Wrong(f"{where}: its header is not of this log and place: it was moved here or written by hand")
        if chain.commitment(self._key(record.principal, where), body) != stated:
            raise _Wrong(f"{where}: its body was changed (it does not match the commitment in its header)")
        self._sequence(record, where)
        self._conversation(record, where)
        self.frontier.append(leaf)
        return record

    def _sequence(self, record: Record, where: str) -> None:
        """Each run is dense from 0, and nothing follows its end."""
        expected = self._open.get(record.run, 0)
        if record.seq != expected:
            raise _Wrong(f"{where}: record {expected} of this run should be here")
        if record.seq == 0:
            self.runs += 1
            first = self._db.execute("SELECT min(idx) FROM places WHERE run = ?", (record.run,)).get
            if first != self._here:
                raise _Wrong(f"{where}: the index places has this run begin elsewhere, or it began before")
        if record.kind is Kind.FINISHED:
            self._open.pop(record.run, None)
        else:
            self._open[record.run] = record.seq + 1

    def _conversation(self, record: Record, where: str) -> None:
        name = conversation_of(record)
        if name is None:
            return
        row = self._db.execute(
            "SELECT run FROM conversations WHERE conversation = ? AND idx = ?", (name, self.frontier.size)
        ).get
        if row != record.run:
            raise _Wrong(f"{where}: the index conversations does not lead to it")
        self._talks += 1

    def _key(self, subject: str, where: str) -> bytes:
        key = self._keys.get(subject)
        if key is None:
            key = self._db.execute("SELECT key FROM keys WHERE subject = ?", (subject,)).get
            if not isinstance(key, bytes):
                raise _Wrong(f"{where}: the key of {subject} is gone, so its body cannot be checked")
            if len(self._keys) >= _CACHED:
                self._keys.clear()
            self._keys[subject] = key
        return key


def _name(head: bytes) -> str:
    """Whose record it claims to be, as far as it can be read."""
    try:
        value = parse(head)
        return f" (it says: run {value['run']}, seq {value['seq']}, {value['kind']})"
    except (JournalError, KeyError):
        return ""
