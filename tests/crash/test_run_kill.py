"""P3: a run that is killed anywhere is resumed to the same answer; nothing is lost and no effect is repeated."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.chain import Kind, Record
from ringfence.engine.result import Result
from ringfence.stores import open_log
from ringfence.stores.log import Log
from ringfence.testing.server import running

from .warm_runs import agent_of, pledge

KILLS = 50
WARM = "tests.crash.warm_runs"
ROOT = Path(__file__).parents[2]
MANIFEST = """\
inference: {{provider: llamacpp, model: scripted, endpoint: "{url}", retries: 0, timeout_s: 20, max_context: 16384}}
tools:
  - {{name: files, type: builtin, target_paths: [./notes]}}
  - {{name: text, type: builtin, target_paths: [./notes]}}
  - {{name: csv, type: builtin, target_paths: [./notes]}}
  - {{name: calc, type: builtin}}
"""
Say = tuple[str, dict[str, Any], str]  # a tool, its arguments, and what only its result holds
SIX: tuple[Say, ...] = (
    ("files.read", {"path": "notes/one.txt"}, "badger"),
    ("csv.sql", {"path": "notes/table.csv", "sql": "select * from t"}, "walrus"),
    ("text.count", {"path": "notes/log.txt", "pattern": "by=(\\w+)"}, "ferret"),
    ("calc", {"expression": "6 * 7 * 1000 + 6"}, "42006"),
    ("files.search", {"pattern": "otter"}, "otter lives here"),
    ("files.read", {"path": "notes/two.txt"}, "lynx"),
)
ANSWER = "The disk is full."


def script(calls: Sequence[Say]) -> list[str | dict[str, str]]:
    """A model that says its next step by the results that it was shown, however often it is asked."""
    steps = [json.dumps({"thought": "so", "calls": [{"tool": name, "args": args}]}) for name, args, _ in calls]
    end = {"answer": ANSWER, "artifacts": [], "confidence": "high"}
    steps.append(json.dumps({"thought": "done", "final_answer": end}))
    later = [{"when": shown, "text": text} for (_, _, shown), text in zip(calls, steps[1:], strict=True)]
    return [*reversed(later), steps[0]]


def furnished(place: Path) -> Path:
    notes = place / "notes"
    notes.mkdir()
    (notes / "one.txt").write_text("a title\nbadger\n")
    (notes / "two.txt").write_text("a title\nlynx\n")
    (notes / "log.txt").write_text("a title\nby=ferret\nby=ferret\n")
    (notes / "three.txt").write_text("a title\notter lives here\n")
    (notes / "table.csv").write_text("host,free\nwalrus,0\n")
    return place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return furnished(tmp_path)


@dataclass
class Warm:
    """A process with everything loaded, whose children run and are killed."""

    process: subprocess.Popen[str]

    def begin(self, *, hang: str = "", ask: bool = False, stop: str = "") -> int:
        """Start a run; returns the child's process id once it is about to begin."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{hang},{'ask' if ask else ''},{stop}\n")
        self.process.stdin.flush()
        return int(self.line().removeprefix("begin "))

    def line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the warm process is gone"
        return line.rstrip("\n")

    def kill(self, child: int) -> list[str]:
        """`kill -9`, unless it has just ended by itself; returns what the child still said."""
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        return self.until("gone")

    def until(self, word: str) -> list[str]:
        said = []
        while (line := self.line()).partition(" ")[0] != word:
            said.append(line)
        return said


@contextmanager
def warm(
    folder: Path, steps: list[str | dict[str, str]], *, delay_ms: float = 0.0, text: str = MANIFEST, port: int = 0
) -> Iterator[Warm]:
    with running(steps, delay_ms=delay_ms) as url:
        manifest = folder / "ringfence.yaml"
        manifest.write_text(text.format(url=url, port=port))
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", WARM, str(manifest), str(port)]
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
        try:
            made = Warm(process)
            assert made.line() == "ready"
            yield made
        finally:
            process.kill()
            process.communicate()


async def resume(folder: Path, run: str, *functions: Callable[..., Any]) -> Result:
    async with agent_of(folder / "ringfence.yaml", *functions) as agent:
        return await agent.resume(run)


def calls(records: Sequence[Record]) -> list[tuple[str, str]]:
    """The calls that the model chose, and those of the model: the sink, and the arguments or the prompt's digest."""
    return [
        (r.view["sink"], json.dumps(r.body.get("args", r.body.get("prompt")), sort_keys=True))
        for r in records
        if r.kind is Kind.INTENT and r.body.get("call", 0) >= 0
    ]


