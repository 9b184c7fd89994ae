"""The crash battery of P3: a run of twelve steps is cut off, resumed and settled, and the world says what was done.

`Tally` counts: 0 lost, 0 repeated, and whatever nobody could know was put before a person. The tests assert it; the
benchmark `bench/crash.py` prints it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringfence.core.chain import Kind, Record
from ringfence.engine.result import Result
from ringfence.stores import open_log

from . import effects
from .effects import World
from .test_run_kill import Warm, newest, warm
from .warm_runs import agent_of


@dataclass
class Tally:
    """What became of the points that were tried.

    untouched  nothing of the run was durable: nothing was promised, and nothing was done
    whole      the run had ended by itself
    asked      calls that were put before a person, and `hidden`, those of which only a person could know
    """

    tried: int = 0
    untouched: int = 0
    cut: int = 0
    whole: int = 0
    hidden: int = 0
    asked: int = 0
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, repeated, kept from a person, or wrong in any other way."""
        return not (self.lost or self.repeated or self.wrong) and self.asked == self.hidden


def hidden(records: Sequence[Record]) -> list[int]:
    """The calls that only a person can know of, by seq: on record, of a tool that nothing finds out about, and open."""
    closed = {record.view["of"] for record in records if record.kind is Kind.OUTCOME}
    intents = (record for record in records if record.kind is Kind.INTENT and record.seq not in closed)
    return [intent.seq for intent in intents if intent.view["sink"] in effects.BY_A_PERSON]


async def go_on(manifest: Path, run: str, world: World, *, journal: Any = None) -> tuple[Result, list[int]]:
    """Resume a run until it ends. Where it asks, a person looks at the world; the calls that they were asked about."""
    asked: list[int] = []
    async with agent_of(manifest, *effects.tools(world.port), journal=journal) as agent:
        while (result := await agent.resume(run)).status == "uncertain":
            for one in agent.uncertain():
                name = str(one.args["name"])
                done = world.done[name] > 0
                said = {"text": f"have {name.partition('-')[0]} {name}"} if done else None
                await agent.settle(run, done, call=one.seq, result=said)
                asked.append(one.seq)
    return result, asked


def judge(tally: Tally, where: str, world: World, result: Result, asked: Sequence[int], left: Sequence[Record]) -> None:
    """Count one point."""
    expected = hidden(left)
    tally.cut += 1
    tally.hidden += len(expected)
    tally.asked += len(asked)
    tally.lost += [f"{where}: {name}" for name in effects.EFFECTS if not world.done[name]]
    tally.repeated += [f"{where}: {name} x{n}" for name, n in world.done.items() if n > 1]
    if list(asked) != expected:
        tally.wrong.append(f"{where}: asked about {asked}, hidden were {expected}")
    if (result.status, result.answer) != ("done", effects.ANSWER):
        tally.wrong.append(f"{where}: {result.status} {result.summary}")


@dataclass
class Kills:
    """A warm process whose runs are killed, and the world that they act on."""

    process: Warm
    world: World
    folder: Path
    records: int = 0
    flushes: int = 0
    lasts_s: float = 0.0
    known: str = ""

    @property
    def journal(self) -> Path:
        return self.folder / ".ringfence" / "journal.db"

    def whole(self) -> None:
        """Run it three times without a kill: how long it takes once it is warm, and where it can be cut."""
        took = []
        for _ in range(3):
            self.clear()
            self.process.begin()
            began = time.perf_counter()
            while not (line := self.process.line()).startswith("end "):
                pass
            took.append(time.perf_counter() - began)
            self.records, self.flushes = map(int, line.split()[1:])
            self.process.until("gone")
            assert self.world.done == dict.fromkeys(effects.EFFECTS, 1)
        self.lasts_s = min(took)
        with open_log(self.journal) as log:
            self.known = newest(log)

    def clear(self) -> None:
        """A world in which nothing was done."""
        self.world.done.clear()
        self.world.keys.clear()

    def point(self, tally: Tally, *, stop: str = "tell", after: int = 0, wait_s: float = 0.0) -> None:
        """Kill one run, resume it, and count. It kills itself where it is told to, or is killed after a record."""
        tally.tried += 1
        self.clear()
        child = self.process.begin(stop=stop)
        if stop != "tell":
            self.process.until("gone")
        else:
            for _ in range(after):
                assert self.process.line() == "record"
            time.sleep(wait_s)
            self.process.kill(child)
        self.world.at_rest()
        with open_log(self.journal) as log:
            problem, run = log.verify().problem if not tally.tried % 20 else "", newest(log)
            left = log.read(run)
        where = stop if stop != "tell" else f"{wait_s * 1000:.1f} ms after record {after}"
        if problem:
            tally.wrong.append(f"{where}: {problem}")
        if run == self.known:
            tally.untouched += 1
            tally.wrong += [f"{where}: done without a record"] if self.world.done else []
            return
        self.known = run
        if left[-1].kind is Kind.FINISHED:
            tally.whole += 1
        result, asked = asyncio.run(go_on(self.folder / "ringfence.yaml", run, self.world))
        judge(tally, where, self.world, result, asked, left)

    def boundaries(self) -> Tally:
        """Before every record, and right after every flush."""
        tally = Tally()
        for n in range(self.records):
            self.point(tally, stop=f"before:{n}")
        for n in range(self.flushes):
            self.point(tally, stop=f"flushed:{n}")
        return tally

    def instants(self, count: int, *, seed: str) -> Tally:
        """So many random instants, each a random while after a random record: however slow the machine is just now."""
        tally, dice, pace_s = Tally(), random.Random(seed), self.lasts_s / self.records
        for _ in range(count):
            self.point(tally, after=dice.randrange(self.records), wait_s=3 * pace_s * dice.random())
        return tally


@contextmanager
def kills(folder: Path) -> Iterator[Kills]:
    """A warm process and a world for it, once run through."""
    with effects.serving(World()) as world:
        script = effects.script(world.port)
        with warm(folder, script, delay_ms=2, text=effects.MANIFEST, port=world.port) as process:
            made = Kills(process, world, folder)
            made.whole()
            yield made
