"""The battery in process, where disks and clocks can fail: each point is a run of its own, on a disk of its own."""

from __future__ import annotations

import asyncio
import itertools
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ringfence.app import agent as agents
from ringfence.core.chain import Kind
from ringfence.core.errors import JournalError
from ringfence.stores import open_journal, open_log
from ringfence.stores.sqlite import SqliteJournal
from ringfence.testing.server import running

from . import effects
from .battery import Tally, go_on, judge
from .effects import World
from .vfs import Disk
from .warm_runs import Stops, agent_of

Fault = Literal["ENOSPC", "EIO", "torn"]
DAY_MS = 86_400_000
TODO = "`ringfence runs resume ID`"  # what every error of a disk says to do in the end
_names = itertools.count()


class Cut(BaseException):
    """The power went, or the process."""


class Cuts(Stops):
    """A journal that stops its run where it is told to, and keeps what the disk held at that moment."""

    def __init__(self, journal: SqliteJournal, at: str, disk: Disk) -> None:
        super().__init__(journal, at)
        self.disk = disk
        self.synced: dict[Path, bytes] = {}

    def stop(self, here: str) -> None:
        if here == self.at:
            self.synced = dict(self.disk.synced)
            raise Cut


@contextmanager
def disk() -> Iterator[Disk]:
    made = Disk(f"battery{next(_names)}")
    try:
        yield made
    finally:
        made.unregister()


@dataclass
class Bench:
    """A manifest, its model and a world, for runs in this process."""

    folder: Path
    world: World
    points: int = 0
    operations: int = 0  # of the disk, at the end of the last run; when the journal is closed, there are more

    @property
    def manifest(self) -> Path:
        return self.folder / "ringfence.yaml"

    def place(self) -> Path:
        """Where the journal of the next point lies."""
        self.points += 1
        self.world.done.clear()
        self.world.keys.clear()
        made = self.folder / f"point{self.points}"
        made.mkdir()
        return made / "journal.db"

    async def run(self, journal: Any, disk: Disk) -> str:
        """Run it; if it ended early, "cut" or what its error says to do."""
        try:
            async with agent_of(self.manifest, *effects.tools(self.world.port), journal=journal) as agent:
                await agent.run(effects.TASK)
                self.operations = disk.operations
        except Cut:
            return "cut"
        except JournalError as error:
            return error.todo or "it does not say what to do"
        return ""

    def measure(self) -> tuple[int, int, int]:
        """The records, flushes and disk operations of a whole run."""
        with disk() as made:
            journal = Cuts(SqliteJournal(self.place(), vfs=made.name), "", made)
            made.operations = 0
            assert asyncio.run(self.run(journal, made)) == ""
            return journal.records, journal.flushes, self.operations

    def boundaries(self) -> list[str]:
        """Where a run can be cut: before each record but the first, and after each flush."""
        records, flushes, _ = self.measure()
        return [f"before:{n}" for n in range(1, records)] + [f"flushed:{n}" for n in range(flushes)]

    def every_failure(self, kind: Fault, count: int = 0) -> Tally:
        """The disk fails at each of its operations, or at so many of them."""
        tally, (_, _, operations) = Tally(), self.measure()
        for at in spread(count or operations, operations):
            self.fails(tally, kind, at)
        return tally

    def every_loss_of_power(self, step: int = 1) -> Tally:
        """The power goes at each boundary, or at each so many."""
        tally = Tally()
        for stop in self.boundaries()[::step]:
            self.loses_power(tally, stop)
        return tally

    def every_leap(self, clock: Callable[[int], Callable[[], int]], step: int = 1) -> Tally:
        """The clock is another one at each boundary."""
        tally = Tally()
        for n, stop in enumerate(self.boundaries()[::step]):
            self.jumps(tally, stop, clock(n))
        return tally

    def resumed(self, tally: Tally, where: str, path: Path, journal: Any) -> None:
        """Go on with what a point has left, if anything, and count it."""
        with journal:
            runs = journal.log.runs(limit=1)
            if not runs:
                tally.untouched += 1
                tally.wrong += [f"{where}: done without a record"] if self.world.done else []
                return
            left = journal.log.read(runs[0].run)
            tally.whole += left[-1].kind is Kind.FINISHED
            result, asked = asyncio.run(go_on(self.manifest, runs[0].run, self.world, journal=journal))
            judge(tally, where, self.world, result, asked, left)
        with open_log(path) as log:
            if problem := log.verify().problem:
                tally.wrong.append(f"{where}: {problem}")

    def fails(self, tally: Tally, kind: Fault, at: int) -> None:
        """The disk fails from its operation `at` on; then it is well again, and the run is resumed."""
        tally.tried += 1
        path = self.place()
        with disk() as made:
            journal = SqliteJournal(path, vfs=made.name)
            made.operations, made.fails, made.fails_at = 0, kind, at
            self.operations = at
            why = asyncio.run(self.run(journal, made))
            with suppress(JournalError):
                journal.close()
            if TODO not in why and self.operations >= at:
                tally.wrong.append(f"{kind} at {at}: {why or 'nobody noticed'}")
            made.fails = ""
            self.world.at_rest()
            self.resumed(tally, f"{kind} at {at}", path, SqliteJournal(path, vfs=made.name))

    def loses_power(self, tally: Tally, stop: str) -> None:
        """Whatever was not synced is gone."""
        tally.tried += 1
        path = self.place()
        with disk() as made:
            journal = Cuts(SqliteJournal(path, vfs=made.name), stop, made)
            assert asyncio.run(self.run(journal, made)) == "cut"
        later = path.parent / "later"
        later.mkdir()
        for file, content in journal.synced.items():
            (later / file.name).write_bytes(content)
        if (keys := path.parent / "keys").is_dir():  # files of their own, synced as they are made
            shutil.copytree(keys, later / "keys")
        self.world.at_rest()
        self.resumed(tally, f"power {stop}", later / path.name, open_journal(later / path.name))

    def jumps(self, tally: Tally, stop: str, clock: Callable[[], int]) -> None:
        """The clock leaps about, and the run is cut off on top of it."""
        tally.tried += 1
        path, before = self.place(), agents.now_ms
        agents.now_ms = clock
        try:
            with disk() as made:
                journal = Cuts(SqliteJournal(path, vfs=made.name), stop, made)
                assert asyncio.run(self.run(journal, made)) == "cut"
            self.world.at_rest()
            self.resumed(tally, f"clock, {stop}", path, open_journal(path))
        finally:
            agents.now_ms = before


def spread(count: int, of: int) -> Sequence[int]:
    """So many numbers from 1 to `of`, evenly."""
    return range(1, of + 1, max(1, of // count))


def leaping(seed: str) -> Callable[[], int]:
    """A clock that goes on, and at any time leaps by up to a year, forwards and backwards."""
    dice, now = random.Random(seed), [agents.now_ms()]

    def clock() -> int:
        now[0] += dice.choice([0, 1, 5, 365 * DAY_MS, -365 * DAY_MS, -DAY_MS, DAY_MS, -3_600_000])
        return max(now[0], 0)

    return clock


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """A world, a model and a manifest."""
    with effects.serving(World(pause_s=0)) as world, running(effects.script(world.port)) as url:
        made = Bench(folder, world)
        made.manifest.write_text(effects.MANIFEST.format(url=url, port=world.port))
        yield made
