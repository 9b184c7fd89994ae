"""Put the tasks to the agent and score the answers: `python bench/slm/run.py --seeds 3 --json FILE`.

Each seed has a world of its own, made afresh. FILE keeps what was run: called again, only what is missing is run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from questions import Check, is_step, thoughts  # noqa: E402

import ringfence  # noqa: E402
from ringfence.core.errors import RingfenceError  # noqa: E402

NOT_THERE = (
    "no information", "not found", "not in the", "not available", "not given", "not listed", "not provided",
    "not specified", "not stated", "not mention", "not contain", "not include", "not present", "not there", "not say",
    "not have", "not known", "not recorded", "not find", "no phone", "no record", "no such", "no column", "no mention",
    "no data", "no entry", "no price", "no colour", "no color", "no birth", "no date", "no parking", "unknown",
    "cannot find", "can't find", "couldn't find", "cannot be found", "cannot be determined", "unable to", "doesn't",
    "isn't",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """One run of a case. `prompts`: (prompt, cached) tokens of each model call that says so."""

    id: str
    seed: int
    tags: tuple[str, ...]
    right: bool
    why: str
    status: str
    seconds: float
    steps: int
    tools: tuple[str, ...]
    valid: int
    thoughts: int
    prompts: tuple[tuple[int, int], ...]
    completion: int
    answer: str
    run_id: str


def judge(case: dict[str, Any], expect: dict[str, Any], answer: str, status: str, folder: Path) -> str:
    """Why the outcome is wrong; empty if it is right."""
    if status not in ("done", "partial"):
        return f"ended {status}"
    wanted = {**case.get("answer", {}), **expect.get("answer", {})}
    any_of = [[text] for text in NOT_THERE] if case.get("abstains") and not wanted.get("any") else wanted.get("any", ())
    none = tuple(map(str, wanted.get("none", ())))
    if any_of and not Check(tuple(tuple(map(str, texts)) for texts in any_of), none).passes(answer):
        return "answer"
    for name, state in {**case.get("files", {}), **expect.get("files", {})}.items():
        if problem := wrong_file(folder / name, state):
            return f"{name} {problem}"
    return ""


def wrong_file(path: Path, state: dict[str, Any]) -> str:
    """What is wrong with a file; empty if nothing is. A line end at the end of a file does not count."""
    if not path.is_file():
        return "" if state.get("absent") else "is not there"
    if state.get("absent"):
        return "is there"
    text = path.read_text("utf-8", "replace")
    if state.get("equals") is not None and text.rstrip("\n") != str(state["equals"]).rstrip("\n"):
        return f"holds {text[:80]!r}"
    contains = tuple(map(str, state.get("contains", ())))
    return "" if not contains or Check((contains,)).passes(text) else f"holds {text[:80]!r}"


def usage(records: Sequence[Any]) -> list[tuple[int, int]]:
    """(prompt, cached) tokens of each model call, in order."""
    models = {r.seq for r in records if r.kind == "intent" and r.view["sink"].startswith("model:")}
    found = []
    for record in records:
        if record.kind == "outcome" and record.view["of"] in models and record.view["ok"]:
            used = record.body["value"].get("usage") or {}
            found.append((int(used.get("prompt", 0)), int(used.get("cached", 0))))
    return found


async def ask(agent: Any, case: dict[str, Any], task: str, expect: dict[str, Any], seed: int, folder: Path) -> Asked:
    """Run one case, in a run of its own."""
    began = time.monotonic()
    result = await agent.run(task)
    for _ in range(3 if case.get("approve") else 0):
        if result.status == "waiting":
            result = await agent.approve(result.run_id)
    seconds = time.monotonic() - began
    records = agent.journal.log.read(result.run_id)
    texts = thoughts(records)
    why = judge(case, expect, result.answer, result.status, folder)
    return Asked(
        id=case["id"], seed=seed, tags=tuple(case.get("tags", ())), right=not why, why=why, status=result.status,
        seconds=round(seconds, 2), steps=Counter(result.usage)["steps"],
        tools=tuple(f"{step.tool}{'' if step.ok else '!'}" for step in result.steps),
        valid=sum(map(is_step, texts)), thoughts=len(texts), prompts=tuple(usage(records)),
        completion=Counter(result.usage)["completion"], answer=result.answer, run_id=result.run_id,
    )  # fmt: skip


def line(asked: Asked) -> str:
    """One run on one line and its answer on the next; a tool that failed carries an exclamation mark."""
    verdict = "ok   " if asked.right else "wrong"
    head = f"{verdict} {asked.seed} {asked.id:<20} {asked.seconds:6.1f} s {asked.steps:2d} steps"
    status = "" if asked.status == "done" else f" [{asked.status}]"
    why = f" ({asked.why})" if asked.why and asked.why != "answer" else ""
    return f"{head}  {' '.join(asked.tools) or '-'}{status}{why}\n        {' '.join(asked.answer.split())[:150]}"


def summary(runs: Sequence[Asked]) -> str:
    """The score and what it cost."""
    right, said, valid = sum(r.right for r in runs), sum(r.thoughts for r in runs), sum(r.valid for r in runs)
    calls = [r.steps for r in runs]
    first = [r.prompts[0] for r in runs if r.prompts]
    later = [pair for r in runs for pair in r.prompts[1:]]
    by_tag: Counter[str] = Counter(tag for r in runs for tag in r.tags)
    good: Counter[str] = Counter(tag for r in runs for tag in r.tags if r.right)
    return "\n".join(
        (
            f"success            {right} of {len(runs)} ({right / len(runs):.1%})",
            f"by kind            {', '.join(f'{tag} {good[tag]}/{by_tag[tag]}' for tag in by_tag)}",
            f"valid steps        {valid} of {said} ({valid / said:.1%})" if said else "valid steps        none",
            f"model calls        median {statistics.median(calls):g}, most {max(calls)}",
            f"seconds            median {statistics.median(r.seconds for r in runs):.1f}",
            f"first step         {_evaluated(first)}",
            f"steps after it     {_evaluated(later)}",
        )
    )


def _evaluated(pairs: Sequence[tuple[int, int]]) -> str:
    """Of the prompt tokens sent, how many were evaluated: what the server did not find in its cache."""
    prompt, cached = sum(p for p, _ in pairs), sum(c for _, c in pairs)
    if not prompt:
        return "no usage was told"
    return f"{prompt} prompt tokens, {cached} cached, {prompt - cached} evaluated ({(prompt - cached) / prompt:.1%})"


def read_runs(path: Path | None) -> list[Asked]:
    """The runs of an earlier call."""
    if path is None or not path.exists():
        return []
    runs = []
    for run in json.loads(path.read_text("utf-8")):
        lists = {key: tuple(run[key]) for key in ("tags", "tools")}
        runs.append(Asked(**{**run, **lists, "prompts": tuple(map(tuple, run["prompts"]))}))
    return runs


def write_runs(path: Path, runs: Sequence[Asked]) -> None:
    """All runs so far, replaced in one step."""
    draft = path.with_name(path.name + ".part")
    draft.write_text(json.dumps([asdict(run) for run in runs], ensure_ascii=False, indent=1) + "\n", "utf-8")
    draft.replace(path)


@contextmanager
def fresh(keep: Path | None, seed: int) -> Iterator[Path]:
    """An empty folder, removed afterwards unless it is to be kept."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"slm-{seed}-", dir=keep))
    try:
        yield folder
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def world(folder: Path, seed: int, setup: Path) -> dict[str, Any]:
    """Make the world of a seed; returns its expect.json."""
    subprocess.run([sys.executable, str(setup), str(folder), "--seed", str(seed)], check=True)
    found: dict[str, Any] = json.loads((folder / "expect.json").read_text("utf-8"))
    return found


