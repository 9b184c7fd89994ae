"""The reading side of the journal file: a connection of its own, that cannot write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core import chain
from ..core.chain import Kind, Record
from ..core.errors import JournalError
from ..core.values import JSON
from . import file
from .log import Pair, RunSummary, VerifyReport, only, summarise
from .rows import MARK_BYTES, Chunk, Squeeze, damaged, marker, parse, record_of
from .verify import verify

_CHUNK = "SELECT * FROM chunks WHERE idx = ?"
_INTENT = b'"kind":"intent"'  # in a header
_LATE_MS = 10_000  # a record is in the log so much after it was made, at most
_Found = tuple[dict[str, JSON], bytes]  # a header and its body's bytes


class SqliteLog:
    """`log.Log` on a journal file that other connections and processes may be writing to. For one thread at a time.

    Every method may raise JournalError for a file that is damaged or gone.
    """

    def __init__(self, path: Path, *, vfs: str | None = None) -> None:
        self._path = path
        self._db = file.connect(path, write=False, vfs=vfs)
        try:
            with file.faults(path):
                self.id, preset = file.meta(self._db)
        except JournalError:
            self._db.close(True)
            raise
        self._squeeze = Squeeze(preset)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close(True)

    def __enter__(self) -> SqliteLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def size(self) -> int:
        """Durable records."""
        with self._reading():
            row = self._db.execute("SELECT * FROM chunks ORDER BY idx DESC LIMIT 1").fetchone()
            return 0 if row is None else (chunk := Chunk.of(row)).index + len(chunk)

    def headers(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Each header's bytes from index `start` to before `stop`."""
        with self._reading():
            first = self._db.execute("SELECT max(idx) FROM chunks WHERE idx <= ?", (start,)).get or 0
            for row in self._db.execute("SELECT * FROM chunks WHERE idx >= ? ORDER BY idx", (first,)):
                chunk = Chunk.of(row)
                for index, head in enumerate(self._squeeze.unpack(chunk.heads), chunk.index):
                    if stop is not None and index >= stop:
                        return
                    if index >= start:
                        yield head

    def read(self, run: str) -> list[Record]:
        """The durable records of a run in order of `seq`; empty for a run that is not in the log."""
        with self._reading():
            return [record_of(head, body) for head, body in self._run(run)]

    def export(self, run: str) -> Iterator[dict[str, JSON]]:
        """The records of a run as JSON objects: the header as it was hashed, and the body under `content`."""
        with self._reading():
            found = list(self._run(run))
        for head, body in found:
            yield {**head, "content": record_of(head, body).body}

    def runs(self, limit: int = 50, *, before: int | None = None) -> list[RunSummary]:
        """At most `limit` runs, the newest first; with `before`, those whose first record has a lower index."""
        summaries: list[RunSummary] = []
        with self._reading():
            for first in self._starts(before):
                if len(summaries) >= limit:
                    break
                run = first[0]["run"]
                summaries.append(summarise(first[0]["index"], record_of(*first), record_of(*self._last(run))))
        return summaries

    def find(self, prefix: str) -> str:
        """The one run whose id starts with `prefix`; raises JournalError if there is none or more than one."""
        with self._reading():
            rows = self._rows(
                "SELECT run FROM places WHERE run >= ? AND run < ? AND seq = 0 ORDER BY run LIMIT 6",
                prefix,
                prefix + "\U0010ffff",
            )
            return only(prefix, [run for (run,) in rows])

    def window(self, conversation: str, limit: int) -> list[Pair]:
        """Start and end of the newest `limit` runs of a conversation, oldest first. Costs the same in a long one."""
        with self._reading():
            rows = self._rows(
                "SELECT run FROM conversations WHERE conversation = ? ORDER BY idx DESC LIMIT ?", conversation, limit
            )
            pairs: list[Pair] = []
            for (run,) in reversed(rows):
                last = record_of(*self._last(run))
                pairs.append((record_of(*self._at(run, 0)), last if last.kind is Kind.FINISHED else None))
            return pairs

    def intents(self, since: int, place: int = 0) -> tuple[list[Record], int]:
        """Every intent from `place` on that may be as young as `since`, and the next place. Costs what is new."""
        found: list[Record] = []
        end = place
        with self._reading():
            for row in self._db.execute("SELECT * FROM chunks WHERE idx >= ? ORDER BY idx DESC", (place,)):
                chunk = Chunk.of(row)
                end = max(end, chunk.index + len(chunk))
                records = [record_of(*line) for line in self._lines(chunk, _INTENT)]
                found += (record for record in reversed(records) if record.kind is Kind.INTENT)
                if self._ended(chunk) < since - _LATE_MS:
                    break
        return found[::-1], end

    def _ended(self, chunk: Chunk) -> int:
        """When the last record of a chunk was made."""
        return int(parse(self._squeeze.unpack(chunk.heads)[-1])["time"])

    def verify(self) -> VerifyReport:
        """Recompute everything from the bytes that are stored, in flat memory."""
        with self._reading():
            return verify(self._db, self.id, self._squeeze)

    def _starts(self, before: int | None) -> Iterator[_Found]:
        """The first records of runs, the newest first: each chunk says where the one before it is."""
        end = 1 << 62 if before is None else before
        while newest := self._rows("SELECT newest FROM chunks WHERE idx < ? ORDER BY idx DESC LIMIT 1", end):
            row = self._db.execute(_CHUNK, newest[0]).fetchone()
            if row is None:
                return
            chunk = Chunk.of(row)
            if chunk.index >= end:  # damage that would lead round in circles
                raise damaged(f"the runs before record {end} are said to start at record {chunk.index}")
            for parsed, body in reversed(list(self._lines(chunk, b',"seq":0,'))):
                if parsed["seq"] == 0 and (before is None or parsed["index"] < before):
                    yield parsed, body
            end = chunk.index

    def _run(self, run: str) -> Iterator[_Found]:
        rows = self._rows("SELECT idx, seq, last FROM places WHERE run = ? ORDER BY seq", run)
        for index, first, last in rows:
            yield from self._pick(index, run, range(first, last + 1))

    def _at(self, run: str, seq: int) -> _Found:
        """One record of a run that is known to be there."""
        row = self._db.execute(
            "SELECT idx FROM places WHERE run = ? AND seq <= ? ORDER BY seq DESC LIMIT 1", (run, seq)
        ).get
        return self._pick(row, run, (seq,))[0]

    def _last(self, run: str) -> _Found:
        return self._at(
            run, self._db.execute("SELECT last FROM places WHERE run = ? ORDER BY seq DESC LIMIT 1", (run,)).get
        )

    def _pick(self, index: int, run: str, seqs: Iterable[int]) -> list[_Found]:
        """Some records of a run out of one chunk."""
        row = self._db.execute(_CHUNK, (index,)).fetchone()
        if row is None:
            raise damaged(f"the records from {index} on, of run {run}, are gone")
        lines = self._lines(Chunk.of(row), marker(run))
        found = {head["seq"]: (head, body) for head, body in lines if head["run"] == run}
        for seq in seqs:
            if seq not in found:
                raise damaged(f"record {seq} of run {run} is not where it should be")
        return [found[seq] for seq in seqs]

    def _lines(self, chunk: Chunk, needle: bytes) -> Iterator[_Found]:
        """The lines of a chunk whose header holds `needle`, if each is as it was written: a run goes on from these."""
        for at, (head, body) in enumerate(chunk.lines(self._squeeze)):
            if needle not in head:
                continue
            where = f"record {chunk.index + at} is not as it was written: its"
            if chain.leaf(head)[:MARK_BYTES] != chunk.mark(at):
                raise damaged(f"{where} header does not hash to its mark")
            parsed = parse(head)
            key = self._db.execute("SELECT key FROM keys WHERE subject = ?", (parsed["principal"],)).get
            if key is None or chain.commitment(key, body).hex() != parsed["body"]:
                raise damaged(f"{where} body does not match the commitment in its header")
            yield parsed, body

    def _rows(self, sql: str, *values: str | int) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, values).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """One consistent state of the file, and faults in words."""
        with file.faults(self._path):
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                file.rollback(self._db)
