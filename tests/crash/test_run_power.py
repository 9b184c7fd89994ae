"""P3 under a loss of power: what `flush` acknowledged is there, and the run goes on from it to the same answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ringfence import tool
from ringfence.core.chain import Kind, Record
from ringfence.core.policy import Effect
from ringfence.engine.result import Result
from ringfence.stores import open_journal, open_log
from ringfence.stores.log import Log
from ringfence.stores.memory import MemoryJournal
from ringfence.stores.sqlite import SqliteJournal
from ringfence.testing.server import running

from .test_run_kill import ANSWER, MANIFEST, SIX, calls, folder, furnished, same, script
from .vfs import Disk, lay_down
from .warm_runs import agent_of

__all__ = ["folder"]  # a fixture
PLEDGE = ("pledge", {"line": "ten"}, "pledged ten")
STEPS = [*SIX[:3], PLEDGE, *SIX[3:]]


@contextmanager
def written(folder: Path) -> Iterator[Path]:
    with running(script(STEPS)) as url:
        (folder / "ringfence.yaml").write_text(MANIFEST.format(url=url))
        yield folder / "ringfence.yaml"


@pytest.fixture
def manifest(folder: Path) -> Iterator[Path]:
    with written(folder) as file:
        yield file


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk("power")
    yield made
    made.unregister()


def pledge(world: list[str]) -> Callable[..., str]:
    """An effect on a world that no loss of power undoes."""

    @tool(Effect.COMMIT, name="pledge", roles={"line": "low"}, audience=["self"])
    def write(line: str) -> str:
        """Pledge a line."""
        world.append(line)
        return f"pledged {line}"

    return write


@dataclass
class Moment:
    """What the disk held if the power went right after a record was appended."""

    synced: dict[Path, bytes]
    acknowledged: int
    pledged: int


@dataclass
class Watched:
    """A journal that remembers, at every record, what would be left without power."""

    journal: SqliteJournal
    disk: Disk
    world: list[str]
    records: list[Record] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    acknowledged: int = 0

    @property
    def log(self) -> Log:
        return self.journal.log

    def alias(self, subject: str) -> str:
        return self.journal.alias(subject)

    def append(self, record: Record) -> None:
        self.journal.append(record)
        self.records.append(record)
        self.moments.append(Moment(dict(self.disk.synced), self.acknowledged, len(self.world)))

    async def flush(self, *, anchored: bool = False) -> None:
        appended = len(self.records)
        await self.journal.flush()
        self.acknowledged = appended
        self.moments.append(Moment(dict(self.disk.synced), appended, len(self.world)))

    def close(self) -> None:
        self.journal.close()


async def resume(manifest: Path, run: str, journal: Any, world: list[str]) -> Result:
    async with agent_of(manifest, pledge(world), journal=journal) as agent:
        return await agent.resume(run)


def test_a_run_survives_a_loss_of_power_at_every_record(manifest: Path, disk: Disk, tmp_path: Path) -> None:
    world: list[str] = []
    watched = Watched(SqliteJournal(tmp_path / "journal.db", vfs=disk.name), disk, world)

    async def whole() -> Result:
        async with agent_of(manifest, pledge(world), journal=watched) as agent:
            return await agent.run("do the seven steps")

    assert (asyncio.run(whole()).answer, world) == (ANSWER, ["ten"])
    run, ended = watched.records[0].run, set()
    for n, moment in enumerate(watched.moments):
        later = tmp_path / f"later{n}"
        lay_down(moment.synced, later)
        path = later / "journal.db"
        with open_log(path) as log:
            left = log.read(run)
            assert log.verify().problem == ""
        assert len(left) >= moment.acknowledged
        assert left == watched.records[: len(left)]
        if not left:
            continue
        again = ["ten"] * moment.pledged
        result = asyncio.run(resume(manifest, run, open_journal(path), again))
        hidden = left[-1].kind is Kind.INTENT and left[-1].view["sink"] == "tool:pledge"
        assert result.status == ("uncertain" if hidden else "done"), n
        assert again == ["ten"] or (hidden and again == []), n
        assert hidden or result.answer == ANSWER
        with open_log(path) as log:
            after = log.read(run)
            assert after[: len(left)] == left
            assert log.verify().problem == ""
        ended.add(result.status)
    assert watched.acknowledged == len(watched.records)
    assert ended == {"done", "uncertain"}


def outcomes(records: list[Record]) -> list[Any]:
    return [same(record.body["value"]) for record in records if record.kind is Kind.OUTCOME]


Scene = tuple[list[Record], list[Record], list[Record]]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Scene]]:
    """Made once: three tests look at them, and each takes an agent that is opened."""
    with written(furnished(tmp_path_factory.mktemp("cut"))) as file:
        yield asyncio.run(cut_off_at_every_record(file))


async def cut_off_at_every_record(manifest: Path) -> list[Scene]:
    """(the whole run, what was left, what became of it) for each boundary at which nothing is uncertain."""
    journal = MemoryJournal()
    async with agent_of(manifest, pledge([]), journal=journal) as agent:
        whole = journal.log.read((await agent.run("do the seven steps")).run_id)
    scenes = []
    for cut in range(2, len(whole)):
        left, journal = whole[:cut], MemoryJournal()
        if left[-1].kind is Kind.INTENT and left[-1].view["sink"] == "tool:pledge":
            continue
        for record in left:
            journal.append(record)
        result = await resume(manifest, whole[0].run, journal, [])
        assert (result.status, result.answer) == ("done", ANSWER), cut
        scenes.append((whole, left, journal.log.read(whole[0].run)))
    return scenes


def test_what_was_on_record_at_any_boundary_is_not_asked_for_again(scenes: list[Scene]) -> None:
    for _, left, after in scenes:
        done = {record.view["of"] for record in left if record.kind is Kind.OUTCOME}
        known = set(calls([record for record in left if record.seq in done]))
        assert not known & set(calls(after[len(left) :])), len(left)


def test_a_run_that_was_cut_off_at_any_boundary_sees_the_very_same_results(scenes: list[Scene]) -> None:
    """The runtime's own look around, before the first step, and the reply included."""
    for whole, left, after in scenes:
        assert outcomes(after) == outcomes(whole), len(left)


def prompts(records: list[Record]) -> list[str]:
    """The digests of what the model was sent, in order; one that was cut off and sent again counts once."""
    return list(dict.fromkeys(r.body["prompt"] for r in records if r.kind is Kind.INTENT and "prompt" in r.body))


def test_a_resumed_run_sends_the_model_the_very_same_messages(scenes: list[Scene]) -> None:
    """What was sent once keeps its bytes: the server's cache, and the window, do not notice the interruption."""
    for whole, left, after in scenes:
        redone = left[-1].kind is Kind.INTENT  # takes a number in the journal, which the handles of results then show
        if len(left) > 6 and not redone:  # the runtime has looked around
            assert prompts(after) == prompts(whole), len(left)
