"""How full things are: the journal, what is remembered, what waits for a person, how old the newest signed head is."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ringfence.core.errors import RingfenceError
from ringfence.proof import note as notes

from ..agent import Agent
from ..ids import now_ms
from ..knowing import forgetting, library
from ..record import FOLDER
from .reading import Reading

EVERY_S = 5.0  # at most so often is the journal looked at
MEMORY_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Levels:
    """What there is. Times and ages in seconds, sizes in bytes.

    readable     whether the journal can be read
    records      durable, of which `unsigned` have no signed head over them
    head_age_s   of the newest signed head, None where there is none that says when it was made
    waiting      runs that ask a person, the first of them for `oldest_s`
    memories     items that are remembered, None where that cannot be told
    troubles     what keeps heads from where they should be
    """

    readable: bool = False
    records: int = 0
    journal_bytes: int = 0
    unsigned: int = 0
    head_age_s: float | None = None
    waiting: int = 0
    oldest_s: float = 0.0
    knowledge_bytes: int = 0
    memories: int | None = None
    disk_free_bytes: int = 0
    troubles: int = 0


@dataclass
class Gauge:
    """Looks, and remembers what it saw for a while: however often it is asked, a look costs what is new."""

    agent: Agent
    reading: Reading
    _levels: Levels = Levels()
    _looked: float = float("-inf")
    _counted: float = float("-inf")
    _memories: int | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def levels(self, *, at_most_s: float = EVERY_S) -> Levels:
        """How things are, or were `at_most_s` ago. Raises nothing: a journal that cannot be read is not `readable`."""
        async with self._turn:
            if time.monotonic() - self._looked >= at_most_s:
                if time.monotonic() - self._counted >= MEMORY_EVERY_S:
                    self._memories, self._counted = await self._remembered(), time.monotonic()
                self._levels = await self._look()
                self._looked = time.monotonic()
            return self._levels

    async def _remembered(self) -> int | None:
        manifest = self.agent.manifest
        if not forgetting.there(manifest):
            return 0
        from ringfence.knowledge.memory.scopes import collections

        try:
            index = library.index_of(manifest)
            try:
                return sum([len(await index.versions(name)) for name in collections(manifest.runtime.name)])
            finally:
                await index.aclose()
        except (RingfenceError, OSError):
            return None

    async def _look(self) -> Levels:
        """The files, then the journal."""
        known = await asyncio.to_thread(self._files)
        try:
            return await self.reading(lambda log: _logged(log, known))
        except (RingfenceError, OSError):
            return known

    def _files(self) -> Levels:
        root = self.agent.manifest.root
        folder = root / FOLDER
        free = shutil.disk_usage(folder if folder.is_dir() else root).free
        return Levels(
            journal_bytes=_bytes(folder.glob("journal.db*")),
            knowledge_bytes=_bytes(library.home_of(self.agent.manifest).glob("*")),
            memories=self._memories,
            disk_free_bytes=free,
            troubles=len(self.agent.troubles),
        )


def _logged(log: Any, known: Levels) -> Levels:
    """What is known, and what the journal says."""
    size, now = log.size(), now_ms()
    signed, made = _newest(log)
    waiting = [one.ended for one in log.unfinished() if one.state == "waiting"]
    return replace(
        known, readable=True, records=size, unsigned=max(0, size - signed),
        head_age_s=None if made is None else max(0, now - made) / 1000,
        waiting=len(waiting), oldest_s=max(0, now - min(waiting, default=now)) / 1000,
    )  # fmt: skip


def _newest(log: Any) -> tuple[int, int | None]:
    """Records under the newest signed head, and when it was made, in milliseconds since 1970."""
    if hasattr(log, "newest_head"):
        head = log.newest_head()
    else:  # a recorder hands out all of them; a journal in memory has none
        head = next(iter(log.heads()[-1:]), None) if hasattr(log, "heads") else None
    if head is None:
        return 0, None
    return head.size, notes.time_of(notes.Checkpoint.parse(notes.unverified(head.note)))


def _bytes(files: Iterable[Path]) -> int:
    total = 0
    for file in files:
        with suppress(OSError):
            total += file.stat().st_size
    return total
