"""The runs of a principal, as they are looked at: a page of them, one, its records, and what it has come to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ringfence.core.chain import Record
from ringfence.core.labels import Label
from ringfence.core.turn import Turn, fold
from ringfence.core.values import JSON, Principal
from ringfence.engine.result import Result, result_of
from ringfence.engine.snapshot import resumed
from ringfence.stores.log import RunSummary

from .feed import Delta
from .reading import Reading
from .service import NotFound, Service
from .shown import place, told

SCANNED = 2_000  # runs that are looked at for one page
SEARCHED = 10_000  # tasks that are looked through for one page
_BATCH = 100  # runs of the log that are read at once
_PAGE = 500  # records of a run that are held at once


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs: in one of these states, of one conversation, with these words in their task; empty: all.

    inner  those too that worked for another run, or say what a person did beside runs
    """

    states: frozenset[str] = frozenset()
    conversation: str = ""
    words: str = ""
    inner: bool = False

    def has(self, run: RunSummary) -> bool:
        """Whether one of them is."""
        return (
            (self.inner or not run.inner)
            and (not self.states or run.state in self.states)
            and self.conversation in ("", run.conversation)
            and self.words.casefold() in run.task.casefold()
        )


@dataclass(frozen=True, slots=True)
class Told:
    """A run as its principal is shown it; `hidden`: they may not read its answer any more."""

    summary: RunSummary
    result: Result
    metadata: dict[str, JSON]
    forked: dict[str, JSON] | None
    hidden: bool


class History:
    """What is on record of a service's runs, for whoever asks. Nothing here keeps the event loop waiting."""

    def __init__(self, service: Service, reading: Reading) -> None:
        self._service = service
        self._reading = reading

    def standing(self, run: RunSummary) -> RunSummary:
        """With a state that says whether an open run waits for its turn, is at work somewhere, or was cut off."""
        if (job := self._service.jobs.get(run.run)) is not None and run.state in ("open", "waiting", "uncertain"):
            return replace(run, state="queued" if job.place.started is None else "running")
        if run.state != "open":
            return run
        return replace(run, state="running" if self._service.driven(run.run) else "interrupted")

    async def own(self, who: Principal, run: str) -> RunSummary:
        """One of somebody's runs, by its whole id; raises NotFound for any other."""
        found = self._service.at_hand(run) or await self._reading(lambda log: log.summary(run))
        if found is None or found.principal != who.subject:
            raise NotFound("there is no such run", todo="`GET /v1/runs` lists yours")
        return self.standing(found)

    async def page(
        self, who: Principal, wanted: Wanted, limit: int, before: int | None
    ) -> tuple[list[RunSummary], int | None]:
        """Their newest runs from before an index on, and the index to go on from; None at the end of the log.

        A page may be short, or empty, and not the last one: no request looks at more than `SCANNED` runs, or for words
        through more than `SEARCHED` tasks.
        """

        def search(log: Any) -> tuple[list[RunSummary], int | None]:
            found, place = log.search(
                wanted.words, lambda one: wanted.has(self.standing(one)), limit,
                principal=who.subject, before=before, most=SEARCHED,
            )  # fmt: skip
            return [self.standing(one) for one in found], place

        def work(log: Any) -> tuple[list[RunSummary], int | None]:
            if wanted.words and hasattr(log, "search"):  # of a file; a recorder is asked for runs, some at a time
                return search(log)
            found: list[RunSummary] = []
            place, looked = before, 0
            while looked < SCANNED:
                size = limit if wanted == Wanted() else _BATCH
                batch = log.runs(size, before=place, principal=who.subject)
                for one in map(self.standing, batch):
                    place, looked = one.index, looked + 1
                    if wanted.has(one):
                        found.append(one)
                    if len(found) == limit:
                        return found, place
                if len(batch) < size:
                    return found, None
            return found, place

        return await self._reading(work)

    async def told(self, who: Principal, run: str) -> Told:
        """A run, and what it has come to so far. Raises NotFound; Sealed, if it was erased."""
        summary = await self.own(who, run)

        def work(log: Any) -> tuple[Turn, Label, JSON]:
            turn = resumed(log, run)[0] if hasattr(log, "state") else fold(log.read(run))
            return turn, log.read(run, turn.next_seq - 1)[-1].label, log.read(run, 0, 1)[0].view.get("forked")

        turn, label, forked = await self._reading(work)
        labels = {record.seq: record.label for record, _ in turn.items}
        result, hidden = told(result_of(turn), labels, label, who.member)
        given = turn.start.get("meta")
        return Told(summary, result, given if isinstance(given, dict) else {}, forked, hidden)

    async def record(self, who: Principal, run: str, seq: int) -> Record:
        """One record of theirs, whole; raises NotFound where there is none."""
        await self.own(who, run)
        found: list[Record] = await self._reading(lambda log: log.read(run, seq, 1))
        if not found:
            raise NotFound(f"the run has no record {seq}", todo="its events name those that it has")
        return found[0]

    async def follow(
        self, who: Principal, run: str, last: str = ""
    ) -> AsyncGenerator[Sequence[Record | Delta] | None, None]:
        """The records of a run of theirs behind the place `last` (`shown.place`), and what the model says, all that
        is there at once, until nothing comes by itself any more.

        None first where a crash took that record, and another one is in its place: all of it comes again.
        """
        job, after, seq = self._service.job_of(run), -1, last.partition("-")[0]
        if last:
            known = await self._reading(lambda log: log.read(run, int(seq), 1)) if _plausible(seq) else []
            if (known and place(known[0]) == last) or (job is not None and job.feed.has(last)):  # not durable yet
                after = int(seq)
            else:
                yield None
        more = job is None or job.feed.first is None or job.feed.first > after + 1
        while more:
            page: list[Record] = await self._reading(partial(_some, run, after + 1))
            more = len(page) == _PAGE
            if page:
                after = page[-1].seq
                yield page
        async with aclosing(self._service.batches(who, run, after)) as live:
            async for batch in live:
                yield batch


def _some(run: str, start: int, log: Any) -> list[Record]:
    found: list[Record] = log.read(run, start, _PAGE)
    return found


def _plausible(seq: str) -> bool:
    return seq.isascii() and seq.isdigit() and len(seq) < 10
