"""The reading side of the journal file: a connection of its own, that cannot write."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from ..core import chain
from ..core.chain import Kind, Record
from ..core.errors import JournalError
from ..core.values import JSON
from . import file, starts, tasks
from .log import Head, Pair, RunSummary, VerifyReport, of_model, only, summarise
from .parcels import Parcels, explained, proven
from .rows import MARK_BYTES, Chunk, Squeeze, damaged, marker, parse, record_of, redacted, sound
from .vault import Sealed, Vault
from .verify import Against, verify

_CHUNK = "SELECT * FROM chunks WHERE idx = ?"
_INTENT = (b'"kind":"intent"',)  # in a header
_OF_MODELS = (b'"sink":"model:', b'"usage":')
_LATE_MS = 10_000  # a record is in the log so much after it was made, at most
_Head = dict[str, JSON]
_Found = tuple[_Head, bytes]  # a header and its body's bytes


class SqliteLog:
    """`log.Log` on a journal file that other connections and processes may be writing to. For one thread at a time.

    Every method may raise JournalError for a file that is damaged or gone; those that give contents, Sealed for what
    cannot be opened. `vault` has the keys; those in `keys/` beside the file if not given.
    """

    def __init__(self, path: Path, *, vault: Vault | None = None, vfs: str | None = None) -> None:
        self._path = path
        self.vault = vault or Vault(path.parent / "keys", write=False)
        self._own = vault is None
        self._index = False  # whether there is one, of runs
        self._db = file.connect(path, write=False, vfs=vfs)
        try:
            with file.faults(path):
                self.id, preset = file.meta(self._db)
        except JournalError:
            self._db.close(True)
            raise
        self._squeeze = Squeeze(preset)
        self._parcels = Parcels(self.id, self._squeeze, self.vault)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close(True)
        if self._own:
            self.vault.close()

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

    def frontier(self, size: int) -> chain.Frontier:
        """The right edge of the tree where it was kept last, at `size` records or before: where a proof may begin."""
        with self._reading():
            rows = self._rows("SELECT size, peaks FROM snapshots WHERE size <= ? ORDER BY size DESC LIMIT 1", size)
        try:
            return chain.Frontier(rows[0][0], tuple(rows[0][1][at : at + 32] for at in range(0, len(rows[0][1]), 32)))
        except (IndexError, TypeError, ValueError):
            return chain.Frontier()  # there is none yet, or it is damaged, which `verify` tells: from the beginning

    def heads(self) -> list[Head]:
        """The signed heads, in order."""
        with self._reading():
            return [Head(*row) for row in self._rows("SELECT size, note FROM heads ORDER BY id")]

    def newest_head(self) -> Head | None:
        """The last of them; costs the same however many there are."""
        with self._reading():
            rows = self._rows("SELECT size, note FROM heads ORDER BY id DESC LIMIT 1")
            return Head(*rows[0]) if rows else None

    def read(self, run: str, start: int = 0, limit: int | None = None) -> list[Record]:
        """The durable records of a run from seq `start` on, in order; empty for a run that is not in the log."""
        with self._reading():
            return [record_of(head, body) for head, body in islice(self._run(run, start), limit)]

    def views(self, run: str) -> list[Record]:
        """The records of a run as readers without a key see them: each body is what was kept of it, redacted."""
        with self._reading():
            return [redacted(head) for index, span in self._spans(run) for _, head in self._pick(index, run, span)[1]]

    def headers_of(self, run: str, start: int = 0, limit: int | None = None) -> list[dict[str, JSON]]:
        """The headers of a run, from seq `start` on, as they were hashed: no content, but what was redacted."""
        with self._reading():
            spans = self._spans(run, start)
            heads = (head for index, span in spans for _, head in self._pick(index, run, span)[1])
            return list(islice(heads, limit))

    def state(self, run: str) -> tuple[int, bytes] | None:
        """What a run had become at a record, if that was kept; raises JournalError if it cannot be opened."""
        with self._reading():
            row = self._db.execute("SELECT seq, sealed FROM states WHERE run = ?", (run,)).fetchone()
            return None if row is None else (row[0], self._parcels.open_state(row[1], run, row[0]))

    def contents(self, run: str, seqs: Container[int]) -> Iterator[tuple[_Head, JSON]]:
        """Header and content of some records of a run; None for content that was destroyed.

        Raises Sealed for what is held and cannot be opened here.
        """
        with self._reading():
            for index, span in self._spans(run):
                chunk, heads = self._pick(index, run, span)
                for at, head in heads:
                    if head["seq"] not in seqs:
                        continue
                    try:
                        body = next(iter(self._whole(chunk, [(at, head)], run)))[1]
                        yield head, json.loads(body)
                    except Sealed as error:
                        if not error.destroyed:
                            raise
                        yield head, None

    def export(self, run: str) -> Iterator[dict[str, JSON]]:
        """The records of a run as JSON objects: the header as it was hashed, and the body under `content`."""
        with self._reading():
            found = list(self._run(run))
        for head, body in found:
            yield {**head, "content": record_of(head, body).body}

    def runs(self, limit: int = 50, *, before: int | None = None, principal: str | None = None) -> list[RunSummary]:
        """At most `limit` runs, the newest first, of one principal or of all; before an index, where one is given."""
        with self._reading():
            if principal is None or not self._indexed:
                mine = (head for head in self._starts(before) if principal in (None, head["principal"]))
                return [self._summed(head["run"]) for head in islice(mine, max(0, limit))]
            rows = self._rows(
                "SELECT run FROM starts WHERE principal = ? AND idx < ? ORDER BY idx DESC LIMIT ?",
                principal, 1 << 62 if before is None else before, max(0, limit),
            )  # fmt: skip
            return [self._summed(run, principal) for (run,) in rows]

    def search(
        self,
        words: str,
        has: Callable[[RunSummary], bool],
        limit: int,
        *,
        principal: str,
        before: int | None,
        most: int,
    ) -> tuple[list[RunSummary], int | None]:
        """A principal's newest runs with these words in their task, whatever their case, that `has` says yes to.

        At most `limit` of them, among the next `most` runs before an index; and the index to go on before, None at the
        end. Of others the task alone is opened. What was destroyed is not found, nor is it by its redacted view.
        """
        summed = partial(self._summed, principal=principal, sealed=False)
        with self._reading():
            rows = tasks.rows(self._db, principal, 1 << 62 if before is None else before, most)
            return tasks.search(rows, self._parcels, summed, words, has, limit, most)

    def unfinished(self, but: Container[str] = ()) -> list[RunSummary]:
        """The runs that have not ended, the oldest first, but for these; by the headers alone."""
        with self._reading():
            if self._indexed:
                open_runs = [run for (run,) in self._rows("SELECT run FROM starts WHERE open ORDER BY idx")]
            else:
                every = [head["run"] for head in self._starts(None)]
                open_runs = [run for run in reversed(every) if self._view(run, self._last(run)).kind != Kind.FINISHED]
            return [replace(self._summed(run, contents=False), task="") for run in open_runs if run not in but]

    def owner(self, run: str) -> str | None:
        """The principal of a run; None for one that is not in the log."""
        with self._reading():
            return self._view(run, 0).principal if self._has(run) else None

    def first(self, run: str) -> Record | None:
        """The first record of a run; None for one that is not in the log."""
        with self._reading():
            return self._at(run, 0) if self._has(run) else None

    def last(self, run: str) -> Record | None:
        """The last record of a run, without its content."""
        with self._reading():
            return self._view(run, self._last(run)) if self._has(run) else None

    def _has(self, run: str) -> bool:
        return bool(self._rows("SELECT 1 FROM places WHERE run = ? AND seq = 0", run))

    @property
    def _indexed(self) -> bool:
        """Whether the index of runs is there: an earlier version's journal has none until it is opened for writing."""
        self._index = self._index or starts.there(self._db)
        return self._index

    def _summed(
        self, run: str, principal: str | None = None, *, contents: bool = True, sealed: bool = True
    ) -> RunSummary:
        """A run in one line, of one that is `sealed` by its redacted view, or raises Sealed where that will not do.

        Raises JournalError if it is not this principal's: an index alone shows nobody's.
        """
        chunk, heads = self._one(run, 0)
        head = heads[0][1]
        if principal not in (None, head["principal"]):
            raise damaged(f"the index says that run {run} is of {principal}, and it is not")
        first = redacted(head)
        if contents:
            with suppress(*(Sealed,) * sealed):
                first = record_of(*next(iter(self._whole(chunk, heads, run))))
        return summarise(head["index"], first, self._view(run, self._last(run)))

    def summary(self, run: str) -> RunSummary | None:
        """One run by its whole id; None for one that is not in the log."""
        with self._reading():
            return self._summed(run) if self._has(run) else None

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
                "SELECT run FROM conversations WHERE conversation = ? ORDER BY idx DESC LIMIT ?",
                self.vault.tag(conversation),
                limit,
            )
            pairs: list[Pair] = []
            for (run,) in reversed(rows):
                end = self._last(run)
                finished = self._view(run, end).kind is Kind.FINISHED
                with suppress(Sealed):  # what was erased is not shown to the model either
                    pairs.append((self._at(run, 0), self._at(run, end) if finished else None))
            return pairs

    def intents(self, since: int, place: int = 0) -> tuple[list[Record], int]:
        """Every intent from `place` on that may be as young as `since`, and the next place. Costs what is new."""
        return self._since(since, place, _INTENT, lambda record: record.kind is Kind.INTENT)

    def models(self, since: int, place: int = 0) -> tuple[list[Record], int]:
        """Every request to a model from `place` on, and what each answer used, as `intents`."""
        return self._since(since, place, _OF_MODELS, of_model)

    def _since(
        self, since: int, place: int, needles: Sequence[bytes], wanted: Callable[[Record], bool]
    ) -> tuple[list[Record], int]:
        found: list[Record] = []
        end = place
        with self._reading():
            for row in self._db.execute("SELECT * FROM chunks WHERE idx >= ? ORDER BY idx DESC", (place,)):
                chunk = Chunk.of(row)
                end = max(end, chunk.index + len(chunk))
                records = [redacted(head) for _, head in self._heads(chunk, *needles)]
                found += filter(wanted, reversed(records))
                if self._ended(chunk) < since - _LATE_MS:
                    break
        return found[::-1], end

    def _ended(self, chunk: Chunk) -> int:
        """When the last record of a chunk was made."""
        return int(parse(self._squeeze.unpack(chunk.heads)[-1])["time"])

    def verify(self, against: Against | None = None, *, bodies: bool = True) -> VerifyReport:
        """Recompute everything from the bytes that are stored, in flat memory; `bodies` where there are keys."""
        with self._reading():
            return verify(self._db, self.id, self._squeeze, self.vault if bodies else None, against)

    def _starts(self, before: int | None) -> Iterator[_Head]:
        """The headers of the first records of runs, the newest first: each chunk says where the one before it is."""
        end = 1 << 62 if before is None else before
        while newest := self._rows("SELECT newest FROM chunks WHERE idx < ? ORDER BY idx DESC LIMIT 1", end):
            row = self._db.execute(_CHUNK, newest[0]).fetchone()
            if row is None:
                return
            chunk = Chunk.of(row)
            if chunk.index >= end:  # damage that would lead round in circles
                raise damaged(f"the runs before record {end} are said to start at record {chunk.index}")
            for _, parsed in reversed(list(self._heads(chunk, b',"seq":0,'))):
                if parsed["seq"] == 0 and (before is None or parsed["index"] < before):
                    yield parsed
            end = chunk.index

    def _spans(self, run: str, start: int = 0) -> Iterator[tuple[int, range]]:
        """The chunks of a run from a record on, each with the records that are in it."""
        rows = self._rows("SELECT idx, seq, last FROM places WHERE run = ? AND last >= ? ORDER BY seq", run, start)
        return ((index, range(max(first, start), last + 1)) for index, first, last in rows)

    def _run(self, run: str, start: int = 0) -> Iterator[_Found]:
        for index, seqs in self._spans(run, start):
            yield from self._whole(*self._pick(index, run, seqs), run)

    def _one(self, run: str, seq: int) -> tuple[Chunk, list[tuple[int, _Head]]]:
        """The header of one record of a run that is known to be there."""
        row = self._db.execute(
            "SELECT idx FROM places WHERE run = ? AND seq <= ? ORDER BY seq DESC LIMIT 1", (run, seq)
        ).get
        return self._pick(row, run, (seq,))

    def _view(self, run: str, seq: int) -> Record:
        """One record without its content."""
        return redacted(self._one(run, seq)[1][0][1])

    def _at(self, run: str, seq: int) -> Record:
        """One record; raises Sealed if its content cannot be opened."""
        return record_of(*next(iter(self._whole(*self._one(run, seq), run))))

    def _last(self, run: str) -> int:
        last: int = self._db.execute("SELECT last FROM places WHERE run = ? ORDER BY seq DESC LIMIT 1", (run,)).get
        return last

    def _pick(self, index: int, run: str, seqs: Iterable[int]) -> tuple[Chunk, list[tuple[int, _Head]]]:
        """A chunk, and the headers of some records of a run out of it, by their place in it."""
        row = self._db.execute(_CHUNK, (index,)).fetchone()
        if row is None:
            raise damaged(f"the records from {index} on, of run {run}, are gone")
        chunk = Chunk.of(row)
        found = {head["seq"]: (at, head) for at, head in self._heads(chunk, marker(run)) if head["run"] == run}
        for seq in seqs:
            if seq not in found:
                raise damaged(f"record {seq} of run {run} is not where it should be")
        return chunk, [found[seq] for seq in seqs]

    def _heads(self, chunk: Chunk, *needles: bytes) -> Iterator[tuple[int, _Head]]:
        """The headers of a chunk that hold one of these, if each is as it was written: a run goes on from these."""
        for at, head in enumerate(chunk.lines(self._squeeze)):
            if not any(needle in head for needle in needles):
                continue
            if chain.leaf(head)[:MARK_BYTES] != chunk.mark(at):
                raise damaged(
                    f"record {chunk.index + at} is not as it was written: its header does not hash to its mark"
                )
            yield at, sound(parse(head))

    def _whole(self, chunk: Chunk, heads: Sequence[tuple[int, _Head]], run: str) -> Iterator[_Found]:
        """Headers with their bodies, if each is as it was written."""
        try:
            bodies = {at: (body, key) for at, body, key in self._parcels.bodies(chunk, [at for at, _ in heads])}
        except Sealed as error:
            raise explained(error, run) from error
        for at, head in heads:
            body, key = bodies[at]
            if not body:
                raise Sealed(
                    f"run {run}: the content of record {head['seq']} was destroyed, for it was kept long enough",
                    destroyed=True,
                )
            if not proven(body, key, head["body"]):
                where = f"record {head['index']} is not as it was written: its"
                raise damaged(f"{where} body does not match the commitment in its header")
            yield head, body

    def _rows(self, sql: str, *values: str | int) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, values).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """One consistent state of the file, and faults in words."""
        self.vault.refresh()
        with file.faults(self._path):
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                file.rollback(self._db)