def answered(records: Sequence[Record]) -> list[tuple[str, str]]:
    """The intents that have their outcome."""
    done = {r.view["of"] for r in records if r.kind is Kind.OUTCOME}
    return calls([r for r in records if r.seq in done])


def said(records: Sequence[Record]) -> list[Any]:
    """What the model said and the tools that it chose answered, in order."""
    chosen = {r.seq for r in records if r.kind is Kind.INTENT and r.body.get("call", 0) >= 0}
    return [same(r.body["value"]) for r in records if r.kind is Kind.OUTCOME and r.view["of"] in chosen]


def same(value: Any) -> Any:
    """What an outcome says; of a model's its text: what was sent and counted holds the numbers of records (r9, r10)."""
    return value["text"] if isinstance(value, dict) and "usage" in value else value


def newest(log: Log) -> str:
    return log.runs(limit=1)[0].run


def test_a_run_killed_at_any_instant_is_resumed_to_the_same_answer_with_nothing_lost(folder: Path) -> None:
    """Fifty kills on one journal, spread over the time that such a run takes; each is resumed and compared."""
    dice, path = random.Random(os.environ.get("SEED", "20")), folder / ".ringfence" / "journal.db"
    stood: Counter[str] = Counter()
    with warm(folder, script(SIX), delay_ms=4) as process:
        process.begin()
        began = time.perf_counter()
        process.until("end")
        lasts_s = time.perf_counter() - began
        process.until("gone")
        with open_log(path) as log:
            whole = log.read(newest(log))
        assert [sink for sink, _ in calls(whole) if sink != "model:main"] == [f"tool:{name}" for name, *_ in SIX]
        known = whole[0].run
        for n in range(KILLS):
            child = process.begin()
            time.sleep(lasts_s * (n + dice.random()) / KILLS)
            process.kill(child)
            with open_log(path) as log:
                assert log.verify().problem == ""
                run = newest(log)
                left = log.read(run)
            if run == known:  # killed before anything of it was durable: nothing was promised and nothing was done
                stood["nothing"] += 1
                continue
            known = run
            result = asyncio.run(resume(folder, run))
            with open_log(path) as log:
                after = log.read(run)
                assert log.verify().problem == ""
            assert (result.status, result.answer) == ("done", ANSWER)
            assert after[: len(left)] == left
            assert [record.seq for record in after] == list(range(len(after)))
            assert said(after) == said(whole)
            repeated = Counter(answered(left)) & Counter(calls(after[len(left) :]))
            assert not repeated, "a call whose outcome was on record was made again"
            stood["done" if left[-1].kind is Kind.FINISHED else "cut off"] += 1
    assert stood["cut off"] >= KILLS // 4, stood


@pytest.mark.parametrize("ask", [False, True], ids=["granted", "approved"])
@pytest.mark.parametrize(("hang", "lines"), [("before", []), ("after", ["ten"])])
def test_an_effect_killed_before_its_outcome_was_recorded_is_never_repeated(
    folder: Path, hang: str, lines: list[str], ask: bool
) -> None:
    """Nobody can know from here whether it was done: the run is parked as `uncertain`, and a person looks."""
    effect, file = ("pledge", {"line": "ten"}, "pledged ten"), folder / "pledges.txt"
    with warm(folder, script([SIX[0], effect, SIX[1]])) as process:
        child = process.begin(hang=hang, ask=ask)
        assert process.line() == "hanging"
        process.kill(child)
        with open_log(folder / ".ringfence" / "journal.db") as log:
            run = newest(log)
            left = log.read(run)
        assert left[-1].kind is Kind.INTENT
        assert left[-1].view["sink"] == "tool:pledge"
        assert ("approval" in left[-1].body) is ask
        for _ in range(2):
            result = asyncio.run(resume(folder, run, pledge(file, ask=ask)))
            assert result.status == "uncertain"
            assert (file.read_text().split() if file.exists() else []) == lines
    with open_log(folder / ".ringfence" / "journal.db") as log:
        assert log.verify().problem == ""
        assert log.read(run)[: len(left)] == left
        assert log.read(run)[-1].view == {"uncertain": [left[-1].seq]}
        assert log.runs(limit=1)[0].state == "uncertain"
