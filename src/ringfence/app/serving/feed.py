"""A run under way, for any number of followers at their own pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Container, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass

from ringfence.core.chain import Kind, Record
from ringfence.core.labels import Label

from .spoken import Field, Spoken


@dataclass(frozen=True, slots=True)
class Delta:
    """What the model has gone on to say, as it streams: on record when it is done, and never sent again.

    field  its thought, or its answer, which was not judged yet
    """

    field: Field
    text: str


class Feed:
    """What a run has recorded since it was taken up here, and what the model is saying.

    Nothing is queued for a follower: each has a place of its own in the one list, so that a slow one costs nothing and
    is handed what it has missed of the model's text in one piece. The list is what the run itself has in memory.

    first  seq of the first record that is here; what came before it is in the journal
    """

    def __init__(self, run: str) -> None:
        self.run = run
        self.first: int | None = None
        self._records: list[Record] = []
        self._acting: dict[int, str] = {}  # calls without an outcome: seq of the intent, and the sink
        self._spoken = Spoken()  # since the last record
        self._ended = False
        self._told = 0  # how often something came
        self._waiting: list[asyncio.Future[None]] = []

    def put(self, record: Record) -> None:
        """A record of the run, or of another one that works for it, which is left out."""
        self._spoken = Spoken()
        if record.run == self.run:
            self.first = record.seq if self.first is None else self.first
            self._records.append(record)
            if record.kind is Kind.INTENT:
                self._acting[record.seq] = str(record.view.get("sink", ""))
            elif record.kind is Kind.OUTCOME:
                self._acting.pop(record.view.get("of", -1), None)
            self._tell()

    def say(self, text: str) -> None:
        """What the model has said just now."""
        self._spoken.add(text)
        self._tell()

    def end(self) -> None:
        """Nothing comes any more: it has ended, waits for a person, or was cut off."""
        self._ended = True
        self._tell()

    def _tell(self) -> None:
        self._told += 1
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    async def _news(self) -> None:
        """Return when something comes. Nothing may have been waited for since the caller has looked."""
        news = asyncio.get_running_loop().create_future()
        self._waiting.append(news)
        try:
            await news
        except asyncio.CancelledError:
            with suppress(ValueError):  # somebody was told just now
                self._waiting.remove(news)
            raise

    async def follow(self, after: int = -1) -> AsyncGenerator[Record | Delta, None]:
        """The records behind seq `after`, and the model's text between them, until nothing comes any more."""
        async with aclosing(self.batches(after)) as batches:
            async for batch in batches:
                for item in batch:
                    yield item

    async def batches(self, after: int = -1) -> AsyncGenerator[Sequence[Record | Delta], None]:
        """As `follow`, all that is there at once."""
        place, said = 0, dict[Field, int]()
        while True:
            told, ready = self._told, list[Record | Delta]()
            while place < len(self._records):
                record, place, said = self._records[place], place + 1, {}
                if record.seq > after:
                    after = record.seq
                    ready.append(record)
            for field, text in self._spoken.parts.items():
                if len(text) > said.get(field, 0):
                    new, said[field] = text[said.get(field, 0) :], len(text)
                    ready.append(Delta(field, new))
            if ready:
                yield ready
            if self._ended and place == len(self._records):
                return
            if told == self._told:
                await self._news()

    @property
    def ends(self) -> tuple[Record, Record] | None:
        """The first and the newest record that are here."""
        return (self._records[0], self._records[-1]) if self._records else None

    @property
    def labels(self) -> dict[int, Label]:
        """Of the records that are here, by seq, the newest one last."""
        return {record.seq: record.label for record in self._records}

    def has(self, place: str) -> bool:
        """Whether a record was made here whose place (`shown.place`) is this one."""
        return any(f"{record.seq}-{record.time}" == place for record in self._records)

    async def quiet(self, sinks: Container[str]) -> None:
        """Return as soon as no call of these is under way, or nothing comes any more."""
        while not self._ended and any(sink in sinks for sink in self._acting.values()):
            await self._news()

    @property
    def over(self) -> bool:
        """Whether the run's last record is here."""
        return bool(self._records) and self._records[-1].kind is Kind.FINISHED
