"""kill -9 of processes that write an index: what was acknowledged is there, the rest whole or not at all."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from ringfence.knowledge.ports import Query
from ringfence.knowledge.sqlite import SqliteIndex

from . import index_writer
from .index_writer import made

WRITER = Path(index_writer.__file__)
ANYONE = frozenset[str]()


def begin(folder: Path, name: str, *count: str) -> subprocess.Popen[str]:
    writer = subprocess.Popen([sys.executable, WRITER, folder, name, *count], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    return writer


def write_until_killed(folder: Path, name: str, dice: random.Random) -> dict[str, str]:
    """Kill a writer right after it has said some lines, wherever it is by then; the last acknowledged of each path."""
    writer = begin(folder, name)
    assert writer.stdout is not None
    lines = [writer.stdout.readline() for _ in range(dice.randrange(60))]
    if dice.random() < 0.5:  # somewhere within a step, not right after the last one
        with suppress(subprocess.TimeoutExpired):
            writer.wait(dice.random() * 0.03)
    writer.send_signal(signal.SIGKILL)
    lines += writer.stdout.read().splitlines()
    assert writer.wait() == -signal.SIGKILL
    writer.stdout.close()
    return dict(line.split() for line in lines)  # type: ignore[misc]


def generations(folder: Path) -> int:
    return len(list(folder.glob("vectors-*")))


async def check(folder: Path, other: Path, told: dict[str, str]) -> None:
    """Hold the index against what was acknowledged, and against one that was put afresh."""
    index, fresh = SqliteIndex(folder), SqliteIndex(other)
    there = await index.versions("c")
    missing = {path: version for path, version in told.items() if there.get(path, "-") != version}
    assert len(missing) <= 1, missing  # the step that was under way may be done, and nothing else
    for version in missing.values():
        assert version == "-" or int(there.get(path := next(iter(missing)), "9999999")) > int(version), (path, there)
    for path in sorted(there):
        await fresh.put(*made(path, there[path]), model="m")
        assert (await index.read(ANYONE, "c", path)) == made(path, there[path])[0]
    for n in range(12):
        vectors = made(sorted(there)[n % len(there)], there[sorted(there)[n % len(there)]])[2] if there else None
        query = Query(f"w{n} w{n * 7} v{n}", None if vectors is None else vectors[n % 3], limit=100)
        assert await index.search(query, ANYONE) == await fresh.search(query, ANYONE)
    assert await index.status(ANYONE) == await fresh.status(ANYONE)
    await index.put(*made("again", "1"), model="m")
    assert await index.remove("c", ["again"]) == 1
    assert generations(folder) <= 1
    for one in (index, fresh):
        await one.aclose()


async def test_an_index_is_whole_after_any_kill(tmp_path: Path) -> None:
    dice, acknowledged = random.Random(os.environ.get("SEED", "7")), 0
    for kill in range(int(os.environ.get("KILLS", "12"))):
        mine = write_until_killed(tmp_path / "index", f"w{kill % 3}-", dice)
        acknowledged += len(mine)
        await check(tmp_path / "index", tmp_path / f"fresh-{kill}", mine)
    assert acknowledged > 50


async def test_writers_of_several_processes_and_a_reader_do_not_harm_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    writers = [begin(folder, name, "60") for name in ("a-", "b-", "c-")]
    index, seen = SqliteIndex(folder), 0
    vectors = made("a-01", "1")[2]
    assert vectors is not None
    while any(writer.poll() is None for writer in writers):
        hits = await index.search(Query("w1 w2 w3", vectors[0], limit=50), ANYONE)
        for hit in hits:  # each is a chunk of a document that was put, word for word
            document = made(hit.document.path, hit.document.version)[0]
            assert document.text[hit.chunk.start : hit.chunk.end] == hit.text
        seen += bool(hits)
    told: dict[str, str] = {}
    for writer in writers:
        said, _ = writer.communicate()
        assert writer.returncode == 0
        told |= dict(line.split() for line in said.splitlines())  # type: ignore[misc]
    assert seen > 3
    expected = {path: version for path, version in told.items() if version != "-"}
    assert await index.versions("c") == expected
    await index.aclose()
    await check(folder, tmp_path / "fresh", told)