def filled(task: str, expect: dict[str, Any]) -> str:
    """A task with its {words} filled in."""
    for name, value in expect.get("vars", {}).items():
        task = task.replace("{" + name + "}", value)
    return task


async def run_seed(
    suite: dict[str, Any], cases: Sequence[dict[str, Any]], seed: int, folder: Path, told: Callable[[Asked], None]
) -> None:
    """The cases of one seed, one at a time, in one fresh world."""
    expect = world(folder, seed, HERE / suite["setup"])
    async with ringfence.load(folder / suite["manifest"]) as agent:
        for case in cases:
            task = filled(case["task"], expect)
            told(await ask(agent, case, task, expect.get(case["id"], {}), seed, folder))


def options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="put the tasks to the agent and score the answers")
    parser.add_argument("--suite", type=Path, default=HERE / "tasks.yaml")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="worlds 1 to N (default 1)")
    parser.add_argument("--first-seed", type=int, default=1, metavar="N", help="begin with world N")
    parser.add_argument("--only", type=lambda text: set(text.split(",")), metavar="ID,ID")
    parser.add_argument("--tags", type=lambda text: set(text.split(",")), metavar="TAG,TAG")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="keep the runs here; those already there are not repeated"
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="make the worlds in here and leave them")
    parser.add_argument("--minutes", type=float, metavar="N", help="start no further task after N minutes")
    return parser.parse_args(argv)


class _Enough(Exception):
    """The time is up."""


async def score(given: argparse.Namespace) -> int:
    """Run what is missing; returns the exit code."""
    suite = yaml.safe_load(given.suite.read_text("utf-8"))
    cases = [
        case for case in suite["cases"]
        if (not given.only or case["id"] in given.only) and (not given.tags or given.tags & set(case["tags"]))
    ]  # fmt: skip
    if unknown := (given.only or set()) - {case["id"] for case in suite["cases"]}:
        raise ValueError(f"{given.suite} has no case {', '.join(sorted(unknown))}")
    runs, began = read_runs(given.json), time.monotonic()
    seeds = range(given.first_seed, given.first_seed + given.seeds)

    def told(run: Asked) -> None:
        runs.append(run)
        print(line(run), flush=True)
        if given.json is not None:
            write_runs(given.json, runs)
        if given.minutes and time.monotonic() - began > given.minutes * 60:
            raise _Enough

    try:
        for seed in seeds:
            missing = [case for case in cases if (case["id"], seed) not in {(run.id, run.seed) for run in runs}]
            if missing:
                with fresh(given.keep, seed) as folder:
                    await run_seed(suite, missing, seed, folder, told)
    except _Enough:
        print("the time is up; call again with the same --json for the rest")
    wanted = {(case["id"], seed) for case in cases for seed in seeds}
    if counted := [run for run in runs if (run.id, run.seed) in wanted]:
        print(f"\n{summary(counted)}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """0: all was run; 2: it could not be."""
    try:
        return asyncio.run(score(options(argv)))
    except (RingfenceError, ValueError, OSError, yaml.YAMLError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
