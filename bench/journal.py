"""What the journal costs: records a second, CPU a record, bytes and syncs a run, beside a bare SQLite in the same run.

    python bench/journal.py [runs]

The floor writes rows of the same size with the same number of commits through apsw alone: no canonical bytes, no
commitments, no tree, no index. CPU is the process's, writer thread included. Bytes are what SQLite gives to write(),
checkpoints included; they are counted in a pass of their own, for counting costs time.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw

from ringfence.core.chain import Kind, Record
from ringfence.core.labels import Label, Trust
from ringfence.core.ports import Journal
from ringfence.stores.file import connect
from ringfence.stores.memory import MemoryJournal
from ringfence.stores.sqlite import SqliteJournal

CIRCLE = frozenset({frozenset({"user:alice", "role:ops"})})
TRUSTED, TAINTED = Label(Trust.USER, CIRCLE), Label(Trust.UNTRUSTED, CIRCLE)
BEFORE_REPLY = 8  # records of a run until its reply is about to leave; there it waits for the disk, and at its end
USAGE = {"completion_tokens": 41, "prompt_tokens": 312}


class Counted(apsw.VFS):
    """Counts what is given to write() and sync()."""

    def __init__(self, name: str, counts: Counter[str]) -> None:
        self.counts = counts
        super().__init__(name, base="")

    def xOpen(self, name: Any, flags: list[int]) -> CountedFile:
        return CountedFile(name, flags, self.counts)


class CountedFile(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int], counts: Counter[str]) -> None:
        self.counts = counts
        super().__init__("", name, flags)

    def xWrite(self, data: Any, offset: int) -> None:
        self.counts["bytes"] += len(data)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self.counts["syncs"] += 1
        super().xSync(flags)


def records(number: int) -> list[Record]:
    """A run as the engine writes it: two model calls, one tool call, a reply. Bodies of 20 to 300 bytes."""
    run, text = f"r{os.urandom(6).hex()}", f"The result is {number * 17}, as the tool computed it from the two numbers."
    step = f'{{"thought":"I compute it","calls":[{{"tool":"calc","args":{{"expression":"{number} * 17"}}}}]}}'
    last = f'{{"final_answer":{{"answer":"{text}","artifacts":[],"confidence":0.9}}}}'
    start = {
        "task": f"How much is {number} times 17? Use the calculator and say the result in one sentence.",
        "principal": {"subject": "user:alice", "roles": ["role:ops"], "tenant": ""},
        "grant": {"sinks": ["model:main", "reply:cli", "tool:calc", "tool:files.read"], "budgets": {}, "version": 1},
    }
    model, calc = {"sink": "model:main", "rule": "POL-8", "left_out": 0}, {"sink": "tool:calc", "rule": "POL-8"}
    done = {"ok": True, "ms": 3, "usage": USAGE}
    lines: list[tuple[Kind, Label, Any, Any]] = [
        (Kind.STARTED, TRUSTED, {"policy": os.urandom(32).hex()}, start),
        (Kind.MESSAGE, TRUSTED, {"role": "user"}, {"role": "user", "text": start["task"]}),
        (Kind.INTENT, TRUSTED, {**model, "context": [0, 1]}, {"prompt": os.urandom(32).hex()}),
        (Kind.OUTCOME, TRUSTED, {"of": 2, **done}, {"value": {"text": step, "usage": USAGE}}),
        (Kind.INTENT, TRUSTED, calc, {"args": {"expression": f"{number} * 17"}, "call": 0}),
        (Kind.OUTCOME, TAINTED, {"of": 4, "ok": True, "ms": 0}, {"value": {"result": number * 17}}),
        (Kind.INTENT, TAINTED, {**model, "context": [0, 1, 3, 5]}, {"prompt": os.urandom(32).hex()}),
        (Kind.OUTCOME, TAINTED, {"of": 6, **done}, {"value": {"text": last, "usage": USAGE}}),
        (Kind.INTENT, TAINTED, {"sink": "reply:cli", "rule": "POL-8"}, {"args": {"text": text}, "call": 0}),
        (Kind.OUTCOME, TAINTED, {"of": 8, "ok": True, "ms": 0}, {"value": {"sent": True}}),
        (Kind.FINISHED, TAINTED, {"status": "done", "steps": 2}, {"answer": text, "summary": ""}),
    ]  # fmt: skip
    return [
        Record(run, seq, 1_763_600_000_000 + number * 40 + seq, kind, "user:alice", label, view, body)
        for seq, (kind, label, view, body) in enumerate(lines)
    ]


async def write_run(journal: Journal, run: list[Record]) -> None:
    for record in run:
        journal.append(record)
        if record.seq == BEFORE_REPLY:
            await journal.flush()
    await journal.flush()


async def one_by_one(journal: Journal, runs: list[list[Record]]) -> None:
    for run in runs:
        await write_run(journal, run)


async def at_once(journal: Journal, runs: list[list[Record]]) -> None:
    await asyncio.gather(*(write_run(journal, run) for run in runs))


def floor(path: Path, runs: list[list[Record]], commits: int) -> tuple[float, float]:
    """Wall and CPU seconds of bare apsw for rows of 300 bytes, FULL commits included."""
    db = connect(path, write=True)
    db.execute("CREATE TABLE bare(idx INTEGER PRIMARY KEY, data BLOB)")
    rows = [(os.urandom(300),) for run in runs for _ in run]
    each = -(-len(rows) // commits)
    wall, cpu = time.perf_counter(), time.process_time()
    for begin in range(0, len(rows), each):
        with db:
            db.executemany("INSERT INTO bare(data) VALUES (?)", rows[begin : begin + each])
    taken = time.perf_counter() - wall, time.process_time() - cpu
    db.close()
    return taken


def measure(journal: Journal, write: Callable[..., Any], runs: list[list[Record]]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    asyncio.run(write(journal, runs))
    return time.perf_counter() - wall, time.process_time() - cpu


def counted(path: Path, write: Callable[..., Any], runs: list[list[Record]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    vfs = Counted("counted", counts)
    with SqliteJournal(path, vfs="counted") as journal:
        asyncio.run(one_by_one(journal, [records(0)]))  # the making of the file is not a run's cost
        counts.clear()
        asyncio.run(write(journal, runs))
    del vfs
    return counts


def main(number: int = 512) -> None:
    """Print the table."""
    runs = [records(at) for at in range(number)]
    total = sum(map(len, runs))
    print(f"{number} runs of {len(runs[0])} records")
    print(
        f"{'':22}{'records/s':>10}{'CPU us/rec':>11}{'floor CPU':>10}{'x floor':>8}{'bytes/run':>10}{'syncs/run':>10}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, write in (("one run at a time", one_by_one), (f"{number} runs at once", at_once)):
            counts = counted(Path(folder, f"{name}.counted"), write, runs)
            with SqliteJournal(Path(folder, name)) as journal:
                asyncio.run(one_by_one(journal, [records(0)]))
                wall, cpu = measure(journal, write, runs)
            commits = max(2, min(2 * number, counts["syncs"]))
            _, bare = floor(Path(folder, f"{name}.floor"), runs, commits)
            print(
                f"{name:22}{total / wall:10,.0f}{cpu / total * 1e6:11.1f}{bare / total * 1e6:10.1f}{cpu / bare:8.1f}"
                f"{counts['bytes'] / number:10,.0f}{counts['syncs'] / number:10.2f}"
            )
        wall, cpu = measure(MemoryJournal(), one_by_one, runs)
        print(f"{'in memory':22}{total / wall:10,.0f}{cpu / total * 1e6:11.1f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
