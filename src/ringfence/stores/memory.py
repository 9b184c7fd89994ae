"""A journal that keeps its records in memory: for tests, and to measure what the one on disk costs."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace

from ..core import chain
from ..core.chain import Kind, Record
from ..core.errors import JournalError
from ..core.values import JSON, ordered
from .log import Pair, RunSummary, VerifyReport, conversation_of, of_model, only, summarise

_LOG = "memory"


class MemoryJournal:
    """`ports.Journal` and `log.Log` in one: gone with the process, durable for as long as it lives."""

    id = _LOG

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._runs: dict[str, list[int]] = {}  # indices into `records`, by run in order of their start
        self._talks: dict[str, list[str]] = {}
        self._states: dict[str, tuple[int, bytes]] = {}

    @property
    def log(self) -> MemoryJournal:
        """The reading side."""
        return self

    def alias(self, subject: str) -> str:
        """A subject's own name: nothing here outlives the process."""
        return subject

    def append(self, record: Record) -> None:
        """Keep a record; raises JournalError for one that does not follow the run's last."""
        places = self._runs.setdefault(record.run, [])
        if record.seq != len(places):
            raise JournalError(
                f"run {record.run}: record {record.seq} was appended, and the next one is {len(places)}",
                todo="one run has one writer at a time",
            )
        places.append(len(self.records))
        self.records.append(record)
        if (name := conversation_of(record)) is not None:
            self._talks.setdefault(name, []).append(record.run)
        if record.kind is Kind.FINISHED:
            self._states.pop(record.run, None)

    def keep_state(self, run: str, seq: int, state: bytes) -> None:
        """Keep a snapshot, in place of the run's last one."""
        self._states[run] = (seq, state)

    def state(self, run: str) -> tuple[int, bytes] | None:
        """The newest snapshot of a run that has not ended, with the seq of its checkpoint."""
        return self._states.get(run)

    async def flush(self, *, anchored: bool = False) -> None:
        """Nothing to wait for."""

    def close(self) -> None:
        """Nothing to let go of."""

    def size(self) -> int:
        """Records so far."""
        return len(self.records)

    def headers(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Each header's bytes from index `start` to before `stop`. Commitments are made with an empty key."""
        for index, record in enumerate(self.records[start:stop], start):
            commitment = chain.commitment(b"", ordered(record.body))
            yield chain.header(record, log=_LOG, index=index, body=commitment)

    def read(self, run: str, start: int = 0, limit: int | None = None) -> list[Record]:
        """The records of a run from seq `start`, in order of `seq`."""
        end = None if limit is None else start + limit
        return [self.records[index] for index in self._runs.get(run, [])[start:end]]

    def export(self, run: str) -> Iterator[dict[str, JSON]]:
        """The records of a run as JSON objects. The commitments are made with an empty key: nothing here is sealed."""
        for index in self._runs.get(run, ()):
            record = self.records[index]
            commitment = chain.commitment(b"", ordered(record.body))
            head = chain.fields(record, log=_LOG, index=index, body=commitment)
            yield {**head, "content": record.body}

    def views(self, run: str) -> list[Record]:
        """The records of a run without their content: nothing was redacted, so nothing is shown."""
        return [replace(record, body={}) for record in self.read(run)]

    def runs(self, limit: int = 50, *, before: int | None = None, principal: str | None = None) -> list[RunSummary]:
        """At most `limit` runs, the newest first, of one principal or of all; before an index, where one is given."""
        starts = [at for at in self._runs.values() if principal in (None, self.records[at[0]].principal)]
        starts = [at for at in starts if before is None or at[0] < before]
        newest = sorted(starts, key=lambda places: places[0], reverse=True)[:limit]
        return [summarise(at[0], self.records[at[0]], self.records[at[-1]]) for at in newest]

    def summary(self, run: str) -> RunSummary | None:
        """One run by its whole id; None for one that is not here."""
        if not (places := self._runs.get(run)):
            return None
        return summarise(places[0], self.records[places[0]], self.records[places[-1]])

    def unfinished(self, but: Container[str] = ()) -> list[RunSummary]:
        """The runs that have not ended, the oldest first, but for these."""
        pairs = [(at[0], self.records[at[0]], self.records[at[-1]]) for at in self._runs.values()]
        found = [summarise(*pair) for pair in pairs if pair[-1].kind is not Kind.FINISHED and pair[1].run not in but]
        return [replace(one, task="") for one in found]

    def owner(self, run: str) -> str | None:
        """The principal of a run."""
        return first.principal if (first := self.first(run)) is not None else None

    def first(self, run: str) -> Record | None:
        """The first record of a run."""
        return self.records[places[0]] if (places := self._runs.get(run)) else None

    def last(self, run: str) -> Record | None:
        """The last record of a run, without its content."""
        return replace(self.records[places[-1]], body={}) if (places := self._runs.get(run)) else None

    def find(self, prefix: str) -> str:
        """The one run whose id starts with `prefix`; raises JournalError if there is none or more than one."""
        return only(prefix, sorted(run for run in self._runs if run.startswith(prefix)))

    def window(self, conversation: str, limit: int) -> list[Pair]:
        """Start and end of the newest `limit` runs of a conversation, oldest first."""
        names = self._talks.get(conversation, [])
        pairs: list[Pair] = []
        for run in names[max(0, len(names) - limit) :]:
            places = self._runs[run]
            last = self.records[places[-1]]
            pairs.append((self.records[places[0]], last if last.kind is Kind.FINISHED else None))
        return pairs

    def intents(self, since: int, place: int = 0) -> tuple[list[Record], int]:
        """The intents from `place` on, and the next place."""
        found = [r for r in self.records[place:] if r.kind is Kind.INTENT and r.time >= since]
        return found, len(self.records)

    def models(self, since: int, place: int = 0) -> tuple[list[Record], int]:
        """The requests to models from `place` on and what they used, and the next place."""
        return [r for r in self.records[place:] if r.time >= since and of_model(r)], len(self.records)

    def verify(self) -> VerifyReport:
        """The tree over the records as they are; there are no stored bytes to compare with."""
        frontier = chain.Frontier()
        for head in self.headers():
            frontier.append(chain.leaf(head))
        return VerifyReport(frontier.size, len(self._runs), frontier.root().hex())
