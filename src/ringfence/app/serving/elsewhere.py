"""Runs that another process drives on the same journal: followed by reading what it has made durable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from ringfence.core.chain import Record
from ringfence.core.errors import RingfenceError
from ringfence.stores.log import Log, state_of

from .feed import Delta, Feed

EVERY_S: Final = 0.2
QUIET_S: Final = 6.0  # a run that nobody holds for so long is nobody's: whoever follows it is let go
_log = logging.getLogger("ringfence")


@dataclass(eq=False)
class _Look:
    feed: Feed
    task: asyncio.Task[None] | None = None
    followers: int = 0


class Elsewhere:
    """One look at the journal for all who follow a run, and none for a run that nobody follows.

    held  whether a process has the run in its hands, as far as can be seen; `ours` whether it is this one
    """

    def __init__(self, log: Callable[[], Log], held: Callable[[str], bool], ours: Callable[[str], bool]) -> None:
        self._log = log
        self._held = held
        self._ours = ours
        self._looks: dict[str, _Look] = {}

    async def batches(self, run: str, after: int) -> AsyncGenerator[Sequence[Record | Delta], None]:
        """The records behind seq `after`, all that are there at once, until the run ends or waits for a person, or
        comes to this process.
        """
        look = self._looks.get(run)
        if look is None:
            look = self._looks[run] = _Look(Feed(run))
            look.task = asyncio.create_task(self._watch(look, after + 1), name=f"look at {run}")
        look.followers += 1
        try:
            first = look.feed.first
            further = first is not None and first > after + 1  # another follower began there
            if further and (found := self._log().read(run, after + 1)):
                after = found[-1].seq
                yield found
            async with aclosing(look.feed.batches(after)) as batches:
                async for batch in batches:
                    yield batch
        finally:
            look.followers -= 1
            if not look.followers and look.task is not None:
                look.task.cancel()
                self._forget(look)

    def close(self) -> None:
        """Let every follower go."""
        for look in list(self._looks.values()):
            if look.task is not None:
                look.task.cancel()

    def _forget(self, look: _Look) -> None:
        if self._looks.get(look.feed.run) is look:
            del self._looks[look.feed.run]

    async def _watch(self, look: _Look, seq: int) -> None:
        run, quiet = look.feed.run, 0.0
        try:
            while not self._ours(run):
                held = self._held(run)
                found = self._log().read(run, seq)
                for record in found:
                    look.feed.put(record)
                    seq = record.seq + 1
                if found and state_of(found[-1]) != "open":
                    return
                quiet = 0.0 if found or held else quiet + EVERY_S
                if quiet >= QUIET_S:
                    return
                await asyncio.sleep(EVERY_S)
        except RingfenceError as error:
            _log.warning("run %s cannot be followed: %s", run, error.what)
        finally:
            self._forget(look)
            look.feed.end()
